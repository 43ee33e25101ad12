"""Whether the other packages are our own: what lies on Python's path before them under their names is imported instead.

Imports nothing of ours, so that it can be asked before anything is imported.
"""

from __future__ import annotations

import os
from importlib.machinery import PathFinder
from pathlib import Path

_OTHERS = ("config", "feeds", "web")
_HOME = Path(__file__).resolve().parents[2]


def shadowed() -> str:
    """Say in one line which of our packages would not be ours, where the foreign one lies, and what to do; "": none."""
    for name in _OTHERS:
        spec = PathFinder.find_spec(name)
        found = (spec.origin or next(iter(spec.submodule_search_locations or ()), "")) if spec else ""
        place = Path(found).resolve()
        if place.name == "__init__.py":
            place = place.parent
        if spec is None:
            return f"our package {name} is missing in {_HOME}: install Dateline again"
        if place != _HOME / name:
            return f"{place} is in the way of our package {name}: {_advice(place.parent)}"
    return ""


def _advice(folder: Path) -> str:
    if folder in {Path(entry or ".").resolve() for entry in os.environ.get("PYTHONPATH", "-").split(os.pathsep)}:
        return f"start dateline without {folder} in PYTHONPATH"
    if folder == Path.cwd():
        return "start dateline from another folder, or with python -P"
    return "rename it, or give Dateline a virtual environment of its own"
