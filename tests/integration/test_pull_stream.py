"""What a partner reads for itself: changes and kills in order, acknowledged, counted in coverage as pushes are."""

from __future__ import annotations

import base64
import threading
import time
import zlib
from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest
from api_process import TOKEN, ApiProcess, api_process
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from newsroom import published
from receiver import Receiver

from worker.management.callers import Bounds
from worker.management.scopes import ARTICLES_PULL
from worker.receivers.pull_position import CURSOR_MOST, PullPosition, WrongCursor
from worker.store import keys

SECRET_WORDS = "Only who pays may read this sentence."
_numbers = count(1)


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory, redis_url: str) -> Iterator[ApiProcess]:
    receiver = Receiver()
    with api_process(tmp_path_factory.mktemp("pull"), redis_url, receiver, "[api]\nrequests = 100000") as process:
        yield process
    receiver.close()


class Partner:
    """A partner that reads for itself, with an endpoint of its own."""

    def __init__(self, api: ApiProcess, feed: str = "world", rights: dict[str, Any] | None = None, **more: Any) -> None:
        self.api = api
        self.name = f"p{next(_numbers)}"
        self.endpoint = f"{self.name}-pull"
        self.feed = feed
        made = api.ask("POST", "/partners", json={"name": self.name, "rights": rights or {}})
        assert made.status_code == 201, made.text
        self.add(self.endpoint, feed, **more)
        self.key = api.key(ARTICLES_PULL, bounds=Bounds(partners=(self.name,)))

    def add(self, endpoint: str, feed: str, **more: Any) -> None:
        values = {"kind": "pull", "feed": feed, "format": "json", **more}
        made = self.api.ask("POST", "/endpoints", json={"name": endpoint, "partner": self.name, "settings": values})
        assert made.status_code == 201, made.text
        assert made.json()["secret"] is None
        receivers = self.api.services.store.receivers
        self.api.until(lambda: receivers.exists(feed, f"endpoint:{endpoint}"), "receiver")

    def read(self, **query: Any) -> Any:
        return self.api.get(f"/partners/{self.name}/articles", self.key, params=query)

    def acknowledge(self, cursor: str) -> Any:
        answer = self.api.ask("POST", f"/partners/{self.name}/articles/ack", self.key, json={"cursor": cursor})
        assert answer.status_code == 200, answer.text
        return answer.json()

    def read_all(self) -> list[tuple[str, str, int]]:
        """Read and acknowledge everything; return (type, article, version)."""
        items = []
        while (part := self.read())["items"] or part["more"]:
            items += [
                (item["type"].removeprefix("article."), item["article"], item["version"]) for item in part["items"]
            ]
            assert self.acknowledge(part["next"])["complete"]
        return items

    def coverage(self, article: str) -> Any:
        rows = self.api.get(f"/articles/{article}/coverage")["receivers"]
        return next(row for row in rows if row["receiver"] == self.endpoint)


def new_id() -> str:
    return f"a{next(_numbers)}"


def kill(api: ApiProcess, article: str) -> None:
    assert api.ask("POST", f"/articles/{article}/kill").status_code == 202
    api.consume()


def test_changes_come_in_order_and_once(api: ApiProcess) -> None:
    partner = Partner(api)
    first, second = new_id(), new_id()
    api.publish(first)
    api.publish(second, body_html="<p>Second</p>")
    part = partner.read(limit=1)
    assert [item["article"] for item in part["items"]] == [first]
    assert part["more"]
    (item,) = part["items"]
    assert (item["type"], item["version"], item["pubstatus"]) == ("article.published", 1, "usable")
    assert item["document"]["article"]["id"] == first
    assert item["document"]["id"] == item["id"]
    # Until it is acknowledged it comes again, the very same.
    assert partner.read(limit=1)["items"] == part["items"]
    following = partner.read(after=part["next"])
    assert [item["article"] for item in following["items"]] == [second]
    done = partner.acknowledge(following["next"])
    assert (done["confirmed"], done["complete"]) == (2, True)
    assert partner.acknowledge(following["next"])["confirmed"] == 0
    assert partner.read()["items"] == []
    # Who has lost it may read again from an older cursor.
    assert [item["article"] for item in partner.read(after=part["next"])["items"]] == [second]
    assert partner.coverage(second)["status"] == "published"
    api.publish(first, version=2)
    assert partner.read_all() == [("corrected", first, 2)]


