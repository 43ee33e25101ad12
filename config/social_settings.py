"""The tables `mastodon` and `bluesky` of an endpoint: whose posts they are, and what is in them."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field

from config.credentials import SomeSecret
from config.destination_settings import DestinationSettings
from config.value_types import Token
from feeds.post_template import check_template


def _with_link(template: str) -> str:
    if "{url}" not in check_template(template):
        raise ValueError("must have {url}: by its link the post is known again")
    return template


class MastodonSettings(DestinationSettings):
    """An account of a Mastodon server, whose address is the endpoint's `url`."""

    schemes: ClassVar[tuple[str, ...]] = ("https", "http")
    uses: ClassVar[frozenset[str]] = frozenset({"tls"})
    modes: ClassVar[tuple[str, ...]] = ("article",)

    token: Token = Field(repr=False)
    """The access token of an application of the account."""
    template: Annotated[str, AfterValidator(_with_link)] = "{headline}\n\n{url}"
    """The text of a post: {headline}, {summary}, {section}, {url}."""
    visibility: Literal["public", "unlisted", "private"] = "public"
    """Who sees the posts."""


class BlueskySettings(DestinationSettings):
    """An account on Bluesky. The endpoint's `url` is that of the server where it is."""

    schemes: ClassVar[tuple[str, ...]] = ("https", "http")
    default_url: ClassVar[str] = "https://bsky.social"
    uses: ClassVar[frozenset[str]] = frozenset({"tls"})
    modes: ClassVar[tuple[str, ...]] = ("article",)

    handle: SomeSecret = Field(repr=False)
    """The account: its handle or DID."""
    password: SomeSecret = Field(repr=False)
    """An app password of the account."""
    template: Annotated[str, AfterValidator(check_template)] = "{headline}"
    """The text of a post: {headline}, {summary}, {section}, {url}; the card below it has the link in any case."""
