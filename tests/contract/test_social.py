"""What is posted on Mastodon and Bluesky, whatever comes between. Both are models of ours that lose answers."""

from __future__ import annotations

import json
import random
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from contract.caller import Caller, arrived
from contract.misbehaving import PATIENCE
from contract.pusher import Pusher
from losing_server import ApiRequest
from mastodon_server import TOKEN, MastodonServer
from pds_server import DID, HANDLE, PASSWORD, POSTS, PdsServer

from worker.destinations.bluesky import TESTS, Repository, record_key
from worker.destinations.mastodon import Account
from worker.outbound.errors import Fault, RequestPending

Network = MastodonServer | PdsServer
REMOVED = "somebody has removed the post there: a replay of the article posts it anew"
TEMPLATE = "{headline}\n\n{url}"


@pytest.fixture(scope="module")
def mastodon() -> Iterator[MastodonServer]:
    server = MastodonServer()
    yield server
    server.close()


@pytest.fixture(scope="module")
def pds() -> Iterator[PdsServer]:
    server = PdsServer()
    yield server
    server.close()


@pytest.fixture(autouse=True)
def obliging(mastodon: MastodonServer, pds: PdsServer) -> None:
    for server in (mastodon, pds):
        server.behave, server.lose = lambda _: None, lambda _: False
        server.requests.clear()
    mastodon.statuses.clear()
    mastodon.keys.clear()
    mastodon.most = 500
    pds.records.clear()
    pds.opened.clear()
    pds.collections.clear()
    pds.life = 7200.0


@pytest.fixture(params=["mastodon", "bluesky"])
def network(request: pytest.FixtureRequest, mastodon: MastodonServer, pds: PdsServer) -> Network:
    return mastodon if request.param == "mastodon" else pds


class Poster(Pusher):
    """Pushes articles to an account of the model of either network."""

    def __init__(self, caller: Caller, server: Network, article_id: str = "", **more: Any) -> None:
        template = more.pop("template", TEMPLATE)
        if isinstance(server, MastodonServer):
            account = Account(caller.engine, server.url, more.pop("token", TOKEN), template, **more)
            super().__init__(caller, account, "json", article_id)
        else:
            sign_in = more.pop("handle", HANDLE), more.pop("password", PASSWORD)
            super().__init__(
                caller, Repository(caller.engine, server.url, *sign_in, template, **more), "json", article_id
            )


def writes(request: ApiRequest) -> bool:
    return request.method != "GET" and "Session" not in request.path


@pytest.mark.parametrize("remote", ["not JSON", "[]", '{"id": 7, "cid": 7}', '{"another/kind.json": "noted this"}'])
def test_what_another_kind_of_destination_has_noted_is_nothing(caller: Caller, network: Network, remote: str) -> None:
    poster = Poster(caller, network)
    poster.remote = remote
    assert poster.push(1).status == 200
    assert network.texts(poster.id) == [post(poster, 1)]


def remove_all(server: Network) -> None:
    """Remove all posts as somebody with the account does."""
    (server.statuses if isinstance(server, MastodonServer) else server.records).clear()


def post(poster: Poster, version: int) -> str:
    return f"Ferries of {poster.id}, version {version}\n\nhttps://herald.example/{poster.id}"


def test_an_article_is_a_post_its_correction_edits_it_and_its_kill_deletes_it(caller: Caller, network: Network) -> None:
    poster = Poster(caller, network)
    assert poster.push(1).status == 200
    assert network.texts(poster.id) == [post(poster, 1)]

    assert poster.push(2).status == 200
    assert network.texts(poster.id) == [post(poster, 2)]
    before = poster.look()

    answer = poster.push(3, "killed")

    assert (answer.status, network.texts(poster.id)) == (200, [])
    assert (before.status, poster.look().status) == (200, 404)
    assert before.message.endswith(" is there")