def test_coverage_and_receipts_count_it_as_an_endpoint(api: ApiProcess) -> None:
    partner, article = Partner(api), new_id()
    event = api.publish(article)
    assert (partner.coverage(article)["standing"], partner.coverage(article)["confirmed"]) == ("behind", False)
    part = partner.read()
    assert partner.coverage(article)["status"] == "trying-published"
    assert not partner.coverage(article)["confirmed"]
    partner.acknowledge(part["next"])
    assert (partner.coverage(article)["standing"], partner.coverage(article)["confirmed"]) == ("up to date", True)

    def row() -> Any:
        receipt = api.get(f"/events/{event['id']}")
        rows = receipt["events"][0]["receivers"]
        return next(row for row in rows if row["receiver"] == partner.endpoint)

    assert row()["standing"] == "delivered"
    listed = api.get(f"/endpoints/{partner.endpoint}")
    assert (listed["kind"], listed["health"]["behind"], listed["health"]["delivered"]) == ("pull", 0, 1)
    assert listed["health"]["failed"] == 0
    attempts = api.until(
        lambda: rows if len(rows := api.get(f"/endpoints/{partner.endpoint}/attempts")["items"]) == 2 else None,
        "attempts",
    )
    assert {attempt["outcome"] for attempt in attempts} == {"delivered", "handed_out"}


def test_a_kill_is_not_proven_before_it_is_acknowledged(api: ApiProcess) -> None:
    partner, article = Partner(api), new_id()
    api.publish(article, body_html=f"<p>{SECRET_WORDS}</p>")
    part = partner.read()
    assert SECRET_WORDS in str(part)
    kill(api, article)
    api.until(lambda: api.get(f"/articles/{article}/coverage")["article"]["pubstatus"] == "canceled", "kill")
    assert not partner.coverage(article)["confirmed"]
    # The cursor from before the kill does not stand for it.
    assert partner.acknowledge(part["next"])["confirmed"] == 0
    assert not partner.coverage(article)["confirmed"]
    after = api.until(lambda: part if (part := partner.read())["items"] else None, "notice")
    assert [(item["type"], item["pubstatus"]) for item in after["items"]] == [("article.killed", "canceled")]
    assert SECRET_WORDS not in str(after)
    assert SECRET_WORDS not in str(partner.read(after=part["items"][0]["cursor"]))
    assert not partner.coverage(article)["confirmed"]
    assert partner.acknowledge(after["next"]) == {"cursor": after["next"], "confirmed": 1, "complete": True}
    assert partner.coverage(article)["confirmed"]
    assert partner.coverage(article)["status"] == "killed"


def test_what_was_not_handed_out_is_not_acknowledged_by_any_cursor(api: ApiProcess) -> None:
    partner, other, article = Partner(api), Partner(api), new_id()
    api.publish(article)
    part = partner.read()
    kill(api, article)
    # Somebody else's cursor, of the same endpoint's name, that lies beyond the kill.
    other.read_all()
    api.publish(new_id())
    forged = str(PullPosition({partner.endpoint: 10**9}))
    done = partner.acknowledge(forged)
    assert (done["confirmed"], done["complete"]) == (0, False)
    assert not partner.coverage(article)["confirmed"]
    assert partner.acknowledge(part["next"])["complete"]
    assert [kind for kind, *_ in partner.read_all()] == ["killed", "published"]
    assert partner.coverage(article)["confirmed"]


def test_rights_are_applied_and_embargoes_kept(api: ApiProcess) -> None:
    brief, early = Partner(api, rights={"text": "headline"}), Partner(api, rights={"early": True})
    open_article, secret = new_id(), new_id()
    api.publish(open_article, body_html=f"<p>{SECRET_WORDS}</p>", summary=SECRET_WORDS)
    event = published(secret, "world", 1, headline="Not before its time")
    event["article"]["embargoed"] = "2099-01-01T00:00:00Z"
    sent = api.client.post("/events", json=event, headers={"Authorization": f"Bearer {TOKEN}"})
    assert sent.status_code == 202, sent.text
    api.consume()
    part = brief.read()
    assert [item["article"] for item in part["items"]] == [open_article]
    assert SECRET_WORDS not in str(part)
    assert "Not before its time" not in str(part)
    assert secret in [item["article"] for item in early.read()["items"]]


