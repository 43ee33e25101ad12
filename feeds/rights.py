"""What a partner may have of an article by its contract: how much of the text, which pictures, which link."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from feeds.machine_rights import MachineRights


@dataclass(frozen=True, slots=True)
class Rights:
    """A contract. Without limits it is what endpoints have by default.

    text: all of it, the summary, or the headline alone. credits: whose pictures are licensed; None: everybody's. words:
    the number of words after which the text is cut. canonical: the text ends with a link to the article's page.
    tracking: (name, value) pairs that are added to the address of that page; the addresses of other editions stay as
    the newsroom sent them. machines: what programs may do with it, in place of what its feed says.
    """

    text: Literal["full", "summary", "headline"] = "full"
    credits: tuple[str, ...] | None = None
    words: int | None = None
    canonical: bool = False
    tracking: tuple[tuple[str, str], ...] = ()
    machines: MachineRights | None = None


EVERYTHING = Rights()
