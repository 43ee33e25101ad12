"""A partner endpoint that gets one request per changed article, the oldest change first.

Up to `concurrency` articles are in flight at once, never two requests of one article. Each article is read anew before
it is sent, so a correction or a kill that came in meanwhile is what leaves. The cursor moves over what is done from the
oldest change on; what is done beyond a gap is in the ledger, and is not said twice.

An article that is refused is in doubt: is it about the article, or would the endpoint refuse any other? So another one
is sent. If that is refused too, it is the endpoint's trouble, and all wait. If it is taken, the one in doubt is sent
again; refused once more, it is parked, or goes on in dispute: tried by itself, beside the others, in its own time. What
an endpoint has refused before and since when it took another is in the ledger and its health, so a doubt outlives its
claim. `policy` says how long a dispute lasts; that about a kill never ends by itself.
"""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import TYPE_CHECKING

from cachetools import LRUCache

from feeds.formats import ARTICLE_FORMATS
from feeds.rights import Rights, granted
from feeds.validation.checks import check_article
from worker import clock
from worker.destinations.http import Endpoint
from worker.destinations.interface import Message, message_id
from worker.documents.quality_gate import reasons
from worker.outbound.errors import Fault
from worker.outbound.transfer import Answer
from worker.receivers import policy
from worker.receivers.delivery import brief, judged, unfinished
from worker.receivers.endpoint_pushes import EndpointPushes
from worker.receivers.ledger import LedgerEntry
from worker.store.attempts import NO_ANSWERS, PARKED_ALONE, RECALL, Dispute, EndpointStanding
from worker.store.changes import Change
from worker.store.receivers import Failing, Settlement

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime

    from feeds.article import Article
    from feeds.formats.interface import Provider
    from worker.outbound.transfer import Transfer
    from worker.receivers.delivery import Articles
    from worker.store.articles import StoredArticle
    from worker.store.changes import OwedNotices
    from worker.store.receivers import Claim
    from worker.store.replays import Replay

_BODY_BYTES = 32 * 1024 * 1024
"""What is kept of bodies that have been rendered."""
_DOUBTED_FIRST = 2
"""When so many articles were refused in a row, it is the endpoint's trouble; twice as many whenever a yes to another
article has ended a doubt."""
_DOUBTED_MOST = 16
"""So many at the most."""
_Asked = tuple[str, str, bool, Rights, str, str, str, str]
"""What a body was made for."""


@dataclass(slots=True)
class Known:
    """What is known before articles are pushed: the changes, oldest first, and what the endpoint holds of them.

    `reached` is the cursor when all are done, or 0: that of the last change. `owed`: changes by which something left
    that the endpoint holds, wherever they stand. `later`: the first change that the endpoint is not to be told yet, and
    when it is (ms). `replay`: articles to be sent again, whatever the ledger says; `disputed`: articles in dispute that
    are due; `again`: what both are in the feed; `standing`: what the endpoint said last.
    """

    changes: list[Change] = field(default_factory=list)
    owed: list[Change] = field(default_factory=list)
    reached: int = 0
    later: tuple[int, int] | None = None
    replay: Replay | None = None
    disputed: tuple[str, ...] = ()
    again: dict[str, Change] = field(default_factory=dict)
    standing: EndpointStanding = NO_ANSWERS
    ledger: dict[str, str] = field(default_factory=dict)

    def take(self, changes: list[Change], delay: int, until: int = 0) -> None:
        """Take the changes that may be told now: what is new waits for `delay` (ms), what must go does not.

        `until`: the endpoint has asked to be left alone till then (ms); a kill alone does not wait.
        """
        now = clock.ms(clock.agreed())
        if until > now:
            self.changes = [change for change in changes if change.state == "killed"]
            others = [change.seq for change in changes if change.state != "killed"]
            # When all is told it stays a change behind nevertheless: else it would be forgotten what it asked for.
            last = changes[-1].seq if changes else self.reached
            self.later = min([*others, last]), until
            return
        waiting = [change for change in changes if delay and change.state == "in" and change.asof > now - delay]
        self.changes = changes
        if waiting:
            later = {change.seq for change in waiting}
            self.changes = [change for change in changes if change.seq not in later]
            self.later = waiting[0].seq, min(change.asof for change in waiting) + delay

    def article_ids(self) -> Iterator[str]:
        """All articles that may be said something of."""
        yield from (change.article_id for change in (*self.changes, *self.owed))
        if self.replay is not None:
            yield from self.replay.articles
        yield from self.disputed


