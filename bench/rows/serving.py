"""Serving: GET of an Atom feed with 50 articles, 40 kB, from the one web server process of the stack.

Beside it, in turns: (a) nginx with one worker process, which serves the same bytes as a file; (b) Flask, which reads
the same articles from SQLite and builds their feed with feedgen at each request. All are asked by one client on 32
connections, uncompressed. 200: the whole; 304: with the tag that the server gave (If-None-Match). Medians of rounds.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

from bench.client import ask, rate
from bench.machine import Usage, descendants
from bench.newsroom import event, start, until
from bench.peers import nginx
from bench.peers.wsgi import wsgi
from bench.receiver import Receiver
from bench.results import Result, at_least

LIMIT = """\
A request whose very bytes are known costs uvloop's turn, two lookups and a write; nginx does that in C, and has the
file and its head ready as well. One whose bytes are not known goes through httptools and ASGI besides."""

ROUNDS = 1
"""It has rounds of its own, in turns with its peers."""

_ASKED = {200: ("ours", "a", "b"), 304: ("ours", "a")}
"""Whom, for which status. (b) has no tags."""
_NO_NGINX = Result("(a) nginx", 0, "/s", note="there is no nginx here; both targets against it are not measured")
_ARTICLES = 50
_TEXT = 462
"""Characters of a body that make 40 kB of so many articles."""
_ROUNDS = 5
_SECONDS = 1.5
"""Of one turn. A quick run's are shorter."""
_QUICK_ROUNDS, _QUICK_SECONDS = 3, 0.3


@dataclass(frozen=True, slots=True)
class _Server:
    url: str
    pids: list[int]


def run(scale: float) -> list[Result]:
    """Measure. Raises what keeps it from being measured."""
    rounds, seconds = (_ROUNDS, _SECONDS) if scale >= 1 else (_QUICK_ROUNDS, _QUICK_SECONDS)
    rates: dict[str, list[float]] = defaultdict(list)
    busy: dict[str, str] = {}
    with ExitStack() as stack:
        newsroom = stack.enter_context(start(stack.enter_context(Receiver()), ["served"]))
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="dateline-bench-")))
        events = [event(f"a{number}", "served", text=_TEXT) for number in range(_ARTICLES)]
        newsroom.send(events)
        ours = f"{newsroom.base_url}/feeds/served.atom"
        until(lambda: ask(ours, {}).body.count(b"<entry ") == _ARTICLES, 30, "the feed to have all articles")
        held = ask(ours, {})
        servers = {"ours": _Server(ours, newsroom.web())}
        if program := nginx.find():
            file, pid = stack.enter_context(nginx.nginx(program, folder, held.body, held.headers["content-type"]))
            if ask(file, {}).body != held.body:
                raise RuntimeError("nginx does not serve the bytes that were written")
            servers["a"] = _Server(file, descendants(pid))
        site, pid = stack.enter_context(wsgi(folder, [_row(sent["article"]) for sent in events]))
        servers["b"] = _Server(site, descendants(pid))
        turns = [(name, status) for status, names in _ASKED.items() for name in names if name in servers]
        # The first round warms all up.
        for number in range(1 + rounds):
            for name, status in turns:
                server = servers[name]
                known = {"If-None-Match": ask(server.url, {}).headers["etag"]} if status == 304 else {}
                usage = Usage({"server": server.pids, "client": [os.getpid()]})
                measured = rate(server.url, known, status, seconds)
                busy[f"{name} {status}"] = usage.report()
                if number:
                    rates[f"{name} {status}"].append(measured)
        built = ask(site, {})
    results = [
        _rate("200", rates["ours 200"], f"{len(held.body):,} bytes; {busy['ours 200']}"),
        _rate("304", rates["ours 304"], busy["ours 304"]),
    ]
    if "a" in servers:
        results += [
            _rate(f"(a) {nginx.version()}: {status}", rates[f"a {status}"], busy[f"a {status}"]) for status in _ASKED
        ]
        results += [
            _ratio(f"{status} against (a)", rates[f"ours {status}"], rates[f"a {status}"], 0.6) for status in _ASKED
        ]
    else:
        results.append(_NO_NGINX)
    return [
        *results,
        _rate("(b) Flask with feedgen", rates["b 200"], f"{len(built.body):,} bytes; {busy['b 200']}"),
        _ratio("200 against (b)", rates["ours 200"], rates["b 200"], 100),
    ]


def _rate(name: str, rates: Sequence[float], note: str) -> Result:
    return Result(name, median(rates), "/s", note=note).over(rates)


def _ratio(name: str, ours: Sequence[float], theirs: Sequence[float], bound: float) -> Result:
    """Of each round by itself: what disturbs a round disturbs both."""
    ratios = [our / their for our, their in zip(ours, theirs, strict=True)]
    return at_least(name, median(ratios), bound, "x").over(ratios)


def _row(article: Mapping[str, Any]) -> tuple[str, str, str, str, str]:
    now = datetime.now(UTC).isoformat()
    return article["url"], article["headline"], article["body_html"], now, article["section"]
