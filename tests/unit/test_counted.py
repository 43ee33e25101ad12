"""How many there are of something: one is one, and Arabic has words of its own for none, one, two, few and many."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from feeds.counted import counted
from web.desk.arabic_counted import COUNTED
from web.desk.phrases import counted_phrase
from web.desk.plurals import Forms, category
from web.desk.reasons import _TABLE, plain_reason

ROOT = Path(__file__).parents[2]
PLURALS = (
    "addresses|articles|alarms|attempts|bytes|characters|days|deliveries|endpoints|entries|events|faults|feeds|files|hours|items|"
    "keys|kills|lines|links|minutes|mistakes|pages|parts|passages|people|pictures|places|receivers|requests|revisions|"
    "scripts|seconds|sessions|subscribers|subscriptions|times|tries|workers"
)
MORE_THAN_ONE = {
    "feeds/adapters/decode.py: len(content)": "more than millions",
    "feeds/validation/element_models.py: len(text)": "more than a limit",
    "feeds/validation/sitemap.py: most": "thousands",
    "worker/intake/article_names.py: len(ids)": "asked for before",
    "worker/newsroom/event_consumer.py: failures": "five",
    "worker/outbound/requests_adapter.py: len(answer.body)": "more than a limit",
    "worker/pictures/pictures.py: latest.size": "more than a limit",
    "worker/receivers/policy.py: failing.days": "five or more",
    "worker/runtime/demo.py: counts['events']": "the demonstration has several",
    "worker/runtime/demo.py: counts['revisions']": "the demonstration has several",
    "worker/runtime/demo.py: counts['attempts']": "the demonstration has several",
    "worker/runtime/demo.py: rows['articles']": "the demonstration has several",
    "worker/runtime/demo.py: len(parsed.entries)": "how many there should be is several",
    "worker/runtime/demo.py: len(_STEPS)": "several",
}
"""Numbers that are never one where they stand before a plural, and why."""


def test_one_is_one() -> None:
    assert [counted(count, "entry", "entries") for count in (0, 1, 2, 1_000)] == [
        "0 entries",
        "1 entry",
        "2 entries",
        "1,000 entries",
    ]


def test_no_text_has_a_number_before_a_plural_by_itself() -> None:
    plurals = {
        f"{path}: {value}"
        for folder in ("feeds", "web", "worker")
        for path, value in _numbers_before_plurals(ROOT / folder)
    }
    assert plurals == MORE_THAN_ONE.keys()


def _numbers_before_plurals(folder: Path) -> Iterator[tuple[str, str]]:
    for path in folder.rglob("*.py"):
        text = path.read_text("utf-8")
        assert not re.search(r"[a-z]\(s\) ", text.replace("http(s) ", "")), path
        for node in ast.walk(ast.parse(text)):
            if not isinstance(node, ast.JoinedStr):
                continue
            for value, words in zip(node.values, node.values[1:], strict=False):
                if not isinstance(value, ast.FormattedValue) or not isinstance(words, ast.Constant):
                    continue
                written = ast.unparse(value.value)
                is_constant = written.rpartition(".")[2].lstrip("_").isupper()
                if re.match(rf" (more |open |new |other )?({PLURALS})\b", str(words.value)) and not is_constant:
                    yield str(path.relative_to(ROOT)), written


def test_each_number_on_a_page_has_its_forms() -> None:
    phrases = set()
    for path in (*ROOT.glob("web/desk/templates/*.html"), *ROOT.glob("web/partner/templates/*.html")):
        template = path.read_text("utf-8")
        for words in re.findall(r'\bt\("([^"]*\{\w+\}[^"]*)"', template):
            assert not re.search(rf"\}} ({PLURALS})\b", words), (path.name, words)
        phrases |= set(re.findall(r'\bn\("([^"]+)", "([^"]+)", ', template))
        assert len(re.findall(r"\bn\(", template)) == len(re.findall(r'\bn\("[^"]+", "[^"]+", ', template)), path.name
    assert {other for _, other in phrases} == COUNTED.keys()
    for one, other in phrases:
        assert one != other
        assert _places(one) | {"count"} == _places(other)


def test_each_form_has_the_number_where_it_is_not_a_word() -> None:
    tables: list[tuple[str, str, str | Forms]] = [("count", *item) for item in COUNTED.items()]
    tables += [("number", *item) for item in _TABLE.items()]
    for number, english, forms in tables:
        if isinstance(forms, str):
            continue
        assert number in _places(english)
        for name, words in forms._asdict().items():
            assert words.strip() == words != ""
            assert _places(words) <= _places(english), english
            if name in {"few", "many", "other"}:
                assert _places(words) == _places(english), english


def _places(words: str) -> set[str]:
    return set(re.findall(r"\{(\w+)\}", words))


@pytest.mark.parametrize(
    ("count", "expected"),
    [
        (0, "zero"),
        (1, "one"),
        (2, "two"),
        (3, "few"),
        (10, "few"),
        (11, "many"),
        (99, "many"),
        (100, "other"),
        (102, "other"),
        (103, "few"),
        (111, "many"),
        (1_000, "other"),
    ],
)
def test_arabic_has_six_kinds_of_numbers(count: int, expected: str) -> None:
    assert category("ar", count) == expected


def test_what_people_read() -> None:
    def both(count: int) -> tuple[str, str]:
        phrase = ("{count} subscriber", "{count} subscribers", count)
        english, arabic = (counted_phrase(language, *phrase).format(count=count) for language in ("en", "ar"))
        return english, arabic

    assert both(0) == ("0 subscribers", "لا مشتركين")
    assert both(1) == ("1 subscriber", "مشترك واحد")
    assert both(2) == ("2 subscribers", "مشتركان")
    assert both(3) == ("3 subscribers", "3 مشتركين")
    assert both(11) == ("11 subscribers", "11 مشتركًا")
    assert both(100) == ("100 subscribers", "100 مشترك")


@pytest.mark.parametrize(
    ("english", "arabic"),
    [
        ("1 subscription ends soon and was not renewed", "اشتراك واحد ينتهي قريبًا ولم يُجدَّد"),
        ("12 subscriptions end soon and were not renewed", "12 اشتراكًا ينتهي قريبًا ولم يُجدَّد"),
        ("not confirmed by 1 of 1 receiver", "لم يؤكدها المتلقي الوحيد"),
        ("not confirmed by 2 of 3 receivers", "لم يؤكدها 2 من 3 متلقّين"),
        ("not confirmed by 2 of 1,000 receivers", "لم يؤكدها 2 من 1,000 متلقٍّ"),
        ("no success for 6 days; at last no connection", "لا نجاح منذ 6 أيام؛ وآخر سبب: تعذّر الاتصال"),
    ],
)
def test_reasons_count_too(english: str, arabic: str) -> None:
    assert plain_reason("ar", english) == arabic
    assert plain_reason("en", english) == english
