"""Reads webhooks of Ghost: post.published, post.published.edited, post.unpublished, post.deleted.

Sources: docs.ghost.org, "Webhooks" and "Posts"; Ghost 5 and 6, `services/webhooks/serialize.js`. The body has
`{"post": {"current": {...}, "previous": {...}}}` but in most versions
not the event's name, so the post's status decides.

An unpublished post becomes a draft and may be published again, so it is withheld: it leaves every feed, and its
receivers get the withdrawal. A deleted post can't come back, so it is killed. Ghost gives a draft the address of its
preview, which must not become public; the address by Ghost's default routes, `/{slug}/`, replaces it. The text of a
post that is not for everybody is left out.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from feeds.adapters.decode import json_object
from feeds.adapters.draft import Draft, identity, objects
from feeds.adapters.interface import Adapted, Adapter, InputDefaults
from feeds.errors import FieldError, InvalidEvent


def read(content: bytes, defaults: InputDefaults) -> Adapted:
    """Return the event in the body of a webhook. Raises InvalidEvent when it has no post."""
    value = json_object(content)
    post = value.get("post")
    if not isinstance(post, dict):
        raise InvalidEvent([FieldError("post", f"is missing; there is {', '.join(map(str, value))[:80] or 'nothing'}")])
    current, previous = (post[name] if isinstance(post.get(name), dict) else {} for name in ("current", "previous"))
    if not current:
        return Draft("ghost", content, _article_id(previous)).killed()
    draft = Draft("ghost", content, _article_id(current))
    # A post with the status "sent" is an e-mail and has no page.
    is_public = current.get("status") == "published"
    draft.article["pubstatus"] = "usable" if is_public else "withheld"
    draft.time("updated", current.get("updated_at"), defaults)
    draft.time("published", current.get("published_at"), defaults)
    draft.edition(current.get("locale"), defaults)
    draft.line("headline", current.get("title"))
    draft.line("summary", current.get("custom_excerpt"))
    draft.url(current.get("url") if is_public else _draft_page(draft, current), defaults, current.get("slug"))
    if current.get("visibility", "public") == "public":
        draft.body(current.get("html"))
    else:
        draft.note("body_html", f"is left out: the post is for {str(current['visibility'])[:40]}, not for everybody")
    tags = [tag for tag in objects(current.get("tags")) if tag.get("visibility") != "internal"]
    sections = [*objects(current.get("primary_tag")), *tags]
    draft.line("section", next((tag.get("name") for tag in sections), None))
    draft.lines("subjects", (tag.get("name") for tag in tags))
    draft.lines("authors", (author.get("name") for author in objects(current.get("authors"))))
    if current.get("feature_image"):
        draft.image(
            url=current["feature_image"],
            caption=current.get("feature_image_caption") or current.get("feature_image_alt"),
        )
    return draft.published()


def recognizes(value: Any) -> bool:
    """Whether JSON looks like the body of a Ghost webhook."""
    return isinstance(value, dict) and isinstance(value.get("post"), dict) and "current" in value["post"]


def _article_id(post: dict[str, Any]) -> str:
    number = identity(post.get("id"))
    return f"ghost-{number}" if number else ""


def _draft_page(draft: Draft, post: dict[str, Any]) -> str | None:
    """The address that a draft will have on the site; None if its slug or its present address is missing."""
    url, slug = post.get("url"), post.get("slug")
    if not isinstance(url, str) or not isinstance(slug, str) or not slug:
        return None
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    if not parts.path.startswith("/p/"):
        return url
    draft.note("url", "is only that of a preview; the site's default address of the post is taken")
    return f"{parts.scheme}://{parts.netloc}/{slug}/"


ADAPTER = Adapter("ghost", "webhooks of Ghost 5 and 6", read, recognizes)
