"""An article is found a moment after it was published, and of its text nothing is left after its kill."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

from command_line import dateline
from newsroom import Newsroom

SECRET = "zanzariel"
"""A word that is in no text but that of the article."""


def shown(newsroom: Newsroom, *words: str) -> Any:
    done = dateline(*words, "--json", "--config", str(newsroom.config))
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def where(newsroom: Newsroom) -> list[str]:
    """The files of the record and of Redis that have the word."""
    names = []
    for path in newsroom.config.parent.rglob("*"):
        # Redis writes files beside those that it replaces.
        with suppress(FileNotFoundError):
            if path.is_file() and path.suffix != ".json" and SECRET.encode() in path.read_bytes().lower():
                names.append(path.name)
    return names


def test_from_the_event_to_nothing(newsroom: Newsroom) -> None:
    receiver = newsroom.receiver
    body = f"<p>{SECRET.capitalize()} was seen in the harbour. Nobody knows from where.</p>" * 20
    newsroom.publish("found-1", "s2", headline=f"{SECRET} seen", body_html=body)
    # Two workers may carry out two events in either order, and what is stale by then is no revision.
    receiver.until(lambda: newsroom.store.changes.head("s2").seq == 1, 30, "the first version")
    newsroom.publish("found-1", "s2", 2, headline=f"{SECRET} gone", body_html=body + "<p>It has left.</p>")
    newsroom.publish("found-2", "s2", headline="Kelp in the harbour")

    def found(*options: str) -> list[str]:
        return [article["id"] for article in shown(newsroom, "articles", *options)["articles"]]

    receiver.until(lambda: found("--search", f'"{SECRET} gone"') == ["found-1"], 30, "the article to be found")
    receiver.until(lambda: found("--search", "harbour") == ["found-2", "found-1"], 30, "both to be found")
    revisions = shown(newsroom, "history", "found-1")["revisions"]
    assert [revision["version"] for revision in revisions] == [1, 2]
    headline = next(change for change in revisions[1]["changes"] if change["field"] == "headline")
    assert (headline["removed"], headline["added"]) == ([f"{SECRET} seen"], [f"{SECRET} gone"])
    receiver.until(
        lambda: any(row["delivered"] > 1 for row in shown(newsroom, "report")["endpoints"]), 30, "the report"
    )
    assert {"record.db"} <= {name.partition("-")[0] for name in where(newsroom)}

    newsroom.kill("found-1")
    receiver.until(lambda: found("--killed") == ["found-1"], 30, "the kill to be noted")
    assert found("--search", SECRET) == []
    done = dateline("forget", "found-1", "--yes", "--config", str(newsroom.config))
    assert done.returncode == 0, done.stderr
    # The append-only file is written anew in the background, and a worker cleans the record's files.
    receiver.until(lambda: not where(newsroom), 60, f"the word to be nowhere, it is in {where(newsroom)}")
    assert found("--search", "harbour") == ["found-2"]
    forgotten = [revision["forgotten"] for revision in shown(newsroom, "history", "found-1")["revisions"]]
    assert forgotten == [True, True, False]
