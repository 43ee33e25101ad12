"""What a site does that has no server of feeds: at each request its articles are read and feedgen builds the feed.

Flask on Granian's WSGI interface, in one process with one thread for requests: more would only take turns. The articles
come out of SQLite by one query, without the objects that a framework would make of them.
"""

from __future__ import annotations

import os
import sqlite3
import sys
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path

from feedgen.feed import FeedGenerator
from flask import Flask, Response

from bench.newsroom import until
from bench.peers.running import running, serves
from worker.runtime.listen_address import free_port

_ARTICLES = "BENCH_ARTICLES"
"""Environment variable: the file of the articles."""
_NEWEST = "SELECT url, headline, body, published, section FROM articles ORDER BY published DESC"
_SITE = "https://herald.example"

app = Flask(__name__)


@app.get("/feed.atom")
def feed() -> Response:
    """The feed of the newest articles."""
    with closing(sqlite3.connect(os.environ[_ARTICLES])) as connection:
        return Response(_atom(connection.execute(_NEWEST)), mimetype="application/atom+xml")


def _atom(rows: Iterable[tuple[str, str, str, str, str]]) -> bytes:
    feed = FeedGenerator()
    feed.id(f"{_SITE}/feed.atom")
    feed.title("The Bench Herald")
    feed.link(href=f"{_SITE}/feed.atom", rel="self")
    feed.link(href=_SITE, rel="alternate")
    for url, headline, body, published, section in rows:
        entry = feed.add_entry(order="append")
        entry.id(url)
        entry.title(headline)
        entry.link(href=url)
        entry.category(term=section)
        moment = datetime.fromisoformat(
            published
        )  # given text, feedgen parses it by dateutil, which takes longer than all the rest
        entry.published(moment)
        entry.updated(moment)
        entry.content(body, type="html")
    document: bytes = feed.atom_str()
    return document


@contextmanager
def wsgi(folder: Path, rows: Iterable[tuple[str, str, str, str, str]]) -> Iterator[tuple[str, int]]:
    """Serve a feed of articles (URL, headline, body, time, section); yield its URL and the process id."""
    articles = folder / "articles.sqlite3"
    with closing(sqlite3.connect(articles)) as connection, connection:
        connection.execute("CREATE TABLE articles (url PRIMARY KEY, headline, body, published, section)")
        connection.executemany("INSERT INTO articles VALUES (?, ?, ?, ?, ?)", rows)
    port = free_port("127.0.0.1")
    server = ["granian", "--interface", "wsgi", "--port", str(port), "--blocking-threads", "1", "bench.peers.wsgi:app"]
    with running([[sys.executable, "-m", *server]], {_ARTICLES: str(articles)}) as [pid]:
        url = f"http://127.0.0.1:{port}/feed.atom"
        until(lambda: serves(url), 30, "the WSGI application")
        yield url, pid
