"""Events become signed pushes to WebSub subscribers: over real sockets, through real worker processes."""

from __future__ import annotations

import hashlib
import hmac
import json

import feedparser
from newsroom import Newsroom
from receiver import Request


def versions(request: Request) -> dict[str, str]:
    """What a push says: article id -> headline."""
    return {entry.id.rpartition("/")[2]: entry.title for entry in feedparser.parse(request.body).entries}


def test_a_subscriber_gets_a_signed_push_with_the_right_headers(newsroom: Newsroom, section: str) -> None:
    newsroom.subscribe(section, "/signed", secret="ключ")
    newsroom.publish("signed-1", section)
    push = newsroom.receiver.wait("/signed")[0]
    expected = hmac.new("ключ".encode(), push.body, hashlib.sha256).hexdigest()
    assert f"sha256={expected}" == push.headers["x-hub-signature"]
    assert push.headers["content-type"] == "application/atom+xml; charset=utf-8"
    links = f'<{newsroom.base_url}/hub>; rel="hub", <{newsroom.topic(section)}>; rel="self"'
    assert links == push.headers["link"]
    assert versions(push) == {"signed-1": "signed-1, version 1"}


def test_without_a_secret_nothing_is_signed(newsroom: Newsroom, section: str) -> None:
    newsroom.subscribe(section, "/unsigned", fmt="rss")
    newsroom.publish("unsigned-1", section)
    push = newsroom.receiver.wait("/unsigned")[0]
    assert "x-hub-signature" not in push.headers
    assert push.headers["content-type"] == "application/rss+xml; charset=utf-8"


def test_the_first_push_is_the_feed_and_later_ones_are_what_changed(newsroom: Newsroom, section: str) -> None:
    newsroom.publish("first-1", section)
    newsroom.publish("first-2", section)
    newsroom.receiver.until(lambda: newsroom.store.changes.size(section) == 2, 20, "both articles")
    newsroom.subscribe(section, "/first", fmt="rss")
    assert len(newsroom.receiver.wait("/first")[0].body) > 0
    newsroom.publish("first-3", section)
    first, second = newsroom.receiver.wait("/first", 2)
    assert [["first-2", "first-1"], ["first-3"]] == [list(versions(push)) for push in (first, second)]


def test_of_a_json_topic_every_push_is_the_topic_to_the_byte(newsroom: Newsroom, section: str) -> None:
    # W3C WebSub, section 7: only in Atom and RSS may a push leave out what was delivered.
    newsroom.subscribe(section, "/json", fmt="json")
    for number, text in ((1, "json-1, version 1"), (2, "json-2, version 1")):
        newsroom.publish(f"json-{number}", section)
        newsroom.receiver.wait("/json", number)
        assert text.encode() in newsroom.receiver.at("/json")[-1].body
    newsroom.kill("json-1")
    last = newsroom.receiver.wait("/json", 3)[2].body
    assert newsroom.until_in_feed(section, "withdrawn by the publisher", fmt="json").content == last
    marks = ["canceled" in item["_dateline"] for item in json.loads(last)["items"]]
    assert [False, True] == marks


def test_a_correction_is_never_followed_by_the_older_revision(newsroom: Newsroom, section: str) -> None:
    newsroom.subscribe(section, "/corrected")
    for version in range(1, 11):
        newsroom.publish("corrected-1", section, version)
    newsroom.receiver.until(
        lambda: any("version 10" in push.body.decode() for push in newsroom.receiver.at("/corrected")), 20, "version 10"
    )
    numbers = [int(versions(push)["corrected-1"].rpartition(" ")[2]) for push in newsroom.receiver.at("/corrected")]
    assert sorted(numbers) == numbers
    assert numbers[-1] == 10


def test_a_kill_is_told_and_the_text_is_gone(newsroom: Newsroom, section: str) -> None:
    newsroom.subscribe(section, "/killed")
    newsroom.publish("killed-1", section)
    newsroom.receiver.wait("/killed")
    newsroom.kill("killed-1")
    kill = newsroom.receiver.wait("/killed", 2)[1].body.decode()
    assert '<at:deleted-entry ref="tag:herald.example,2026:article/killed-1"' in kill
    assert "This is the text" not in kill
    assert "This is the text" not in newsroom.until_in_feed(section, "deleted-entry").text
    # And it is final.
    newsroom.publish("killed-1", section, 9)
    newsroom.publish("killed-2", section)
    newsroom.receiver.until(
        lambda: any("killed-2" in push.body.decode() for push in newsroom.receiver.at("/killed")),
        20,
        "the next article",
    )
    assert not any("killed-1, version 9" in push.body.decode() for push in newsroom.receiver.at("/killed"))


def test_a_receiver_that_was_down_catches_up_with_one_push(newsroom: Newsroom, section: str) -> None:
    newsroom.subscribe(section, "/down")
    up, taken = False, []

    def moody(request: Request) -> tuple[int, bytes]:
        if not up:
            return 503, b"closed for repairs"
        taken.append(request)
        return 204, b""

    newsroom.receiver.behave["/down"] = moody
    newsroom.publish("down-1", section)
    newsroom.receiver.wait("/down")
    newsroom.publish("down-1", section, 2)
    newsroom.publish("down-2", section)
    newsroom.publish("down-3", section)
    newsroom.receiver.until(lambda: newsroom.store.changes.head(section).seq == 4, 20, "all changes")
    # What was made before, and comes when it is up, would be taken as well.
    newsroom.receiver.until(lambda: len(versions(newsroom.receiver.at("/down")[-1])) == 3, 60, "a try with all of them")
    up = True
    newsroom.publish("down-4", section)
    newsroom.receiver.until(lambda: newsroom.is_settled(section), 20, "the receiver to be up to date")
    expected = {"down-1": "down-1, version 2", **{f"down-{n}": f"down-{n}, version 1" for n in (2, 3, 4)}}
    # All that was tried while it was down is in what it takes now; down-4 may come in the same push or after it.
    assert expected == {name: title for push in taken for name, title in versions(push).items()}
    assert len(taken) <= 2


def test_410_ends_a_subscription(newsroom: Newsroom, section: str) -> None:
    newsroom.subscribe(section, "/gone")
    newsroom.receiver.behave["/gone"] = lambda _: (410, b"")
    newsroom.publish("gone-1", section)
    newsroom.receiver.until(lambda: newsroom.subscriptions(section) == 0, 20, "the end of the subscription")


def test_a_redirect_is_not_followed(newsroom: Newsroom, section: str) -> None:
    newsroom.subscribe(section, "/moved")
    target = f"{newsroom.receiver.url}/elsewhere"
    newsroom.receiver.behave["/moved"] = lambda _: (307, b"", {"Location": target})
    newsroom.publish("moved-1", section)
    newsroom.receiver.wait("/moved")
    newsroom.receiver.until(lambda: newsroom.store.receivers.counts(section)["backoff"] == 1, 20, "backoff")
    assert newsroom.receiver.at("/elsewhere") == []
