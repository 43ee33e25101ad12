"""The management as a process has it: what may be changed, by whom, and what was changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from worker.management.audit_trail import AuditTrail
from worker.management.changes import Changes
from worker.management.keys import KeyRing, Keys
from worker.management.listener import ManagementListener

if TYPE_CHECKING:
    from collections.abc import Callable

    from worker.management.copies import ManagementCopy
    from worker.record import Record
    from worker.store import Store


class Management:
    """All of it, on one store and record. It stays when a process goes over to other settings.

    `ring`: the keys that this process knows; it knows none of the record before a `listener` has looked.
    """

    def __init__(self, store: Store, record: Record) -> None:
        self._store = store
        self._record = record
        changes = Changes(store, record)
        self.audit = AuditTrail(store, record)
        self.keys = Keys(changes)
        self.ring = KeyRing()

    def listener(self, use: Callable[[ManagementCopy], None] = lambda _: None, *, tends: bool) -> ManagementListener:
        """Return what keeps this process on what is managed; see ManagementListener."""
        return ManagementListener(self._store, self._record, self.ring, self.audit, use, tends=tends)
