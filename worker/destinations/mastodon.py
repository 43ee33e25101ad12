"""Mastodon: a status about an article, with its link; corrected in place, and deleted by a kill.

A status is posted under an Idempotency-Key made of the article, and a server posts nothing twice under one key within
an hour. After that, and wherever an earlier try may have arrived, what our application has posted is searched for the
link before anything is posted; what people post themselves about the article is theirs. A correction that changes
nothing of the text changes nothing there.

Mastodon has no conditional writes: an edit that was held up on its way may take effect after the next one. So what was
written where there is doubt is read back, and written again if it is not what it should be.

A status that somebody has removed there stays removed: a new one would tell all followers again what a person has taken
back. A correction of it is refused, and a replay, which a person orders, posts it anew.

Source: Mastodon's API documentation, "statuses", "accounts", "instance", "Rate limits".
"""

from __future__ import annotations

import html
import json
import time
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlencode

from feeds.posts import length, post_text
from worker.destinations.http import tls_of
from worker.destinations.json_api import ended, object_in, refusal, remembered
from worker.destinations.steps import Ended, Step, begin
from worker.outbound.transfer import DEFAULT_TLS, Answer, Tls

if TYPE_CHECKING:
    from collections.abc import Generator

    from config.endpoint_settings import EndpointSettings
    from feeds.article import Article
    from worker.destinations.interface import Delivery, Message, OnAnswer
    from worker.destinations.sender import Sender
    from worker.destinations.steps import Steps
    from worker.outbound.engine import Engine
    from worker.outbound.transfer import Transfer

_NOTICES = frozenset({"killed", "withdrawn"})
_KEEP_BYTES = 2_000_000
_PER_PAGE, _PAGES = 40, 5
"""How many of the account's latest statuses are searched."""
_LIMITS_SECONDS = 6 * 3600.0
"""How long a server's limits are believed."""
_REMOVED = "somebody has removed the post there: a replay of the article posts it anew"
_OVERTAKEN = "an earlier edit has come after this one: it is written again"


class _Limits(NamedTuple):
    """How long a status may be, and for how many characters each link counts."""

    most: int = 500
    per_link: int = 23


@dataclass(frozen=True, slots=True)
class _Remote:
    """What the ledger has of an article: the id of its status, and a digest of the text that is there.

    `gone`: it was deleted by us; the id is for the look after a kill. `life`: how many statuses were deleted before.
    """

    id: str = ""
    digest: str = ""
    gone: bool = False
    life: int = 0

    def __str__(self) -> str:
        return json.dumps({name: value for name, value in asdict(self).items() if value}, separators=(",", ":"))


