"""How many there are of something, in English: "1 article", "2 articles". The desk's other languages: web/desk."""

from __future__ import annotations


def counted(count: int, singular: str, plural: str) -> str:
    """Return a number and what is so many: the singular of one, the plural of any other number, none as well."""
    return f"{count:,} {singular if count == 1 else plural}"
