"""WordPress: a post as the REST API gives it, with `_embedded`, as webhook plugins post it.

Sources: developer.wordpress.org, REST API Handbook, "Posts" and "Linking and Embedding"; the post statuses of
`wp-includes/post.php`; for languages polylang.pro, "REST API", and the plugin WPML REST API. Taken are the post itself,
the post within `post` or `data`, and the API's answer to a deletion for good, `{"deleted": true, "previous": {...}}`.

A post in the trash can be restored for thirty days, and a draft, a pending, a private and a password-protected post are
not public, so all these are withheld: they leave every feed, and receivers are told. A post that is deleted for good
can't come back: it is killed.
"""

from __future__ import annotations

from typing import Any

from feeds.adapters.decode import json_object
from feeds.adapters.draft import Draft, identity, objects, pixels
from feeds.adapters.interface import Adapted, Adapter, InputDefaults
from feeds.errors import FieldError, InvalidEvent

# What WordPress keeps as posts and readers do not get as news: pages such as "About us" among them.
_NO_ARTICLES = frozenset(
    """attachment custom_css customize_changeset nav_menu_item oembed_cache page revision user_request wp_block
    wp_font_face wp_font_family wp_global_styles wp_navigation wp_template wp_template_part""".split()  # noqa: SIM905 (15 quoted words are harder to read)
)


def read(content: bytes, given: InputDefaults) -> Adapted:
    """Return the event in what a webhook posts. Raises InvalidEvent when it has no post."""
    value = json_object(content)
    deleted = value.get("deleted") is True
    post = value.get("previous") if deleted else _post(value)
    if not isinstance(post, dict):
        raise InvalidEvent([FieldError("previous" if deleted else "id", "is missing: there is no post")])
    kind = post.get("type", "post")
    if kind in _NO_ARTICLES if isinstance(kind, str) else True:
        raise InvalidEvent([FieldError("type", f"is {str(kind)[:40]!r}, which is no article")])
    said = identity(post.get("id"))
    draft = Draft("wordpress", content, f"wordpress-{said}" if said else "")
    draft.time("updated", _utc(post.get("modified_gmt")), given)
    if "updated" not in draft.article:
        draft.time("updated", post.get("modified"), given)
    if deleted:
        return draft.killed()
    _say(draft, post, given)
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


def _say(draft: Draft, post: dict[str, Any], given: InputDefaults) -> None:
    content = post.get("content")
    protected = isinstance(content, dict) and content.get("protected") is True
    state = post.get("status", "publish")
    draft.article["pubstatus"] = "usable" if state == "publish" and not protected else "withheld"
    draft.time("published", _utc(post.get("date_gmt")), given)
    if "published" not in draft.article:
        draft.time("published", post.get("date"), given)
    # Not WordPress's own: what its plugins for languages, Polylang and WPML, add.
    draft.edition(post.get("lang") or post.get("wpml_current_locale"), given)
    draft.line("headline", _rendered(post.get("title")))
    draft.line("summary", _rendered(post.get("excerpt")))
    draft.body(_rendered(content))
    link = post.get("link")
    # What WordPress adds to the name of a post in the trash, so that the name is free.
    draft.url(link.replace("__trashed", "") if isinstance(link, str) else None, given, post.get("slug"))
    _editions(draft, post, given)


def _editions(draft: Draft, post: dict[str, Any], given: InputDefaults) -> None:
    """The post in other languages: with their pages by WPML's REST plugin, by their numbers alone by Polylang Pro."""
    for said in objects(post.get("wpml_translations")):
        other = identity(said.get("id"))
        draft.alternate(said.get("locale"), said.get("href"), given, f"wordpress-{other}" if other else "")
    numbers = post.get("translations")
    if isinstance(numbers, dict) and (others := [str(each)[:35] for each in numbers if each != post.get("lang")]):
        draft.miss("alternates", f"has {', '.join(others)} by number alone, without their pages; they are left out")


def _picture(draft: Draft, media: dict[str, Any]) -> None:
    if not media.get("source_url"):
        draft.miss("images", "has a picture that the API did not show")
        return
    details = media["media_details"] if isinstance(media.get("media_details"), dict) else {}
    meta = details["image_meta"] if isinstance(details.get("image_meta"), dict) else {}
    draft.image(
        url=media["source_url"],
        type=media.get("mime_type"),
        width=pixels(details.get("width")),
        height=pixels(details.get("height")),
        caption=_rendered(media.get("caption")) or media.get("alt_text"),
        # WordPress reads it from the picture itself (IPTC 2:110 or EXIF).
        credit=meta.get("credit"),
    )


def _rendered(value: Any) -> Any:
    return value.get("rendered") if isinstance(value, dict) else value


def _utc(value: Any) -> Any:
    """A time that WordPress has in UTC and writes without saying so."""
    return f"{value}Z" if isinstance(value, str) and value and not value.endswith("Z") else value


def _lists(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


ADAPTER = Adapter("wordpress", "posts of the WordPress REST API, with _embedded", read, recognizes)
