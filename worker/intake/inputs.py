"""Makes events of what `dateline publish` is given: our own JSON, and what an adapter reads."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from feeds.adapters import ADAPTERS, guess
from feeds.adapters.decode import MOST_BYTES
from feeds.adapters.interface import Adapter, InputDefaults
from feeds.errors import FieldError, InvalidEvent
from worker.intake.sources import InputError, read_bytes, source_name

if TYPE_CHECKING:
    from collections.abc import Callable

    from worker.outbound.fetch import FetchedPage

_OPTIONS = {
    "article.id": "--url or --id",
    "article.url": "--url",
    "article.edition": "--edition",
    "article.published": "--timezone or site.timezone",
    "article.updated": "--timezone or site.timezone",
    "article.images": "--image",
}
"""The option of `dateline publish` that gives a field which an input does not have."""


@dataclass(frozen=True, slots=True)
class InputEvent:
    """One event of an input: where it stands, its decoded JSON, and what its adapter missed in the input."""

    where: str
    event: Any
    missing: tuple[FieldError, ...] = ()

    @property
    def article(self) -> str:
        """The id of its article; empty when it has none."""
        article = self.event.get("article") if isinstance(self.event, dict) else None
        name = article.get("id") if isinstance(article, dict) else None
        return name if isinstance(name, str) else ""


def read_events(
    source: str, adapter_name: str, defaults: Callable[[str], InputDefaults], fetch: Callable[[str], FetchedPage]
) -> list[InputEvent]:
    """Return the events in a file, at an http(s) address or, for "-", in standard input.

    With an empty `adapter_name` the adapter is guessed where that is safe, and else the input is our own JSON.
    `defaults` returns what an adapter of a name uses where the input is silent. Raises InputError.
    """
    where = source_name(source)
    content, address = read_bytes(source, fetch, MOST_BYTES)
    adapter = ADAPTERS[adapter_name] if adapter_name else guess(content, "" if address else source)
    if adapter is not None:
        of_adapter = defaults(adapter.name)
        return [_adapted(adapter, content, replace(of_adapter, url=of_adapter.url or address), where)]
    return _native(content, where)


def with_option(note: FieldError) -> str:
    """What is wrong or missing in an input, with the option that gives it where there is one."""
    option = _OPTIONS.get(note.field, "")
    if note.field in {"article.published", "article.updated"} and "time zone" not in note.problem:
        option = ""
    return f"{note} ({option} gives it)" if option else str(note)


def _adapted(adapter: Adapter, content: bytes, defaults: InputDefaults, where: str) -> InputEvent:
    try:
        adapted = adapter.read(content, defaults)
    except InvalidEvent as error:
        raise InputError(f"{where}: {', '.join(map(with_option, error.errors)) or error}") from None
    # A person asks for it now, perhaps once more for what came before: an id of its own, so that it counts.
    return InputEvent(where, adapted.event | {"id": f"publish-{uuid4()}"}, adapted.missing)


def _native(content: bytes, where: str) -> list[InputEvent]:
    if len(content) > MOST_BYTES:
        raise InputError(f"{where}: has more than {MOST_BYTES:,} bytes; publish it in parts")
    try:
        value = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{where}: is no JSON: {error}") from None
    values = value if isinstance(value, list) else [value]
    if not values:
        raise InputError(f"{where}: the array has no event in it")
    return [
        InputEvent(where if value is event else f"{where}, number {number}", _as_event(event))
        for number, event in enumerate(values, 1)
    ]


def _as_event(value: Any) -> Any:
    """A bare article as the event that publishes it."""
    if isinstance(value, dict) and "type" not in value and "article" not in value and "headline" in value:
        return {"id": f"publish-{uuid4()}", "type": "article.published", "article": value}
    return value
