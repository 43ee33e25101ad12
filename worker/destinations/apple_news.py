"""Apple News: articles of a channel, created, updated and deleted by the publisher API.

Apple gives each article an id and a revision, and an update must name the last revision. Both are in the ledger, so an
update costs one request. Where an earlier try may have arrived, we read what is there before we write: which article it
is the document says in its `identifier`, and which version in its `campaignData`. So an article is created once, and
nothing older replaces anything newer.

What somebody has changed there is replaced by the next version, what somebody has deleted there is created anew, and
the attempt and the log say so. A kill deletes the article; where two may have been created, the channel is searched for
all of the same identifier.

When Apple queues what we send (`meta.throttling`), the next article waits for as long as Apple estimates; kills do not.

Source: Apple News API, "Create an Article", "Update an Article", "Read Article Information", "Delete an Article",
"Search Articles in a Channel", "Throttling", "Code".
"""

from __future__ import annotations

import json
import re
import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import structlog

from worker.destinations.http import tls_of
from worker.destinations.json_api import remembered
from worker.destinations.steps import Ended, Step, begin
from worker.outbound.errors import Fault, RequestPending
from worker.outbound.hhmac import ApiKey
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

_NOTICES = frozenset({"killed", "withdrawn"})
_ID = re.compile(r"[0-9A-Za-z-]{1,64}")
_TRIES = 4
"""How often is written because of what was there: changed, deleted, a duplicate."""
_KEEP_BYTES = 20_000_000
"""More than the answer about the longest article has: it repeats the document."""
_PER_PAGE = 100
"""How many articles a page of a search has."""
_READ_MOST = 100
"""How many articles are read at the most to know their identifier, which a search need not say; the newest first."""
_BEFORE = timedelta(days=1)
"""Apple has created nothing earlier than so long before its first publication."""
_PATIENCE_SECONDS = 15 * 60.0
"""How long we wait at the most before we see for ourselves whether Apple still queues what it gets."""
_FOR_A_PERSON = frozenset({"ONLY_PREVIEW_ALLOWED", "PUBLISHING_NOT_ALLOWED"})
"""What the channel may not do, whatever is sent; beside a 401 or 403."""
_OPTIMIZED = "Apple's editors have laid this article out by hand, and take no updates: ask them to change it"


