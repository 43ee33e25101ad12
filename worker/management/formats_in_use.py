"""The newsroom's own formats in a process, from both sources: those of its settings file and those that are managed."""

from __future__ import annotations

import sys
from threading import Lock
from typing import TYPE_CHECKING

import structlog

from feeds.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Sequence

    from feeds.format_definition import FormatDefinition
    from worker.management.copies import ManagedFormat

log = structlog.get_logger()


def take_over(definitions: Sequence[FormatDefinition]) -> None:
    """Have the tables of all formats list these of the newsroom's, and no others. Raises FormatFault.

    As long as there have never been any of its own, the tables are imported by whoever asks them: most commands do not.
    """
    if definitions or "feeds.formats.own" in sys.modules:
        from feeds.formats import own  # noqa: PLC0415 (see above)

        own.take_over(definitions)


class FormatsInUse:
    """Sees that the tables of formats of this process list what there is. Any thread may use it."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._of_the_file: Sequence[FormatDefinition] | None = None
        self._managed: tuple[ManagedFormat, ...] = ()
        self._definitions: dict[tuple[str, int], FormatDefinition] = {}

    def use(self, of_the_file: Sequence[FormatDefinition], managed: tuple[ManagedFormat, ...]) -> None:
        """Go over to these; where both sources have a name, the settings file has it."""
        with self._lock:
            self._use(of_the_file, managed)

    def _use(self, of_the_file: Sequence[FormatDefinition], managed: tuple[ManagedFormat, ...]) -> None:
        if (of_the_file, managed) == (self._of_the_file, self._managed):
            return
        names = {definition.name for definition in of_the_file}
        definitions = {}
        for one_format in managed:
            if one_format.name in names:
                reason = "the settings file has a format of this name: rename or remove one of the two"
                log.error("format_unusable", format=one_format.name, reason=reason)
                continue
            try:
                definitions[one_format.key] = self._definitions.get(one_format.key) or _defined(one_format)
            except InvalidInput as error:
                # Another release has taken it.
                log.error("format_unusable", format=one_format.name, reason=str(error))
            except Exception as error:
                # Whatever it is, it does not keep a process from hearing of revoked keys and all else that is managed.
                log.exception("format_unusable", format=one_format.name, reason=repr(error))
        take_over([*of_the_file, *definitions.values()])
        self._of_the_file, self._managed, self._definitions = of_the_file, managed, definitions


def _defined(one_format: ManagedFormat) -> FormatDefinition:
    from worker.management.managed_formats import defined  # noqa: PLC0415 (few newsrooms need what it brings along)

    return defined(one_format.name, one_format.settings)
