"""Updates that are documents of their own: IPTC ninjs' `evolvedFrom`, Superdesk's rewrites.

A story that develops is sent as one document after another, each with an id and versions of its own, each saying of
which it is an update. To readers and partners they are one article: that of the first document, the original, in which
every update is a new revision. A *line* is the ids from a document back to the original, this one included.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from feeds.article import Article, Submission
from feeds.event import ARTICLE_PUBLISHED, ArticleEvent, Killed, KillEvent

Relation = Literal["same", "later", "earlier", "beside"]
"""What a document is to the one whose text we hold: itself, an update of it, one that it is an update of, or neither:
two updates of one document. Only versions of the same document can be compared."""


@dataclass(frozen=True, slots=True)
class Sent:
    """Under which id an event came, if not the article's; in which version of that document; and the relation."""

    id: str | None = None
    version: int | None = None
    relation: Relation = "same"


AS_ITSELF = Sent()
"""Sent under the article's own id, of which no update is known."""


def relation(line: Sequence[str], held: Sequence[str]) -> Relation:
    """What the document with this line is to the one with the line `held`."""
    if line[0] == held[0]:
        return "same"
    if held[0] in line:
        return "later"
    return "earlier" if line[0] in held else "beside"


def as_original(event: ArticleEvent | KillEvent, original: str) -> ArticleEvent | KillEvent:
    """Return an event of an update as one of the original. The update's versions say nothing of the original's."""
    if event.article.id == original:
        return event
    return event.model_copy(update={"article": event.article.model_copy(update={"id": original, "version": None})})


def held_as_event(held: Article) -> ArticleEvent | KillEvent:
    """Return the event that says what we hold, so that it can be carried out for another article."""
    if held.pubstatus == "canceled":
        return KillEvent(id="merge", type="article.killed", time=held.updated, article=Killed(id=held.id))
    said = {name: getattr(held, name) for name in Submission.model_fields if name in Article.model_fields}
    said |= {"version": held.sent_version if held.sent_as else held.version, "evolved_from": None}
    return ArticleEvent(
        id="merge",
        type=ARTICLE_PUBLISHED,
        time=held.revised or held.updated,
        article=Submission.model_construct(**said | {"updated": held.revised or held.updated}),
    )


def merged(held: Article, original: str) -> Article:
    """Return what is left of an article that turned out to be an update of another: it leaves every feed."""
    return Article(
        id=held.id,
        version=held.version + 1,
        edition=held.edition,
        headline=held.headline,
        url=held.url,
        published=held.published,
        updated=held.updated,
        pubstatus="canceled" if held.pubstatus == "canceled" else "withheld",
        merged_into=original,
    )
