"""Tidewire: articles of a system that exists for tests of CONTRIBUTING.md alone."""

from __future__ import annotations

from typing import Any

from feeds.adapters.decode import json_object
from feeds.adapters.draft import Draft, identity
from feeds.adapters.interface import Adapted, Adapter, InputDefaults
from feeds.errors import FieldError, InvalidEvent


def read(content: bytes, defaults: InputDefaults) -> Adapted:
    """Return the event in what the system posts. Raises InvalidEvent when it has no article."""
    wire = json_object(content).get("tidewire")
    if not isinstance(wire, dict):
        raise InvalidEvent([FieldError("tidewire", "is missing")])
    draft = Draft("tidewire", content, identity(wire.get("number")))
    draft.time("updated", wire.get("changed"), defaults)
    if wire.get("state") == "killed":
        return draft.killed()
    draft.article["pubstatus"] = "usable" if wire.get("state") == "live" else "withheld"
    draft.edition(wire.get("language"), defaults)
    draft.line("headline", wire.get("headline"))
    draft.body(wire.get("text"))
    draft.url(wire.get("page"), defaults)
    if wire.get("picture"):
        draft.image(url=wire["picture"])
    return draft.published()


def recognizes(value: Any) -> bool:
    """Whether JSON looks like what the system posts."""
    return isinstance(value, dict) and isinstance(value.get("tidewire"), dict)


ADAPTER = Adapter("tidewire", "posts of Tidewire", read, recognizes)
