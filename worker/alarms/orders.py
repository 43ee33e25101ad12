"""What people see of alarms, and order of them. The command line, the API and the desk ask here.

Alarms name endpoints and partners' articles, so a key that is bound to some feeds or partners sees none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from feeds.moments import iso
from worker import clock
from worker.alarms.texts import RULES
from worker.management.changes import NotFound
from worker.management.scopes import ALARMS_READ, ALARMS_WRITE
from worker.store.live import ALARMS

if TYPE_CHECKING:
    from worker.management.audit_trail import AuditTrail
    from worker.management.callers import Caller
    from worker.store import Store


class AlarmOrders:
    """Shows alarms, and takes orders."""

    def __init__(self, store: Store, audit: AuditTrail) -> None:
        self._store = store
        self._audit = audit

    def overview(self, caller: Caller) -> dict[str, Any]:
        """Return the alarms that stand, how many nobody takes care of, and how the channels do, for JSON.

        Raises Forbidden, redis.RedisError.
        """
        caller.require(ALARMS_READ, feed=None, partner=None, adapter=None)
        now = clock.ms(clock.agreed())
        standing, channels = self._store.alarms.shown()
        return {
            "open": sum(alarm.is_open(now) for alarm in standing),
            "items": [
                {
                    "id": alarm.id,
                    "rule": alarm.rule,
                    "title": RULES.get(alarm.rule, alarm.rule),
                    "subject": alarm.subject,
                    "detail": alarm.detail,
                    "raised": iso(alarm.raised),
                    "acknowledged": iso(alarm.acknowledged),
                    "by": alarm.by or None,
                    "snoozed_until": iso(alarm.snoozed) if alarm.snoozed > now else None,
                }
                for alarm in standing
            ],
            "channels": [
                {
                    "name": name,
                    "failing_since": iso(state.failing),
                    "error": state.error or None,
                    "last_success": iso(state.success),
                }
                for name, state in channels.items()
            ],
        }

    def acknowledge(self, caller: Caller, target: str) -> list[str]:
        """Acknowledge an alarm by its id, or all of a rule by its name: it is not repeated. Return their subjects.

        Raises Forbidden, NotFound, RecordAway, redis.RedisError.
        """
        return self._mark(caller, target, "alarm.acknowledged", acknowledged=clock.ms(clock.agreed()))

    def snooze(self, caller: Caller, target: str, minutes: int) -> list[str]:
        """Let an alarm, or all of a rule, rest for so long; then it comes again if it still stands.

        Raises as `acknowledge` does.
        """
        until = clock.ms(clock.agreed()) + minutes * 60_000
        return self._mark(caller, target, "alarm.snoozed", snoozed=until)

    def _mark(self, caller: Caller, target: str, action: str, **times: int) -> list[str]:
        caller.require(ALARMS_WRITE, feed=None, partner=None, adapter=None)
        marked = self._store.alarms.mark(target, caller.name, **times)
        if not marked:
            raise NotFound(f"no alarm stands of the id or the rule {target}")
        self._store.live.append([(ALARMS, {})])
        subjects = [subject for _, subject in marked]
        new = {"subjects": subjects[:100], "count": len(subjects), "rule": marked[0][0]}
        self._audit.note(caller, action, target, new=new)
        return subjects
