"""Replaces embeds that only a site's scripts can show by the elements of HTML that they stand for.

AMP has elements of its own for pictures and films; players that are loaded late are a name of a film in an attribute;
posts of social networks are a block with their address; WordPress leaves the address of an embed that it could not get
as text. Without this nothing would be left of them, or a bare address.

Sources: AMP, "Components reference"; lite-youtube-embed and lite-vimeo-embed (`videoid`); WP Rocket (`data-src`);
Instagram, Facebook and TikTok, "Embed" (`data-instgrm-permalink`, `data-href`, `cite`).
"""

from __future__ import annotations

import re
from urllib.parse import quote, urlsplit

from lxml import html

_ELEMENTS = {"amp-img": "img", "amp-anim": "img", "amp-video": "video", "amp-audio": "audio", "amp-iframe": "iframe"}
"""Elements of AMP, and those of HTML with the same attributes."""
_PLAYERS = {
    "amp-youtube": ("data-videoid", "https://www.youtube.com/watch?v={}"),
    "lite-youtube": ("videoid", "https://www.youtube.com/watch?v={}"),
    "amp-vimeo": ("data-videoid", "https://vimeo.com/{}"),
    "lite-vimeo": ("videoid", "https://vimeo.com/{}"),
    "amp-dailymotion": ("data-videoid", "https://www.dailymotion.com/video/{}"),
    "amp-twitter": ("data-tweetid", "https://twitter.com/i/status/{}"),
    "amp-instagram": ("data-shortcode", "https://www.instagram.com/p/{}/"),
    "amp-facebook": ("data-href", "{}"),
    "amp-tiktok": ("data-src", "{}"),
}
"""Elements of which one attribute has the address of a film or post, or the name in it."""
TAGS = _ELEMENTS.keys() | _PLAYERS.keys()
"""Elements that are replaced."""
BLOCKS = frozenset({"div", "span", "figure", "section", "blockquote"})
"""Elements that are the place of an embed when they have an address and no words."""
_ADDRESSES = ("data-instgrm-permalink", "data-href", "data-embed-url", "data-video-url", "data-src", "data-url", "cite")
_WRAPPER = "wp-block-embed__wrapper"
SIGNS = (*_ADDRESSES[:-1], "tiktok-embed", _WRAPPER)
"""What stands in the tag of every such block."""
_SERVICES = re.compile(
    r"(?:^|\.)(?:youtube(?:-nocookie)?|youtu|vimeo|dailymotion|dai|facebook|fb|instagram|tiktok|twitter|x|soundcloud|spotify)"
    r"\.(?:com|be|ly|watch)$"
)
_ADDRESS = re.compile(r"https?://[^\s<>]+")


def with_plain_embeds(body: html.HtmlElement) -> None:
    """Replace such embeds in a tree of HTML: pictures and films by those of HTML, all others by an `iframe`."""
    for element in list(body.iter(*TAGS)):
        if element.getparent() is not None:
            _replace(element)
    for block in list(body.iter(*BLOCKS)):
        if block.getparent() is not None and (address := _address_of(block)):
            # What it has is an address, or the frame of what a script shows.
            block.text = None
            block[:] = [html.Element("iframe", src=address)]


def _replace(element: html.HtmlElement) -> None:
    plain: html.HtmlElement | None = None
    if tag := _ELEMENTS.get(str(element.tag)):
        plain = html.Element(tag, dict(element.attrib))
        plain.extend(element.findall("source"))
    else:
        attribute, address = _PLAYERS[str(element.tag)]
        if value := element.get(attribute, "").strip():
            plain = html.Element("iframe", src=value if address == "{}" else address.format(quote(value, safe="")))
    if plain is not None:
        element.addprevious(plain)
    element.drop_tree()


def _address_of(block: html.HtmlElement) -> str:
    """The address of what is to be shown in a block; empty when it is no place of an embed."""
    text = str(block.text_content()).strip()
    if _WRAPPER in block.get("class", "").split() and not len(block):
        return text if _ADDRESS.fullmatch(text) else ""
    if text or next(block.iter("img", "picture", "video", "audio", "iframe", "embed", "object"), None) is not None:
        return ""
    for name in _ADDRESSES:
        address = str(block.get(name, "")).strip()
        if address.startswith(("https://", "http://", "//")) and _SERVICES.search(_host(address)):
            return address
    return ""


def _host(address: str) -> str:
    try:
        return urlsplit(address).hostname or ""
    except ValueError:
        return ""
