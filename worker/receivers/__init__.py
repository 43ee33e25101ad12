"""Who is behind, and what they are told: subscriptions and endpoints with their cursors.

Opens no connection itself.
"""
