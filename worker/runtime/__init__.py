"""How processes run: Celery and its broker, the wiring, what time changes, `dateline up`, logs.

Nothing imports this but the command line, the web app where it is wired, and tests.
"""
