"""Mappings of newsrooms: a JSON object whose members are JMESPath expressions (https://jmespath.org).

A member whose expression has no value is left out. Each step of an expression costs units, as in templates: two steps
can double what they are given, so forty would not end.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import jmespath
from jmespath.exceptions import JMESPathError, ParseError
from jmespath.visitor import TreeInterpreter

from feeds.formats.interface import FormatFault
from feeds.formats.own import budget
from feeds.formats.own.budget import Budget

EXPRESSION_MOST = 5_000
"""The longest expression, in characters."""
MEMBERS_MOST = 500


class _Interpreter(TreeInterpreter):  # type: ignore[misc]
    """JMESPath's own, which pays for what each step makes. One for each rendering: it keeps nothing."""

    def visit(self, node: Any, *arguments: Any, **options: Any) -> Any:
        """Return the value of a node of the expression."""
        result = super().visit(node, *arguments, **options)
        # What is there already costs nothing: it was made once.
        if node["type"] not in ("identity", "current", "field", "literal", "subexpression"):
            budget.current().weigh(result)
        else:
            budget.current().spend(1)
        return result


class CompiledMapping:
    """A mapping, ready to be carried out. Threads may share it. Raises FormatFault with the member."""

    def __init__(self, members: Mapping[str, str]) -> None:
        if not members:
            raise FormatFault("has no members")
        if len(members) > MEMBERS_MOST:
            raise FormatFault(f"has more than {MEMBERS_MOST} members")
        self._members = {name: _parsed(name, expression) for name, expression in members.items()}

    def render(self, variables: Mapping[str, Any], units: int = budget.UNITS) -> str:
        """Return the JSON that the mapping makes of these values. Raises FormatFault with the member."""
        with budget.within(Budget(units)) as paying:
            document = {}
            for name, tree in self._members.items():
                try:
                    value = _Interpreter().visit(tree, variables)
                except FormatFault as fault:
                    raise FormatFault(f"{name}: {fault.problem}") from None
                except (JMESPathError, TypeError, ValueError, ArithmeticError, RecursionError) as error:
                    raise FormatFault(f"{name}: {_sentence(error)}") from None
                if value is not None:
                    paying.weigh(value)
                    document[name] = value
        return json.dumps(document, ensure_ascii=False, separators=(",", ":"))


def _parsed(name: str, expression: str) -> Any:
    if len(expression) > EXPRESSION_MOST:
        raise FormatFault(f"{name}: is longer than {EXPRESSION_MOST} characters")
    try:
        return jmespath.compile(expression).parsed
    except (JMESPathError, RecursionError, ValueError) as error:
        raise FormatFault(f"{name}: {_sentence(error)}") from None


def _sentence(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "is nested too deeply"
    if isinstance(error, ParseError):
        return f"is no expression of JMESPath, from character {error.lex_position + 1} on"
    return str(error).partition("\n")[0].rstrip(":. ")
