"""Of what there is news, and what a page shows of it; and how a page hears of that."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from worker.store.live import LiveEvent

_NAMES_MOST = 500
"""So many articles, endpoints and events of one beat are named; of more, all parts of pages are made anew."""


@dataclass(frozen=True)
class News:
    """Of what there is news, or what a page shows of it: kinds of things, articles, endpoints, events."""

    kinds: frozenset[str] = frozenset()
    articles: frozenset[str] = frozenset()
    endpoints: frozenset[str] = frozenset()
    events: frozenset[str] = frozenset()

    def of(self, shown: News | None) -> News:
        """Return what of it a page shows; None: all."""
        if shown is None:
            return self
        return News(
            self.kinds & shown.kinds,
            self.articles & shown.articles,
            self.endpoints & shown.endpoints,
            self.events & shown.events,
        )

    def __bool__(self) -> bool:
        """Whether there is any."""
        return bool(self.kinds or self.articles or self.endpoints or self.events)

    @property
    def is_much(self) -> bool:
        """Whether it is more than is named."""
        return max(len(self.articles), len(self.endpoints), len(self.events)) > _NAMES_MOST

    def as_message(self) -> bytes:
        """Return it as pages hear of it; nothing if there is none."""
        if not self:
            return b""
        if self.is_much:
            return message("anew", {})
        return message("news", {name: sorted(names) for name, names in vars(self).items()})


NOTHING = News()
"""Of nothing."""


def news_of(events: Iterable[LiveEvent], unannounced: News = NOTHING) -> News:
    """Return of what there is news by events, and by what no event tells."""
    return News(
        unannounced.kinds | {event.kind for event in events},
        unannounced.articles | _named(events, "article"),
        _named(events, "endpoint").union(*(event.fields.get("endpoints", ()) for event in events)),
        _named(events, "event"),
    )


def _named(events: Iterable[LiveEvent], field: str) -> frozenset[str]:
    return frozenset(name for event in events if (name := event.fields.get(field)))


def message(kind: str, content: Any) -> bytes:
    """Return a server-sent event of a kind, with its content as JSON (HTML, section 9.2.5)."""
    return f"event: {kind}\ndata: {json.dumps(content, separators=(',', ':'))}\n\n".encode()
