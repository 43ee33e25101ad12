"""`dateline validate`: files, addresses and feeds, what it finds in them, and what it says of what is none of them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from command_line import dateline
from newsroom import Newsroom

GOLDEN = Path(__file__).parents[1] / "golden"


def test_good_files_have_no_findings() -> None:
    names = ("rss", "atom", "json", "ninjs31.json", "newsmlg2.xml", "native.json")
    done = dateline("validate", *(str(GOLDEN / "arabic" / f"expected.{name}") for name in names))
    assert (0, "") == (done.returncode, done.stderr)
    assert done.stdout == (
        "no findings in 1 rss feed, 1 atom feed, 1 json feed, 1 ninjs31 article, 1 newsmlg2 article, 1 json article\n"
    )


def test_findings_are_told_with_their_line(tmp_path: Path) -> None:
    broken = tmp_path / "broken.rss"
    document = (GOLDEN / "english" / "expected.rss").read_text("utf-8").replace("><", ">\n<")
    link = "<link>https://www.harbour-herald.example/latest"
    assert link in document
    broken.write_text(document.replace(link, "<link>harbour", 1), "utf-8")
    line = document.partition(link)[0].count("\n") + 1
    done = dateline("validate", str(broken))
    said = f"{broken}:{line}: link 'harbour' is no absolute address (rss.channel.link)\n1 finding in 1 rss feed\n"
    assert (1, said, "") == (done.returncode, done.stdout, done.stderr)
    done = dateline("validate", "-", "--json", stdin=broken.read_text("utf-8"))
    assert done.returncode == 1
    assert json.loads(done.stdout) == [
        {
            "document": "standard input",
            "kind": "feed",
            "format": "rss",
            "line": line,
            "rule": "rss.channel.link",
            "reason": "link 'harbour' is no absolute address",
            "source": "standard",
        }
    ]


def test_others_are_judged_by_the_standard_and_ours_by_the_house(tmp_path: Path) -> None:
    good = tmp_path / "quay.rss"
    good.write_text(
        '<rss version="2.0"><channel><title>Quay</title><link>https://quay.example/</link><description/>'
        "<item><title>Cranes</title><pubDate>Wed, 2 Oct 24 08:00 EST</pubDate></item></channel></rss>",
        "utf-8",
    )
    done = dateline("validate", str(good))
    assert (0, "no findings in 1 rss feed\n", "") == (done.returncode, done.stdout, done.stderr)
    done = dateline("validate", str(good), "--house")
    assert done.returncode == 1
    assert "item must have guid (rss.item.guid; house rule)" in done.stdout
    assert "3 findings in 1 rss feed" in done.stdout


def test_the_format_can_be_said(tmp_path: Path) -> None:
    rss = str(GOLDEN / "english" / "expected.rss")
    done = dateline("validate", rss, "--format", "smartnews")
    assert done.returncode == 1
    assert "(smartnews.channel.logo)" in done.stdout
    event = tmp_path / "event.json"
    event.write_text('{"type": "article.published"}')
    for file, kind in ((event, "article"), (GOLDEN / "english" / "expected.json", "feed")):
        assert f" in 1 json {kind}\n" in dateline("validate", str(file), "--format", "json").stdout


def test_what_a_document_holds_can_not_break_a_line(tmp_path: Path) -> None:
    file = tmp_path / "odd.json"
    file.write_text(json.dumps({"uri": "a", "\n\x1b[31mred\ud800\u202e": 1}))
    done = dateline("validate", str(file))
    assert (1, "") == (done.returncode, done.stderr)
    assert r"\n\x1b[31mred\ud800\u202e is no property" in done.stdout


def test_a_feed_is_checked_as_it_is_served(newsroom: Newsroom) -> None:
    newsroom.publish("checked-1", "s9", headline="Short")
    newsroom.receiver.until(lambda: newsroom.store.changes.size("s9") == 1, 20, "the article")
    config = ("--config", str(newsroom.config))
    done = dateline("validate", "s9", "--format", "atom", *config)
    assert (0, "no findings in 1 atom feed\n", "") == (done.returncode, done.stdout, done.stderr)
    # What the gate keeps out is not in the document, and is told; so is a feed that it keeps back.
    done = dateline("validate", "s9", *config)
    assert done.returncode == 1
    assert "s9.msn: article checked-1 is kept out: title must have 21 to 150 characters, has 5" in done.stdout
    assert "channel must have logo (smartnews.channel.logo); that is why it is not served" in done.stderr
    done = dateline("validate", newsroom.topic("s9", "msn"), newsroom.topic("s9", "rss"), *config)
    assert (0, "no findings in 1 msn feed, 1 rss feed\n") == (done.returncode, done.stdout)

    # To look, and to ask for a format that nobody was promised, parks nothing and tells nobody.
    assert "checked-1" not in dateline("feeds", "--parked", *config).stdout
    assert {} == newsroom.store.refusals.all("msn")
    assert [] == newsroom.receiver.at("/operations")


def test_entries_keep_their_ids(newsroom: Newsroom) -> None:
    settings = newsroom.config.read_text("utf-8")
    other = newsroom.config.with_name("other.toml")
    other.write_text(settings.replace('"herald.example,2026"', '"elsewhere.example,2026"'), "utf-8")
    done = dateline("worker", "--config", str(other))
    assert done.returncode == 2
    assert 'set it to "herald.example,2026"' in done.stderr.replace("\n", " ")


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("nowhere.rss", "nowhere.rss: there is no such file, and no such feed; the feeds are "),
        (".", ".: is a folder; name the files in it"),
        ("x" * 300, "File name too long"),
        ("empty", "empty: is empty"),
        ("binary", "binary: is of no format that is known; if it should be, say --format: rss, atom"),
        ("huge", "huge: has more than 52,428,800 bytes, which no format allows"),
        ("http://127.0.0.1:1/x.rss", "http://127.0.0.1:1/x.rss: "),
        ("http://192.0.2.7/x.rss", "http://192.0.2.7/x.rss: "),
        ("https://", "https://: "),
        ("en", "no Dateline is running with its data in data; start one with `dateline up`"),
    ],
)
def test_what_can_not_be_read_is_one_clear_line(tmp_path: Path, source: str, message: str) -> None:
    (tmp_path / "empty").write_bytes(b" \n")
    (tmp_path / "binary").write_bytes(bytes(range(256)))
    with (tmp_path / "huge").open("wb") as file:
        file.truncate(50 * 1024 * 1024 + 1)
    good = GOLDEN / "english" / "expected.atom"
    done = dateline("validate", source, str(good), cwd=tmp_path)
    assert (2, "no findings in 1 atom feed\n") == (done.returncode, done.stdout)
    assert message in done.stderr
    assert 1 == done.stderr.count("\n")


def test_a_redis_that_does_not_answer_is_one_clear_line(tmp_path: Path) -> None:
    variables = {"DATELINE_REDIS_URL": "redis://127.0.0.1:1/0"}
    done = dateline("validate", "en", cwd=tmp_path, variables=variables)
    assert (2, "") == (done.returncode, done.stdout)
    assert done.stderr.startswith("dateline: en: Redis does not answer (")
    assert 1 == done.stderr.count("\n")
    done = dateline("render", "en", "--format", "rss", cwd=tmp_path, variables=variables)
    assert (1, "") == (done.returncode, done.stdout)
    assert done.stderr.startswith("dateline: Redis does not answer (")
    assert 1 == done.stderr.count("\n")


def test_an_unknown_format_names_the_known() -> None:
    done = dateline("validate", "-", "--format", "pdf")
    assert (2, "") == (done.returncode, done.stdout)
    assert done.stderr.startswith("dateline: --format: there is no format pdf; known: rss, atom, json, smartnews")