def test_a_reinstated_article_is_posted_anew(caller: Caller, network: Network) -> None:
    poster = Poster(caller, network)
    poster.push(1)
    poster.push(2, "killed")

    assert poster.push(3).status == 200
    assert network.texts(poster.id) == [post(poster, 3)]
    assert poster.push(4, "killed").status == 200
    assert (network.texts(poster.id), poster.look().status) == ([], 404)


@pytest.mark.parametrize("version", [1, 2])
def test_after_a_lost_answer_there_is_one_post(caller: Caller, network: Network, version: int) -> None:
    poster = Poster(caller, network)
    if version == 2:
        poster.push(1)
    network.lose = writes
    lost = poster.push(version)
    network.lose = lambda _: False

    again = poster.push(version, doubtful=True)

    assert (lost.fault, lost.started, again.status) == (Fault.RESET, True, 200)
    assert network.texts(poster.id) == [post(poster, version)]
    assert poster.push(version + 1).status == 200
    assert network.texts(poster.id) == [post(poster, version + 1)]


def test_a_correction_after_a_lost_answer_is_of_the_same_post(caller: Caller, network: Network) -> None:
    poster = Poster(caller, network)
    network.lose = writes
    poster.push(1)
    network.lose = lambda _: False

    assert poster.push(2, doubtful=True).status == 200
    assert network.texts(poster.id) == [post(poster, 2)]


def test_a_kill_after_a_lost_answer_finds_the_post(caller: Caller, network: Network) -> None:
    poster = Poster(caller, network)
    network.lose = writes
    poster.push(1)
    network.lose = lambda _: False
    assert network.texts(poster.id)

    assert poster.push(2, "killed", doubtful=True).status == 200
    assert (network.texts(poster.id), poster.look().status) == ([], 404)


def test_a_kill_of_what_never_came(caller: Caller, network: Network) -> None:
    poster = Poster(caller, network)
    assert poster.push(1, "killed", doubtful=True).status == 200
    assert poster.look().status == 404


def test_a_post_that_was_held_up_on_its_way_makes_no_second_one(caller: Caller, network: Network) -> None:
    slow = Poster(caller, network)
    held, go_on = threading.Event(), threading.Event()

    def hold(request: ApiRequest) -> None:
        if writes(request) and not held.is_set():
            held.set()
            assert go_on.wait(PATIENCE)

    network.behave = hold
    late = slow.begin(slow.message(1))
    assert held.wait(PATIENCE)
    # The claim has expired: another worker goes on.
    quick = Poster(caller, network, slow.id)
    assert quick.push(2, doubtful=True).status == 200
    network.behave = lambda request: (503, None) if writes(request) else None
    go_on.set()
    arrived(late)

    assert network.texts(slow.id) == [post(slow, 2)]


def test_a_post_that_somebody_has_removed_comes_back_by_a_replay_alone(caller: Caller, network: Network) -> None:
    poster = Poster(caller, network)
    poster.push(1)
    remove_all(network)

    refused = poster.push(2)

    assert (refused.status, refused.fault, refused.message) == (422, None, REMOVED)
    assert network.texts(poster.id) == []
    assert poster.push(2, replay_id="replay-1").status == 200
    assert network.texts(poster.id) == [post(poster, 2)]
    remove_all(network)
    assert poster.push(3, "killed").status == 200


def test_what_is_too_long_is_shortened(caller: Caller, network: Network, mastodon: MastodonServer) -> None:
    mastodon.most = 100
    poster = Poster(caller, network)

    assert poster.push(1, headline="A very long headline of ferries " * 15).status == 200

    [text] = network.texts(poster.id)
    assert text.endswith(f"…\n\nhttps://herald.example/{poster.id}")


