"""The table `indexnow` of an endpoint: by which key search engines know that it is us."""

from __future__ import annotations

import re
from typing import Annotated, ClassVar

from pydantic import AfterValidator, Field, SecretStr

from config.destination_settings import DestinationSettings
from feeds.article_values import Url

_KEY = re.compile(r"[A-Za-z0-9-]{8,128}")


def _key(key: SecretStr) -> SecretStr:
    if not _KEY.fullmatch(key.get_secret_value()):
        raise ValueError("must be 8 to 128 letters, digits and hyphens (indexnow.org)")
    return key


class IndexNowSettings(DestinationSettings):
    """Addresses that have changed, for search engines. The endpoint's `url` is that of one, which tells the others."""

    default_url: ClassVar[str] = "https://api.indexnow.org/indexnow"
    schemes: ClassVar[tuple[str, ...]] = ("https", "http")
    uses: ClassVar[frozenset[str]] = frozenset({"tls"})
    modes: ClassVar[tuple[str, ...]] = ("feed",)

    key: Annotated[SecretStr, AfterValidator(_key)] = Field(repr=False)
    """The key. A file of its name and `.txt` at the root of the site has it as its text."""
    key_location: Url | None = None
    """Where that file is, if it is elsewhere on the site."""

    @property
    def rate(self) -> float:
        """One call a second, with all that has changed until then."""
        return 1.0
