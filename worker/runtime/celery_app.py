"""The Celery application: queues, routes and the rules that make every message a wake-up call.

No results, no retries, no countdowns: the truth is in the store, and a message that is lost or doubled does no harm.
"""

from __future__ import annotations

from celery import Celery
from kombu import Queue

from worker.runtime import broker_inbox, redis_broker

redis_broker.use()

QUEUES = ("urgent", "intake", "distribute", "verify")
"""In the order in which a worker looks for messages."""

app = Celery("dateline", include=["worker.runtime.tasks"])
app.conf.update(
    # "celery" is where `send_task("dateline.accept", ...)` of a CMS ends up when it names no queue.
    task_queues=[Queue(name) for name in (*QUEUES, "celery")],
    task_default_queue="intake",
    task_serializer="json",
    accept_content=["json"],
    task_ignore_result=True,
    task_acks_late=False,
    enable_utc=True,
    # Threads: a task only decides and hands over; the bytes are moved by one engine per process.
    worker_pool="threads",
    worker_concurrency=4,
    worker_prefetch_multiplier=4,
    worker_hijack_root_logger=False,
    worker_redirect_stdouts=False,
    broker_connection_retry_on_startup=True,
    # A broker that is away for hours ends no worker: the sweep does the work meanwhile.
    broker_connection_max_retries=None,
    broker_transport_options={
        "queue_order_strategy": "priority",
        "socket_timeout": 10,
        "socket_connect_timeout": 5,
        **broker_inbox.OPTIONS,
    },
    worker_consumer="worker.runtime.celery_consumer:Consumer",
)


def configure(broker_url: str) -> None:
    """Set the broker; a `unix://` Redis is spelled as Celery knows it."""
    if broker_url.startswith("unix://"):
        broker_url = "redis+socket://" + broker_url.removeprefix("unix://")
    app.conf.update(broker_url=broker_url)
