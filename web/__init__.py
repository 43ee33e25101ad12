"""What people and machines reach over HTTP: feeds, the hub, the events' way in, health and metrics.

Shims over worker/: they speak HTTP and decide nothing about news.
"""
