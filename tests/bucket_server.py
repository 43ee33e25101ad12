"""A bucket for tests: moto's S3 behind a real socket, which checks signatures and conditions as Amazon's does."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import boto3
from moto import settings
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.exceptions import ServiceUnavailable
from werkzeug.serving import make_server

REGION = "us-east-1"
_EVERYTHING = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}],
}


class BucketRequest(NamedTuple):
    """A request that came in: its method, and its target below the bucket, percent-decoded, without the query."""

    method: str
    key: str
    headers: dict[str, str]


class _Handler(MotoRequestHandler):
    def log_request(self, *_: object) -> None:
        pass


class BucketServer:
    """The server, with one bucket that keeps versions, and the key of a user who may do everything there.

    `behave(request)` may answer in its place, with a WSGI application; `lose(request)` says whose answer is lost after
    the request was carried out.
    """

    def __init__(self, name: str = "news") -> None:
        self.name = name
        self.requests: list[BucketRequest] = []
        self.behave: Callable[[BucketRequest], Any] = lambda _: None
        self.lose: Callable[[BucketRequest], bool] = lambda _: False
        self._app = DomainDispatcherApplication(create_backend_app)
        self._server = make_server("127.0.0.1", 0, self._serve, threaded=True, request_handler=_Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()
        self.port: int = self._server.server_port
        self.url = f"http://127.0.0.1:{self.port}"
        settings.INITIAL_NO_AUTH_ACTION_COUNT = float("inf")
        people = self._client("iam", "x", "y")
        user = f"user-of-{name}"
        people.create_user(UserName=user)
        key = people.create_access_key(UserName=user)["AccessKey"]
        people.put_user_policy(UserName=user, PolicyName="everything", PolicyDocument=json.dumps(_EVERYTHING))
        self.key_id: str = key["AccessKeyId"]
        self.secret: str = key["SecretAccessKey"]
        self.s3 = self._client("s3", self.key_id, self.secret)
        self.s3.create_bucket(Bucket=name)
        self.s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
        # From here on every request must be signed.
        settings.INITIAL_NO_AUTH_ACTION_COUNT = 0
        self.requests.clear()

    def names(self) -> list[str]:
        """The keys of what is there now, in alphabetical order."""
        return [entry["Key"] for entry in self.s3.list_objects_v2(Bucket=self.name).get("Contents", ())]

    def head(self, key: str) -> dict[str, Any]:
        """What is known of an object: its metadata, its type."""
        answer: dict[str, Any] = self.s3.head_object(Bucket=self.name, Key=key)
        return answer

    def text(self, key: str) -> bytes:
        """What is under a key."""
        content: bytes = self.s3.get_object(Bucket=self.name, Key=key)["Body"].read()
        return content

    def versions(self, key: str) -> list[bytes]:
        """All that is kept under a key, the newest first, without delete markers."""
        kept = self.s3.list_object_versions(Bucket=self.name, Prefix=key).get("Versions", ())
        return [
            self.s3.get_object(Bucket=self.name, Key=key, VersionId=version["VersionId"])["Body"].read()
            for version in kept
        ]

    def until(self, condition: Callable[[], bool], what: str, seconds: float = 60) -> None:
        """Wait until something is so."""
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, f"{what} did not come; keys: {self.names()}"
            time.sleep(0.05)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(10)
        settings.INITIAL_NO_AUTH_ACTION_COUNT = float("inf")

    def _client(self, service: str, key_id: str, secret: str) -> Any:
        return boto3.client(
            service,
            endpoint_url=self.url,
            region_name=REGION,
            aws_access_key_id=key_id,
            aws_secret_access_key=secret,
        )

    def _serve(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        request = BucketRequest(
            environ["REQUEST_METHOD"],
            environ["PATH_INFO"].removeprefix(f"/{self.name}/"),
            {name: str(value) for name, value in environ.items() if name.startswith(("HTTP_", "CONTENT_"))},
        )
        if "boto" not in environ.get("HTTP_USER_AGENT", "").lower():
            self.requests.append(request)
            if (answer := self.behave(request)) is not None:
                return answer(environ, start_response)  # type: ignore[no-any-return]
            if self.lose(request):
                b"".join(self._app(environ, lambda *_: lambda _: None))
                environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
                # Werkzeug takes this for a caller that has gone.
                raise ConnectionResetError
        return self._app(environ, start_response)  # type: ignore[no-any-return]


def away(_: BucketRequest) -> Any:
    """Answer that the store can't just now."""
    return ServiceUnavailable()