@pytest.mark.parametrize(
    ("status", "fault"),
    [(400, None), (422, None), (500, None), (503, None), (403, Fault.DENIED), (302, Fault.PROTOCOL)],
)
def test_what_is_refused(caller: Caller, network: Network, status: int, fault: Fault | None) -> None:
    reason = f"Not\nso, {TOKEN} {PASSWORD}"
    network.behave = lambda request: (status, {"error": reason}) if writes(request) else None

    answer = Poster(caller, network).push(1)

    assert (answer.status, answer.fault, answer.body) == (status, fault, b"")
    assert answer.message.startswith(f"answered {status}")
    assert TOKEN not in answer.message or isinstance(network, PdsServer)
    assert PASSWORD not in answer.message or isinstance(network, MastodonServer)
    assert "\n" not in answer.message


def test_whoever_is_not_let_in_needs_a_person(caller: Caller, mastodon: MastodonServer, pds: PdsServer) -> None:
    answers = [Poster(caller, mastodon, token="another").push(1), Poster(caller, pds, password="another").push(1)]

    assert [(answer.status, answer.fault) for answer in answers] == [(401, Fault.DENIED)] * 2
    assert [answer.message for answer in answers] == [
        "answered 401: The access token is invalid",
        "answered 401: AuthenticationRequired Invalid password",
    ]


@pytest.mark.parametrize(
    ("name", "value"),
    [("Retry-After", "30"), ("X-RateLimit-Reset", "2999-03-01T09:00:00.000Z"), ("RateLimit-Reset", "32472144000")],
)
def test_too_many_requests(caller: Caller, network: Network, name: str, value: str) -> None:
    network.behave = lambda _: (429, {"error": "Too many requests"}, {name: value})

    answer = Poster(caller, network).push(1)

    assert (answer.status, answer.fault) == (429, None)
    assert answer.retry_after == 30 if name == "Retry-After" else answer.retry_after > 10**9


@pytest.mark.parametrize("body", [None, [], "text", {"id": 7, "cid": 7}])
def test_an_answer_that_says_nothing_leaves_a_doubt(caller: Caller, network: Network, body: Any) -> None:
    network.behave = lambda request: (200, body) if writes(request) else None

    answer = Poster(caller, network).push(1)

    assert (answer.fault, answer.started) == (Fault.PROTOCOL, True)


@pytest.mark.parametrize("seed", range(4))
def test_whatever_is_lost_there_is_one_post_in_its_latest_version(caller: Caller, network: Network, seed: int) -> None:
    draw = random.Random(seed)
    posters = [Poster(caller, network, f"chaos-{seed}-{number}") for number in range(4)]
    latest = dict.fromkeys((poster.id for poster in posters), 0)
    killed: set[str] = set()
    network.lose = lambda _: draw.random() < 0.25
    network.behave = lambda _: (503, None) if draw.random() < 0.1 else None
    for _ in range(40):
        poster = draw.choice(posters)
        latest[poster.id] += 1
        if draw.random() < 0.1:
            killed.add(poster.id)
            poster.push_until_taken(latest[poster.id], "killed")
        else:
            killed.discard(poster.id)
            poster.push_until_taken(latest[poster.id])
    network.lose, network.behave = lambda _: False, lambda _: None

    for poster in posters:
        there = [] if poster.id in killed or not latest[poster.id] else [post(poster, latest[poster.id])]
        assert network.texts(f"{poster.id},") == there
        assert (poster.look().status == 404) == (not there)


