"""Endpoints that are kept in the record: made, changed and removed while everything runs."""

from __future__ import annotations

import json
import os
from base64 import b64encode
from typing import TYPE_CHECKING, Any, NamedTuple

from config.endpoint_settings import EndpointSettings
from feeds.errors import FieldError, InvalidInput
from feeds.patterns import pattern_of
from worker import clock
from worker.management import copies, endpoint_secrets
from worker.management.callers import DATELINE, FILTERED, Forbidden
from worker.management.changes import Conflict, NotFound, see_that_it_is_current
from worker.management.copies import ManagedEndpoint
from worker.management.endpoint_checks import checked
from worker.management.endpoint_secrets import SECRET, hidden
from worker.management.partners import rights_of
from worker.management.scopes import ENDPOINTS_READ, ENDPOINTS_WRITE
from worker.management.sealing import CantOpen, CantSeal
from worker.record import management as rows
from worker.record import tables

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from sqlalchemy import Connection

    from worker.management.callers import Caller
    from worker.management.changes import Change, Changes
    from worker.management.sealing import Sealer
    from worker.management.surroundings import Surroundings

DAY_MS = 86_400_000
KEPT_MS = 30 * DAY_MS
"""For so long a removed endpoint keeps its secrets."""
OVERLAP_MS = DAY_MS
"""For so long the old secret signs beside the new one, unless somebody says otherwise."""
OVERLAP_MOST_MS = KEPT_MS
PULL = "pull"
"""The kind of endpoints that are read by their partner."""
_SECRET_BYTES = 32
_SIGNING_MOST = 10
"""How many secrets may sign before another one is made: each is a signature in every push."""


class EndpointWithSecret(NamedTuple):
    """An endpoint, and the secret that was made for it, which is shown this once; None: it was given, or has none."""

    endpoint: ManagedEndpoint
    secret: str | None


