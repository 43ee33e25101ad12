"""Tries a template, a mapping or a schema with sample articles, so that mistakes are known before any article is."""

from __future__ import annotations

from datetime import UTC, datetime

from feeds.article import Article, Image
from feeds.entry import Channel, Tombstone, entry
from feeds.format_definition import FormatDefinition, Look, kind_of
from feeds.formats.interface import ArticleFormat, FeedFormat, FormatFault, Provider
from feeds.formats.own.compiled import article_format, compiled_look, feed_format
from feeds.formats.own.schemas import compiled_schema
from feeds.formats.own.variables import of_article, of_entry

_PROVIDER = Provider("herald.example,2026", "The Harbour Herald")
_THEN = datetime(2026, 3, 1, 8, tzinfo=UTC)
_BARE = Article(
    id="sample-2", version=1, headline="Pier closed", url="https://herald.example/2", published=_THEN, updated=_THEN
)
"""All that an article may leave out is left out."""
_WHOLE = Article(
    id="sample-1",
    version=2,
    edition="en",
    headline="Ferries & trams are 1 < 2 hours late",
    summary="After eleven days.",
    url="https://herald.example/1",
    body_html="<p>The first ferry left at ten past six.</p><p>Trams followed.</p>",
    section="Local",
    subjects=("transport", "harbour"),
    authors=("Ada Quill",),
    images=(Image(url="https://herald.example/1.jpg", width=1200, height=800, caption="Pier 4", credit="Ada Quill"),),
    published=_THEN,
    updated=_THEN.replace(hour=9),
    embargoed=_THEN,
    expires=_THEN.replace(year=2027),
    urgency=3,
    dateline="Port Tidewater",
    source="Herald",
    rights="© The Harbour Herald",
)
_CHANNEL = Channel(
    id="tag:herald.example,2026:feed/local",
    title="Local & <more>",
    description="",
    language="en",
    publisher=_PROVIDER.name,
    home_url="https://herald.example/local",
    self_url="https://herald.example/feeds/local.sample",
    hub_url="",
    updated=_THEN,
)
_CHANGES = {
    "template": "article.published",
    "mapping": "article.published",
    "correction": "article.corrected",
    "withdrawal": "article.withdrawn",
    "kill": "article.killed",
}


def try_out(key: str, value: str | Look, of: str, media_type: str) -> None:
    """Try what a definition has under a key. Raises FormatFault."""
    kind = kind_of(media_type)
    if key == "rules":
        if kind not in ("json", "xml"):
            raise FormatFault(f"can't judge {media_type}: schemas are for XML and JSON")
        compiled_schema(str(value), of_json=kind == "json")
    elif key == "envelope":
        _try_envelope(str(value), media_type)
    else:
        look = compiled_look(value, kind)
        for article in (_WHOLE, _BARE):
            if of == "feed":
                look.render(of_entry(entry(article, _PROVIDER.authority, _PROVIDER.name), look.uses))
            else:
                look.render(of_article(_CHANGES[key], article, _PROVIDER, look.uses) | {"message_id": "msg_sample"})


def shown(
    definition: FormatDefinition, provider: Provider, article: Article | None, change: str
) -> tuple[bytes, list[str]]:
    """Return what a definition makes of an article, or of a sample one, and why the gate would keep it back.

    `change`: published, corrected, withdrawn or killed; in a format of feeds it is an article of a feed. Raises
    FormatFault.
    """
    article = article or _WHOLE
    one_format: ArticleFormat | FeedFormat
    if definition.of == "feed":
        one_format = feed_format(definition)
        document = one_format.render(_CHANNEL, [entry(article, provider.authority, provider.name)], ())
    else:
        one_format = article_format(definition)
        document = one_format.render(f"article.{change}", article, "msg_sample", provider)
    assert one_format.own is not None  # it was made of a definition
    is_judged = definition.of == "feed" or change in ("published", "corrected")
    return document, [str(finding) for finding in one_format.own.check(document)] if is_judged else []


def _try_envelope(envelope: str, media_type: str) -> None:
    definition = FormatDefinition.model_construct(
        name="sample", of="feed", media_type=media_type, extension="x", template="", envelope=envelope
    )
    one_format = feed_format(definition)
    for removed in ((), (Tombstone("tag:herald.example,2026:article/sample-3", _THEN),)):
        one_format.envelope(_CHANNEL, removed)
