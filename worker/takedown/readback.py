"""Reading back: after a kill, whether the page on which a partner showed the article still has the text.

An answer of 2xx to a kill is a promise; that nobody can read the text any more is seen on the page. It is looked at
soon after the kill and then less and less often, until it is proven gone or five days are over. A look that came before
the partner had answered the kill proves nothing for good: what it was sent before may still appear. So the answer has
the page looked at once more.

    404, 410, 451, 204             gone
    2xx without any of the text    gone
    2xx with some of it            still there
    anything else                  unproven, and why: a redirect may lead to the text, an error page may go again
"""

from __future__ import annotations

import time
import zlib
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

import requests
import structlog
from redis.exceptions import RedisError

from feeds import page_text
from feeds.text import absolute_url
from worker import clock
from worker.outbound.errors import RECEIVER_NOT_AT_FAULT
from worker.outbound.oauth2_tokens import TokenFailed, TokenPending
from worker.outbound.requests_adapter import header_lines
from worker.outbound.transfer import DEFAULT_TLS, Answer, Transfer
from worker.receivers import policy
from worker.receivers.ledger import LedgerEntry
from worker.store.page_checks import PageCheck, PageSighting
from worker.store.redis_errors import report
from worker.takedown.page_search import passages

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from concurrent.futures import Executor

    from feeds.article import Article
    from worker.destinations.http import Endpoint
    from worker.outbound.engine import Engine
    from worker.receivers.endpoint_directory import EndpointDirectory
    from worker.store import Store
    from worker.store.alerts import Alerts
    from worker.store.articles import StoredArticle
    from worker.store.attempts import AttemptRecord
    from worker.store.page_checks import Verdict

log = structlog.get_logger()

PAUSES = (5, 30, 2 * 60, 10 * 60, 3600, 6 * 3600, 24 * 3600)
"""Seconds before the first look, and from each one to the next; the last one is for all that follow."""
GIVEN_UP_MS = 5 * 24 * 3600 * 1000
"""How long after the kill the last look is."""
MOST_BYTES = 2_000_000
"""How much of a page is read."""
_AT_ONCE = 20
"""How many pages of a feed are looked at in a second: when many articles are killed, nobody is flooded, nor are we."""
_SOON_MS = 1000
"""How long a look waits that could not be begun."""
_GONE = frozenset({204, 404, 410, 451})


class Readback:
    """Looks at pages of killed articles. `timeout` in seconds; answers are judged on `executor`."""

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

    def expect(self, feed: str, held: StoredArticle) -> None:
        """Have the pages of a killed article looked at, of those endpoints of the feed that name theirs."""
        now, article = clock.ms(clock.agreed()), held.article
        endpoints = [one for one in self._directory.by_name.values() if one.feed == feed and one.check_url]
        if not endpoints or now - held.accepted > GIVEN_UP_MS:
            return
        # Whoever was told nothing of it would learn of it by being asked for its page.
        change = self._store.changes.latest_of(feed, [article.id]).get(article.id)
        if change is not None and change.state == "killed":
            names = [endpoint.name for endpoint in endpoints if change.was_in_feed or endpoint.early]
            self._store.page_checks.schedule(
                feed, names, article.id, PageSighting(article.version, now), now + PAUSES[0] * 1000
            )

    def answered(self, feed: str, name: str, tried: Sequence[AttemptRecord]) -> None:
        """Look again at what an endpoint has just answered to kills, whatever was seen before."""
        endpoint = self._directory.by_name.get(name)
        if endpoint is None or not endpoint.check_url:
            return
        answers = [(article, LedgerEntry.parse(text)) for _, ledger, *_ in tried for article, text in ledger.items()]
        killed = [article for article, entry in answers if entry.status in ("killed", "refused-killed")]
        if killed:
            self._store.page_checks.bring_forward(feed, name, killed, clock.ms(clock.agreed()) + PAUSES[0] * 1000)

    def look(self, feed: str) -> None:
        """Look at pages of the feed that are due. Returns when the requests are on their way."""
        now = clock.ms(clock.agreed())
        pages = self._store.page_checks.claim_due(feed, now, _AT_ONCE, now + int(self._claim_seconds * 1000))
        articles = self._store.articles.get_many({page.article_id for page in pages})
        transfers = [self._begin(page, articles.get(page.article_id), now) for page in pages]
        self._engine.submit([transfer for transfer in transfers if transfer])

    def _begin(self, page: PageCheck, held: StoredArticle | None, now: int) -> Transfer | None:
        """The request for a page; None when there is none to be made now."""
        endpoint = self._directory.by_name.get(page.endpoint)
        killed = held is not None and (held.article.pubstatus, held.article.version) == (
            "canceled",
            page.sighting.version,
        )
        if held is None or not killed or (endpoint and not endpoint.check_url):
            self._store.page_checks.forget(page)
        elif endpoint is None or endpoint.feed != page.feed:
            # Another worker's settings may be newer; if nobody has it, its time runs out.
            if now - page.sighting.since > GIVEN_UP_MS:
                self._store.page_checks.note(page, page.sighting, None)
        else:
            try:
                return self._request(endpoint, page, held, page_url(endpoint.check_url, held.article))
            except TokenPending:
                self._store.page_checks.note(page, page.sighting, now + _SOON_MS)
            except (TokenFailed, ValueError) as error:
                self._note(page, "unproven", str(error), endpoint.check_url, now)
        return None

    def _request(self, endpoint: Endpoint, page: PageCheck, held: StoredArticle, url: str) -> Transfer:
        """The request for a page. Raises TokenPending, TokenFailed."""
        # No word to caches: what they give readers is what counts.
        request = requests.Request("GET", url, headers={"Accept": "*/*", "Accept-Encoding": "identity"}).prepare()
        # Nobody else is shown who we are.
        known = _origin(url) == _origin(endpoint.url)
        identity = endpoint.identity if known else None
        if identity:
            request = identity(request)
        authorization = request.headers.get("Authorization", "")

        def looked(answer: Answer) -> None:
            if identity:
                identity.inspect(authorization, answer)
            self._looked(page, url, held.fingerprints, answer)

        def on_answer(answer: Answer) -> None:
            self._executor.submit(looked, answer)

        return Transfer(
            url,
            b"",
            header_lines(request),
            self._timeout,
            time.monotonic() + self._claim_seconds,
            on_answer,
            method="GET",
            keep_bytes=MOST_BYTES,
            keep_headers=True,
            receiver=endpoint.check_url,
            question=True,
            tls=endpoint.tls if known else DEFAULT_TLS,
        )

    def _looked(self, page: PageCheck, url: str, fingerprints: Collection[str], answer: Answer) -> None:
        try:
            if answer.fault in RECEIVER_NOT_AT_FAULT:
                self._store.page_checks.note(page, page.sighting, clock.ms(clock.agreed()) + _SOON_MS)
            else:
                begun = clock.ms(clock.agreed()) - round(answer.seconds * 1000)
                self._note(page, *judged(answer, fingerprints), url, begun)
        except RedisError as error:
            report(log, error, "the page is looked at again")
        except Exception:
            log.exception("readback_failed", endpoint=page.endpoint, next_step="the page is looked at again")

    def _note(self, page: PageCheck, verdict: Verdict, why: str, url: str, begun: int) -> None:
        """Keep what was seen by the look that was `begun` (ms) then, and tell who wants to know."""
        now, before = clock.ms(clock.agreed()), page.sighting
        alarmed = verdict == "there" or (before.alarmed and verdict != "gone")
        seen = replace(
            before, looks=before.looks + 1, last=begun, verdict=verdict, why=why[:200], url=url, alarmed=alarmed
        )
        due: int | None = None
        if verdict != "gone" and now < before.since + GIVEN_UP_MS:
            pause = PAUSES[min(seen.looks, len(PAUSES) - 1)] * 1000
            due = min(now + pause, before.since + GIVEN_UP_MS)
        if not self._store.page_checks.note(page, seen, due):
            return
        self._store.counters.add("dateline_readbacks", verdict=verdict)
        about = {
            "endpoint": page.endpoint,
            "feed": page.feed,
            "article_id": page.article_id,
            "version": seen.version,
            "url": url,
        }
        log.info("page_looked_at", **about, verdict=verdict, reason=why)
        if alarmed and not before.alarmed:
            self._alerts.tell("article.still_there", **about, reason=why, next_step="talk to the partner")
        elif before.alarmed and not alarmed:
            self._alerts.tell("article.gone", **about, reason=why)
        if due is None and verdict != "gone":
            log.warning("readback_given_up", **about, verdict=verdict, reason=why)


