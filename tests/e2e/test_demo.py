"""`dateline demo` shows what it promises: it is the first thing that a newcomer sees."""

from __future__ import annotations

from command_line import dateline

HOLDS = "The record holds 5 events, 5 revisions of 3 articles, "


def test_everything_that_should_have_arrived_did() -> None:
    done = dateline("demo")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Everything that should have arrived did, and nothing else." in done.stdout
    for words in (
        "hh-2026-0301  version 2",
        "hh-2026-0303  killed",
        "withdrawn by the publisher",
        "hh-2026-0303-v2.json",
        "hh-2026-0303.json (canceled)",
        HOLDS,
    ):
        assert words in done.stdout
