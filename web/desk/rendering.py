"""A document as a reader would see it, for a frame in which nothing runs and nothing is loaded.

JSON and XML of partners are shown by their headline, lines and body, whatever the format calls them.
"""

from __future__ import annotations

import json
from base64 import b64encode
from hashlib import sha256
from html import escape
from typing import Any

import nh3
from lxml import etree
from starlette.responses import HTMLResponse, Response

_STYLE = (
    "body{font:1.05rem/1.6 Charter,Georgia,'Noto Naskh Arabic',serif;max-width:42rem;margin:1.5rem auto;padding:0 1rem;"
    "color:#1b1e22;background:#fff}h1{font-size:1.7rem;line-height:1.2}.line{color:#5a616b;font-size:.9rem}"
    "figure,img{max-width:100%}p{overflow-wrap:anywhere}"
)
_STYLE_HASH = b64encode(sha256(_STYLE.encode()).digest()).decode()
_POLICY = (
    f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; sandbox; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'self'"
)
_HEADLINES = ("headline", "title", "name")
_SUMMARIES = ("summary", "description", "description_text", "subheadline", "excerpt")
_BODIES = ("body_html", "content_html", "body_xhtml", "content", "encoded", "body", "articleBody", "html")
_TAGS = nh3.ALLOWED_TAGS - {"img", "audio", "video", "source", "iframe", "link", "style", "script"}


def rendered(preview: dict[str, Any]) -> Response:
    """Return a preview of the API as a page."""
    fields = _fields(preview["media_type"], preview["document"])
    headline = _first(fields, _HEADLINES)
    summary = nh3.clean(_first(fields, _SUMMARIES), tags=set())
    body = nh3.clean(_first(fields, _BODIES), tags=_TAGS)
    content = (
        f'<!doctype html><html><head><meta charset="utf-8"><title>{escape(headline)}</title>'
        f'<style>{_STYLE}</style></head><body><article dir="auto"><h1 dir="auto">{escape(headline)}</h1>'
        f'<p class="line" dir="auto">{summary}</p>'
        f'<div dir="auto">{body}</div></article></body></html>'
    )
    return HTMLResponse(content, headers={"Content-Security-Policy": _POLICY})


def _fields(media_type: str, document: str) -> dict[str, str]:
    """The texts in a document by the names of their fields; of several of one name the longest."""
    fields: dict[str, str] = {}
    try:
        if "json" in media_type:
            _of_json(json.loads(document), fields)
        else:
            parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False)
            for element in etree.fromstring(document.encode(), parser).iter(etree.Element):
                _keep(fields, etree.QName(element).localname, _content(element))
    except (ValueError, etree.XMLSyntaxError):
        return {"body": f"<pre>{escape(document)}</pre>"}
    return fields


def _of_json(value: Any, fields: dict[str, str]) -> None:
    if isinstance(value, dict):
        for name, content in value.items():
            if isinstance(content, str):
                _keep(fields, name, content)
            else:
                _of_json(content, fields)
    elif isinstance(value, list):
        for content in value:
            _of_json(content, fields)


def _content(element: Any) -> str:
    """The text of an element; of one with elements in it, as markup."""
    if len(element) == 0:
        return element.text or ""
    inner = "".join(etree.tostring(child, encoding="unicode") for child in element)
    return f"{escape(element.text or '')}{inner}"


def _keep(fields: dict[str, str], name: str, text: str) -> None:
    if len(text) > len(fields.get(name, "")):
        fields[name] = text


def _first(fields: dict[str, str], names: tuple[str, ...]) -> str:
    return next((fields[name] for name in names if fields.get(name)), "")
