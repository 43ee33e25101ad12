"""People: who may sign in, with which role, and by which password.

A password is kept as its argon2id hash (RFC 9106), with the parameters of argon2-cffi's defaults; one that was made
with others is made anew when it is used. Whoever is unknown takes as long as whoever gives a wrong password.
"""

from __future__ import annotations

import re
from functools import cached_property
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from feeds.errors import FieldError, InvalidInput
from worker.management.callers import Caller, Forbidden
from worker.management.changes import Conflict, NotFound, see_that_it_is_current
from worker.management.copies import Person
from worker.management.scopes import PEOPLE_READ, PEOPLE_WRITE, ROLE_SCOPES, ROLES
from worker.record import management as rows
from worker.record import tables

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection

    from worker.management.audit_trail import AuditTrail
    from worker.management.changes import Changes

PASSWORD_LEAST, PASSWORD_MOST = 12, 1000
"""How many characters a password has (NIST SP 800-63B, section 3.1.1.2: length counts, not signs)."""
_SUBJECT_MOST = 1000
_SUBJECT = re.compile(r"https?://\S+ \S(?:.*\S)?")
"""The issuer, which is an address (OpenID Connect Core 1.0, section 2), a space, and whom it calls so."""
_NAME = re.compile(r"[a-z0-9](?:[a-z0-9_.@+-]{0,126}[a-z0-9])?")


BY_PROVIDER = Caller(name="openid", scopes=ROLE_SCOPES["admin"])
"""Whoever an OpenID provider speaks for adds people and gives roles as it says."""


class WrongPassword(Exception):
    """Nobody of this name has this password. It does not tell whether there is somebody of this name."""


class People:
    """The people, in the record."""

    def __init__(self, changes: Changes, audit: AuditTrail) -> None:
        self._changes = changes
        self._audit = audit
        self._hasher = PasswordHasher()

    def list(self, caller: Caller) -> list[Person]:
        """Return all people, by name. Raises Forbidden, RecordAway."""
        caller.require(PEOPLE_READ)
        with self._changes.reading() as connection:
            return [Person.model_validate(row) for row in rows.rows(connection, tables.people)]

    def get(self, caller: Caller, name: str) -> Person:
        """Return somebody. Raises Forbidden, NotFound, RecordAway."""
        caller.require(PEOPLE_READ)
        with self._changes.reading() as connection:
            return _person(connection, name)

    def add(
        self, caller: Caller, name: str, role: str, password: str | None = None, subject: str | None = None
    ) -> Person:
        """Let somebody sign in, by a password, or as an OpenID provider's `subject` (issuer, a space, subject).

        Raises Forbidden, InvalidInput, Conflict, RecordAway.
        """
        caller.require(PEOPLE_WRITE)
        _check(name, role, password, subject)
        hashed = self._hash(password)
        with self._changes.change(caller) as change:
            _see_that_may_give(caller, role)
            if rows.row(change.connection, tables.people, name) is not None:
                raise Conflict(f"there is somebody called {name} already")
            _see_that_is_free(change.connection, subject, name)
            person = Person.model_validate(
                {
                    "name": name,
                    "role": role,
                    "password": hashed,
                    "subject": subject,
                    "created": change.time,
                    "revision": change.revision,
                }
            )
            rows.save(change.connection, tables.people, dict(person))
            change.note("person.added", name, new=_audited(person))
        return person

    def change(
        self,
        caller: Caller,
        name: str,
        *,
        role: str | None = None,
        subject: str | None = None,
        revision: int | None = None,
    ) -> Person:
        """Give somebody another role, or another subject. Raises as `add` does, NotFound and Outdated."""
        caller.require(PEOPLE_WRITE)
        _check(name, role or ROLES[0], None, subject)
        with self._changes.change(caller) as change:
            former = self._changeable(change.connection, caller, name, revision)
            if role is not None:
                _see_that_may_give(caller, role)
            if subject is not None:
                _see_that_is_free(change.connection, subject, name)
            person = former.model_copy(
                update={
                    "role": role or former.role,
                    "subject": subject or former.subject,
                    "revision": change.revision,
                }
            )
            rows.save(change.connection, tables.people, dict(person))
            change.note("person.changed", name, _audited(former), _audited(person))
        return person

    def set_password(self, caller: Caller, name: str, password: str, revision: int | None = None) -> Person:
        """Give somebody a password: their sessions end. Everybody may do so for themselves.

        Raises as `change` does.
        """
        if caller.name != f"user:{name}":
            caller.require(PEOPLE_WRITE)
        _check(name, ROLES[0], password)
        hashed = self._hash(password)
        with self._changes.change(caller) as change:
            former = self._changeable(change.connection, caller, name, revision)
            person = former.model_copy(update={"password": hashed, "revision": change.revision})
            rows.save(change.connection, tables.people, dict(person))
            change.note("person.password_set", name)
        return person

    def remove(self, caller: Caller, name: str, revision: int | None = None) -> None:
        """Let somebody sign in no longer. Raises Forbidden, NotFound, Outdated, RecordAway."""
        caller.require(PEOPLE_WRITE)
        with self._changes.change(caller) as change:
            former = self._changeable(change.connection, caller, name, revision)
            rows.remove(change.connection, tables.people, name)
            change.note("person.removed", name, old=_audited(former))

    def sign_in(self, person: Person | None, password: str, address: str) -> Caller:
        """Return whom a password stands for. `person`: whoever has the name that was given, as this process knows.

        Takes a tenth of a second of a processor. Raises WrongPassword.
        """
        known_hash = person.password if person and person.password else self._nobodys
        try:
            self._hasher.verify(known_hash, password[: PASSWORD_MOST + 1])
        except (VerificationError, InvalidHashError):
            raise WrongPassword from None
        if person is None or person.password is None:
            raise WrongPassword
        caller = caller_of(person, address)
        self._audit.note(caller, "person.signed_in", person.name)
        return caller

    def sign_in_by_provider(
        self, person: Person | None, subject: str, suggested_name: str, role: str | None, address: str
    ) -> Person:
        """Return whom an OpenID provider has let in, as `subject`, and note that they came.

        `person`: whom this process knows by that subject. `suggested_name`: what a new one is called, unless that is
        taken: nobody becomes somebody else by a name. `role`: what the provider gives, None: nothing, so only those who
        are known get in. Raises Forbidden, RecordAway.
        """
        if person is None and role is None:
            raise Forbidden("nobody has been added here for this account", PEOPLE_WRITE)
        if person is None:
            person = self.add(BY_PROVIDER, self._free_name(subject, suggested_name), role or "", subject=subject)
        elif role is not None and role != person.role:
            person = self.change(BY_PROVIDER, person.name, role=role)
        self._audit.note(caller_of(person, address), "person.signed_in", person.name)
        return person

    def _free_name(self, subject: str, suggested_name: str) -> str:
        name = re.sub(r"[^a-z0-9_.@+-]+", "-", suggested_name.lower())[:100].strip("_.@+-") or "person"
        with self._changes.reading() as connection:
            is_taken = rows.row(connection, tables.people, name) is not None
        return f"{name}-{sha256(subject.encode()).hexdigest()[:8]}" if is_taken else name

    @cached_property
    def _nobodys(self) -> str:
        return self._hasher.hash("nobody has this password")

    def _hash(self, password: str | None) -> str | None:
        return None if password is None else self._hasher.hash(password)

    @staticmethod
    def _changeable(connection: Connection, caller: Caller, name: str, revision: int | None) -> Person:
        """Somebody who can do no more than the caller."""
        person = _person(connection, name)
        if caller.name != f"user:{name}":
            _see_that_may_give(caller, person.role)
        see_that_it_is_current("person", name, person.revision, revision)
        return person


