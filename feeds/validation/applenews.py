"""The rules of Apple News Format: what `ArticleDocument` requires, and what each component needs to be shown."""

from __future__ import annotations

from typing import Any

from feeds.formats.applenews import IDENTIFIER_MOST
from feeds.validation import values
from feeds.validation.finding import Finding, Findings
from feeds.validation.json import addresses, each_object, moments, read_object, required

_TEXT_ROLES = {
    *("title", "intro", "byline", "author", "body", "caption", "quote", "pullquote", "heading"),
    *(f"heading{level}" for level in range(1, 7)),
}
_PICTURE_ROLES = {"photo", "figure", "image", "portrait", "logo"}


def apple_news(document: bytes) -> Findings:
    """Check one article.json."""
    article = yield from read_object(document)
    if article is None:
        return
    yield from required(article, "applenews", "version", "identifier", "title", "language")
    if len(str(article.get("identifier", ""))) > IDENTIFIER_MOST:
        yield Finding(None, "applenews.identifier", f"identifier must have at most {IDENTIFIER_MOST} characters")
    if not values.language(str(article.get("language", ""))):
        yield Finding(None, "applenews.language", "language must be a language tag")
    layout = article.get("layout")
    if not isinstance(layout, dict) or not all(_positive(layout.get(name)) for name in ("columns", "width")):
        yield Finding(None, "applenews.layout", "layout must have columns and width, whole numbers from 1")
    if not isinstance(article.get("componentTextStyles"), dict):
        yield Finding(None, "applenews.componentTextStyles", "componentTextStyles must be an object")
    if not article.get("components"):
        yield Finding(None, "applenews.components", "components must not be empty")
    yield from each_object(article, "applenews", "components", _component)
    metadata = article.get("metadata", {})
    if isinstance(metadata, dict):
        yield from moments(metadata, "applenews.metadata", "datePublished", "dateModified")
        yield from addresses(metadata, "applenews.metadata", "canonicalURL")
        yield from addresses(metadata, "applenews.metadata", "thumbnailURL", schemes=("http", "https", "bundle"))
    else:
        yield Finding(None, "applenews.metadata", "metadata must be an object")


def _positive(value: object) -> bool:
    return isinstance(value, int) and value > 0


def _component(component: dict[str, Any]) -> Findings:
    yield from required(component, "applenews.component", "role")
    role = str(component.get("role"))
    if role in _TEXT_ROLES:
        yield from required(component, "applenews.component", "text")
    if role == "htmltable":
        yield from required(component, "applenews.component", "html")
    if role in _PICTURE_ROLES:
        yield from required(component, "applenews.component", "URL")
        yield from addresses(component, "applenews.component", "URL", schemes=("http", "https", "bundle"))
