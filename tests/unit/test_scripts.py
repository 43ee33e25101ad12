"""The Lua scripts of the store: each has one caller, and no script or shared part is without one.

No two test modules share a name: one is easily read, or run, for the other.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
STORE = ROOT / "worker" / "store"
SHARED = {
    # What is due is taken in one way, whatever it is.
    "due/claim": {"subscription_requests.py", "page_checks.py"},
    # Who runs many of them at once fits them in with other calls.
    "commands/read": {"scripts.py", "unnoted.py"},
    # An update is no article, and is known by its id all the same.
    "known_ids/add": {"lineage.py", "known_ids.py"},
    # A rebuild sets them as they were.
    "lists/set": {"lists.py", "restoring.py"},
}


def callers() -> dict[str, set[str]]:
    found = defaultdict(set)
    for path in STORE.glob("*.py"):
        for name in re.findall(r"(?:_scripts\.\w+|self\.run)\(\s*\"([\w/]+)\"", path.read_text("utf-8")):
            found[name].add(path.name)
    return dict(found)


def test_each_script_is_run_from_one_place() -> None:
    assert {name: files for name, files in callers().items() if len(files) > 1} == SHARED


def test_there_is_a_script_for_every_call_and_a_call_for_every_script() -> None:
    assert {f"{path.parent.name}/{path.stem}" for path in (STORE / "lua").glob("*/*.lua")} == set(callers())


def twice(paths: Iterable[Path]) -> list[str]:
    """Names that several of the files have. Case is no difference: on some disks it is none."""
    return [name for name, files in Counter(path.name.lower() for path in paths).items() if files > 1]


def test_every_part_that_scripts_share_is_used() -> None:
    scripts = [path.read_text("utf-8").partition("\n")[0] for path in (STORE / "lua").glob("*/*.lua")]
    parts = {f"{path.parent.name}/{path.name}" for path in (STORE / "lua").glob("*/*.part")}
    assert parts == {part for line in scripts if line.startswith("-- with ") for part in line.split()[2:]}


def test_no_two_test_modules_in_any_folders_have_one_name() -> None:
    # What lies in a folder `data` is read, not imported.
    modules = [path for path in ROOT.glob("tests/**/*.py") if "data" not in path.relative_to(ROOT).parts]
    assert not twice(path for path in modules if path.name not in {"conftest.py", "__init__.py"})


# What the record has a table for, by the names that the scripts' headers give the keys.
RECORDED = {"receivers", "paused", "leases", "parked", "ledger", "page checks", "page checks due"}
# Scripts that write such a key without a word to the record, and why they may.
SILENT = {
    # A cursor, or what only the distributor needs: `cut` and `backfill` are begun anew when Redis is lost.
    "receivers/note_backfill",
    # The next look at a page that a worker has claimed: until the look is noted, the record has the time before.
    "due/claim",
    # What a rebuild writes comes from the record.
    "restoring/receivers",
    "restoring/ledger",
}
WRITES = "HSET|HDEL|ZADD|ZREM|XADD|DEL|HINCRBY"


def recorded_writes(source: str) -> set[str]:
    """The keys that a script writes and that the record has to know of."""
    keys = dict(re.findall(r"(\d+) ([a-z][a-z ]*?)(?: \(\w+\))?(?=   |\n|$|:)", source.partition("-- ARGV")[0]))
    written = {keys.get(number, "") for number in re.findall(rf"'(?:{WRITES})', KEYS\[(\d+)\]", source)}
    if "remove(" in source:
        written.add("receivers")
    return written & RECORDED


def test_each_script_that_changes_what_the_record_keeps_appends_it_to_the_outbox() -> None:
    scripts = {f"{path.parent.name}/{path.stem}": path.read_text("utf-8") for path in (STORE / "lua").glob("*/*.lua")}
    writing = {name for name, source in scripts.items() if recorded_writes(source)}
    appending = {name for name, source in scripts.items() if "outboxes/append.part" in source.partition("\n")[0]}
    assert writing - appending == SILENT & writing
    # A cursor that goes back is appended too; and what is kept of many endpoints at once has keys without a number.
    assert appending - writing == {"receivers/rewind", "attempts/record"}
    for name in appending:
        assert re.search(r"append(?:_standing|_page)?\(KEYS\[\d+\]|remove\(", scripts[name]), name


def test_nothing_else_writes_what_the_record_keeps() -> None:
    # Only scripts append, so only they may write these; requests that wait for verification are in none of its tables.
    commands = re.compile(r"\.(?:hset|hdel|zadd|zrem|delete)\(\s*(?:k|keys\.feed\(\w+\))\.(\w+)")
    written = {name for path in STORE.glob("*.py") for name in commands.findall(path.read_text("utf-8"))}
    fields = {name.replace(" ", "_") for name in RECORDED}
    assert written & fields == {"page_checks_due"}  # a page whose sighting is damaged is no longer due
