"""The folders at partners' servers that something was put into, so that what was left there can be found."""

from __future__ import annotations

import time
from threading import Lock
from typing import TYPE_CHECKING

from cachetools import TTLCache

from worker.store import keys
from worker.store.leases import Lease

if TYPE_CHECKING:
    from worker.store.scripts import Client, Scripts

_NOTED_SECONDS = 3600
"""For how long a process does not note a folder again."""
_NOTED_MOST = 10_000


class Folders:
    """The folders, by endpoint. Threads may share it."""

    def __init__(self, client: Client, scripts: Scripts) -> None:
        self._client = client
        self._noted: TTLCache[tuple[str, str], bool] = TTLCache(_NOTED_MOST, _NOTED_SECONDS)
        self._lock = Lock()
        self.sweeping = Lease(client, scripts, keys.FOLDER_SWEEP)

    def note(self, endpoint: str, folder: str) -> None:
        """Note that something is put into a folder from now on."""
        with self._lock:
            if (endpoint, folder) in self._noted:
                return
        self._client.zadd(keys.FOLDERS, {f"{endpoint}:{folder}": int(time.time() * 1000)})
        with self._lock:
            self._noted[endpoint, folder] = True

    def forget_before(self, time_ms: int) -> None:
        """Forget the folders that nothing was put into since then."""
        self._client.zremrangebyscore(keys.FOLDERS, "-inf", time_ms)

    def all(self) -> list[tuple[str, str]]:
        """Return each endpoint and folder."""
        members: list[str] = self._client.zrange(keys.FOLDERS, 0, -1)
        return [(endpoint, folder) for endpoint, _, folder in (member.partition(":") for member in members)]
