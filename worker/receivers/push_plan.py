"""What an endpoint that was claimed may be sent now: read for all endpoints of a claim at once, used by its session."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from worker import clock
from worker.store.attempts import NO_ANSWERS, EndpointStanding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from worker.destinations.endpoint import Endpoint
    from worker.store.changes import Change
    from worker.store.replays import Replay


class Postponement(NamedTuple):
    """What an endpoint may not get yet: the change numbered `seq` and all after it, before `due` (ms)."""

    seq: int
    due: int


@dataclass(slots=True)
class PushPlan:
    """What one endpoint may be sent, and what is known of it.

    `allowance`: how many requests its rate allows, beside notices of what it has; None: it has no rate. `notices`:
    changes by which something left that the endpoint has, wherever they stand in the log. `postponed`: what has to
    wait.

    In article mode also: `changes`, the oldest first. `end`: the cursor when all of them are done; 0: there are more in
    the log. `replay`: articles to be sent again, whatever the ledger has. `due_disputes`: articles in dispute whose
    next try is due. `latest_changes`: those of the articles of both. `standing`: what the endpoint answered last.
    `ledger`: what the endpoint has of all these articles.
    """

    endpoint: Endpoint
    allowance: int | None = None
    notices: list[Change] = field(default_factory=list)
    postponed: Postponement | None = None
    changes: list[Change] = field(default_factory=list)
    end: int = 0
    replay: Replay | None = None
    due_disputes: tuple[str, ...] = ()
    latest_changes: dict[str, Change] = field(default_factory=dict)
    standing: EndpointStanding = NO_ANSWERS
    ledger: dict[str, str] = field(default_factory=dict)

    def admit(self, changes: list[Change], delay: int, silent_until: int = 0) -> None:
        """Take in the changes that may be sent now: what is new waits for `delay` (ms), what must go does not.

        `silent_until`: until when the endpoint has asked to be left alone (ms); a kill alone does not wait.
        """
        if not delay and not silent_until:
            # As most endpoints are: nothing waits.
            self.changes = changes
            return
        now = clock.ms(clock.agreed())
        if silent_until > now:
            self.changes = [change for change in changes if change.state == "killed"]
            waiting = [change.seq for change in changes if change.state != "killed"]
            # Even with nothing to send it stays a change behind: else it would be forgotten what it asked for.
            last = changes[-1].seq if changes else self.end
            self.postponed = Postponement(min([*waiting, last]), silent_until)
            return
        delayed = [change for change in changes if delay and change.state == "in" and change.asof > now - delay]
        self.changes = changes
        if delayed:
            numbers = {change.seq for change in delayed}
            self.changes = [change for change in changes if change.seq not in numbers]
            self.postponed = Postponement(delayed[0].seq, min(change.asof for change in delayed) + delay)

    def article_ids(self) -> Iterator[str]:
        """Yield the ids of all articles that may be sent, some of them twice."""
        yield from (change.article_id for change in (*self.changes, *self.notices))
        if self.replay is not None:
            yield from self.replay.articles
        yield from self.due_disputes
