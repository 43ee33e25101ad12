"""What an event does to an article: `decide` returns a decision, and the caller carries it out.

The rules of the trade: a kill is mandatory, never stale, and final. Versions never go back. The same revision sent
twice is harmless. An embargoed revision is held until its embargo ends. An update replaces the document that it evolved
from, whatever their versions and times.
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

    duplicate: we have this very revision. stale: we have a newer one. conflict: we have this version with another text;
    the sender must send it under a new version number. killed: the article was killed, and only the event
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
    """Return what `event` does at `now` to the article as it is stored (`current`; None when it is new to us).

    `arrived`: when the event was accepted; None: when it happened. `sent`: the document that the event brought.
    """
    if isinstance(event, KillEvent):
        return _kill(current, event)
    submitted = event.article
    killed = current is not None and current.pubstatus == "canceled"
    if submitted.pubstatus == "canceled" and not killed:
        # Some systems send the state of a killed article instead of a kill.
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
    """The killed article: its identity without its text, in a higher version than any that was sent."""
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
        return _reinstatement_refusal(current, event)
    if sent.relation in {"later", "earlier"}:
        # An update is newer than what it evolved from, whatever the times of the two are.
        return None if sent.relation == "later" else "stale"
    same = _content(current) == _content(submitted)
    version, stored_version = (sent.version, current.sent_version) if sent.id else (submitted.version, current.version)
    if version is None or stored_version is None or sent.relation == "beside":
        if same:
            return "duplicate"
        return "stale" if _older(submitted, time, arrived, current) else None
    if version > stored_version:
        return None
    return "stale" if version < stored_version else "duplicate" if same else "conflict"


def _older(submitted: Submission, time: datetime, arrived: datetime, current: Article) -> bool:
    """Whether a submission without a version was written before the stored revision: events may come in any order.

    Only the sender's times and the time of the event decide, not our `updated`, which is adapted to `published`.
    """
    revised = current.revised
    if revised is None:
        # Stored without `revised`. An `updated` that was adapted to `published` says nothing of the order.
        if current.updated <= current.published:
            return False
        revised = current.updated
    stored_arrival = current.arrived or revised
    if submitted.updated is None:
        # The time that a sender gave for the stored revision may have been in the future when it arrived.
        revised = min(revised, stored_arrival)
    # Many systems write whole seconds: within the same second the order of arrival decides.
    return (submitted.updated or time, arrived) < (revised, stored_arrival)


def _reinstatement_refusal(current: Article, event: ArticleEvent) -> Literal["stale", "killed"] | None:
    """Why an event does not bring a killed article back; None: it does."""
    if event.type != "article.reinstated" or event.article.pubstatus == "canceled":
        return "killed"
    # Receivers have the kill under that version, so the reinstated article needs a higher one.
    version = event.article.version
    return "stale" if version is not None and version <= current.version else None


def _content(article: Article | Submission) -> dict[str, object]:
    """The fields of an article that its sender fills in, without those that the life cycle fills in."""
    return article.model_dump(exclude={"version", "published", "updated", "evolved_from", *ORDERING})


def _complete(current: Article | None, submitted: Submission, time: datetime, arrived: datetime, sent: Sent) -> Article:
    """The next revision of the article: the submission, with the fields that the life cycle fills in."""
    published = submitted.published or (current.published if current else time)
    updated = submitted.updated or (time if current else published)
    if current is not None and sent.id:
        # The article was published when its original was, which is before its updates.
        published, updated = current.published, max(updated, current.updated)
    # Readers may have a notice in place of the article. When the article comes back, it must be newer than the notice.
    if current is not None and (current.pubstatus != "usable" or (current.expires and current.expires <= arrived)):
        updated = max(updated, arrived)
    return Article.model_construct(
        **{name: getattr(submitted, name) for name in type(submitted).model_fields if name != "evolved_from"}
        | {
            "version": submitted.version or (current.version + 1 if current else 1),
            "published": published,
            # To readers a change before the publication is a mistake.
            "updated": max(updated, published),
            "revised": submitted.updated or time,
            "arrived": arrived,
            "sent_as": sent.id,
            "sent_version": sent.version,
        }
    )
