"""Reading back: after a kill, whether the page on which a partner showed the article still has the text.

Where a destination can see itself what lies there (files, objects, posts), it is asked instead of a page.

When a partner accepts a kill, that is a promise. Whether readers can still read the text is seen on the page. So the
page is requested soon after the kill and then less and less often, until the text is proven gone or five days are over.
What an answer proves is in `page_verdict`.

A check from before the partner answered the kill is not final: something that it received earlier may still appear on
the page. So each answer to a kill brings one more check.
"""

from __future__ import annotations

import time
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

import requests
import structlog
from redis.exceptions import RedisError

from feeds.text import absolute_url
from worker import clock
from worker.destinations.http import HttpDestination
from worker.destinations.interface import Delivery
from worker.outbound.errors import RECEIVER_NOT_AT_FAULT, RequestImpossible, RequestPending
from worker.outbound.requests_adapter import header_lines
from worker.outbound.transfer import DEFAULT_TLS, Answer, Transfer
from worker.receivers.ledger import LedgerEntry
from worker.store.page_checks import PageCheck, PageSighting
from worker.store.redis_errors import report
from worker.takedown.page_verdict import MOST_BYTES, judge, judge_document

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from concurrent.futures import Executor

    from feeds.article import Article
    from worker.destinations.endpoint import Endpoint
    from worker.outbound.engine import Engine
    from worker.outbound.jobs import Job
    from worker.receivers.endpoint_directory import EndpointDirectory
    from worker.store import Store
    from worker.store.alerts import Alerts
    from worker.store.articles import StoredArticle
    from worker.store.attempts import AttemptRecord
    from worker.store.page_checks import Verdict

    Judge = Callable[[Answer], tuple[Verdict, str]]

log = structlog.get_logger()

PAUSES = (5, 30, 2 * 60, 10 * 60, 3600, 6 * 3600, 24 * 3600)
"""Seconds before the first check, and from each check to the next; the last pause is repeated."""
GIVEN_UP_MS = 5 * 24 * 3600 * 1000
"""How long after the kill the last check is."""
_CHECKS_AT_ONCE = 20
"""Pages of a feed that are requested in a second: a kill of many articles floods neither partners nor us."""
_RETRY_MS = 1000
"""After how long a request is tried again that could not be begun."""


