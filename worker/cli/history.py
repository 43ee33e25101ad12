"""The history of an article: `dateline history`. It asks the record alone, and works without Redis."""

from __future__ import annotations

import json
import shlex
from itertools import groupby
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from worker.cli.articles import known_article, the_record
from worker.cli.terminal import AsJson, Config, Data, Failed, out, print_json, printable, say, settings_of, utc

if TYPE_CHECKING:
    from collections.abc import Sequence

    from feeds.revision_changes import FieldChange
    from worker.record.articles import Revision

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
    from worker.record import articles
    from worker.record.revision_changes import revision_json, with_changes

    with the_record(settings_of(config, data)) as record, record.read() as connection:
        article_id = known_article(connection, article)
        revisions = articles.history(connection, article_id)
    if version is not None:
        _print_version(article_id, revisions, version, as_json=as_json)
    elif as_json:
        print_json({"article": article_id, "revisions": [revision_json(*pair) for pair in with_changes(revisions)]})
    else:
        for number, (revision, changed) in enumerate(with_changes(revisions)):
            first = number == 0
            _print(revision, [change for change in changed or () if change.field == "headline"] if first else changed)
        if revisions and revisions[0].document is not None:
            say(f"All of a version: dateline history {shlex.quote(article_id)} --version {revisions[0].version}")
        if not revisions:
            say("The record has no revisions of it yet.")


def _print_version(article_id: str, revisions: Sequence[Revision], version: int, *, as_json: bool) -> None:
    same = [revision for revision in revisions if revision.version == version]
    if not same:
        versions = list(dict.fromkeys(str(revision.version) for revision in revisions))
        raise Failed(f"--version: {article_id} has no version {version}; there is {', '.join(versions) or 'none'}")
    revision = max(same, key=lambda revision: revision.accepted)
    if revision.document is None:
        raise Failed(f"the words of version {version} of {article_id} are forgotten; their sha256 is {revision.sha256}")
    if as_json:
        print_json(json.loads(revision.document))
        return
    from feeds.article import Article
    from feeds.revision_changes import paragraphs

    document = Article.stored(revision.document)
    say(f"{article_id}, version {version}, {revision.pubstatus}, accepted {utc(revision.accepted)} UTC")
    for field in _SHOWN:
        if value := getattr(document, field, None):
            say(f"{field}: {value}")
    for field in ("subjects", "authors"):
        if values := getattr(document, field, ()):
            say(f"{field}: {', '.join(values)}")
    for image in document.images:
        say(f"image: {' | '.join(filter(None, (image.url, image.caption, image.credit)))}")
    for paragraph in paragraphs(document.body_html):
        out.print()
        say(paragraph)


def _print(revision: Revision, changed: list[FieldChange] | None) -> None:
    event = f"by the event {revision.event_id}" if revision.event_id else ""
    sender = f"from {revision.sender}" if revision.sender else ""
    about = ", ".join(filter(None, (f"{utc(revision.accepted)} UTC", revision.pubstatus, event, sender)))
    title = Text(f"Version {revision.version}", "bold").append(printable(f"   {about}"), "none")
    out.print(title, soft_wrap=True)
    if revision.document is None:
        say(f"    its words are forgotten; their sha256 is {revision.sha256}")
    elif changed is None:
        say("    the words of the version before are forgotten")
    elif not changed:
        say("    nothing that readers see changed")
    for change in changed or ():
        say(f"    {change.field}")
        for sign, parts in groupby(change.parts, key=lambda part: part[0]):
            for _, text in parts:
                out.print(Text(f"      {sign} {printable(text)}", _COLORS[sign]), soft_wrap=True)
