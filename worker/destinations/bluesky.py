"""Bluesky: a post about an article, with a card that links to it; corrected in place, and deleted by a kill.

A post is a record in the account's repository, at a server that speaks the AT protocol. Its key is made of the article
alone, so whoever writes it a second time writes the same record. It is written on the condition that there is none
(`swapRecord: null`), or that it is the one that we have last written, by the CID in the ledger. So nothing older lies
on anything newer, whatever was held up on its way; where the condition fails, we read what is there.

What somebody has changed there is replaced by the next version. A post that somebody has removed stays removed: a
correction of it is refused, and a replay, which a person orders, posts it anew.

We are let in by a session: two tokens, kept in memory alone. The one that requests carry is replaced by the other when
it ends. A test writes a record that no application shows, and deletes it.

Source: the AT protocol's lexicons com.atproto.server.createSession and refreshSession, com.atproto.repo.putRecord,
getRecord and deleteRecord, app.bsky.feed.post and app.bsky.embed.external; "Record Key" and "TID" of its specification.
"""

from __future__ import annotations

import json
import time
from base64 import urlsafe_b64decode
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import structlog

from feeds.posts import length, links, post_text
from worker.destinations.http import tls_of
from worker.destinations.json_api import ended, object_in, refusal, remembered
from worker.destinations.steps import Ended, Step, begin
from worker.outbound.errors import Fault, RequestPending
from worker.outbound.transfer import DEFAULT_TLS, Answer, Tls

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

    from config.endpoint_settings import EndpointSettings
    from feeds.article import Article
    from worker.destinations.interface import Delivery, Message, OnAnswer
    from worker.destinations.sender import Sender
    from worker.destinations.steps import Steps
    from worker.outbound.engine import Engine
    from worker.outbound.transfer import Transfer

log = structlog.get_logger()

POSTS = "app.bsky.feed.post"
"""The collection of posts."""
TESTS = "invalid.dateline.test"
"""The collection of tests: a name that nobody can own (RFC 6761, section 6.4), so no application shows it."""
TEXT_MOST, TEXT_BYTES_MOST = 300, 3000
"""How long a post may be, in characters and in bytes."""
_DESCRIPTION_MOST = 300
_NOTICES = frozenset({"killed", "withdrawn"})
_TRIES = 3
_KEEP_BYTES = 200_000
_EARLIER_SECONDS = 60.0
"""How much earlier than it ends a token is replaced."""
_DEFAULT_LIFE_SECONDS = 3600.0
_OLD_TOKEN = frozenset({"ExpiredToken", "InvalidToken"})
_TID_DIGITS = "234567abcdefghijklmnopqrstuvwxyz"
_TID_EPOCH = int(datetime(2023, 1, 1, tzinfo=UTC).timestamp()) * 1_000_000
_TID_SPAN = 365 * 86_400 * 1_000_000
_REMOVED = "somebody has removed the post there: a replay of the article posts it anew"
_CHANGED = "it was changed on Bluesky meanwhile, and is replaced"
_SECOND_FACTOR = "it asks for a second factor: give an app password of the account"


@dataclass(frozen=True, slots=True)
class _Remote:
    """What the ledger has of an article: the CID of its post; empty: there is none."""

    cid: str = ""


@dataclass(slots=True)
class _Session:
    """What lets us in: whose repository it is, and the tokens. `ends`: of the access token, on time.monotonic()."""

    did: str
    access: str = field(repr=False)
    refresh: str = field(repr=False)
    ends: float