class Account:
    """One account of a Mastodon server. `template`: of the texts (feeds/posts.py)."""

    gzip = False

    def __init__(
        self,
        engine: Engine,
        url: str,
        token: str,
        template: str,
        *,
        visibility: str = "public",
        tls: Tls = DEFAULT_TLS,
    ) -> None:
        self._engine = engine
        self._url = url.rstrip("/")
        self._token = token
        self._template = template
        self._visibility = visibility
        self._tls = tls
        self._account_id = self._application = ""
        self._limits = _Limits()
        self._limits_end = 0.0

    def push(self, message: Message, delivery: Delivery, on_answer: OnAnswer) -> Transfer:
        """Return the first step of a push."""
        article, remote = message.article, remembered(_Remote, delivery.remote)
        assert article is not None
        if message.status in _NOTICES:
            steps = self._remove(article, remote, doubtful=delivery.doubtful)
        else:
            steps = self._write(article, delivery, remote)
        return begin(steps, delivery, self._engine, on_answer, tls=self._tls)

    def look(self, article: Article, delivery: Delivery, on_answer: OnAnswer) -> Transfer:
        """Return the first step of a look whether the status about a killed article is gone."""
        steps = self._look(article, remembered(_Remote, delivery.remote))
        return begin(steps, delivery, self._engine, on_answer, tls=self._tls)

    def _write(self, article: Article, delivery: Delivery, remote: _Remote) -> Steps:
        """Post the status, or edit it."""
        limits = yield from self._read_limits()
        text = post_text(self._template, article, lambda post: length(post, limits.per_link) <= limits.most)
        remote = replace(remote, digest=sha256(text.encode()).hexdigest()[:16])
        status_id = "" if remote.gone else remote.id
        if delivery.doubtful and not status_id:
            status_id = next(iter((yield from self._find(article))), "")
        if status_id:
            unchanged = remote.digest == remembered(_Remote, delivery.remote).digest
            noted = str(replace(remote, id=status_id, gone=False))
            if (yield from self._edited(status_id, text, article, looks=delivery.doubtful or unchanged)):
                if delivery.doubtful and (yield from self._source(status_id)) != text:
                    return ended(503, _OVERTAKEN, noted)
                return ended(200, remote=noted)
            if not delivery.replay_id:
                return ended(422, _REMOVED)
            remote = replace(remote, life=remote.life + 1)
        return (yield from self._post(article, text, delivery, remote))

    def _post(self, article: Article, text: str, delivery: Delivery, remote: _Remote) -> Steps:
        key = sha256(f"{article.id}\0{remote.life}\0{self._template}".encode()).hexdigest()
        # Nobody but ourselves sees a test.
        visibility = "direct" if delivery.test else self._visibility
        answer = yield self._step("POST", "statuses", self._form(text, article) | {"visibility": visibility}, key)
        status_id = object_in(answer).get("id")
        if answer.fault or answer.status != 200 or not isinstance(status_id, str):
            return self._refused(answer)
        remote = replace(remote, id=status_id, gone=False)
        # Under this key there may be an earlier version.
        if delivery.doubtful and not (yield from self._edited(status_id, text, article, looks=True)):
            return ended(422, _REMOVED, str(remote))
        return ended(200, remote=str(remote))

    def _edited(self, status_id: str, text: str, article: Article, *, looks: bool) -> Generator[Step, Answer, bool]:
        """Have a status say a text; False: it is not there. `looks`: whether to look first whether it says it."""
        if looks:
            source = yield from self._source(status_id)
            if source is None or source == text:
                return source is not None
        answer = yield self._step("PUT", f"statuses/{status_id}", self._form(text, article))
        if answer.fault is None and answer.status == 404:
            return False
        if answer.fault or answer.status != 200:
            raise Ended(self._refused(answer))
        return True

    def _source(self, status_id: str) -> Generator[Step, Answer, str | None]:
        """Return the text of a status as it was written; None: it is not there."""
        answer = yield self._step("GET", f"statuses/{status_id}/source")
        if answer.fault is None and answer.status == 404:
            return None
        text = object_in(answer).get("text")
        if answer.fault or answer.status != 200 or not isinstance(text, str):
            raise Ended(self._refused(answer))
        return text

    def _remove(self, article: Article, remote: _Remote, *, doubtful: bool) -> Steps:
        """Delete the status; where more may have arrived than we know of, all that link to the article."""
        status_ids = [remote.id] if remote.id else []
        if doubtful or not remote.id:
            status_ids += yield from self._find(article)
        for status_id in dict.fromkeys(status_ids):
            answer = yield self._step("DELETE", f"statuses/{status_id}")
            if answer.fault or answer.status not in {200, 404}:
                return self._refused(answer)
        life = remote.life if remote.gone else remote.life + 1
        return ended(200, remote=str(_Remote(next(iter(status_ids), ""), gone=True, life=life)))

    def _look(self, article: Article, remote: _Remote) -> Steps:
        if remote.id:
            answer = yield self._step("GET", f"statuses/{remote.id}")
            if answer.fault or answer.status not in {200, 404}:
                return self._refused(answer)
            if answer.status == 200:
                return ended(200, f"status {remote.id} is there")
        else:
            for status_id in (yield from self._find(article)):
                return ended(200, f"status {status_id} is there")
        return ended(404)

    def _find(self, article: Article) -> Generator[Step, Answer, list[str]]:
        """Return the ids of our application's statuses that link to an article, the latest first."""
        if not article.url:
            return []
        if not self._account_id:
            self._application = yield from self._own("apps/verify_credentials", "name")
            self._account_id = yield from self._own("accounts/verify_credentials", "id")
        status_ids: list[str] = []
        query = {"limit": str(_PER_PAGE), "exclude_reblogs": "true"}
        for _ in range(_PAGES):
            answer = yield self._step("GET", f"accounts/{self._account_id}/statuses?{urlencode(query)}")
            statuses = _list_in(answer)
            if answer.fault or answer.status != 200 or statuses is None:
                raise Ended(self._refused(answer))
            status_ids += [
                status["id"]
                for status in statuses
                if _application(status) == self._application and _links_to(status, article.url)
            ]
            if not statuses:
                break
            query["max_id"] = statuses[-1]["id"]
        return status_ids

    def _own(self, path: str, name: str) -> Generator[Step, Answer, str]:
        """Return who we are there."""
        answer = yield self._step("GET", path)
        value = object_in(answer).get(name)
        if answer.fault or answer.status != 200 or not isinstance(value, str):
            raise Ended(self._refused(answer))
        return value

    def _read_limits(self) -> Generator[Step, Answer, _Limits]:
        """Return the limits of the server, which are asked for now and then; of one that does not say, Mastodon's."""
        if time.monotonic() < self._limits_end:
            return self._limits
        answer = yield self._step("GET", "instance", version=2)
        if answer.fault or answer.status >= 500 or answer.status in {401, 403, 429}:
            raise Ended(self._refused(answer))
        configuration = object_in(answer).get("configuration")
        statuses = configuration.get("statuses") if isinstance(configuration, dict) else None
        values = statuses if isinstance(statuses, dict) else {}
        most, per_link = values.get("max_characters"), values.get("characters_reserved_per_url")
        usual = _Limits()
        self._limits = _Limits(
            most if isinstance(most, int) and most > 0 else usual.most,
            per_link if isinstance(per_link, int) and per_link > 0 else usual.per_link,
        )
        self._limits_end = time.monotonic() + _LIMITS_SECONDS
        return self._limits

    def _form(self, text: str, article: Article) -> dict[str, str]:
        return {"status": text, "language": article.edition.partition("-")[0]}

    def _step(
        self, method: str, path: str, fields: dict[str, str] | None = None, key: str = "", *, version: int = 1
    ) -> Step:
        body = json.dumps(fields, ensure_ascii=False).encode() if fields else b""
        headers = (
            "Accept: application/json",
            f"Authorization: Bearer {self._token}",
            *(("Content-Type: application/json",) if fields else ()),
            *((f"Idempotency-Key: {key}",) if key else ()),
        )
        return Step(method, f"{self._url}/api/v{version}/{path}", body, headers, keep_bytes=_KEEP_BYTES)

    def _refused(self, answer: Answer) -> Answer:
        error = object_in(answer).get("error")
        return refusal(answer, error if isinstance(error, str) else "", [self._token])


def _list_in(answer: Answer) -> list[dict[str, Any]] | None:
    """The statuses in an answer; None: it is no list of them."""
    try:
        statuses = json.loads(answer.body)
    except ValueError:
        return None
    if not isinstance(statuses, list) or any(not isinstance(status, dict) for status in statuses):
        return None
    return statuses if all(isinstance(status.get("id"), str) for status in statuses) else None


def _application(status: dict[str, Any]) -> Any:
    application = status.get("application")
    return application.get("name") if isinstance(application, dict) else None


def _links_to(status: dict[str, Any], url: str) -> bool:
    """Whether a status links to an article, with or without parameters for whoever counts readers."""
    content = html.unescape(str(status.get("content", "")))
    return any(f'href="{url}{end}' in content for end in ('"', "&" if "?" in url else "?"))


def destination(settings: EndpointSettings, sender: Sender) -> Account:
    """Return the account that the settings of an endpoint describe."""
    mastodon = settings.mastodon
    assert mastodon is not None
    return Account(
        sender.engine,
        settings.url,
        mastodon.token.get_secret_value(),
        mastodon.template,
        visibility=mastodon.visibility,
        tls=tls_of(settings.tls),
    )
