"""How long an answer is held at the most: the parameter `wait`."""

from __future__ import annotations

import re

from web.api.problems import invalid

_WAIT_MOST = 60.0
_SECONDS = re.compile(r"(\d{1,5}(?:\.\d{1,3})?)(ms|s|m)?", re.ASCII)
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, None: 1.0}


def seconds_of(wait: str) -> float:
    """Return the seconds that a client wants to wait, 60 at the most; 0: not at all. Raises RequestProblem."""
    if not wait:
        return 0.0
    match = _SECONDS.fullmatch(wait)
    if match is None:
        raise invalid("wait", "must be how long to wait at the most: 10s, 500ms, 1m")
    return min(_WAIT_MOST, float(match[1]) * _UNITS[match[2]])
