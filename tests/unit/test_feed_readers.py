"""What feed readers tell of their subscribers in their User-Agent."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.feed_readers import KNOWN_READERS, SUBSCRIBERS_MOST, Readership, may_tell, readership_of

# As the services themselves write them.
TELLING = {
    "Feedly/1.0 (+http://www.feedly.com/fetcher.html; 12 subscribers; like FeedFetcher-Google)": ("Feedly", 12),
    "Feedly/1.0 (+https://feedly.com/poller.html; 16 subscribers; )": ("Feedly", 16),
    "FeedlyBot/1.0 (http://feedly.com; 1 subscriber)": ("Feedly", 1),
    "NewsBlur Feed Fetcher - 54 subscribers - https://www.newsblur.com/site/1/the-herald "
    '("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36")': ("NewsBlur", 54),
    "Inoreader/1.0 (+http://www.inoreader.com/feed-fetcher; 23 subscribers; )": ("Inoreader", 23),
    "Mozilla/5.0 (compatible; inoreader.com; 7 subscribers)": ("Inoreader", 7),
    "Feedbin feed-id:1373711 - 142 subscribers": ("Feedbin", 142),
    "Mozilla/5.0 (compatible; theoldreader.com; 34 subscribers; feed-id=5a3)": ("The Old Reader", 34),
    "Tiny Tiny RSS/21.05 (http://tt-rss.org/; 3 subscribers)": ("Tiny Tiny RSS", 3),
    "Mozilla/5.0 (compatible; BazQux/2.4; +https://bazqux.com/fetcher; 55 subscribers)": ("BazQux", 55),
    "FeedHQ/1.0 (https://feedhq.org; 1,204 subscribers)": ("FeedHQ", 1204),
    "LiveJournal.com (webmaster@livejournal.com; for http://www.livejournal.com/users/x/; 12 readers)": (
        *("LiveJournal", 12),
    ),
    "Netvibes (http://www.netvibes.com/; 4 subscribers; feedId: 8)": ("Netvibes", 4),
    "Quay Reader/3.1 (+https://quay.example; 5 Subscribers)": ("Quay Reader", 5),
    "Mozilla/5.0 (compatible; Quay-Bot 2; 5 subscribers)": ("Quay-Bot 2", 5),
}
SILENT = [
    "",
    "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    "Tiny Tiny RSS/21.05 (Unsupported) (https://tt-rss.org/)",
    "NetNewsWire (RSS Reader; https://netnewswire.com/)",
    "Miniflux/2.2.9",
    "Feedly/1.0 (0 subscribers)",
    "Feedly/1.0 (many subscribers)",
    "Feedly/1.0 (x5 subscribers)",
    f"Feedly/1.0 ({SUBSCRIBERS_MOST + 1} subscribers)",
    "Feedly/1.0 (9999999999999 subscribers)",
    "Feedly/1.0 (1.5 subscribers)",
    "Feedly/1.0 (١٢ subscribers)",
    "12 subscribers",
    f"Quay/1.0 ({'x' * 400} 12 subscribers)",
]


@pytest.mark.parametrize("user_agent", TELLING)
def test_what_services_tell(user_agent: str) -> None:
    assert readership_of(user_agent) == Readership(*TELLING[user_agent])
    assert may_tell(user_agent.encode())


@pytest.mark.parametrize("user_agent", SILENT)
def test_who_tells_nothing(user_agent: str) -> None:
    assert readership_of(user_agent) is None


PIECES = st.sampled_from(
    [*TELLING, "Mozilla/5.0 (compatible; ", " 7 subscribers", " reader", "٣", "\0", "\ud800", "\n", "/"]
)


@given(st.one_of(st.text(), st.lists(st.one_of(PIECES, st.text(max_size=5)), max_size=8).map("".join)))
def test_whatever_is_written_it_is_bounded(user_agent: str) -> None:
    answer = readership_of(user_agent)
    if answer is None:
        return
    assert 0 < answer.subscribers <= SUBSCRIBERS_MOST
    assert 0 < len(answer.reader) <= 40
    assert answer.reader in KNOWN_READERS or (answer.reader.isascii() and answer.reader.isprintable())
    assert may_tell(user_agent.encode("utf-8", "replace"))


@given(st.integers(1, SUBSCRIBERS_MOST), st.sampled_from(["Feedly", "Quay"]))
def test_the_number_is_read_as_it_stands(number: int, name: str) -> None:
    for text in (f"{number}", f"{number:,}"):
        assert readership_of(f"{name}/1.0 (+https://reader.example; {text} subscribers)") == Readership(name, number)


@pytest.mark.parametrize(
    "unit", ["1", "1,", " ", "1 ", "Mozilla/5.0 (compatible; ", "a" * 10 + " ", "1,111 subscriber"]
)
def test_no_header_takes_long(unit: str) -> None:
    begun = time.process_time()
    readership_of(unit * (1_000_000 // len(unit)))
    assert time.process_time() - begun < 1
