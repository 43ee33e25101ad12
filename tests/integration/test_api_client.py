"""What the command line says when the newsroom does not answer, or does not do what it is asked."""

from __future__ import annotations

import json
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from command_line import dateline
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from local_server import LocalServer, QuietHandler, http_server
from ports import free_port

PARTNER = {"name": "city", "title": "", "contacts": [], "notes": "", "rights": {}, "created": "2026-03-01T09:00:00Z"}


class Newsroom(LocalServer):
    """A server that answers as it is told, and keeps what it was asked."""

    def __init__(self) -> None:
        self.answers: dict[str, tuple[int, dict[str, str], bytes]] = {}
        self.requests: list[tuple[str, str, dict[str, str]]] = []
        super().__init__(http_server(type("Handler", (_Handler,), {"newsroom": self})))

    def answer(self, method: str, status: int, value: Any, **headers: str) -> None:
        content = value if isinstance(value, bytes) else json.dumps(value).encode()
        self.answers[method] = status, headers, content


class _Handler(QuietHandler):
    """Gives the answer to a method."""

    newsroom: Newsroom

    def _answer(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.newsroom.requests.append((self.command, self.path, dict(self.headers)))
        status, headers, content = self.newsroom.answers[self.command]
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(content))}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_PUT = do_POST = do_DELETE = _answer  # noqa: N815 (names of the library)


@pytest.fixture
def newsroom() -> Iterator[Newsroom]:
    server = Newsroom()
    yield server
    server.close()


def refusal(*words: str, status: int = 1, **variables: str) -> list[str]:
    done = dateline(*words, variables={"DATELINE_KEY": "dl_abc_def", **variables})
    assert (done.returncode, done.stdout) == (status, ""), done.stderr
    return [line.removeprefix("dateline: ") for line in done.stderr.splitlines()]


def problem(status: int, **more: Any) -> dict[str, Any]:
    return {"type": "about:blank", "title": "Problem", "status": status, **more}


def test_a_server_that_is_away() -> None:
    address = f"http://127.0.0.1:{free_port()}"
    assert refusal("articles", DATELINE_API=address) == [f"no answer from {address}: Connection refused"]
    (line,) = refusal("articles", DATELINE_API="https://nobody.invalid")
    assert line.startswith("no answer from https://nobody.invalid: ")


def test_a_server_that_speaks_no_tls(newsroom: Newsroom) -> None:
    (line,) = refusal("articles", DATELINE_API=f"https://127.0.0.1:{newsroom.port}")
    assert "TLS fails" in line


def test_a_certificate_that_nobody_vouches_for(newsroom: Newsroom, tmp_path: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = tmp_path / "pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    pem.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    server = newsroom._server
    server.socket = context.wrap_socket(server.socket, server_side=True)
    address = f"https://localhost:{newsroom.port}"
    (line,) = refusal("key", "list", DATELINE_API=address)
    assert line.startswith(f"no answer from {address}: its certificate is not valid (")
    newsroom.answer("GET", 200, {"items": [], "next": None})
    variables = {"DATELINE_API": address, "DATELINE_KEY": "dl_abc_def", "SSL_CERT_FILE": str(pem)}
    done = dateline("key", "list", variables=variables)
    assert (done.returncode, done.stdout) == (0, "There are no keys; make one with `dateline key create`.\n")


@pytest.mark.parametrize(
    ("status", "value", "headers", "lines", "exit_status"),
    [
        (401, problem(401, detail="This key is not valid."), {}, ["the key in DATELINE_KEY is not valid"], 1),
        (
            403,
            problem(403, detail="key:a lacks the scope keys:read.", scope="keys:read"),
            {},
            ["the scope keys:read"],
            1,
        ),
        (
            403,
            problem(403, detail="key:a is for the feed x only.", scope="keys:read"),
            {},
            ["x only (scope keys:read)"],
            1,
        ),
        (422, problem(422, errors=[{"field": "a", "message": "is bad"}] * 2), {}, ["a: is bad", "a: is bad"], 2),
        (
            429,
            problem(429, detail="This key may make 9 requests a minute."),
            {"Retry-After": "34"},
            ["again in 34 s, at "],
            1,
        ),
        (503, problem(503, detail="Redis does not answer; try again."), {}, ["Redis does not answer; try again"], 1),
        (404, b"<html>nothing", {}, ["does not answer as Dateline does: 404 Not Found; see DATELINE_API"], 1),
        (301, b"", {"Location": "https://x.example/"}, ["301 Moved Permanently, which sends to https://x.example/"], 1),
        (200, b"<html>welcome", {}, ["does not answer as Dateline does; see DATELINE_API"], 1),
    ],
)
def test_answers_that_are_no_success(
    newsroom: Newsroom, status: int, value: Any, headers: dict[str, str], lines: list[str], exit_status: int
) -> None:
    newsroom.answer("GET", status, value, **headers)
    said = refusal("key", "list", status=exit_status, DATELINE_API=newsroom.url)
    assert len(said) == len(lines)
    assert all(part in line for part, line in zip(lines, said, strict=True)), said
    assert "dl_abc" not in "".join(said)
    # Nothing is sent to where a redirection leads.
    assert len(newsroom.requests) == 1


def test_a_change_names_what_was_read_and_says_when_somebody_was_faster(newsroom: Newsroom) -> None:
    newsroom.answer("GET", 200, PARTNER, ETag='"7"')
    newsroom.answer(
        "PUT", 412, problem(412, detail="partner city was changed meanwhile: it has revision 8. Read it again.")
    )
    (line,) = refusal("partner", "change", "city", "--title", "City", DATELINE_API=newsroom.url)
    assert line.startswith("partner city was changed meanwhile")
    assert "somebody was faster" in line
    method, path, headers = newsroom.requests[-1]
    assert (method, path, headers["If-Match"]) == ("PUT", "/api/v1/partners/city", '"7"')
    assert headers["Authorization"] == "Bearer dl_abc_def"


@pytest.mark.parametrize(
    ("words", "variables", "line"),
    [
        ("articles", {"DATELINE_KEY": ""}, "set DATELINE_KEY to an API key (dl_...)"),
        ("articles", {"DATELINE_KEY": "dl a"}, "DATELINE_KEY does not hold an API key"),
        (
            "articles",
            {"DATELINE_KEY": "", "DATELINE_KEY_FILE": "/nowhere"},
            "DATELINE_KEY_FILE: /nowhere can't be read",
        ),
        ("articles", {"DATELINE_KEY_FILE": "/nowhere"}, "set one of DATELINE_KEY and DATELINE_KEY_FILE"),
        ("articles", {"DATELINE_API": "ftp://x"}, "is no address such as https://news.example"),
        ("articles", {"DATELINE_API": "https://a:b@x"}, "has no user and no password"),
        ("articles --config x.toml", {}, "--config and --data are of a newsroom beside its Redis"),
    ],
)
def test_what_is_set_wrongly(words: str, variables: dict[str, str], line: str) -> None:
    (said,) = refusal(*words.split(), status=2, **{"DATELINE_API": "https://127.0.0.1:1", **variables})
    assert line in said
    assert "a:b" not in said
