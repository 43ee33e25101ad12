"""The words of the desk: each phrase of a template has its Arabic, with the same values in it."""

from __future__ import annotations

import re
from pathlib import Path

from web.desk.advice import advice
from web.desk.arabic import ARABIC as OF_THE_DESK
from web.desk.arabic_partner import ARABIC_OF_PARTNERS
from worker.management.scopes import SCOPES

WEB = Path(__file__).parents[2] / "web"
ARABIC = OF_THE_DESK | ARABIC_OF_PARTNERS
SAME = {"Redis"}
"""Names, which are the same in all languages."""


def test_each_phrase_of_a_template_has_its_arabic() -> None:
    phrases = {
        words
        for path in (*WEB.glob("desk/templates/*.html"), *WEB.glob("partner/templates/*.html"))
        for _, words in re.findall(r"""\bt\(\s*(["'])(.+?)\1\s*[,)]""", path.read_text("utf-8"))
    }
    assert len(phrases) > 250
    assert phrases - ARABIC.keys() - SAME == set()


def test_each_scope_has_its_arabic() -> None:
    assert set(SCOPES.values()) <= ARABIC.keys()


def test_nothing_is_asked_by_the_clock() -> None:
    """A page hears of what there is news of (web/desk/desk_news.py)."""
    for path in (*WEB.glob("desk/templates/*.html"), *WEB.glob("partner/templates/*.html")):
        assert not re.search(r'hx-trigger="[^"]*\bevery\b', path.read_text("utf-8")), path


def test_each_has_the_same_values_in_both_languages() -> None:
    for english, arabic in ARABIC.items():
        assert set(re.findall(r"\{\w+\}", english)) == set(re.findall(r"\{\w+\}", arabic)), english


def test_each_advice_has_its_arabic() -> None:
    page = {"url": "https://partner.example/1", "verdict": "there"}
    row = {"receiver": "portal", "status": "", "standing": "behind", "why": "", "page": None}
    rows = [
        row,
        row | {"why": "503"},
        row | {"page": page},
        row | {"page": page | {"verdict": "unproven"}, "status": "killed"},
        row | {"receiver": "(subscriptions)"},
        *(row | {"standing": standing} for standing in ("paused", "parked", "refused", "removed")),
    ]
    texts = [advice(row).text for row in rows]
    assert len(set(texts)) == len(rows)
    assert set(texts) <= ARABIC.keys()
