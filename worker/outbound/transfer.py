"""A request to be sent and what came of it, as plain values."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

from worker.outbound.errors import Fault


@dataclass(frozen=True, slots=True)
class Tls:
    """How a server is checked, and how we show who we are. Paths are of PEM files."""

    verify: bool = True
    ca: str | None = None
    """Whom to trust; None: the public authorities."""
    cert: str | None = None
    key: str | None = None
    """The key of `cert`; None: it is in the same file."""


CHECKED = Tls()
"""The server must show a certificate of a public authority."""


@dataclass(slots=True)
class Answer:
    """What came of a transfer. Without a `fault`, `status` is what the receiver said."""

    status: int
    """Of the status line; 0 when none came. With a fault it may be there and not count."""
    headers: Mapping[str, str]
    """Names in lower case, repeated ones joined by ", "; empty unless the transfer asked for them."""
    body: bytes
    """Its beginning: at most as much as the transfer keeps."""
    fault: Fault | None
    message: str
    """What went wrong, on one line, for people; empty without a fault."""
    seconds: float
    started: bool
    """The request may have reached the receiver."""
    retry_after: int = 0
    """Seconds that the receiver asked to wait (RFC 9110, section 10.2.3; a date is counted from now), 0: none."""
    cut: bool = False
    """The body was longer than what is kept."""


@dataclass(slots=True)
class Transfer:
    """One request. `done` gets its answer in the engine's thread and must be quick."""

    url: str
    """Sent to the letter. ASCII."""
    body: bytes
    headers: list[str]
    """Lines `Name: value`, without line ends."""
    timeout: float
    """Seconds for all of it from its start: connection, request and answer."""
    deadline: float
    """On time.monotonic(). A transfer whose timeout would outlast it is not started."""
    done: Callable[[Answer], None]
    method: str = "POST"
    keep: int = 2048
    """Bytes of the answer's body that are wanted."""
    with_headers: bool = False
    """The answer's headers are wanted. They cost a call each."""
    tls: Tls = field(default=CHECKED)
    receiver: str = ""
    """Who is called, where that is not the whole of the URL; the time that it takes is remembered under this."""
    question: bool = False
    """Something is asked of whoever a stranger named: it has a small share of the places, and takes none of others."""
    urgent: bool = False
    """It goes before those that wait for the same host or for a place, and is never one too many of the slow."""
    carries: Collection[str] = ()
    """Articles whose text is in the body; for whoever says `still`."""
    still: Callable[[], bool] | None = None
    """Asked in the engine's thread when its turn has come, and again when its connection stands and the request is
    about to be sent: False, and it is not, because it is out of date."""
