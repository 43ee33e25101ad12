"""What moves bytes to receivers: the engine, the guard in front of the network, signatures, and what answers mean.

Nothing here knows of settings, Redis or Celery.
"""