class Repository:
    """The repository of one account. `url`: of its server; `template`: of the texts (feeds/posts.py)."""

    gzip = False

    def __init__(
        self, engine: Engine, url: str, handle: str, password: str, template: str, *, tls: Tls = DEFAULT_TLS
    ) -> None:
        self._engine = engine
        self._url = url.rstrip("/")
        self._handle = handle
        self._password = password
        self._template = template
        self._tls = tls
        self._session: _Session | None = None
        self._opening_until = 0.0

    def push(self, message: Message, delivery: Delivery, on_answer: OnAnswer) -> Transfer:
        """Return the first step of a push."""
        assert message.article is not None
        collection = TESTS if delivery.test else POSTS
        if message.status in _NOTICES:
            steps = self._remove(message.article, collection)
        else:
            steps = self._write(message.article, delivery, collection)
        return self._begin(steps, delivery, on_answer)

    def look(self, article: Article, delivery: Delivery, on_answer: OnAnswer) -> Transfer:
        """Return the first step of a look whether the post about a killed article is gone."""
        return self._begin(self._look(article), delivery, on_answer)

    def _begin(self, steps: Steps, delivery: Delivery, on_answer: OnAnswer) -> Transfer:
        # Sessions are few: one push opens it, and the others wait for that.
        if self._session is None:
            if time.monotonic() < self._opening_until:
                raise RequestPending("waiting for a session")
            self._opening_until = time.monotonic() + delivery.timeout
        return begin(steps, delivery, self._engine, on_answer, tls=self._tls)

    def _write(self, article: Article, delivery: Delivery, collection: str) -> Steps:
        """Write the post."""
        record, key = self._record(article, collection), record_key(article)
        cid = remembered(_Remote, delivery.remote).cid or None
        note = ""
        for _ in range(_TRIES):
            swap = {"record": record, "swapRecord": cid}
            answer = yield from self._call("com.atproto.repo.putRecord", collection, key, swap)
            written = object_in(answer).get("cid")
            if answer.fault is None and answer.status == 200 and isinstance(written, str):
                if note:
                    log.warning("article_restored", article_id=article.id, there=key, reason=note)
                return ended(200, note, json.dumps({"cid": written}))
            if answer.fault or object_in(answer).get("error") != "InvalidSwap":
                return self._refused(answer)
            present = yield from self._read(collection, key)
            if present is None:
                if cid is not None and not delivery.replay_id:
                    return ended(422, _REMOVED)
                cid = None
            elif present.get("value") == record:
                return ended(200, remote=json.dumps({"cid": present["cid"]}))
            else:
                note = "" if delivery.doubtful or cid is None else _CHANGED
                cid = present["cid"]
        return ended(503, "somebody else changes it on Bluesky at the same time")

    def _remove(self, article: Article, collection: str) -> Steps:
        answer = yield from self._call("com.atproto.repo.deleteRecord", collection, record_key(article), {})
        if answer.fault or answer.status != 200:
            return self._refused(answer)
        # Without a CID: it is written anew should the article come back.
        return ended(200, remote="{}")

    def _look(self, article: Article) -> Steps:
        key = record_key(article)
        if (yield from self._read(POSTS, key)) is None:
            return ended(404)
        return ended(200, f"post {key} is there")

    def _read(self, collection: str, key: str) -> Generator[Step, Answer, dict[str, Any] | None]:
        """Return a record with its CID; None: there is none."""
        answer = yield from self._call("com.atproto.repo.getRecord", collection, key, None)
        document = object_in(answer)
        if answer.fault is None and answer.status in {400, 404} and document.get("error") == "RecordNotFound":
            return None
        if answer.fault or answer.status != 200 or not isinstance(document.get("cid"), str):
            raise Ended(self._refused(answer))
        return document

    def _call(
        self, method: str, collection: str, key: str, fields: Mapping[str, Any] | None
    ) -> Generator[Step, Answer, Answer]:
        """Call a method on one record; without `fields` it is a question. A token that has ended is replaced."""
        for last in (False, True):
            session = yield from self._open()
            place = {"repo": session.did, "collection": collection, "rkey": key}
            if fields is None:
                step = self._step("GET", f"{method}?{urlencode(place)}", session.access)
            else:
                step = self._step("POST", method, session.access, {**place, **fields})
            answer = yield step
            if last or answer.fault or object_in(answer).get("error") not in _OLD_TOKEN:
                break
            session.ends = 0.0
        return answer

    def _open(self) -> Generator[Step, Answer, _Session]:
        """Return a session that has not ended."""
        session = self._session
        if session and time.monotonic() < session.ends:
            return session
        answer: Answer | None = None
        if session:
            answer = yield self._step("POST", "com.atproto.server.refreshSession", session.refresh)
            if answer.fault is None and answer.status in {400, 401}:
                # Of a session that has ended altogether the other token is of no use either.
                answer = None
        if answer is None:
            sign_in = {"identifier": self._handle, "password": self._password}
            answer = yield self._step("POST", "com.atproto.server.createSession", "", sign_in)
        self._opening_until = 0.0
        self._session = _session(answer)
        if self._session is None:
            refused = self._refused(answer)
            if object_in(answer).get("error") == "AuthFactorTokenRequired":
                refused.fault, refused.message = Fault.DENIED, _SECOND_FACTOR
            raise Ended(refused)
        return self._session

    def _record(self, article: Article, collection: str) -> dict[str, Any]:
        """The post as it is written; the same article gives the same."""
        text = post_text(self._template, article, _fits)
        record: dict[str, Any] = {
            "$type": collection,
            "text": text,
            "createdAt": article.published.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z"),
            "langs": [article.edition],
            "embed": {
                "$type": "app.bsky.embed.external",
                "external": {
                    "uri": article.url,
                    "title": article.headline,
                    "description": article.summary[:_DESCRIPTION_MOST],
                },
            },
        }
        if places := links(text, article.url):
            record["facets"] = [
                {
                    "index": {"byteStart": start, "byteEnd": end},
                    "features": [{"$type": "app.bsky.richtext.facet#link", "uri": article.url}],
                }
                for start, end in places
            ]
        return record

    def _step(self, method: str, path: str, token: str, fields: Mapping[str, Any] | None = None) -> Step:
        body = json.dumps(fields, ensure_ascii=False).encode() if fields is not None else b""
        headers = (
            "Accept: application/json",
            *((f"Authorization: Bearer {token}",) if token else ()),
            *(("Content-Type: application/json",) if fields is not None else ()),
        )
        return Step(method, f"{self._url}/xrpc/{path}", body, headers, keep_bytes=_KEEP_BYTES)

    def _refused(self, answer: Answer) -> Answer:
        document = object_in(answer)
        reason = " ".join(str(document[name]) for name in ("error", "message") if document.get(name))
        session = self._session
        tokens = (session.access, session.refresh) if session else ()
        return refusal(answer, reason, (self._password, *tokens))


