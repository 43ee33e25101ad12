"""HTML: one whole document, for partners that publish or archive pages, and for mails.

The text is the article's own HTML, which was cleaned when the article was accepted (`feeds.safe_html`); whatever
else is written here is escaped. There is no script and no frame; a browser fetches nothing but the pictures and what
the text shows. What programs ask for stands in the head, in the words that pages of news use (Open Graph's article,
hreflang). A notice says in the language of the edition that the article is gone, and asks not to be indexed.
"""

from __future__ import annotations

from html import escape

from lxml import html

from feeds.article import AI_ASSISTED, SOURCE_TYPES, Article
from feeds.direction import direction
from feeds.formats.body import body_tree
from feeds.formats.change_statuses import advisories, pubstatus, standing_note
from feeds.formats.interface import ArticleFormat, Outline, Provider
from feeds.formats.plaintext import byline, identity_lines
from feeds.formats.timestamps import rfc3339

GENERATOR = '<meta name="generator" content="Dateline">'


def render(change: str, article: Article, message_id: str, provider: Provider) -> bytes:
    """Return the document. Raises ValueError for an unknown change."""
    del message_id  # it travels as the request's webhook-id
    notes = notes_html(advisories(change, article))
    if pubstatus(change, article) == "usable":
        return page(article.edition, notes + story_html(article), _head(article, provider)).encode()
    note = standing_note(change, article)
    head = f'<title>{escape(note)}</title><meta name="robots" content="noindex">'
    return page(article.edition, f"<h1>{escape(note)}</h1>{notes}{identity_html(article)}", head).encode()


def recognizes(outline: Outline) -> bool:
    """Whether a document is a page that Dateline has made."""
    return outline.root == "html" and GENERATOR.encode() in outline.document[:1000]


def page(language: str, body: str, head: str = "") -> str:
    """Return a document in a language around HTML that is safe."""
    return (
        f'<!DOCTYPE html>\n<html lang="{escape(language)}" dir="{direction(language)}">'
        f'<head><meta charset="utf-8">{GENERATOR}{head}</head><body>{body}</body></html>\n'
    )


def notes_html(notes: list[str]) -> str:
    """Return what stands first, for editors."""
    return "".join(f"<p><strong>{escape(note)}</strong></p>" for note in notes)


def identity_html(article: Article) -> str:
    """Return what outlives a kill."""
    return f"<p>{'<br>'.join(map(escape, identity_lines(article)))}</p>"


def story_html(article: Article) -> str:
    """Return what the article says: headline, summary, who wrote it where, pictures, text, rights and its page."""
    # Without a text `body_tree` is the summary.
    summary = article.summary if article.body_html else ""
    parts = [f"<h1>{escape(article.headline)}</h1>"]
    parts += [f"<p><em>{escape(line)}</em></p>" for line in (summary, byline(article)) if line]
    for image in article.images:
        caption = escape(" ".join(filter(None, (image.caption, f"({image.credit})" if image.credit else ""))))
        parts.append(
            f'<figure><img src="{escape(image.url)}" alt="" style="max-width:100%">'
            f"<figcaption>{caption}</figcaption></figure>"
        )
    parts.append(html.tostring(body_tree(article), encoding="unicode"))
    if article.rights:
        parts.append(f"<p><small>{escape(article.rights)}</small></p>")
    parts.append(link_html(article.url))
    return "".join(parts)


def link_html(url: str) -> str:
    """Return a paragraph with a link; empty without an address."""
    return f'<p><a href="{escape(url)}">{escape(url)}</a></p>' if url else ""


def _head(article: Article, provider: Provider) -> str:
    named = [
        *(("author", author) for author in article.authors),
        ("description", article.summary),
        ("keywords", ", ".join(article.subjects)),
        ("copyright", article.rights),
        ("dateline.id", article.id),
        ("dateline.version", str(article.version)),
        ("dateline.urgency", str(article.urgency or "")),
        ("dateline.embargoed", article.embargoed and rfc3339(article.embargoed)),
        ("digital-source-type", f"{SOURCE_TYPES}{AI_ASSISTED}" if article.ai_assisted else ""),
    ]
    open_graph = [
        ("og:site_name", provider.name),
        ("article:section", article.section),
        ("article:published_time", rfc3339(article.published)),
        ("article:modified_time", rfc3339(article.updated)),
        ("article:expiration_time", article.expires and rfc3339(article.expires)),
    ]
    parts = [f"<title>{escape(article.headline)}</title>", f'<link rel="canonical" href="{escape(article.url)}">']
    parts += [f'<meta name="{name}" content="{escape(value)}">' for name, value in named if value]
    parts += [f'<meta property="{name}" content="{escape(value)}">' for name, value in open_graph if value]
    for alternate in article.alternates:
        parts.append(f'<link rel="alternate" hreflang="{escape(alternate.edition)}" href="{escape(alternate.url)}">')
    return "".join(parts)


FORMAT = ArticleFormat(name="html", media_type="text/html; charset=utf-8", render=render, recognizes=recognizes)
