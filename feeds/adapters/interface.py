"""What an adapter is. Each adapter is one file that makes one value of this type; `feeds.adapters` lists them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import tzinfo
from typing import Any

from feeds.errors import FieldError


@dataclass(frozen=True, slots=True)
class InputDefaults:
    """What the newsroom sets for an input; each field counts only where the input does not say it itself.

    id: the article's id. url: the address of its page, in which `{id}` and `{slug}` stand for what the input has.
    edition: its language. editions: the languages of the newsroom; an article in "ar-SA" belongs to the edition "ar".
    zone: where its clocks stand, for times without an offset from UTC. image: the address of the picture of which the
    input has the caption alone.
    """

    id: str = ""
    url: str = ""
    edition: str = "en"
    editions: frozenset[str] = frozenset()
    zone: tzinfo | None = None
    image: str = ""


@dataclass(frozen=True, slots=True)
class Adapted:
    """What became of an input.

    `event` is for `feeds.event.read` to judge. `missing` names what the input does not say or says so that it can't be
    read, each by its field in the event; some of it is no harm, the rest `read` will refuse.
    """

    event: dict[str, Any]
    missing: tuple[FieldError, ...] = ()


@dataclass(frozen=True, slots=True)
class Adapter:
    """One foreign input.

    name: as in `POST /events/{name}`, in `--as` and in the settings. takes: what it reads, for people.
    read(content, given): the event in what the system sent; raises InvalidEvent when there is none to be had.
    recognizes(value): whether decoded JSON looks like what this system sends; None for inputs that are no JSON.
    """

    name: str
    takes: str
    read: Callable[[bytes, InputDefaults], Adapted]
    recognizes: Callable[[Any], bool] | None = None
