"""A feed is added to a newsroom whose articles are in the record, and the worker that fills it is killed."""

from __future__ import annotations

import hashlib
import json
import time
from datetime import timedelta
from pathlib import Path

import pytest
from newsroom import start
from receiver import Receiver
from test_rollout import PARTNER, WIRE, bodies, members, worker

from config.settings import load
from feeds.article import Article
from worker import clock
from worker.record.articles import RecordedArticle, note_articles
from worker.runtime.record_in_use import record_of

ARTICLES = 20_000
EVERY = 2_000
"""One in so many belongs in the feed."""


def put_into_record(config: Path) -> None:
    """Articles of years, which Redis does not have."""
    first = clock.now() - timedelta(days=3000)
    fields = {"id": "ID", "version": 1, "headline": "H", "url": "https://herald.example/ID", "edition": "en"}
    rows = []
    for number in range(ARTICLES):
        moment = first + timedelta(hours=number)
        section = "s9" if number % EVERY == 7 else "s8"
        article = Article.model_validate(
            fields | {"id": f"old-{number}", "section": section, "published": moment, "updated": moment}
        )
        document, published = article.model_dump_json(), clock.ms(moment)
        digest = hashlib.sha256(document.encode()).hexdigest()
        text = ("usable", "en", "H", article.url, document, "", published, published, None)
        rows.append(RecordedArticle(article.id, 1, "1-a", digest, *text))
    record = record_of(load(config))
    with record.write() as connection:
        note_articles(connection, rows)
    record.close()


@pytest.mark.long
@pytest.mark.timeout(400)
def test_another_worker_goes_on_and_events_flow_meanwhile(tmp_path: Path, receiver: Receiver) -> None:
    with start(tmp_path, receiver, 1) as newsroom:
        put_into_record(newsroom.config)
        more = WIRE + PARTNER.format(mode="article", fmt="json", url=receiver.url, more="")

        def gone_through() -> int:
            passes = newsroom.store.definitions.progress().passes
            return passes["recorded"].done if "recorded" in passes else 0

        with worker(newsroom, tmp_path, more) as first:
            receiver.until(lambda: gone_through() >= 1000, 60, "the filling to be on its way")
            first.kill()
            first.wait(60)
        reached = gone_through()
        assert newsroom.store.definitions.progress().feeds.keys() == {"wire"}
        newsroom.publish("new", "s9")
        # The newest of those in the record, which the feed has already, and the oldest, which is not reached yet.
        newsroom.kill(f"old-{ARTICLES - EVERY + 7}")
        newsroom.kill("old-7")
        with worker(newsroom, tmp_path, more):
            receiver.until(lambda: "new" in members(newsroom, "wire"), 60, "the event to be carried out")
            receiver.until(
                lambda: gone_through() >= reached or not newsroom.store.definitions.progress().feeds, 60, "it goes on"
            )
            receiver.until(lambda: not newsroom.store.definitions.progress().feeds, 90, "the feed to be filled")
            expected = {f"old-{number}" for number in range(EVERY + 7, ARTICLES - EVERY, EVERY)} | {"new"}
            receiver.until(lambda: members(newsroom, "wire") == expected, 30, "the kills in the new feed")
            newsroom.until_in_feed("wire", "new", *expected)
            receiver.until(lambda: len(bodies(receiver)) >= 1, 20, "the push of what is new")
            time.sleep(1)
            events = [json.loads(body) for body in bodies(receiver)]
            assert {"new"} == {event["article"]["id"] for event in events if event["type"] == "article.published"}
