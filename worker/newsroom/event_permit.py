"""Who carries out events: the workers with the newest definitions of feeds, and nobody with older ones.

Nobody can order two settings files by themselves. So each distinct set of definitions gets a number when a worker first
starts with it, and the greatest number among those with a living worker is in charge. A worker with an older set serves
its receivers and carries out nothing, until no worker with a newer one has been alive for some seconds: so a rollback
needs no more than to stop the newer ones.
"""

from __future__ import annotations

import hashlib
import json
from threading import Lock
from typing import TYPE_CHECKING

import structlog

from worker import clock
from worker.store.definitions import LOST_MS

if TYPE_CHECKING:
    from worker.newsroom.publication import Publication
    from worker.store import Store

log = structlog.get_logger()


class EventPermit:
    """One worker's part in it. Threads may share it.

    `held` names the charge under which this worker may carry out events at present, and is None while it may not. It
    goes into the script that acknowledges them, which is where it is decided: a worker that has stood still for a while
    may think that it is in charge.
    """

    def __init__(self, store: Store, site: Publication, worker: str) -> None:
        self._store = store
        self._worker = worker
        self._definitions = {
            definition.name: definition.model_dump_json(include={"edition", "select", "list", "order"})
            for definition in site.configured
        }
        self._digest = hashlib.sha256(json.dumps(self._definitions, sort_keys=True).encode()).hexdigest()
        self._number = 0
        self._seen = 0
        self._used = 0
        self._told = 0
        self._retires = False
        self._lock = Lock()
        self.held: str | None = None

    def take(self) -> str | None:
        """Say that this worker is alive, and take charge if nobody has newer definitions. Return what `held` is."""
        with self._lock:
            return self._take()

    def _take(self) -> str | None:
        standing = self._store.definitions.take_charge(self._digest, self._worker, self._seen, self._used)
        self._number, self._seen = standing.number, standing.seen
        if standing.forgot:
            # Redis has lost time: numbers may be given again, and what others had done is undone.
            self.held = None
            self._store.patterns.forget()
        if not standing.charge:
            self.held = None
            if self._told != standing.newest and not self._retires:
                self._told = standing.newest
                log.error(
                    "definitions_older",
                    worker=self._worker,
                    reason="a worker with newer definitions of feeds is alive; this one carries out no events",
                    next_step="start it with the newer settings, or stop the workers that have them",
                )
            return None
        if standing.charge != self.held:
            # What a worker that was lost knew of may come back in a moment: nothing is ended for good so soon.
            removed = clock.ms(clock.agreed()) + (LOST_MS if standing.lost else 0)
            pending = self._store.definitions.adopt(standing.charge, self._definitions, removed)
            if pending < 0:
                # A newer worker was faster; or Redis has lost the charge, and it gets a later generation the next time.
                self.held, self._used = None, -pending
                return None
            self.held = standing.charge
            log.info("in_charge", worker=self._worker, definitions=standing.number, feeds_to_fill=pending)
        self._told = 0
        return self.held

    def retire(self) -> None:
        """It leaves soon: that others have newer definitions is as it should be."""
        self._retires = True

    def lost(self) -> None:
        """Somebody else is in charge: what was not acknowledged shows it."""
        self.held = None

    def leave(self) -> None:
        """Work no more."""
        self.held = None
        self._store.definitions.leave(self._number, self._worker)