class TestMastodon:
    """What only Mastodon does."""

    def test_a_status_is_in_its_language_and_seen_by_whom_it_is_for(
        self, caller: Caller, mastodon: MastodonServer
    ) -> None:
        poster = Poster(caller, mastodon, visibility="unlisted")
        poster.push(1)
        [status] = mastodon.statuses.values()
        assert (status["language"], status["visibility"]) == ("en", "unlisted")

    def test_limits_are_asked_for_once(self, caller: Caller, mastodon: MastodonServer) -> None:
        poster = Poster(caller, mastodon)
        for version in (1, 2):
            poster.push(version)
        assert [request.path for request in mastodon.requests].count("/api/v2/instance") == 1

    def test_a_server_that_has_no_limits_to_tell(self, caller: Caller, mastodon: MastodonServer) -> None:
        mastodon.behave = lambda request: (404, None) if "instance" in request.path else None
        assert Poster(caller, mastodon).push(1).status == 200

    def test_a_correction_that_changes_no_word_of_the_post_edits_nothing(
        self, caller: Caller, mastodon: MastodonServer
    ) -> None:
        poster = Poster(caller, mastodon)
        poster.push(1, headline="Ferries return")
        mastodon.requests.clear()
        assert poster.push(2, headline="Ferries return").status == 200
        assert mastodon.calls() == ["GET"]

    def test_what_people_post_themselves_is_theirs(self, caller: Caller, mastodon: MastodonServer) -> None:
        poster = Poster(caller, mastodon)
        own = f"Read this! https://herald.example/{poster.id}"
        mastodon.post(own, application="Web")
        for number in range(4):
            mastodon.post(f"Something else {number}", application="")

        assert poster.push(1, doubtful=True).status == 200
        assert sorted(mastodon.texts(poster.id)) == sorted([own, post(poster, 1)])
        poster.remote = ""
        assert poster.push(2, "killed", doubtful=True).status == 200
        assert mastodon.texts(poster.id) == [own]

    def test_a_link_with_parameters_is_known_again(self, caller: Caller, mastodon: MastodonServer) -> None:
        poster = Poster(caller, mastodon)
        poster.push(1, url=f"https://herald.example/{poster.id}?from=mastodon&day=1")
        poster.remote = ""
        assert poster.push(2, "killed").status == 200
        assert mastodon.statuses == {}

    def test_an_edit_that_comes_too_late_is_seen(self, caller: Caller, mastodon: MastodonServer) -> None:
        poster = Poster(caller, mastodon)
        poster.push(1)
        [status_id] = mastodon.statuses

        def overtake(request: ApiRequest) -> Any:
            if request.method != "PUT":
                return None
            mastodon.statuses[status_id]["text"] = "An earlier edit"
            return 200, {"id": status_id}

        mastodon.behave = overtake
        answer = poster.push(2, doubtful=True)
        assert (answer.status, answer.message) == (503, "an earlier edit has come after this one: it is written again")
        mastodon.behave = lambda _: None
        assert poster.push(2, doubtful=True).status == 200
        assert mastodon.texts(poster.id) == [post(poster, 2)]

    def test_nobody_else_sees_a_test(self, caller: Caller, mastodon: MastodonServer) -> None:
        poster = Poster(caller, mastodon)
        poster.push(1, test=True)
        [status] = mastodon.statuses.values()
        assert status["visibility"] == "direct"
        poster.push(2, "killed", test=True)
        assert mastodon.statuses == {}


