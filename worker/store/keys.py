"""The names of all keys, in one place.

The keys of a feed share a hash tag, its name; so do the keys of the events, of the definitions and of the hub. So every
script stays within one slot of Redis Cluster. All other keys are used one at a time.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Literal, NamedTuple

EVENTS = "dateline:events"
"""Stream of accepted events; field `event` is the event's JSON. Anyone may XADD to it.

`number`: that of the record, where the record has it. `accepted`: when it was accepted (ms), if that was long before.
"""

URGENT = "{dateline:events}:urgent"
"""Stream of kills: read before `EVENTS`."""

LIVE = "{dateline:events}:live"
"""Bounded stream of what happens (store/live.py): an entry's field says what, its value is JSON."""

LIVE_SUMMARY = "{dateline:events}:live-summary"
"""The same in fewer entries: what many endpoints took of one article is one."""

WATCHED_EVENTS = "{dateline:receipts}:watched"
"""Hash: id of an event whose receipt is still to be sent -> since when (ms) and what was sent, as a JSON list."""

RECEIPTS_DUE = "{dateline:receipts}:due"
"""Sorted set: id of such an event -> when it is looked at next (ms)."""

CALLING_BACK = "dateline:receipts:lease"
"""The lease of the worker that sends receipts."""

REJECTED = "{dateline:events}:rejected"
"""Bounded stream of entries that could not be used: fields `event`, `reason`."""

FAILURES = "{dateline:events}:failures"
"""Hash: stream and id of an entry -> how often carrying it out has failed."""

UNNOTED_RESULTS = "{dateline:events}:unnoted"
"""Bounded stream of what became of events that the record does not know yet; field `result` is JSON."""

UNNOTED = "dateline:unnoted"
"""Hash: what has changed and is not in the record as it is now -> its mark (store/unnoted.py)."""

NOTED = "dateline:noted"
"""How often something was noted in the record: a Redis with a smaller number than the record has lost time."""

NOTING = "dateline:noting"
"""The lease of the worker that notes what was left."""

ARTICLES = "dateline:articles"
"""Sorted set: every article id, scored by its first publication in milliseconds."""

KNOWN_IDS = "{dateline:known}:ids"
"""The bits of the filter of all ids that there ever were (lua/known_ids/filter.part)."""

KNOWN_IDS_META = "{dateline:known}:meta"
"""Hash: the `stage` of the filter that is being filled, `count` of ids in it; `complete`, the epoch of the record whose
ids it has all; `building`, the epoch of the record from which it is being built, `table` and `last` id read of it;
`trimmed` once articles were taken out of this Redis."""

FOLDERS = "dateline:folders"
"""Sorted set: endpoint and folder at its server, with a colon between -> when something was last put there (ms)."""

FOLDER_SWEEP = "dateline:folders:lease"
"""The lease of the worker that removes what was left in them."""

TRIM = "dateline:trim"
"""The lease of the worker that takes what is cold out of Redis, and what is too old out of the record."""

FEEDS_WITH_COLD = "dateline:feeds:cold"
"""Set: names of the feeds with members that are cold."""

EVOLVED = "dateline:evolved"
"""Hash: id of a document that is an update -> id of the document that it updates, which may be an update too."""

EPOCH = "{dateline:events}:epoch"
"""The epoch of the record that this Redis belongs to. Without it nobody takes charge of the events."""

REBUILD = "{dateline:rebuild}:progress"
"""Hash: the rebuild from the record that is under way or was the last (store/agreement.py)."""

REBUILD_FEEDS = "{dateline:rebuild}:feeds"
"""Sorted set: feed that is still to be rebuilt -> its turn."""

REBUILDING = "{dateline:rebuild}:lease"
"""The lease of the worker that rebuilds."""

LOST_EVENTS = "dateline:lost-events"
"""Set: numbers in the record of events that this Redis had and lost, without losing anything that was noted."""

AUTHORITY = "dateline:authority"
"""The `site.id_authority` under which ids of entries were first given."""

ADDRESS = "dateline:address"
"""The address (`site.base_url`) under which a web process serves. It expires unless the process renews it."""

NUMBERS = "{dateline:events}:definitions"
"""Hash: digest of a set of definitions -> its number."""

LIVING = "{dateline:events}:living"
"""Sorted set: number of a set of definitions, a space, a worker that works by it -> its last report (ms)."""

CHARGE = "{dateline:events}:charge"
"""The number of the set by which events are carried out, a space, the generation: how often that has changed."""

CURRENT_DEFINITIONS = "{dateline:events}:current-definitions"
"""Hash: the last `announcement` (charge, a space, microseconds), and its `definitions`, as a JSON list of JSON."""

