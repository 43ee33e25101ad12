"""The desk in a real browser: the night of the kill, what happens as it happens, lists by keyboard, every page for all.

`axe/axe.min.js` is axe-core 4.14.1 (Deque Systems, MPL 2.0), as npm has it, unchanged.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import requests
from newsroom import Newsroom, published, put_off, start
from receiver import Receiver
from selenium.common.exceptions import WebDriverException
from selenium.webdriver import Chrome, ChromeOptions, ChromeService
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.wait import WebDriverWait

from config.alarm_settings import AlarmSettings
from worker import clock
from worker.alarms.evaluation import AlarmEvaluation
from worker.management.callers import shell
from worker.management.management import Management
from worker.management.surroundings import Surroundings
from worker.store.alarms import Cause
from worker.store.live import ALARMS

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
pytestmark = pytest.mark.skipif(
    not (CHROMIUM and DRIVER),
    reason="chromium and chromedriver are not on the PATH; on Debian: apt-get install chromium chromium-driver",
)
PASSWORD = "a password of twelve or more"
SECONDS = 60
AXE = Path(__file__).with_name("axe") / "axe.min.js"
# What axe has against a page, and how many of its rules the page keeps.
CHECK = """
const done = arguments[0];
axe.run(document, {iframes: false}).then((result) => done([
    result.violations.map((wrong) => `${wrong.id}: ${wrong.nodes[0].html}`), result.passes.length,
]));
"""
# By how much the page is too wide, or one of its tables; the numbers of charts are scrolled, by keyboard too.
WIDTH = """
return Math.max(document.documentElement.scrollWidth - innerWidth,
  ...[...document.querySelectorAll(".table-wrap:not([tabindex])")].map((each) => each.scrollWidth - each.clientWidth));
