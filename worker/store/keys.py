"""The names of all keys, in one place.

Keys of one feed carry its name as a hash tag and the three event keys share one, so that every script and every
multi-key command stays within one slot of Redis Cluster. Anything else is single keys.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

EVENTS = "dateline:events"
"""Stream of accepted events; field `event` is the event's JSON. Anyone may XADD to it."""

URGENT = "{dateline:events}:urgent"
"""Stream of kills: read before `EVENTS`."""

REJECTED = "{dateline:events}:rejected"
"""Bounded stream of entries that could not be used: fields `event`, `reason`."""

FAILURES = "{dateline:events}:failures"
"""Hash: stream and id of an entry that could not be carried out -> how often that failed."""

ARTICLES = "dateline:articles"
"""Sorted set: every article id, scored by its first publication in milliseconds."""

EVOLVED = "dateline:evolved"
"""Hash: id of a document that is an update -> id of the one that it evolved from, which may be an update too."""

AUTHORITY = "dateline:authority"
"""The `site.id_authority` under which ids of entries were first given."""

ADDRESS = "dateline:address"
"""The address (`site.base_url`) under which a web process serves that runs. It expires, and is renewed meanwhile."""

NUMBERS = "{dateline:events}:definitions"
"""Hash: digest of a set of definitions -> its number."""

LIVING = "{dateline:events}:living"
"""Sorted set: number of a set of definitions, a space, a worker that works by it -> when it was last seen (ms)."""

CHARGE = "{dateline:events}:charge"
"""The number of the set by which events are carried out, a space, how often that has changed."""

DEFINITIONS = "dateline:definitions"
"""Hash: feed name -> the definition by which the articles were put into it."""

PENDING = "{dateline:definitions}:pending"
"""Hash: feed name -> the definition by which the articles that are there have still to be put into it."""

INDEX = "{dateline:definitions}:index"
"""Hash: `generation` of the charge that was adopted last; of the filling of `PENDING`, while it goes on, `done`
articles of `all`, the last `article` and its `place`."""

INDEXING = "{dateline:definitions}:indexing"
"""Held by the worker that fills them."""

FORMER = "{dateline:definitions}:former"
"""Hash: name of a feed that was removed from the settings -> when (ms)."""

CHANGED = "dateline:changed"
"""Channel: head, last kill and name of each feed that changes."""

WITHDRAWN = "dateline:withdrawn"
"""Channel: as JSON, `gone`, (feed, article) pairs that may not be sent any more, and `answer`, the key where whoever
has heard says so."""

SENDERS = "dateline:senders"
"""Sorted set: process that sends -> until when (ms of Redis' clock) it may without hearing of Redis again."""

SCHEDULE = "dateline:schedule"
"""Sorted set: article ids, scored by the moment (ms) at which their visibility changes by itself."""

RECEIVING = "dateline:receiving"
"""Set: names of the feeds that have or had receivers; what a sweep goes through."""

COUNTERS = "dateline:counters"
"""Hash: totals since the beginning, for /metrics."""

OPERATIONS = "dateline:operations"
"""Stream: operational events that wait to be sent; field `event` is JSON."""

SENDING = "dateline:operations:sending"
"""Held by the worker that is sending them."""

WORKERS = "dateline:workers"
"""Sorted set: worker process -> when it was last seen (ms)."""

LOST_WORKERS = "dateline:workers:lost"
"""Sorted set: worker process that ended itself, and why -> when (ms)."""

PROBE = "dateline:probe"
"""Written by /readyz, to see whether anything can be."""

SWEEP = "dateline:sweep"
"""The sweep's lock."""

GRACE = "dateline:grace"
"""Hash (ms): when receivers were `swept` last, by how much leases last `longer` after an outage, and `until` when."""

RELEASE = "dateline:release"
"""The lock of whoever releases what comes due between two sweeps."""


def worker(name: str) -> str:
    """Is there while the worker process lives, and a little longer."""
    return f"dateline:worker:{name}"


def seen(event_id: str) -> str:
    """What was accepted under an event id: a digest; `1` if that was before there were digests."""
    return f"{{dateline:events}}:seen:{event_id}"


def reinstated(article_id: str) -> str:
    """The id of the last event that reinstated the article."""
    return f"{{dateline:events}}:reinstated:{article_id}"


def heard(number: str) -> str:
    """List of the processes that have heard of one withdrawal."""
    return f"dateline:heard:{number}"


