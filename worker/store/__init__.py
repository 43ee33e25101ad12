"""What lasts: all state in Redis. One module for each noun, one Lua script for each move.

`keys` has the names of all keys. `lua/` has the scripts, in folders by noun; `scripts` runs them. `redis_errors` says
what an error means, `damaged_records` reports what can't be read. All other modules are nouns, each an attribute of
`Store`, except `alerts`, `leases`, `byte_cache`, `receiver_states` and `durability`, which those or other rooms use.

The ideas behind them:

- **Every feed has a compacted change log** (`changes`): article ids, scored by the number of each article's latest
  change there. Kills, and articles that left in another way, are in sorted sets of their own beside it. A receiver is a
  cursor in that log (`receivers`); it stands in exactly one of settled, claimed, backoff and paused. A claim has a
  deadline and a token: a worker whose claim was taken over can no longer change anything (fencing).
- **Order is (version, time of the decision).** A log takes a record only if it is newer in that order. So two workers
  may carry out two events of one article in any order, and an embargo that has ended does not begin again because
  another worker still believes in it.
- **A feed is filled below all cursors.** Articles that are older than their feed get the number 0: documents show them,
  no receiver gets them. An article that left remembers its number from before, so that an endpoint that came later gets
  no notice of it. `early` marks articles under embargo that some endpoints may have, `unseen` those that readers never
  saw: for everybody else neither they nor their kills exist.
- **One slot for each script.** The keys of a script share a hash tag, so that Redis Cluster runs it. The tests use a
  Redis in cluster mode, which refuses anything else.
- **Times are milliseconds of Redis' clock.** Each process reads it once a second and continues it by a steady clock
  (`redis_clock`). A machine whose clock is wrong delays nothing and breaks no embargo. When Redis' own clock goes back,
  claims and backoffs that end later than any can are over, and a decision with a time in the future binds nobody.
- **Numbers are given again when Redis has lost its last writes.** So a `rev` ends in digits that no other save has, and
  the stamps of its last moves stand beside the head of a feed: a cache that does not find its stamp there reads anew.
- **Damaged records hold up no others.** Scripts work without what may be missing, and Python reads records one by one:
  a damaged one is reported once an hour and left out. A receiver whose state is lost goes back to where it began: it
  may get something twice, and misses nothing.
- **An outage is added to leases, not written into them** (`outages`). After a pause between sweeps all leases last
  longer by that pause, until twice that time is over: one number, however many subscriptions there are.
- **Definitions are in charge, not workers** (`definitions`). Each set of definitions has a number; the newest one with
  a living worker is in charge. One script checks that and acknowledges events, so what was carried out under older
  definitions is carried out again. A charge has a generation, and the feeds under it are noted before its first event:
  so a set that comes back knows which feeds others have neglected.
- **Only the dead lose their entries** (`events`). A living worker keeps what it has read, however long it takes. Deaths
  and failures are counted for each entry, so that one that kills its workers can be found and set aside.
- **A withdrawal waits for confirmations** (`withdrawals`): all processes that send confirm it, or their leases end.
- **A Redis that was started anew is left alone until somebody has looked** (`server_fence`): each connection asks for
  the server's `run_id`, so no command reaches one that has lost time before that is known. A feed that is being rebuilt
  answers neither claims nor those that read its window.
- **What an error of Redis means is decided once** (`redis_errors`): away, full, refused, or a bug. The first three are
  outages and nobody's fault; only a bug is.
- **What changes is marked for the record** (`unnoted`), in round trips that are made anyway: articles before they are
  saved, and by the last step of every change. A mark is a random token, so whoever notes what it marks can see whether
  it was set anew meanwhile.
- **Of the management there is a copy** (`management`), which every process follows: the truth is in the record.
- **A noun is imported when it is first asked for**: a command that lists feeds needs seven of forty. Processes that
  serve make them all before they begin.
- **Counters live in Redis**, so every web process of every machine shows the same totals.

This room must never decide what belongs in a feed or who gets it, read settings or import another room. Times come from
the caller or from Redis. A move that nobody may see half done is never more than one script.
"""

from __future__ import annotations

from importlib import import_module
from threading import RLock
from typing import TYPE_CHECKING, Any

