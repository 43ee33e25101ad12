"""Formulas in MathML as a line of text.

Few readers show MathML, and what cleans HTML cuts formulas out with their words. The line is what people type where
there is no notation: `1/2`, `x^2`, `√(a + b)`. TeX that stands beside a formula as an annotation is not for readers,
and is left out.

Sources: MathML Core, "Token Elements", "General Layout Schemata", "Script and Limit Schemata"; MathML 3, `mfenced`.
"""

from __future__ import annotations

from collections.abc import Callable

from lxml import html

_APART = frozenset("=≠<>≤≥≈≡∼∝+−-±∓×·÷∈∉⊂⊆∪∩∧∨→←↔⇒⇔")  # noqa: RUF001 (these are the signs that formulas have)
"""Operators with a space on both sides, when something stands on both."""
_UNSEEN = frozenset("\u2061\u2062\u2063\u2064")
"""Operators without a shape: function application, invisible times, separator, plus."""
_LARGE = frozenset("∑∏∐∫∬∭∮⋃⋂⋁⋀")  # noqa: RUF001 (these are the signs that formulas have)
"""Operators that are apart from what they are applied to."""
_DEEPEST = 100
"""How deep elements may be nested; of a formula within deeper ones only the text is taken."""


def line_of(formula: html.HtmlElement) -> str:
    """Return a formula, the element `math`, as text in one line."""
    return " ".join(_line(formula, 0).split())


def _line(element: html.HtmlElement, depth: int) -> str:
    parts = [child for child in element if isinstance(child.tag, str)]
    if not parts:
        return _token(element)
    if depth == _DEEPEST or any(each and each.strip() for each in (element.text, *(part.tail for part in parts))):
        return str(element.text_content())
    lines = [_line(part, depth + 1) for part in parts]
    name = _name(element)
    if name == "msqrt":
        return _root([_row(parts, lines)])
    return _WRITTEN[name](lines) if name in _WRITTEN else _row(parts, lines)


def _token(element: html.HtmlElement) -> str:
    text = (element.text or "").strip()
    return " " if _name(element) == "mspace" else "" if text in _UNSEEN else text


def _row(parts: list[html.HtmlElement], lines: list[str]) -> str:
    """What stands side by side. A sign at the beginning, or after another operator, belongs to what follows it."""
    row = ""
    after_operator = True
    for part, line in zip(parts, lines, strict=True):
        operator = _name(part) == "mo"
        row += f" {line} " if operator and line in _APART and not after_operator else line
        after_operator = operator and line not in {")", "]", "}", "|", "!"}
    return row


def _grouped(line: str) -> str:
    """A part of a formula that is read as one, in parentheses if it has several."""
    line = line.strip()
    return line if len(line) < 2 or line.isdecimal() or _in_parentheses(line) else f"({line})"


def _in_parentheses(line: str) -> bool:
    return line.startswith("(") and line.endswith(")") and "(" not in line[1:] and ")" not in line[:-1]


def _script(*signs: str) -> Callable[[list[str]], str]:
    def write(lines: list[str]) -> str:
        base, *scripts = lines
        text = base + "".join(f"{sign}{_grouped(script)}" for sign, script in zip(signs, scripts, strict=False))
        return f"{text} " if base in _LARGE else text

    return write


def _fraction(lines: list[str]) -> str:
    return "/".join(map(_grouped, lines))


def _root(lines: list[str]) -> str:
    radicand, *degree = lines
    return f"{degree[0] if degree else ''}√{_grouped(radicand)}"


def _name(element: html.HtmlElement) -> str:
    return str(element.tag).rpartition(":")[2]


_WRITTEN: dict[str, Callable[[list[str]], str]] = {
    "semantics": lambda lines: lines[0],
    "mfrac": _fraction,
    "mroot": _root,
    "msup": _script("^"),
    "msub": _script("_"),
    "msubsup": _script("_", "^"),
    "mover": _script("^"),
    "munder": _script("_"),
    "munderover": _script("_", "^"),
    "mfenced": lambda lines: f"({', '.join(lines)})",
    "mtable": "; ".join,
    "mtr": ", ".join,
}
"""How the parts of an element are written; those of all others stand side by side."""