REDEFINED = "dateline:redefined"
"""Channel: each announcement of the definitions that are current."""

DEFINITIONS = "dateline:definitions"
"""Hash: feed name -> the definition by which the articles were put into it."""

PENDING = "{dateline:definitions}:pending"
"""Hash: feed name -> the definition by which existing articles still have to be put into it."""

INDEX = "{dateline:definitions}:index"
"""Hash: `generation` of the charge that was adopted last; while the feeds of `PENDING` are filled, by the name of each
pass through the articles how far it is, as JSON (store/definitions.py, PassProgress)."""

INDEXING = "{dateline:definitions}:indexing"
"""The lease of the worker that fills them."""

WORDS = "dateline:record:words"
"""The lease of the worker that indexes the words of articles."""

ORDERED = "dateline:ordered"
"""Set: names of the feeds of which a person has ordered something that is not yet carried out."""

ORDERING = "dateline:ordering"
"""The lease of the worker that carries these orders out."""

FORMER = "{dateline:definitions}:former"
"""Hash: name of a feed that was removed from the settings -> when (ms)."""

MANAGEMENT = "{dateline:management}:copy"
"""Hash: `stamp` and `revision` of the management, and its `copy` as JSON: what the record has (store/management.py)."""

MANAGED = "dateline:managed"
"""Channel: the stamp of each copy that is put there."""

UNAUDITED = "{dateline:management}:audit"
"""List: entries of the audit that the record has still to get, as JSON."""

DESK_SESSIONS = "dateline:desk:sessions"
"""Sorted set: digest of a session of the desk -> when it ends at the latest (ms)."""

CHANGED = "dateline:changed"
"""Channel: head, last kill and name of each feed that changes."""

WITHDRAWN = "dateline:withdrawn"
"""Channel: as JSON, `gone`, (feed, article) pairs that may no longer be sent, and `answer`, the key of the list where
processes confirm this."""

SENDERS = "dateline:senders"
"""Sorted set: process that sends -> until when (ms of Redis' clock) it may without hearing from Redis again."""

SCHEDULE = "dateline:schedule"
"""Sorted set: article ids, scored by the moment (ms) at which their visibility changes by itself."""

RECEIVING = "dateline:receiving"
"""Set: names of the feeds that have or had receivers; a sweep looks at these."""

OUTBOXES = "dateline:outboxes"
"""Set: names of the feeds that had something in their outbox when a sweep last looked."""

DRAINING = "dateline:outboxes:draining"
"""The lease of the worker that notes in the record what is in them."""

COUNTERS = "dateline:counters"
"""Hash: totals since the beginning, for /metrics."""

RATES = "{dateline:rates}:minutes"
"""Bounded stream of how the counters stood at each minute of a day (store/rates.py)."""

RATES_OF_WEEK = "{dateline:rates}:tens"
"""The same for each ten minutes of a week."""

OPERATIONS = "dateline:operations"
"""Stream: operational events that wait to be sent; field `event` is JSON."""

SENDING = "dateline:operations:sending"
"""The lease of the worker that is sending them."""

ALARMS = "{dateline:alarms}:standing"
"""Hash: rule, a tab, subject -> the alarm that stands, as JSON (store/alarms.py)."""

ALARMS_OVER = "{dateline:alarms}:over"
"""Hash: the same -> an alarm that has ended, until a message has it."""

ALARM_MESSAGES = "{dateline:alarms}:messages"
"""Bounded stream of messages about alarms; field `message` is JSON."""

ALARMS_TOLD = "{dateline:alarms}:told"
"""Hash: rule -> when it had its last message (ms)."""

ALARMS_LOOKED_AT = "{dateline:alarms}:looked_at"
"""Hash: the causes that were looked at last, and until when the same ones change nothing (lua/alarms/evaluate.lua)."""

ALARM_POSITIONS = "{dateline:alarms}:positions"
"""Hash: channel -> the last message that it took."""

ALARM_CHANNELS = "{dateline:alarms}:channels"
"""Hash: channel -> how it does, as JSON."""

ALARM_EVALUATION = "{dateline:alarms}:evaluation"
"""The lease of the worker that looks whether there is cause for alarm."""

WORKERS_SINCE = "dateline:workers:since"
"""Sorted set: worker process -> its first report (ms)."""

WORKERS = "dateline:workers"
"""Sorted set: worker process -> its last report (ms)."""

LOST_WORKERS = "dateline:workers:lost"
"""Sorted set: worker process that ended itself, and why -> when (ms)."""