def test_a_delay_holds_news_and_no_notice(api: ApiProcess) -> None:
    partner = Partner(api, rights={"delay": "1h"})
    held, gone = new_id(), new_id()
    # It had this one before its delay was agreed.
    whole = Partner(api)
    api.publish(gone)
    assert partner.read()["items"] == []
    store = api.services.store
    entry = '{"version":1,"status":"published","at":1,"sha256":"AAAA"}'
    store.client.hset(keys.feed("world").ledger(partner.endpoint), gone, entry)
    api.publish(held)
    kill(api, gone)
    part = api.until(lambda: part if (part := partner.read())["items"] else None, "notice")
    assert [(item["type"], item["article"]) for item in part["items"]] == [("article.killed", gone)]
    assert not partner.coverage(gone)["confirmed"]
    assert partner.acknowledge(part["next"])["confirmed"] == 1
    assert partner.coverage(gone)["confirmed"]
    assert partner.read()["items"] == []
    assert (("published", held, 1) in whole.read_all()) is True


def test_two_endpoints_of_a_partner_are_one_stream(api: ApiProcess) -> None:
    partner = Partner(api)
    partner.add(f"{partner.name}-sport", "sport")
    first, second, third = new_id(), new_id(), new_id()
    api.publish(first, "world")
    time.sleep(0.01)
    api.publish(second, "sport")
    time.sleep(0.01)
    api.publish(third, "world")
    assert [item["article"] for item in partner.read()["items"]] == [first, second, third]
    assert [item["article"] for item in partner.read(feed="sport")["items"]] == [second]
    assert partner.read_all() == [("published", first, 1), ("published", second, 1), ("published", third, 1)]


def test_it_waits_for_what_comes(api: ApiProcess) -> None:
    partner, article = Partner(api), new_id()
    answers: list[Any] = []
    begun = time.monotonic()
    reading = threading.Thread(target=lambda: answers.append(partner.read(wait="60s")))
    reading.start()
    time.sleep(0.3)
    api.publish(article)
    reading.join(60)
    assert [item["article"] for item in answers[0]["items"]] == [article]
    assert time.monotonic() - begun < 45
    partner.acknowledge(answers[0]["next"])
    assert partner.read(wait="200ms")["items"] == []


def test_pause_resume_and_removal(api: ApiProcess) -> None:
    partner, article = Partner(api), new_id()
    assert api.ask("POST", f"/endpoints/{partner.endpoint}/pause").status_code == 200
    api.publish(article)
    assert partner.read() == {"items": [], "next": partner.read()["next"], "more": False, "paused": [partner.endpoint]}
    assert api.ask("POST", f"/endpoints/{partner.endpoint}/resume").status_code == 200
    assert partner.read_all() == [("published", article, 1)]
    tag = api.ask("GET", f"/endpoints/{partner.endpoint}").headers["etag"]
    assert api.ask("DELETE", f"/endpoints/{partner.endpoint}", headers={"If-Match": tag}).status_code == 204
    gone = api.until(
        lambda: (
            answer
            if (answer := api.ask("GET", f"/partners/{partner.name}/articles", partner.key)).status_code == 404
            else None
        ),
        "removal",
    )
    assert "pull" in gone.json()["detail"]


def test_no_worker_claims_it_even_when_redis_has_lost_that_it_is_pulled(api: ApiProcess) -> None:
    partner, article = Partner(api), new_id()
    store = api.services.store
    api.publish(article)
    store.client.srem(keys.feed("world").pulled, f"endpoint:{partner.endpoint}")
    api.publish(new_id())
    api.until(lambda: store.client.sismember(keys.feed("world").pulled, f"endpoint:{partner.endpoint}"), "mark")
    assert partner.read()["items"][0]["article"] == article
    assert api.until(lambda: api.get(f"/endpoints/{partner.endpoint}")["health"]["state"] == "settled", "settled")


