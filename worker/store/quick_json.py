"""Reading the JSON that we keep in Redis, where it is read for each delivery."""

from __future__ import annotations

import json
from typing import Any

from pydantic_core import from_json


def read_json(text: str) -> Any:
    """Return what a JSON text says. Raises ValueError.

    pydantic's reader takes a third of the time or less, and refuses half a surrogate pair, which what partners answer
    may have: so what it refuses is read by Python's.
    """
    try:
        return from_json(text)
    except ValueError:
        return json.loads(text)
