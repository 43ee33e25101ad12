"""What readers are shown: feed documents made of fragments, behind the quality gate.

Changes no article.
"""
