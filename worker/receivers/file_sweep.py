"""What uploads have left behind at partners' servers, whose workers died: temporary files, which are removed.

Those that a later push of the same article comes across it removes itself. This looks into every folder that something
was put into lately, and removes what is ours, as its name says, and too old to be still on its way.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import structlog

from worker import clock
from worker.destinations.files import FileDestination

if TYPE_CHECKING:
    from worker.outbound.engine import Engine
    from worker.outbound.transfer import Answer
    from worker.receivers.endpoint_directory import EndpointDirectory
    from worker.store import Store

log = structlog.get_logger()

SWEEP_SECONDS = 600.0
"""How often all folders are looked into, by one of the workers."""
_REMEMBERED_MS = 7 * 86_400_000
"""For how long after the last file a folder is looked into."""
_MOST = 1_000
"""How many folders are looked into at once."""


class FileSweep:
    """Removes temporary files that nobody comes back for. `timeout` of one step in seconds."""

    def __init__(self, store: Store, engine: Engine, directory: EndpointDirectory, timeout: float) -> None:
        self._store = store
        self._engine = engine
        self._directory = directory
        self._timeout = timeout

    def sweep(self) -> None:
        """Have all folders looked into, unless another worker has just done so. Raises redis.RedisError."""
        folders = self._store.folders
        if folders.sweeping.acquire(int(SWEEP_SECONDS * 1000) - 1000) is None:
            return
        folders.forget_before(clock.ms(clock.agreed()) - _REMEMBERED_MS)
        for name, folder in folders.all()[-_MOST:]:
            endpoint = self._directory.by_name.get(name)
            destination = endpoint.destination if endpoint else None
            if isinstance(destination, FileDestination):
                on_answer = partial(self._report, name, folder)
                self._engine.submit([destination.tidied(folder, self._timeout, on_answer)])

    @staticmethod
    def _report(name: str, folder: str, answer: Answer) -> None:
        if answer.fault is not None:
            log.info("folder_not_looked_into", endpoint=name, folder=folder, reason=answer.message)
        elif answer.message.isdecimal():
            log.info("temporary_files_removed", endpoint=name, folder=folder, files=int(answer.message))
