"""`python -m bench.desk_visitors BASE_URL COOKIE COUNT`: so many desks that are open on the page *Now*, until ended.

Each follows the stream of the desk as web/desk/static/desk.js does. It is sent all that the page shows.
"""

from __future__ import annotations

import sys
import threading
import time

import requests


def follow(base_url: str, cookie: str) -> None:
    """Follow until the process ends; a stream that ends is asked for again."""
    while True:
        address = f"{base_url}/desk/live?page=now&kinds=alarms&since={int(time.time() * 1000)}"
        try:
            with requests.get(address, headers={"Cookie": cookie}, stream=True, timeout=60) as answer:
                for _ in answer.iter_lines():
                    pass
        except requests.RequestException:
            time.sleep(1)


def main() -> None:
    """Open them."""
    base_url, cookie, count = sys.argv[1:]
    for _ in range(int(count)):
        threading.Thread(target=follow, args=(base_url, cookie), daemon=True).start()
    threading.Event().wait()


if __name__ == "__main__":
    main()
