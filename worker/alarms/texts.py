"""What a message says: as JSON for the operations webhook, and as text for people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from feeds.moments import iso

if TYPE_CHECKING:
    from worker.store.alarms import AlarmMessage

RULES: dict[str, str] = {
    "kill_unproven": "Kill not proven",
    "endpoint_failing": "Endpoint takes nothing",
    "endpoint_lag": "Endpoint lags",
    "events_waiting": "Events are not carried out",
    "worker_lost": "Worker lost",
    "record_away": "Record does not answer",
    "certificate_ending": "Certificate ends soon",
    "lease_ending": "Subscriptions end soon",
    "channel_failing": "Alarm channel takes nothing",
}
"""Each rule, as people read it."""


def event(message: AlarmMessage) -> dict[str, Any]:
    """Return a message as an operational event. Its id stays the same however often it is sent."""
    fields = {
        "rule": message.rule,
        "raised_count": message.raised_count,
        "over_count": message.over_count,
        "raised": [_row(alarm) for alarm in message.raised],
        "over": [_row(alarm) for alarm in message.over],
    }
    return {"id": message.id, "type": "alarm", "time": iso(message.time), "data": fields}


def title(message: AlarmMessage, newsroom: str) -> str:
    """Return the subject of a message."""
    name = RULES.get(message.rule, message.rule)
    if not message.raised_count:
        return f"[{newsroom}] Over: {name} ({message.over_count})"
    subject = f": {message.raised[0]['subject']}" if message.raised_count == 1 else f" ({message.raised_count})"
    return f"[{newsroom}] {name}{subject}"


def body(message: AlarmMessage, address: str) -> str:
    """Return the text of a message. `address`: of the desk."""
    lines = []
    for heading, alarms, count in (
        ("Raised", message.raised, message.raised_count),
        ("Over", message.over, message.over_count),
    ):
        if count:
            lines.append(f"{heading}:")
            lines += [f"- {alarm['subject']}: {alarm['detail']}" for alarm in alarms]
            if count > len(alarms):
                lines.append(f"- and {count - len(alarms)} more")
            lines.append("")
    return "\n".join((*lines, f"{address}/desk/alarms", f"Message {message.id}"))


def _row(alarm: dict[str, Any]) -> dict[str, Any]:
    times = {name: iso(int(alarm[name])) for name in ("raised", "ended") if alarm.get(name)}
    return {**alarm, **times}