def record_key(article: Article) -> str:
    """Return the key of an article's post: a TID, as posts must have, made of its id alone.

    A TID is a time in microseconds and ten bits more, in digits that sort. This one is in 2023, nobody knows when.
    """
    digest = int.from_bytes(sha256(article.id.encode()).digest()[:16], "big")
    number = (_TID_EPOCH + digest % _TID_SPAN) << 10 | digest // _TID_SPAN % 1024
    return "".join(_TID_DIGITS[number >> shift & 31] for shift in range(60, -1, -5))


def _fits(text: str) -> bool:
    return length(text) <= TEXT_MOST and len(text.encode()) <= TEXT_BYTES_MOST


def _session(answer: Answer) -> _Session | None:
    """Read the answer that opens or renews a session; None: it is none."""
    document = object_in(answer)
    did, access, refresh = (document.get(name) for name in ("did", "accessJwt", "refreshJwt"))
    if answer.fault or answer.status != 200:
        return None
    if not (isinstance(did, str) and isinstance(access, str) and isinstance(refresh, str)):
        return None
    return _Session(did, access, refresh, time.monotonic() + _life(access) - _EARLIER_SECONDS)


def _life(token: str) -> float:
    """How long a token (RFC 7519) lasts from now on, in seconds, by its own word; it is not for us to verify it."""
    try:
        payload = token.split(".")[1]
        claims = json.loads(urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        return float(claims["exp"]) - time.time()
    except (IndexError, KeyError, TypeError, ValueError):
        return _DEFAULT_LIFE_SECONDS


def destination(settings: EndpointSettings, sender: Sender) -> Repository:
    """Return the repository that the settings of an endpoint describe."""
    bluesky = settings.bluesky
    assert bluesky is not None
    return Repository(
        sender.engine,
        settings.url,
        bluesky.handle.get_secret_value(),
        bluesky.password.get_secret_value(),
        bluesky.template,
        tls=tls_of(settings.tls),
    )
