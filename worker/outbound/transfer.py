"""A request to send and the answer to it, as plain values: what the engine takes in and gives out."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from worker.outbound.errors import Fault
from worker.outbound.file_transfer import FileStep


@dataclass(frozen=True, slots=True)
class Tls:
    """How we check a server's certificate, and which certificate of ours we show.

    Each is the path of a PEM file, or such a text itself (`PEM_BEGINNING`, pem_files.py).
    """

    verify: bool = True
    ca: str | None = None
    """The authorities to trust; None: the public ones."""
    cert: str | None = field(default=None, repr=False)
    """Our certificate; None: we show none."""
    key: str | None = field(default=None, repr=False)
    """The key of `cert`; None: it is in the same file."""


@dataclass(frozen=True, slots=True)
class SigV4:
    """How a request to a bucket is signed (AWS Signature Version 4); libcurl does it when the request leaves.

    Its path must be percent-encoded in capitals and have no dot segments, or what is signed is not what is sent.
    """

    key_id: str
    secret: str = field(repr=False)
    region: str = "us-east-1"
    service: str = "s3"


DEFAULT_TLS = Tls()
"""The server must show a certificate of a public authority; we show none."""


class Phases(NamedTuple):
    """How long the parts of a transfer took, in microseconds; 0 for what a kept connection saved.

    `name`: until the address of the host was known. `connect`, `tls`: until the connection stood, and was secure (SSH
    too). `first_byte`: from then on, until the first byte of the answer; 0: none came.
    """

    name: int
    connect: int
    tls: int
    first_byte: int


@dataclass(slots=True)
class Answer:
    """What came of a transfer. Without a `fault`, `status` is the receiver's answer."""

    status: int
    """The status code; 0 when no status line came. Beside a fault it may be there, and then it does not count."""
    headers: Mapping[str, str]
    """Names in lower case, repeated fields joined by ", "; empty unless the transfer asked to keep them."""
    body: bytes
    """The beginning of the body: at most as much as the transfer keeps."""
    fault: Fault | None
    message: str
    """What went wrong, on one line, for people; empty without a fault."""
    seconds: float
    """From the start of the transfer to its end."""
    started: bool
    """Whether the request may have reached the receiver."""
    retry_after: int = 0
    """Seconds that the receiver asked us to wait (RFC 9110, section 10.2.3; a date is counted from now); 0: none."""
    truncated: bool = False
    """Whether the body was longer than what the transfer keeps."""
    remote: str = ""
    """What a destination has to remember of the article (worker/destinations/interface.py); empty: nothing new."""
    phases: Phases | None = None
    """Of the last request, where several were made; None: nothing was sent, or nobody has measured it."""
    sent: Sequence[str] = field(default=(), repr=False)
    """The header lines of that request, secrets and all; those that libcurl adds by itself are not among them."""


def unsent(fault: Fault, message: str) -> Answer:
    """Return the answer to a transfer of which nothing was sent."""
    return Answer(0, {}, b"", fault, message, 0.0, started=False)


@dataclass(slots=True)
class Transfer:
    """One request. The engine calls `on_answer` once for each, in its own thread: it must be quick."""

    url: str
    """Sent verbatim. ASCII."""
    body: bytes
    headers: list[str]
    """Lines `Name: value`, without line ends."""
    timeout: float
    """Seconds for the whole transfer from its start: connection, request and answer."""
    deadline: float
    """On time.monotonic(). A transfer whose timeout would outlast it is not started."""
    on_answer: Callable[[Answer], None]
    method: str = "POST"
    keep_bytes: int = 2048
    """How many bytes of the answer's body to keep."""
    keep_headers: bool = False
    """Whether to keep the answer's headers. Each costs a call."""
    timed: bool = True
    """Whether to measure its phases, which costs a twentieth of a push."""
    tls: Tls = field(default=DEFAULT_TLS)
    once: bool = False
    """Whether it must not be sent twice. libcurl sends a request again, by itself, when a connection that was kept
    breaks before the answer begins; this one gets a connection of its own."""
    sigv4: SigV4 | None = None
    """How it is signed, if its receiver is a bucket."""
    file: FileStep | None = None
    """What is done at a server of files; None: it is a request of HTTP."""
    receiver: str = ""
    """Who is called, where that is less than the whole URL; the engine remembers under this name who is slow."""
    question: bool = False
    """It asks something of an address that a stranger gave. Questions have a small share of the places to themselves,
    so that they take none from pushes."""
    urgent: bool = False
    """It goes before all others that wait for the same host or for a place, and is let in even when too many transfers
    to slow receivers wait."""
    article_ids: Collection[str] = ()
    """Articles whose text is in the body. The engine does not read this: it is for whoever sets `is_current`."""
    lookup_seconds: float = 0.0
    """How long it waited for its host's address; the engine sets this."""
    is_current: Callable[[], bool] | None = None
    """Says whether the request may still be sent. Called in the engine's thread when the transfer gets its place, and
    again when its connection stands and the request is about to leave. On False it is not sent (Fault.OUTDATED)."""
