"""A partner that takes objects: a model of a bucket in the demonstration's own process.

It is no store: of S3 it knows PUT and HEAD of objects of one bucket, with conditions (RFC 9110, section 13.1) and
signatures (AWS Signature Version 4), which it checks as Amazon S3 does. The tests write to moto's.
"""

from __future__ import annotations

import hmac
import secrets
import threading
from hashlib import md5, sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_HOST = "127.0.0.1"
_META = "x-amz-meta-"


class DemoBucket:
    """Keeps objects; `on_object` gets each with what its signature proves, in a thread of the server's."""

    def __init__(self, on_object: Callable[[bytes, str], None]) -> None:
        self._objects: dict[str, tuple[bytes, str, dict[str, str]]] = {}
        self._lock = threading.Lock()
        self._key_id, self._secret = secrets.token_hex(10), secrets.token_urlsafe(30)
        bucket = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_HEAD(self) -> None:
                """Say what is there."""
                _, etag, metadata = bucket._objects.get(self.path, (b"", "", {}))
                self._reply(200 if etag else 404, {"ETag": etag, **metadata} if etag else {})

            def do_PUT(self) -> None:
                """Keep an object, if what its request says of the one before is true."""
                content = self.rfile.read(int(self.headers["Content-Length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                if not bucket._is_signed(self.command, self.path, headers, content):
                    self._reply(403)
                    return
                etag = bucket._put(self.path, headers, content)
                self._reply(200 if etag else 412, {"ETag": etag} if etag else {})
                if etag:
                    on_object(content, "by S3, signature valid")

            def _reply(self, status: int, headers: Mapping[str, str] | None = None) -> None:
                self.send_response(status)
                for name, value in {**(headers or {}), "Content-Length": "0"}.items():
                    self.send_header(name, value)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """The demo prints what matters."""

        self._server = ThreadingHTTPServer((_HOST, 0), Handler)
        self.url = f"http://{_HOST}:{self._server.server_port}/news"
        threading.Thread(target=self._server.serve_forever, name="bucket", daemon=True).start()

    @property
    def settings(self) -> str:
        """The settings by which it is reached."""
        return f'{{ key_id = "{self._key_id}", secret = "{self._secret}", name = "{{id}}.{{ext}}" }}'

    def contents(self) -> list[str]:
        """Return each key, with what its object says of itself."""
        return sorted(
            f"{path.removeprefix('/news/')} ({metadata[f'{_META}dateline-pubstatus']})"
            for path, (_, _, metadata) in self._objects.items()
        )

    def close(self) -> None:
        """Listen no more."""
        self._server.shutdown()

    def _put(self, path: str, headers: Mapping[str, str], content: bytes) -> str:
        """Keep an object; return its ETag, or nothing where its condition does not hold."""
        with self._lock:
            _, before, _ = self._objects.get(path, (b"", "", {}))
            if ("if-none-match" in headers and before) or headers.get("if-match", before) != before:
                return ""
            etag = f'"{md5(content, usedforsecurity=False).hexdigest()}"'
            metadata = {name: value for name, value in headers.items() if name.startswith(_META)}
            self._objects[path] = content, etag, metadata
            return etag

    def _is_signed(self, method: str, path: str, headers: Mapping[str, str], content: bytes) -> bool:
        """Whether a request is signed by our key (Signature Version 4, "Create a signed AWS API request")."""
        scheme, _, rest = headers.get("authorization", "").partition(" ")
        fields = dict(part.strip().partition("=")[::2] for part in rest.split(","))
        key_id, _, scope = fields.get("Credential", "").partition("/")
        names = fields.get("SignedHeaders", "").split(";")
        if scheme != "AWS4-HMAC-SHA256" or key_id != self._key_id or not {"host", "x-amz-date"} <= set(names):
            return False
        digest = sha256(content).hexdigest()
        signed = "".join(f"{name}:{' '.join(headers.get(name, '').split())}\n" for name in names)
        request = f"{method}\n{path}\n\n{signed}\n{';'.join(names)}\n{digest}"
        text = f"{scheme}\n{headers['x-amz-date']}\n{scope}\n{sha256(request.encode()).hexdigest()}"
        key = f"AWS4{self._secret}".encode()
        for part in (*scope.split("/"), text):
            key = hmac.digest(key, part.encode(), "sha256")
        return hmac.compare_digest(key.hex(), fields.get("Signature", ""))
