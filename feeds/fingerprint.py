"""Fingerprints of a text: by them it is known again when nothing of it may be kept.

A fingerprint is a short hash of a few words in a row. It tells whether a page still has these words; the words can't be
read from it. Words are compared as `fold` has them, without punctuation, vowel marks and characters that can't be seen:
what a site's markup, typography and line ends may change does not count.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable, Sequence
from hashlib import blake2b
from heapq import nsmallest
from itertools import accumulate, chain

from feeds.article import Article
from feeds.formats.body import fragment
from feeds.page_text import lines
from feeds.text import fold

WORDS = 8
"""Words of a fingerprint: so many in a row are in no other text by chance."""
FEWEST = 3
"""What has fewer words than this is no text to be known by: other pages have the same."""
MOST = 32
"""Fingerprints of one text at the most."""
KEPT = 128
"""Fingerprints of all versions of an article at the most, the newest first."""
_OPENING = 4
"""Fingerprints of the first words of the text: a partner may have the right to no more of it."""

# Joined by hyphens it is one word, lest the last part of an address, such as "ferries-return", be the headline.
_WORD = re.compile(r"\w+(?:-\w+)*")
_UNHEARD = dict.fromkeys(
    code
    for block in (range(0xAD, 0x3100), range(0xFE00, 0xFF00))
    for code in block
    if unicodedata.category(chr(code)) in {"Mn", "Cf"}
) | {0x2010: "-"}


def fingerprints(article: Article) -> tuple[str, ...]:
    """Return the fingerprints of what an article says: of headline, summary, opening, and from all over its text.

    The same place of the text has the same one in every version that did not change it. An article that says next to
    nothing has none.
    """
    parts = lines(fragment(article.body_html)) if article.body_html else ()
    text = list(chain.from_iterable(_windows(_words(part)) for part in parts))
    ends = [
        windows[i]
        for line in (article.headline, article.summary)
        if (windows := _windows(_words(line)))
        for i in (0, -1)
    ]
    # Those with the smallest hashes: a sample that a change in one place does not change in others.
    spread = nsmallest(MOST, ((len(window) < WORDS, _fingerprint(window)) for window in text))
    opening = text[: _OPENING * WORDS : WORDS]
    found = dict.fromkeys((*map(_fingerprint, (*ends, *opening)), *(mark for _, mark in spread)))
    return tuple(found)[:MOST]


def remembered(before: Sequence[str], replaced: Article | None) -> tuple[str, ...]:
    """Return what is to be kept when another revision takes the place of `replaced`, of which `before` was kept.

    Somebody may have missed a correction and show the version before it, so all are kept until the article is killed;
    when it comes back from that (a canceled one is replaced), they are forgotten.
    """
    if replaced is None or replaced.pubstatus == "canceled":
        return ()
    return tuple(dict.fromkeys((*fingerprints(replaced), *before)))[:KEPT]


def found(texts: Iterable[str], sought: Collection[str]) -> int:
    """Return how many of the fingerprints the texts have."""
    missing = {(int(mark[0]), bytes.fromhex(mark[1:])) for mark in sought}
    wanted = len(missing)
    sizes = {size for size, _ in missing}
    for text in texts:
        words = [word.encode() for word in _words(text)]
        # Where each word begins in all of them joined: a window is a slice of that.
        joined, starts = b" ".join(words), [0, *accumulate(len(word) + 1 for word in words)]
        for size in sizes:
            for start, end in zip(starts, starts[size:], strict=False):
                mark = (size, blake2b(joined[start : end - 1], digest_size=8).digest())
                if mark in missing:
                    missing.discard(mark)
    return wanted - len(missing)


def _words(text: str) -> list[str]:
    return _WORD.findall(fold(text).translate(_UNHEARD))


def _windows(words: list[str]) -> list[list[str]]:
    """All runs of `WORDS` words; of fewer words, one of them all."""
    if len(words) < FEWEST:
        return []
    return [words[start : start + WORDS] for start in range(max(1, len(words) - WORDS + 1))]


def _fingerprint(words: Sequence[str]) -> str:
    """The number of words, and 64 bits of hash: a page of a million words matches by chance once in 10^11 pages."""
    return f"{len(words)}{blake2b(' '.join(words).encode(), digest_size=8).hexdigest()}"
