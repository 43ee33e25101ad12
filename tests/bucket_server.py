"""A bucket for tests: moto's S3 behind a real socket, which checks signatures and conditions as Amazon's does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from moto_server import MotoServer
from waiting import until
from werkzeug.exceptions import ServiceUnavailable

REGION = "us-east-1"


class BucketRequest(NamedTuple):
    """A request that came in: its method, and its target below the bucket, percent-decoded, without the query."""

    method: str
    key: str
    headers: dict[str, str]


class BucketServer(MotoServer):
    """The server, with one bucket that keeps versions, and the key of a user who may do everything there.

    `behave(request)` may answer in its place, with a WSGI application; `lose(request)` says whose answer is lost after
    the request was carried out.
    """

    def __init__(self, name: str = "news") -> None:
        self.name = name
        self.requests: list[BucketRequest] = []
        self.behave: Callable[[BucketRequest], Any] = lambda _: None
        self.lose: Callable[[BucketRequest], bool] = lambda _: False
        super().__init__("s3", REGION)
        self.s3 = self.client
        self.s3.create_bucket(Bucket=name)
        self.s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})

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

    def until(self, condition: Callable[[], bool], what: str) -> None:
        """Wait until something is so."""
        until(condition, lambda: f"{what}; keys: {self.names()}")

    def answer(self, environ: dict[str, Any]) -> Any:
        request = self._read(environ)
        self.requests.append(request)
        return self.behave(request)

    def is_lost(self, environ: dict[str, Any]) -> bool:
        return self.lose(self._read(environ))

    def _read(self, environ: dict[str, Any]) -> BucketRequest:
        return BucketRequest(
            environ["REQUEST_METHOD"],
            environ["PATH_INFO"].removeprefix(f"/{self.name}/"),
            {name: str(value) for name, value in environ.items() if name.startswith(("HTTP_", "CONTENT_"))},
        )


def away(_: BucketRequest) -> Any:
    """Answer that the store can't just now."""
    return ServiceUnavailable()