class TestBluesky:
    """What only Bluesky does."""

    def test_a_post_has_a_card_and_links_counted_in_bytes(self, caller: Caller, pds: PdsServer) -> None:
        poster = Poster(caller, pds, template="{headline} {url}")
        poster.push(1, headline="مكتبة المرفأ", summary="بعد ترميم")
        [((collection, key), record)] = pds.records.items()
        url = f"https://herald.example/{poster.id}"
        assert (collection, key) == (POSTS, record_key(poster.message(1).article))  # type: ignore[arg-type]
        assert record["embed"]["external"] == {"uri": url, "title": "مكتبة المرفأ", "description": "بعد ترميم"}
        assert (record["createdAt"], record["langs"]) == ("2026-03-01T09:00:00.000Z", ["en"])
        [facet] = record["facets"]
        start, end = facet["index"]["byteStart"], facet["index"]["byteEnd"]
        assert record["text"].encode()[start:end].decode() == url
        assert facet["features"] == [{"$type": "app.bsky.richtext.facet#link", "uri": url}]

    def test_a_key_is_a_time_in_2023_that_only_its_article_has(self, caller: Caller, pds: PdsServer) -> None:
        articles = [Poster(caller, pds, f"a-{number}").message(1).article for number in range(500)]
        keys = {record_key(article) for article in articles if article}
        assert len(keys) == 500
        digits = "234567abcdefghijklmnopqrstuvwxyz"
        for key in keys:
            number = sum(digits.index(digit) << 5 * place for place, digit in enumerate(reversed(key)))
            assert (len(key), 1_672_531_200 <= (number >> 10) / 1e6 < 1_704_067_200) == (13, True)

    def test_a_session_serves_all_and_is_renewed(self, caller: Caller, pds: PdsServer) -> None:
        poster = Poster(caller, pds)
        for version in (1, 2):
            assert poster.push(version).status == 200
        pds.end_tokens()
        assert poster.push(3).status == 200
        pds.end_tokens(both=True)
        assert poster.push(4).status == 200
        assert pds.opened == ["create", "refresh", "create"]
        assert pds.texts(poster.id) == [post(poster, 4)]

    def test_a_token_is_renewed_before_it_ends(self, caller: Caller, pds: PdsServer) -> None:
        pds.life = 30.0
        poster = Poster(caller, pds)
        for version in (1, 2):
            assert poster.push(version).status == 200
        assert pds.opened == ["create", "refresh"]

    def test_one_push_opens_the_session(self, caller: Caller, pds: PdsServer) -> None:
        poster = Poster(caller, pds)
        held, go_on = threading.Event(), threading.Event()

        def hold(_: ApiRequest) -> None:
            held.set()
            assert go_on.wait(PATIENCE)

        pds.behave = hold
        first = poster.begin(poster.message(1))
        assert held.wait(PATIENCE)
        with pytest.raises(RequestPending):
            poster.begin(poster.message(2))
        pds.behave = lambda _: None
        go_on.set()
        assert arrived(first).status == 200

    def test_an_account_with_a_second_factor_wants_an_app_password(self, caller: Caller, pds: PdsServer) -> None:
        pds.behave = lambda _: (401, {"error": "AuthFactorTokenRequired"})
        answer = Poster(caller, pds).push(1)
        assert answer.fault is Fault.DENIED
        assert answer.message == "it asks for a second factor: give an app password of the account"

    def test_what_was_changed_there_is_replaced_and_told(self, caller: Caller, pds: PdsServer) -> None:
        poster = Poster(caller, pds)
        poster.push(1)
        [place] = pds.records
        pds.records[place] = {**pds.records[place], "text": "Somebody's own"}

        answer = poster.push(2)

        assert (answer.status, answer.message) == (200, "it was changed on Bluesky meanwhile, and is replaced")
        assert pds.texts(poster.id) == [post(poster, 2)]

    def test_somebody_who_changes_it_again_and_again(self, caller: Caller, pds: PdsServer) -> None:
        poster = Poster(caller, pds)
        poster.push(1)
        pds.behave = lambda request: (400, {"error": "InvalidSwap"}) if "putRecord" in request.path else None
        answer = poster.push(2)
        assert (answer.status, answer.message) == (503, "somebody else changes it on Bluesky at the same time")

    def test_no_application_shows_a_test(self, caller: Caller, pds: PdsServer) -> None:
        poster = Poster(caller, pds)
        assert poster.push(1, test=True).status == 200
        assert poster.push(2, "killed", test=True).status == 200
        assert (pds.collections, pds.records) == ({TESTS}, {})

    def test_no_token_is_in_what_is_shown(self, caller: Caller, pds: PdsServer) -> None:
        pds.end_tokens(both=True)
        poster = Poster(caller, pds)
        poster.push(1)
        [access], [refresh] = pds.access, pds.refresh
        pds.behave = lambda _: (400, {"error": "InvalidRequest", "message": f"{access} {refresh} {PASSWORD} of {DID}"})
        answer = poster.push(2)
        assert answer.message == f"answered 400: InvalidRequest *** *** *** of {DID}"
        session = poster.destination.__dict__["_session"]
        assert json.dumps([access, refresh])[2:20] not in repr(session)
