"""Our own article format, by the model that reads it."""

from __future__ import annotations

import json
from typing import Any

from pydantic import ValidationError

from feeds.article import Article
from feeds.validation.finding import Finding, Findings
from feeds.validation.json import legible, moments, parse, required

_CHANGES = {
    "article.published": ("usable",),
    "article.corrected": ("usable",),
    "article.killed": ("canceled",),
    "article.withdrawn": ("withheld", "canceled"),
}
_NOTICE = {"id", "version", "edition", "url", "published", "updated", "pubstatus"}


def native(document: bytes) -> Findings:
    """One event."""
    event = parse(document)
    if isinstance(event, Finding):
        yield event
        return
    # The text of an article that may be used is looked at by its model.
    model = isinstance(event.get("article"), dict) and event["article"].get("pubstatus") == "usable"
    yield from legible({name: value for name, value in event.items() if name != "article"} if model else event)
    yield from required(event, "native", "id", "type", "time")
    yield from moments(event, "native", "time")
    change, article = str(event.get("type")), event.get("article")
    if change not in _CHANGES or not isinstance(article, dict):
        yield Finding(None, "native.type", f"must have an article and a type, one of {', '.join(_CHANGES)}")
        return
    yield from _article(change, article)


def _article(change: str, article: dict[str, Any]) -> Findings:
    status = article.get("pubstatus")
    if status not in _CHANGES[change]:
        yield Finding(None, "native.pubstatus", f"pubstatus {status!r} is none that goes with {change}")
    yield from moments(article, "native.article", "published", "updated")
    if status == "usable":
        try:
            Article.model_validate_json(json.dumps(article), strict=True)
        except ValidationError as error:
            for problem in error.errors(include_url=False, include_input=False):
                path = ".".join(map(str, problem["loc"]))
                yield Finding(None, "native.article", f"{path}: {problem['msg']}")
    else:
        for name in article.keys() - _NOTICE:
            yield Finding(None, "native.notice", f"a notice must not have {name}")
        yield from required(article, "native.article", "id")