def rendered(
    feed: str, format_name: str, rights: Rights, status: str, article: Article, fresh: str, provider: Provider
) -> tuple[str, bytes]:
    """Return the document that says `status` of the article, as far as the rights go, after its message id.

    The id is made of the document without it, so it stands for this document alone, whatever else makes another one:
    rights, a format, the newsroom's name, a new release of ours. `fresh` parts what is said a second time, after
    something else, from the first.
    """
    render, what, told = ARTICLE_FORMATS[format_name].render, f"article.{status}", granted(article, rights)
    message = message_id(render(what, told, "", provider), feed, article.id, article.version, fresh)
    return message, render(what, told, message, provider)


class Bodies:
    """Bodies of pushes: an article is rendered once for all endpoints of a feed that are told the same of it.

    `provider`: the newsroom, as formats name it.
    """

    def __init__(self, provider: Provider) -> None:
        self._provider = provider
        self._made: LRUCache[_Asked, Message] = LRUCache(_BODY_BYTES, getsizeof=lambda body: len(body.text) + body.size)

    def body(self, endpoint: Endpoint, status: str, held: StoredArticle, fresh: str) -> Message:
        """Return what is sent to say `status` of the article; `fresh` as for `rendered`."""
        article = held.article
        key = (endpoint.feed, endpoint.format, endpoint.gzip, endpoint.rights, status, article.id, held.rev, fresh)
        body = self._made.get(key)
        if body is None:
            message, said = rendered(
                endpoint.feed, endpoint.format, endpoint.rights, status, article, fresh, self._provider
            )
            findings = [] if status in NOTICES else check_article(endpoint.format, said, ours=True)
            body = Message.of(message, said, compressed=endpoint.gzip, refused="; ".join(reasons(findings)))
            if len(said) + body.size < _BODY_BYTES:
                self._made[key] = body
        return body


@dataclass(slots=True, eq=False)
class _Said:
    """What was sent for one change, and whether that is done with. `fresh` parts its message from others.

    `refused`: when the endpoint refused the very same before, `failed`: or gave no good answer (ms, 0: never). `first`:
    a notice that goes before all that waits; its change has its turn all the same, and is then done already, unless it
    is one of its `twins`, which are done with it.
    """

    change: Change
    fresh: str
    first: bool = False
    replayed: bool = False
    dispute: Dispute | None = None
    refused: int = 0
    failed: int = 0
    twins: list[_Said] = field(default_factory=list)
    body: Message | None = None
    entry: LedgerEntry | None = None
    accepted: int = 0
    done: bool = False


