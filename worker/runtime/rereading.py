"""The settings of a process that runs, and how they are read again at SIGHUP.

A process has its settings whole: it goes over to the new ones or stays with the old ones. One line in the log says what
has changed, by name, and what of it takes a restart; or what is wrong.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from config.differences import AT_THE_START, differences, with_those_of_the_start
from config.settings import SettingsError
from feeds.errors import MOST_SHOWN
from worker.runtime import logs

if TYPE_CHECKING:
    from collections.abc import Callable

    from config.settings import Settings

log = structlog.get_logger()


@dataclass(frozen=True)
class Reading:
    """What was read: the settings that hold from now on, what of them is new, and what would be after a restart."""

    settings: Settings
    changed: list[str]
    restart: list[str]


class Rereading:
    """Reads settings again. `aloud`: this process says what has changed; else the one that started it does."""

    def __init__(self, settings: Settings, read: Callable[[], Settings], *, aloud: bool = True) -> None:
        self.settings = settings
        self._read = read
        self._aloud = aloud

    def read(self) -> Reading | None:
        """Read them; None, and a line in the log, when they can't be taken."""
        try:
            read = self._read()
        except SettingsError as error:
            log.error(
                "settings_refused",
                fields=[wrong.field for wrong in error.errors[:MOST_SHOWN]],
                reason=f"not read again: {error}",
                next_step="the old ones stay in force; mend it and send SIGHUP again",
            )
            return None
        except Exception:
            log.exception("settings_not_taken", next_step="the old ones stay in force")
            return None
        settings = with_those_of_the_start(read, self.settings)
        restart = [name for name in differences(settings, read) if name in AT_THE_START]
        return Reading(settings, differences(self.settings, settings), restart)

    def tell(self, reading: Reading) -> None:
        """Say what has changed, in one line."""
        if self._aloud:
            later = {"restart_for": reading.restart} if reading.restart else {}
            log.info("settings_changed", changed=reading.changed, **later)

    def note_in_force(self, reading: Reading) -> None:
        """They are in force."""
        if reading.settings.log_level != self.settings.log_level:
            logs.configure(reading.settings.log_level)
        self.settings = reading.settings
