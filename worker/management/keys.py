"""API keys: who has which, and whom one stands for.

A key is `dl_`, its id, `_` and 256 random bits. It is shown once; its SHA-256 is kept. Two keys may have one name, so
that the old one works until the new one is in use everywhere.
"""

from __future__ import annotations

import re
import secrets
import string
from hashlib import sha256
from typing import TYPE_CHECKING, Any, NamedTuple

from feeds.errors import FieldError, InvalidInput
from worker.management import copies
from worker.management.callers import FILE, Bounds, Caller, Forbidden
from worker.management.changes import Conflict, NotFound, see_that_it_is_current
from worker.management.copies import Key
from worker.management.scopes import ALL, KEYS_READ, KEYS_WRITE, PARTNER_PAGE_SCOPES
from worker.record import management as rows
from worker.record import tables

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from worker.management.changes import Changes
    from worker.management.copies import ManagementCopy

_NAME = re.compile(r"[a-z0-9](?:[a-z0-9_.-]{0,62}[a-z0-9])?")
_ID_CHARACTERS = string.ascii_lowercase + string.digits
_ID_LENGTH = 8
_SECRET_BYTES = 32
_NAMESAKES_MOST = 2
"""How many keys of one name may be valid at a time: the old one and the new one."""
USE_NOTED_MS = 60_000
"""Last use is noted to the minute."""


class CreatedKey(NamedTuple):
    """A key, and the text that is shown this once."""

    key: Key
    token: str


class Keys:
    """The keys, in the record."""

    def __init__(self, changes: Changes) -> None:
        self._changes = changes

    def create(
        self,
        caller: Caller,
        name: str,
        scopes: Collection[str],
        bounds: Bounds = Bounds(),  # noqa: B008 (a value that nobody can change)
        expires: int | None = None,
    ) -> CreatedKey:
        """Create a key. `expires`: when it ends (ms).

        Raises Forbidden, also when the key could do more than the caller; InvalidInput; Conflict; RecordAway.
        """
        _see_that_may_give(caller, scopes, bounds)
        with self._changes.change(caller) as change:
            _check(name, scopes, bounds, expires, change.time)
            namesakes = [
                key
                for key in map(copies.key_of, rows.rows(change.connection, tables.keys))
                if key.name == name and not key.is_link and key.is_valid(change.time)
            ]
            if len(namesakes) >= _NAMESAKES_MOST:
                ids = ", ".join(key.id for key in namesakes)
                raise Conflict(f"there are two keys {name} already ({ids}): revoke the old one first")
            key_id, token = new_token("dl")
            key = Key(
                id=key_id,
                name=name,
                digest=digest(token),
                scopes=tuple(sorted(scopes)),
                bounds=bounds,
                created=change.time,
                created_by=caller.name,
                expires=expires,
                revoked=None,
                last_used=None,
                revision=change.revision,
            )
            rows.save(change.connection, tables.keys, copies.key_row(key))
            change.note("key.created", key.id, new=_audited(key))
        return CreatedKey(key, token)

    def revoke(self, caller: Caller, key_id: str, revision: int | None = None) -> Key:
        """Revoke a key, on every machine within a second. One that is revoked stays so.

        `revision`: that of the key as the caller has seen it. Raises Forbidden, NotFound, Outdated, RecordAway.
        """
        caller.require(KEYS_WRITE)
        with self._changes.change(caller) as change:
            key = _key(rows.row(change.connection, tables.keys, key_id), key_id)
            see_that_it_is_current("key", key_id, key.revision, revision)
            if key.revoked is not None:
                return key
            revoked = key.model_copy(update={"revoked": change.time, "revision": change.revision})
            rows.save(change.connection, tables.keys, copies.key_row(revoked))
            change.note("key.revoked", key.id, old=_audited(key))
        return revoked

    def list(self, caller: Caller) -> list[Key]:
        """Return all keys, also those that can't be used any longer, by name and age. Raises Forbidden, RecordAway."""
        caller.require(KEYS_READ)
        with self._changes.reading() as connection:
            keys = map(copies.key_of, rows.rows(connection, tables.keys))
            return sorted(keys, key=lambda key: (key.name, key.created, key.id))

    def get(self, caller: Caller, key_id: str) -> Key:
        """Return a key. Raises Forbidden, NotFound, RecordAway."""
        caller.require(KEYS_READ)
        with self._changes.reading() as connection:
            return _key(rows.row(connection, tables.keys, key_id), key_id)


