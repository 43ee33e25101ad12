"""Plain text in UTF-8: what an editor reads first, the story in paragraphs, and beneath it what else is known of it.

A paragraph is one line, however long, with an empty line after it; marks of direction stand as they were written. A
correction, a kill, a withdrawal and an embargo that lies ahead say so first. A notice has nothing of the text.
"""

from __future__ import annotations

import re

from feeds.article import Article
from feeds.formats.body import body_tree
from feeds.formats.change_statuses import advisories, pubstatus
from feeds.formats.interface import ArticleFormat, Outline, Provider
from feeds.formats.paragraphs import paragraphs
from feeds.formats.timestamps import rfc3339

IDENTITY = re.compile(rb"^Article: \S+\nVersion: [1-9]\d*$", re.MULTILINE)
"""The lines that every document has."""


def render(change: str, article: Article, message_id: str, provider: Provider) -> bytes:
    """Return the text. Raises ValueError for an unknown change."""
    del message_id, provider  # the id travels as the request's webhook-id, and the text names its source itself
    usable = pubstatus(change, article) == "usable"
    story = story_lines(article) if usable else []
    parts = [*advisories(change, article), *story, "\n".join(identity_lines(article))]
    if usable:
        parts.append("\n".join(_facts(article)))
    return ("\n\n".join(parts) + "\n").encode()


def recognizes(outline: Outline) -> bool:
    """Whether a document that is neither XML nor JSON has the lines of the article's id and version."""
    return not outline.root and not outline.names and IDENTITY.search(outline.document) is not None


def story_lines(article: Article) -> list[str]:
    """Return what the article says, a line for each paragraph: headline, summary, who wrote it where, text, rights."""
    # Without a text `body_tree` is the summary.
    summary = article.summary if article.body_html else ""
    text = paragraphs(body_tree(article))
    return [line for line in (article.headline, summary, byline(article), *text, article.rights, article.url) if line]


def byline(article: Article) -> str:
    """Return who wrote it, where, and who sends it, on one line."""
    return " | ".join(filter(None, (article.dateline, ", ".join(article.authors), article.source)))


def identity_lines(article: Article) -> list[str]:
    """Return what outlives a kill: the id, the version, and the page if there is one."""
    page = [f"Page: {article.url}"] if article.url else []
    return [f"Article: {article.id}", f"Version: {article.version}", *page]


def _facts(article: Article) -> list[str]:
    facts = {
        "Edition": article.edition,
        "Section": article.section,
        "Subjects": "; ".join(article.subjects),
        "Urgency": article.urgency and str(article.urgency),
        "Published": rfc3339(article.published),
        "Updated": rfc3339(article.updated),
        "Embargoed": article.embargoed and rfc3339(article.embargoed),
        "Expires": article.expires and rfc3339(article.expires),
        "AI-assisted": "yes" if article.ai_assisted else "",
    }
    lines = [f"{name}: {value}" for name, value in facts.items() if value]
    for image in article.images:
        words = " ".join(filter(None, (image.url, image.caption, image.credit and f"({image.credit})")))
        lines.append(f"Picture: {words}")
    return lines + [f"Edition {alternate.edition}: {alternate.url}" for alternate in article.alternates]


FORMAT = ArticleFormat(name="text", media_type="text/plain; charset=utf-8", render=render, recognizes=recognizes)
