"""Alarms: what stands, what is over and in no message yet, the messages, and how far each channel has taken them.

All of it shares one slot, and each move is one script. What is lost with Redis comes back by itself: what stands is
worked out anew each second from the state of the world.
"""

from __future__ import annotations

import json
import secrets
from hashlib import sha256
from typing import TYPE_CHECKING, Any, NamedTuple

from worker.store import keys
from worker.store.leases import Lease

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from worker.store.scripts import Client, Scripts

LISTED = 20
"""How many alarms a message lists; it counts all."""
_UNCHANGED_MS = 60_000
"""As long as its causes are the same and no time is over, what stands is not gone through, for so long at the most."""
_MESSAGES_MOST = 1_000
"""So many messages are kept, about; a channel that is away for longer misses the oldest. The desk shows what stands."""


class Cause(NamedTuple):
    """Why there is an alarm: the rule that it breaks, what breaks it, and a sentence that does not change meanwhile."""

    rule: str
    subject: str
    detail: str


class Alarm(NamedTuple):
    """An alarm that stands. Times in ms, 0: not yet. `by`: who has acknowledged or snoozed it."""

    id: str
    rule: str
    subject: str
    detail: str
    raised: int
    acknowledged: int
    by: str
    snoozed: int

    def is_open(self, now: int) -> bool:
        """Whether nobody takes care of it at `now` (ms)."""
        return not self.acknowledged and self.snoozed <= now


class AlarmMessage(NamedTuple):
    """A message for the channels: alarms of one rule that were raised, and that are over. `place`: in the stream."""

    place: str
    id: str
    rule: str
    time: int
    raised_count: int
    over_count: int
    raised: list[dict[str, Any]]
    over: list[dict[str, Any]]


class Evaluation(NamedTuple):
    """How many alarms stand, whether others do than before, and the messages that were written just now."""

    standing: int
    changed: bool
    messages: list[AlarmMessage]


class ChannelState(NamedTuple):
    """How a channel does. Times in ms, 0: never. `failing`: since when it takes nothing; `again`: when it is tried."""

    failing: int = 0
    error: str = ""
    tries: int = 0
    again: int = 0
    success: int = 0


class Pace(NamedTuple):
    """How often there are messages, all in ms.

    `window`: a rule has no other message for so long; `settle`: a cause must be gone for so long; `repeat`: what nobody
    acknowledges comes again, 0: never.
    """

    window: int
    settle: int
    repeat: int


class Alarms:
    """The alarms."""

    def __init__(self, client: Client, scripts: Scripts) -> None:
        self._client = client
        self._scripts = scripts

    def evaluate(
        self, now: int, pace: Pace, channels: Collection[str], rules: Collection[str], causes: Sequence[Cause]
    ) -> Evaluation:
        """Take in the `causes` that there are at `now` (ms) of the `rules` that were looked at.

        A channel that is new gets the messages from now on.
        """
        world = json.dumps({"channels": list(channels), "rules": list(rules), "causes": causes})
        answer = self._scripts.run(
            "alarms/evaluate",
            [
                keys.ALARMS,
                keys.ALARMS_OVER,
                keys.ALARM_MESSAGES,
                keys.ALARMS_TOLD,
                keys.ALARM_POSITIONS,
                keys.ALARMS_LOOKED_AT,
            ],
            [now, *pace, f"al_{secrets.token_hex(6)}", LISTED, _MESSAGES_MOST, world, _digest(world), _UNCHANGED_MS],
        )
        messages = [_message("", {"message": text}) for text in answer[2:]]
        return Evaluation(int(answer[0]), bool(answer[1]), messages)

    def standing(self) -> list[Alarm]:
        """Return the alarms that stand, by rule and age."""
        return _sorted(self._client.hvals(keys.ALARMS))

    def shown(self) -> tuple[list[Alarm], dict[str, ChannelState]]:
        """Return the alarms that stand, by rule and age, and how each channel does, in one round trip."""
        pipe = self._client.pipeline(transaction=False)
        pipe.hvals(keys.ALARMS)
        pipe.hgetall(keys.ALARM_CHANNELS)
        texts, channels = pipe.execute()
        return _sorted(texts), {name: _state(text) for name, text in sorted(channels.items())}

    def mark(self, target: str, by: str, *, acknowledged: int = 0, snoozed: int = 0) -> list[tuple[str, str]]:
        """Acknowledge (at a time, ms) or snooze (until then) an alarm by its id, or all of a rule.

        Return the (rule, subject) pairs.
        """
        causes: list[str] = self._scripts.run(
            "alarms/mark", [keys.ALARMS, keys.ALARMS_LOOKED_AT], [target, acknowledged, by, snoozed]
        )
        pairs = [cause.partition("\t") for cause in causes]
        return sorted((rule, subject) for rule, _, subject in pairs)

    def lease(self, channel: str) -> Lease:
        """Return the lease of the worker that sends to a channel."""
        return Lease(self._client, self._scripts, keys.alarm_sending(channel))

    def next_message(self, channel: str) -> AlarmMessage | None:
        """Return the next message for a channel; None when it has all."""
        position = self._client.hget(keys.ALARM_POSITIONS, channel)
        if position is None:
            return None
        entries = self._client.xrange(keys.ALARM_MESSAGES, min=f"({position}", count=1)
        return _message(*entries[0]) if entries else None

    def settle(self, channel: str, token: str, place: str, state: ChannelState) -> bool:
        """Note that a channel took the message at `place` ("": none), and how it does; False when the lease ended."""
        lease = keys.alarm_sending(channel)
        return bool(
            self._scripts.run(
                "alarms/settle",
                [lease, keys.ALARM_POSITIONS, keys.ALARM_CHANNELS],
                [token, channel, place, json.dumps(state)],
            )
        )

    def note_channel(self, channel: str, state: ChannelState) -> None:
        """Note how a channel does that others send to."""
        self._client.hset(keys.ALARM_CHANNELS, channel, json.dumps(state))

    def channels(self) -> dict[str, ChannelState]:
        """Return how each channel does that was tried."""
        return {name: _state(text) for name, text in sorted(self._client.hgetall(keys.ALARM_CHANNELS).items())}

    def channel(self, name: str) -> ChannelState:
        """Return how a channel does."""
        return _state(self._client.hget(keys.ALARM_CHANNELS, name))

    def forget_channels(self, names: Collection[str]) -> None:
        """Forget the channels that are not in the settings any longer."""
        for key in (keys.ALARM_CHANNELS, keys.ALARM_POSITIONS):
            if gone := set(self._client.hkeys(key)) - set(names):
                self._client.hdel(key, *gone)


def _digest(world: str) -> str:
    return sha256(world.encode()).hexdigest()


def _sorted(texts: Iterable[str]) -> list[Alarm]:
    alarms = [alarm for alarm in map(_alarm, texts) if alarm]
    return sorted(alarms, key=lambda alarm: (alarm.rule, alarm.raised, alarm.subject))


def _alarm(text: str) -> Alarm | None:
    try:
        fields = json.loads(text)
        return Alarm(**{name: fields[name] for name in Alarm._fields})
    except (ValueError, TypeError, LookupError):
        return None


def _state(text: str | None) -> ChannelState:
    try:
        return ChannelState(*json.loads(text)) if text else ChannelState()
    except (ValueError, TypeError):
        return ChannelState()


def _message(place: str, fields: dict[str, str]) -> AlarmMessage:
    message = json.loads(fields["message"])
    # To Lua's JSON an empty list is an object.
    lists = {name: list(message[name] or ()) for name in ("raised", "over")}
    return AlarmMessage(place, **{**message, **lists})
