"""Peer (a), what most teams write: one Celery task for each delivery, with `requests.post`."""

from __future__ import annotations

import hmac
import os

import requests
from celery import Celery

BROKER = "BENCH_BROKER"
"""Environment variable: the broker of the worker processes."""


def make_app(broker: str) -> Celery:
    """The Celery application of a peer; nobody asks for results."""
    app = Celery("peer", broker=broker)
    app.conf.update(task_ignore_result=True, broker_connection_retry_on_startup=True)
    return app


app = make_app(os.environ.get(BROKER, "redis://"))


@app.task(name="deliver")
def deliver(url: str, secret: str, body: str) -> None:
    """Sign and post; raise what is no success."""
    data = body.encode()
    headers = {
        "Content-Type": "application/atom+xml",
        "X-Hub-Signature": f"sha256={hmac.new(secret.encode(), data, 'sha256').hexdigest()}",
    }
    requests.post(url, data=data, headers=headers, timeout=10).raise_for_status()
