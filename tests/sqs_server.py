"""Amazon SQS for tests: moto's behind a real socket, which checks who signs."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

import boto3
from moto import settings
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import make_server

REGION = "eu-central-1"
_EVERYTHING = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "sqs:*", "Resource": "*"}],
}


class _Handler(MotoRequestHandler):
    def log_request(self, *_: object) -> None:
        pass


class SqsServer:
    """The server, and the key of a user who may do everything there.

    `behave(environ)` may answer in its place, with a WSGI application; `lose` says how many answers are lost after the
    request was carried out.
    """

    def __init__(self) -> None:
        self.behave: Callable[[dict[str, Any]], Any] = lambda _: None
        self.lose = 0
        self._app = DomainDispatcherApplication(create_backend_app)
        self._server = make_server("127.0.0.1", 0, self._serve, threaded=True, request_handler=_Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        settings.INITIAL_NO_AUTH_ACTION_COUNT = float("inf")
        people = self._client("iam", "x", "y")
        # Moto's users are those of the whole process.
        user = f"herald-{self._server.server_port}"
        people.create_user(UserName=user)
        key = people.create_access_key(UserName=user)["AccessKey"]
        people.put_user_policy(UserName=user, PolicyName="everything", PolicyDocument=json.dumps(_EVERYTHING))
        self.key_id: str = key["AccessKeyId"]
        self.secret: str = key["SecretAccessKey"]
        self._sqs = self._client("sqs", self.key_id, self.secret)
        # From here on every request must be signed.
        settings.INITIAL_NO_AUTH_ACTION_COUNT = 0

    def declare(self, name: str) -> str:
        """Make a queue; return its address."""
        attributes = {"FifoQueue": "true"} if name.endswith(".fifo") else {}
        made = self._sqs.create_queue(QueueName=name, Attributes=attributes)
        return f"{self.url}/{made['QueueUrl'].partition('://')[2].partition('/')[2]}"

    def messages(self, url: str, count: int, seconds: float = 60) -> list[dict[str, Any]]:
        """Take so many messages out of a queue, in the order in which it gives them."""
        taken: list[dict[str, Any]] = []
        deadline = time.monotonic() + seconds
        while len(taken) < count:
            assert time.monotonic() < deadline, f"{len(taken)} messages instead of {count}"
            answer = self._sqs.receive_message(
                QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"], AttributeNames=["All"]
            )
            for message in answer.get("Messages", ()):
                taken.append(message)
                self._sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return taken

    def waiting(self, url: str) -> int:
        """How many messages wait in a queue."""
        answer = self._sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"])
        return int(answer["Attributes"]["ApproximateNumberOfMessages"])

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(10)
        settings.INITIAL_NO_AUTH_ACTION_COUNT = float("inf")

    def _client(self, service: str, key_id: str, secret: str) -> Any:
        return boto3.client(
            service, endpoint_url=self.url, region_name=REGION, aws_access_key_id=key_id, aws_secret_access_key=secret
        )

    def _serve(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if "boto" not in environ.get("HTTP_USER_AGENT", "").lower():
            if (answer := self.behave(environ)) is not None:
                return answer(environ, start_response)  # type: ignore[no-any-return]
            if self.lose:
                self.lose -= 1
                b"".join(self._app(environ, lambda *_: lambda _: None))
                environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
                # Werkzeug takes this for a caller that has gone.
                raise ConnectionResetError
        return self._app(environ, start_response)  # type: ignore[no-any-return]
