"""What people see of the feeds: the pages in a real browser, Debian's Chromium without a window."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator

import pytest
from newsroom import Newsroom, start
from receiver import Receiver
from selenium.common.exceptions import WebDriverException
from selenium.webdriver import Chrome, ChromeOptions, ChromeService
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.expected_conditions import url_to_be
from selenium.webdriver.support.wait import WebDriverWait

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
pytestmark = pytest.mark.skipif(
    not (CHROMIUM and DRIVER),
    reason="chromium and chromedriver are not on the PATH; on Debian: apt-get install chromium chromium-driver",
)

TITLE = "أخبار المرفأ"
HEADLINE = "المرفأ يفتح أبوابه للعبّارات"
FEED = f"""
[[feeds]]
name = "ar"
title = "{TITLE}"
edition = "ar"
"""
# Where the first and the last letter of an element's text are drawn, from the left edge of the page.
PLACES = """
const text = arguments[0].firstChild;
const left = (place) => {
    const range = document.createRange();
    range.setStart(text, place);
    range.setEnd(text, place + 1);
    return range.getBoundingClientRect().left;
};
return [left(0), left(text.length - 1)];
"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Chrome]:
    options = ChromeOptions()
    options.binary_location = CHROMIUM or ""
    for argument in ("headless=new", "disable-dev-shm-usage", "no-first-run", "no-proxy-server"):
        options.add_argument(f"--{argument}")
    if os.geteuid() == 0:
        # Chromium's sandbox does not run as root, as which containers of CI often do.
        options.add_argument("--no-sandbox")
    browser = Chrome(options, ChromeService(DRIVER))
    yield browser
    browser.quit()


@pytest.fixture(scope="module")
def newsroom(tmp_path_factory: pytest.TempPathFactory, shared_receiver: Receiver) -> Iterator[Newsroom]:
    """One with an Arabic feed and an article in it, whose page the receiver has."""
    shared_receiver.behave["/story"] = lambda _: (200, b"<title>The story</title>", {"Content-Type": "text/html"})
    with start(tmp_path_factory.mktemp("n"), shared_receiver, 1, FEED) as newsroom:
        newsroom.publish("ar-1", "none", edition="ar", headline=HEADLINE, url=f"{shared_receiver.url}/story")
        shared_receiver.until(lambda: newsroom.store.changes.size("ar") == 1, 20, "the article")
        yield newsroom


def waiting(browser: Chrome) -> WebDriverWait[Chrome]:
    """Waits for what may be made anew while it is looked at, which the driver says in many ways."""
    return WebDriverWait(browser, 60, ignored_exceptions=(WebDriverException,))


def reached(browser: Chrome, url: str) -> None:
    """Wait until a link has led there, and the page is whole."""
    waiting(browser).until(url_to_be(url), f"the browser stayed at {browser.current_url}")
    waiting(browser).until(
        lambda _: browser.execute_script("return document.readyState") == "complete", "the page is not whole"
    )


def runs_leftwards(browser: Chrome, element: WebElement) -> bool:
    """Whether the element's text is drawn from the right to the left."""
    first, last = browser.execute_script(PLACES, element)
    return bool(first > last)


def test_the_directory_shows_arabic_from_right_to_left_and_leads_to_feeds(browser: Chrome, newsroom: Newsroom) -> None:
    browser.get(f"{newsroom.base_url}/feeds")
    arabic = browser.find_element(By.XPATH, f"//td//bdi[text()='{TITLE}']")
    assert ("rtl", "ar") == (arabic.value_of_css_property("direction"), arabic.get_attribute("lang"))
    assert runs_leftwards(browser, arabic)
    english = browser.find_element(By.XPATH, "//td//bdi[text()='Section 1']")
    assert "ltr" == english.value_of_css_property("direction")
    assert not runs_leftwards(browser, english)
    row = arabic.find_element(By.XPATH, "ancestor::tr")
    # Its formats begin where its lines do, at the right.
    cell = row.find_element(By.CSS_SELECTOR, "td:has(.formats)")
    edge = cell.rect["x"] + cell.rect["width"]
    last = row.find_elements(By.CSS_SELECTOR, ".formats a")[-1]
    assert edge - (last.rect["x"] + last.rect["width"]) < 20
    row.find_element(By.LINK_TEXT, "Atom").click()
    reached(browser, newsroom.topic("ar", "atom"))
    assert HEADLINE in browser.page_source


def test_a_feeds_page_shows_arabic_from_right_to_left_and_leads_to_articles(
    browser: Chrome, newsroom: Newsroom
) -> None:
    browser.get(f"{newsroom.base_url}/feeds")
    browser.find_element(By.LINK_TEXT, TITLE).click()
    reached(browser, f"{newsroom.base_url}/feeds/ar")
    assert "rtl" == browser.find_element(By.TAG_NAME, "h1").value_of_css_property("direction")
    (entry,) = browser.find_elements(By.TAG_NAME, "article")
    assert ("rtl", "ar") == (entry.value_of_css_property("direction"), entry.get_attribute("lang"))
    headline = entry.find_element(By.LINK_TEXT, HEADLINE)
    assert runs_leftwards(browser, headline)
    # It begins at the right edge of its place.
    assert headline.rect["x"] + headline.rect["width"] == pytest.approx(entry.rect["x"] + entry.rect["width"], abs=1)
    headline.click()
    reached(browser, f"{newsroom.receiver.url}/story")
    assert "The story" == browser.title


def test_the_page_of_the_api_shows_its_operations_and_asks_nobody_else(browser: Chrome, newsroom: Newsroom) -> None:
    browser.get_log("browser")
    browser.get(f"{newsroom.base_url}/api/v1/")
    heading = "Who has an article, and who has not"
    waiting(browser).until(lambda _: heading in browser.find_element(By.TAG_NAME, "body").text, "no operation is shown")
    assert "/api/v1/articles/{article}/coverage" in browser.find_element(By.TAG_NAME, "body").text
    # Redoc would show the logo of its makers from elsewhere: that is refused before anything is asked of them.
    errors = [entry["message"] for entry in browser.get_log("browser") if entry["level"] == "SEVERE"]
    others = [message for message in errors if "favicon" not in message]
    assert [message for message in others if "Content Security Policy" not in message] == []
    script = (
        "return performance.getEntriesByType('resource').map((each) => [new URL(each.name).host, each.responseStatus])"
    )
    answered = {host for host, status in browser.execute_script(script) if status}
    assert answered == {newsroom.base_url.removeprefix("http://")}
