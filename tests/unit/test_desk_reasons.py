"""Reasons of failures in the language of the visitor: ours are translated, a partner's own words are marked."""

from __future__ import annotations

import re

import pytest

from web.api.problems import not_there
from web.desk.arabic_reasons import REASONS
from web.desk.pages import span
from web.desk.plurals import Forms
from web.desk.reasons import _TABLE, plain_reason, reason
from worker.outbound import errors, file_transfer
from worker.outbound.engine import _CROWDED
from worker.receivers.endpoint_states import _PAUSED
from worker.receivers.policy import status_phrase


@pytest.mark.parametrize(
    "text",
    [
        *errors._REASONS.values(),
        *_PAUSED.values(),
        _CROWDED,
        errors.reason_of(7, "Failed to connect to 127.0.0.1 port 9 after 0 ms: Could not connect to server"),
        *(errors.reason_of(code, "") for code in (6, 7, 28, 35, 52, 56)),
        f"answered {status_phrase(503)}",
        "suspended: no success for 5 days; at last Recv failure: Connection reset by peer",
        "3 up to date, 2 behind",
        "answered 404 Not Found, 3 times while others were taken; tried again at 2026-03-04 11:00:00 UTC",
        "answered 500; gone from https://p.example/1 at 2026-03-04 11:00:00 UTC: the page has none of the text",
        "it takes no alarms since 2026-03-04T11:00:00Z: no connection",
        "Failed to connect to 127.0.0.1:9 after 0 ms: Could not connect to server",
        "not proven gone at 2026-03-04 11:00:00 UTC: no connection: Connection refused",
        "the connection broke: [Errno 111] Connection refused",
        "sign-in refused: 535 no",
        "greeting refused: 550 no",
        "the server answers otherwise than SMTP has it",
        "it lets nobody sign in by a password, only by XOAUTH2",
        "the broker did not keep it: its queue is full",
        *(meaning for _, meaning in (*file_transfer._REFUSALS.values(), *file_transfer._FAULTS.values())),
        *(f"{meaning}: no answer in time" for _, meaning in file_transfer._REFUSALS.values()),
        not_there("article", "ferry").detail,
        "there is no endpoint ferry",
        "mira lacks the scope articles:kill",
    ],
)
def test_our_own_reasons_are_in_arabic(text: str) -> None:
    shown = reason("ar", text)
    assert 'lang=""' not in shown
    assert re.search("[\u0600-\u06ff]", shown)
    # What is left in Latin letters are values, each apart from the words around it.
    rest = re.sub(r"<bdi.*?</bdi>", "", shown)
    assert set(re.findall("[A-Za-z]{3,}", rest)) <= {"UTC", "HTTP", "FTP", "SMTP", "libcurl"}
    pieces = reason("en", text).split("</span>")
    assert all(piece.removeprefix("; ").startswith('<span lang="en" dir="ltr">') for piece in pieces[:-1])
    assert plain_reason("en", text) == text


@pytest.mark.parametrize(
    ("english", "arabic"),
    [
        (
            "answered 404 Not Found, 3 times while others were taken; tried again at 2026-03-04 11:00:00 UTC",
            "أجاب: 404 Not Found، 3 مرات بينما استُلمت غيرها؛ تُعاد المحاولة في 2026-03-04 11:00:00 UTC",
        ),
        (
            "no connection: Connection refused, 1 time while others were taken; tried again at 2026-03-04 11:00:00 UTC",
            "تعذّر الاتصال: رُفض الاتصال، مرة واحدة بينما استُلمت غيرها؛ تُعاد المحاولة في 2026-03-04 11:00:00 UTC",
        ),
        (
            "answered 500 Internal Server Error; gone at 2026-03-04 11:00:00 UTC: the page has none of the text",
            "أجاب: 500 Internal Server Error؛ أُزيلت في 2026-03-04 11:00:00 UTC: ليس في الصفحة شيء من النص",
        ),
    ],
)
def test_a_reason_within_a_reason_is_in_the_language_too(english: str, arabic: str) -> None:
    assert plain_reason("ar", english) == arabic


def test_a_partners_own_words_stay_and_are_marked() -> None:
    for language in ("en", "ar"):
        assert reason(language, "Bitte später <b>") == '<span dir="auto" lang="">Bitte später &lt;b&gt;</span>'
    mixed = reason("ar", "kept back by the gate: <script>alert(1)</script>")
    assert "<script>" not in mixed
    assert "&lt;script&gt;" in mixed
    assert plain_reason("ar", "no connection") == REASONS["no connection"]
    assert plain_reason("ar", "Bitte später") == "Bitte später"
    assert reason("ar", None) == reason("ar", "") == ""


def test_a_full_stop_is_not_part_of_a_name() -> None:
    for text in ("there is no endpoint radio.", "There is no article radio.", "mira lacks the scope radio."):
        assert reason("ar", text).endswith('<bdi dir="auto">radio</bdi>.')


def test_what_is_very_long_is_shown_as_it_is() -> None:
    text = "answered " + "; ".join("x" * 50 for _ in range(1_000))
    assert text in reason("ar", text)


def test_both_languages_have_the_same_places() -> None:
    for english, arabic in _TABLE.items():
        if isinstance(arabic, Forms):  # test_counted.py
            continue
        assert sorted(re.findall(r"\{\w+\}", english)) == sorted(re.findall(r"\{\w+\}", arabic)), english


@pytest.mark.parametrize(
    ("seconds", "english", "arabic"),
    [
        (0, "0.0 s", "0.0 ث"),
        (12, "12 s", "12 ث"),
        (180, "3 min", "3 د"),
        (7_200, "2 h", "2 س"),
        (432_000, "5 d", "5 ي"),
    ],
)
def test_units_are_in_the_language(seconds: float, english: str, arabic: str) -> None:
    assert (span("en", seconds), span("ar", seconds)) == (english, arabic)
