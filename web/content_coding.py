"""Content codings: which one a client gets (RFC 9110, section 12.5.3), and how a document is put into it."""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable
from functools import lru_cache

import brotli
import zstandard

IDENTITY = "identity"

# The smallest first, as each is made once and sent often. Levels that take a few milliseconds for a feed of 40 kB.
CODINGS: dict[str, Callable[[bytes], bytes]] = {
    "br": lambda body: brotli.compress(body, brotli.MODE_TEXT, quality=5),
    "zstd": lambda body: zstandard.ZstdCompressor(level=9).compress(body),  # RFC 8878
    "gzip": lambda body: gzip.compress(body, 6, mtime=0),  # without a time: the same document, the same bytes
}

_QVALUE = re.compile(r"(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)", re.ASCII)
_LONGEST = 256
"""A longer Accept-Encoding is nobody's, and not read."""
_ALIASES = {"x-gzip": "gzip"}  # section 8.4.1.3


def chosen(accept_encoding: str | None) -> str:
    """Return the coding that the client likes best, by its q-values and then by size.

    `identity` for a client that does not say, and for one that takes none of ours: a document is better than a 406.
    """
    if accept_encoding is None or len(accept_encoding) > _LONGEST:
        return IDENTITY
    return _chosen(accept_encoding)


# Clients send the same few values; bounds, because anybody may send anything.
@lru_cache(maxsize=1024)
def _chosen(accept_encoding: str) -> str:
    wants = qualities(accept_encoding)
    # What is not named is as "*" is; `identity` is acceptable unless ruled out, and comes after what is asked for.
    rest = wants.get("*", 0.0)
    wanted = {coding: wants.get(coding, rest) for coding in CODINGS}
    wanted[IDENTITY] = wants.get(IDENTITY, rest if "*" in wants else 0.0001)
    best = max(wanted, key=lambda coding: wanted[coding])
    return best if wanted[best] > 0 else IDENTITY


def qualities(value: str) -> dict[str, float]:
    """Return how much each of the names in a list is wanted: its q-value (section 12.4.2), 0 for one that is none."""
    return dict(map(_read, value.lower().split(",")))


def _read(part: str) -> tuple[str, float]:
    coding, *parameters = (word.strip() for word in part.split(";"))
    quality = 1.0
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            quality = float(value) if _QVALUE.fullmatch(value.strip()) else 0.0
    return _ALIASES.get(coding, coding), quality
