"""Partners: list, show, create, change, remove."""

from __future__ import annotations

import re
from typing import Annotated, Any

import typer

from worker.cli.newsrooms.partners import partners
from worker.cli.setting_values import assigned, removed
from worker.cli.terminal import AsJson, Config, Data, Failed, note, out, print_json, say, shown
from worker.cli.text_tables import Table

app = typer.Typer(
    name="partner", no_args_is_help=True, add_completion=False, context_settings={"help_option_names": ["-h", "--help"]}
)

Name = Annotated[str, typer.Argument(help="The partner's name, as its endpoints have it.")]
Title = Annotated[str | None, typer.Option(help="Its name, for people.")]
Contacts = Annotated[
    list[str] | None,
    typer.Option("--contact", help='Somebody there: "Mira Haddad <mira@partner.example>, +961 1 234567, editor".'),
]
Notes = Annotated[str | None, typer.Option(help="Whatever people should know of it.")]
Rights = Annotated[
    list[str] | None,
    typer.Option(
        "--right", help="What its endpoints may have where they say nothing else: text=summary, words=200, delay=2h ..."
    ),
]
_CONTACT = re.compile(r"\s*([^<,]*?)\s*(?:<([^>]*)>)?\s*(?:,([^,]*))?(?:,(.*))?", re.DOTALL)


@app.callback()
def _partner() -> None:
    """Partners: the contracted parties, with what their endpoints may have of an article."""


@app.command("list", epilog="Example: dateline partner list --json")
def list_partners(config: Config = None, data: Data = None, as_json: AsJson = False) -> None:
    """List the partners."""
    rows = partners(config, data).rows()
    if as_json:
        print_json({"partners": rows})
        return
    table = Table(
        "Name", "Title", "Contacts", "Rights", "Created (UTC)", "Notes", details=("Notes", "Contacts", "Rights")
    )
    for row in rows:
        people = "; ".join(map(_person, row["contacts"]))
        notes = " ".join(row["notes"].split())
        table.add_row(row["name"], row["title"], people, _listed(row["rights"]), shown(row["created"]), notes)
    table.show(out, "There are no partners; make one with `dateline partner create`.")


@app.command(epilog="Example: dateline partner show city-portal")
def show(name: Name, config: Config = None, data: Data = None, as_json: AsJson = False) -> None:
    """Show all that is kept of a partner."""
    row, _ = partners(config, data).get(name)
    _show(row, as_json=as_json)


@app.command(
    epilog='Example: dateline partner create city-portal --title "City Portal" --contact "Mira <mira@city.example>" '
    "--right text=summary"
)
def create(
    name: Name,
    title: Title = None,
    contact: Contacts = None,
    notes: Notes = None,
    right: Rights = None,
    config: Config = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Create a partner. Its endpoints name it: dateline endpoints create NAME --partner PARTNER ..."""
    _show(partners(config, data).create(name, _values({}, title, contact, notes, right, [])), as_json=as_json)


@app.command(epilog="Example: dateline partner change city-portal --right words=100 --no-right text")
def change(
    name: Name,
    title: Title = None,
    contact: Contacts = None,
    notes: Notes = None,
    right: Rights = None,
    no_right: Annotated[list[str] | None, typer.Option(help="A right that is said no longer: words.")] = None,
    no_contacts: Annotated[bool, typer.Option("--no-contacts", help="Forget all contacts.")] = False,
    config: Config = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Change what is named of a partner; contacts are replaced as a whole, all else stays."""
    there = partners(config, data)
    row, revision = there.get(name)
    former = {field: row[field] for field in ("title", "contacts", "notes", "rights")}
    if no_contacts:
        former["contacts"] = []
    values = _values(former, title, contact, notes, right, no_right or [])
    if values == {field: row[field] for field in former}:
        raise Failed("nothing would change: name what is to be changed", 2)
    _show(there.change(name, values, revision), as_json=as_json)


@app.command(epilog="Example: dateline partner remove city-portal")
def remove(name: Name, config: Config = None, data: Data = None) -> None:
    """Remove a partner that has no endpoints."""
    partners(config, data).remove(name)
    say(f"The partner {name} is removed.")


@app.command(epilog="Example: dateline partner link city-portal --days 90")
def link(
    name: Name,
    days: Annotated[int, typer.Option(min=1, max=366, help="How long it can be used.")] = 30,
    config: Config = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Make a link to the partner's own page: what they were sent, a test, a replay, another secret."""
    new_link = partners(config, data).link(name, days)
    if as_json:
        print_json(new_link)
        return
    out.print(new_link["url"], soft_wrap=True)
    end = shown(new_link["expires"])
    note(f"whoever has this link ({new_link['id']}) acts for {name} until {end} UTC; it is not shown again")


@app.command(epilog="Example: dateline partner links city-portal; dateline partner links city-portal --revoke q7w2m4xk")
def links(
    name: Name,
    revoke: Annotated[str, typer.Option(metavar="ID", help="Revoke this one: within a second it opens nothing.")] = "",
    config: Config = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """List the links to the partner's page that can be used."""
    there = partners(config, data)
    if revoke:
        there.revoke(name, revoke)
        say(f"The link {revoke} of {name} is revoked.")
        return
    rows = there.links(name)
    if as_json:
        print_json({"links": rows})
        return
    table = Table("Id", "Created (UTC)", "By", "Expires (UTC)", "Last used (UTC)", details=("By",))
    for row in rows:
        used = shown(row["last_used"]) or "never"
        table.add_row(row["id"], shown(row["created"]), row["created_by"], shown(row["expires"]), used)
    table.show(out, "There are no links; make one with `dateline partner link`.")


def _values(
    former: dict[str, Any],
    title: str | None,
    contacts: list[str] | None,
    notes: str | None,
    rights: list[str] | None,
    no_rights: list[str],
) -> dict[str, Any]:
    """What is kept of a partner, with what the options say in its place."""
    values = dict(former)
    if title is not None:
        values["title"] = title
    if notes is not None:
        values["notes"] = notes
    if contacts:
        values["contacts"] = [_contact(text) for text in contacts]
    if rights or no_rights:
        values["rights"] = assigned("--right", removed("--no-right", former.get("rights", {}), no_rights), rights or [])
    return values


def _contact(text: str) -> dict[str, str]:
    """A contact as it is kept, of one line. Raises Failed."""
    match = _CONTACT.fullmatch(text)
    fields = [(part or "").strip() for part in match.groups()] if match else [""]
    if not fields[0]:
        raise Failed(f'--contact: {text!r} must begin with a name, as in "Mira Haddad <mira@partner.example>"', 2)
    return {name: value for name, value in zip(("name", "email", "phone", "role"), fields, strict=True) if value}


def _person(contact: dict[str, Any]) -> str:
    address = f"<{contact['email']}>" if contact.get("email") else ""
    first = " ".join(filter(None, (contact["name"], address)))
    return ", ".join(filter(None, (first, contact.get("phone"), contact.get("role"))))


def _listed(rights: dict[str, Any]) -> str:
    return ", ".join(f"{name}={value}" for name, value in rights.items())


def _show(row: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(row)
        return
    say(f"{row['name']}  {row['title']}".rstrip())
    say(f"  created   {shown(row['created'])} UTC")
    for contact in row["contacts"]:
        say(f"  contact   {_person(contact)}")
    say(f"  rights    {_listed(row['rights']) or 'whatever its endpoints say'}")
    for line in row["notes"].splitlines():
        say(f"  notes     {line}")