def judged(answer: Answer, fingerprints: Collection[str]) -> tuple[Verdict, str]:
    """Return what a page's answer says of the text with these fingerprints, and why."""
    if answer.fault:
        return "unproven", answer.message
    if answer.status in _GONE or not 200 <= answer.status < 300:
        return "gone" if answer.status in _GONE else "unproven", f"answered {policy.status_phrase(answer.status)}"
    if not fingerprints:
        return "unproven", "the article said too little to be known by"
    try:
        content, whole = _content(answer)
        seen = passages(content, answer.headers.get("content-type", ""), fingerprints)
    except page_text.Unreadable as error:
        return "unproven", f"the page {error}"
    return _weighed(seen, len(fingerprints), whole=whole)


def _weighed(seen: int, sought: int, *, whole: bool) -> tuple[Verdict, str]:
    if seen:
        return "there", f"the page has {seen} of {sought} passages that were looked for"
    if not whole:
        return "unproven", f"the page is longer than the {MOST_BYTES:,} bytes that are read"
    return "gone", "the page has none of the text"


def page_url(pattern: str, article: Article) -> str:
    """Return the address of an article's page at a partner. Raises ValueError if the article has nothing to fill in."""
    slug = urlsplit(article.url).path.rstrip("/").rpartition("/")[2]
    if "{slug}" in pattern and not slug:
        raise ValueError("the article has no address to take the slug from")
    return absolute_url(pattern.replace("{slug}", slug).replace("{id}", quote(article.id, safe="")))


def _content(answer: Answer) -> tuple[bytes, bool]:
    """The page, at most `MOST_BYTES` of it, and whether that is all. Raises Unreadable for one that can't be unpacked.

    No coding is asked for; some servers compress nevertheless (RFC 9110, section 12.5.3, leaves it to them).
    """
    coding = answer.headers.get("content-encoding", "identity").strip().lower()
    if coding in {"", "identity"}:
        return answer.body, not answer.truncated
    if coding not in {"gzip", "x-gzip", "deflate"}:
        raise page_text.Unreadable(f"is compressed by {coding[:30]}")
    unpacker = zlib.decompressobj(zlib.MAX_WBITS | 32)  # which of the two it is, its first bytes say
    try:
        content = unpacker.decompress(answer.body, MOST_BYTES)
    except zlib.error as error:
        raise page_text.Unreadable(f"can't be unpacked: {error}") from None
    return content, unpacker.eof and not unpacker.unused_data


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or {"http": 80, "https": 443}.get(parts.scheme)
