"""An article as a mail, and what has changed in a feed as one mail: text and HTML beside each other (RFC 2046, 5.1.4).

A correction, a kill and a withdrawal say so first, in subject and text, in the words of the wires. A mail about an
article that was sent before refers to that mail (RFC 5322, section 3.6.4), so mail programs show them together. A
notice has nothing of the text. Everything is a function of what it is given: the same mail is the same bytes.
"""

from __future__ import annotations

import html
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.headerregistry import HeaderRegistry, MessageIDHeader
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from hashlib import sha256
from typing import Any

from feeds.article import Article
from feeds.counted import counted
from feeds.direction import direction
from feeds.formats.body import parse_html
from feeds.formats.change_statuses import EDITORS_NOTE, advisories, embargo_ahead
from feeds.formats.htmlpage import identity_html, link_html, notes_html, page, story_html
from feeds.formats.paragraphs import paragraphs
from feeds.formats.plaintext import identity_lines, story_lines
from feeds.mail_subject import FIELD, SUBJECT_FIELDS, SUBJECT_MOST

_FIRST = {"corrected": "CORRECTION", "killed": "KILL", "withdrawn": "WITHDRAWN"}
# `email` would write a long id in these fields as an encoded word, and no mail program would find the other mail.
_HEADERS = HeaderRegistry()
for _name in ("in-reply-to", "references"):
    _HEADERS.map_to_type(_name, MessageIDHeader)  # type: ignore[arg-type]  # which is mixed with BaseHeader
# Seven bits: no server on the way has to know more.
_POLICY = SMTP.clone(cte_type="7bit", header_factory=_HEADERS)


