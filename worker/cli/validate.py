"""`dateline validate`: the gate's rules, for people and for anybody's documents.

Others' documents are judged by the standards of their formats and by what partners ask for; feeds of ours, and whatever
`--house` says so of, also by the rules that only ours must keep.
"""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from feeds.format_names import FORMATS
from worker.cli.terminal import Config, Data, Failed, out, printable, say_wrong

if TYPE_CHECKING:
    from feeds.recognition import Recognised
    from feeds.validation.finding import Finding


def validate(
    sources: Annotated[
        list[str], typer.Argument(metavar="FILE|URL|FEED...", help="Files, addresses, feeds, or - for standard input.")
    ],
    format_name: Annotated[
        str,
        typer.Option(
            "--format",
            help=f"Their format; else it is recognised, and feeds are checked in all. One of {', '.join(FORMATS)}.",
        ),
    ] = "",
    house: Annotated[
        bool, typer.Option("--house", help="Ask of all documents what Dateline asks of its own feeds.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the findings as a JSON array.")] = False,
    config: Config = None,
    data: Data = None,
) -> None:
    """Check documents of any format by its standard, feeds of ours by our stricter rules as well.

    Status 0: no findings, 1: some, 2: not all read.
    """
    from feeds.validation.checks import check_article, check_feed
    from worker.cli.document_inputs import Reader
    from worker.intake.sources import InputError

    reader = Reader(config, data, format_name)
    if format_name and format_name not in FORMATS and format_name not in (own := reader.own_formats()):
        raise Failed(f"--format: there is no format {format_name}; known: {', '.join((*FORMATS, *own))}", 2)
    checked: Counter[Recognised] = Counter()
    all_findings: list[tuple[str, Recognised, Finding]] = []
    unread = False
    for source in sources:
        try:
            for where, form, content, missing, ours in reader.documents(source):
                check = check_feed if form.kind == "feed" else check_article
                findings = [*missing, *check(form.name, content, ours=ours or house)]
                checked[form] += 1
                all_findings += [(where, form, finding) for finding in findings]
                if not as_json:
                    _tell(where, findings)
        except (Failed, InputError) as error:
            unread = True
            say_wrong(printable(str(error)))
    if as_json:
        _write(all_findings)
    elif checked:
        forms = ", ".join(f"{count} {form.name} {form.kind}" for form, count in checked.items())
        out.print(
            f"{len(all_findings) or 'no'} finding{'s' * (len(all_findings) != 1)} in {forms}",
            soft_wrap=True,
        )
    if unread or all_findings or reader.refused:
        raise typer.Exit(2 if unread else 1)


def _tell(where: str, findings: list[Finding]) -> None:
    """Say each finding as compilers do, so that editors can go to its line."""
    for finding in findings:
        place = printable(f"{where}:{finding.line}" if finding.line else where)
        rule = f"({finding.rule}{'; house rule' * (finding.source == 'house')})"
        line = Text.assemble((place, "bold"), f": {printable(finding.reason)} ", (rule, "dim"))
        out.print(line, soft_wrap=True)


def _write(all_findings: list[tuple[str, Recognised, Finding]]) -> None:
    content = [
        {"document": where, "kind": form.kind, "format": form.name, **finding._asdict()}
        for where, form, finding in all_findings
    ]
    out.print(json.dumps(content, indent=2), soft_wrap=True)
