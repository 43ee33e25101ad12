"""The house's own rules of style, checked by `make lint`: how long a file may be, and names that say nothing.

    python tests/style.py [FILE OR FOLDER ...]

`[tool.dateline.style]` in pyproject.toml has the limits and the lists: `names` may not be given to a variable, an
argument, an attribute, a function, a class or a module; `words` may not stand in a docstring or a comment. A word that
is really meant (what an element is called in somebody's standard) goes with `# style: ignore` on its line or the line
before.
"""

from __future__ import annotations

import ast
import io
import re
import sys
import tokenize
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
IGNORE = "style: ignore"


def names_given(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield every name that the code gives to something, with its line."""
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name, ctx=ast.Store()) | ast.Attribute(attr=name, ctx=ast.Store()):
                yield node.lineno, name
            case ast.arg(arg=name):
                yield node.lineno, name
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                yield node.lineno, name
            case ast.alias(asname=str(name)):
                yield node.lineno, name
            case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
                yield node.lineno, name
            case _:
                pass


def prose(text: str, tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield every line of every docstring and comment, with its number."""
    for node in ast.walk(tree):
        # A string that stands by itself describes what it stands in or after.
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            for number in range(node.lineno, (node.end_lineno or node.lineno) + 1):
                yield number, text.splitlines()[number - 1]
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string


def faults(path: Path, style: dict[str, Any]) -> Iterator[str]:
    """Yield what is wrong in one file, a line each."""
    text = path.read_text("utf-8")
    lines = text.splitlines()
    where = path.relative_to(ROOT)
    most = style["lines"]
    if len(lines) > most:
        yield f"{where}: {len(lines)} lines, {most} at the most: which two concerns are in it?"
    tree = ast.parse(text)
    banned = set(style["names"])
    words = re.compile(rf"\b(?:{'|'.join(style['words'])})\b", re.IGNORECASE)
    if path.stem in banned:
        yield f"{where}: the name of the module says nothing of what is in it"
    for number, name in names_given(tree):
        if name.strip("_").lower() in banned and not meant(lines, number):
            yield f"{where}:{number}: `{name}` says nothing of what it holds"
    for number, line in prose(text, tree):
        for word in words.findall(line):
            if not meant(lines, number):
                yield f'{where}:{number}: "{word}": say it in plain words'


def meant(lines: list[str], number: int) -> bool:
    """Whether a line, or the one before it, says that it means what it says."""
    return any(IGNORE in line for line in lines[max(0, number - 2) : number])


def main(arguments: list[str]) -> int:
    """Check files and folders, or all that the settings name; return the exit status."""
    style = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["dateline"]["style"]
    roots = [Path(argument).resolve() for argument in arguments] or [ROOT / folder for folder in style["folders"]]
    paths = [path for root in roots for path in ([root] if root.is_file() else sorted(root.rglob("*.py")))]
    wrong = [fault for path in paths for fault in faults(path, style)]
    for fault in wrong:
        sys.stdout.write(f"{fault}\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
