"""The night of the kill, at the desk in a real browser: from the search to "proven", with an endpoint that is down."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator

import pytest
from newsroom import Newsroom, start
from receiver import Receiver
from selenium.webdriver import Chrome, ChromeOptions, ChromeService
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait

from worker.management.callers import shell
from worker.management.management import Management
from worker.management.surroundings import Surroundings

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
pytestmark = pytest.mark.skipif(
    not (CHROMIUM and DRIVER),
    reason="chromium and chromedriver are not on the PATH; on Debian: apt-get install chromium chromium-driver",
)
PASSWORD = "a password of twelve or more"
SECONDS = 60


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
    yield browser
    browser.quit()


@pytest.fixture(scope="module")
def newsroom(tmp_path_factory: pytest.TempPathFactory, shared_receiver: Receiver) -> Iterator[Newsroom]:
    endpoints = "".join(
        f'\n[[endpoints]]\nname = "{name}"\nfeed = "harbour"\nformat = "json"\nurl = "{shared_receiver.url}/{name}"\n'
        for name in ("portal", "agency", "radio")
    )
    more = f'\n[[feeds]]\nname = "harbour"\ntitle = "Harbour"\nselect = [{{ section = ["harbour"] }}]\n{endpoints}'
    with start(tmp_path_factory.mktemp("n"), shared_receiver, 1, more) as newsroom:
        management = Management(newsroom.store, newsroom.record, Surroundings.of(newsroom.settings))
        management.people.add(shell("test"), "mira", "operator", PASSWORD)
        yield newsroom


def until_text(browser: Chrome, text: str, place: str = "main") -> None:
    WebDriverWait(browser, SECONDS).until(
        lambda _: text in browser.find_element(By.CSS_SELECTOR, place).text,
        f"no {text!r} in {browser.current_url}",
    )


def test_from_the_search_to_proven(browser: Chrome, newsroom: Newsroom, shared_receiver: Receiver) -> None:
    headline = 'Quay " onmouseover="document.title=1'
    newsroom.publish("quay-1", "harbour", headline=headline, body_html="<p>The crane fell at dawn.</p>")
    newsroom.publish("quay-2", "harbour", headline="Something else")
    shared_receiver.until(
        lambda: all(newsroom.attempts("harbour", name, 5) for name in ("portal", "agency", "radio")), 60, "pushes"
    )
    shared_receiver.behave["/radio"] = lambda _: (503, b"<script>document.title=2</script>", {})

    browser.get(f"{newsroom.base_url}/desk")
    assert browser.current_url.endswith("/desk/sign-in?next=%2Fdesk")
    browser.find_element(By.NAME, "name").send_keys("mira")
    browser.find_element(By.NAME, "password").send_keys(PASSWORD)
    browser.find_element(By.CSS_SELECTOR, "main button.primary").click()
    until_text(browser, "No kill is running")

    browser.find_element(By.LINK_TEXT, "Articles").click()
    until_text(browser, "Something else", "#results")
    browser.find_element(By.NAME, "q").send_keys("crane fel")  # as one types: no key is pressed to send it
    WebDriverWait(browser, SECONDS).until(
        lambda _: "Something else" not in browser.find_element(By.ID, "results").text, "the search did not narrow"
    )
    browser.find_element(By.PARTIAL_LINK_TEXT, "Quay").click()
    until_text(browser, "Its way")
    assert browser.find_element(By.TAG_NAME, "h1").text == headline
    browser.find_element(By.LINK_TEXT, "Kill …").click()
    until_text(browser, "3 endpoints and 0 subscribers have its text.")
    browser.find_element(By.CSS_SELECTOR, "button.danger").click()

    until_text(browser, "2 of 3 have confirmed.", "#kill-progress")
    until_text(browser, "radio", "#kill-progress .timeline")
    until_text(browser, "Try it now", "#kill-progress")
    shared_receiver.behave.pop("/radio")
    browser.find_element(By.XPATH, "//button[text()='Try it now']").click()
    until_text(browser, "Proven: nobody has it any longer", "#kill-progress")
    assert browser.find_element(By.CSS_SELECTOR, "#kill-progress progress").get_attribute("value") == "3"
    # Nothing that came from outside has run, and nothing was asked of another host.
    assert browser.title == "Kill: quay-1 · The Test Herald"
    assert [entry for entry in browser.get_log("browser") if "Content Security Policy" in entry["message"]] == []


def test_the_newest_is_on_the_screen_as_it_happens(browser: Chrome, newsroom: Newsroom) -> None:
    browser.get(f"{newsroom.base_url}/desk")
    until_text(browser, "live", "[data-live-state]")
    newsroom.publish("quay-3", "harbour")
    until_text(browser, "quay-3", "[data-live-list]")
    until_text(browser, "delivered", "[data-live-list]")
