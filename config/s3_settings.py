"""The table `s3` of an endpoint: how its bucket is written to."""

from __future__ import annotations

import re
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field

from config.credentials import SomeSecret
from config.feed_document_settings import FeedDocumentSettings
from feeds.file_names import check_template

_REGION = re.compile(r"[a-z0-9-]{1,40}")


def checked_region(region: str) -> str:
    """Return the name of a region of Amazon's. Raises ValueError."""
    if not _REGION.fullmatch(region):
        raise ValueError('must be the name of a region such as "eu-central-1", or "auto"')
    return region


class S3Settings(FeedDocumentSettings):
    """How objects are named and written in a bucket, and who we are there.

    The endpoint's `url` is that of the bucket, in its path or in its host.
    """

    schemes: ClassVar[tuple[str, ...]] = ("https", "http")
    uses: ClassVar[frozenset[str]] = frozenset({"gzip", "tls"})

    key_id: SomeSecret = Field(repr=False)
    """The id of the access key."""
    secret: SomeSecret = Field(repr=False)
    """The access key."""
    region: Annotated[str, AfterValidator(checked_region)] = "us-east-1"
    """Where the bucket is, as its signature names it; R2 and GCS want "auto"."""
    name: Annotated[str, AfterValidator(check_template)] = "{date}/{id}.{ext}"
    """The name of an article's object: {id}, {version}, {date} of its first publication, {edition}, {digest},
    {ext}."""
    on_kill: Literal["notice", "remove", "both"] = "notice"
    """What a kill leaves: a notice in the article's place, nothing, or a notice and nothing of the text."""
    all_versions: bool = False
    """Whether a kill also removes what the bucket keeps of earlier versions."""
    conditional: bool = True
    """Whether objects are written on the condition that nothing newer lies there; only for stores that know none."""
