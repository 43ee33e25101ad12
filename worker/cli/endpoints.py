"""The partner endpoints: how they do, what a person orders of them, and those that are kept in the record."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from worker.cli.attempts import attempts
from worker.cli.newsrooms.endpoints import endpoints
from worker.cli.setting_values import assigned, read_settings, removed
from worker.cli.terminal import AsJson, Config, Data, Failed, note, out, print_json, printable, say, shown
from worker.cli.text_tables import Table

app = typer.Typer(
    name="endpoints",
    invoke_without_command=True,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
Name = Annotated[str, typer.Argument(help="The endpoint's name.")]
Feed = Annotated[str | None, typer.Option(help="The feed that it gets.")]
Format = Annotated[str | None, typer.Option("--format", help="The format of what it gets.")]
Mode = Annotated[str | None, typer.Option(help="article: a request for each; feed: one with all changes.")]
Url = Annotated[str | None, typer.Option(help="Where it is sent.")]
Partner = Annotated[str | None, typer.Option(help="Whose it is; their rights hold where it has none.")]
Assigned = Annotated[
    list[str] | None,
    typer.Option("--set", help="Any setting of [[endpoints]]: rate=5, gzip=true, rights.text=summary ..."),
]
SettingsFile = Annotated[
    str, typer.Option("--settings", help="A file with settings, as TOML or JSON; - for standard input: for secrets.")
]
_DAY = 86_400


@app.callback(epilog="Example: dateline endpoints   or: dateline endpoints --retry partner-one")
def list_endpoints(
    context: typer.Context,
    config: Config = None,
    data: Data = None,
    pause: Annotated[str, typer.Option(help="Pause this endpoint; its cursor is kept.")] = "",
    resume: Annotated[str, typer.Option(help="Resume this endpoint; it catches up.")] = "",
    retry: Annotated[str, typer.Option(help="Try this endpoint now; one that is paused is resumed.")] = "",
    as_json: AsJson = False,
) -> None:
    """List the partner endpoints and how they do; pause, resume or retry one; or manage those of the record."""
    if context.invoked_subcommand is not None:
        return
    there = endpoints(config, data)
    if pause:
        there.order("pause", pause)
    if resume:
        there.order("resume", resume)
    if retry:
        before, _ = there.get(retry)
        retried = there.order("retry", retry)
        if not as_json:
            _say_retried(before, retried)
    rows = there.rows()
    if as_json:
        print_json({"endpoints": rows})
        return
    table = Table(
        *("Endpoint", "Feed", "State", "Behind", "Delivered", "Failed", "Parked", "In dispute", "Waiting since (UTC)"),
        *("Failing since (UTC)", "Last answer", "Last success (UTC)", "Next try (UTC)", "Why", "Mode", "Format", "URL"),
        *("Partner",),
        details=(
            *("URL", "Partner", "Format", "Mode", "Last answer", "Why", "Waiting since (UTC)", "Failed", "In dispute"),
            *("Last success (UTC)", "Next try (UTC)", "Feed", "Failing since (UTC)"),
        ),
    )
    for row in rows:
        health = _shown(row["health"])
        table.add_row(row["name"], row["feed"], *health, row["mode"], row["format"], row["url"], row["partner"] or "")
    table.show(out, "There are no endpoints; they are [[endpoints]] in the settings, or made by `endpoints create`.")
    for row in rows:
        if row["unusable"]:
            note(f"endpoint {row['name']} can't be used: {row['unusable']}")


@app.command(epilog="Example: dateline endpoints show city-portal --json")
def show(name: Name, config: Config = None, data: Data = None, as_json: AsJson = False) -> None:
    """Show an endpoint with its settings, its secrets as ***."""
    row, _ = endpoints(config, data).get(name)
    _show(row, as_json=as_json)


@app.command(
    epilog="Example: dateline endpoints create city-portal --partner city --feed world --format json "
    "--url https://city.example/news"
)
def create(
    name: Name,
    feed: Feed = None,
    format_name: Format = None,
    url: Url = None,
    mode: Mode = None,
    partner: Partner = None,
    assignments: Assigned = None,
    file: SettingsFile = "",
    config: Config = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Create an endpoint in the record. Without a secret in its settings one is made, and printed this once."""
    options = {"feed": feed, "format": format_name, "url": url, "mode": mode}
    settings = _settings({}, options, assignments, file)
    created = endpoints(config, data).create(name, partner, settings)
    _show_secret(created, as_json=as_json)