class Readback:
    """Checks pages of killed articles. `timeout` in seconds; `executor` judges the answers."""

    def __init__(
        self,
        store: Store,
        engine: Engine,
        executor: Executor,
        directory: EndpointDirectory,
        alerts: Alerts,
        *,
        timeout: float,
        claim_seconds: float,
    ) -> None:
        self._store = store
        self._engine = engine
        self._executor = executor
        self._directory = directory
        self._alerts = alerts
        self._timeout = timeout
        self._claim_seconds = claim_seconds

    def schedule(self, feed: str, killed: StoredArticle) -> None:
        """Schedule checks of a killed article's pages: those of the feed's endpoints whose settings name the page."""
        now, article = clock.ms(clock.agreed()), killed.article
        endpoints = [
            endpoint for endpoint in self._directory.by_name.values() if endpoint.feed == feed and endpoint.proves_kills
        ]
        if not endpoints or now - killed.accepted > GIVEN_UP_MS:
            return
        change = self._store.changes.latest_of(feed, [article.id]).get(article.id)
        if change is not None and change.state == "killed":
            # A request for its page would reveal the article to an endpoint that never had it.
            names = [endpoint.name for endpoint in endpoints if change.was_in_feed or endpoint.early]
            first = PageSighting(article.version, now)
            self._store.page_checks.schedule(feed, names, article.id, first, now + PAUSES[0] * 1000)

    def check_again(self, feed: str, endpoint_name: str, attempts: Sequence[AttemptRecord]) -> None:
        """Schedule one more check of articles whose kill an endpoint has just answered, also of those found gone."""
        endpoint = self._directory.by_name.get(endpoint_name)
        if endpoint is None or not endpoint.proves_kills:
            return
        killed = [
            article_id
            for _, ledger, *_ in attempts
            for article_id, text in ledger.items()
            if _answers_kill(LedgerEntry.parse(text))
        ]
        if killed:
            due = clock.ms(clock.agreed()) + PAUSES[0] * 1000
            self._store.page_checks.bring_forward(feed, endpoint_name, killed, due)

    def check_due(self, feed: str) -> None:
        """Request pages of the feed that are due. Returns when the requests are on their way."""
        now = clock.ms(clock.agreed())
        deadline = now + int(self._claim_seconds * 1000)
        checks = self._store.page_checks.claim_due(feed, now, _CHECKS_AT_ONCE, deadline)
        articles = self._store.articles.get_many({check.article_id for check in checks})
        looks = [self._begin(check, articles.get(check.article_id), now) for check in checks]
        self._engine.submit([look for look in looks if look])

    def _begin(self, check: PageCheck, stored: StoredArticle | None, now: int) -> Transfer | Job | None:
        """The request for a page, or what looks at a destination; None if there is nothing to request now."""
        endpoint = self._directory.by_name.get(check.endpoint)
        if stored is None or not _is_killed(stored.article, check) or (endpoint and not endpoint.proves_kills):
            self._store.page_checks.forget(check)
        elif endpoint is None or endpoint.feed != check.feed:
            # Another worker may have newer settings that name the endpoint. If none has, the check ends in time.
            if now - check.sighting.killed > GIVEN_UP_MS:
                self._store.page_checks.note(check, check.sighting, None)
        else:
            try:
                if not endpoint.check_url:
                    return self._look(endpoint, check, stored)
                return self._request(endpoint, check, stored, page_url(endpoint.check_url, stored.article))
            except RequestPending:
                self._store.page_checks.note(check, check.sighting, now + _RETRY_MS)
            except (RequestImpossible, ValueError) as error:
                self._note(check, "unproven", str(error), endpoint.check_url, now)
        return None

    def _look(self, endpoint: Endpoint, check: PageCheck, stored: StoredArticle) -> Transfer | Job | None:
        """What looks whether anything is left at a destination. Raises RequestPending, RequestImpossible."""
        look = endpoint.destination.look if endpoint.destination else None
        if look is None:
            return None
        ledger = self._store.ledgers.read_one(check.feed, check.endpoint, [check.article_id])
        entry = LedgerEntry.parse(ledger[check.article_id]) if check.article_id in ledger else None
        remote = entry.remote if entry else ""
        # What it answers with is judged as a page is, unless it is what was put there when the text had gone.
        digest = entry.digest if entry and _answers_kill(entry) else ""
        verdict_on: Judge = partial(judge_document, fingerprints=stored.fingerprints, digest=digest)

        def on_answer(answer: Answer) -> None:
            self._executor.submit(self._take_in, check, "", verdict_on, answer)

        request = look(stored.article, Delivery(self._timeout, self._deadline(), remote=remote), on_answer)
        if isinstance(request, Transfer):
            request.question = True
        return request

    def _deadline(self) -> float:
        return time.monotonic() + self._claim_seconds

    def _request(self, endpoint: Endpoint, check: PageCheck, stored: StoredArticle, url: str) -> Transfer:
        """The request for a page. Raises RequestPending, RequestImpossible."""
        # No header tells caches to fetch the page anew: what caches give to readers is what counts.
        request = requests.Request("GET", url, headers={"Accept": "*/*", "Accept-Encoding": "identity"}).prepare()
        # Credentials and client certificates are for the endpoint's own server only.
        there = endpoint.destination
        own = there if isinstance(there, HttpDestination) and _origin(url) == _origin(there.url) else None
        identity = own.identity if own else None
        if identity:
            request = identity(request)
        authorization = request.headers.get("Authorization", "")

        def take_in(answer: Answer) -> None:
            if identity:
                identity.inspect(authorization, answer)
            self._take_in(check, url, partial(judge, fingerprints=stored.fingerprints), answer)

        def on_answer(answer: Answer) -> None:
            self._executor.submit(take_in, answer)

        return Transfer(
            url,
            b"",
            header_lines(request),
            self._timeout,
            self._deadline(),
            on_answer,
            method="GET",
            keep_bytes=MOST_BYTES,
            keep_headers=True,
            receiver=endpoint.check_url,
            question=True,
            tls=own.tls if own else DEFAULT_TLS,
        )

    def _take_in(self, check: PageCheck, url: str, verdict_on: Judge, answer: Answer) -> None:
        """Judge an answer and note the verdict. A request that was not begun is tried again and does not count."""
        try:
            if answer.fault in RECEIVER_NOT_AT_FAULT:
                self._store.page_checks.note(check, check.sighting, clock.ms(clock.agreed()) + _RETRY_MS)
            else:
                begun = clock.ms(clock.agreed()) - round(answer.seconds * 1000)
                self._note(check, *verdict_on(answer), url, begun)
        except RedisError as error:
            report(log, error, "the page is checked again")
        except Exception:
            log.exception("readback_failed", endpoint=check.endpoint, next_step="the page is checked again")

    def _note(self, check: PageCheck, verdict: Verdict, reason: str, url: str, begun: int) -> None:
        """Note the verdict of the check that was `begun` then (ms), count and log it, and alert operators.

        Operators get an alert when the text is seen for the first time after the kill, and one when it has gone.
        """
        now, before = clock.ms(clock.agreed()), check.sighting
        alerted = verdict == "there" or (before.alerted and verdict != "gone")
        sighting = replace(
            before,
            checks=before.checks + 1,
            checked=begun,
            verdict=verdict,
            reason=reason[:200],
            url=url,
            alerted=alerted,
        )
        due: int | None = None
        if verdict != "gone" and now < before.killed + GIVEN_UP_MS:
            pause = PAUSES[min(sighting.checks, len(PAUSES) - 1)] * 1000
            due = min(now + pause, before.killed + GIVEN_UP_MS)
        if not self._store.page_checks.note(check, sighting, due):
            return
        self._store.counters.add("dateline_readbacks", verdict=verdict)
        page = {
            "endpoint": check.endpoint,
            "feed": check.feed,
            "article_id": check.article_id,
            "version": sighting.version,
            "url": url,
        }
        log.info("page_looked_at", **page, verdict=verdict, reason=reason)
        if alerted and not before.alerted:
            self._alerts.raise_alert("article.still_there", **page, reason=reason, next_step="talk to the partner")
        elif before.alerted and not alerted:
            self._alerts.raise_alert("article.gone", **page, reason=reason)
        if due is None and verdict != "gone":
            log.warning("readback_given_up", **page, verdict=verdict, reason=reason)


def page_url(pattern: str, article: Article) -> str:
    """Return the address of an article's page at a partner. Raises ValueError if the article has nothing to fill in."""
    slug = urlsplit(article.url).path.rstrip("/").rpartition("/")[2]
    if "{slug}" in pattern and not slug:
        raise ValueError("the article has no address to take the slug from")
    return absolute_url(pattern.replace("{slug}", slug).replace("{id}", quote(article.id, safe="")))


def _is_killed(article: Article, check: PageCheck) -> bool:
    """Whether the article is still killed, in the version whose page is checked."""
    return (article.pubstatus, article.version) == ("canceled", check.sighting.version)


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or {"http": 80, "https": 443}.get(parts.scheme)


def _answers_kill(entry: LedgerEntry) -> bool:
    return entry.status == "killed" and entry.outcome != "unknown"