@dataclass(frozen=True, slots=True)
class _Remote:
    """What the ledger has of an article: Apple's id and revision, and the identifier in its document.

    `gone`: it was deleted by us; the id is for the look after a kill. `doubted`: it was created while nobody knew of an
    earlier try whether it would still arrive, so there may be two.
    """

    id: str = ""
    revision: str = ""
    identifier: str = ""
    gone: bool = False
    doubted: bool = False

    def __str__(self) -> str:
        return json.dumps({name: value for name, value in asdict(self).items() if value}, separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class _Sighting:
    """An article as Apple has it. `document`: None where the answer does not repeat it."""

    id: str
    revision: str
    state: str = ""
    document: dict[str, Any] | None = None

    @property
    def version(self) -> int:
        """Which version of ours it is; 0: nobody knows."""
        metadata = (self.document or {}).get("metadata")
        campaign = metadata.get("campaignData") if isinstance(metadata, dict) else None
        versions = campaign.get("version") if isinstance(campaign, dict) else None
        text = str(versions[0]) if isinstance(versions, list) and versions else ""
        return int(text) if text.isascii() and text.isdecimal() else 0


class Channel:
    """One channel. `url`: of the API; `sections`: Apple's section for a section of ours."""

    gzip = False

    def __init__(
        self,
        engine: Engine,
        url: str,
        channel: str,
        key: ApiKey,
        *,
        sections: Mapping[str, str] | None = None,
        preview: bool = False,
        tls: Tls = DEFAULT_TLS,
    ) -> None:
        self._engine = engine
        self._url = url.rstrip("/")
        self._articles = f"{self._url}/channels/{channel}/articles"
        self._key = key
        self._sections = sections or {}
        self._preview = preview
        self._tls = tls
        self._queued_until = 0.0

    def push(self, message: Message, delivery: Delivery, on_answer: OnAnswer) -> Transfer:
        """Return the first step of a push."""
        remote = remembered(_Remote, delivery.remote)
        if message.status in _NOTICES:
            steps = self._remove(message, remote, doubtful=delivery.doubtful)
        else:
            if (seconds := self._queued_until - time.monotonic()) > 0:
                raise RequestPending("Apple News queues what it gets, and is given time", seconds)
            steps = self._write(message, delivery, remote)
        return begin(steps, delivery, self._engine, on_answer, tls=self._tls)

    def look(self, article: Article, delivery: Delivery, on_answer: OnAnswer) -> Transfer:
        """Return the first step of a look whether a killed article is gone."""
        steps = self._look(article, remembered(_Remote, delivery.remote))
        return begin(steps, delivery, self._engine, on_answer, tls=self._tls)

    def _write(self, message: Message, delivery: Delivery, remote: _Remote) -> Steps:
        """Create the article, or update it."""
        present: _Sighting | None = None
        if remote.id and not remote.gone:
            present = _Sighting(remote.id, remote.revision)
        if delivery.doubtful:
            present = yield from self._presence(message, present)
        note = ""
        for _ in range(_TRIES):
            answer = yield self._write_step(message, present, delivery)
            if answer.fault is None and answer.status in {200, 201}:
                doubted = remote.doubted or (delivery.doubtful and present is None)
                return self._written(message, answer, note, doubted=doubted)
            if present and _code(answer) == "WRONG_REVISION":
                note = "it was changed at Apple News meanwhile, and is replaced"
                present = yield from self._read(present.id)
            elif present and answer.fault is None and answer.status == 404:
                note = "it was deleted at Apple News meanwhile, and is created anew"
                present = None
            elif _code(answer) == "DUPLICATE_ARTICLE_FOUND":
                present = yield from self._twin(message, answer)
            else:
                return _judged(answer)
            _check(message, present)
        return _answer(503, "somebody else changes it at Apple News at the same time")

    def _presence(self, message: Message, present: _Sighting | None) -> Generator[Step, Answer, _Sighting | None]:
        """Return what Apple has of the article, where nobody knows what has arrived."""
        assert message.article is not None
        if present:
            present = yield from self._read(present.id)
        if present is None:
            sightings = yield from self._search(_identifier(message), message.article, most=1)
            present = sightings[0] if sightings else None
        _check(message, present)
        return present

    def _twin(self, message: Message, answer: Answer) -> Generator[Step, Answer, _Sighting | None]:
        """Return the article that Apple takes for the same, if it is ours."""
        article_id = str(_error(answer).get("value", ""))
        if not _ID.fullmatch(article_id):
            raise Ended(_judged(answer))
        twin = yield from self._read(article_id)
        if twin and not _is_of(twin, _identifier(message)):
            raise Ended(_answer(400, f"the channel has an article of the same title or address: {article_id}"))
        return twin

    def _written(self, message: Message, answer: Answer, note: str, *, doubted: bool) -> Answer:
        """Take in the answer to what was written."""
        document = _json(answer.body)
        sighting = _sighting(document.get("data"))
        if seconds := _queue_seconds(document):
            self._queued_until = time.monotonic() + min(seconds, _PATIENCE_SECONDS)
        if sighting is None:
            raise Ended(Answer(answer.status, {}, b"", Fault.PROTOCOL, "its answer names no article", 0, started=True))
        if note:
            assert message.article is not None
            log.warning("article_restored", article_id=message.article.id, there=sighting.id, reason=note)
        return _answer(200, note, _Remote(sighting.id, sighting.revision, _identifier(message), doubted=doubted))

    def _remove(self, message: Message, remote: _Remote, *, doubtful: bool) -> Steps:
        """Delete the article that we know of, then whatever else of its identifier may be in the channel."""
        assert message.article is not None
        if remote.id:
            yield from self._delete(remote.id)
        gone = _Remote(remote.id, identifier=_identifier(message), gone=True, doubted=remote.doubted or doubtful)
        if not remote.id or gone.doubted:
            for sighting in (yield from self._search(gone.identifier, message.article)):
                yield from self._delete(sighting.id)
        return _answer(200, remote=gone)

    def _look(self, article: Article, remote: _Remote) -> Steps:
        present = (yield from self._read(remote.id)) if remote.id else None
        if present is None and remote.identifier and (remote.doubted or not remote.id):
            # Whatever was held up on its way has another id.
            sightings = yield from self._search(remote.identifier, article, most=1)
            present = sightings[0] if sightings else None
        if present:
            return _answer(200, f"article {present.id} is there: {present.state or 'in an unknown state'}")
        return _answer(404)

    def _delete(self, article_id: str) -> Generator[Step, Answer, None]:
        answer = yield self._step("DELETE", self._address(article_id))
        if answer.fault or answer.status not in {200, 204, 404}:
            raise Ended(_judged(answer))

    def _read(self, article_id: str) -> Generator[Step, Answer, _Sighting | None]:
        """Return an article as Apple has it; None: it is not there."""
        answer = yield self._step("GET", self._address(article_id))
        if answer.fault is None and answer.status == 404:
            return None
        sighting = _sighting(_json(answer.body).get("data"))
        if answer.fault or answer.status != 200 or sighting is None:
            raise Ended(_judged(answer))
        return sighting

    def _search(
        self, identifier: str, article: Article, most: int = _PER_PAGE
    ) -> Generator[Step, Answer, list[_Sighting]]:
        """Return the articles of the channel with an identifier, the newest first, so many at the `most`."""
        earliest = (min(article.published, datetime.now(UTC)) - _BEFORE).strftime("%Y-%m-%dT%H:%M:%SZ")
        url = f"{self._articles}?fromDate={earliest}&pageSize={_PER_PAGE}&sortDir=DESC"
        sightings: list[_Sighting] = []
        reads = 0
        while url:
            answer = yield self._step("GET", url)
            if answer.fault or answer.status != 200:
                raise Ended(_judged(answer))
            page = _json(answer.body)
            for listed in filter(None, map(_sighting, page.get("data") or ())):
                sighting: _Sighting | None = listed
                if listed.document is None and reads < _READ_MOST:
                    reads += 1
                    sighting = yield from self._read(listed.id)
                if sighting and _is_of(sighting, identifier):
                    sightings.append(sighting)
                if len(sightings) == most:
                    return sightings
            links = page.get("links")
            following = str(links.get("next")) if isinstance(links, dict) else ""
            # Nothing that it names is signed by us but pages of this list.
            url = following if reads < _READ_MOST and following.startswith(f"{self._articles}?") else ""
        return sightings

    def _write_step(self, message: Message, present: _Sighting | None, delivery: Delivery) -> Step:
        assert message.article is not None
        metadata: dict[str, Any] = {"isPreview": self._preview or delivery.test}
        if present:
            metadata["revision"] = present.revision
        if section := self._sections.get(message.article.section):
            metadata["links"] = {"sections": [f"{self._url}/sections/{section}"]}
        media_type, body = _multipart(message.text, json.dumps({"data": metadata}).encode())
        if present:
            return self._step("POST", self._address(present.id), media_type, body)
        return self._step("POST", self._articles, media_type, body)._replace(once=True)

    def _step(self, method: str, url: str, media_type: str = "", body: bytes = b"") -> Step:
        headers = ["Accept: application/json", *((f"Content-Type: {media_type}",) if media_type else ())]
        authorization = self._key.authorization(method, url, datetime.now(UTC), media_type, body)
        return Step(method, url, body, (*headers, authorization), keep_bytes=_KEEP_BYTES)

    def _address(self, article_id: str) -> str:
        return f"{self._url}/articles/{article_id}"

    def _note_throttling(self, document: dict[str, Any]) -> None:
        if seconds := _queue_seconds(document):
            self._queued_until = time.monotonic() + min(seconds, _PATIENCE_SECONDS)


def _multipart(article: bytes, metadata: bytes) -> tuple[str, bytes]:
    """Return the media type and the body of a form with both parts (RFC 7578); the same parts give the same bytes."""
    boundary = f"dateline-{sha256(article + metadata).hexdigest()[:40]}"
    parts = (
        ("name=metadata", metadata),
        ("filename=article.json; name=article.json", article),
    )
    lines = [
        part
        for disposition, content in parts
        for part in (
            f"--{boundary}\r\nContent-Type: application/json\r\n".encode(),
            f"Content-Disposition: form-data; {disposition}\r\n\r\n".encode(),
            content,
            b"\r\n",
        )
    ]
    return f"multipart/form-data; boundary={boundary}", b"".join((*lines, f"--{boundary}--\r\n".encode()))


def _identifier(message: Message) -> str:
    return str(json.loads(message.text)["identifier"])


def _is_of(sighting: _Sighting, identifier: str) -> bool:
    return bool(identifier) and (sighting.document or {}).get("identifier") == identifier


def _sighting(data: Any) -> _Sighting | None:
    """Read an article of an answer; None: it is none."""
    if not isinstance(data, dict) or not isinstance(data.get("id"), str):
        return None
    document = data.get("document")
    if isinstance(document, str):
        document = _json(document.encode())
    revision, state = data.get("revision"), data.get("state")
    return _Sighting(
        data["id"], str(revision or ""), str(state or ""), document if isinstance(document, dict) else None
    )


def _json(body: bytes) -> dict[str, Any]:
    """The JSON object in an answer; empty: there is none."""
    try:
        document = json.loads(body)
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}


