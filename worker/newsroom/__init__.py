"""What an event changes: articles, the feeds they belong to, the change logs.

Knows no receiver and no format.
"""
