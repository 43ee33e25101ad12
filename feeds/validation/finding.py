"""A finding: one thing that is wrong with a document, and who asks for the rule."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, NamedTuple

Source = Literal["standard", "registry", "partner", "house"]
"""Who asks for a rule.

standard: the format's specification. registry: whoever gives out a code, such as a language; only documents of others
are checked against it. partner: the partner of a profile. house: Dateline, for its own documents only.
"""


SCHEMA_RULE = "schema"
"""The rule of all that the schema of a newsroom's own format asks for."""


class Finding(NamedTuple):
    """One thing that is wrong.

    line: where, from 1, or None. rule: the stable name of the rule. reason: what must change. source: who asks for it.
    """

    line: int | None
    rule: str
    reason: str
    source: Source = "standard"

    def __str__(self) -> str:
        place = f"line {self.line}: " if self.line else ""
        return f"{place}{self.reason} ({self.rule})"


Findings = Iterator[Finding]


def house(findings: Findings) -> Findings:
    """Yield the findings as the house's: what Dateline asks of its own documents beyond the standard."""
    for finding in findings:
        yield finding._replace(source="house")


def partner(findings: Findings) -> Findings:
    """Yield the findings as a partner's."""
    for finding in findings:
        yield finding._replace(source="partner")