def _error(answer: Answer) -> dict[str, Any]:
    """The first error that an answer names; empty: it names none."""
    errors = _json(answer.body).get("errors") if answer.fault is None and answer.status >= 400 else None
    return errors[0] if isinstance(errors, list) and errors and isinstance(errors[0], dict) else {}


def _code(answer: Answer) -> str:
    return str(_error(answer).get("code", ""))[:80]


def _check(message: Message, present: _Sighting | None) -> None:
    """End the push if what is there is this very document, or newer."""
    assert message.article is not None
    if present is None:
        return
    if present.document == json.loads(message.text):
        raise Ended(_answer(200, remote=_Remote(present.id, present.revision, _identifier(message))))
    if present.version > message.article.version:
        raise Ended(_answer(409, f"Apple News has version {present.version}, which is newer"))


def _queue_seconds(document: dict[str, Any]) -> float:
    """How long Apple estimates that something waits which is sent now; 0: it queues nothing."""
    for place in (document, document.get("data")):
        meta = place.get("meta") if isinstance(place, dict) else None
        throttling = meta.get("throttling") if isinstance(meta, dict) else None
        if isinstance(throttling, dict) and throttling.get("isThrottled") is True:
            seconds = throttling.get("estimatedDelayInSeconds")
            return float(seconds) if isinstance(seconds, int) and seconds > 0 else 1.0
    return 0.0


