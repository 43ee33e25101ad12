"""Requests to Azure Storage signed by Shared Key: an HMAC of what the request is, by the key of the account.

Source: Azure Storage REST API, "Authorize with Shared Key", for the Blob service in versions from 2015-02-21 on.
"""

from __future__ import annotations

import hmac
from base64 import b64decode, b64encode
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

# The fields that are signed by their value alone, in this order, between the method and the x-ms fields.
_SIGNED = (
    *("content-encoding", "content-language", "content-length", "content-md5", "content-type", "date"),
    *("if-modified-since", "if-match", "if-none-match", "if-unmodified-since", "range"),
)


class SharedKey(NamedTuple):
    """Who signs: a storage account, and its key in base64. A repr has no key in it."""

    account: str
    key: str

    def __repr__(self) -> str:
        return f"SharedKey({self.account!r})"

    def authorization(
        self, method: str, url: str, query: Mapping[str, str], headers: Iterable[str], length: int
    ) -> str:
        """Return the value of Authorization for a request.

        `url`: without its query, percent-encoded as it is sent. `query`: its parameters, decoded. `headers`: the lines
        that are sent, with x-ms-date among them. `length`: of the body, in bytes.
        """
        fields = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in headers)}
        fields["content-length"] = str(length) if length else ""
        ours = "".join(f"{name}:{fields[name]}\n" for name in sorted(fields) if name.startswith("x-ms-"))
        parameters = "".join(f"\n{name.lower()}:{query[name]}" for name in sorted(query))
        resource = f"/{self.account}{urlsplit(url).path}{parameters}"
        values = "\n".join(fields.get(name, "") for name in _SIGNED)
        text = f"{method}\n{values}\n{ours}{resource}"
        digest = hmac.digest(b64decode(self.key), text.encode(), "sha256")
        return f"SharedKey {self.account}:{b64encode(digest).decode()}"