class ManagedEndpoints:
    """The managed endpoints, in the record. `surroundings` is asked anew each time: settings are read again."""

    def __init__(self, changes: Changes, surroundings: Callable[[], Surroundings]) -> None:
        self._changes = changes
        self._surroundings = surroundings

    def list(self, caller: Caller) -> list[ManagedEndpoint]:
        """Return the endpoints that the caller may see and that are not removed, by name.

        Raises Forbidden, RecordAway.
        """
        caller.require(ENDPOINTS_READ, feed=FILTERED, partner=FILTERED)
        with self._changes.reading() as connection:
            endpoints = _all(connection)
        return [
            endpoint
            for endpoint in endpoints
            if endpoint.removed is None and caller.sees(feed=endpoint.feed, partner=endpoint.partner)
        ]

    def get(self, caller: Caller, name: str) -> ManagedEndpoint:
        """Return an endpoint. Raises Forbidden, NotFound, RecordAway."""
        with self._changes.reading() as connection:
            return self._visible(connection, caller, name, ENDPOINTS_READ)

    def create(
        self, caller: Caller, name: str, values: Mapping[str, Any], partner: str | None = None
    ) -> EndpointWithSecret:
        """Create an endpoint with these settings, as they would stand in the settings file.

        Without `secret` one is made; an empty list means that its pushes are not signed. One that was removed under
        this name goes on where it was. Raises Forbidden, InvalidInput, Conflict, RecordAway.
        """
        caller.require(ENDPOINTS_WRITE, feed=_feed(values), partner=partner)
        around = self._surroundings()
        _see_that_names_agree(values, name)
        values = {**values, "name": name}
        _see_that_somebody_reads(values, partner)
        new_secret = _new_secret(around.sealer) if SECRET not in values and _is_signed(values) else None
        if new_secret is not None:
            values[SECRET] = new_secret
        if name in around.of_the_file:
            raise Conflict(f"there is an endpoint {name} in the settings file: give this one another name")
        with self._changes.change(caller) as change:
            row = rows.row(change.connection, tables.managed_endpoints, name)
            former = copies.endpoint_of(row) if row else None
            if former is not None and former.removed is None:
                raise Conflict(f"there is an endpoint {name} already")
            if former is not None and not caller.sees(feed=former.feed, partner=former.partner):
                # It would have what was sent to somebody else.
                raise Conflict(f"there was an endpoint {name} of somebody else: give this one another name")
            _see_that_nothing_is_hidden(values)
            _see_that_it_stays_theirs(change.connection, caller, values, None, around)
            checked(values, around.feed_names, rights_of(change.connection, partner))
            endpoint = ManagedEndpoint(
                name=name,
                partner=partner,
                settings=hidden(values),
                secrets=endpoint_secrets.sealed(values, name, around.sealer),
                created=former.created if former else change.time,
                removed=None,
                revision=change.revision,
            )
            _save(change, endpoint)
            change.note("endpoint.created", name, new=_audited(endpoint))
        return EndpointWithSecret(endpoint, new_secret)

    def change(
        self,
        caller: Caller,
        name: str,
        values: Mapping[str, Any],
        partner: str | None = None,
        revision: int | None = None,
    ) -> ManagedEndpoint:
        """Give an endpoint these settings in place of its own; a secret that stands as `***` stays as it is.

        `revision`: that of the endpoint as the caller has seen it. Raises Forbidden, InvalidInput, NotFound, Conflict
        for one of the settings file, Outdated, RecordAway.
        """
        around = self._surroundings()
        _see_that_names_agree(values, name)
        with self._changes.change(caller) as change:
            former = self._visible(change.connection, caller, name, ENDPOINTS_WRITE)
            caller.require(ENDPOINTS_WRITE, feed=_feed(values), partner=partner)
            see_that_it_is_current("endpoint", name, former.revision, revision)
            _see_that_somebody_reads(values, partner)
            _see_that_it_stays_theirs(change.connection, caller, values, former, around)
            try:
                settings = endpoint_secrets.with_former(
                    {**values, "name": name}, former.settings, name, former.secrets, around.sealer
                )
            except CantOpen as error:
                raise Conflict(str(error)) from None
            checked(settings, around.feed_names, rights_of(change.connection, partner))
            keeps_secret = values.get(SECRET) == endpoint_secrets.HIDDEN
            endpoint = former.model_copy(
                update={
                    "partner": partner,
                    "settings": hidden(settings),
                    "secrets": endpoint_secrets.sealed(settings, name, around.sealer),
                    "old_secret_until": former.old_secret_until if keeps_secret else None,
                    "revision": change.revision,
                }
            )
            _save(change, endpoint)
            change.note("endpoint.changed", name, _audited(former), _audited(endpoint))
        return endpoint

    def remove(self, caller: Caller, name: str, revision: int | None = None) -> None:
        """Remove an endpoint: it is paused, and what it needs to go on is kept for 30 days, secrets too.

        Raises as `change` does.
        """
        with self._changes.change(caller) as change:
            former = self._visible(change.connection, caller, name, ENDPOINTS_WRITE)
            see_that_it_is_current("endpoint", name, former.revision, revision)
            _save(change, former.model_copy(update={"removed": change.time, "revision": change.revision}))
            change.note("endpoint.removed", name, old=_audited(former))

    def restore(self, caller: Caller, name: str) -> ManagedEndpoint:
        """Have an endpoint again that was removed, as it was, where it was.

        Raises Forbidden, NotFound, Conflict when its secrets are erased or its feed is gone, RecordAway.
        """
        around = self._surroundings()
        with self._changes.change(caller) as change:
            row = rows.row(change.connection, tables.managed_endpoints, name)
            former = copies.endpoint_of(row) if row else None
            is_theirs = former is not None and caller.sees(feed=former.feed, partner=former.partner)
            if former is None or former.removed is None or not is_theirs:
                # Whoever may not see it does not learn that it was there.
                caller.require(ENDPOINTS_WRITE, feed=FILTERED, partner=FILTERED)
                raise NotFound(f"there is no removed endpoint {name}")
            caller.require(ENDPOINTS_WRITE, feed=former.feed, partner=former.partner)
            _see_that_it_stays_theirs(change.connection, caller, former.settings, former, around)
            if name in around.of_the_file:
                raise Conflict(f"there is an endpoint {name} in the settings file")
            try:
                settings = endpoint_secrets.whole(former.settings, name, former.secrets, around.sealer)
                checked(settings, around.feed_names, rights_of(change.connection, former.partner))
                _see_that_nothing_is_hidden(settings)
            except (CantOpen, InvalidInput) as error:
                raise Conflict(f"endpoint {name} can't be had as it was ({error}): create it anew") from None
            endpoint = former.model_copy(update={"removed": None, "revision": change.revision})
            _save(change, endpoint)
            change.note("endpoint.restored", name, new=_audited(endpoint))
        return endpoint

    def rotate(
        self, caller: Caller, name: str, overlap: int = OVERLAP_MS, revision: int | None = None
    ) -> EndpointWithSecret:
        """Give an endpoint a new secret, which is returned this once. `overlap` (ms): how long the old one signs too.

        Those that still sign beside the old one go on as long as it does. Raises as `change` does.
        """
        if not 0 <= overlap <= OVERLAP_MOST_MS:
            raise InvalidInput([FieldError("overlap", "must be 0 to 30 days")])
        around = self._surroundings()
        with self._changes.change(caller) as change:
            former = self._visible(change.connection, caller, name, ENDPOINTS_WRITE)
            see_that_it_is_current("endpoint", name, former.revision, revision)
            _see_that_it_signs(former)
            try:
                settings = endpoint_secrets.whole(former.settings, name, former.secrets, around.sealer)
            except CantOpen as error:
                raise Conflict(str(error)) from None
            new_secret = _new_secret(around.sealer)
            older = _signing_now(former, settings, change.time) if overlap else []
            settings[SECRET] = [new_secret, *older]
            until = max(change.time + overlap, former.old_secret_until or 0)
            endpoint = former.model_copy(
                update={
                    "settings": hidden(settings),
                    "secrets": endpoint_secrets.sealed(settings, name, around.sealer),
                    "old_secret_until": until if older else None,
                    "revision": change.revision,
                }
            )
            _save(change, endpoint)
            change.note("endpoint.rotated", name, new={"old_secret_until": endpoint.old_secret_until})
        return EndpointWithSecret(endpoint, new_secret)

    def rekey(self, caller: Caller) -> int:
        """Seal all secrets by the first key; return how many endpoints had others. Raises Forbidden, RecordAway.

        Raises Conflict, and has changed nothing, when something can't be opened or there is no key.
        """
        caller.require(ENDPOINTS_WRITE)
        sealer = self._surroundings().sealer
        changed = 0
        with self._changes.change(caller) as change:
            for endpoint in _all(change.connection):
                if all(map(sealer.is_sealed_by_the_first, endpoint.secrets.values())):
                    continue
                try:
                    secrets = {
                        field: sealer.seal(endpoint.name, field, sealer.open(endpoint.name, field, value))
                        for field, value in endpoint.secrets.items()
                    }
                except (CantOpen, CantSeal) as error:
                    raise Conflict(f"endpoint {endpoint.name}: {error}") from None
                # Nothing of it has changed for anybody: its revision stays.
                _save(change, endpoint.model_copy(update={"secrets": secrets}))
                changed += 1
            if changed:
                change.note("endpoint.rekeyed", "", new={"endpoints": changed})
        return changed

    def _visible(self, connection: Connection, caller: Caller, name: str, scope: str) -> ManagedEndpoint:
        """The endpoint, if the caller may do this to it."""
        row = rows.row(connection, tables.managed_endpoints, name)
        endpoint = copies.endpoint_of(row) if row else None
        if endpoint is None or endpoint.removed is not None:
            caller.require(scope, feed=FILTERED, partner=FILTERED)
            filed = self._surroundings().of_the_file.get(name)
            if filed is not None and caller.sees(feed=filed.feed, partner=None):
                raise Conflict(f"endpoint {name} is of the settings file: change it there")
            raise NotFound(f"there is no endpoint {name}")
        if scope in caller.scopes and not caller.may(scope, feed=endpoint.feed, partner=endpoint.partner):
            # Whoever may not see it does not learn that it is there.
            raise NotFound(f"there is no endpoint {name}")
        caller.require(scope, feed=endpoint.feed, partner=endpoint.partner)
        return endpoint

    def erase_secrets(self) -> None:
        """Erase the secrets of endpoints that were removed long ago. Raises RecordAway."""
        before = clock.ms(clock.agreed()) - KEPT_MS
        with self._changes.reading() as connection:
            due = [endpoint for endpoint in _all(connection) if _is_due(endpoint, before)]
        for endpoint in due:
            with self._changes.change(DATELINE) as change:
                row = rows.row(change.connection, tables.managed_endpoints, endpoint.name)
                former = copies.endpoint_of(row) if row else None
                # It may have been restored meanwhile.
                if former is not None and _is_due(former, before):
                    _save(change, former.model_copy(update={"secrets": {}, "revision": change.revision}))
                    change.note("endpoint.erased", former.name)


