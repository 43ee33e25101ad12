"""Azure Blob Storage for tests: a model of ours that checks signatures and conditions, and Azurite if it is there.

The model is written from Azure's REST reference and shares nothing with what it checks. Azurite is Microsoft's own
emulator (npm install --global azurite@3.35.0; .ci/run has it).
"""

from __future__ import annotations

import hashlib
import hmac
import shutil
import socket
import subprocess
import threading
import time
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, quote, unquote
from xml.sax.saxutils import escape

import pytest
import requests
from local_server import LocalServer
from ports import free_port
from waiting import until
from werkzeug.serving import WSGIRequestHandler, make_server
from werkzeug.wrappers import Request, Response

from worker import clock
from worker.outbound.azure_shared_key import SharedKey

ACCOUNT = "devstoreaccount1"
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
"""The account of Azure's emulators, which everybody knows."""
CONTAINER = "portal-news"


class Blob(NamedTuple):
    """What is under a name."""

    content: bytes
    headers: dict[str, str]
    etag: str


class _Handler(WSGIRequestHandler):
    def log_request(self, *_: object) -> None:
        pass

    def make_environ(self) -> Any:
        # Names with an underscore, as metadata have, are left out of WSGI's.
        return super().make_environ() | {"blob.headers": {name.lower(): value for name, value in self.headers.items()}}


