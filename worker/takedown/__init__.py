"""Is it gone? Pages that are read back after a kill, and the report of who has an article.

Sends no article.
"""
