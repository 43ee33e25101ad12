"""The Lua scripts of the store: each has one caller, so that no file can take the name of another unnoticed."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path

STORE = Path(__file__).resolve().parents[2] / "worker" / "store"
# What is due is taken in one way, whatever it is.
SHARED = {"take": {"intents.py", "readbacks.py"}}


def callers() -> dict[str, set[str]]:
    found = defaultdict(set)
    for path in STORE.glob("*.py"):
        for name in re.findall(r"(?:_scripts\.\w+|self\.run)\(\s*\"(\w+)\"", path.read_text("utf-8")):
            found[name].add(path.name)
    return dict(found)


def test_each_script_is_run_from_one_place() -> None:
    assert {name: files for name, files in callers().items() if len(files) > 1} == SHARED


def test_there_is_a_script_for_every_call_and_a_call_for_every_script() -> None:
    assert {path.stem for path in (STORE / "lua").glob("*.lua")} == set(callers())