class KeyRing:
    """The keys that this process knows. `use` replaces them whole; any thread may ask."""

    def __init__(self) -> None:
        self._of_the_file: frozenset[str] = frozenset()
        self._by_digest: Mapping[str, Key] = {}
        self._uses: dict[str, int] = {}
        self._noted_uses: dict[str, int] = {}

    def use(self, copy: ManagementCopy) -> None:
        """Know the keys of a copy, and no others."""
        self._by_digest = {key.digest: key for key in copy.keys}

    def use_tokens(self, api_tokens: Sequence[str]) -> None:
        """Know the tokens of the settings, which may do everything, and no others."""
        self._of_the_file = frozenset(map(digest, api_tokens))

    def caller(self, token: str, now: int, address: str = "") -> Caller | None:
        """Return whom a token stands for at `now` (ms); None when it is no key, was revoked or has expired."""
        # Digests of 256 random bits are looked up: how long that takes tells nothing of any key.
        name = digest(token)
        if name in self._of_the_file:
            return FILE.model_copy(update={"address": address})
        key = self._by_digest.get(name)
        if key is None or key.is_link or not key.is_valid(now):
            return None
        self._uses[key.id] = now
        return Caller(
            name=f"key:{key.name}",
            scopes=frozenset(key.scopes) & ALL,
            bounds=key.bounds,
            key_id=key.id,
            address=address,
        )

    def partner(self, token: str, now: int, address: str = "") -> Caller | None:
        """Return the partner whose page the secret of a link opens at `now` (ms); None when it is none, or has ended.

        The caller may do what the buttons of the page do, to what is the partner's, and nothing else.
        """
        key = self._by_digest.get(digest(token))
        if key is None or not key.is_link or not key.is_valid(now) or not key.bounds.partners:
            return None
        self._uses[key.id] = now
        (name,) = key.bounds.partners
        return Caller(
            name=f"link:{name}", scopes=PARTNER_PAGE_SCOPES, bounds=key.bounds, key_id=key.id, address=address
        )

    def uses(self) -> dict[str, int]:
        """Return when keys were used (id -> ms) whose use was not noted for a minute."""
        return {
            key_id: time
            for key_id, time in self._uses.copy().items()
            if time - self._noted_uses.get(key_id, 0) >= USE_NOTED_MS
        }

    def note_uses(self, uses: Mapping[str, int]) -> None:
        """Take uses for noted."""
        self._noted_uses.update(uses)


def new_token(prefix: str) -> tuple[str, str]:
    """Return a new id, and a text that is shown once: the prefix, the id and 256 random bits."""
    key_id = "".join(secrets.choice(_ID_CHARACTERS) for _ in range(_ID_LENGTH))
    return key_id, f"{prefix}_{key_id}_{secrets.token_urlsafe(_SECRET_BYTES)}"


def digest(token: str) -> str:
    """Return by what a token is known."""
    return sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def _key(row: dict[str, Any] | None, key_id: str) -> Key:
    if row is None:
        raise NotFound(f"there is no key {key_id}")
    return copies.key_of(row)


def _audited(key: Key) -> dict[str, Any]:
    return {
        "name": key.name,
        "scopes": list(key.scopes),
        "bounds": key.bounds.model_dump(mode="json", exclude_none=True),
        "expires": key.expires,
    }


def _see_that_may_give(caller: Caller, scopes: Collection[str], bounds: Bounds) -> None:
    """Raise Forbidden when a caller must not create a key that may do this."""
    if KEYS_WRITE not in caller.scopes:
        raise Forbidden(f"{caller.name} lacks the scope {KEYS_WRITE}", KEYS_WRITE)
    if lacking := sorted(set(scopes) & ALL - caller.scopes):
        raise Forbidden(f"{caller.name} can't give what it lacks: {', '.join(lacking)}", KEYS_WRITE)
    if not bounds.within(caller.bounds):
        raise Forbidden(f"{caller.name} can't create a key with wider bounds than its own", KEYS_WRITE)


def _check(name: str, scopes: Collection[str], bounds: Bounds, expires: int | None, now: int) -> None:
    """Raise InvalidInput with all that is wrong."""
    if errors := list(_mistakes(name, scopes, bounds, expires, now)):
        raise InvalidInput(errors)


def _mistakes(
    name: str, scopes: Collection[str], bounds: Bounds, expires: int | None, now: int
) -> Iterator[FieldError]:
    if not _NAME.fullmatch(name):
        yield FieldError("name", "must be 1 to 64 lower-case letters, digits and . _ - (the first and last no sign)")
    if not scopes:
        yield FieldError("scopes", f"must have at least one; known: {', '.join(sorted(ALL))}")
    for scope in sorted(set(scopes) - ALL):
        yield FieldError("scopes", f"there is no scope {scope}; known: {', '.join(sorted(ALL))}")
    for noun, names in bounds:
        if names is not None and not names:
            yield FieldError(f"bounds.{noun}", "must name at least one, or be left out")
    if expires is not None and expires <= now:
        yield FieldError("expires", "must be in the future")
    if expires is not None and expires > copies.EXPIRES_MOST:
        yield FieldError("expires", "must be before the year 9000, or be left out: then it does not end")
