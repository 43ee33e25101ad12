"""Peer (b): Flask-WebSub, a WebSub hub on Celery, with the storage that it comes with."""

from __future__ import annotations

import os
from itertools import count
from pathlib import Path

from celery import Celery
from flask_websub.hub import Hub, SQLite3HubStorage  # type: ignore[import-untyped]

from bench.peers.post import BROKER, make_app

STORAGE = "BENCH_HUB"
"""Environment variable: the file of its subscriptions."""


def make_hub(celery: Celery, storage: Path) -> Hub:
    """The hub, signing with SHA-256 as the others do instead of its SHA-512.

    Its tasks have the same names in every process and every round: it puts into them how many hubs its process has made
    before, so nobody would know the tasks of a second one.
    """
    Hub.counter = count()
    return Hub(SQLite3HubStorage(str(storage)), celery, SIGNATURE_ALGORITHM="sha256")


if STORAGE in os.environ:
    app = make_app(os.environ[BROKER])
    hub = make_hub(app, Path(os.environ[STORAGE]))