class BlobServer(LocalServer):
    """The model; its account may keep versions.

    `behave(request)` may answer in its place; `lose(request)` says whose answer is lost afterwards.
    """

    def __init__(self, *, keeps_versions: bool = False) -> None:
        self.blobs: dict[str, Blob] = {}
        self.earlier: dict[str, dict[str, Blob]] = {}
        """Under each name what an account that keeps versions has kept, by the id of the version."""
        self._keeps_versions = keeps_versions
        self.requests: list[Request] = []
        self.behave: Callable[[Request], Response | None] = lambda _: None
        self.lose: Callable[[Request], bool] = lambda _: False
        self._etags = 0
        self._lock = threading.Lock()
        super().__init__(make_server("127.0.0.1", 0, self._serve, threaded=True, request_handler=_Handler))
        self.url += f"/{ACCOUNT}/{CONTAINER}"

    def names(self) -> list[str]:
        """The names of what is there now, in alphabetical order."""
        return sorted(self.blobs)

    def text(self, key: str) -> bytes:
        """What is under a name."""
        return self.blobs[key].content

    def head(self, key: str) -> dict[str, str]:
        """What is known of a blob, in small letters."""
        return {name.replace("x-ms-blob-", ""): value for name, value in self.blobs[key].headers.items()}

    def until(self, condition: Callable[[], bool], what: str) -> None:
        """Wait until something is so."""
        until(condition, lambda: f"{what}; names: {self.names()}")

    def _serve(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        request = Request(environ)
        request.get_data()
        self.requests.append(request)
        answer = self.behave(request)
        if answer is None:
            with self._lock:
                answer = self._answer(request)
        if self.lose(request):
            environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
            # Werkzeug takes this for a caller that has gone.
            raise ConnectionResetError
        return answer(environ, start_response)  # type: ignore[no-any-return]

    def _answer(self, request: Request) -> Response:
        if request.headers.get("Authorization") != f"SharedKey {ACCOUNT}:{_signature(request)}":
            return _error(403, "AuthenticationFailed")
        if not request.path.startswith(f"/{ACCOUNT}/{CONTAINER}"):
            return _error(404, "ContainerNotFound")
        key = request.path.removeprefix(f"/{ACCOUNT}/{CONTAINER}").removeprefix("/")
        if request.args.get("comp") == "list":
            asked = request.args
            most, of_versions = int(asked["maxresults"]), asked.get("include") == "versions"
            return self._list(asked.get("prefix", ""), asked.get("marker", ""), most, of_versions=of_versions)
        return self._of_blob(request, key)

    def _of_blob(self, request: Request, key: str) -> Response:
        blob = self.blobs.get(key)
        if request.method == "DELETE" and "versionid" in request.args:
            return self._delete_version(request, key)
        if request.method in {"PUT", "DELETE"} and (refused := _condition(request, blob)):
            return refused
        if request.method == "PUT":
            return self._put(request, key)
        if blob is None:
            return _error(404, "BlobNotFound", with_body=request.method != "HEAD")
        if request.method == "DELETE":
            self._keep(key)
            del self.blobs[key]
            return Response(status=202)
        return Response(blob.content, headers={**self.head(key), "ETag": blob.etag})

    def _put(self, request: Request, key: str) -> Response:
        if request.headers.get("x-ms-blob-type") != "BlockBlob":
            return _error(400, "MissingRequiredHeader")
        self._etags += 1
        kept = {
            name: value
            for name, value in request.environ["blob.headers"].items()
            if name.startswith(("x-ms-meta-", "x-ms-blob-content-", "content-type"))
        }
        self._keep(key)
        self.blobs[key] = Blob(request.get_data(), kept, f'"0x{self._etags:X}"')
        return Response(status=201, headers={"ETag": self.blobs[key].etag})

    def _keep(self, key: str) -> None:
        """Keep what is there as an earlier version, before it goes ("Blob versioning")."""
        if self._keeps_versions and key in self.blobs:
            self._etags += 1
            self.earlier.setdefault(key, {})[f"2026-03-01T09:00:00.{self._etags:07}Z"] = self.blobs[key]

    def _delete_version(self, request: Request, key: str) -> Response:
        if "x-ms-delete-snapshots" in request.headers:
            return _error(400, "InvalidHeaderValue")
        if self.earlier.get(key, {}).pop(request.args["versionid"], None) is None:
            return _error(404, "BlobNotFound")
        return Response(status=202)

    def _list(self, prefix: str, marker: str, most: int, *, of_versions: bool) -> Response:
        entries = [(name, "") for name in self.blobs]
        if of_versions:
            entries += [(name, version) for name, versions in self.earlier.items() for version in versions]
        entries = sorted(entry for entry in entries if entry[0].startswith(prefix) and "\n".join(entry) >= marker)
        blobs = "".join(self._listed(name, version, of_versions=of_versions) for name, version in entries[:most])
        following = escape("\n".join(entries[most])) if len(entries) > most else ""
        text = (
            '<?xml version="1.0" encoding="utf-8"?><EnumerationResults>'
            f"<Blobs>{blobs}</Blobs><NextMarker>{following}</NextMarker></EnumerationResults>"
        )
        return Response(text, mimetype="application/xml")

    def _listed(self, name: str, version: str, *, of_versions: bool) -> str:
        """An entry of a list. What is current says so, and has the id of a version as well ("List Blobs")."""
        current = "<VersionId>2026-03-01T09:00:01.0000000Z</VersionId><IsCurrentVersion>true</IsCurrentVersion>"
        about = f"<VersionId>{version}</VersionId>" if version else current
        shown = about if of_versions and self._keeps_versions else ""
        return f"<Blob><Name>{escape(name)}</Name>{shown}<Properties/></Blob>"


def _error(status: int, code: str, *, with_body: bool = True) -> Response:
    text = f'<?xml version="1.0"?><Error><Code>{code}</Code><Message>It is so.</Message></Error>' if with_body else ""
    return Response(text, status, {"x-ms-error-code": code}, mimetype="application/xml")


def _condition(request: Request, blob: Blob | None) -> Response | None:
    if request.headers.get("If-None-Match") == "*" and blob is not None:
        return _error(409, "BlobAlreadyExists")
    expected = request.headers.get("If-Match")
    if expected and (blob is None or blob.etag != expected):
        return (
            _error(404, "BlobNotFound")
            if blob is None and request.method == "DELETE"
            else _error(412, "ConditionNotMet")
        )
    return None


def _signature(request: Request) -> str:
    """Sign what came in, as the reference says ("Constructing the signature string", for the Blob service)."""
    given = request.headers
    length = given.get("Content-Length", "")
    lines = [request.method, given.get("Content-Encoding", ""), given.get("Content-Language", "")]
    lines += ["" if length == "0" else length, given.get("Content-MD5", ""), given.get("Content-Type", "")]
    lines += [given.get("Date", ""), given.get("If-Modified-Since", ""), given.get("If-Match", "")]
    lines += [given.get("If-None-Match", ""), given.get("If-Unmodified-Since", ""), given.get("Range", "")]
    ours = sorted(request.environ["blob.headers"].items())
    lines += [f"{name}:{value}" for name, value in ours if name.startswith("x-ms-")]
    target = request.environ["RAW_URI"]
    path, _, query = target.partition("?")
    lines.append(f"/{ACCOUNT}{path}")
    pairs = sorted((name.lower(), value) for name, value in parse_qsl(query, keep_blank_values=True))
    lines += [f"{name}:{value}" for name, value in pairs]
    signed = hmac.new(b64decode(KEY), "\n".join(lines).encode(), hashlib.sha256)
    return b64encode(signed.digest()).decode()


class Azurite:
    """Microsoft's emulator, with one container. Skips the test where it is not installed."""

    def __init__(self, folder: Path) -> None:
        command = shutil.which("azurite-blob")
        if command is None:
            pytest.skip("there is no Azurite (npm install --global azurite@3.35.0)")
        port = free_port()
        words = ["--blobHost", "127.0.0.1", "--blobPort", str(port), "--inMemoryPersistence", "--silent"]
        words += ["--skipApiVersionCheck", "--disableTelemetry"]
        self._process = subprocess.Popen(
            [command, *words], cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        self.url = f"http://127.0.0.1:{port}/{ACCOUNT}/{CONTAINER}"
        deadline = time.monotonic() + 60
        while not self._is_there():
            assert time.monotonic() < deadline, "Azurite does not begin"
            assert self._process.poll() is None, "Azurite has ended"
            time.sleep(0.1)
        self._ask("PUT", "", restype="container").raise_for_status()

    def _is_there(self) -> bool:
        try:
            self._ask("GET", "", restype="container")
        except requests.ConnectionError:
            return False
        return True

    def names(self) -> list[str]:
        """The names of what is there now, in alphabetical order."""
        text = self._ask("GET", "", restype="container", comp="list").text
        return sorted(unquote(part.partition("</Name>")[0]) for part in text.split("<Name>")[1:])

    def text(self, key: str) -> bytes:
        """What is under a name."""
        return self._ask("GET", f"/{key}").content

    def head(self, key: str) -> dict[str, str]:
        """What is known of a blob, in small letters."""
        return {name.lower(): value for name, value in self._ask("HEAD", f"/{key}").headers.items()}

    def close(self) -> None:
        self._process.terminate()
        self._process.wait(60)

    def _ask(self, method: str, path: str, **query: str) -> requests.Response:
        url = f"{self.url}{quote(path)}"
        lines = [f"x-ms-date: {clock.agreed():%a, %d %b %Y %H:%M:%S} GMT", "x-ms-version: 2021-12-02"]
        headers = dict(line.split(": ", 1) for line in lines)
        headers["Authorization"] = SharedKey(ACCOUNT, KEY).authorization(method, url, query, lines, 0)
        return requests.request(method, url, params=query, headers=headers, timeout=60)
