"""The management as a process has it: what may be changed, by whom, and what was changed."""

from __future__ import annotations

import time
from threading import Lock
from typing import TYPE_CHECKING

from pydantic import ValidationError
from redis.exceptions import RedisError

from config.endpoint_settings import RightsSettings
from worker import clock
from worker.management import copies
from worker.management.audit_trail import AuditTrail
from worker.management.changes import Changes
from worker.management.desk_sessions import DeskSessions
from worker.management.endpoints_in_use import EndpointsInUse, in_use
from worker.management.formats_in_use import FormatsInUse
from worker.management.keys import KeyRing, Keys
from worker.management.listener import ManagementListener
from worker.management.managed_endpoints import ManagedEndpoints
from worker.management.managed_formats import ManagedFormats
from worker.management.partner_links import PartnerLinks
from worker.management.partners import Partners
from worker.management.people import People
from worker.management.reach import Reach, reach_of
from worker.management.surroundings import Surroundings
from worker.record.availability import RecordAway

if TYPE_CHECKING:
    from collections.abc import Callable

    from config.settings import Settings
    from worker.management.callers import Caller
    from worker.management.copies import ManagementCopy, Person
    from worker.record import Record
    from worker.store import Store


HEADLINES = RightsSettings(text="headline", credits=())
"""For whoever has no contract that is known."""
_ERASE_SECONDS = 60.0
"""How often it is looked whether secrets are to be erased."""


class Management:
    """All of it, on one store and record. It stays when a process goes over to other settings: `go_over`.

    `ring`: the keys that this process knows; it knows none of the record before a `listener` has looked.
    """

    def __init__(self, store: Store, record: Record, surroundings: Surroundings) -> None:
        self._store = store
        self._record = record
        self._next_erasing = 0.0
        self._going_over = Lock()
        self.surroundings = surroundings
        changes = Changes(store, record, self._know_at_once)
        self.audit = AuditTrail(store, record)
        self.keys = Keys(changes)
        self.partners = Partners(changes)
        self.links = PartnerLinks(changes)
        self.endpoints = ManagedEndpoints(changes, lambda: self.surroundings)
        self.formats = ManagedFormats(changes, lambda: self.surroundings)
        self.people = People(changes, self.audit)
        self.sessions = DeskSessions(store, self.person, self.audit)
        self.ring = KeyRing()
        self.current: ManagementCopy | None = None
        """What a listener of this process has heard of last; None: there is none, or it knows nothing."""
        self._formats = FormatsInUse()
        self._in_use: tuple[ManagementCopy | None, Surroundings, EndpointsInUse] | None = None

    def go_over(self, settings: Settings) -> None:
        """Go by other settings."""
        self.surroundings = Surroundings.of(settings)
        self.ring.use_tokens([token.get_secret_value() for token in settings.api_tokens])
        self._formats.use(self.surroundings.formats, self.current.formats if self.current else ())

    def know_formats(self) -> None:
        """Have this process know the formats of both sources, where no listener keeps it so."""
        copy = self.current or self.copy()
        self._formats.use(self.surroundings.formats, copy.formats if copy else ())

    def copy(self) -> ManagementCopy | None:
        """Return what the management has: as the record says, or Redis while that is away; None: neither answers."""
        try:
            with self._record.availability.read() as connection:
                return copies.read(connection, clock.ms(clock.agreed()))
        except RecordAway:
            try:
                return copies.parse(self._store.management.get())
            except RedisError:
                return None

    def listener(self, use: Callable[[ManagementCopy], None] = lambda _: None, *, tends: bool) -> ManagementListener:
        """Return what keeps this process on what is managed; see ManagementListener."""

        def go_over(copy: ManagementCopy, former: ManagementCopy | None) -> bool:
            with self._going_over:
                current = self.current
                if current is not None and current is not former and copy.revision < current.revision:
                    return False
                self._know(copy)
            use(copy)
            return True

        return ManagementListener(
            self._store, self._record, self.ring, lambda: self.current, go_over, self._tend if tends else None
        )

    def endpoints_in_use(self) -> EndpointsInUse:
        """Return the endpoints of both sources: as the listener has heard, or else as `copy` has them."""
        copy, around, now = self.current or self.copy(), self.surroundings, clock.ms(clock.agreed())
        if self._in_use is not None:
            former_copy, former_around, endpoints = self._in_use
            is_current = endpoints.changes_at is None or now < endpoints.changes_at
            if copy is former_copy and around is former_around and is_current:
                return endpoints
        endpoints = in_use(copy, around, now, self._in_use[2] if self._in_use else None)
        self._in_use = copy, around, endpoints
        return endpoints

    def contract_of(self, caller: Caller) -> RightsSettings:
        """Return what a caller may have of an article by contract: that of its partner, where it is bound to one.

        Whoever is bound to several, or to one that is not known, may have headlines.
        """
        names = caller.bounds.partners
        if names is None:
            return RightsSettings()
        copy = self.current or self.copy()
        partners = [partner for partner in copy.partners if partner.name in names] if copy else []
        if len(names) != 1 or len(partners) != 1:
            return HEADLINES
        try:
            return RightsSettings.model_validate(partners[0].settings.get("rights", {}))
        except ValidationError:
            # Of another release.
            return HEADLINES

    def reach(self, caller: Caller) -> Reach:
        """Return which feeds a caller reaches."""
        if caller.bounds.partners is None:
            return Reach(caller, None)
        return reach_of(caller, self.endpoints_in_use(), self.surroundings.private_feeds)

    def person(self, name: str) -> Person | None:
        """Return somebody as this process knows them; None: nobody is called so."""
        copy = self.current or self.copy()
        return next((person for person in copy.people if person.name == name), None) if copy else None

    def person_of_subject(self, subject: str) -> Person | None:
        """Return who signs in as an OpenID provider's subject, as this process knows them; None: nobody."""
        copy = self.current or self.copy()
        return next((person for person in copy.people if person.subject == subject), None) if copy else None

    def partner_title(self, name: str) -> str:
        """Return what people call a partner, as this process knows it."""
        copy = self.current or self.copy()
        settings = next((partner.settings for partner in copy.partners if partner.name == name), {}) if copy else {}
        return str(settings.get("title") or name)

    def _know_at_once(self, copy: ManagementCopy) -> None:
        """Know of a change of this process before its listener hears of it: whoever has made it asks for it next."""
        with self._going_over:
            if self.current is not None and self.current.revision < copy.revision:
                self._know(copy)

    def _know(self, copy: ManagementCopy) -> None:
        self.ring.use(copy)
        self.current = copy
        # Endpoints may have formats that are new.
        self._formats.use(self.surroundings.formats, copy.formats)

    def _tend(self) -> None:
        """Do what is due. Raises RecordAway, redis.RedisError."""
        while self.audit.take_what_was_left():
            pass
        if time.monotonic() >= self._next_erasing:
            self._next_erasing = time.monotonic() + _ERASE_SECONDS
            self.endpoints.erase_secrets()
