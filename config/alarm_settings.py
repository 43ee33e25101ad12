"""The settings of alarms: when there is one, and who hears of it."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated

from pydantic import AfterValidator, BaseModel, Field, SecretStr

from config.value_types import STRICT, Span

_CHANNEL_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
_CHANNEL_URL = re.compile(r"[a-z][a-z0-9+.-]*://\S+")
OPERATIONS = "operations"
"""The name of the operations webhook among the channels."""


def _channels(channels: dict[str, SecretStr]) -> dict[str, SecretStr]:
    for name, url in channels.items():
        named = _CHANNEL_NAME.fullmatch(name) and name != OPERATIONS
        if not named or not _CHANNEL_URL.fullmatch(url.get_secret_value()):
            raise ValueError(
                f"has {name!r}: a channel is a name of lower-case letters, digits and -, not {OPERATIONS!r}, "
                "and a URL of Apprise such as mailto:// or slack://, without spaces"
            )
    return channels


class AlarmSettings(BaseModel):
    """When there is cause for alarm, and who hears of it beside the operations webhook. A rule of "0s" is off."""

    model_config = STRICT

    kill_unproven: Span = timedelta(minutes=5)
    """A kill is not proven after so long."""
    endpoint_lag: Span = timedelta(minutes=2)
    """An endpoint that does not fail is behind for so long."""
    endpoint_failing: Span = timedelta(minutes=5)
    """An endpoint takes nothing for so long, or is suspended."""
    events_waiting: Span = timedelta(minutes=1)
    """An accepted event is not carried out for so long."""
    worker_lost: Span = timedelta(seconds=30)
    """A worker has died, and no other began in its place for so long."""
    record_away: Span = timedelta(seconds=30)
    """The record does not answer for so long."""
    certificate_ending: Span = timedelta(days=14)
    """A certificate of ours ends within so long."""
    lease_ending: Span = timedelta(hours=1)
    """The lease of a subscription ends within so long and was not renewed."""
    channel_failing: Span = timedelta(minutes=1)
    """A channel takes no alarms for so long."""
    window: Span = timedelta(minutes=2)
    """After a message about a rule, what else breaks it waits for so long and comes in one message."""
    settle: Span = timedelta(seconds=15)
    """An alarm is over when its cause was gone for so long."""
    repeat: Span = timedelta(hours=1)
    """An alarm that nobody acknowledges comes again after so long; "0s": it does not."""
    channels: Annotated[dict[str, SecretStr], AfterValidator(_channels)] = Field(default={}, repr=False)
    """Where alarms are sent: a name -> a URL of Apprise, which is a secret."""
