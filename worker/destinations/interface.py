"""What every kind of destination is given to send, and what it must be able to do.

    Endpoint (endpoint.py)       what a partner gets: feed, format, mode, rights, rate ...
      .destination               how that reaches it: an object with the methods of `Destination`, of one kind
         push(message, delivery, on_answer) -> Transfer | Job
         look(article, delivery, on_answer) -> Transfer | Job

A `Transfer` is one request of libcurl's, carried out in the engine's thread with thousands of others. A `Job` is work
that waits in a thread of a small pool, for what libcurl has no word for. A push may take several steps: the `on_answer`
of one makes the next, by `followed_by`, and submits it to `Sender.engine`. Whoever asked sees one push in flight, and
in the end one `Answer`. That is what `worker/receivers/policy.py` judges, in the words of HTTP, whatever the protocol:

    status 200                          it has it
    status 4xx, without a fault         it refuses this: 400, 409, 413, 415, 422, 451 because of the article, others
                                        for any reason
    status 5xx, 408, 425, 429           tried again: 507 for a full disk or a quota
    Fault.DENIED                        it does not let us in, or is not who it should be: nothing was sent, and the
                                        endpoint is paused until a person has mended it
    any other fault                     as the engine has it (worker/outbound/errors.py)

With a status that is no success, `Answer.message` says in a line for people what the destination has answered. No
`Answer` repeats a password or a token. `Answer.remote` is what the destination wants to be given again with the next
message about the article, such as names or ids of what lies there: it stands in the ledger, in Redis and in the record,
so it outlives everything. Empty: it stays as it was.

Whoever writes something that can be overwritten sees to it that nothing older ever lies on top of something newer.
There is one claim at a time for an endpoint, within it one push of an article at a time, and no step begins that would
outlast the claim. But what a worker had sent when it died, or when its connection was cut, may still take effect a
little later: `Delivery.doubtful` says that this may be so, and then a destination looks before it repeats.

A new kind, say `sftp`:

1. `config/`: a class of its settings, made of `DestinationSettings` (config/destination_settings.py), which says what
   its `url` begins with and which of the common settings it uses; and a field of that class, named as the kind, in
   `EndpointSettings`, with the kind in `Kind`. What is secret in it has `repr=False`: then it may be given by
   `NAME_file`, is sealed, and shown as `***`.
2. `worker/destinations/sftp.py`: a class with the methods of `Destination`, and `destination(settings, sender)`, which
   makes it. What is slow to import is imported when it is needed.
3. `worker/destinations/endpoint.py`: a line in `KINDS`.
"""

from __future__ import annotations

import gzip
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    from feeds.article import Article
    from worker.outbound.jobs import Job
    from worker.outbound.transfer import Answer, Transfer
    from worker.pictures.pictures import PictureFile

    OnAnswer = Callable[[Answer], None]
    Look = Callable[[Article, "Delivery", OnAnswer], Transfer | Job]


@dataclass(frozen=True, slots=True)
class Message:
    """One push: its message id, its text, and the payload, which is the text or the text compressed.

    `digest`: the SHA-256 (hex) of the text. `status`: published, corrected, killed or withdrawn; "feed": it is all
    changes of a feed. `article`: what it is about, as much of it as the endpoint may have; of what is killed or
    withdrawn without text, and None of a feed. `addresses`: of a feed, the pages of what has changed or is gone;
    `kills`: whether something that was killed is among it.
    `refused`: why the quality gate keeps it back; empty: it does not.
    `pictures`: files that must lie beside the document before it does, which names them; `lacking`: those that could
    not be had, in a line for people.
    """

    id: str
    text: bytes
    payload: bytes
    digest: str
    status: str
    article: Article | None
    refused: str = ""
    addresses: tuple[str, ...] = ()
    pictures: tuple[PictureFile, ...] = ()
    lacking: str = ""
    kills: bool = False

    @classmethod
    def of(
        cls,
        message_id: str,
        text: bytes,
        status: str = "feed",
        article: Article | None = None,
        *,
        compressed: bool,
        refused: str = "",
        addresses: tuple[str, ...] = (),
        pictures: tuple[PictureFile, ...] = (),
        lacking: str = "",
        kills: bool = False,
    ) -> Message:
        """Return the message with this text."""
        # Without the time of day: the same body is the same bytes, whenever it is sent.
        payload = gzip.compress(text, 6, mtime=0) if compressed else text
        digest = sha256(text).hexdigest()
        return cls(message_id, text, payload, digest, status, article, refused, addresses, pictures, lacking, kills)

    @property
    def size(self) -> int:
        """How many bytes are sent."""
        return len(self.payload)


class Delivery(NamedTuple):
    """One try to bring a message. `timeout` of each step in seconds, `deadline` of all in monotonic seconds.

    `replay_id`: the replay that it belongs to, if any. `remote`: what the destination has last had noted of the
    article (`Answer.remote`). `doubtful`: an earlier try may have arrived, in part or whole, or may still do so.
    `test`: it is a test, and says so where it can.
    """

    timeout: float
    deadline: float
    replay_id: str = ""
    remote: str = ""
    doubtful: bool = False
    test: bool = False


class Destination(Protocol):
    """How messages reach one endpoint. Made once for each endpoint; the distributor's thread and others use it."""

    @property
    def gzip(self) -> bool:
        """Whether the payload of its messages is their text compressed."""

    def push(self, message: Message, delivery: Delivery, on_answer: OnAnswer) -> Transfer | Job:
        """Return the first step of a push. `on_answer` gets the answer once, in the engine's thread or a job's.

        Raises RequestPending and RequestImpossible (worker/outbound/errors.py), and FileNotFoundError when a picture is
        not kept any more.
        """

    @property
    def look(self) -> Look | None:
        """What returns the first step of a look whether anything of a killed article is left there.

        The answer's status: 404 when nothing is, 200 when something is, and `message` says what. Anything else proves
        nothing. It may be the document of a feed, or what has the name of a notice, with its content type and without a
        message: then that is looked through. Raises as `push` does. None: it can't be seen.
        """


def followed_by(first: Transfer, **changes: object) -> Transfer:
    """Return the next step of a push that began with `first`: as urgent, and stopped by the same withdrawals."""
    return replace(first, **changes)  # type: ignore[arg-type]  # its own fields


def message_id(text: bytes, *parts: object) -> str:
    """Return the id of a push of `text`; `parts` distinguish it from a push of the same text after another one.

    Receivers drop what comes twice under one id (Standard Webhooks 1.0), so an id must stand for one body.
    """
    parts = (*parts, sha256(text).hexdigest())
    return "msg_" + sha256("\0".join(map(str, parts)).encode()).hexdigest()[:32]
