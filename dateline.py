"""The command `dateline`: sees that our packages are our own, then runs the command line.

What lies on Python's path before our packages under their names is imported in their place. So this stands by itself,
under a name that nobody else uses, and imports nothing of ours before it has looked.
"""

from __future__ import annotations

import os
import sys
from importlib.machinery import PathFinder
from pathlib import Path

_PACKAGES = ("config", "feeds", "web", "worker")
_HOME = Path(__file__).resolve().parent


def shadowed() -> str:
    """Say in one line which of our packages would not be ours, where the foreign one lies, and what to do; "": none."""
    for name in _PACKAGES:
        spec = PathFinder.find_spec(name)
        origin = (spec.origin or next(iter(spec.submodule_search_locations or ()), "")) if spec else ""
        place = Path(origin).resolve()
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


def main() -> None:
    """Run the command line; end with one line and status 1 when something lies in the way of our packages."""
    if reason := shadowed():
        sys.exit(f"dateline: {reason}")
    try:
        from worker.cli import main as run  # noqa: PLC0415 (see above)

        run()
    except KeyboardInterrupt:
        # While it is still being imported, which takes a moment.
        sys.exit(130)
