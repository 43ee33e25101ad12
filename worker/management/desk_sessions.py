"""Who is signed in at the desk: sessions that begin, go on and end, and links that sign somebody in once.

A session is 256 random bits in a cookie; Redis keeps their SHA-256. It ends when it is not used for a time, at a time
after its beginning whatever happens, when somebody ends it, when the person gets another password or is removed. What
somebody may do is looked up anew for each request, so another role holds at once. While Redis is away, a process goes
on with the sessions that it saw a short while ago: a kill must not wait for Redis.
"""

from __future__ import annotations

import secrets
from hashlib import sha256
from typing import TYPE_CHECKING, NamedTuple

from pydantic import BaseModel, ConfigDict, ValidationError
from redis.exceptions import RedisError

from worker.management.callers import Forbidden
from worker.management.changes import NotFound
from worker.management.people import caller_of
from worker.management.scopes import PEOPLE_READ, PEOPLE_WRITE, ROLE_SCOPES
from worker.store.redis_errors import is_outage

if TYPE_CHECKING:
    from collections.abc import Callable

    from worker.management.audit_trail import AuditTrail
    from worker.management.callers import Caller
    from worker.management.copies import Person
    from worker.store import Store

_TOKEN_BYTES = 32
_USE_NOTED_MS = 60_000
"""Last use is noted to the minute."""
_WITHOUT_REDIS_MS = 900_000
"""How long a session goes on that a process knows, while Redis is away."""
_REMEMBERED_MOST = 1_000
LINK_SECONDS = 900
"""How long a link can be used."""


class Lifetimes(NamedTuple):
    """How long a session lasts when it is not used, and at the most, in ms."""

    idle: int
    most: int


class Session(BaseModel):
    """A session. `id`: what it is called, and nothing of its token. `password`: which password it began with.

    Times in ms. `agent`: what the browser calls itself.
    """

    model_config = ConfigDict(frozen=True, defer_build=True)

    id: str
    person: str
    password: str
    address: str
    agent: str
    began: int
    used: int


class DeskSessions:
    """The sessions. `person`: somebody as this process knows them."""

    def __init__(self, store: Store, person: Callable[[str], Person | None], audit: AuditTrail) -> None:
        self._sessions = store.desk_sessions
        self._person = person
        self._audit = audit
        self._remembered: dict[str, tuple[Session, int]] = {}

    def begin(self, person: Person, lifetimes: Lifetimes, now: int, address: str, agent: str) -> str:
        """Begin a session; return its token. Raises redis.RedisError."""
        token = secrets.token_urlsafe(_TOKEN_BYTES)
        name = _digest(token)
        session = Session(
            id=name[:16],
            person=person.name,
            password=_mark(person),
            address=address,
            agent=agent[:300],
            began=now,
            used=now,
        )
        self._put(name, session, lifetimes)
        return token

    def of(self, token: str, lifetimes: Lifetimes, now: int) -> tuple[Session, Person] | None:
        """Return the session of a token, and who that is; None when there is none, or it has ended.

        Raises redis.RedisError when Redis is away and this process does not know the session.
        """
        name = _digest(token)
        try:
            session = _parse(self._sessions.get(name))
        except RedisError as error:
            remembered = self._remembered.get(name)
            if remembered is None or not is_outage(error) or now - remembered[1] > _WITHOUT_REDIS_MS:
                raise
            session = remembered[0]
        else:
            self._remember(name, session, now)
        if session is None:
            return None
        person = self._person(session.person)
        is_over = now - session.used > lifetimes.idle or now - session.began > lifetimes.most
        if person is None or session.password != _mark(person) or is_over:
            self._end(name)
            return None
        if now - session.used > _USE_NOTED_MS:
            session = session.model_copy(update={"used": now})
            try:
                self._put(name, session, lifetimes)
            except RedisError as error:
                if not is_outage(error):
                    raise
        return session, person

    def list(self, caller: Caller, now: int) -> list[Session]:
        """Return the sessions, the last used first: all of them, or one's own. Raises redis.RedisError."""
        sessions = filter(None, map(_parse, self._sessions.all(now).values()))
        mine = caller.name.removeprefix("user:")
        visible = [session for session in sessions if caller.may(PEOPLE_READ) or session.person == mine]
        return sorted(visible, key=lambda session: -session.used)

    def end(self, caller: Caller, session_id: str, now: int) -> None:
        """End a session: one's own, or anybody's with `people:write`. Raises Forbidden, NotFound, redis.RedisError."""
        for name, text in self._sessions.all(now).items():
            session = _parse(text)
            if session is None or session.id != session_id:
                continue
            if caller.name != f"user:{session.person}":
                caller.require(PEOPLE_WRITE)
            self._end(name)
            self._audit.note(caller, "session.ended", session.person)
            return
        raise NotFound("this session has ended already")

    def sign_out(self, token: str) -> None:
        """End the session of a token. Raises redis.RedisError."""
        self._end(_digest(token))

    def make_link(self, caller: Caller, name: str) -> str:
        """Return the token of a link that signs somebody in, once.

        Raises Forbidden, also for somebody who may do more than the caller; NotFound; redis.RedisError.
        """
        caller.require(PEOPLE_WRITE)
        person = self._person(name)
        if person is None:
            raise NotFound(f"there is nobody called {name}")
        if lacking := sorted(ROLE_SCOPES[person.role] - caller.scopes):
            raise Forbidden(f"{caller.name} can't sign in {name}, who may also do {', '.join(lacking)}", PEOPLE_WRITE)
        token = secrets.token_urlsafe(_TOKEN_BYTES)
        self._sessions.put_link(_digest(token), name, LINK_SECONDS)
        self._audit.note(caller, "person.link_made", name)
        return token

    def whose_link(self, token: str) -> str | None:
        """Return whom a link signs in; None when it can't be used. Raises redis.RedisError."""
        return self._sessions.link(_digest(token))

    def use_link(self, token: str, address: str) -> Person | None:
        """Use a link; return who it signs in. Raises redis.RedisError, RecordAway."""
        name = self._sessions.take_link(_digest(token))
        person = self._person(name) if name else None
        if person is not None:
            self._audit.note(caller_of(person, address), "person.signed_in", person.name, new={"by": "link"})
        return person

    def _put(self, name: str, session: Session, lifetimes: Lifetimes) -> None:
        ends = session.began + lifetimes.most
        idle = min(lifetimes.idle, ends - session.used)
        self._sessions.put(name, session.model_dump_json(), idle // 1000, ends)

    def _end(self, name: str) -> None:
        self._remembered.pop(name, None)
        self._sessions.end(name)

    def _remember(self, name: str, session: Session | None, now: int) -> None:
        if session is None:
            self._remembered.pop(name, None)
            return
        if len(self._remembered) >= _REMEMBERED_MOST and name not in self._remembered:
            self._remembered.clear()
        self._remembered[name] = session, now


def sign_in_address(base_url: str, token: str) -> str:
    """Return the address that signs in whom a link is for; it works once."""
    return f"{base_url}/desk/sign-in/link/{token}"


def _digest(token: str) -> str:
    return sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def _mark(person: Person) -> str:
    """By what a session knows whether the person has another password by now."""
    return sha256(f"{person.name}\n{person.password}".encode()).hexdigest()[:16]


def _parse(text: str | None) -> Session | None:
    try:
        return Session.model_validate_json(text) if text else None
    except ValidationError:
        return None
