"""What is kept: Redis, one file per noun, one Lua script per move.

The store decides nothing. It is given the time, and every move that must not be seen half done is one script.
"""

from __future__ import annotations

from worker.store import keys
from worker.store.address import Address
from worker.store.articles import Articles
from worker.store.attempts import Attempts
from worker.store.changes import ChangeLogs
from worker.store.counters import Counters
from worker.store.damaged_records import DamagedRecords
from worker.store.definitions import Definitions
from worker.store.endpoints import Endpoints
from worker.store.events import Events
from worker.store.lineage import Lineage
from worker.store.lists import CuratedLists
from worker.store.operational_events import OperationalEvents
from worker.store.outages import Outages
from worker.store.page_checks import PageChecks
from worker.store.patterns import PatternFeeds
from worker.store.receivers import Receivers
from worker.store.redis_clock import RedisClock
from worker.store.redis_errors import connect
from worker.store.refusals import Refusals
from worker.store.replays import Replays
from worker.store.scripts import Client, Scripts
from worker.store.subscription_requests import SubscriptionRequests
from worker.store.withdrawals import Withdrawals
from worker.store.workers import Workers


class Store:
    """All that is kept, behind one connection pool. Threads may share it."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.clock = RedisClock(client)
        scripts = Scripts(client)
        self.damaged_records = DamagedRecords()
        self.address = Address(client)
        self.events = Events(client, scripts)
        self.articles = Articles(client, scripts, self.damaged_records)
        self.definitions = Definitions(client, scripts)
        self.lineage = Lineage(client, scripts)
        self.lists = CuratedLists(client, scripts, self.damaged_records)
        self.patterns = PatternFeeds(client, scripts)
        self.changes = ChangeLogs(client, scripts, self.damaged_records)
        self.receivers = Receivers(client, scripts, self.damaged_records)
        self.outages = Outages(client, scripts)
        self.subscription_requests = SubscriptionRequests(client, scripts, self.damaged_records)
        self.page_checks = PageChecks(client, scripts, self.damaged_records)
        self.counters = Counters(client)
        self.attempts = Attempts(client, scripts, self.damaged_records)
        self.endpoints = Endpoints(scripts, self.damaged_records)
        self.replays = Replays(client, scripts, self.damaged_records)
        self.refusals = Refusals(client, scripts, self.damaged_records)
        self.operations = OperationalEvents(client, scripts, self.damaged_records)
        self.workers = Workers(client)
        self.withdrawals = Withdrawals(client, scripts)

    @classmethod
    def connect(cls, url: str) -> Store:
        """Return the store at `url` (redis://, rediss:// or unix://). Connects when first used."""
        return cls(connect(url, connect_seconds=5, answer_seconds=10))

    def probe(self) -> None:
        """Write something. Raises redis.RedisError when nothing can be kept."""
        self.client.set(keys.PROBE, "1", ex=60)

    def close(self) -> None:
        """Close the connections."""
        self.client.close()
