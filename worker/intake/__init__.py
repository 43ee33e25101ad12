"""How events come in: checked, told apart from repetitions, kept.

Decides nothing about the news.
"""
