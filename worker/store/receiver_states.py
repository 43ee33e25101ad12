"""What is kept of a receiver that is not plainly settled: its claim's token, its cursor, its failures."""

from __future__ import annotations

import json
from typing import Literal, NamedTuple

Position = Literal["settled", "claimed", "backoff", "paused"]
"""The set that a receiver is in."""


class Failing(NamedTuple):
    """How a receiver has been failing; times in ms, 0: none.

    `since`: the first failure since its last success; `last`: the last failure; `until`: it asked for no requests
    before then.
    """

    since: int = 0
    last: int = 0
    until: int = 0


NOT_FAILING = Failing()


class ReceiverState(NamedTuple):
    """What is kept of a receiver that is claimed, failing or paused; in Redis as JSON (lua/receivers/state.part)."""

    token: int
    cursor: int
    failing: Failing
    reason: str

    @classmethod
    def parse(cls, text: str | None, cursor: int = 0) -> ReceiverState:
        """Read the state that the scripts keep. If there is none, or it is damaged: a receiver settled at `cursor`."""
        if not text:
            return cls(0, cursor, NOT_FAILING, "")
        try:
            state = json.loads(text)
            failing = Failing(state["since"], state["last"], state["until"])
            return cls(state["token"], state["cursor"], failing, state["reason"])
        except (ValueError, TypeError, LookupError):
            return cls(0, cursor, NOT_FAILING, "")
