"""What an adapter is: each file of this room makes one `Adapter`, and `feeds.adapters` lists them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import tzinfo
from typing import Any

from feeds.errors import FieldError


@dataclass(frozen=True, slots=True)
class InputDefaults:
    """The newsroom's own values for an input. Each is used only where the input has none.

    id: the article's id. url: the address of its page; `{id}` and `{slug}` in it are replaced by those of the input.
    edition: the article's language. editions: all languages of the newsroom; an article in "ar-SA" belongs to the
    edition "ar". zone: the time zone of times that are written without an offset from UTC. image: the address of the
    picture, for an input that has only its caption.
    """

    id: str = ""
    url: str = ""
    edition: str = "en"
    editions: frozenset[str] = frozenset()
    zone: tzinfo | None = None
    image: str = ""


@dataclass(frozen=True, slots=True)
class Adapted:
    """The event that an adapter made of an input.

    `event` is not checked yet: `feeds.event.read` does that. `missing` lists what the input lacks or has in a form that
    can't be read, each by its field in the event. Some of it does no harm; for the rest `read` refuses the event.
    """

    event: dict[str, Any]
    missing: tuple[FieldError, ...] = ()


@dataclass(frozen=True, slots=True)
class Adapter:
    """The reader of one foreign format.

    name: its name in `POST /events/{name}`, in `--as` and in the settings. takes: what it reads, in words for people.
    read(content, defaults): returns the event in `content`; raises InvalidEvent when there is none.
    recognizes(value): whether decoded JSON looks like this format; None for formats that are not JSON.
    """

    name: str
    takes: str
    read: Callable[[bytes, InputDefaults], Adapted]
    recognizes: Callable[[Any], bool] | None = None
