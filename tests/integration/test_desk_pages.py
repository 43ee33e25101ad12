"""The pages of the desk: what they show, what their buttons order, and that nothing from outside runs in them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from urllib.parse import quote
from zoneinfo import ZoneInfo

import pytest
from api_process import ROOT, ApiProcess
from desk_visitor import EVIL, ORIGIN, DeskVisitor, desk_of_three_articles, text_of, visitor
from jinja2 import Environment
from newsroom import put_off
from receiver import Receiver

from web.desk.pages import DeskPages
from web.template_texts import templates_in
from worker import clock
from worker.store import keys


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.close()


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory, redis_url: str, receiver: Receiver) -> Iterator[ApiProcess]:
    with desk_of_three_articles(tmp_path_factory.mktemp("desk"), redis_url, receiver) as process:
        yield process


@pytest.fixture(scope="module")
def desk(api: ApiProcess) -> DeskVisitor:
    return visitor(api, "ada", "admin")


def test_a_process_whose_files_are_replaced_goes_on_with_its_own_templates(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    for folder, text in ((first, "ours"), (second, "theirs")):
        folder.mkdir()
        (folder / "both.html").write_text(text)
        (folder / f"{text}.html").write_text(text)
    environment = Environment(loader=templates_in(first, second), autoescape=True)
    for path in tmp_path.rglob("*.html"):
        path.write_text("{{ of_the_next_version }}")
    made = {name: environment.get_template(f"{name}.html").render() for name in ("both", "ours", "theirs")}
    assert made == {"both": "ours", "ours": "ours", "theirs": "theirs"}


def test_articles_are_there_as_one_types(api: ApiProcess, desk: DeskVisitor) -> None:
    def rows_of(word: str) -> str:
        return desk.get(f"/articles?q={quote(word)}", **{"HX-Request": "true"}).text

    # Words are indexed a moment after an article was accepted.
    api.until(lambda: "المرفأ يفتح أبوابه" in rows_of("المرف"), "the words to be indexed")
    rows = api.until(lambda: (rows := rows_of("ferr")) and "The ferry is late" in rows and rows, "the words")
    assert "<html" not in rows
    assert "Quay" not in rows
    assert "The ferry is late" in desk.page("/articles?q=haddad")
    assert "The ferry is late" in desk.page("/articles?q=hh-1")
    assert "المرفأ يفتح أبوابه" in desk.page(f"/articles?q={quote('المرف')}")
    assert "The ferry is late" in desk.page("/articles?section=WORLD&author=mira%20haddad")
    assert "The ferry is late" not in desk.page("/articles?section=sport")
    assert '<option value="world">' in desk.page("/articles")
    assert [row["name"] for row in api.get("/sections")["items"]] == ["world"]
    assert "The ferry" not in desk.page("/articles?state=withheld")
    assert "has no word to look for" in desk.page("/articles?q=..")


def test_a_feed_shows_what_its_readers_tell_of_their_subscribers(api: ApiProcess, desk: DeskVisitor) -> None:
    assert "No reader has told how many" in desk.page("/feeds/world")
    feedly = {"User-Agent": "Feedly/1.0 (+http://www.feedly.com/fetcher.html; 12 subscribers; like FeedFetcher-Google)"}
    # Made for the first one, and from memory for the others, of which one has it already.
    first = api.client.get("/feeds/world.rss", headers=feedly)
    api.client.get("/feeds/world.rss", headers={"User-Agent": "NewsBlur Feed Fetcher - 54 subscribers"})
    again = {"User-Agent": f"Quay/1 ({EVIL} 7 subscribers)", "If-None-Match": first.headers["etag"]}
    assert api.client.get("/feeds/world.rss", headers=again).status_code == 304
    api.client.get("/feeds/world.atom", headers=feedly)
    # Nobody is noted at an address that is none, nor who tells nothing.
    api.client.get("/feeds/nowhere.rss", headers=feedly)
    api.client.get("/feeds/world.rss")
    api.web._keep_readers()
    [day] = api.get("/feeds/world/readers")["days"]
    rows = [(row["reader"], row["format"], row["subscribers"]) for row in day["readers"]]
    expected = [("NewsBlur", "rss", 54), ("Feedly", "atom", 12), ("Feedly", "rss", 12), ("Quay", "rss", 7)]
    assert (day["subscribers"], rows) == (85, expected)
    assert api.get("/feeds/sport/readers") == {"feed": "sport", "days": []}
    assert api.ask("GET", "/feeds/nowhere/readers").status_code == 404
    assert "NewsBlur rss 54" in text_of(desk.page("/feeds/world"))


def test_an_article_has_its_way_its_receivers_and_its_revisions(api: ApiProcess, desk: DeskVisitor) -> None:
    api.publish("hh-3", headline="The old tram", version=1)
    api.publish("hh-3", headline="The new tram", version=2)
    api.until(lambda: "corrected" in text_of(desk.page("/articles/hh-3")), "the correction")
    page = api.until(
        lambda: (page := desk.page("/articles/hh-3")) and "portal world delivered" in text_of(page) and page, "the push"
    )
    assert "<del>The old tram</del>" in page
    assert "<ins>The new tram</ins>" in page
    assert '<bdi lang="en">The new tram</bdi>' in page


def test_a_story_with_many_revisions_is_shown_from_its_last(
    api: ApiProcess, desk: DeskVisitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("web.desk.routes.articles._REVISIONS", 2)
    events = [
        api.publish("hh-live", headline=f"The live story, part {number}", version=number)["id"]
        for number in range(1, 6)
    ]
    pages = [api.get("/articles/hh-live/revisions?newest=true&limit=2")]
    while pages[-1]["next"]:
        pages.append(api.get(f"/articles/hh-live/revisions?newest=true&limit=2&after={pages[-1]['next']}"))
    rows = [row for page in pages for row in page["items"]]
    assert [row["version"] for row in rows] == [5, 4, 3, 2, 1]
    assert [row["event"] for row in rows] == events[::-1]
    in_order = api.get("/articles/hh-live/revisions")["items"]
    assert rows == in_order[::-1]
    page = desk.page("/articles/hh-live")
    assert "<ins>The live story, part 5</ins>" in page
    assert "part 3</ins>" not in page
    [older] = re.findall(r'href="/desk(/articles/hh-live\?older=[^"#]+)#revisions"', page)
    second = desk.page(unescape(older))
    assert "<ins>The live story, part 3</ins>" in second
    # What became of it is told of the last one, on whichever page.
    assert "corrected" in text_of(second)


def test_what_is_parked_stands_by_its_reason_and_an_endpoint_shows_how_it_has_done(
    api: ApiProcess, desk: DeskVisitor, receiver: Receiver
) -> None:
    assert "Nothing is parked" in desk.page("/endpoints-parked")
    api.publish("hh-ok")
    api.until(lambda: api.get("/articles/hh-ok/coverage")["unconfirmed"] == 0, "a push that is taken")
    refusal = 422, f"no such section {EVIL}".encode(), {}
    receiver.behave["/portal"] = lambda push: refusal if b"hh-bad" in push.body else (204, b"")
    try:
        api.publish("hh-bad")
        # That it is the article's fault is seen by others that are taken.
        api.publish("hh-good")
        page = api.until(
            lambda: (page := desk.page("/endpoints-parked")) and "hh-bad" in page and page, "what is parked"
        )
        # An endpoint that refuses something is not shown as if all were well, unless it has taken the other one since.
        for path in ("/endpoints?q=portal", "/endpoints/portal"):
            api.until(
                lambda path=path: (
                    "refused" in text_of(desk.page(path).partition("What it was sent")[0])
                    or "'refusing': False" in str(api.get("/endpoints/portal"))
                ),
                "the state",
            )
    finally:
        receiver.behave.pop("/portal")
    assert "422 no such section" in text_of(page)
    assert "<script>alert" not in page
    assert 'href="/desk/endpoints/portal"' in page

    def outcomes() -> list[int]:
        points = api.get("/endpoints/portal/outcomes")["points"]
        return [sum(point[name] for point in points) for name in ("delivered", "failed")]

    # The first attempt at an article that is refused while others are taken, and those after it.
    api.until(lambda: outcomes()[0] >= 1 and outcomes()[1] >= 1, "the attempts in the record")
    assert "Success over time" in desk.page("/endpoints/portal?span=week")
    assert desk.get("/endpoints/portal?span=never").status_code == 200


def test_of_many_receivers_those_that_have_not_confirmed_are_shown_first(
    api: ApiProcess, desk: DeskVisitor, receiver: Receiver
) -> None:
    api.publish("hh-many", headline="Known to many")
    whole = api.until(
        lambda: (report := api.get("/articles/hh-many/coverage"))["unconfirmed"] == 0 and report, "the pushes"
    )
    # Their partners read for themselves, and have not yet.
    names = [f"many-{number:03}" for number in range(100)]
    for name in names:
        api.services.store.receivers.enroll("world", f"endpoint:{name}", {"endpoint": name}, 0, pulled=True)
    try:
        few = api.get("/articles/hh-many/coverage?most=60")
        assert (few["confirmed"], few["holding"]) == (whole["confirmed"], whole["holding"])
        assert few["unconfirmed"] == 100
        assert len(few["receivers"]) == 60
        assert not any(row["confirmed"] for row in few["receivers"])
        assert few["more"] == few["confirmed"] + few["unconfirmed"] - 60
        page = desk.page("/articles/hh-many")
        assert sum(name in page for name in names) == 40
        assert f"{few['confirmed']} / {few['confirmed'] + 100}" in page
        assert all(name in desk.page("/articles/hh-many?all=1") for name in names)
        [event] = api.get("/articles/hh-many/revisions")["items"]
        short = api.get(f"/events/{event['event']}?receivers=false")
        assert (short["done"], short["events"][0]["receivers"], short["events"][0]["result"]) == (None, [], "published")
    finally:
        for name in names:
            api.services.store.receivers.remove("world", f"endpoint:{name}", "")


def test_reasons_and_units_are_in_the_language_of_the_page(
    api: ApiProcess, desk: DeskVisitor, receiver: Receiver
) -> None:
    receiver.behave["/portal"] = lambda _: (503, b"Wir bauen um", {})
    try:
        api.publish("hh-units", headline="The scaffolding")
        arabic = {"Cookie": f"dateline_language=ar; {'; '.join(f'{n}={v}' for n, v in desk.client.cookies.items())}"}
        # What the endpoint's standing says and, once it is noted, what the list of attempts does.
        expected = (
            'أجاب: <bdi dir="auto">503 Service Unavailable</bdi>',
            '<small dir="auto" lang="">Wir bauen um</small>',
        )

        def failed() -> str:
            page = str(desk.get("/endpoints/portal", **arabic).text)
            return page if all(words in page for words in expected) else ""

        page = api.until(failed, "the failure")
        assert '<span lang="en"' not in page
        listed = text_of(desk.get("/endpoints", **arabic).text)
        assert re.search(r"[0-9.]+ (ث|د)", listed)
        assert not re.search(r"[0-9] (s|min|h|ms)\b", listed)
        assert 'data-units="{count} ث|{count} د|' in page
    finally:
        receiver.behave.pop("/portal")
        desk.post("/endpoints/portal/retry", next="/desk/endpoints")


def test_orders_of_an_article_are_audited_as_the_persons(api: ApiProcess, desk: DeskVisitor) -> None:
    api.publish("hh-4")
    for what, status in (("hold", "withheld"), ("release", "usable")):
        answer = desk.post(f"/articles/hh-4/{what}")
        assert answer.headers["location"] == f"/desk/articles/hh-4?ordered={what}"
        api.until(lambda: api.get("/articles/hh-4")["pubstatus"] == status, status)  # noqa: B023
    desk.post("/articles/hh-4/embargo", until="2030-01-02T03:04")
    api.until(lambda: "Under embargo until" in desk.page("/articles/hh-4"), "the embargo")
    assert api.get("/articles/hh-4/coverage")["embargoed"].startswith("2030-01-02T03:04")

    def listed() -> tuple[str, str]:
        [row] = [row for row in api.get("/articles")["items"] if row["id"] == "hh-4"]
        return row["pubstatus"], row["standing"]

    api.until(lambda: listed() == ("usable", "embargoed"), "the embargo in the record")
    assert "embargoed until 2030-01-02 03:04" in text_of(desk.page("/articles?q=hh-4"))
    assert desk.post("/articles/hh-4/embargo", until="soon").status_code == 422
    desk.post("/articles/hh-4/embargo", end="1")
    api.until(lambda: api.get("/articles/hh-4/coverage")["embargoed"] is None, "the end of the embargo")
    actors = {entry["actor"] for entry in api.get("/audit?target=hh-4")["items"]}
    assert actors == {"user:ada"}


def test_a_kill_is_asked_once_and_shows_who_has_not_confirmed(
    api: ApiProcess, desk: DeskVisitor, receiver: Receiver
) -> None:
    api.publish("hh-5", headline="To be killed")
    api.until(lambda: api.get("/articles/hh-5/coverage")["unconfirmed"] == 0, "the pushes")
    receiver.behave["/portal"] = lambda _: (503, EVIL.encode(), {})
    try:
        asked = desk.page("/articles/hh-5/kill")
        assert "2 endpoints have its text." in text_of(asked)
        assert 'name="typed"' not in asked
        answer = desk.post("/articles/hh-5/kill")
        place = answer.headers["location"]
        assert place.startswith("/desk/articles/hh-5/killed?event=kill-")
        api.consume()
        page = api.until(
            lambda: (page := desk.page(place.removeprefix("/desk"))) and "Try it now" in page and page, "the failure"
        )
        assert re.search(r"(0 of 2 have|1 of 2 has) confirmed", text_of(page))
        # Who may not press it is not left with advice that they can't follow.
        assert "Operators can do that here" not in page
        dora = visitor(api, "dora", "desk")
        advice = "Operators can do that here: ask one who is on duty."
        # Not while it is tried, as it is every few seconds.
        editor = api.until(
            lambda: (page := dora.page(place.removeprefix("/desk"))) and advice in text_of(page) and page, "the advice"
        )
        assert "<button data-once>Try it now" not in editor
        # Of what is killed no text is kept, so it goes by its id.
        api.until(lambda: "https://herald.example/hh-5" in desk.page("/now"), "the running kill")
        [kill] = [one for one in api.get("/kills")["items"] if one["article"] == "hh-5"]
        assert (kill["headline"], kill["edition"], kill["feeds"]) == ("", "en", ["world"])
        assert "<script>alert" not in page
        # By itself it would be tried an hour later.
        api.until(lambda: put_off(api.services.store, "world", "portal"), "backoff")
    finally:
        receiver.behave.pop("/portal")
    assert desk.post("/endpoints/portal/retry", next=place).headers["location"] == place
    api.until(lambda: "Proven: nobody has it any longer" in desk.page(place.removeprefix("/desk")), "the proof")
    api.until(lambda: "No kill is running" in desk.page("/now"), "the end of the kill")


def test_an_article_that_is_killed_in_another_tab(api: ApiProcess, desk: DeskVisitor, receiver: Receiver) -> None:
    api.publish("tabs-1", headline="Two tabs", url="https://herald.example/tabs-1")
    api.until(lambda: api.get("/articles/tabs-1/coverage")["unconfirmed"] == 0, "the pushes")
    page = desk.page("/articles/tabs-1")
    (address,) = re.findall(r'id="article-standing" class="apart" hx-get="/desk(/articles/tabs-1[^"]+)"', page)
    fragment = {"HX-Request": "true"}
    assert "since you opened" not in desk.get(unescape(address), **fragment).text
    # Who has it stands there as it is now, and what else has changed is said.
    api.publish("tabs-1", version=2, headline="Two tabs, corrected")
    api.until(lambda: "version 2" in desk.get(unescape(address), **fragment).text, "the correction")
    assert "It has changed since you opened this page." in desk.get(unescape(address), **fragment).text
    receiver.behave["/portal"] = lambda _: (503, b"", {})
    try:
        killed = desk.post("/articles/tabs-1/kill").headers["location"]
        api.consume()
        api.until(lambda: "It was killed meanwhile." in desk.get(unescape(address), **fragment).text, "the kill")
        # The other tab still asks: pressed there as well, it leads to the same kill, and asking anew does.
        again = desk.post("/articles/tabs-1/kill", headers={"Referer": f"{ORIGIN}/desk/articles/tabs-1/kill"})
        assert again.headers["location"].startswith("/desk/articles/tabs-1/killed?event=")
        asked = desk.get("/articles/tabs-1/kill")
        assert (asked.status_code, asked.headers["location"]) == (303, "/desk/articles/tabs-1/killed")
        # Without JavaScript the page is loaded again until it is proven.
        watched = desk.page(killed.removeprefix("/desk"))
        assert '<noscript><meta http-equiv="refresh" content="5"></noscript>' in watched
        # What can't be done any more says so, and where to go on.
        held = desk.post("/articles/tabs-1/hold", headers={"Referer": f"{ORIGIN}/desk/articles/tabs-1"})
        assert held.status_code == 409
        assert '<a class="button" href="/desk/articles/tabs-1">Back to where you were</a>' in held.text
    finally:
        receiver.behave.pop("/portal")
    desk.post("/endpoints/portal/retry", next="/desk")
    api.until(lambda: "Proven" in desk.page(killed.removeprefix("/desk")), "the proof")
    assert 'http-equiv="refresh"' not in desk.page(killed.removeprefix("/desk"))


def test_who_may_not_hears_who_may(api: ApiProcess) -> None:
    looker = visitor(api, "luca", "viewer")
    for answer in (looker.get("/articles/hh-1/kill"), looker.post("/articles/hh-1/kill")):
        assert answer.status_code == 403
        text = text_of(answer.text)
        assert "Your role may not: kill articles. Your role is viewer. These may: desk, operator, admin." in text
    # The API says it, too, where a page asks nothing before.
    held = looker.post("/articles/hh-1/hold")
    assert "Your role may not: hold, release and repeat articles" in text_of(held.text)
    assert api.get("/articles/hh-1")["pubstatus"] == "usable"
    looker.post("/sign-in/language", language="ar")
    assert "لا يحق لدورك: سحب المواد" in text_of(looker.get("/articles/hh-1/kill").text)


def test_an_old_article_is_killed_only_by_whoever_types_its_name(api: ApiProcess, desk: DeskVisitor) -> None:
    api.publish("hh-6", headline="An old story", published="2020-01-02T03:04:05Z")
    api.until(lambda: api.get("/articles/hh-6"), "the record")
    assert 'name="typed"' in desk.page("/articles/hh-6/kill")
    assert desk.post("/articles/hh-6/kill", typed="an old stori").status_code == 422
    assert api.get("/articles/hh-6")["pubstatus"] == "usable"
    assert desk.post("/articles/hh-6/kill", typed=" an  old STORY ").status_code == 303
    api.until(lambda: api.get("/articles/hh-6")["pubstatus"] == "canceled", "the kill")
    # One that is not known here is refused when it comes.
    assert "No article of this id is known here" in text_of(desk.page("/articles/hh-none/kill"))
    assert desk.post("/articles/hh-none/kill", typed="hh-none", unknown_too="1").status_code == 303


def test_a_preview_shows_the_bytes_and_runs_nothing(api: ApiProcess, desk: DeskVisitor) -> None:
    page = desk.page("/articles/hh-2/preview?endpoint=portal")
    assert "<iframe sandbox " in page
    sent = api.get("/articles/hh-2/preview?endpoint=portal")["document"]
    assert sent in unescape(page)
    frame = desk.get("/articles/hh-2/rendered?endpoint=portal")
    assert "sandbox" in frame.headers["content-security-policy"]
    assert "default-src 'none'" in frame.headers["content-security-policy"]
    assert "Quay &quot; onmouseover=&quot;alert(1) &amp; more" in frame.text
    for name in ("ninjs31", "newsml", "html"):
        desk.get(f"/articles/hh-2/rendered?format={name}")
    assert "there is no format" in desk.page("/articles/hh-2/preview?format=word")


def test_names_with_a_slash_have_pages(api: ApiProcess, desk: DeskVisitor, receiver: Receiver) -> None:
    settings = {"feed": "world", "format": "json", "url": f"{receiver.url}/slash"}
    endpoint = {"name": "south/radio/en", "partner": "south/radio", "settings": settings}
    assert api.ask("POST", "/partners", json={"name": "south/radio"}).status_code == 201
    assert api.ask("POST", "/endpoints", json=endpoint).status_code == 201
    api.until(lambda: "south/radio/en" in desk.page("/partners/south%2Fradio"), "the endpoint")
    page = desk.page("/endpoints/south%2Fradio%2Fen")
    assert "/desk/endpoints/south%2Fradio%2Fen/edit" in page
    for path in ("/partners/south%2Fradio/edit", "/endpoints/south%2Fradio%2Fen/edit"):
        assert "south/radio" in desk.page(path)
    receivers = api.services.store.receivers
    api.until(lambda: receivers.exists("world", "endpoint:south/radio/en"), "the receiver")
    assert "?ordered=pause" in desk.post("/endpoints/south%2Fradio%2Fen/pause").headers["location"]


def test_what_an_endpoint_has_answered_runs_nowhere(api: ApiProcess, desk: DeskVisitor, receiver: Receiver) -> None:
    receiver.behave["/arena"] = lambda _: (400, EVIL.encode(), {})
    try:
        api.publish("sp-1", "sport")
        api.until(lambda: "alert(1)" in desk.page("/endpoints/arena"), "the answer")
    finally:
        receiver.behave.pop("/arena")
    for path in ("/endpoints/arena", "/articles/sp-1", "/now", "/endpoints"):
        page = desk.page(path)
        assert "<script>alert" not in page
        assert 'onmouseover="' not in page
    browser = DeskVisitor(api)
    browser.client.headers["user-agent"] = EVIL
    api.services.management.people.add(ROOT, "eve", "viewer", "a password of twelve or more")
    api.until(lambda: api.services.management.person("eve"), "the person")
    browser.sign_in("eve")


def test_days_of_the_search_are_those_of_the_newsroom(
    api: ApiProcess, desk: DeskVisitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    api.publish("hh-manila", headline="Early in the morning", published="2026-02-03T17:30:00Z")
    monkeypatch.setattr(DeskPages, "at_home", lambda _, moment: moment.replace(tzinfo=ZoneInfo("Asia/Manila")))
    assert "Early in the morning" in desk.page("/articles?since=2026-02-04&until=2026-02-04")
    assert "Early in the morning" not in desk.page("/articles?since=2026-02-03&until=2026-02-03")
    assert "Early in the morning" in desk.page("/articles?since=0001-01-01&until=9999-12-29")
    for query in ("until=9999-12-31", "since=yesterday"):
        answer = desk.get(f"/articles?{query}")
        assert answer.status_code == 200, query
        assert re.search(r"(From|To) : (must be a day|is no time that can be asked for)", text_of(answer.text)), query


def test_what_fails_for_days_is_not_shown_as_if_it_were_of_today(api: ApiProcess, desk: DeskVisitor) -> None:
    from worker.store.alarms import Cause, Pace

    causes = [Cause("endpoint_failing", "portal", "it takes nothing")]
    long_ago = api_now() - 3 * 86_400_000
    api.services.store.alarms.evaluate(long_ago, Pace(0, 0, 0), [], ["endpoint_failing"], causes)
    try:
        day = f"{clock.moment(long_ago):%Y-%m-%d %H:%M}"
        assert f"since {day}" in text_of(desk.page(""))
    finally:
        api.services.store.alarms.evaluate(api_now(), Pace(0, 0, 0), [], ["endpoint_failing"], [])


def test_feeds_subscriptions_and_the_audit(api: ApiProcess, desk: DeskVisitor) -> None:
    assert "World" in desk.page("/feeds")
    page = desk.page("/feeds/world?format=atom")
    assert "It is valid by all rules of its format" in page
    assert "Nobody has subscribed" in desk.page("/subscriptions")
    assert "user:ada" in desk.page("/audit?actor=user:ada")
    assert "none is missing" in desk.page("/audit?verify=1")


def test_every_page_is_there_in_arabic(api: ApiProcess, desk: DeskVisitor) -> None:
    answer = desk.post("/sign-in/language", language="ar", next="/desk/articles")
    assert answer.headers["location"] == "/desk/articles"
    paths = ("", "/articles", "/articles/hh-1", "/articles/hh-1/preview", "/articles/hh-1/kill", "/lists", "/endpoints")
    more = ("/endpoints/portal", "/partners", "/feeds", "/feeds/world", "/subscriptions", "/audit", "/people", "/keys")
    try:
        for path in (*paths, *more, "/account", "/new-partner", "/new-endpoint", "/formats", "/new-format"):
            assert '<html lang="ar" dir="rtl">' in desk.page(path), path
    finally:
        desk.post("/sign-in/language", language="en")


def test_an_alarm_has_its_times_as_the_clocks_show_them_and_a_problem_is_in_the_language(
    api: ApiProcess, desk: DeskVisitor
) -> None:
    from worker.store.alarms import Cause, Pace

    causes = [Cause("endpoint_failing", "portal", "it takes nothing since 2026-03-04T11:00:00.250000Z")]
    api.services.store.alarms.evaluate(api_now(), Pace(0, 0, 0), [], ["endpoint_failing"], causes)
    try:
        assert "it takes nothing since 2026-03-04 11:00:00" in (shown := text_of(desk.page("/alarms")))
        assert "1 open alarm" in shown
        desk.post("/sign-in/language", language="ar")
        shown = text_of(desk.page("/alarms"))
        assert "لا تستلم شيئًا منذ 2026-03-04 11:00:00" in shown
        assert "لا توجد نقطة تسليم باسم nowhere" in text_of(desk.get("/endpoints/nowhere").text)
        assert "لا توجد مادة باسم nowhere ." in text_of(desk.get("/articles/nowhere").text)
    finally:
        desk.post("/sign-in/language", language="en")
        api.services.store.alarms.evaluate(api_now(), Pace(0, 0, 0), [], ["endpoint_failing"], [])


def test_alarms_are_shown_acknowledged_and_snoozed(api: ApiProcess, desk: DeskVisitor) -> None:
    from worker.store.alarms import Cause, ChannelState, Pace

    store = api.services.store
    causes = [Cause("endpoint_failing", EVIL, "it fails"), Cause("endpoint_failing", "portal", "it fails")]
    store.alarms.evaluate(api_now(), Pace(0, 0, 0), ["slack"], ["endpoint_failing"], causes)
    store.alarms.note_channel("slack", ChannelState(failing=api_now(), error=EVIL))
    try:
        page = desk.page("/alarms")
        assert "<script>alert" not in page
        assert "Endpoint takes nothing" in text_of(page)
        assert "it takes no alarms since" in text_of(desk.page("/now"))
        fragment = {"HX-Request": "true"}
        assert text_of(desk.get("/alarms/badge", **fragment).text) == "2 2 open alarms"
        portal = next(row for row in api.get("/alarms")["items"] if row["subject"] == "portal")
        assert desk.post(f"/alarms/{portal['id']}/acknowledge").status_code == 303
        assert "acknowledged by user:ada" in text_of(desk.page("/alarms"))
        assert text_of(desk.get("/alarms/badge", **fragment).text) == "1 1 open alarm"
        desk.post("/alarms/endpoint_failing/snooze")
        assert text_of(desk.get("/alarms/badge", **fragment).text) == ""
        done = [entry["action"] for entry in api.get("/audit?action=alarm")["items"]]
        assert done == ["alarm.snoozed", "alarm.acknowledged"]
        assert api.ask("POST", "/alarms/nothing/acknowledge").status_code == 404
        assert api.ask("POST", "/alarms/nothing/acknowledge", api.key("alarms:read")).status_code == 403
    finally:
        store.client.delete(keys.ALARMS, keys.ALARM_CHANNELS)


def api_now() -> int:
    return clock.ms(clock.agreed())
