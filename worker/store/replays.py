"""Articles to be sent to an endpoint again, because a person asked or because the endpoint is new."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from worker.store import keys

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from worker.store.damaged_records import DamagedRecords
    from worker.store.scripts import Client, Scripts


@dataclass(frozen=True, slots=True)
class Replay:
    """What waits to be sent again: article ids in order, the id of the request, whether message ids stay the same.

    `rate`: articles a second at the most. `more`: other articles wait behind these.
    """

    id: str
    same_ids: bool
    rate: float
    articles: tuple[str, ...]
    more: bool


class ReplayProgress(NamedTuple):
    """How far the last replay of an endpoint is: how many articles it had in all, and how many wait.

    Articles that were added while another one was under way count with it. `total` is 0 when it began under an earlier
    release.
    """

    id: str
    total: int
    left: int
    rate: float
    same_ids: bool

    def as_json(self) -> dict[str, Any]:
        """Return it as it is shown."""
        return {**self._asdict(), "state": "going on" if self.left else "done"}


class Replays:
    """The replays of all endpoints."""

    def __init__(self, client: Client, scripts: Scripts, damaged_records: DamagedRecords) -> None:
        self._client = client
        self._scripts = scripts
        self._damaged_records = damaged_records

    def request(
        self, feed: str, endpoint: str, articles: Mapping[str, int], replay_id: str, *, same_ids: bool, rate: float
    ) -> None:
        """Add articles (id -> place in the order) to those that wait; the newest id, `same_ids` and rate hold."""
        k = keys.feed(feed)
        pipe = self._client.pipeline(transaction=True)
        pipe.zadd(k.of_endpoint(endpoint, "replay"), dict(articles))
        pipe.hset(
            k.of_endpoint(endpoint, "replaying"), mapping={"id": replay_id, "same_ids": int(same_ids), "rate": rate}
        )
        pipe.zcard(k.of_endpoint(endpoint, "replay"))
        *_, waiting = pipe.execute()
        # How many that are is for people alone.
        self._client.hset(k.of_endpoint(endpoint, "replaying"), "total", waiting)

    def progress(self, feed: str, endpoint: str) -> ReplayProgress | None:
        """Return how far the last replay is; None: there was none."""
        k = keys.feed(feed)
        pipe = self._client.pipeline(transaction=True)
        pipe.hgetall(k.of_endpoint(endpoint, "replaying"))
        pipe.zcard(k.of_endpoint(endpoint, "replay"))
        request, left = pipe.execute()
        return self._damaged_records.read(
            f"replay of {endpoint}", partial(_progress, request, left), "it is not shown; ask for it again"
        )

    def stop(self, feed: str, endpoint: str) -> int:
        """Forget the articles that wait to be sent again; return how many there were."""
        k = keys.feed(feed)
        pipe = self._client.pipeline(transaction=True)
        pipe.zcard(k.of_endpoint(endpoint, "replay"))
        pipe.delete(k.of_endpoint(endpoint, "replay"))
        return int(pipe.execute()[0])

    def rewind(self, feed: str, endpoint: str) -> bool:
        """Have the endpoint claimed although it is up to date; False while a worker has claimed it: call this again."""
        k = keys.feed(feed)
        return bool(
            self._scripts.run(
                "receivers/rewind",
                [k.meta, k.settled, k.claimed, k.receiver_states, k.paused, k.outbox],
                [f"endpoint:{endpoint}"],
            )
        )

    def next_articles(self, feed: str, limits: Mapping[str, int]) -> dict[str, Replay]:
        """Return the next articles that wait, up to each endpoint's limit, for the endpoints that have any."""
        k = keys.feed(feed)
        names = [key for endpoint in limits for key in k.of_replay(endpoint)]
        answer = iter(self._scripts.run("replays/next", names, list(limits.values())) if names else ())
        endpoints = list(limits)
        replays = {}
        for number, articles, request in zip(answer, answer, answer, strict=True):
            endpoint = endpoints[number]
            fields = dict(zip(request[::2], request[1::2], strict=True))
            replay = self._damaged_records.read(
                f"replay of {endpoint}",
                partial(_replay, fields, articles, limits[endpoint]),
                "it waits; ask for it again",
            )
            if replay is not None:
                replays[endpoint] = replay
        return replays

    def remove(self, feed: str, endpoint: str, articles: Sequence[str]) -> None:
        """Remove articles that were sent."""
        if articles:
            self._client.zrem(keys.feed(feed).of_endpoint(endpoint, "replay"), *articles)


def _progress(request: dict[str, str], left: int) -> ReplayProgress | None:
    if not request:
        return None
    total = int(request.get("total", "0"))
    return ReplayProgress(request["id"], total, left, float(request["rate"]), request["same_ids"] == "1")


def _replay(request: dict[str, str], articles: list[str], limit: int) -> Replay:
    rate = float(request["rate"])
    # At most what the rate allows in a second.
    count = min(limit, max(1, int(rate)))
    return Replay(request["id"], request["same_ids"] == "1", rate, tuple(articles[:count]), len(articles) > count)