from worker.store import keys
from worker.store.damaged_records import DamagedRecords
from worker.store.leases import Lease
from worker.store.redis_clock import RedisClock
from worker.store.redis_errors import connect
from worker.store.scripts import Client, Scripts
from worker.store.server_fence import ServerFence

if TYPE_CHECKING:
    from worker.store.address import Address
    from worker.store.agreement import Agreement
    from worker.store.alarms import Alarms
    from worker.store.api_requests import ApiRequests
    from worker.store.articles import Articles
    from worker.store.attempts import Attempts
    from worker.store.changes import ChangeLogs
    from worker.store.cooling import Cooling
    from worker.store.counters import Counters
    from worker.store.coverage import ArticleCoverage
    from worker.store.definitions import Definitions
    from worker.store.desk_sessions import DeskSessions
    from worker.store.endpoints import Endpoints
    from worker.store.events import Events
    from worker.store.feed_orders import FeedOrders
    from worker.store.filling import Filling
    from worker.store.folders import Folders
    from worker.store.holdings import Holdings
    from worker.store.known_ids import KnownIds
    from worker.store.leases import Lease
    from worker.store.ledgers import Ledgers
    from worker.store.lineage import Lineage
    from worker.store.lists import CuratedLists
    from worker.store.live import Live
    from worker.store.management import ManagementCopies
    from worker.store.mistakes import Mistakes
    from worker.store.operational_events import OperationalEvents
    from worker.store.outages import Outages
    from worker.store.outboxes import Outboxes
    from worker.store.page_checks import PageChecks
    from worker.store.patterns import PatternFeeds
    from worker.store.rates import Rates
    from worker.store.receipt_callbacks import ReceiptCallbacks
    from worker.store.receivers import Receivers
    from worker.store.refusals import Refusals
    from worker.store.replays import Replays
    from worker.store.restoring import Restoring
    from worker.store.subscription_requests import SubscriptionRequests
    from worker.store.text_traces import TextTraces
    from worker.store.unnoted import Unnoted
    from worker.store.withdrawals import Withdrawals
    from worker.store.workers import Workers

_NOUNS = {
    "address": ("address", "Address", "client"),
    "agreement": ("agreement", "Agreement", "client scripts"),
    "alarms": ("alarms", "Alarms", "client scripts"),
    "api_requests": ("api_requests", "ApiRequests", "hasty_client"),
    "articles": ("articles", "Articles", "client scripts damaged_records"),
    "attempts": ("attempts", "Attempts", "client scripts damaged_records"),
    "changes": ("changes", "ChangeLogs", "client scripts damaged_records"),
    "cooling": ("cooling", "Cooling", "client scripts"),
    "counters": ("counters", "Counters", "client"),
    "coverage": ("coverage", "ArticleCoverage", "scripts damaged_records"),
    "definitions": ("definitions", "Definitions", "client scripts"),
    "desk_sessions": ("desk_sessions", "DeskSessions", "hasty_client"),
    "endpoints": ("endpoints", "Endpoints", "client scripts damaged_records"),
    "events": ("events", "Events", "client scripts"),
    "feed_orders": ("feed_orders", "FeedOrders", "client scripts"),
    "filling": ("filling", "Filling", "client"),
    "folders": ("folders", "Folders", "client scripts"),
    "hasty_events": ("events", "Events", "hasty_client hasty_scripts"),
    "holdings": ("holdings", "Holdings", "client"),
    "known_ids": ("known_ids", "KnownIds", "client scripts"),
    "ledgers": ("ledgers", "Ledgers", "scripts damaged_records"),
    "lineage": ("lineage", "Lineage", "client scripts"),
    "lists": ("lists", "CuratedLists", "client scripts damaged_records"),
    "live": ("live", "Live", "client scripts"),
    "management": ("management", "ManagementCopies", "client scripts"),
    "mistakes": ("mistakes", "Mistakes", "hasty_client"),
    "operations": ("operational_events", "OperationalEvents", "client scripts damaged_records"),
    "outages": ("outages", "Outages", "client scripts"),
    "outboxes": ("outboxes", "Outboxes", "client scripts damaged_records"),
    "page_checks": ("page_checks", "PageChecks", "client scripts damaged_records"),
    "patterns": ("patterns", "PatternFeeds", "client scripts"),
    "rates": ("rates", "Rates", "client scripts"),
    "receipt_callbacks": ("receipt_callbacks", "ReceiptCallbacks", "client scripts"),
    "receivers": ("receivers", "Receivers", "client scripts damaged_records"),
    "refusals": ("refusals", "Refusals", "client scripts damaged_records"),
    "replays": ("replays", "Replays", "client scripts damaged_records"),
    "restoring": ("restoring", "Restoring", "client scripts"),
    "subscription_requests": ("subscription_requests", "SubscriptionRequests", "client scripts damaged_records"),
    "text_traces": ("text_traces", "TextTraces", "client scripts"),
    "unnoted": ("unnoted", "Unnoted", "client scripts"),
    "withdrawals": ("withdrawals", "Withdrawals", "client scripts"),
    "workers": ("workers", "Workers", "client"),
}
"""Of each noun: its module and class, and what that is made of."""