"""
PAGES = (
    *("", "/alarms", "/articles", "/articles/quay-2", "/articles/quay-2/kill", "/articles/quay-1/killed"),
    *("/articles/quay-2/preview", "/lists", "/endpoints-parked", "/partners/harbour-radio"),
    *(f"/lists/{quote('Editor Picks')}", "/endpoints", "/endpoints/radio", "/partners", "/new-partner", "/feeds"),
    *("/feeds/harbour", "/subscriptions", "/audit", "/people", "/keys", "/account", "/new-endpoint"),
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Chrome]:
    options = ChromeOptions()
    options.binary_location = CHROMIUM or ""
    for argument in (
        "headless=new",
        "disable-dev-shm-usage",
        "no-first-run",
        "no-proxy-server",
        "window-size=1280,900",
    ):
        options.add_argument(f"--{argument}")
    if os.geteuid() == 0:
        options.add_argument("--no-sandbox")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    browser = Chrome(options, ChromeService(DRIVER))
    # axe goes through a whole page in one call.
    browser.set_script_timeout(SECONDS * 3)
    yield browser
    browser.quit()


@pytest.fixture(scope="module")
def newsroom(tmp_path_factory: pytest.TempPathFactory, shared_receiver: Receiver) -> Iterator[Newsroom]:
    endpoints = "".join(
        f'\n[[endpoints]]\nname = "{name}"\nfeed = "harbour"\nformat = "json"\nurl = "{shared_receiver.url}/{name}"\n'
        for name in ("portal", "agency", "radio")
    )
    sealed = f'\n[management]\nsecret_key = "{"k" * 42}8="\n'
    more = (
        f'\n[[feeds]]\nname = "harbour"\ntitle = "Harbour"\nselect = [{{ section = ["harbour"] }}]\n{endpoints}{sealed}'
    )
    with start(tmp_path_factory.mktemp("n"), shared_receiver, 1, more) as newsroom:
        management = Management(newsroom.store, newsroom.record, Surroundings.of(newsroom.settings))
        management.people.add(shell("test"), "mira", "admin", PASSWORD)
        yield newsroom


@pytest.fixture(scope="module")
def partner_link(newsroom: Newsroom, shared_receiver: Receiver) -> str:
    """The path that opens the page of a partner with an endpoint of their own."""
    root = shell("test")
    management = Management(newsroom.store, newsroom.record, Surroundings.of(newsroom.settings))
    contact = {"name": "Night desk", "phone": "+1 555 0100", "email": "night@radio.example"}
    management.partners.create(root, "harbour-radio", {"title": "Harbour Radio", "contacts": [contact]})
    address = f"{shared_receiver.url}/made"
    settings = {"feed": "harbour", "format": "json", "url": address, "mode": "article"}
    management.endpoints.create(root, "radio-made", settings, "harbour-radio")
    secret = management.links.make(root, "harbour-radio").token
    path = f"/partner/open/{secret}"
    shared_receiver.until(
        lambda: requests.get(f"{newsroom.base_url}{path}", timeout=60, allow_redirects=False).status_code == 303,
        60,
        "the link",
    )
    return path


def waiting(browser: Chrome) -> WebDriverWait[Chrome]:
    """Waits for what may be made anew while it is looked at, which the driver says in many ways."""
    return WebDriverWait(browser, SECONDS, ignored_exceptions=(WebDriverException,))


def click(browser: Chrome, by: str, words: str) -> None:
    """Click what may be made anew meanwhile."""

    def clicked(_: Chrome) -> bool:
        browser.find_element(by, words).click()
        return True

    waiting(browser).until(clicked, f"no {words}")


def until_text(browser: Chrome, text: str, place: str = "main") -> None:
    waiting(browser).until(
        lambda _: text in browser.find_element(By.CSS_SELECTOR, place).text,
        f"no {text!r} in {browser.current_url}",
    )


class OneCause:
    """In place of the state of the world."""

    def at(self, _: int) -> tuple[list[str], list[Cause]]:
        return ["test"], [Cause("test", "desk", "a test looks at it")]


def test_from_the_search_to_proven(browser: Chrome, newsroom: Newsroom, shared_receiver: Receiver) -> None:
    headline = 'Quay " onmouseover="document.title=1'
    newsroom.publish("quay-1", "harbour", headline=headline, body_html="<p>The crane fell at dawn.</p>")
    newsroom.publish("quay-2", "harbour", headline="Something else")
    newsroom.publish("quay-long", "harbour", headline="Harbour" * 40)
    shared_receiver.until(
        lambda: newsroom.store.changes.size("harbour") == 3 and newsroom.is_settled("harbour", 3), 60, "pushes"
    )
    shared_receiver.behave["/radio"] = lambda _: (503, b"<script>document.title=2</script>", {})

    browser.get(f"{newsroom.base_url}/desk")
    assert browser.current_url.endswith("/desk/sign-in?next=%2Fdesk")
    browser.find_element(By.NAME, "name").send_keys("mira")
    browser.find_element(By.NAME, "password").send_keys(PASSWORD)
    browser.find_element(By.CSS_SELECTOR, "main button.primary").click()
    until_text(browser, "No kill is running")

    click(browser, By.LINK_TEXT, "Articles")
    until_text(browser, "Something else", "#results")
    browser.find_element(By.NAME, "q").send_keys("crane fel")  # as one types: no key is pressed to send it
    waiting(browser).until(
        lambda _: "Something else" not in browser.find_element(By.ID, "results").text, "the search did not narrow"
    )
    click(browser, By.PARTIAL_LINK_TEXT, "Quay")
    until_text(browser, "Its way")
    assert browser.find_element(By.TAG_NAME, "h1").text == headline
    click(browser, By.LINK_TEXT, "Kill …")
    until_text(browser, "3 endpoints have its text.")
    click(browser, By.CSS_SELECTOR, "button.danger")

    until_text(browser, "2 of 3 have confirmed.", "#kill-progress")
    until_text(browser, "radio", "#kill-progress .timeline")
    # By itself it would be tried an hour later.
    until_text(browser, "Try it now", "#kill-progress")
    shared_receiver.until(lambda: put_off(newsroom.store, "harbour", "radio"), 60, "backoff")
    shared_receiver.behave.pop("/radio")
    click(browser, By.XPATH, "//button[text()='Try it now']")
    until_text(browser, "Proven: nobody has it any longer", "#kill-progress")
    waiting(browser).until(
        lambda _: browser.find_element(By.CSS_SELECTOR, "#kill-progress progress").get_attribute("value") == "3"
    )
    # Nothing that came from outside has run, and nothing was asked of another host.
    assert browser.title == "Kill: quay-1 · The Test Herald"
    assert [entry for entry in browser.get_log("browser") if "Content Security Policy" in entry["message"]] == []


def test_the_newest_is_on_the_screen_as_it_happens(browser: Chrome, newsroom: Newsroom) -> None:
    browser.get(f"{newsroom.base_url}/desk")
    until_text(browser, "live", "[data-live-state]")
    newsroom.publish("quay-3", "harbour", headline="The third quay")
    until_text(browser, "The third quay\n3 / 3", "[data-live-list]")
    # The navigation hears of alarms, too, on whichever page it is.
    browser.get(f"{newsroom.base_url}/desk/articles")
    until_text(browser, "live", "[data-live-state]")
    assert browser.find_elements(By.CSS_SELECTOR, ".main-nav .badge") == []
    causes: Any = OneCause()
    AlarmEvaluation(newsroom.store, causes, AlarmSettings(), []).evaluate(clock.ms(clock.now()))
    until_text(browser, "1", ".main-nav .badge")
    newsroom.store.alarms.mark("test", "user:mira", acknowledged=1)
    newsroom.store.live.append([(ALARMS, {})])
    waiting(browser).until(lambda _: not browser.find_elements(By.CSS_SELECTOR, ".main-nav .badge"), "it stands")


def test_of_what_happens_at_once_the_last_stands_first(browser: Chrome, newsroom: Newsroom) -> None:
    browser.get(f"{newsroom.base_url}/desk")
    until_text(browser, "live", "[data-live-state]")
    batch = [published(f"burst-{number}", "harbour", headline=f"Burst number {number}") for number in range(60)]
    assert newsroom.post(batch).status_code in {202, 207}
    waiting(browser).until(lambda _: newsroom.is_settled("harbour", 3) and newsroom.store.changes.size("harbour") > 60)

    def names(page: str) -> list[str]:
        return re.findall(r'<li [^>]*data-article="(burst-[0-9]+)"', page)

    # As the server puts them, who knows their places; here the browser does.
    browser.get(f"{newsroom.base_url}/desk")
    until_text(browser, "live", "[data-live-state]")
    waiting(browser).until(lambda _: len(browser.find_elements(By.CSS_SELECTOR, "[data-live-list] li")) == 40)
    cookies = {cookie["name"]: cookie["value"] for cookie in browser.get_cookies()}
    page = requests.get(f"{newsroom.base_url}/desk", cookies=cookies, timeout=60).text
    expected = names(page)
    assert len(expected) > 10
    shown = names(browser.find_element(By.CSS_SELECTOR, "[data-live-list]").get_attribute("innerHTML") or "")
    assert expected == shown[: len(expected)]
    # By its headline, each of them.
    waiting(browser).until(
        lambda _: browser.find_element(By.CSS_SELECTOR, "[data-live-list]").text.count("Burst number") == len(shown)
    )


# Keeps the streams that a page opens, for the test.
STREAMS = """
window.streams = [];
window.EventSource = class extends EventSource { constructor(...from) { super(...from); streams.push(this); } };
"""


def test_a_page_says_what_it_does_not_hear(browser: Chrome, newsroom: Newsroom) -> None:
    kept = browser.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": STREAMS})
    browser.get(f"{newsroom.base_url}/desk/articles")
    until_text(browser, "live", "[data-live-state]")
    state = browser.find_element(By.CSS_SELECTOR, "[data-live-state]")
    # Each stream ends after a minute, and the next one begins at once: that is no news for anybody.
    browser.execute_script("streams[0].dispatchEvent(new Event('error'))")
    assert "is-on" in (state.get_attribute("class") or "")
    waiting(browser).until(lambda _: "is-off" in (state.get_attribute("class") or ""))

    stale, search = browser.find_element(By.CSS_SELECTOR, "[data-stale]"), browser.find_element(By.NAME, "q")
    network = {"latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
    browser.execute_cdp_cmd("Network.enable", {})
    browser.execute_cdp_cmd("Network.emulateNetworkConditions", {"offline": True, **network})
    search.send_keys("quay")
    waiting(browser).until(lambda _: stale.is_displayed())
    browser.execute_cdp_cmd("Network.emulateNetworkConditions", {"offline": False, **network})
    search.send_keys("-2")
    waiting(browser).until(lambda _: not stale.is_displayed())

    ended = browser.find_element(By.CSS_SELECTOR, "[data-ended]")
    assert not ended.is_displayed()
    browser.execute_script("streams.at(-1).dispatchEvent(new MessageEvent('ended', {data: '{}'}))")
    waiting(browser).until(lambda _: ended.is_displayed())
    assert search.get_attribute("value") == "quay-2"
    browser.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", kept)
    browser.get_log("browser")


def test_a_list_is_put_in_order_by_keyboard(browser: Chrome, newsroom: Newsroom) -> None:
    newsroom.send({"type": "list.updated", "list": {"name": "Editor Picks", "articles": ["quay-2", "quay-3"]}})
    waiting(browser).until(lambda _: newsroom.store.lists.get_many(["Editor Picks"])["Editor Picks"])
    browser.get(f"{newsroom.base_url}/desk/lists/{quote('Editor Picks')}")
    down = browser.find_element(By.CSS_SELECTOR, ".picks li:first-child [data-move='1']")
    browser.execute_script("arguments[0].focus()", down)
    ActionChains(browser).key_down(Keys.ALT).send_keys(Keys.ARROW_DOWN).key_up(Keys.ALT).perform()
    until_text(browser, "Place 2 / 2", "#arrange")
    assert browser.switch_to.active_element == down
    browser.find_element(By.XPATH, "//button[text()='Save the order']").send_keys(Keys.ENTER)
    until_text(browser, "Saved.")
    waiting(browser).until(
        lambda _: newsroom.store.lists.get_many(["Editor Picks"])["Editor Picks"] == ("quay-3", "quay-2")
    )


@pytest.mark.parametrize(
    ("language", "scheme", "width"),
    [
        ("en", "light", 1280),
        ("ar", "dark", 390),
        pytest.param("en", "dark", 390, marks=pytest.mark.long),
        pytest.param("ar", "light", 1280, marks=pytest.mark.long),
    ],
)
def test_every_page_is_for_all(
    browser: Chrome, newsroom: Newsroom, partner_link: str, language: str, scheme: str, width: int
) -> None:
    browser.execute_cdp_cmd(
        "Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    )
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    browser.get(f"{newsroom.base_url}{partner_link}")
    for place in ("/desk", "/partner"):
        browser.add_cookie({"name": "dateline_language", "value": language, "path": place})
    script = AXE.read_text("utf-8")
    wrong = {}
    public = ("/", "/feeds/harbour", "/nothing-is-here")
    spoken = (*(f"/desk{path}" for path in PAGES), "/partner", "/partner/signatures", "/partner/endpoints/radio-made")
    for path in (*spoken, *public):
        browser.get(f"{newsroom.base_url}{path}")
        # What readers see is in the language of their edition.
        said = browser.find_element(By.TAG_NAME, "html").get_attribute("lang")
        assert said == (language if path in spoken else "en"), path
        browser.execute_script(script)
        violations, passes = browser.execute_async_script(CHECK)
        assert passes > 10
        wide = browser.execute_script(WIDTH)
        if violations or wide > 0:
            wrong[path] = violations, wide
    assert wrong == {}
