"""Characters as people see them: UAX #29, extended grapheme clusters."""

from __future__ import annotations

import regex

from feeds.text import legal

CHARACTER = regex.compile(r"\X")


def cut(text: str, most: int) -> str:
    """Return the beginning of `text`, at most `most` characters long, with its isolates closed.

    It is cut between characters as people see them: a letter keeps its vowel signs and joiners, an emoji its parts (UAX
    #29, extended grapheme clusters).
    """
    if len(text) <= most:
        return text
    ends = [0]
    for character in CHARACTER.finditer(text):
        if character.end() > most:
            break
        ends.append(character.end())
    # The characters that close isolates count too.
    return next(beginning for end in reversed(ends) if len(beginning := legal(text[:end])) <= most)
