"""Ghost webhooks: post.published, post.published.edited, post.unpublished, post.deleted.

Sources: docs.ghost.org, "Webhooks" and "Posts"; Ghost 5 and 6, `services/webhooks/serialize.js`. The body has
`{"post": {"current": {...}, "previous": {...}}}` and, in most versions, no name of the event: the post's status tells.

A post that is unpublished becomes a draft again and may be published anew, so it is withheld: it leaves every feed, and
receivers are told. A deleted post can't come back: it is killed. The address of a draft is that of its preview, which
is nobody's to know; the one of Ghost's default routes, `/{slug}/`, is taken in its place. The text of a post that is
not for everybody is left out.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from feeds.adapters.decode import json_object
from feeds.adapters.draft import Draft, identity, objects
from feeds.adapters.interface import Adapted, Adapter, InputDefaults
from feeds.errors import FieldError, InvalidEvent


def read(content: bytes, given: InputDefaults) -> Adapted:
    """Return the event in the body of a webhook. Raises InvalidEvent when it has no post."""
    value = json_object(content)
    post = value.get("post")
    if not isinstance(post, dict):
        raise InvalidEvent([FieldError("post", f"is missing; there is {', '.join(map(str, value))[:80] or 'nothing'}")])
    now, before = (post[name] if isinstance(post.get(name), dict) else {} for name in ("current", "previous"))
    if not now:
        return Draft("ghost", content, _id(before)).killed()
    draft = Draft("ghost", content, _id(now))
    # An e-mail that was "sent" is no page either.
    live = now.get("status") == "published"
    draft.article["pubstatus"] = "usable" if live else "withheld"
    draft.time("updated", now.get("updated_at"), given)
    draft.time("published", now.get("published_at"), given)
    draft.edition(now.get("locale"), given)
    draft.line("headline", now.get("title"))
    draft.line("summary", now.get("custom_excerpt"))
    draft.url(now.get("url") if live else _page(draft, now), given, now.get("slug"))
    if now.get("visibility", "public") == "public":
        draft.body(now.get("html"))
    else:
        draft.miss("body_html", f"is left out: the post is for {str(now['visibility'])[:40]}, not for everybody")
    tags = [tag for tag in objects(now.get("tags")) if tag.get("visibility") != "internal"]
    sections = [*objects(now.get("primary_tag")), *tags]
    draft.line("section", next((tag.get("name") for tag in sections), None))
    draft.lines("subjects", (tag.get("name") for tag in tags))
    draft.lines("authors", (author.get("name") for author in objects(now.get("authors"))))
    if now.get("feature_image"):
        draft.image(url=now["feature_image"], caption=now.get("feature_image_caption") or now.get("feature_image_alt"))
    return draft.published()


def recognizes(value: Any) -> bool:
    """Whether JSON looks like the body of a Ghost webhook."""
    return isinstance(value, dict) and isinstance(value.get("post"), dict) and "current" in value["post"]


def _id(post: dict[str, Any]) -> str:
    said = identity(post.get("id"))
    return f"ghost-{said}" if said else ""


def _page(draft: Draft, post: dict[str, Any]) -> str | None:
    said, slug = post.get("url"), post.get("slug")
    if not isinstance(said, str) or not isinstance(slug, str) or not slug:
        return None
    try:
        parts = urlsplit(said)
    except ValueError:
        return None
    if not parts.path.startswith("/p/"):
        return said
    draft.miss("url", "is only said for a preview; the site's default address of the post is taken")
    return f"{parts.scheme}://{parts.netloc}/{slug}/"


ADAPTER = Adapter("ghost", "webhooks of Ghost 5 and 6", read, recognizes)