def caller_of(person: Person, address: str = "") -> Caller:
    """Return the caller that somebody is, once signed in."""
    return Caller(name=f"user:{person.name}", scopes=ROLE_SCOPES[person.role], address=address)


def _person(connection: Connection, name: str) -> Person:
    row = rows.row(connection, tables.people, name)
    if row is None:
        raise NotFound(f"there is nobody called {name}")
    return Person.model_validate(row)


def _audited(person: Person) -> dict[str, Any]:
    return {"role": person.role, "subject": person.subject}


def _see_that_may_give(caller: Caller, role: str) -> None:
    """Raise Forbidden when a role may do what the caller may not."""
    if lacking := sorted(ROLE_SCOPES[role] - caller.scopes):  # type: ignore[index]
        raise Forbidden(f"{caller.name} can't give the role {role}: it lacks {', '.join(lacking)}", PEOPLE_WRITE)


def _see_that_is_free(connection: Connection, subject: str | None, name: str) -> None:
    for row in rows.rows(connection, tables.people) if subject else ():
        if row["subject"] == subject and row["name"] != name:
            raise Conflict(f"{row['name']} signs in as this subject already")


def _check(name: str, role: str, password: str | None, subject: str | None = None) -> None:
    if errors := list(_mistakes(name, role, password, subject)):
        raise InvalidInput(errors)


def _mistakes(name: str, role: str, password: str | None, subject: str | None) -> Iterator[FieldError]:
    if not _NAME.fullmatch(name):
        yield FieldError("name", "must be 1 to 128 lower-case letters, digits and . _ @ + -, at its ends no sign")
    if role not in ROLES:
        yield FieldError("role", f"must be {', '.join(ROLES[:-1])} or {ROLES[-1]}")
    if password is not None and not PASSWORD_LEAST <= len(password) <= PASSWORD_MOST:
        yield FieldError("password", f"must be {PASSWORD_LEAST} to {PASSWORD_MOST} characters long")
    if subject is not None and not (len(subject) <= _SUBJECT_MOST and _SUBJECT.fullmatch(subject)):
        yield FieldError("subject", f"must be a provider's issuer, a space and its subject: {_SUBJECT_MOST} characters")
