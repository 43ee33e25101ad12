"""The words of the desk in its languages. English is in the templates; what has no translation stays so."""

from __future__ import annotations

from typing import TYPE_CHECKING

from web.desk.arabic import ARABIC
from web.desk.arabic_counted import COUNTED
from web.desk.arabic_partner import ARABIC_OF_PARTNERS
from web.desk.plurals import category

if TYPE_CHECKING:
    from starlette.requests import Request

LANGUAGES = {"en": "English", "ar": "العربية"}
"""Code -> name, in that language."""
COOKIE = "dateline_language"
_PHRASES = {"en": {}, "ar": ARABIC | ARABIC_OF_PARTNERS}
_COUNTED = {"en": {}, "ar": COUNTED}


def phrase(language: str, text: str) -> str:
    """Return a phrase in a language."""
    return _PHRASES[language].get(text, text)


def counted_phrase(language: str, singular: str, plural: str, count: int) -> str:
    """Return what a language says of so many. `singular`: what English says of one, `plural`: of any other number."""
    forms = _COUNTED[language].get(plural)
    if forms is not None:
        return forms.of(language, count)
    return singular if category("en", count) == "one" else plural


def language_of(request: Request) -> str:
    """Return the language that somebody has chosen, or else the first of the browser's that the desk speaks."""
    chosen = request.cookies.get(COOKIE, "")
    if chosen in LANGUAGES:
        return chosen
    for entry in request.headers.get("accept-language", "").split(","):
        code = entry.partition(";")[0].strip().lower().partition("-")[0]
        if code in LANGUAGES:
            return code
    return "en"
