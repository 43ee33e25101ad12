"""Makes formats of definitions: values of the same types as Dateline's own formats."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from feeds.article import Article
from feeds.entry import Channel, Entry, Tombstone
from feeds.format_definition import FormatDefinition, Look, texts_of
from feeds.formats.interface import ArticleFormat, Envelope, FeedFormat, FormatFault, Outline, Own, Provider
from feeds.formats.own import variables
from feeds.formats.own.mappings import CompiledMapping
from feeds.formats.own.schemas import compiled_schema
from feeds.formats.own.templates import CompiledTemplate
from feeds.validation.finding import Finding, Findings
from feeds.validation.json import loaded
from feeds.validation.xml import read_any

NOTICES = {
    "json": """{"id": {{ article.id|tojson }}, "uri": {{ article.uri|tojson }}, "version": {{ article.version }}, \
"pubstatus": {{ article.pubstatus|tojson }}, "updated": {{ article.updated|tojson }}, "note": {{ note|tojson }}}""",
    "xml": """<notice id="{{ article.id }}" uri="{{ article.uri }}" version="{{ article.version }}" \
pubstatus="{{ article.pubstatus }}" updated="{{ article.updated }}">{{ note }}</notice>""",
    "html": """<!DOCTYPE html><html lang="en"><title>{{ article.id }}</title><p>{{ note }}</p>\
<p>{{ article.id }} ({{ article.version }})</p></html>""",
    "text": "{{ note }}\n{{ article.id }} ({{ article.version }})\n",
}
"""How withdrawals and kills look without a template, and a kill whose template fails."""
JSON_ENVELOPE = """{"id": {{ feed.id|tojson }}, "title": {{ feed.title|tojson }}, \
"updated": {{ feed.updated|tojson }}, "items": [{{ entries }}], "removed": {{ removed|tojson }}}"""
_PLACE = "\N{OBJECT REPLACEMENT CHARACTER}entries\N{OBJECT REPLACEMENT CHARACTER}"
"""Stands in an envelope for the entries. No text has this character: intake drops it with others that no text needs."""


class CompiledLook(NamedTuple):
    """How a document is made, and which of its values take time."""

    render: Callable[[Mapping[str, Any]], str]
    uses: Collection[str]
    names_message: bool


def compiled_look(look: Look, kind: str) -> CompiledLook:
    """Return a template or mapping ready for use. Raises FormatFault."""
    if isinstance(look, str):
        render = CompiledTemplate(look, markup=kind in ("xml", "html")).render
    elif kind == "json":
        render = CompiledMapping(look).render
    else:
        raise FormatFault("is a mapping, which makes JSON: give a media_type that ends in json, or a template")
    texts = texts_of(look).values()
    uses = [variables.PARAGRAPHS] if any(variables.PARAGRAPHS in text for text in texts) else []
    return CompiledLook(render, uses, any("message_id" in text for text in texts))


def article_format(definition: FormatDefinition) -> ArticleFormat:
    """Return the format of articles that a definition describes. Raises FormatFault."""
    main = compiled_look(_main(definition), definition.kind)
    plain_notice = compiled_look(NOTICES[definition.kind], definition.kind)
    looks = {"article.published": main, "article.corrected": main}
    looks |= dict.fromkeys(("article.withdrawn", "article.killed"), plain_notice)
    for change, look in (
        ("article.corrected", definition.correction),
        ("article.withdrawn", definition.withdrawal),
        ("article.killed", definition.kill),
    ):
        if look is not None:
            looks[change] = compiled_look(look, definition.kind)

    def document(change: str, article: Article, message_id: str, provider: Provider) -> bytes:
        look = looks.get(change, main)
        values = variables.of_article(change, article, provider, look.uses) | {"message_id": message_id}
        try:
            text = look.render(values)
        except FormatFault:
            if change in ("article.published", "article.corrected"):
                raise
            # What must come down is never held up by how its notice was to look.
            text = plain_notice.render(values)
        return text.encode("utf-8", "replace")

    # A message id is made of the document without it, so each is made twice in a row.
    last_documents = lru_cache(maxsize=4)(document)

    def render(change: str, article: Article, message_id: str, provider: Provider) -> bytes:
        if looks.get(change, main).names_message:
            return document(change, article, message_id, provider)
        return last_documents(change, article, "", provider)

    return ArticleFormat(
        definition.name,
        definition.media_type,
        render,
        _recognizes,
        marks_embargo=definition.embargo,
        own=_own(definition),
    )


def feed_format(definition: FormatDefinition) -> FeedFormat:
    """Return the format of feeds that a definition describes. Raises FormatFault."""
    main = compiled_look(_main(definition), definition.kind)
    around = CompiledTemplate(definition.envelope or JSON_ENVELOPE, markup=definition.kind in ("xml", "html"))
    separator = (definition.separator or ("," if definition.kind == "json" else "")).encode()

    def fragment(entry: Entry) -> bytes:
        return main.render(variables.of_entry(entry, main.uses)).encode("utf-8", "replace")

    def envelope(channel: Channel, tombstones: Sequence[Tombstone]) -> Envelope:
        values = variables.of_feed(channel, tombstones) | {"entries": _PLACE}
        head, *rest = around.render(values).split(_PLACE)
        if len(rest) != 1:
            raise FormatFault("must have {{ entries }} once: the articles stand there")
        return Envelope(head.encode("utf-8", "replace"), rest[0].encode("utf-8", "replace"), separator)

    def render(channel: Channel, entries: Sequence[Entry], tombstones: Sequence[Tombstone]) -> bytes:
        return envelope(channel, tombstones).around([fragment(entry) for entry in entries])

    return FeedFormat(
        definition.name,
        definition.media_type,
        fragment,
        envelope,
        render,
        tombstones_need_url="url" in (definition.envelope or JSON_ENVELOPE),
        own=_own(definition),
    )


def _main(definition: FormatDefinition) -> Look:
    look = definition.template if definition.template is not None else definition.mapping
    assert look is not None  # the definition has one of the two
    return look


def _own(definition: FormatDefinition) -> Own:
    judge = compiled_schema(definition.rules, of_json=definition.kind == "json") if definition.rules else None
    kind = definition.kind

    def check(document: bytes) -> Findings:
        readable = yield from _readable(document, kind)
        if readable and judge is not None:
            yield from judge(document)

    return Own(definition.digest, definition.extension, check)


def _readable(document: bytes, kind: str) -> Any:
    """Yield why a document can't be read; return whether it can."""
    if kind == "xml":
        return (yield from read_any(document)) is not None
    if kind == "json":
        try:
            loaded(document)
        except (ValueError, RecursionError) as error:
            yield Finding(getattr(error, "lineno", None), "json.well-formed", f"is no JSON: {error}")
            return False
    return True


def _recognizes(outline: Outline) -> bool:
    """Nothing says of a document that it is in a newsroom's own format."""
    del outline
    return False
