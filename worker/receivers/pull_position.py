"""How far a partner is that reads for itself: what its cursor means. To the partner a cursor is a text."""

from __future__ import annotations

import base64
import json
import zlib
from dataclasses import dataclass, field
from typing import Any

CURSOR_MOST = 4000
"""The longest cursor, in characters."""
_UNPACKED_MOST = 100_000
"""The most bytes that a cursor stands for."""
BEYOND_MOST = 100
"""So many notices beyond what is delayed one cursor may have."""


class WrongCursor(ValueError):
    """A text is no cursor of ours."""


@dataclass(slots=True)
class PullPosition:
    """How far it is in each endpoint, by name: the number of the last change.

    `beyond`: changes after that which it has too: notices, which do not wait for what is delayed. `replayed`: of what
    is sent again, the replay and the last article.
    """

    changes: dict[str, int] = field(default_factory=dict)
    beyond: dict[str, list[int]] = field(default_factory=dict)
    replayed: dict[str, tuple[str, str]] = field(default_factory=dict)

    @classmethod
    def parse(cls, cursor: str) -> PullPosition:
        """Read a cursor. Raises WrongCursor."""
        try:
            packed = base64.urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4))
            value = json.loads(zlib.decompressobj().decompress(packed, _UNPACKED_MOST))
            changes, beyond, replayed = value
            return cls(
                {str(name): _number(number) for name, number in changes.items()},
                {str(name): _few(numbers) for name, numbers in beyond.items()},
                {str(name): (str(replay), str(article)) for name, (replay, article) in replayed.items()},
            )
        except (ValueError, TypeError, AttributeError, RecursionError, zlib.error) as error:
            raise WrongCursor("is no cursor: give one as the stream has it") from error

    def __str__(self) -> str:
        value = [self.changes, self.beyond, self.replayed]
        # Names of endpoints are alike: a cursor of two hundred has a thousand characters.
        packed = zlib.compress(json.dumps(value, separators=(",", ":")).encode(), 9)
        return base64.urlsafe_b64encode(packed).decode().rstrip("=")


def _number(value: Any) -> int:
    if type(value) is not int or not 0 <= value < 2**53:
        raise ValueError(value)
    return value


def _few(numbers: Any) -> list[int]:
    # A few characters may stand for more than anybody was handed.
    if len(numbers) > BEYOND_MOST:
        raise ValueError(len(numbers))
    return list(map(_number, numbers))
