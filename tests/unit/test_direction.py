"""The direction of every language that Unicode's CLDR knows."""

from __future__ import annotations

import unicodedata

import pytest
from babel.core import get_global

from feeds.direction import _SCRIPTS, direction


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        ("ar", "rtl"),
        ("fa-IR", "rtl"),
        ("ur", "rtl"),
        ("en", "ltr"),
        ("tr", "ltr"),
        ("az", "ltr"),
        ("az-Arab", "rtl"),
        ("az-IR", "rtl"),
        ("pa-Arab-PK", "rtl"),
        ("PA-pk", "rtl"),
        ("pa-IN", "ltr"),
        ("ur-Latn-PK", "ltr"),
        ("ar-1994", "rtl"),
        ("ur-Aran", "rtl"),
        ("ff-Adlm", "rtl"),
        ("sd-IN", "ltr"),
        ("skr", "rtl"),
        ("iw", "rtl"),
        ("prs", "rtl"),
        ("en-x-arab", "ltr"),
        ("", "ltr"),
    ],
)
def test_direction(language: str, expected: str) -> None:
    assert expected == direction(language)


def test_every_language_of_cldr_is_written_as_its_script_is() -> None:
    likely = {tag.replace("_", "-"): whole.split("_")[1] for tag, whole in get_global("likely_subtags").items()}
    wrong = {
        tag: script
        for tag, script in likely.items()
        if not tag.startswith("und") and (direction(tag) == "rtl") is not (script.lower() in _SCRIPTS)
    }
    assert {} == wrong


def test_old_and_long_codes_are_the_same_languages() -> None:
    aliases = {old: new for old, new in get_global("language_aliases").items() if "_" not in old and "_" not in new}
    assert {} == {old: new for old, new in aliases.items() if direction(old) != direction(new)}


@pytest.mark.parametrize(
    ("script", "letter"),
    [("arab", "\u0627"), ("hebr", "\u05d0"), ("thaa", "\u0780"), ("nkoo", "\u07ca"), ("latn", "a")],
)
def test_scripts_go_as_their_letters_do(script: str, letter: str) -> None:
    assert (unicodedata.bidirectional(letter) in {"R", "AL"}) is (script in _SCRIPTS)
