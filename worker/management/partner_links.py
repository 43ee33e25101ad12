"""Links that open the page of a partner: made, listed, revoked.

A link is a key with a scope of its own, bound to the partner: so its digest, its end, its revocation within a second on
every machine, its last use and the audit are those of keys, and no table is needed. As a key of the API it is none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from feeds.errors import FieldError, InvalidInput
from worker import clock
from worker.management import copies
from worker.management.callers import Bounds, Forbidden
from worker.management.changes import Conflict, NotFound
from worker.management.copies import Key
from worker.management.keys import CreatedKey, digest, new_token
from worker.management.scopes import PARTNER_PAGE, PARTNER_PAGE_SCOPES, PARTNERS_READ, PARTNERS_WRITE
from worker.record import management as rows
from worker.record import tables

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from worker.management.callers import Caller
    from worker.management.changes import Change, Changes

DAYS = 30
"""How long a link can be used, where nobody says how long."""
DAYS_MOST = 366
_DAY_MS = 86_400_000
_LINKS_MOST = 20
"""How many links of one partner can be used at a time."""


class PartnerLinks:
    """The links, in the record."""

    def __init__(self, changes: Changes) -> None:
        self._changes = changes

    def make(self, caller: Caller, partner: str, days: int = DAYS) -> CreatedKey:
        """Make a link; its secret is shown this once.

        Raises Forbidden, also when the page could do more than the caller; InvalidInput, NotFound, Conflict,
        RecordAway.
        """
        bounds = Bounds(partners=(partner,))
        _see_that_may_give(caller, partner, bounds)
        if not 1 <= days <= DAYS_MOST:
            raise InvalidInput([FieldError("days", f"must be 1 to {DAYS_MOST}")])
        with self._changes.change(caller) as change:
            _see_that_it_is_there(change.connection, partner)
            if len(_links(change.connection, partner, change.time)) >= _LINKS_MOST:
                raise Conflict(f"partner {partner} has {_LINKS_MOST} links already: revoke one first")
            key_id, token = new_token("dlp")
            link = Key(
                id=key_id,
                name=partner,
                digest=digest(token),
                scopes=(PARTNER_PAGE,),
                bounds=bounds,
                created=change.time,
                created_by=caller.name,
                expires=change.time + days * _DAY_MS,
                revoked=None,
                last_used=None,
                revision=change.revision,
            )
            rows.save(change.connection, tables.keys, copies.key_row(link))
            change.note("partner.link_made", partner, new=_audited(link))
        return CreatedKey(link, token)

    def list(self, caller: Caller, partner: str) -> list[Key]:
        """Return the links of a partner that can be used, the newest first. Raises Forbidden, NotFound, RecordAway."""
        caller.require(PARTNERS_READ, partner=partner)
        with self._changes.reading() as connection:
            _see_that_it_is_there(connection, partner)
            return _links(connection, partner, clock.ms(clock.agreed()))

    def revoke(self, caller: Caller, partner: str, link_id: str) -> None:
        """Revoke a link: within a second it opens nothing, on any machine. Raises Forbidden, NotFound, RecordAway."""
        caller.require(PARTNERS_WRITE, partner=partner)
        with self._changes.change(caller) as change:
            links = [link for link in _links(change.connection, partner, change.time) if link.id == link_id]
            if not links:
                raise NotFound(f"there is no link {link_id} of partner {partner} that can be used")
            _revoke(change, partner, links)


def address(base_url: str, secret: str) -> str:
    """Return the address that opens the page, by the secret of a link."""
    return f"{base_url}/partner/open/{secret}"


def described(link: Key) -> dict[str, Any]:
    """Return what may be shown of a link, for JSON."""
    values = link.described()
    return {name: values[name] for name in ("id", "created", "created_by", "expires", "last_used")}


def revoke_links(change: Change, partner: str) -> None:
    """Revoke all links of a partner that is removed: another of its name must not inherit them."""
    _revoke(change, partner, _links(change.connection, partner, change.time))


def _revoke(change: Change, partner: str, links: list[Key]) -> None:
    for link in links:
        revoked = link.model_copy(update={"revoked": change.time, "revision": change.revision})
        rows.save(change.connection, tables.keys, copies.key_row(revoked))
        change.note("partner.link_revoked", partner, old=_audited(link))


def _links(connection: Connection, partner: str, now: int) -> list[Key]:
    keys = map(copies.key_of, rows.rows(connection, tables.keys))
    links = [key for key in keys if key.is_link and key.bounds.partners == (partner,) and key.is_valid(now)]
    return sorted(links, key=lambda link: (-link.created, link.id))


def _see_that_may_give(caller: Caller, partner: str, bounds: Bounds) -> None:
    caller.require(PARTNERS_WRITE, partner=partner)
    if lacking := sorted(PARTNER_PAGE_SCOPES - caller.scopes):
        raise Forbidden(f"{caller.name} can't give what it lacks: {', '.join(lacking)}", lacking[0])
    if not bounds.within(caller.bounds):
        raise Forbidden(f"{caller.name} can't make a link with wider bounds than its own", PARTNERS_WRITE)


def _see_that_it_is_there(connection: Connection, partner: str) -> None:
    if rows.row(connection, tables.partners, partner) is None:
        raise NotFound(f"there is no partner {partner}")


def _audited(link: Key) -> dict[str, Any]:
    return {"link": link.id, "expires": link.expires}