class ArticlePushes(EndpointPushes):
    """The changed articles of a claim. What is to be sent again comes after the changes.

    Notices of what the endpoint holds come first, and they alone are free of the rate: all others are `limit` at the
    most; None: as many as there are.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        claim: Claim,
        known: Known,
        bodies: Bodies,
        timeout: float,
        deadline: float,
        limit: int | None = None,
    ) -> None:
        super().__init__(endpoint, claim, timeout, deadline)
        self._unspent = limit
        self._flying: dict[str, _Said] = {}
        self._first: list[_Said] = []
        self._disputed: set[str] = set()
        self._bodies = bodies
        self._replay = replay = known.replay
        # What is sent again is not sent as a change beside it: one request of an article at a time.
        again = replay.articles if replay is not None else ()
        self._standing = known.standing
        changes = [_Said(change, str(change.seq)) for change in known.changes if change.article_id not in again]
        self._waiting = deque(changes)
        # In the order of their changes, whatever the order in which they are sent.
        self._open = deque(sorted(changes, key=lambda said: said.change.seq))
        # Those that were refused since the endpoint last took something, and what that means if it takes nothing else.
        self._doubted: list[_Said] = []
        self._doubted_most = _DOUBTED_FIRST
        self._otherwise: policy.Retry | policy.Suspend | None = None
        self._took = known.standing.took
        self._settled_disputes: list[str] = []
        self._behind = known.reached - 1
        self._later = known.later
        self._replayed: list[str] = []
        if replay is not None:
            last = known.changes[-1].seq if known.changes else claim.cursor
            for name in again:
                change = known.again.get(name) or Change(0, name, "out", 0, was_in_feed=False)
                fresh = str(change.seq) if replay.same_ids else replay.id
                self._waiting.append(_Said(replace(change, seq=last), fresh, replayed=True))
        for name in known.disputed:
            if disputed := known.again.get(name):
                dispute = known.standing.disputes[name]
                said = _Said(replace(disputed, seq=claim.cursor), str(disputed.seq), dispute=dispute)
                # What must go goes before what is new.
                (self._waiting.append if disputed.state == "in" else self._waiting.appendleft)(said)
            else:
                self._settled_disputes.append(name)
        self._reached = known.reached
        self._ledger = {article_id: LedgerEntry.parse(text) for article_id, text in known.ledger.items()}
        self._since = int(claim.details.get("since", 0))
        # Endpoints of earlier releases were told of what had been there by a lower cursor.
        self._told_later = "enrolled" in claim.details
        self._ended: Settlement | None = None
        self._cursor = claim.cursor
        self._put_first(known.owed)

    @property
    def settlement(self) -> Settlement:
        """What came of the claim, once nothing is in flight any more."""
        if self._ended is None and self._doubted and self._otherwise is not None:
            # Nothing else was there to tell whose trouble it is.
            self._ended, _ = unfinished(self.claim, self._otherwise, self._cursor, clock.agreed())
        settlement = self._ended or Settlement(self.claim, "done", self._cursor)
        settlement.cursor = self._cursor
        if self._later is not None:
            # What is told beyond it is in the ledger, and not told twice.
            first, due = self._later
            settlement.cursor = min(self._cursor, first - 1)
            if self._ended is None:
                self._postpone(settlement, due, "delayed")
        if self._replay is not None and (self._replay.more or len(self._replayed) < len(self._replay.articles)):
            # Some wait to be sent again: it stays a change behind the head, so that it is found.
            settlement.cursor = min(settlement.cursor, self._behind)
            if self._ended is None:
                # They go when the rate allows it.
                self._postpone(settlement, clock.ms(clock.agreed()) + 1000, "replaying")
        settlement.replayed = self._replayed
        settlement.undisputed = self._settled_disputes
        settlement.unspent = self._unspent or 0
        return settlement

    def wants(self) -> Iterable[str]:
        """Return the articles that may be said something of now."""
        if self._ended is not None:
            return ()
        room = self._endpoint.concurrency - self.in_flight
        first = [said for said in self._first if said.change.article_id not in self._flying]
        return [said.change.article_id for said in (*first[:room], *islice(self._waiting, room))]

    def left(self) -> Iterable[str]:
        """Return the articles of which nothing has been said yet, or is being said."""
        return {said.change.article_id for said in self._waiting} | self._flying.keys()

    def hear(self, latest: Mapping[str, Change], owed: OwedNotices) -> None:
        """Take in what has become of articles in the feed.

        One that has left it is not told as if it were there; what the endpoint holds of it, or will in a moment, goes
        first.
        """
        for said in self._waiting:
            if change := latest.get(said.change.article_id):
                said.change = replace(change, seq=said.change.seq)
        for article_id, text in owed.ledger.items():
            self._ledger.setdefault(article_id, LedgerEntry.parse(text))
        arriving = [
            change
            for article_id, said in self._flying.items()
            if not _notice(said) and (change := latest.get(article_id)) and change.state != "in"
        ]
        self._put_first([*owed.changes, *arriving])

    def next(self, articles: Articles) -> Transfer | None:
        """Return the request for the next article that the endpoint has not had, if it may be sent now."""
        while self._ended is None and self.in_flight < self._endpoint.concurrency:
            if time.monotonic() + self._timeout > self._deadline:
                self._leave_the_rest()
                self._first.clear()
                break
            said = self._take(articles)
            if said is None:
                break
            article_id = said.change.article_id
            if not self._goes(said, articles[article_id]):
                continue
            if self._waits_in_dispute(said):
                self._finish(said)
                continue
            assert said.body is not None
            replayed = self._replay.id if said.replayed and self._replay else ""
            request = self._send(said, said.body, () if _notice(said) else (article_id,), replayed)
            if self.in_flight > len(self._flying):
                self._flying[article_id] = said
                self._spend(said, 1)
            if request:
                request.urgent = said.first
                return request
            break
        self._advance()
        return None

    def _goes(self, said: _Said, held: StoredArticle | None) -> bool:
        """Work out what is to be said of the article as it is, and whether it may be sent now."""
        article_id = said.change.article_id
        if held is None or not self._says(said, held) or (said.first and not _notice(said)):
            self._finish(said)
            if article_id in self._standing.disputes:
                self._settled_disputes.append(article_id)
            return False
        assert said.body is not None
        if said.body.refused:
            if not said.refused or said.replayed:
                self._park(said)
            self._finish(said)
            return False
        if not said.first and self._unspent == 0:
            self._leave_the_rest()
            return False
        return True

    def _take(self, articles: Articles) -> _Said | None:
        """Take out what is to be said next of what was looked at; nothing of which a request is in flight."""
        for place, said in enumerate(self._first):
            if said.change.article_id in articles and said.change.article_id not in self._flying:
                return self._first.pop(place)
        if not self._waiting:
            return None
        said = self._waiting[0]
        if said.change.article_id not in articles or said.change.article_id in self._flying:
            return None
        return self._waiting.popleft()

    def _put_first(self, changes: Iterable[Change]) -> None:
        """Have notices of these changes sent before all else, those of kills before others."""
        there = {said.change.article_id for said in (*self._first, *self._doubted)}
        there |= {article_id for article_id, said in self._flying.items() if _notice(said)}
        # A notice that was refused while it takes others is tried again by itself.
        there |= self._standing.disputes.keys() | self._disputed
        alone = self.claim.failing.until > clock.ms(clock.agreed())
        self._first += [
            _Said(change, str(change.seq), first=True)
            for change in changes
            if change.article_id not in there and (change.state == "killed" or not alone)
        ]
        self._first.sort(key=lambda said: (said.change.state != "killed", said.change.seq))

    def _leave_the_rest(self) -> None:
        """What waits is for the next claim."""
        self._waiting.clear()
        self._reached = 0

    def _spend(self, said: _Said, times: int) -> None:
        if self._unspent is not None and not said.first:
            self._unspent -= times

    def break_off(self, settlement: Settlement) -> None:
        """Send no more articles."""
        self._ended = self._ended or settlement

    def answered(self, key: object, answer: Answer, now: datetime, chance: float) -> str:
        """Take in the answer to one article."""
        assert isinstance(key, _Said)
        assert key.entry is not None
        self.in_flight -= 1
        del self._flying[key.change.article_id]
        if not answer.started:
            # It is charged for what was sent.
            self._spend(key, -1)
        if answer.fault is Fault.OUTDATED and not answer.started:
            # Something was withdrawn while it waited for its turn: what is to be said is worked out anew.
            self._waiting = deque(sorted((key, *self._waiting), key=lambda said: said.change.seq))
            return "given_back"
        self.accepted = key.accepted
        article_id = key.change.article_id
        noted: dict[str, str] = {}
        dispute = told = ""
        suspect = 0 < key.failed <= self._took
        outcome = judged(self.claim, answer, now, chance, endpoint=True, suspect=suspect)
        match outcome:
            case policy.Delivered():
                noted = self._note(article_id, key.entry, key.entry.status, now)
                self._finish(key)
                # One success ends a row of failures.
                at, until = clock.ms(now), self.claim.failing.until
                self.claim = replace(self.claim, failing=Failing(0, at, until) if until > at else Failing())
                self._took = at
                # It takes something: now it is to be seen whether it takes these.
                self._take_up_doubted()
                word = "delivered"
            case policy.Refused(status):
                refused = 400 <= status < 500
                if key.entry.status == "killed" and refused and not key.refused:
                    told = "kill.refused"
                word, dispute = self._refused(key, outcome, now, chance)
                doing = "refused" if refused else "trying"
                # Since when it is refused: a page that is read back after that shows nothing that was sent before.
                first = clock.moment(key.refused) if refused and key.refused else now
                noted = self._note(article_id, key.entry, f"{doing}-{key.entry.status}", first)
            case _:
                ended, word = unfinished(self.claim, outcome, self._cursor, now)
                # Of several that fail together the first one counts.
                self._ended = self._ended or ended
                if answer.started:
                    noted = self._note(article_id, key.entry, f"trying-{key.entry.status}", now)
        assert key.body is not None
        self._tried(key.body, key.entry, article_id, answer, word, noted, dispute=dispute, told=told)
        self._advance()
        return word

    def _waits_in_dispute(self, said: _Said) -> bool:
        """Whether a change is of what is in dispute, and not due: the cursor comes over the last one again."""
        dispute = self._standing.disputes.get(said.change.article_id)
        if dispute is not None and said.failed and not said.replayed:
            said.dispute = dispute
            return dispute.due > clock.ms(clock.agreed())
        return False

    def _refused(self, said: _Said, outcome: policy.Refused, now: datetime, chance: float) -> tuple[str, str]:
        """Find out whose trouble a refusal is; return its word, and what `Tried` is to say of the dispute."""
        assert said.entry is not None
        at, was = clock.ms(now), said.dispute
        if said.first:
            self._join(said)
        notice = said.entry.status in NOTICES
        before = was.last if was else said.refused if 400 <= outcome.status < 500 else max(said.refused, said.failed)
        about_article = bool(before) and (self._took >= before or said.replayed)
        if about_article or was is not None:
            tries, since = (was.tries, was.since) if was else (1, at)
            # One that comes while the endpoint takes nothing else proves nothing.
            tries += about_article
            failing = now - clock.moment(since)
            self._finish(said)
            if about_article and not notice and policy.given_up(outcome.status, tries, failing):
                return "refused", ""
            self._disputed.add(said.change.article_id)
            due = clock.ms(now + policy.wait(failing, chance))
            return "retry", str(Dispute(due, tries, since, at, outcome.status, brief(outcome.reason)))
        if (notice or policy.about_article(outcome.status)) and self._is_alone(now):
            self._finish(said)
            if not notice:
                return "refused", PARKED_ALONE
            # Else nothing but a kill would have the endpoint suspended in the end.
            self._disputed.add(said.change.article_id)
            due = clock.ms(now + policy.wait(policy.ALONE_AFTER, chance))
            return "retry", str(Dispute(due, 1, at, at, outcome.status, brief(outcome.reason)))
        self._doubted.append(said)
        self._otherwise = outcome.otherwise
        if len(self._doubted) >= self._doubted_most:
            ended, _ = unfinished(self.claim, outcome.otherwise, self._cursor, now)
            self._ended = self._ended or ended
        elif len(self._doubted) == self._doubted_most - 1:
            self._try_another()
        return "retry", RECALL if self._standing.parked >= self._took else ""

    def _join(self, said: _Said) -> None:
        """Have a notice that went first stand for the change that it tells of, which is not sent beside it."""
        twins = [one for one in self._waiting if one.change.article_id == said.change.article_id]
        for twin in twins:
            self._waiting.remove(twin)
        said.twins += twins

    def _take_up_doubted(self) -> None:
        """Have those in doubt sent again, now that another article was taken."""
        if self._doubted:
            self._waiting.extendleft(reversed(self._doubted))
            self._doubted.clear()
            # Bad ones come together. What is good must last for all of them.
            self._doubted_most = min(2 * self._doubted_most, _DOUBTED_MOST)

    def _is_alone(self, now: datetime) -> bool:
        """Whether an article has been all there is to be told, for long enough, since the endpoint last took one."""
        since = self.claim.failing.since
        waits = self._first or self._waiting or self._doubted or self.in_flight
        alone = not waits and self._reached > 0
        took = self._standing.took > self._standing.parked
        return alone and took and since > 0 and now - clock.moment(since) >= policy.ALONE_AFTER

    def _try_another(self) -> None:
        """Have next what the endpoint has not refused yet, the newest first: it differs most from what is in doubt."""
        for said in reversed(self._waiting):
            known = self._ledger.get(said.change.article_id)
            if known is None or "-" not in known.status:
                self._waiting.remove(said)
                self._waiting.appendleft(said)
                return

    def _park(self, said: _Said) -> None:
        """Set an article aside that fails the rules of its format: it is not sent."""
        assert said.body is not None
        assert said.entry is not None
        reason = f"kept back by the gate: {said.body.refused}"
        answer = Answer(0, {}, b"", Fault.INVALID, reason, 0.0, started=False)
        noted = self._note(said.change.article_id, said.entry, f"refused-{said.entry.status}", clock.agreed())
        self._tried(said.body, said.entry, said.change.article_id, answer, "parked", noted)

    def _finish(self, said: _Said) -> None:
        for one in (said, *said.twins):
            one.done = True
        if said.replayed:
            self._replayed.append(said.change.article_id)

    def _advance(self) -> None:
        """Move the cursor over all that is done from the oldest change on."""
        while self._open and self._open[0].done:
            self._cursor = max(self._cursor, self._open.popleft().change.seq)
        if not self._open and not self._waiting and self._ended is None:
            self._cursor = max(self._cursor, self._reached)

    def _says(self, said: _Said, held: StoredArticle) -> bool:
        """Work out what is to be said of the article as it is; False when the endpoint has been told."""
        change, article = said.change, held.article
        known = self._ledger.get(change.article_id)
        status = saying(article, change, known, early=self._endpoint.early)
        if known is None and status in NOTICES and not change.was_in_feed:
            # Nobody has seen the article here, and this endpoint was not told of it early.
            return False
        told = known is not None and known.version >= article.version and known.status == status
        if not said.replayed and (told or (known is None and status in NOTICES and change.seq <= self._since)):
            # It has been told; or the endpoint is newer than the notice and never had the article.
            return False
        if not said.replayed and known is None and status in NOTICES and self._never_had(change):
            return False
        said.body = self._bodies.body(self._endpoint, status, held, said.fresh)
        if known is not None and known.version == article.version and status in known.status.split("-")[1:]:
            said.failed = known.sent
            said.refused = known.sent if known.status.startswith("refused-") else 0
        said.accepted = held.accepted
        said.entry = LedgerEntry(article.version, status, 0, said.body.digest)
        return True

    def _never_had(self, change: Change) -> bool:
        """Whether the article left the feed as it was before the endpoint came: no request can have carried it.

        What it is sent of that all the same, a person's replay or its backfill, is told in its turn there.
        """
        return self._told_later and change.previous_seq is not None and change.previous_seq <= self._since

    def _note(self, article_id: str, entry: LedgerEntry, status: str, now: datetime) -> dict[str, str]:
        noted = self._ledger[article_id] = LedgerEntry(entry.version, status, clock.ms(now), entry.digest)
        return {article_id: str(noted)}


NOTICES = frozenset({"killed", "withdrawn"})


def _notice(said: _Said) -> bool:
    """Whether what is said has nothing of the text."""
    return said.entry is not None and said.entry.status in NOTICES


def saying(article: Article, change: Change, known: LedgerEntry | None, *, early: bool) -> str:
    """Return what is to be said of the article as it is: published, corrected, killed or withdrawn.

    `known`: what the endpoint holds. `early`: whether it may have what is embargoed.
    """
    if article.pubstatus == "canceled":
        return "killed"
    now = max(clock.agreed(), clock.moment(change.asof))
    # Whoever may have it early may have it when the embargo has just ended, too.
    told_early = early and change.state in ("in", "early") and (article.waits(now) or article.visible(now))
    if not told_early and (change.state != "in" or not article.visible(now)):
        return "withdrawn"
    if known is None:
        return "published"
    doing, _, status = known.status.rpartition("-")
    if known.version == article.version and _kind(status) == "usable":
        # The very same again: said in the same words as when it was tried, refused or delivered.
        return status
    never_had = status in NOTICES or (doing and status == "published")
    return "published" if never_had else "corrected"


def _kind(status: str) -> str:
    """What a status says of the text: that it may be used, or that it may not."""
    return status if status in NOTICES else "usable"