def test_a_backfill_and_a_replay_come_in_the_stream(api: ApiProcess) -> None:
    old = [new_id() for _ in range(3)]
    for article in old:
        api.publish(article, "sport")
    partner = Partner(api, "sport", backfill="2 articles")
    items = api.until(lambda: partner.read()["items"], "backfill")
    assert {item["article"] for item in items} == set(old[1:])
    part = partner.read()
    assert partner.read(after=part["next"])["items"] == []
    assert partner.acknowledge(part["next"])["confirmed"] == 2
    assert partner.read()["items"] == []
    order = {"article": old[2], "rate": 50}
    ordered = api.ask("POST", f"/endpoints/{partner.endpoint}/replays", json=order)
    assert ordered.status_code == 202, ordered.text
    assert [article for _, article, _ in partner.read_all()] == [old[2]]
    assert api.get(f"/endpoints/{partner.endpoint}/replays")["left"] == 0


def test_nobody_else_reads_it(api: ApiProcess) -> None:
    partner, other = Partner(api), Partner(api)
    for key, status in (
        (other.key, 404),
        (api.key(ARTICLES_PULL, bounds=Bounds(feeds=("sport",), partners=(partner.name,))), 404),
        (api.key("articles:read", bounds=Bounds(partners=(partner.name,))), 403),
        (api.key(ARTICLES_PULL), 200),
    ):
        assert api.ask("GET", f"/partners/{partner.name}/articles", key).status_code == status
        body = {"cursor": partner.read()["next"]}
        assert api.ask("POST", f"/partners/{partner.name}/articles/ack", key, json=body).status_code == status
    for wrong in ("nonsense", "W10", "x" * 9000, "é"):
        assert (
            api.ask("GET", f"/partners/{partner.name}/articles", partner.key, params={"after": wrong}).status_code
            == 422
        )
        body = {"cursor": wrong}
        assert api.ask("POST", f"/partners/{partner.name}/articles/ack", partner.key, json=body).status_code == 422


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"url": "https://partner.example/"}, "url"),
        ({"mode": "feed", "format": "atom"}, "mode"),
        ({"rate": 3.0}, "rate"),
        ({"secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8G"}, "secret"),
        ({"check_url": "https://partner.example/{id}"}, "check_url"),
    ],
)
def test_what_makes_no_sense_is_refused(api: ApiProcess, more: dict[str, Any], field: str) -> None:
    partner = Partner(api)
    values = {"kind": "pull", "feed": "world", "format": "json", **more}
    body = {"name": "nonsense", "partner": partner.name, "settings": values}
    refused = api.ask("POST", "/endpoints", json=body)
    assert refused.status_code == 422, refused.text
    assert field in [error["field"].rpartition(".")[2] for error in refused.json()["errors"]]
    without = api.ask("POST", "/endpoints", json={"name": "nobodys", "settings": values})
    assert without.status_code == 422


def test_a_redis_that_is_lost_loses_neither_the_cursor_nor_what_was_handed_out(api: ApiProcess) -> None:
    partner, acknowledged, handed_out, unread = Partner(api), new_id(), new_id(), new_id()
    api.publish(acknowledged)
    api.publish(handed_out)
    part = partner.read()
    partner.acknowledge(part["items"][0]["cursor"])
    api.publish(unread)
    attempts = f"/endpoints/{partner.endpoint}/attempts"
    api.until(lambda: len(api.get(attempts)["items"]) == 3, "all of them")
    # They are shown while they are on their way, too.
    api.until(lambda: not api.services.store.outboxes.waiting(["world"]).entries, "the record to have all")
    api.until(lambda: api.get(f"/articles/{unread}")["feeds"], "the record to have the articles")
    api.services.store.client.flushall()

    def items() -> Any:
        answer = api.ask("GET", f"/partners/{partner.name}/articles", partner.key)
        return answer.json()["items"] if answer.status_code == 200 else []

    api.until(lambda: [item["article"] for item in items()] == [handed_out, unread], "the rebuild")
    api.until(lambda: partner.coverage(handed_out)["status"] == "trying-published", "the ledger")
    api.until(lambda: api.ask("POST", f"/articles/{handed_out}/kill").status_code == 202, "the kill")
    api.until(lambda: any(item["type"] == "article.killed" for item in items()), "the notice")
    assert not partner.coverage(handed_out)["confirmed"]
    while (part := partner.read())["items"]:
        partner.acknowledge(part["next"])
    assert partner.coverage(handed_out)["confirmed"]
    marks = api.services.store.client
    api.publish(new_id())
    api.until(lambda: marks.sismember(keys.feed("world").pulled, f"endpoint:{partner.endpoint}"), "mark")


