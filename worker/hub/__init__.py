"""WebSub: requests to subscribe, and asking subscribers whether they asked.

Sends no news.
"""
