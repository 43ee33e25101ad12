"""Updates that are separate documents: IPTC ninjs' `evolvedFrom`, Superdesk's rewrites.

A developing story is sent as one document after another. Each has its own id and versions, and names the document that
it updates. To readers and partners they are one article, that of the first document, the original; every update is a
new revision of it. A *line* is the ids from a document back to its original, both included.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from feeds.article import Article, Submission
from feeds.event import ARTICLE_PUBLISHED, ArticleEvent, Killed, KillEvent

Relation = Literal["same", "later", "earlier", "beside"]
"""What a document is to the one whose text is stored: the same, a later one (an update of it), an earlier one (which it
updates), or beside it (both update another). Only versions of the same document can be compared."""


@dataclass(frozen=True, slots=True)
class Sent:
    """The document that an event brought: its id, if it is not the article's; its version; and the relation."""

    id: str | None = None
    version: int | None = None
    relation: Relation = "same"


AS_ITSELF = Sent()
"""Sent under the article's own id; no updates of the article are known."""


def relation(line: Sequence[str], stored_line: Sequence[str]) -> Relation:
    """Return what the document with this line is to the stored document with its line."""
    if line[0] == stored_line[0]:
        return "same"
    if stored_line[0] in line:
        return "later"
    return "earlier" if line[0] in stored_line else "beside"


def as_original(event: ArticleEvent | KillEvent, original: str) -> ArticleEvent | KillEvent:
    """Return an event about an update as one about the original, without its version, which is not the original's."""
    if event.article.id == original:
        return event
    return event.model_copy(update={"article": event.article.model_copy(update={"id": original, "version": None})})


def stored_as_event(stored: Article) -> ArticleEvent | KillEvent:
    """Return an event with the contents of a stored article, so that it can be carried out for another article."""
    if stored.pubstatus == "canceled":
        return KillEvent(id="merge", type="article.killed", time=stored.updated, article=Killed(id=stored.id))
    fields = {name: getattr(stored, name) for name in Submission.model_fields if name in Article.model_fields}
    fields |= {"version": stored.sent_version if stored.sent_as else stored.version, "evolved_from": None}
    return ArticleEvent(
        id="merge",
        type=ARTICLE_PUBLISHED,
        time=stored.revised or stored.updated,
        article=Submission.model_construct(**fields | {"updated": stored.revised or stored.updated}),
    )


def merged(stored: Article, original: str) -> Article:
    """Return what remains of an article that turned out to be an update of another: it leaves every feed."""
    return Article(
        id=stored.id,
        version=stored.version + 1,
        edition=stored.edition,
        headline=stored.headline,
        url=stored.url,
        published=stored.published,
        updated=stored.updated,
        pubstatus="canceled" if stored.pubstatus == "canceled" else "withheld",
        merged_into=original,
    )
