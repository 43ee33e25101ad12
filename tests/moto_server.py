"""One of Amazon's services for tests: moto behind a real socket, which checks who signs."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterable
from typing import Any

import boto3
from local_server import LocalServer
from moto import settings
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import make_server


class _Handler(MotoRequestHandler):
    def log_request(self, *_: object) -> None:
        pass


class MotoServer(LocalServer):
    """The server, and the key of a user who may do everything with the service.

    What its own clients send passes; of all other requests `answer` may be taken instead, and the answer may be lost.
    """

    def __init__(self, service: str, region: str) -> None:
        self._region = region
        self._app = DomainDispatcherApplication(create_backend_app)
        super().__init__(make_server("127.0.0.1", 0, self._serve, threaded=True, request_handler=_Handler))
        settings.INITIAL_NO_AUTH_ACTION_COUNT = float("inf")
        people = self._client("iam", "x", "y")
        # Moto's users are those of the whole process.
        user = f"herald-{self.port}"
        people.create_user(UserName=user)
        key = people.create_access_key(UserName=user)["AccessKey"]
        everything = {"Effect": "Allow", "Action": f"{service}:*", "Resource": "*"}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [everything]})
        people.put_user_policy(UserName=user, PolicyName="everything", PolicyDocument=policy)
        self.key_id: str = key["AccessKeyId"]
        self.secret: str = key["SecretAccessKey"]
        self.client = self._client(service, self.key_id, self.secret)
        # From here on every request must be signed.
        settings.INITIAL_NO_AUTH_ACTION_COUNT = 0

    def close(self) -> None:
        super().close()
        settings.INITIAL_NO_AUTH_ACTION_COUNT = float("inf")

    def answer(self, environ: dict[str, Any]) -> Any:
        """Return the WSGI application that answers in its place, if one does."""
        raise NotImplementedError

    def is_lost(self, environ: dict[str, Any]) -> bool:
        """Whether the answer is lost after the request was carried out."""
        raise NotImplementedError

    def _client(self, service: str, key_id: str, secret: str) -> Any:
        keys = {"aws_access_key_id": key_id, "aws_secret_access_key": secret}
        return boto3.client(service, endpoint_url=self.url, region_name=self._region, **keys)

    def _serve(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if "boto" not in environ.get("HTTP_USER_AGENT", "").lower():
            if (answer := self.answer(environ)) is not None:
                return answer(environ, start_response)  # type: ignore[no-any-return]
            if self.is_lost(environ):
                b"".join(self._app(environ, lambda *_: lambda _: None))
                environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
                # Werkzeug takes this for a caller that has gone.
                raise ConnectionResetError
        return self._app(environ, start_response)  # type: ignore[no-any-return]
