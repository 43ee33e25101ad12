"""What becomes of an article when an event arrives: `decide` returns a value, the caller carries it out.

The rules of the trade: a kill is mandatory, is never stale and is final; versions never go back; the same revision sent
twice is harmless; an embargoed revision is held until its moment; an update takes the place of what it evolved from,
whatever their versions and times.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from feeds.article import ORDERING, Article, Submission
from feeds.event import ArticleEvent, KillEvent
from feeds.lineage import AS_ITSELF, Sent


@dataclass(frozen=True, slots=True)
class Accept:
    """`article` is the article from now on."""

    article: Article
    change: Literal["published", "corrected", "killed"]


@dataclass(frozen=True, slots=True)
class Hold:
    """`article` is the article from now on, and no reader may see it before `until`."""

    article: Article
    until: datetime


@dataclass(frozen=True, slots=True)
class Ignore:
    """Nothing changes.

    duplicate: we hold this very revision. stale: we hold a newer one. conflict: we hold this version with another text,
    which a new version number mends. killed: the article was killed, and only the event
    `article.reinstated` brings it back, in a higher version.
    """

    reason: Literal["duplicate", "stale", "conflict", "killed"]


Decision = Accept | Hold | Ignore


def decide(
    current: Article | None,
    event: ArticleEvent | KillEvent,
    now: datetime,
    arrived: datetime | None = None,
    sent: Sent = AS_ITSELF,
) -> Decision:
    """Return what `event` does to the article that we hold (`current`, None when we never saw it) at `now`.

    `arrived`: when the event was accepted; None: when it happened. `sent`: of which document it came.
    """
    if isinstance(event, KillEvent):
        return _kill(current, event)
    submitted = event.article
    killed = current is not None and current.pubstatus == "canceled"
    if submitted.pubstatus == "canceled" and not killed:
        # A CMS that sends the state instead of the order means the same.
        edition = current.edition if current else submitted.edition
        return Accept(_canceled(current, submitted.id, submitted.version, edition, event.time), "killed")
    if current is not None and (reason := _refusal(current, event, arrived or event.time, sent)):
        return Ignore(reason)
    article = _complete(current, submitted, event.time, arrived or event.time, sent)
    if article.embargoed is not None and article.embargoed > now:
        return Hold(article, article.embargoed)
    return Accept(article, "published" if current is None or killed else "corrected")


def _kill(current: Article | None, event: KillEvent) -> Decision:
    if current is not None and current.pubstatus == "canceled":
        return Ignore("duplicate")
    edition = current.edition if current else "en"
    return Accept(_canceled(current, event.article.id, event.article.version, edition, event.time), "killed")


def _canceled(current: Article | None, article_id: str, version: int | None, edition: str, time: datetime) -> Article:
    """The article with its identity kept and its text gone; its version is higher than any that was sent."""
    return Article(
        id=article_id,
        version=max(version or 1, current.version + 1 if current else 1),
        edition=edition,
        url=current.url if current else "",
        published=current.published if current else time,
        updated=max(time, current.updated) if current else time,
        pubstatus="canceled",
    )


def _refusal(
    current: Article, event: ArticleEvent, arrived: datetime, sent: Sent
) -> Literal["duplicate", "stale", "conflict", "killed"] | None:
    submitted, time = event.article, event.time
    if current.pubstatus == "canceled":
        return _bar(current, event)
    if sent.relation in {"later", "earlier"}:
        # An update is newer than what it evolved from, whatever either says of times.
        return None if sent.relation == "later" else "stale"
    same = _said(current) == _said(submitted)
    version, held = (sent.version, current.sent_version) if sent.id else (submitted.version, current.version)
    if version is None or held is None or sent.relation == "beside":
        if same:
            return "duplicate"
        return "stale" if _older(submitted, time, arrived, current) else None
    if version > held:
        return None
    return "stale" if version < held else "duplicate" if same else "conflict"


def _older(submitted: Submission, time: datetime, arrived: datetime, current: Article) -> bool:
    """Whether what has no number was written before what we hold: events may be handled in any order.

    Only what a sender says and when an event happened decide; our `updated` is made to suit `published`.
    """
    revised = current.revised
    if revised is None:
        # Kept before both were noted. What was made to suit is no time to order by.
        if current.updated <= current.published:
            return False
        revised = current.updated
    came = current.arrived or revised
    if submitted.updated is None:
        # Of what we hold a time may be said that was still to come when it came.
        revised = min(revised, came)
    # Many systems write whole seconds: within one it counts which came first.
    return (submitted.updated or time, arrived) < (revised, came)


def _bar(current: Article, event: ArticleEvent) -> Literal["stale", "killed"] | None:
    """What keeps an event from bringing an article back that was killed."""
    if event.type != "article.reinstated" or event.article.pubstatus == "canceled":
        return "killed"
    # Receivers hold the kill under that number: what comes after it needs a higher one.
    version = event.article.version
    return "stale" if version is not None and version <= current.version else None


def _said(article: Article | Submission) -> dict[str, object]:
    """What an article says: all but the fields that the life cycle fills in."""
    return article.model_dump(exclude={"version", "published", "updated", "evolved_from", *ORDERING})


def _complete(current: Article | None, submitted: Submission, time: datetime, arrived: datetime, sent: Sent) -> Article:
    published = submitted.published or (current.published if current else time)
    updated = submitted.updated or (time if current else published)
    if current is not None and sent.id:
        # An update was published when it was; the article of which it is one, before.
        published, updated = current.published, max(updated, current.updated)
    # Readers may have a notice in the place of what they could not see: what comes back is newer than that.
    if current is not None and (current.pubstatus != "usable" or (current.expires and current.expires <= arrived)):
        updated = max(updated, arrived)
    return Article.model_construct(
        **{name: getattr(submitted, name) for name in type(submitted).model_fields if name != "evolved_from"}
        | {
            "version": submitted.version or (current.version + 1 if current else 1),
            "published": published,
            # Readers take a change before the publication for a mistake.
            "updated": max(updated, published),
            "revised": submitted.updated or time,
            "arrived": arrived,
            "sent_as": sent.id,
            "sent_version": sent.version,
        }
    )