def leased(sender: str) -> str:
    """Channel: the numbers of the leases that a process that sends has got."""
    return f"dateline:leased:{sender}"


def hub_window(what: Literal["client", "host"], name: str) -> str:
    """Counts requests to the hub by one client address, or for callbacks on one host, in a window of time."""
    return f"{{dateline:hub}}:{what}:{name}"


def article(article_id: str) -> str:
    """Hash of one article: `doc` its JSON, `rev` counts saves, `feeds` where it ever was, `accepted` (ms).

    `fingerprints` are of what it said before, parted by spaces.
    """
    return f"dateline:article:{article_id}"


def curated(name: str) -> str:
    """Hash of one curated list: `time` (ms) of the event that set it, `articles` its ids as JSON."""
    return f"dateline:list:{name}"


def pattern(name: str) -> str:
    """Hash of one pattern of feeds: what a value is called in its feed's name -> as an article first wrote it."""
    return f"dateline:pattern:{name}"


def refused(format_name: str) -> str:
    """Hash of one feed format: article id -> `[version, time, reasons]` as JSON, of those that the gate keeps out."""
    return f"dateline:refused:{format_name}"


class FeedKeys(NamedTuple):
    """The key space of one feed."""

    meta: str
    """Hash: `head` sequence number, `changed` time of the last change (ms), `kill` sequence number of the last kill,
    `killed` its time (ms), `left` sequence number of the last change by which an article left otherwise, `arranged` and
    `placed` sequence numbers of when it was last arranged anew and filled, `turning` while that is still to move the
    head, `fence` last token given."""
    log: str
    """Sorted set: article id -> sequence number of its latest change here, 0 of what nobody was told of. The compacted
    change log."""
    members: str
    """Sorted set: article id -> place, of the articles that are in the feed now."""
    article_states: str
    """Hash: article id -> `version:asof:state`, state being in, out, killed or early; with `:unseen` after it when the
    article never was in the feed, and `:last-SEQ` when it has left: the sequence number that it had until then."""
    tombstones: str
    """Sorted set: article id -> time (ms) it left; the newest only, for tombstones."""
    killed: str
    """Sorted set: article id -> sequence number of its latest change here, of those that were killed."""
    left: str
    """The same of those that have left in another way."""
    settled: str
    """Sorted set: receiver -> cursor."""
    claimed: str
    """Sorted set: receiver -> deadline of the claim (ms)."""
    backoff: str
    """Sorted set: receiver -> due time (ms)."""
    paused: str
    """Sorted set: receiver -> since (ms)."""
    receiver_states: str
    """Hash: receiver -> `token:cursor:since:last:until:reason`, for receivers that are not plainly settled."""
    receivers: str
    """Hash: receiver -> its details as JSON."""
    leases: str
    """Sorted set: subscription -> end of its lease (ms)."""
    verifications_due: str
    """Sorted set: subscription -> when its verification is due (ms)."""
    subscription_requests: str
    """Hash: subscription -> the request that waits for verification, as JSON."""
    subscription_counts: str
    """Hash: `host:NAME` of a callback, `client:ADDRESS` of who asked -> how many subscriptions."""
    disputes_due: str
    """Sorted set: endpoint as a receiver -> when the first of its articles in dispute is tried again (ms)."""
    page_checks_due: str
    """Sorted set: `endpoint:article` of a killed article -> when its page is looked at next (ms)."""
    page_checks: str
    """Hash: `endpoint:article` of a killed article -> what was seen on its page, as JSON."""

    def ledger(self, endpoint: str) -> str:
        """Hash of one endpoint: article id -> `version:status:time:sha256`."""
        return self.of(endpoint, "ledger")

    def of(
        self,
        endpoint: str,
        what: Literal["ledger", "attempts", "health", "parked", "disputed", "replay", "replaying", "bucket"],
    ) -> str:
        """A key of one endpoint.

        attempts: stream of the last ones. health: hash (store/attempts.py). parked: hash,
        article id -> the attempt that was refused. disputed: hash,
        article id -> `due:tries:since:last:status:reason`, of those that it refuses while it takes others. replay:
        sorted set of article ids in the order to be sent again. replaying: hash, how. bucket: hash, the
        tokens of its rate limit.
        """
        return f"{self.meta.removesuffix(':meta')}:{what}:{endpoint}"


def feed(name: str) -> FeedKeys:
    """The keys of the feed `name`."""
    return FeedKeys(*(f"dateline:{{feed:{name}}}:{field}" for field in FeedKeys._fields))
