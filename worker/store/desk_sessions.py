"""Sessions of people who have signed in at the desk, and links that sign somebody in once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from worker.store import keys

if TYPE_CHECKING:
    from collections.abc import Sequence

    from worker.store.scripts import Client

_LISTED_MOST = 1_000


class DeskSessions:
    """The sessions, each a text under the digest of its token: nobody who reads Redis can use one."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def put(self, digest: str, text: str, idle_seconds: int, ends: int) -> None:
        """Keep a session. It ends after `idle_seconds` in which it was not put again, and at `ends` (ms)."""
        pipe = self._client.pipeline(transaction=False)
        pipe.set(keys.desk_session(digest), text, ex=max(1, idle_seconds))
        pipe.zadd(keys.DESK_SESSIONS, {digest: ends})
        pipe.execute()

    def get(self, digest: str) -> str | None:
        """Return a session; None when there is none, or it has ended."""
        text: str | None = self._client.get(keys.desk_session(digest))
        return text

    def all(self, now: int) -> dict[str, str]:
        """Return the sessions that go on at `now` (ms), the first thousand by their ends: digest -> text."""
        self._client.zremrangebyscore(keys.DESK_SESSIONS, "-inf", now)
        digests = [str(name) for name in self._client.zrange(keys.DESK_SESSIONS, 0, _LISTED_MOST - 1)]
        pipe = self._client.pipeline(transaction=False)
        for digest in digests:
            pipe.get(keys.desk_session(digest))
        texts = pipe.execute() if digests else []
        self._forget([digest for digest, text in zip(digests, texts, strict=True) if text is None])
        return {digest: text for digest, text in zip(digests, texts, strict=True) if text is not None}

    def end(self, digest: str) -> None:
        """End a session."""
        self._client.delete(keys.desk_session(digest))
        self._forget([digest])

    def put_link(self, digest: str, name: str, seconds: int) -> None:
        """Keep whom a link signs in."""
        self._client.set(keys.desk_link(digest), name, ex=seconds)

    def link(self, digest: str) -> str | None:
        """Return whom a link signs in; None when it was used, or is too old."""
        name: str | None = self._client.get(keys.desk_link(digest))
        return name

    def take_link(self, digest: str) -> str | None:
        """The same, and have it used: of several who come at once one gets it."""
        name: str | None = self._client.getdel(keys.desk_link(digest))
        return name

    def _forget(self, digests: Sequence[str]) -> None:
        if digests:
            self._client.zrem(keys.DESK_SESSIONS, *digests)
