"""Reads posts of WordPress: as its REST API gives them, with `_embedded`, and as webhook plugins send them.

Sources: developer.wordpress.org, REST API Handbook, "Posts" and "Linking and Embedding"; the post statuses of
`wp-includes/post.php`; for languages polylang.pro, "REST API", and the plugin WPML REST API. The input may
be the post itself, an object with the post in `post` or `data`, or the API's answer to a permanent deletion,
`{"deleted": true, "previous": {...}}`.

A post in the trash can be restored for thirty days, and drafts, pending, private and password-protected posts are not
public. All these are withheld: they leave every feed, and their receivers get the withdrawal. A post that is deleted
permanently can't come back, so it is killed.
"""

from __future__ import annotations

import re
from typing import Any

from feeds.adapters.decode import json_object
from feeds.adapters.draft import Draft, identity, objects, pixels
from feeds.adapters.interface import Adapted, Adapter, InputDefaults
from feeds.errors import FieldError, InvalidEvent

# Types of posts that are not news, among them pages such as "About us".
_NOT_ARTICLES = frozenset(
    """attachment custom_css customize_changeset nav_menu_item oembed_cache page revision user_request wp_block
    wp_font_face wp_font_family wp_global_styles wp_navigation wp_template wp_template_part""".split()  # noqa: SIM905 (15 quoted words are harder to read)
)

_MORE_LINK = re.compile(r"<a\b[^<>]*\bmore-link\b.*?</a>", re.IGNORECASE | re.DOTALL)


def read(content: bytes, defaults: InputDefaults) -> Adapted:
    """Return the event in the body of a webhook. Raises InvalidEvent when it has no post."""
    value = json_object(content)
    deleted = value.get("deleted") is True
    post = value.get("previous") if deleted else _post(value)
    if not isinstance(post, dict):
        raise InvalidEvent([FieldError("previous" if deleted else "id", "is missing: there is no post")])
    kind = post.get("type", "post")
    if kind in _NOT_ARTICLES if isinstance(kind, str) else True:
        raise InvalidEvent([FieldError("type", f"is {str(kind)[:40]!r}, which is no article")])
    draft = Draft("wordpress", content, _article_id(post.get("id")))
    draft.time("updated", _utc(post.get("modified_gmt")), defaults)
    if "updated" not in draft.article:
        draft.time("updated", post.get("modified"), defaults)
    if deleted:
        return draft.killed()
    _set_fields(draft, post, defaults)
    embedded = post["_embedded"] if isinstance(post.get("_embedded"), dict) else {}
    draft.lines("authors", (author.get("name") for author in objects(embedded.get("author"))))
    terms = [term for group in _lists(embedded.get("wp:term")) for term in objects(group)]
    draft.line("section", next((term.get("name") for term in terms if term.get("taxonomy") == "category"), None))
    draft.lines("subjects", (term.get("name") for term in terms if term.get("taxonomy") == "post_tag"))
    for media in objects(embedded.get("wp:featuredmedia")):
        _picture(draft, media)
    return draft.published()


def recognizes(value: Any) -> bool:
    """Whether JSON looks like a post of the REST API."""
    if not isinstance(value, dict):
        return False
    post = value.get("previous") if value.get("deleted") is True else _post(value)
    return isinstance(post, dict) and isinstance(post.get("title"), dict) and "rendered" in post["title"]


def _post(value: dict[str, Any]) -> Any:
    return next((value[name] for name in ("post", "data") if isinstance(value.get(name), dict)), value)


def _set_fields(draft: Draft, post: dict[str, Any], defaults: InputDefaults) -> None:
    content = post.get("content")
    protected = isinstance(content, dict) and content.get("protected") is True
    state = post.get("status", "publish")
    draft.article["pubstatus"] = "usable" if state == "publish" and not protected else "withheld"
    draft.time("published", _utc(post.get("date_gmt")), defaults)
    if "published" not in draft.article:
        draft.time("published", post.get("date"), defaults)
    # These fields come from the language plugins Polylang and WPML.
    draft.edition(post.get("lang") or post.get("wpml_current_locale"), defaults)
    draft.line("headline", _rendered(post.get("title")))
    draft.line("summary", _without_more(_rendered(post.get("excerpt"))))
    draft.body(_rendered(content))
    link = post.get("link")
    # WordPress adds this to the slug of a post in the trash, so that another post can have the slug.
    draft.url(link.replace("__trashed", "") if isinstance(link, str) else None, defaults, post.get("slug"))
    _set_alternates(draft, post, defaults)


def _set_alternates(draft: Draft, post: dict[str, Any], defaults: InputDefaults) -> None:
    """Add the post's translations. WPML's REST plugin gives their pages; Polylang Pro gives only their numbers."""
    for translation in objects(post.get("wpml_translations")):
        article_id = _article_id(translation.get("id"))
        draft.alternate(translation.get("locale"), translation.get("href"), defaults, article_id)
    numbers = post.get("translations")
    if isinstance(numbers, dict) and (languages := [str(tag)[:35] for tag in numbers if tag != post.get("lang")]):
        draft.note("alternates", f"has {', '.join(languages)} by number alone, without their pages; they are left out")


def _picture(draft: Draft, media: dict[str, Any]) -> None:
    if not media.get("source_url"):
        draft.note("images", "has a picture that the API did not show")
        return
    details = media["media_details"] if isinstance(media.get("media_details"), dict) else {}
    meta = details["image_meta"] if isinstance(details.get("image_meta"), dict) else {}
    draft.image(
        url=media["source_url"],
        type=media.get("mime_type"),
        width=pixels(details.get("width")),
        height=pixels(details.get("height")),
        caption=_rendered(media.get("caption")) or media.get("alt_text"),
        # WordPress reads the credit from the picture's file (IPTC 2:110 or EXIF).
        credit=meta.get("credit"),
    )


def _article_id(number: Any) -> str:
    shown = identity(number)
    return f"wordpress-{shown}" if shown else ""


def _rendered(value: Any) -> Any:
    return value.get("rendered") if isinstance(value, dict) else value


def _without_more(excerpt: Any) -> Any:
    """An excerpt without the link to the rest that themes put at its end."""
    return _MORE_LINK.sub("", excerpt) if isinstance(excerpt, str) else excerpt


def _utc(value: Any) -> Any:
    """A time that WordPress gives in UTC, but writes without the offset."""
    return f"{value}Z" if isinstance(value, str) and value and not value.endswith("Z") else value


def _lists(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


ADAPTER = Adapter("wordpress", "posts of the WordPress REST API, with _embedded", read, recognizes)
