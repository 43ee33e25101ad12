"""Who may carry out events: the workers with the newest definitions of feeds, and no worker with older ones.

Nobody can tell which of two settings files is newer by looking at them. So each distinct set of definitions gets a
number when a worker first starts with it, and the greatest number among those with a living worker is in charge. A
worker with an older set serves its receivers and carries out no events, until no worker with a newer set has been alive
for some seconds: so a rollback needs only that the newer workers are stopped.

The numbers are kept in the record as epochs (`definition_epochs`), so an emptied Redis does not bring old definitions
back. Whoever takes charge announces its definitions, and web processes go over to them whatever their settings say.
"""

from __future__ import annotations

import hashlib
import json
from threading import Lock
from typing import TYPE_CHECKING

import structlog

from worker import clock
from worker.newsroom.definition_epochs import DefinitionEpochs
from worker.store.definitions import LOST_MS

if TYPE_CHECKING:
    from worker.newsroom.publication import Publication
    from worker.record import Record
    from worker.store import Store

log = structlog.get_logger()


class EventPermit:
    """One worker's permit to carry out events. Threads may share it.

    `charge` names the charge under which this worker may carry out events at present, and is None while it may not. It
    goes into the script that acknowledges them, and only that script decides: a worker that has stood still for a while
    may believe in a charge that has passed to others.
    """

    def __init__(self, store: Store, record: Record, publication: Publication, worker: str) -> None:
        self._store = store
        self._worker = worker
        self._memberships = {definition.name: definition.filling for definition in publication.configured}
        """What decides which articles are in a feed, and where: one of which only the title changes is not filled."""
        whole = {definition.name: definition.announced for definition in publication.configured}
        self._announced = tuple(whole.values())
        self._digest = hashlib.sha256(json.dumps(whole, sort_keys=True).encode()).hexdigest()
        self._epochs = DefinitionEpochs(record, self._digest, whole)
        self._number = 0
        self._last_seen_ms = 0
        self._newest_adopted = 0
        self._reported_newer = 0
        self._retires = False
        self._lock = Lock()
        self.charge: str | None = None

    def begin(self) -> str | None:
        """Renew it for the first time, by the number that the set has in the record, if that can be had."""
        self._epochs.read()
        return self.renew()

    def note_epoch(self) -> None:
        """Have the set in the record, unless it is there, or the record is away just now."""
        self._epochs.note(self._number)

    def renew(self) -> str | None:
        """Note that this worker is alive, and take charge if nobody has newer definitions; return the `charge`."""
        with self._lock:
            return self._renew()

    def _renew(self) -> str | None:
        standing = self._store.definitions.take_charge(
            self._digest, self._worker, self._last_seen_ms, self._newest_adopted, self._epochs.epochs
        )
        self._number, self._last_seen_ms = standing.number, standing.reported
        if standing.forgotten:
            # Redis has lost time: numbers may be given again, and what other workers had done is undone.
            self.charge = None
            self._store.patterns.forget()
        if not standing.charge:
            self.charge = None
            if self._reported_newer != standing.newest and not self._retires:
                self._reported_newer = standing.newest
                log.error(
                    "definitions_older",
                    worker=self._worker,
                    reason="a worker with newer definitions of feeds is alive; this one carries out no events",
                    next_step="start it with the newer settings, or stop the workers that have them",
                )
            return None
        if standing.charge != self.charge:
            # A worker that was lost may come back in a moment with its feeds: nothing is ended for good so soon.
            removed = clock.ms(clock.agreed()) + (LOST_MS if standing.newer_lost else 0)
            pending = self._store.definitions.adopt(standing.charge, self._memberships, removed)
            if pending < 0:
                # A newer worker was faster; or Redis has lost the charge, and it gets a later generation the next time.
                self.charge, self._newest_adopted = None, -pending
                return None
            if not self._store.definitions.announce(standing.charge, self._announced):
                self.charge = None
                return None
            self.charge = standing.charge
            log.info("in_charge", worker=self._worker, definitions=standing.number, feeds_to_fill=pending)
        self._reported_newer = 0
        return self.charge

    def retire(self) -> None:
        """Expect to leave soon: that other workers have newer definitions is no error then."""
        self._retires = True

    def lose(self) -> None:
        """Carry out no events until the next `renew`: an acknowledgement that was refused shows that others may."""
        self.charge = None

    def leave(self) -> None:
        """Carry out no events any longer, and keep nobody else from it."""
        self.charge = None
        self._store.definitions.leave(self._number, self._worker)
