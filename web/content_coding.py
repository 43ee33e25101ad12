"""Content codings: which one a client gets (RFC 9110, section 12.5.3), and how a document is put into it."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from functools import lru_cache

import brotli
import zstandard

from web.header_fields import qualities

IDENTITY = "identity"

# The smallest first, as each is made once and sent often. Levels that take a few milliseconds for a feed of 40 kB.
CODINGS: dict[str, Callable[[bytes], bytes]] = {
    "br": lambda body: brotli.compress(body, brotli.MODE_TEXT, quality=5),
    "zstd": lambda body: zstandard.ZstdCompressor(level=9).compress(body),  # RFC 8878
    "gzip": lambda body: gzip.compress(body, 6, mtime=0),  # without a time: the same document, the same bytes
}

_MOST_CHARACTERS = 256
"""No client sends a longer Accept-Encoding; one that does gets no coding."""
_ALIASES = {"x-gzip": "gzip"}  # section 8.4.1.3


def preferred(accept_encoding: str | None) -> str:
    """Return the coding that the client prefers, by its q-values and then by size.

    `identity` for a client that names none, and for one that accepts none of ours: a document is better than a 406.
    """
    if accept_encoding is None or len(accept_encoding) > _MOST_CHARACTERS:
        return IDENTITY
    return _preferred(accept_encoding)


# Clients send the same few values; with a bound, because a client may send anything.
@lru_cache(maxsize=1024)
def _preferred(accept_encoding: str) -> str:
    accepted = {_ALIASES.get(coding, coding): quality for coding, quality in qualities(accept_encoding).items()}
    # A coding that is not named counts as "*"; `identity` is acceptable unless ruled out, and comes last.
    unnamed = accepted.get("*", 0.0)
    weights = {coding: accepted.get(coding, unnamed) for coding in CODINGS}
    weights[IDENTITY] = accepted.get(IDENTITY, unnamed if "*" in accepted else 0.0001)
    best = max(weights, key=lambda coding: weights[coding])
    return best if weights[best] > 0 else IDENTITY
