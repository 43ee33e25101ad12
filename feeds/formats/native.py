"""The native article format: the event as a newsroom would send it, so that one Dateline can feed another.

    {"id": message id, "type": change, "time": the article's last change, "article": {...}}

and `"literal": true` where a headline or another line has characters that would be taken for markup otherwise.

`article.published` and `article.corrected` bring the whole article. Every key is always there, with null, "" or [] for
what the article does not have, so that a partner's program meets one shape only and can tell "none" from "forgotten";
but for `ai_assisted`, which is there where it is true.

`article.killed` and `article.withdrawn` bring a notice: the keys that identify the article and its `pubstatus`, nothing
of its text. A kill is an order to take the article down for good: `canceled`. A withdrawal means that this receiver may
no longer publish the article (it left the feed, expired, or is held again), and that it may come back: `withheld`.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from pydantic_core import to_json

from feeds.article import ORDERING, Article
from feeds.formats.change_statuses import pubstatus
from feeds.formats.interface import ArticleFormat, Outline, Provider
from feeds.text import plain


def render(change: str, article: Article, message_id: str, provider: Provider) -> bytes:
    """Return the body of one push. Raises ValueError for an unknown change."""
    del provider
    return b'{"id":%b,%b' % (to_json(message_id), _after_id(change, article))


@lru_cache(maxsize=4)
def _after_id(change: str, article: Article) -> bytes:
    """The document after its id. It is rendered twice in a row: a message id is made of the document without it."""
    fields = _fields(change, article)
    event: dict[str, Any] = {"type": change, "time": fields["updated"]}
    if _literal(article):
        event["literal"] = True
    event["article"] = fields
    return to_json(event)[1:]


def recognizes(outline: Outline) -> bool:
    """Whether a document is an event with an article."""
    return outline.names >= {"type", "article"}


def _literal(article: Article) -> bool:
    """Whether a line of the article has characters that would be taken for markup."""
    lines = [article.headline, article.summary, article.section, article.dateline, article.source, article.rights]
    for image in article.images:
        lines += [image.caption, image.credit]
    lines += [*article.subjects, *article.authors]
    text = "".join(lines)
    if text.isprintable() and "<" not in text and "&" not in text:
        return False  # as nearly always: nothing that markup begins with
    for line in lines:
        try:
            plain(line)
        except ValueError:
            return True
    return False


def _fields(change: str, article: Article) -> dict[str, Any]:
    status = pubstatus(change, article)
    if status != "usable":
        return article.notice() | {"pubstatus": status}
    # Only where it is so: releases that do not know the field refuse an article with it.
    absent = set() if article.ai_assisted else {"ai_assisted"}
    return article.model_dump(mode="json", exclude={*ORDERING, *absent})


FORMAT = ArticleFormat(name="json", media_type="application/json", render=render, recognizes=recognizes)
