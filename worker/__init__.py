"""What happens: events are taken in, decided, recorded and brought to receivers.

Nothing here knows a format or a rule of the news; those are in feeds/. Everything is wired together in services.py.
"""
