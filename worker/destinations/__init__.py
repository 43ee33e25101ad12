"""How a push reaches an endpoint: one file for each kind of destination.

Decides nothing about articles.
"""
