"""Fingerprints of a text: they recognise a killed text on a page, although nothing of the text may be kept.

A fingerprint is a short hash of a few words in a row. It shows whether a page still has these words; the words can't be
read from it. Words are compared after `fold`, without punctuation, vowel marks and invisible characters, so that a
site's markup, typography and line ends make no difference.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable, Sequence
from hashlib import blake2b
from heapq import nsmallest
from itertools import accumulate, chain

from feeds.article import Article
from feeds.formats.body import parse_html
from feeds.page_text import lines
from feeds.text import fold

WORDS = 8
"""Words of one fingerprint: no other text has so many of them in a row by chance."""
FEWEST = 3
"""Lines with fewer words get no fingerprint: other pages have the same lines."""
MOST = 32
"""Most fingerprints of one revision."""
HISTORY_MOST = 128
"""Most fingerprints of all revisions of an article together; those of the newest come first."""
_OPENING = 4
"""Fingerprints of the beginning of the text: some partners have the right to no more than that."""

# Words joined by hyphens are one word. Otherwise the end of an address, "ferries-return", would pass for the headline.
_WORD = re.compile(r"\w+(?:-\w+)*")
_IGNORED_CHARACTERS = dict.fromkeys(
    code
    for block in (range(0xAD, 0x3100), range(0xFE00, 0xFF00))
    for code in block
    if unicodedata.category(chr(code)) in {"Mn", "Cf"}
) | {0x2010: "-"}


def fingerprints(article: Article) -> tuple[str, ...]:
    """Return the fingerprints of an article: of its headline, its summary, its opening, and a sample of all its text.

    A passage has the same fingerprints in every revision that did not change it. An article of a few words has none.
    """
    body_lines = lines(parse_html(article.body_html)) if article.body_html else ()
    windows_of_body = list(chain.from_iterable(_windows(_words(line)) for line in body_lines))
    ends = [
        windows[i]
        for line in (article.headline, article.summary)
        if (windows := _windows(_words(line)))
        for i in (0, -1)
    ]
    # The smallest hashes are a sample that a change in one place leaves the same in other places.
    sample = nsmallest(MOST, ((len(window) < WORDS, _fingerprint(window)) for window in windows_of_body))
    opening = windows_of_body[: _OPENING * WORDS : WORDS]
    distinct = dict.fromkeys((*map(_fingerprint, (*ends, *opening)), *(mark for _, mark in sample)))
    return tuple(distinct)[:MOST]


def remembered(before: Sequence[str], replaced: Article | None) -> tuple[str, ...]:
    """Return the fingerprints to keep when another revision replaces `replaced`; `before` were kept until then.

    A partner may have missed a correction and still show the revision before it, so all are kept until the article is
    killed. They are forgotten when it is reinstated, that is, when a canceled revision is replaced.
    """
    if replaced is None or replaced.pubstatus == "canceled":
        return ()
    return tuple(dict.fromkeys((*fingerprints(replaced), *before)))[:HISTORY_MOST]


def count_matches(texts: Iterable[str], marks: Collection[str]) -> int:
    """Return how many of the fingerprints (`marks`) occur in the texts."""
    missing = {(int(mark[0]), bytes.fromhex(mark[1:])) for mark in marks}
    all_marks = len(missing)
    sizes = {size for size, _ in missing}
    for text in texts:
        words = [word.encode() for word in _words(text)]
        # `starts`: where each word begins in the joined words. A window is a slice of these.
        joined, starts = b" ".join(words), [0, *accumulate(len(word) + 1 for word in words)]
        for size in sizes:
            for start, end in zip(starts, starts[size:], strict=False):
                mark = (size, blake2b(joined[start : end - 1], digest_size=8).digest())
                if mark in missing:
                    missing.discard(mark)
    return all_marks - len(missing)


def _words(text: str) -> list[str]:
    return _WORD.findall(fold(text).translate(_IGNORED_CHARACTERS))


def _windows(words: list[str]) -> list[list[str]]:
    """All runs of `WORDS` words; if there are fewer words, one run of them all."""
    if len(words) < FEWEST:
        return []
    return [words[start : start + WORDS] for start in range(max(1, len(words) - WORDS + 1))]


def _fingerprint(words: Sequence[str]) -> str:
    """The number of words, and 64 bits of hash: a page of a million words matches by chance once in 10^11 pages."""
    return f"{len(words)}{blake2b(' '.join(words).encode(), digest_size=8).hexdigest()}"