class Store:
    """All that is kept, behind one connection pool. Threads may share it.

    `hasty_events` are events for whoever has another place for one if Redis does not answer soon.
    """

    address: Address
    alarms: Alarms
    api_requests: ApiRequests
    agreement: Agreement
    desk_sessions: DeskSessions
    mistakes: Mistakes
    restoring: Restoring
    holdings: Holdings
    events: Events
    hasty_events: Events
    articles: Articles
    known_ids: KnownIds
    cooling: Cooling
    unnoted: Unnoted
    definitions: Definitions
    lineage: Lineage
    live: Live
    lists: CuratedLists
    management: ManagementCopies
    patterns: PatternFeeds
    changes: ChangeLogs
    filling: Filling
    folders: Folders
    feed_orders: FeedOrders
    receipt_callbacks: ReceiptCallbacks
    receivers: Receivers
    ledgers: Ledgers
    coverage: ArticleCoverage
    outages: Outages
    outboxes: Outboxes
    subscription_requests: SubscriptionRequests
    page_checks: PageChecks
    counters: Counters
    rates: Rates
    attempts: Attempts
    endpoints: Endpoints
    replays: Replays
    refusals: Refusals
    operations: OperationalEvents
    workers: Workers
    text_traces: TextTraces
    withdrawals: Withdrawals

    def __init__(self, client: Client, hasty_client: Client | None = None, fence: ServerFence | None = None) -> None:
        self.client = client
        self._hasty_client = hasty_client or client
        self.fence = fence or ServerFence()
        # An answer that comes late says nothing about the time.
        self.clock = RedisClock(self._hasty_client)
        self.damaged_records = DamagedRecords()
        self._parts: dict[str, Any] = {
            "client": client,
            "scripts": Scripts(client),
            "hasty_client": self._hasty_client,
            "hasty_scripts": Scripts(self._hasty_client),
            "damaged_records": self.damaged_records,
        }
        self._making = RLock()
        self.feeding = self.lease(keys.FEEDING)

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            """Make a noun, which is not there yet."""
            if name not in _NOUNS:
                raise AttributeError(name)
            with self._making:
                if name not in vars(self):
                    module, kind, parts = _NOUNS[name]
                    make = getattr(import_module(f"{__name__}.{module}"), kind)
                    setattr(self, name, make(*(self._parts[part] for part in parts.split())))
                return vars(self)[name]

    def make_all(self) -> None:
        """Make every noun now, for a process that serves: no request waits for it."""
        for name in _NOUNS:
            getattr(self, name)

    @classmethod
    def connect(cls, url: str) -> Store:
        """Return the store at `url` (redis://, rediss:// or unix://). Connects when first used."""
        fence = ServerFence()
        return cls(
            connect(url, connect_seconds=5, answer_seconds=10, fence=fence),
            connect(url, connect_seconds=2, answer_seconds=2, fence=fence),
            fence,
        )

    def lease(self, key: str) -> Lease:
        """Return the lease of that name."""
        return Lease(self.client, self._parts["scripts"], key)

    def probe(self) -> None:
        """Write something. Raises redis.RedisError when nothing can be kept."""
        self.client.set(keys.PROBE, "1", ex=60)

    def close(self) -> None:
        """Close the connections."""
        self.client.close()
        self._hasty_client.close()
