"""What is wrong with a document."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, NamedTuple

Source = Literal["standard", "registry", "partner", "house"]
"""Who asks for a rule: the format's specification; the registry of a code in it, which is asked about others' documents
alone, as ours say a language or an id like the newsroom; the partner of a profile; Dateline, of its own documents
alone."""


class Finding(NamedTuple):
    """One thing that is wrong.

    line: where, from 1, or None. rule: a stable name. reason: what must be otherwise. source: whose rule it is.
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
    """The same findings, as what Dateline asks of its own documents beyond the standard."""
    for finding in findings:
        yield finding._replace(source="house")


def partner(findings: Findings) -> Findings:
    """The same findings, as what a partner asks for."""
    for finding in findings:
        yield finding._replace(source="partner")