@app.command(epilog="Example: dateline endpoints change city-portal --set rate=5 --unset rights.words")
def change(
    name: Name,
    feed: Feed = None,
    format_name: Format = None,
    url: Url = None,
    mode: Mode = None,
    partner: Partner = None,
    assignments: Assigned = None,
    unset: Annotated[
        list[str] | None, typer.Option(help="A setting that is to be as by default: rights.words.")
    ] = None,
    file: SettingsFile = "",
    config: Config = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Change what is named of an endpoint of the record; all else stays, its secrets too. --partner "": nobody's."""
    there = endpoints(config, data)
    row, revision = there.get(name)
    options = {"feed": feed, "format": format_name, "url": url, "mode": mode}
    settings = _settings(removed("--unset", row["settings"], unset or []), options, assignments, file)
    whose = row["partner"] if partner is None else partner or None
    if (settings, whose) == (row["settings"], row["partner"]):
        raise Failed("nothing would change: name what is to be changed", 2)
    _show(there.change(name, whose, settings, revision), as_json=as_json)


@app.command(epilog="Example: dateline endpoints remove city-portal")
def remove(name: Name, config: Config = None, data: Data = None) -> None:
    """Remove an endpoint of the record: it gets nothing more. For 30 days it can be had again by `restore`."""
    endpoints(config, data).remove(name)
    say(f"The endpoint {name} is removed; for 30 days `dateline endpoints restore {name}` has it again, as it was.")


@app.command(epilog="Example: dateline endpoints restore city-portal")
def restore(name: Name, config: Config = None, data: Data = None, as_json: AsJson = False) -> None:
    """Have an endpoint again that was removed, as it was: it catches up from where it was."""
    _show(endpoints(config, data).restore(name), as_json=as_json)


@app.command(epilog="Example: dateline endpoints rotate city-portal --overlap 3600")
def rotate(
    name: Name,
    overlap: Annotated[int, typer.Option(min=0, help="For how many seconds the old secret signs as well.")] = _DAY,
    config: Config = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Give an endpoint of the record a new secret, which is printed this once."""
    _show_secret(endpoints(config, data).rotate(name, overlap), as_json=as_json)


@app.command("test", epilog="Example: dateline endpoints test city-portal")
def send_test(name: Name, config: Config = None, data: Data = None, as_json: AsJson = False) -> None:
    """Send a test article and its kill to an endpoint, marked as such, and show what it answers."""
    result = endpoints(config, data).test(name)
    if as_json:
        print_json(result)
    else:
        say(f"The test article {result['article']}: {_answered(result['answer'])}")
        if result["kill"]:
            say(f"Its kill: {_answered(result['kill'])}")
    last = result["kill"] or result["answer"]
    if not last["accepted"]:
        raise Failed(f"{name} has not taken {'the kill' if result['kill'] else 'the test article'}")


app.command(epilog="Example: dateline endpoints attempts city-portal   or: ... attempts city-portal ID")(attempts)


def _settings(
    former: dict[str, Any], options: dict[str, str | None], assignments: list[str] | None, file: str
) -> dict[str, Any]:
    """The settings that there are, with those of a file and of the options in their place."""
    settings = {**former, **(read_settings("--settings", file) if file else {})}
    settings |= {name: value for name, value in options.items() if value is not None}
    return assigned("--set", settings, assignments or [])


def _show(row: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(row)
        return
    partner = f" of {row['partner']}" if row["partner"] else ""
    managed = "in the settings file" if row["managed_by"] == "file" else "in the record"
    say(f"{row['name']}{partner}, {managed}: {_state(row['health'])}")
    for name, value in row["settings"].items():
        if name != "name":
            say(f"  {name:<16}  {value}")
    if row["unusable"]:
        note(f"it can't be used: {row['unusable']}")


def _show_secret(row: dict[str, Any], *, as_json: bool) -> None:
    """Show an endpoint, and on standard output alone the secret that was made for it."""
    if as_json:
        print_json(row)
        return
    if row["secret"]:
        out.print(row["secret"], soft_wrap=True)
        note(f"this is the secret of {row['name']} for its partner; it is not shown again")
    else:
        say(f"The endpoint {row['name']} is there; no secret was made for it.")


def _answered(answer: dict[str, Any]) -> str:
    came = f"{answer['status']}" if answer["status"] else "no answer"
    error = f": {answer['error']}" if answer["error"] else ""
    body = " ".join(answer["body"].split())[:100]
    return f"{came} after {answer['seconds']:.2f} s{error}{f'; it says: {body}' if body else ''}"


def _say_retried(before: dict[str, Any], retried: dict[str, Any]) -> None:
    """Say what came of trying an endpoint now."""
    name, parked = before["name"], before["health"]["parked"]
    outcome = [f"{name} {_came(before['health'], retried)}"]
    if retried["disputes_tried"]:
        outcome.append(f"What it refuses while it takes others is tried too ({retried['disputes_tried']}).")
    if parked:
        outcome.append(f"What is parked is not ({parked}): dateline replay --endpoint {name} --parked")
    out.print(printable(" ".join(outcome)), soft_wrap=True)
    if not retried["workers"]:
        note("no worker is running: it is tried once one is")


def _came(before: dict[str, Any], retried: dict[str, Any]) -> str:
    """What has come of it for an endpoint that did so before."""
    then = "it is tried now." if retried["waits"] else "nothing waits for it."
    match retried["was"]:
        case "paused":
            was = _paused(before) if before["state"] == "paused" else "paused"
            return f"was {was}; it is resumed, and {then}"
        case "backoff":
            cause = "after a failure" if before["failing_since"] else f"({before['reason']})"
            return f"waited until {shown(before['next_try'])} UTC {cause}: {then}"
        case "claimed":
            return "is being served just now."
        case _:
            return f"did not wait: {then}"


def _shown(health: dict[str, Any]) -> tuple[str, ...]:
    """How an endpoint does, as its table shows it: from the state to why."""
    return (
        _state(health),
        *(str(health[name]) for name in ("behind", "delivered", "failed", "parked", "disputed")),
        shown(health["waiting_since"]),
        shown(health["failing_since"]),
        _last_answer(health),
        shown(health["last_success"]) or "never",
        shown(health["next_try"]),
        _paused(health) if health["state"] == "paused" else health["reason"] or "",
    )


def _state(health: dict[str, Any]) -> str:
    """One word or a few for how an endpoint does, whatever set it is in."""
    if health["state"] is None:
        return "not enrolled"
    return "refusing" if health["refusing"] else str(health["state"])


def _last_answer(health: dict[str, Any]) -> str:
    """The status of its last answer, when it came, and the beginning of its text."""
    if not health["last_answer"]:
        return ""
    status, colon, text = health["last_answer"].partition(": ")
    return f"{status} at {shown(health['last_answered'])}{colon}{text}"


def _paused(health: dict[str, Any]) -> str:
    """That one is left alone, since when, and why."""
    word, _, why = health["reason"].partition(": ")
    if word == "suspended":
        return f"suspended since {shown(health['since'])}: {why}"
    return f"paused since {shown(health['since'])}: {health['reason']}"
