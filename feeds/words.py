"""The words of a text, as they are indexed and asked for: the same on every database, which only gets what is cut here.

Text is folded by the table of the selectors (`text.fold`), and Latin and Greek letters lose their accents besides:
Greek has none in capitals, and a person who looks for a name may not know how it is spelt. A word is a run of letters,
marks and digits. Chinese, Japanese, Thai, Lao, Khmer and Burmese put no spaces between words: of each run of theirs
every two neighbouring characters are a word, and the last one by itself. So any part of such a run is found, whatever
words it is made of.
"""

from __future__ import annotations

import itertools
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from typing import TYPE_CHECKING, NamedTuple

import regex

from feeds.text import fold, text_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from feeds.article import Article

BREAK = "\ue000"
"""Stands between two fields, so that no phrase begins in one and ends in the other. It is in no word."""
WORD_MOST = 64
"""Of a longer word the beginning is kept, in characters."""
WORDS_MOST = 16_000
"""So many words of an article are indexed: PostgreSQL counts no further (textsearch limitations, section 12.11)."""
_BYTES_MOST = 500_000
"""And so many bytes of them: PostgreSQL has room for 1 MB, the places of the words included."""
_CHARACTER_BYTES = 4
"""So many bytes a character has at the most."""
_SHORT = 40
"""What stands between two spaces is remembered up to this length, in characters."""
ASKED_MOST = 64
"""So many words may be asked for at once."""

_ACCENTS = regex.compile(r"(?<=[\p{Latin}\p{Greek}])[\u0300-\u036f]+")
_UNSPACED = r"\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}\u3005\u3006\u30fc"
_WORD = regex.compile(
    rf"(?P<run>(?:[[\p{{L}}\p{{N}}]&&[{_UNSPACED}]]\p{{M}}*)+)"
    rf"|[[\p{{L}}\p{{N}}]--[{_UNSPACED}]][[\p{{L}}\p{{N}}\p{{M}}]--[{_UNSPACED}]]*",
    regex.V1,
)
_CHARACTER = regex.compile(r".\p{M}*")
# A phrase in quotes, up to the end where the closing one is missing; or whatever stands between spaces.
_PART = regex.compile(r'"([^"]*)(?:"(\*?)|\Z)|([^\s"]+)')


class NoWords(ValueError):
    """A search that can't be made; the message says why, in words that follow the name of the option."""


@dataclass(frozen=True, slots=True)
class Phrase:
    """Words that stand one after the other. `beginning`: of the last one only the beginning is given."""

    words: tuple[str, ...]
    beginning: bool = False


class _Run(NamedTuple):
    word: str
    characters: tuple[str, ...]
    """Of a run without spaces."""


def words_of(text: str) -> list[str]:
    """Return the words of a text, in order, folded."""
    return [
        word
        for part in text.split()
        for word in (_words_of_part(part) if len(part) <= _SHORT else _words_of_part.__wrapped__(part))
    ]


@lru_cache(maxsize=32_768)
def _words_of_part(part: str) -> tuple[str, ...]:
    """The words of what stands between two spaces. Most of what is written was written before: to fold it is slow."""
    return tuple(word for run in _runs(part) for word in _cut(run))


def words_of_article(article: Article) -> list[str]:
    """Return the words by which an article is found, in order, at most WORDS_MOST, with BREAK between its fields."""
    fields = (
        *(article.headline, article.summary, text_of(article.body_html), article.section, article.dateline),
        *(*article.subjects, *article.authors, article.source),
        *(line for image in article.images for line in (image.caption, image.credit)),
    )
    words: list[str] = []
    for text in filter(None, fields):
        if words:
            words.append(BREAK)
        words += words_of(text)
        if len(words) > WORDS_MOST:
            break
    return _within_bytes(words[:WORDS_MOST])


def _within_bytes(words: list[str]) -> list[str]:
    """The first of the words, as many as there is room for."""
    if sum(map(len, words)) * _CHARACTER_BYTES <= _BYTES_MOST:
        return words
    sizes = accumulate(len(word.encode()) for word in words)
    return words[: sum(size <= _BYTES_MOST for size in sizes)]


def phrases_of(search: str) -> tuple[Phrase, ...]:
    """Return what a person looks for: each word and each "phrase in quotes" has to be there; `*` ends a beginning.

    Nothing that a person can write is an error of syntax. Raises NoWords when there is no word in it, or too many.
    """
    phrases = tuple(phrase for phrase in _phrases(search) if phrase.words)
    if not phrases:
        raise NoWords("has no word to look for")
    if sum(len(phrase.words) for phrase in phrases) > ASKED_MOST:
        raise NoWords(f"has more than {ASKED_MOST} words: give fewer")
    return tuple(dict.fromkeys(phrases))


def _phrases(search: str) -> Iterator[Phrase]:
    # Wide quotes and stars are those of Chinese and Japanese keyboards.
    for part in _PART.finditer(search.replace("\uff02", '"').replace("\uff0a", "*")):
        quoted, star, bare = part.groups()
        text = quoted if bare is None else bare
        yield _phrase(text, beginning=bool(star) or text.endswith("*"))


def _phrase(text: str, *, beginning: bool) -> Phrase:
    runs = list(_runs(text))
    if not runs or not runs[-1].characters:
        return Phrase(tuple(word for run in runs for word in _cut(run)), beginning)
    *before, last = runs
    # What is looked for may go on where the run of the text does: its last character is no word of its own there.
    ending = _cut(last)[:-1] or _cut(last)
    return Phrase((*(word for run in before for word in _cut(run)), *ending), beginning=len(last.characters) == 1)


def _runs(text: str) -> Iterator[_Run]:
    folded = unicodedata.normalize("NFC", _ACCENTS.sub("", unicodedata.normalize("NFD", fold(text))))
    for match in _WORD.finditer(folded):
        run = match["run"]
        yield _Run(match[0], tuple(_CHARACTER.findall(run)) if run else ())


def _cut(run: _Run) -> list[str]:
    """The words of a run."""
    characters = run.characters
    if not characters:
        return [run.word[:WORD_MOST]]
    pairs = [first + second for first, second in itertools.pairwise(characters)]
    return [word[:WORD_MOST] for word in (*pairs, characters[-1])]
