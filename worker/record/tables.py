"""The tables of the record, with those of the management (management_tables.py); their indexes are in indexes.py.

Every time is in milliseconds since 1970, by the clock of Redis; a column that says otherwise says so. Every key is made
of what happened, never of when it was noted, so that noting it again changes nothing. There are no foreign keys between
what is kept for good and what is kept for a time: attempts and events go, what they led to stays.

A change here needs a migration in `migrations/versions`, and `SCHEMA` in schema.py moved on to it.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Integer,
    String,
    Table,
    UniqueConstraint,
    text,
)

from worker.record.column_types import Compressed, Counting, IndexedWords, Words
from worker.record.management_tables import audit as audit
from worker.record.management_tables import keys as keys
from worker.record.management_tables import managed_endpoints as managed_endpoints
from worker.record.management_tables import managed_formats as managed_formats
from worker.record.management_tables import management as management
from worker.record.management_tables import partners as partners
from worker.record.management_tables import people as people
from worker.record.metadata import metadata as metadata

meta = Table(
    "meta",
    metadata,
    Column("name", Words, primary_key=True),
    Column("value", Words, nullable=False),
    comment="What there is once. `epoch`: a number and what no other record has; Redis has it too, which shows "
    "whether Redis and the record belong together. `authority`: under which ids of entries were first given. "
    "`restored`: a backup was restored, and nobody has noticed yet",
)

events = Table(
    "events",
    metadata,
    Column("number", Counting, primary_key=True, comment="the order in which they were accepted"),
    Column("event_id", Words, nullable=False),
    Column(
        "digest", String(64), nullable=False, comment="of the body: another body under the same id is another event"
    ),
    Column(
        "reinstatement",
        Words,
        nullable=False,
        server_default="",
        comment="of a kill, the id of the event that reinstated its article last: a later kill is new",
    ),
    Column("kind", Words, nullable=False, comment="kill, reinstatement, or empty"),
    Column("article_id", Words, comment="of a kill or a reinstatement; of others once they are carried out"),
    Column("body", Compressed, comment="the JSON of the event; none when the text was forgotten"),
    Column("accepted", BigInteger, nullable=False),
    Column("way", Words, nullable=False, comment="post, cli, xadd, celery, ..."),
    Column("who", Words, nullable=False, server_default=""),
    Column("stream_entry", Words, comment="where Redis has it; none: it has still to be appended"),
    Column("done", BigInteger, comment="when it was carried out; none: it was not"),
    Column("result", Words, comment="published, corrected, killed, held, duplicate, stale, conflict, rejected, ..."),
    Column("reason", Words, comment="why it was rejected or set aside"),
    Column("version", BigInteger, comment="the revision that it made"),
    UniqueConstraint("event_id", "digest", "reinstatement"),
    comment="Accepted events, with what became of them",
)

revisions = Table(
    "revisions",
    metadata,
    Column("article_id", Words, primary_key=True),
    Column("version", BigInteger, primary_key=True),
    Column("sha256", String(64), primary_key=True, comment="of the document"),
    Column("pubstatus", Words, nullable=False),
    Column("document", Compressed, comment="the article as JSON; none when the text was killed or forgotten"),
    Column("fingerprints", Words, nullable=False, server_default="", comment="of the text, for its pages"),
    Column("accepted", BigInteger, nullable=False),
    Column("event_id", Words, nullable=False, server_default=""),
    Column("who", Words, nullable=False, server_default=""),
    comment="Every accepted change of every article",
)

articles = Table(
    "articles",
    metadata,
    Column("article_id", Words, primary_key=True),
    Column("version", BigInteger, nullable=False),
    Column("rev", Words, nullable=False, comment="which save of the store this is"),
    Column("saves", BigInteger, nullable=False, comment="how often it was saved by then: orders the states of a row"),
    Column("sha256", String(64), nullable=False, comment="of the document"),
    Column("pubstatus", Words, nullable=False),
    Column("edition", Words, nullable=False, server_default=""),
    Column("headline", Words, nullable=False, server_default=""),
    Column("url", Words, nullable=False, server_default=""),
    Column("document", Compressed, comment="the article as JSON; none when its text was forgotten"),
    Column("fingerprints", Words, nullable=False, server_default=""),
    Column("published", BigInteger, nullable=False),
    Column("accepted", BigInteger, nullable=False),
    Column("due", BigInteger, comment="when its visibility changes next by itself"),
    comment="The articles as they are now",
)


article_words = Table(
    "article_words",
    metadata,
    Column(
        "number", Counting, primary_key=True, autoincrement=False, comment="when it was published, times 2^14, and on"
    ),
    Column("article_id", Words, nullable=False, unique=True),
    Column("words", IndexedWords, nullable=False),
    comment="By which words articles are found. SQLite has the index of them in article_index (search.py)",
)

unindexed = Table(
    "unindexed",
    metadata,
    Column("article_id", Words, primary_key=True),
    comment="Articles that have changed, and whose words are not in the index yet",
)

article_terms = Table(
    "article_terms",
    metadata,
    Column("field", Words, primary_key=True, comment="section or author"),
    Column("term", Words, primary_key=True, comment="folded; an article without a section has an empty one"),
    Column("published", BigInteger, primary_key=True, autoincrement=False),
    Column("article_id", Words, primary_key=True),
    Column("written", Words, nullable=False, comment="as it stands in the article"),
    sqlite_with_rowid=False,
    comment="In which section articles are and who wrote them, so that they are found by it. Not of killed ones",
)

updates = Table(
    "updates",
    metadata,
    Column("document_id", Words, primary_key=True),
    Column("evolved_from", Words, nullable=False),
    comment="Documents that are updates of others, under ids of their own",
)

memberships = Table(
    "memberships",
    metadata,
    Column("feed", Words, primary_key=True),
    Column("article_id", Words, primary_key=True),
    Column("state", Words, nullable=False, comment="in, out, killed or early"),
    Column("version", BigInteger, nullable=False),
    Column("decided", BigInteger, nullable=False, comment="as of when; with the version it orders decisions"),
    Column("place", BigInteger, nullable=False, comment="by which the feed is ordered"),
    Column("sequence", BigInteger, nullable=False, comment="of its latest change; 0: it was pushed to nobody"),
    Column("last_sequence", BigInteger, comment="that it had until it left"),
    Column("unseen", Boolean(create_constraint=False), nullable=False, server_default=text("false")),
    sqlite_with_rowid=False,
    comment="Which articles are and were in which feeds",
)

deliveries = Table(
    "deliveries",
    metadata,
    Column("endpoint", Words, primary_key=True),
    Column("feed", Words, primary_key=True),
    Column("article_id", Words, primary_key=True),
    Column("version", BigInteger, primary_key=True),
    Column("action", Words, primary_key=True, comment="published, corrected, killed or withdrawn"),
    Column("state", Words, nullable=False, comment="trying: sent, outcome unknown; taken; refused"),
    Column("sha256", String(64), nullable=False, comment="of the body"),
    Column("taken", BigInteger, comment="when the endpoint took it first"),
    Column("sent", BigInteger, nullable=False, comment="when it was sent last: the newest of an article is what holds"),
    Column("remote", Words, nullable=False, server_default="", comment="what the destination has to remember of it"),
    sqlite_with_rowid=False,
    comment="The ledger: who was sent which version of what, and what they hold",
)

attempts = Table(
    "attempts",
    metadata,
    Column("receiver", Words, primary_key=True),
    Column("time", BigInteger, primary_key=True),
    Column("article_id", Words, primary_key=True, comment="empty: a push of the whole feed"),
    Column("message_id", Words, primary_key=True, comment="empty: our own gate kept it back"),
    Column("feed", Words, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("action", Words, nullable=False),
    Column("outcome", Words, nullable=False),
    Column("status", Integer, nullable=False, comment="of HTTP; 0: no answer"),
    Column("milliseconds", BigInteger, nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("error", Words, nullable=False),
    Column("answer", Words, nullable=False, comment="its beginning"),
    Column("phases", Words, nullable=False, server_default="", comment="how long its parts took, in microseconds"),
    Column("request", Words, nullable=False, server_default="", comment="its headers: request_headers.py"),
    sqlite_with_rowid=False,
    comment="Every try to bring a receiver up to date",
)

request_headers = Table(
    "request_headers",
    metadata,
    Column("digest", String(16), primary_key=True),
    Column("lines", Words, nullable=False, comment="without secrets, and without the values that differ each time"),
    comment="Header lines that many attempts have alike",
)

subscriptions = Table(
    "subscriptions",
    metadata,
    Column("feed", Words, primary_key=True),
    Column("receiver", Words, primary_key=True),
    Column("details", Words, nullable=False, comment="callback, secret, client, as JSON"),
    Column("began", BigInteger, nullable=False),
    Column("lease_ends", BigInteger, nullable=False),
    Column(
        "cursor", BigInteger, nullable=False, comment="the sequence number up to which it is known to be up to date"
    ),
    Column("ended", BigInteger),
    Column("reason", Words, nullable=False, server_default="", comment="why it ended"),
    comment="WebSub subscriptions with their leases",
)

feed_readers = Table(
    "feed_readers",
    metadata,
    Column("feed", Words, primary_key=True),
    Column("day", Integer, primary_key=True, autoincrement=False, comment="since 1970, by UTC"),
    Column("format", Words, primary_key=True, comment="of the document: each has subscribers of its own"),
    Column("reader", Words, primary_key=True),
    Column("subscribers", BigInteger, nullable=False, comment="most that it told on that day"),
    sqlite_with_rowid=False,
    comment="How many subscribers of feeds the services that read them tell",
)

endpoints = Table(
    "endpoints",
    metadata,
    Column("feed", Words, primary_key=True),
    Column("endpoint", Words, primary_key=True),
    Column("cursor", BigInteger, nullable=False),
    Column("paused", BigInteger, comment="since when; none: it is not"),
    Column("reason", Words, nullable=False, server_default="", comment="why it is paused"),
    Column("since", BigInteger, comment="the change after which it came: of earlier ones it gets nothing"),
    comment="Where the partners' endpoints stand",
)

lists = Table(
    "lists",
    metadata,
    Column("name", Words, primary_key=True),
    Column("microseconds", BigInteger, nullable=False, comment="as of when it was set, since 1970"),
    Column("articles", Words, nullable=False, comment="their ids in order, as JSON"),
    Column("who", Words, nullable=False, server_default=""),
    comment="Curated lists",
)

parked = Table(
    "parked",
    metadata,
    Column("feed", Words, primary_key=True),
    Column("endpoint", Words, primary_key=True),
    Column("article_id", Words, primary_key=True),
    Column("since", BigInteger, nullable=False),
    Column("attempt", Words, nullable=False, comment="the one that was refused, as JSON"),
    comment="Articles that are set aside for an endpoint",
)

page_checks = Table(
    "page_checks",
    metadata,
    Column("feed", Words, primary_key=True),
    Column("endpoint", Words, primary_key=True),
    Column("article_id", Words, primary_key=True),
    Column("version", BigInteger, primary_key=True, comment="in which it was killed"),
    Column("since", BigInteger, nullable=False, comment="when it was killed"),
    Column("looks", Integer, nullable=False),
    Column("last", BigInteger, nullable=False, comment="when the last look began; 0: never"),
    Column("verdict", Words, nullable=False, comment="gone, there, unproven, or empty"),
    Column("why", Words, nullable=False),
    Column("url", Words, nullable=False),
    Column("alarmed", Boolean(create_constraint=False), nullable=False),
    Column("due", BigInteger, comment="the next look; none: it is done with"),
    comment="Read-backs: what was seen on the pages of killed articles",
)

pattern_feeds = Table(
    "pattern_feeds",
    metadata,
    Column("pattern", Words, primary_key=True),
    Column("value", Words, primary_key=True, comment="as it stands in the feed's name"),
    Column("written", Words, nullable=False, comment="as an article first wrote it"),
    sqlite_with_rowid=False,
    comment="The feeds that patterns of feeds have made",
)

definition_epochs = Table(
    "definition_epochs",
    metadata,
    Column("epoch", BigInteger, primary_key=True, autoincrement=False),
    Column("digest", String(64), nullable=False, comment="of the whole set"),
    Column("began", BigInteger, nullable=False),
    comment="Sets of feed definitions, in the order in which they came",
)

definitions = Table(
    "definitions",
    metadata,
    Column("epoch", ForeignKey(definition_epochs.c.epoch, ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("feed", Words, primary_key=True),
    Column("definition", Words, nullable=False, comment="as JSON"),
    comment="The feed definitions of each set",
)

positions = Table(
    "positions",
    metadata,
    Column("name", Words, primary_key=True, comment="a stream of Redis, or a feed"),
    Column("position", Words, nullable=False, comment="the entry noted last, or the feed's head"),
    Column("time", BigInteger, nullable=False),
    comment="How far Redis has been noted: a Redis that is not so far has lost time",
)
