"""Amazon SQS for tests: moto's behind a real socket, which checks who signs."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from moto_server import MotoServer

REGION = "eu-central-1"


class SqsServer(MotoServer):
    """The server, and the key of a user who may do everything there.

    `behave(environ)` may answer in its place, with a WSGI application; `lose` says how many answers are lost after the
    request was carried out.
    """

    def __init__(self) -> None:
        self.behave: Callable[[dict[str, Any]], Any] = lambda _: None
        self.lose = 0
        super().__init__("sqs", REGION)

    def declare(self, name: str) -> str:
        """Make a queue; return its address."""
        attributes = {"FifoQueue": "true"} if name.endswith(".fifo") else {}
        made = self.client.create_queue(QueueName=name, Attributes=attributes)
        return f"{self.url}/{made['QueueUrl'].partition('://')[2].partition('/')[2]}"

    def messages(self, url: str, count: int, seconds: float = 60) -> list[dict[str, Any]]:
        """Take so many messages out of a queue, in the order in which it gives them."""
        taken: list[dict[str, Any]] = []
        deadline = time.monotonic() + seconds
        while len(taken) < count:
            assert time.monotonic() < deadline, f"{len(taken)} messages instead of {count}"
            answer = self.client.receive_message(
                QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"], AttributeNames=["All"]
            )
            for message in answer.get("Messages", ()):
                taken.append(message)
                self.client.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return taken

    def waiting(self, url: str) -> int:
        """How many messages wait in a queue."""
        answer = self.client.get_queue_attributes(QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"])
        return int(answer["Attributes"]["ApproximateNumberOfMessages"])

    def answer(self, environ: dict[str, Any]) -> Any:
        return self.behave(environ)

    def is_lost(self, _: dict[str, Any]) -> bool:
        lost = self.lose > 0
        self.lose -= lost
        return lost