def _answer(status: int, message: str = "", remote: _Remote | None = None) -> Answer:
    return Answer(status, {}, b"", None, message, 0.0, started=True, remote=str(remote) if remote else "")


def _judged(answer: Answer) -> Answer:
    """Return an answer that is not what we wanted in the words of all destinations."""
    if answer.fault:
        return answer
    if answer.status == 202:
        return _answer(409, _OPTIMIZED)
    code, path = _code(answer), _error(answer).get("keyPath")
    where = f" ({'.'.join(map(str, path))[:80]})" if isinstance(path, list) and path else ""
    judged = _answer(answer.status, f"answered {answer.status} {code}".rstrip() + where)
    judged.retry_after = answer.retry_after or int(_queue_seconds(_json(answer.body)))
    # Of an article that is not there others have judged: this is the channel.
    if answer.status in {401, 403, 404} or code in _FOR_A_PERSON:
        judged.fault = Fault.DENIED
    elif answer.status < 400:
        judged.fault, judged.message = Fault.PROTOCOL, f"answered {answer.status} with nothing that can be read"
    return judged


def destination(settings: EndpointSettings, sender: Sender) -> Channel:
    """Return the channel that the settings of an endpoint describe."""
    apple_news = settings.apple_news
    assert apple_news is not None
    return Channel(
        sender.engine,
        settings.url,
        apple_news.channel,
        ApiKey(apple_news.key_id.get_secret_value(), apple_news.secret.get_secret_value()),
        sections=apple_news.sections,
        preview=apple_news.preview,
        tls=tls_of(settings.tls),
    )