def _all(connection: Connection) -> list[ManagedEndpoint]:
    return list(map(copies.endpoint_of, rows.rows(connection, tables.managed_endpoints)))


def _is_due(endpoint: ManagedEndpoint, removed_before: int) -> bool:
    return bool(endpoint.secrets) and endpoint.removed is not None and endpoint.removed < removed_before


def signing_secrets(settings: Mapping[str, Any]) -> Sequence[str]:
    """Return the secrets that sign an endpoint's pushes, the newest first."""
    secret = settings.get(SECRET) or []
    return [secret] if isinstance(secret, str) else secret


def _signing_now(endpoint: ManagedEndpoint, settings: Mapping[str, Any], now: int) -> Sequence[str]:
    """The secrets that sign at `now` (ms), the newest first. `settings`: those of the endpoint with its secrets.

    All of them go on beside another one: whoever rotates twice, as the first answer was lost, has given the partner
    none but the oldest. Raises Conflict when there are too many.
    """
    over = endpoint.old_secret_until is not None and endpoint.old_secret_until <= now
    secrets = signing_secrets(settings)[: 1 if over else None]
    if len(secrets) >= _SIGNING_MOST:
        raise Conflict(
            f"{_SIGNING_MOST} secrets of {endpoint.name} sign already: wait until the older ones end, or rotate "
            "without an overlap"
        )
    return secrets


