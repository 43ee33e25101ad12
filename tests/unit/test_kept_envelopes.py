"""Envelopes that are kept are those that are made anew."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feeds.entry import Tombstone
from feeds.formats import FEED_FORMATS, READERS
from feeds.formats.interface import FeedFormat
from feeds.machine_rights import MachineRights
from tests.unit.test_formats import ARCHIVE, CHANNEL, TIMES, TOMBSTONES, article_entry
from worker.documents.kept_envelopes import KeptEnvelopes

NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)
SAYS_TIMES = replace(CHANNEL, title="<updated>2026</updated> <lastBuildDate>", machines=MachineRights(train=False))

every_format = pytest.mark.parametrize("feed_format", FEED_FORMATS.values(), ids=FEED_FORMATS)


@every_format
@given(
    asked=st.lists(
        st.tuples(
            st.sampled_from(
                (CHANNEL, ARCHIVE, SAYS_TIMES, replace(CHANNEL, title="Other", logo_url="https://e.example/l"))
            ),
            TIMES,
            st.lists(TOMBSTONES, max_size=2),
            st.integers(1, 2),
        ),
        max_size=4,
    )
)
@settings(deadline=None, max_examples=10)
def test_what_is_kept_is_what_is_made_anew(
    feed_format: FeedFormat, asked: list[tuple[object, datetime, list[Tombstone], int]]
) -> None:
    envelopes = KeptEnvelopes()
    for channel, updated, tombstones, times in asked:
        for later in range(times):
            now = replace(channel, updated=updated + timedelta(minutes=later))  # type: ignore[type-var]
            assert envelopes.make(feed_format, now, tombstones) == feed_format.envelope(now, tombstones)


@pytest.mark.parametrize("feed_format", READERS, ids=lambda feed_format: feed_format.name)
def test_what_readers_take_is_not_made_again_for_another_time(feed_format: FeedFormat) -> None:
    envelopes, made = KeptEnvelopes(), []

    def envelope(*what: object) -> object:
        made.append(what)
        return feed_format.envelope(*what)  # type: ignore[arg-type]

    counted = replace(feed_format, envelope=envelope)
    stone = Tombstone("tag:e.example,2026:article/x", NOW, notice=article_entry())
    for minute in range(3):
        envelopes.make(counted, replace(CHANNEL, updated=NOW + timedelta(minutes=minute)), [stone])
    assert len(made) == 1
    envelopes.make(counted, replace(CHANNEL, updated=NOW), [replace(stone, notice=article_entry(headline="Another"))])
    assert len(made) == 2