@dataclass(frozen=True, slots=True)
class Envelope:
    """What a mail has beside its contents.

    `id`: its Message-ID without brackets. `original`: that of the first mail about the same article; empty: this is it.
    """

    sender: str
    recipients: tuple[str, ...]
    id: str
    date: datetime
    reply_to: str = ""
    original: str = ""


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that a mail carries. `cid`: by which its text shows it (RFC 2392); empty: it does not."""

    name: str
    media_type: str
    content: bytes
    cid: str = ""


def article_mail(
    envelope: Envelope,
    article: Article,
    status: str,
    subject: str = "{headline}",
    attachment: Attachment | None = None,
    pictures: Sequence[Attachment] = (),
) -> EmailMessage:
    """Return the mail that reports an article as `status`: published, corrected, killed or withdrawn.

    `subject`: a template; a notice has none of the fields that are gone, so its subject is the article's id.
    `pictures`: those that the mail carries; the article names them by these names (feeds/companions.py).
    """
    is_notice = status in {"killed", "withdrawn"}
    first = [_FIRST[status]] if status in _FIRST else []
    if not is_notice and (embargo := embargo_ahead(article)):
        first.append(f"EMBARGOED until {embargo}")
    notes = advisories(f"article.{status}", article)
    mail = _headers(envelope, ": ".join([*first, _subject("{id}" if is_notice else subject, article)]))
    mail["Dateline-Article"] = article.id
    mail["Dateline-Version"] = str(article.version)
    mail["Dateline-Status"] = status
    mail["Content-Language"] = article.edition
    text = ["\n".join(identity_lines(article))] if is_notice else story_lines(article)
    body = (identity_html if is_notice else story_html)(article)
    origin = envelope.id.partition("@")[2]
    for picture in pictures:
        body = body.replace(f'src="{picture.name}"', f'src="cid:{picture.name}@{origin}"')
    shown = (replace(each, cid=f"{each.name}@{origin}") for each in pictures)
    attachments = [*([attachment] if attachment else ()), *shown]
    _fill(mail, "\n\n".join([*notes, *text]), page(article.edition, notes_html(notes) + body), attachments)
    return mail


def digest_mail(envelope: Envelope, document: bytes) -> EmailMessage:
    """Return one mail with all that a document in JSON Feed says has changed; kills and withdrawals stand first."""
    feed = json.loads(document)
    items: list[dict[str, Any]] = feed["items"]
    gone = [item for item in items if {"canceled", "withdrawn"} & item["_dateline"].keys()]
    articles = [item for item in items if item not in gone]
    listed = {item["id"] for item in gone}
    gone += [stone for stone in feed.get("_dateline", {}).get("deleted", ()) if stone["id"] not in listed]
    kills = sum("canceled" in item.get("_dateline", ()) for item in gone)
    counts = [
        counted(count, singular, plural)
        for count, singular, plural in (
            (kills, "KILL", "KILLs"),
            (len(gone) - kills, "withdrawn", "withdrawn"),
            (len(articles), "article", "articles"),
        )
        if count
    ]
    mail = _headers(envelope, f"{', '.join(counts)}: {feed['title']}")
    language = feed.get("language", "en")
    mail["Content-Language"] = language
    parts = [*map(_gone, gone), *map(_item, articles)]
    _fill(mail, "\n\n\n".join(text for text, _ in parts), page(language, "<hr>".join(body for _, body in parts)), ())
    return mail


def _headers(envelope: Envelope, subject: str) -> EmailMessage:
    mail = EmailMessage(_POLICY)
    mail["From"] = envelope.sender
    mail["To"] = ", ".join(envelope.recipients)
    if envelope.reply_to:
        mail["Reply-To"] = envelope.reply_to
    mail["Subject"] = subject
    mail["Date"] = format_datetime(envelope.date.astimezone(UTC))
    mail["Message-ID"] = f"<{envelope.id}>"
    if envelope.original:
        mail["In-Reply-To"] = mail["References"] = f"<{envelope.original}>"
    # Nobody's absence is to be answered to (RFC 3834, section 5).
    mail["Auto-Submitted"] = "auto-generated"
    return mail


def _fill(mail: EmailMessage, text: str, document: str, attachments: Iterable[Attachment]) -> None:
    mail.set_content(f"{text}\n")
    mail.add_alternative(document, subtype="html")
    for attachment in attachments:
        maintype, _, subtype = attachment.media_type.partition(";")[0].strip().partition("/")
        cid = f"<{attachment.cid}>" if attachment.cid else None
        mail.add_attachment(attachment.content, maintype, subtype, filename=attachment.name, cid=cid)
    # What email makes up would differ each time.
    digest = sha256(f"{text}\0{document}".encode()).hexdigest()[:32]
    for number, part in enumerate(part for part in mail.walk() if part.is_multipart()):
        part.set_boundary(f"=_{digest}_{number}")


def _subject(template: str, article: Article) -> str:
    values = {name: str(getattr(article, name)) for name in SUBJECT_FIELDS}
    subject = FIELD.sub(lambda field: values[field[1]], template)
    return subject if len(subject) <= SUBJECT_MOST else f"{subject[: SUBJECT_MOST - 1].rstrip()}…"


def _item(item: dict[str, Any]) -> tuple[str, str]:
    title, url, language = item["title"], item["url"], item["language"]
    contents = item.get("content_html") or f"<p>{html.escape(item.get('content_text', ''))}</p>"
    summary = item.get("summary", "")
    version = item["_dateline"]["version"]
    byline = ", ".join(author["name"] for author in item.get("authors", ()))
    mark = f"version {version}" if version > 1 else ""
    lines = [title, summary if "content_html" in item else "", byline, mark]
    text = "\n\n".join([*filter(None, lines), *paragraphs(parse_html(contents)), url])
    head = "".join(f"<p><em>{html.escape(line)}</em></p>" for line in lines[1:] if line)
    body = f'<div lang="{html.escape(language)}" dir="{direction(language)}"><h2>{html.escape(title)}</h2>{head}'
    return text, f"{body}{contents}{link_html(url)}</div>"


def _gone(item: dict[str, Any]) -> tuple[str, str]:
    note = EDITORS_NOTE["canceled" if "canceled" in item.get("_dateline", ()) else "withheld"]
    return f"{note}\n{item['id']}", f"<p><strong>{note}</strong><br>{html.escape(item['id'])}</p>"
