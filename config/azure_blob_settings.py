"""The table `azure_blob` of an endpoint: how its container is written to."""

from __future__ import annotations

import base64
import binascii
import re
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field, SecretStr

from config.feed_document_settings import FeedDocumentSettings
from feeds.file_names import check_template

_ACCOUNT = re.compile(r"[a-z0-9]{3,24}")


def _account(name: str) -> str:
    if not _ACCOUNT.fullmatch(name):
        raise ValueError("must be the name of a storage account: 3 to 24 small letters and digits")
    return name


def _key(key: SecretStr) -> SecretStr:
    try:
        decoded = base64.b64decode(key.get_secret_value(), validate=True)
    except (binascii.Error, ValueError):
        decoded = b""
    if len(decoded) < 16:
        raise ValueError("must be an access key of the storage account, in base64")
    return key


class AzureBlobSettings(FeedDocumentSettings):
    """How blobs are named and written in a container of Azure Blob Storage, and who we are there.

    The endpoint's `url` is that of the container.
    """

    schemes: ClassVar[tuple[str, ...]] = ("https", "http")
    uses: ClassVar[frozenset[str]] = frozenset({"gzip", "tls"})

    account: Annotated[str, AfterValidator(_account)]
    """The storage account."""
    key: Annotated[SecretStr, AfterValidator(_key)] = Field(repr=False)
    """One of its access keys, by which requests are signed (Shared Key)."""
    name: Annotated[str, AfterValidator(check_template)] = "{date}/{id}.{ext}"
    """The name of an article's blob: {id}, {version}, {date} of its first publication, {edition}, {digest},
    {ext}."""
    on_kill: Literal["notice", "remove", "both"] = "notice"
    """What a kill leaves: a notice in the article's place, nothing, or a notice and nothing of the text."""

    all_versions: bool = False
    """Whether a kill also removes what the account keeps of earlier versions."""

    @classmethod
    def address(cls, url: str) -> str:
        """Return the endpoint's `url`. Raises ValueError if it is none for this kind."""
        checked = super().address(url)
        if not checked.rstrip("/").partition("://")[2].partition("/")[2]:
            raise ValueError("must end with the name of the container")
        return checked
