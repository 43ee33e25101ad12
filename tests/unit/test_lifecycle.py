"""What becomes of an article when an event arrives."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds import event
from feeds.article import Article
from feeds.lifecycle import Accept, Decision, Hold, Ignore, decide

NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def sent(time: datetime = NOW, kind: str = "article.published", **fields: Any) -> Any:
    article = {"id": "hh-1", "headline": "Ferries return", "url": "https://e.example/a"} | fields
    return event.read({"id": "evt-1", "type": kind, "time": time, "article": article}, NOW)


def kill(time: datetime = NOW, version: int | None = None) -> Any:
    return event.read(
        {"id": "evt-k", "type": "article.killed", "time": time, "article": {"id": "hh-1", "version": version}}, NOW
    )


def held(time: datetime = NOW - HOUR, **fields: Any) -> Article:
    decision = decide(None, sent(time, **fields), NOW)
    assert isinstance(decision, Accept | Hold)
    return decision.article


def accepted(decision: Decision) -> Article:
    assert isinstance(decision, Accept)
    return decision.article


def test_the_first_event_publishes() -> None:
    decision = decide(None, sent(summary="At last"), NOW)
    assert isinstance(decision, Accept)
    assert decision.change == "published"
    article = decision.article
    assert (article.version, article.published, article.updated, article.summary) == (1, NOW, NOW, "At last")


def test_whether_an_article_is_new_is_not_for_the_sender_to_say() -> None:
    first = decide(None, sent(kind="article.corrected"), NOW)
    assert isinstance(first, Accept)
    assert first.change == "published"
    second = decide(first.article, sent(kind="article.published", headline="Ferries stay"), NOW)
    assert isinstance(second, Accept)
    assert second.change == "corrected"


class TestReinstate:
    def test_nothing_else_brings_a_killed_article_back(self) -> None:
        killed = accepted(decide(held(), kill(), NOW))
        assert decide(killed, sent(version=99), NOW) == Ignore("killed")
        assert decide(killed, sent(kind="article.reinstated", pubstatus="canceled"), NOW) == Ignore("killed")

    def test_it_comes_back_as_new_in_a_higher_version(self) -> None:
        killed = accepted(decide(held(), kill(), NOW))
        decision = decide(killed, sent(NOW + HOUR, kind="article.reinstated", summary="Cleared"), NOW + HOUR)

        assert isinstance(decision, Accept)
        assert (decision.change, decision.article.version) == ("published", killed.version + 1)
        assert (decision.article.pubstatus, decision.article.summary) == ("usable", "Cleared")
        assert decision.article.published == killed.published

    def test_not_under_the_number_of_the_kill(self) -> None:
        killed = accepted(decide(held(), kill(version=7), NOW))
        assert decide(killed, sent(kind="article.reinstated", version=7), NOW) == Ignore("stale")
        assert isinstance(decide(killed, sent(kind="article.reinstated", version=8), NOW), Accept)

    def test_of_an_article_that_was_never_killed_it_is_a_correction(self) -> None:
        decision = decide(held(), sent(kind="article.reinstated", headline="Ferries stay"), NOW)
        assert isinstance(decision, Accept)
        assert decision.change == "corrected"


def test_the_sender_may_give_version_and_times() -> None:
    first = sent(version=9, published="2026-03-01T08:00:00Z", updated="2026-03-02T08:00:00Z")
    article = accepted(decide(None, first, NOW))
    assert article.version == 9
    assert article.published == datetime(2026, 3, 1, 8, tzinfo=UTC)
    assert article.updated == datetime(2026, 3, 2, 8, tzinfo=UTC)


def test_updated_is_never_before_published() -> None:
    article = accepted(decide(None, sent(published=NOW, updated=NOW - HOUR), NOW))
    assert article.updated == NOW


def test_a_correction_without_version_counts_one_up_and_keeps_published() -> None:
    current = held(version=4)
    article = accepted(decide(current, sent(headline="Ferries stay"), NOW))
    assert article.version == 5
    assert article.headline == "Ferries stay"
    assert article.published == current.published
    assert article.updated == NOW


def test_a_newer_version_with_the_same_text_is_a_correction() -> None:
    assert accepted(decide(held(version=1), sent(version=2), NOW)).version == 2


def test_an_article_made_by_the_life_cycle_is_one_that_would_be_taken() -> None:
    article = held(body_html="<p>a", images=[{"url": "https://e.example/x.jpg"}])
    assert Article.model_validate(article.model_dump()) == article


@pytest.mark.parametrize("version", [None, 3])
def test_the_same_revision_again_is_a_duplicate(version: int | None) -> None:
    assert decide(held(version=3), sent(version=version), NOW) == Ignore("duplicate")


def test_a_repeat_with_a_new_time_of_sending_is_a_duplicate() -> None:
    assert decide(held(), sent(NOW, updated=NOW), NOW) == Ignore("duplicate")


def test_an_older_version_is_stale() -> None:
    assert decide(held(version=3), sent(version=2, headline="Ferries stay"), NOW) == Ignore("stale")


def test_the_same_version_with_another_text_is_a_conflict() -> None:
    assert decide(held(version=3), sent(version=3, headline="Ferries stay"), NOW) == Ignore("conflict")


def test_without_version_an_older_change_is_stale() -> None:
    current = held(NOW)
    assert decide(current, sent(NOW - HOUR, headline="Ferries stay"), NOW) == Ignore("stale")
    assert decide(current, sent(NOW, updated=NOW - HOUR, headline="Ferries stay"), NOW) == Ignore("stale")


def test_a_correction_before_the_planned_publication_is_not_stale() -> None:
    current = held(published=NOW + HOUR, embargoed=NOW + HOUR)
    assert current.updated == NOW + HOUR
    decision = decide(current, sent(NOW, headline="Ferries stay", embargoed=NOW + HOUR), NOW)
    assert isinstance(decision, Hold)
    assert decision.article.headline == "Ferries stay"


def test_a_post_that_was_scheduled_appears_with_the_time_of_its_last_change() -> None:
    """WordPress does not touch `modified` when it publishes what was scheduled."""
    modified = NOW - 15 * HOUR
    scheduled = held(published=NOW, updated=modified, pubstatus="withheld")
    assert scheduled.updated == NOW  # as readers are shown
    published = accepted(decide(scheduled, sent(NOW, published=NOW, updated=modified), NOW))
    assert published.pubstatus == "usable"
    # And what was written before that stays away.
    assert decide(published, sent(NOW, updated=modified - HOUR, headline="Draft"), NOW) == Ignore("stale")


def test_a_first_publication_long_ago_is_no_time_to_order_by() -> None:
    current = held(NOW, published=NOW - 100 * HOUR)
    assert decide(current, sent(NOW - HOUR, headline="Ferries stay"), NOW) == Ignore("stale")


def test_a_time_that_was_still_to_come_holds_up_nothing_that_says_none() -> None:
    current = held(NOW - HOUR, updated=NOW + HOUR)
    assert isinstance(decide(current, sent(NOW, headline="Ferries stay"), NOW), Accept)
    assert decide(current, sent(NOW, updated=NOW, headline="Ferries stay"), NOW) == Ignore("stale")


def test_within_one_second_it_counts_which_came_first() -> None:
    second = NOW - HOUR
    last = accepted(decide(None, sent(second, updated=second), NOW, NOW))
    first = sent(second, updated=second, headline="Without its picture yet")
    assert decide(last, first, NOW, NOW - timedelta(milliseconds=1)) == Ignore("stale")


def test_what_was_kept_before_the_times_were_noted_is_ordered_by_what_was_said() -> None:
    unsaid = Article.stored(held(NOW).model_dump_json(exclude={"revised", "arrived"}))
    assert isinstance(decide(unsaid, sent(NOW - HOUR, headline="Ferries stay"), NOW), Accept)
    said = Article.stored(held(NOW, published=NOW - HOUR, updated=NOW).model_dump_json(exclude={"revised", "arrived"}))
    assert decide(said, sent(NOW - HOUR, headline="Ferries stay"), NOW) == Ignore("stale")


REVISIONS = st.lists(
    st.tuples(st.none() | st.integers(0, 3), st.sampled_from("abc")),
    min_size=2,
    unique_by=lambda revision: revision[1],
)


@given(REVISIONS, st.randoms())
def test_without_numbers_the_same_revision_wins_in_whatever_order_they_are_handled(
    revisions: list[tuple[int | None, str]], chance: Any
) -> None:
    came = [
        (
            sent(NOW, updated=None if said is None else NOW - (4 + said) * HOUR, headline=headline),
            NOW + place * timedelta(milliseconds=1),
        )
        for place, (said, headline) in enumerate(revisions)
    ]
    # What says no time happened when it came.
    came = [(each.model_copy(update={"time": arrived}), arrived) for each, arrived in came]

    def last(handled: list[Any]) -> str:
        current: Article | None = None
        for each, arrived in handled:
            decision = decide(current, each, NOW + HOUR, arrived)
            current = current if isinstance(decision, Ignore) else decision.article
        assert current is not None
        return current.headline

    shuffled = list(came)
    chance.shuffle(shuffled)
    assert last(came) == last(shuffled)


def test_an_embargoed_revision_is_held() -> None:
    decision = decide(None, sent(embargoed=NOW + HOUR), NOW)
    assert isinstance(decision, Hold)
    assert decision.until == NOW + HOUR
    assert not decision.article.visible(NOW)
    assert decision.article.visible(decision.until)


def test_an_embargo_that_is_over_holds_nothing() -> None:
    assert isinstance(decide(None, sent(embargoed=NOW), NOW), Accept)


def test_a_kill_keeps_who_it_was_and_none_of_the_text() -> None:
    current = held(version=4, edition="ar", summary="At last", body_html="<p>Text</p>", authors=["A"])
    decision = decide(current, kill(), NOW)
    assert isinstance(decision, Accept)
    assert decision.change == "killed"
    killed = decision.article
    assert (killed.id, killed.version, killed.pubstatus) == ("hh-1", 5, "canceled")
    assert (killed.edition, killed.url, killed.published) == ("ar", current.url, current.published)
    assert killed.updated == NOW
    assert (killed.headline, killed.summary, killed.body_html, killed.authors) == ("", "", "", ())


@pytest.mark.parametrize(("version", "expected"), [(None, 5), (1, 5), (4, 5), (5, 5), (9, 9)])
def test_a_kill_is_never_stale_and_always_newer(version: int | None, expected: int) -> None:
    killed = accepted(decide(held(version=4), kill(NOW - 2 * HOUR, version), NOW))
    assert killed.version == expected
    assert killed.updated == NOW - HOUR


def test_a_kill_is_never_held() -> None:
    current = held(embargoed=NOW + HOUR)
    assert accepted(decide(current, kill(), NOW)).pubstatus == "canceled"


@pytest.mark.parametrize(("version", "expected"), [(None, 1), (7, 7)])
def test_a_kill_of_an_unknown_article_is_kept(version: int | None, expected: int) -> None:
    killed = accepted(decide(None, kill(version=version), NOW))
    assert (killed.id, killed.version, killed.url, killed.pubstatus) == ("hh-1", expected, "", "canceled")
    assert decide(killed, sent(version=3), NOW) == Ignore("killed")


def test_a_kill_is_final() -> None:
    killed = accepted(decide(held(), kill(), NOW))
    assert decide(killed, sent(version=99, headline="Back again"), NOW) == Ignore("killed")
    assert decide(killed, kill(version=99), NOW) == Ignore("duplicate")


def test_the_state_canceled_is_a_kill_too() -> None:
    current = held(version=4, edition="ar")
    decision = decide(current, sent(version=2, pubstatus="canceled"), NOW)
    assert isinstance(decision, Accept)
    assert decision.change == "killed"
    assert (decision.article.version, decision.article.edition, decision.article.headline) == (5, "ar", "")


def test_a_withheld_article_is_accepted_and_not_visible() -> None:
    article = accepted(decide(held(), sent(pubstatus="withheld"), NOW))
    assert not article.visible(NOW)


EVENTS = st.one_of(
    st.builds(
        lambda hours, headline, version, wait: sent(
            NOW - hours * HOUR,
            headline=headline,
            version=version,
            embargoed=None if wait is None else NOW + wait * HOUR,
        ),
        st.integers(0, 5),
        st.sampled_from("abc"),
        st.none() | st.integers(1, 5),
        st.none() | st.integers(-1, 1),
    ),
    st.builds(
        lambda hours, version: kill(NOW - hours * HOUR, version), st.integers(0, 5), st.none() | st.integers(1, 5)
    ),
)


@given(st.lists(EVENTS, max_size=8))
def test_versions_rise_and_nothing_follows_a_kill(events: list[Any]) -> None:
    current: Article | None = None
    for arrived in events:
        decision = decide(current, arrived, NOW)
        if isinstance(decision, Ignore):
            assert current is not None
            continue
        if current is not None:
            assert current.pubstatus != "canceled"
            assert decision.article.version > current.version
        current = decision.article
        # The same event once more changes nothing.
        assert isinstance(decide(current, arrived, NOW), Ignore)


@given(EVENTS)
def test_a_decision_does_not_change_what_we_hold(arrived: Any) -> None:
    current = held(version=2)
    before = current.model_dump()
    decide(current, arrived, NOW)
    assert current.model_dump() == before
