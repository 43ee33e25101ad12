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
# What is due is taken in one way, whatever it is.
SHARED = {"due/claim": {"subscription_requests.py", "page_checks.py"}}


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