PROBE = "dateline:probe"
"""Written by /readyz, to see whether Redis takes writes."""

FEEDING = "dateline:feeding"
"""The lease of the worker that appends the events that the record alone has."""

SWEEP = "dateline:sweep"
"""The lease of the worker that sweeps."""

GRACE = "dateline:grace"
"""Hash (ms): when receivers were `swept` last; after an outage, by how much leases last `longer`, `until` when."""

RELEASE = "dateline:release"
"""The lease of the worker that releases articles that come due between two sweeps."""


def worker(name: str) -> str:
    """Exists while the worker process lives, and a little longer."""
    return f"dateline:worker:{name}"


def acceptance(event_id: str) -> str:
    """The events that were accepted last under this id, a line each, the newest first.

    In a line, separated by tabs: the digest, of a kill with the id of the last reinstatement before it; its number in
    the record; its entry.
    """
    return f"{{dateline:events}}:accepted:{event_id}"


def reinstated(article_id: str) -> str:
    """The id of the last event that reinstated the article."""
    return f"{{dateline:events}}:reinstated:{article_id}"


def confirmations(withdrawal: str) -> str:
    """List of the processes that have confirmed one withdrawal."""
    return f"dateline:withdrawn:{withdrawal}"


def lease_channel(sender: str) -> str:
    """Channel: the numbers of the leases that a process that sends gets."""
    return f"dateline:senders:{sender}"


def alarm_sending(channel: str) -> str:
    """The lease of the worker that sends alarms to a channel."""
    return f"{{dateline:alarms}}:sending:{channel}"


def hub_window(owner: Literal["client", "host"], name: str) -> str:
    """Counts requests to the hub by one client address, or for callbacks on one host, in a window of time."""
    return f"{{dateline:hub}}:{owner}:{name}"


def api_requests(caller: str, window: int) -> str:
    """How many requests to the API somebody has made in one window of time."""
    return f"dateline:api:requests:{window}:{caller}"


def api_answer(caller: str, idempotency_key: str) -> str:
    """What was answered to the request that somebody sent under an Idempotency-Key, as JSON (store/api_requests.py)."""
    return f"dateline:api:answer:{caller}:{idempotency_key}"


def mistakes(noun: str, window: int, digest: str) -> str:
    """How many wrong keys or passwords somebody has shown in one window of time (store/mistakes.py)."""
    return f"dateline:mistakes:{noun}:{window}:{digest}"


def rates_sampled(minute: int) -> str:
    """Exists when somebody has taken the sample of this minute."""
    return f"{{dateline:rates}}:sampled:{minute}"


def desk_session(digest: str) -> str:
    """One session of somebody who has signed in at the desk, by the digest of its token, as JSON."""
    return f"dateline:desk:session:{digest}"


def desk_link(digest: str) -> str:
    """Whom a link signs in, once, by the digest of its token."""
    return f"dateline:desk:link:{digest}"


def article(article_id: str) -> str:
    """Hash of one article: `doc` its JSON, `rev` of the last save, `feeds` it ever was in, `accepted` (ms).

    `event`, `result`: the event that was saved last, and what became of it. `fingerprints`: those of its earlier texts,
    separated by spaces. `earlier`: revisions that may not be in the record yet (lua/articles/save.lua).
    A `rev` that ends in `~`: it is about to become
    cold, since `cooling` (ms). Of one that came back from the record: `warmed` (ms), and `recorded`, the rev that the
    record has of it, a space, the rev with which it came back.
    """
    return f"dateline:article:{article_id}"


def curated(name: str) -> str:
    """Hash of one curated list: `event` that set it and its `time` (ms), `articles` its ids as JSON."""
    return f"dateline:list:{name}"


def pattern(name: str) -> str:
    """Hash of one pattern of feeds: a value as it stands in its feed's name -> as an article first wrote it."""
    return f"dateline:pattern:{name}"


def refused(format_name: str) -> str:
    """Hash of one feed format: article id -> `version`, `time` and `reasons` of its refusal as JSON."""
    return f"dateline:refused:{format_name}"


