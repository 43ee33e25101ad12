"""The texts of templates, read once: a process whose files are replaced goes on with pages that belong to its code.

Jinja reads a template when it is first wanted, and anew when its file is another. In the middle of an upgrade that made
pages of new templates and old code, which end in an error, that of a kill among them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from jinja2 import DictLoader

if TYPE_CHECKING:
    from pathlib import Path


def templates_in(*folders: Path) -> DictLoader:
    """Return the templates of folders as they are now, of two of one name the first. Raises OSError."""
    texts: dict[str, str] = {}
    for folder in folders:
        for path in sorted(folder.glob("*.*")):
            texts.setdefault(path.name, path.read_text("utf-8"))
    return DictLoader(texts)