class Story:
    """What happens to articles, and what a partner has of them."""

    def __init__(self, api: ApiProcess, data: st.DataObject) -> None:
        self.api = api
        self.partner = Partner(api)
        self.data = data
        self.versions: dict[str, int] = {}
        self.killed: set[str] = set()
        self.has: dict[str, int] = {}
        self.cursors = [self.partner.read()["next"]]

    def any_living(self) -> str | None:
        living = sorted(self.versions.keys() - self.killed)
        return self.data.draw(st.sampled_from(living)) if living else None

    def publish(self) -> None:
        self.correct(new_id())

    def correct(self, name: str | None = None) -> None:
        name = name or self.any_living()
        if name is not None:
            self.versions[name] = self.versions.get(name, 0) + 1
            self.api.publish(name, version=self.versions[name], body_html=f"<p>{name} {self.versions[name]}</p>")

    def kill(self) -> None:
        if name := self.any_living():
            kill(self.api, name)
            states = self.api.services.store.changes.states
            self.api.until(lambda: states("world", [name])[name] == "killed", "kill")
            self.killed.add(name)

    def read(self, after: str = "") -> Any:
        query = {"limit": self.data.draw(st.sampled_from([1, 2, 50])), **({"after": after} if after else {})}
        part = self.partner.read(**query)
        for item in part["items"]:
            self.take(item)
        self.cursors += [*(item["cursor"] for item in part["items"]), part["next"]]
        return part

    def read_on(self) -> None:
        self.read(self.cursors[-1])

    def take(self, item: Any) -> None:
        name = item["article"]
        if name not in self.versions:
            return  # of another test
        if item["pubstatus"] == "usable":
            assert name not in self.killed, "text after a kill"
            assert item["version"] == self.versions[name], "only the newest leaves"
            self.has[name] = item["version"]
        else:
            self.has.pop(name, None)

    def acknowledge(self) -> None:
        self.partner.acknowledge(self.data.draw(st.sampled_from(self.cursors)))


# Other threads of this process use `random` while something is drawn.
@pytest.mark.filterwarnings("ignore::hypothesis.errors.HypothesisDeprecationWarning")
@settings(
    max_examples=10,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(data=st.data())
def test_whatever_happens_the_partner_ends_up_with_what_is_there(api: ApiProcess, data: st.DataObject) -> None:
    """No revision comes before an older one that it has, no text after a kill, and nothing is missing in the end."""
    story = Story(api, data)
    acts = [story.publish, story.publish, story.correct, story.kill, story.read, story.read_on, story.acknowledge]
    for _ in range(data.draw(st.integers(3, 15))):
        data.draw(st.sampled_from(acts))()
    while (part := story.read())["items"] or part["more"]:
        story.partner.acknowledge(part["next"])
    living = {name: version for name, version in story.versions.items() if name not in story.killed}
    assert story.has == living
    for name in story.versions:
        assert story.partner.coverage(name)["confirmed"], name


def test_a_cursor_of_many_endpoints_is_short_and_nonsense_is_none() -> None:
    position = PullPosition({f"city-portal-feed-{number}": 1_000_000 + number for number in range(300)})
    position.beyond["city-portal-feed-1"] = list(range(1_000_000, 1_000_100))
    assert len(str(position)) < CURSOR_MOST
    assert PullPosition.parse(str(position)) == position
    position.beyond["city-portal-feed-1"] *= 490
    with pytest.raises(WrongCursor):
        PullPosition.parse(str(position))
    bomb = base64.urlsafe_b64encode(zlib.compress(b" " * 10_000_000)).decode()
    for nonsense in ("", "x", "eJw", bomb, "\N{SNOWMAN}"):
        with pytest.raises(WrongCursor):
            PullPosition.parse(nonsense)