class FeedKeys(NamedTuple):
    """The key space of one feed."""

    meta: str
    """Hash. `head`: number of the last change; `changed`: its time (ms); `trail`: times of the head's last moves.
    `kill`, `killed`: number and time of the last kill; `left`: number of the last change by which an article left in
    another way; `arranged`, `placed`: the head when it last got another order, and when it was last filled;
    `refresh_due`: set while a filling has not moved the head yet; `fence`: the last token of a claim; `cold`: how many
    members are cold, and so in the record only; `rebuilding`: set until the feed is as the record has it: nobody reads
    its window or claims its receivers before."""
    log: str
    """The compacted change log. Sorted set: article id -> number of its latest change here; 0: no receiver gets it."""
    members: str
    """Sorted set: article id -> place, of the articles that are in the feed now."""
    article_states: str
    """Hash: article id -> its state in the feed as JSON (lua/changes/state.part)."""
    tombstones: str
    """Sorted set: article id -> when it left (ms); the newest only."""
    killed: str
    """Sorted set of the killed articles: article id -> number of its latest change here."""
    left: str
    """The same of the articles that have left in another way."""
    settled: str
    """Sorted set: receiver -> cursor."""
    claimed: str
    """Sorted set: receiver -> deadline of the claim (ms)."""
    backoff: str
    """Sorted set: receiver -> due time (ms)."""
    paused: str
    """Sorted set: receiver -> since (ms)."""
    receiver_states: str
    """Hash: receiver -> its state as JSON (lua/receivers/state.part), unless it is plainly settled."""
    receivers: str
    """Hash: receiver -> its details as JSON."""
    leases: str
    """Sorted set: subscription -> end of its lease (ms)."""
    verifications_due: str
    """Sorted set: subscription -> when its verification is due (ms)."""
    subscription_requests: str
    """Hash: subscription -> the request that waits for verification, as JSON."""
    subscription_counts: str
    """Hash: `host:NAME` of a callback, `client:ADDRESS` that sent the request -> how many subscriptions."""
    disputes_due: str
    """Sorted set: endpoint as a receiver -> when the first of its articles in dispute is tried again (ms)."""
    page_checks_due: str
    """Sorted set: `endpoint:article` of a killed article -> when its page is checked next (ms)."""
    page_checks: str
    """Hash: `endpoint:article` of a killed article -> the last sighting of its page, as JSON."""
    order: str
    """The last order of a person for the feed as a whole, as JSON (store/feed_orders.py)."""
    ordered: str
    """Sorted set: the articles for which it is still to be carried out, by their publication (ms)."""
    pulled: str
    """Set: the endpoints, as receivers, whose partners read for themselves what changes: no worker claims them."""
    outbox: str
    """Stream of what is to be noted in the record: an entry's field says what it is, its value is JSON."""

    def ledger(self, endpoint: str) -> str:
        """Hash of one endpoint: article id -> its entry as JSON (lua/endpoints/ledger.part)."""
        return self.of_endpoint(endpoint, "ledger")

    def of_endpoint(
        self,
        endpoint: str,
        noun: Literal["ledger", "health", "parked", "disputed", "replay", "replaying", "bucket"],
    ) -> str:
        """A key of one endpoint.

        health: hash (store/attempts.py). parked: hash, article id -> the attempt
        that was refused. disputed: hash, article id -> its dispute as JSON (lua/attempts/disputes.part). replay: sorted
        set, article ids in the order in which they are sent again. replaying: hash, the request for that. bucket: hash,
        the tokens of its rate limit.
        """
        return f"{self.meta.removesuffix('meta')}{noun}:{endpoint}"

    def of_standing(self, endpoint: str) -> tuple[str, str]:
        """The keys of one endpoint that say what it answered last: health, disputed."""
        start = self.meta.removesuffix("meta")
        return f"{start}health:{endpoint}", f"{start}disputed:{endpoint}"

    def of_coverage(self, endpoint: str) -> tuple[str, str, str]:
        """The keys of one endpoint that say what it has of an article: ledger, parked, disputed."""
        start = self.meta.removesuffix("meta")
        return f"{start}ledger:{endpoint}", f"{start}parked:{endpoint}", f"{start}disputed:{endpoint}"

    def of_replay(self, endpoint: str) -> tuple[str, str]:
        """The keys of one endpoint that say what it is sent again: replay, replaying."""
        start = self.meta.removesuffix("meta")
        return f"{start}replay:{endpoint}", f"{start}replaying:{endpoint}"

    def of_attempts(self, endpoint: str) -> tuple[str, ...]:
        """The keys of one endpoint in which its attempts are kept: health, parked, ledger, disputed."""
        start = self.meta.removesuffix("meta")
        return (
            f"{start}health:{endpoint}",
            f"{start}parked:{endpoint}",
            f"{start}ledger:{endpoint}",
            f"{start}disputed:{endpoint}",
        )


@lru_cache(maxsize=4096)
def feed(name: str) -> FeedKeys:
    """The keys of the feed `name`."""
    return FeedKeys(*(f"dateline:{{feed:{name}}}:{field}" for field in FeedKeys._fields))