def _see_that_it_signs(endpoint: ManagedEndpoint) -> None:
    """Raise Conflict for an endpoint that has no secret to be rotated."""
    name = endpoint.name
    if endpoint.settings.get("kind") == PULL:
        raise Conflict(f"{name} has no secret: its partner reads it with a key; revoke that, and make another one")
    if not _is_signed(endpoint.settings):
        raise Conflict(f"{name} has no secret that signs: change what it is let in by in its settings")


def _save(change: Change, endpoint: ManagedEndpoint) -> None:
    texts = {name: json.dumps(getattr(endpoint, name)) for name in ("settings", "secrets")}
    rows.save(change.connection, tables.managed_endpoints, {**dict(endpoint), **texts})


def _audited(endpoint: ManagedEndpoint) -> dict[str, Any]:
    return {"partner": endpoint.partner, **endpoint.settings}


def _feed(values: Mapping[str, Any]) -> str | None:
    feed = values.get("feed")
    return feed if isinstance(feed, str) else None


def _is_signed(values: Mapping[str, Any]) -> bool:
    """Whether what such an endpoint is sent is signed: only requests are."""
    kind = values.get("kind", "http")
    own = EndpointSettings.of_kind(kind)
    return kind != PULL and (own is None or SECRET in own.uses)


def _new_secret(sealer: Sealer) -> str:
    """A secret of Standard Webhooks. Raises InvalidInput when it could not be kept."""
    if not sealer.can_seal:
        problem = (
            "can't be kept without a key: set management.secret_key (`dateline management new-key` prints one), or "
            "give an empty list as secret for pushes that are not signed"
        )
        raise InvalidInput([FieldError(SECRET, problem)])
    return f"whsec_{b64encode(os.urandom(_SECRET_BYTES)).decode()}"


def _see_that_names_agree(values: Mapping[str, Any], name: str) -> None:
    if values.get("name", name) != name:
        raise InvalidInput([FieldError("name", f"must be {name}, or be left out: an endpoint keeps its name")])


def _see_that_it_stays_theirs(
    connection: Connection,
    caller: Caller,
    values: Mapping[str, Any],
    former: ManagedEndpoint | None,
    around: Surroundings,
) -> None:
    """Raise Forbidden when a caller that is bound to partners would have more by an endpoint than they have.

    They may have feeds that they have already, within the rights that somebody else has given them.
    """
    partners = caller.bounds.partners
    if partners is None:
        return
    theirs = {other.feed for other in _all(connection) if other.partner in partners and other.removed is None}
    theirs |= {feed for feed, named in around.private_feeds.items() if not set(partners).isdisjoint(named)}
    feed = _feed(values) or ""
    if theirs.isdisjoint((feed, pattern_of(feed))):
        raise Forbidden(f"{caller.name} is for the feeds that its partner has already", ENDPOINTS_WRITE)
    if values.get("rights", {}) != (former.settings.get("rights", {}) if former else {}):
        raise Forbidden(f"{caller.name} can't say what its partner may have: leave rights as they are", ENDPOINTS_WRITE)


def _see_that_somebody_reads(values: Mapping[str, Any], partner: str | None) -> None:
    if values.get("kind") == PULL and partner is None:
        raise InvalidInput([FieldError("partner", 'is missing: with kind = "pull" it is a partner who reads it')])


def _see_that_nothing_is_hidden(values: Mapping[str, Any]) -> None:
    errors = [
        FieldError(field, f"{endpoint_secrets.HIDDEN} stands for a secret that there is, and there is none")
        for field, table, key in endpoint_secrets.places(values)
        if table[key] == endpoint_secrets.HIDDEN
    ]
    if errors:
        raise InvalidInput(errors)
