"""The history of an article: `dateline history`. Beside Redis it asks the record alone."""

from __future__ import annotations

import shlex
from typing import Annotated, Any

import typer
from rich.text import Text

from worker.cli.newsrooms import articles
from worker.cli.terminal import AsJson, Config, Data, out, print_json, printable, say, shown

_SHOWN = (
    *("headline", "summary", "url", "edition", "section", "dateline", "source", "rights"),
    *("urgency", "embargoed", "expires", "published", "updated"),
)
_COLORS = {"-": "red", "+": "green"}


def history(
    article: Annotated[str, typer.Argument(help="The article's id, or its address.")],
    version: Annotated[int | None, typer.Option(help="Print this revision.")] = None,
    config: Config = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Show every revision of an article: when it came, by which event, and what it changed."""
    if version is not None:
        _print_version(*articles.revision(config, data, article, version), as_json=as_json)
        return
    article_id, rows = articles.revisions(config, data, article)
    if as_json:
        print_json({"article": article_id, "revisions": rows})
        return
    for number, row in enumerate(rows):
        # Of the first one the headline alone: all else in it is new, too.
        _print(row, only="headline" if number == 0 else "")
    if rows and not rows[0]["forgotten"]:
        say(f"All of a version: dateline history {shlex.quote(article_id)} --version {rows[0]['version']}")
    if not rows:
        say("The record has no revisions of it yet.")


def _print_version(article_id: str, row: dict[str, Any], document: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(document)
        return
    from feeds.revision_changes import paragraphs

    say(f"{article_id}, version {row['version']}, {row['pubstatus']}, accepted {shown(row['accepted'])} UTC")
    for field in _SHOWN:
        if value := document.get(field):
            say(f"{field}: {value}")
    for field in ("subjects", "authors"):
        if values := document.get(field):
            say(f"{field}: {', '.join(values)}")
    for image in document.get("images") or ():
        say(f"image: {' | '.join(filter(None, (image['url'], image.get('caption'), image.get('credit'))))}")
    for paragraph in paragraphs(document.get("body_html") or ""):
        out.print()
        say(paragraph)


def _print(row: dict[str, Any], only: str) -> None:
    event = f"by the event {row['event']}" if row["event"] else ""
    sender = f"from {row['sender']}" if row["sender"] else ""
    about = ", ".join(filter(None, (f"{shown(row['accepted'])} UTC", row["pubstatus"], event, sender)))
    title = Text(f"Version {row['version']}", "bold").append(printable(f"   {about}"), "none")
    out.print(title, soft_wrap=True)
    changes = row["changes"]
    if changes is not None and only:
        changes = [change for change in changes if change["field"] == only]
    if row["forgotten"]:
        say(f"    its words are forgotten; their sha256 is {row['sha256']}")
    elif changes is None:
        say("    the words of the version before are forgotten")
    elif not changes:
        say("    nothing that readers see changed")
    for change in changes or ():
        say(f"    {change['field']}")
        parts = {"-": iter(change["removed"]), "+": iter(change["added"])}
        for sign in change["order"]:
            out.print(Text(f"      {sign} {printable(next(parts[sign]))}", _COLORS[sign]), soft_wrap=True)
