"""Makes the pictures of the desk that the README shows, from a desk that runs: `python tests/desk_screenshots.py`.

A newsroom is started with three partners, of which one is down; an article is killed; what Chromium shows then goes to
docs/desk-now.png and docs/desk-kill.png.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from pathlib import Path

from newsroom import Newsroom, start
from receiver import Receiver
from selenium.webdriver import Chrome, ChromeOptions, ChromeService
from selenium.webdriver.common.by import By

from worker.management.callers import shell
from worker.management.management import Management
from worker.management.surroundings import Surroundings

DOCS = Path(__file__).parents[1] / "docs"
HEADLINES = {
    "ferry": "Ferry to the islands is late again",
    "trams": "Night trams run until four from Friday",
    "talks": "Minister denies talks on port sale",
    "storm": "Storm closes the outer harbour",
    "quay": "المرفأ يفتح أبوابه للعبّارات",
}
ENDPOINTS = ("city-portal", "news-agency", "radio-site")
WIDTH, HEIGHT = 1280, 860


def settings(receiver: Receiver) -> str:
    endpoints = "".join(
        f'[[endpoints]]\nname = "{name}"\nfeed = "harbour"\nformat = "json"\nurl = "{receiver.url}/{name}"\n'
        for name in ENDPOINTS
    )
    feed = '[[feeds]]\nname = "harbour"\ntitle = "Harbour"\nselect = [{ section = ["harbour"] }]\n'
    return f'\n[desk]\ntitle = "The Harbour Herald"\n{feed}{endpoints}'


def browser() -> Chrome:
    options = ChromeOptions()
    options.binary_location = shutil.which("chromium") or ""
    for argument in ("headless=new", "disable-dev-shm-usage", "no-proxy-server", "hide-scrollbars", "no-sandbox"):
        options.add_argument(f"--{argument}")
    chrome = Chrome(options, ChromeService(shutil.which("chromedriver")))
    size = {"width": WIDTH, "height": HEIGHT, "deviceScaleFactor": 1, "mobile": False}
    chrome.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    return chrome


def night(newsroom: Newsroom, receiver: Receiver) -> None:
    """Publish, and have one partner go down."""
    for name, headline in HEADLINES.items():
        newsroom.publish(name, "harbour", headline=headline, edition="ar" if name == "quay" else "en")
    deadline = time.monotonic() + 60
    while not all(len(newsroom.attempts("harbour", name, 9)) == len(HEADLINES) for name in ENDPOINTS):
        assert time.monotonic() < deadline, "the articles were not pushed"
        time.sleep(0.2)
    receiver.behave["/radio-site"] = lambda _: (503, b"down for maintenance", {})


def main() -> int:
    """Make both pictures."""
    receiver = Receiver()
    with (
        tempfile.TemporaryDirectory() as folder,
        start(Path(folder), receiver, 1, settings(receiver)) as newsroom,
    ):
        management = Management(newsroom.store, newsroom.record, Surroundings.of(newsroom.settings))
        management.people.add(shell("pictures"), "mira", "desk")
        link = management.sessions.make_link(shell("pictures"), "mira")
        night(newsroom, receiver)
        chrome = browser()
        chrome.get(f"{newsroom.base_url}/desk/sign-in/link/{link}")
        chrome.find_element(By.CSS_SELECTOR, "main button").click()
        chrome.get(f"{newsroom.base_url}/desk/articles/talks/kill")
        chrome.find_element(By.CSS_SELECTOR, "button.danger").click()
        time.sleep(4)
        chrome.save_screenshot(str(DOCS / "desk-kill.png"))
        chrome.get(f"{newsroom.base_url}/desk")
        time.sleep(2)
        chrome.save_screenshot(str(DOCS / "desk-now.png"))
        chrome.quit()
    receiver.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
