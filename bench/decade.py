"""`python -m bench.decade RECORD_URL ARTICLES`: a record as it would be after ten years, made in a minute or two.

The newsroom is the one of config/dateline.toml. Its articles are spread evenly over ten years that end now, each about
3 kB long, a third of them corrected once; they are in its feeds and patterns. Fifty endpoints take the feed `en`. They
were told of everything in the last thirty days and of the very first articles; of the rest two of them hold all.
Attempts are there for thirty days. The same number of articles is always the same record, but for the time at which it
ends. Their words are not in the index of words.

The rows go round the parts that note events one by one, so this module knows the tables, and is tested against them.
"""

from __future__ import annotations

import json
import random
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from itertools import islice
from typing import Any

import zstandard
from sqlalchemy import Connection, Table, insert, select, text

from config.settings import EXAMPLE, load
from feeds.article import Article
from feeds.moments import ms
from feeds.patterns import pattern_of, slug_of
from worker.record import Record, tables
from worker.record.definitions import note as note_definitions
from worker.record.positions import NOTED, note_position

YEARS = 10
ENDPOINTS = 50
ENDPOINT_FEED = "en"
SUBSCRIBED_FEED = "culture"
HOT = timedelta(days=30)
"""What the newest articles are: told to every endpoint, with an attempt for each."""
OLDEST = 100
"""So many of the oldest articles every endpoint was told of."""
_FEW_ENDPOINTS = 2
_AUTHORS, _SUBJECTS = 300, 200
_SENTENCES, _SENTENCES_EACH = 1_500, 26
_BATCH = 20_000

# Editions by their share of a hundred articles, and the words that their texts are made of.
_EDITIONS = (*["en"] * 60, *["ar"] * 15, *["tr"] * 9, *["fa"] * 8, *["ur"] * 8)
_SECTIONS = ("world", "business", "culture", "sport", "local")
_SUBJECT_NAMES = ("Business", "Shipping", *(f"Subject {number}" for number in range(2, _SUBJECTS)))
_ARABIC = """
قال مجلس الميناء يوم الاثنين إن حركة العبارات بين الضفتين ستبدأ من جديد قبل الشتاء رغم أن المهندسين طلبوا شهرا آخر
وينتظر سكان الحي القديم قرارا بشأن أضواء الجسر وخط الترام وقاعة السوق والمكتبة وسقف المدرسة ومحطة الضخ والمنارة
لأن المطر والعاصفة والضباب والجليد والرمال أخرت كل خطة منذ الربيع ولم يصب أحد بأذى"""
_WORDS = {
    "en": """
the harbour council said on Monday that ferry traffic between both shores would begin again before winter although
engineers had asked for another month while residents of old quarter waited for a decision about bridge lights tram
line market hall library school roof pump station and lighthouse because rain storm fog ice or sand had delayed
every plan since spring nobody was hurt mayor captain teacher nurse fisher baker referee painter explained how much
money would be spent when work starts where people may park which streets close what changes for children""",
    "tr": """
liman meclisi pazartesi günü vapur seferlerinin yeniden söyledi ancak mühendisler bir ay daha istedi eski mahallenin
köprü tramvay kütüphane okul ve deniz feneri için karar bekliyor çünkü sis buz kum bahardan beri bütün geciktirdi
kimse hemşire belediye müze sergi yeni gemi rüzgâr güneş çocuklar gazete bilet ücretsiz""",
    **dict.fromkeys(("ar", "fa", "ur"), _ARABIC),
}


@dataclass(frozen=True, slots=True)
class Decade:
    """What was made. `heads`: feed -> the number of its last change."""

    oldest: str
    newest: str
    heads: dict[str, int]
    rows: dict[str, int]
    seconds: float


def fill(
    record: Record,
    articles: int,
    end: datetime,
    *,
    subscriptions: Sequence[dict[str, Any]] = (),
    progress: Callable[[int], None] = lambda _: None,
) -> Decade:
    """Fill a record that holds nothing yet with `articles` articles, the last one of a minute before `end`.

    `subscriptions`: details of subscriptions of the feed `culture`, with their callbacks. `progress` is told how many
    articles are there.
    """
    begun = time.monotonic()
    maker = _Maker(articles, end)
    rows: dict[str, int] = defaultdict(int)
    with record.write() as connection:
        if connection.scalar(select(tables.articles.c.article_id).limit(1)) is not None:
            raise ValueError(f"{record.address} has articles already: name an empty record")
        indexes = _without_indexes(connection)
    made = 0
    source = maker.rows()
    while batch := list(islice(source, _BATCH)):
        by_table: dict[Table, list[tuple[Any, ...]]] = defaultdict(list)
        for one in batch:
            for table, row in one:
                by_table[table].append(row)
        with record.write() as connection:
            for table, values in by_table.items():
                _write(connection, table, _COLUMNS[table], values)
                rows[table.name] += len(values)
        made += len(batch)
        progress(made)
    with record.write() as connection:
        _stand_at_the_head(connection, maker.heads, subscriptions, ms(end))
        for statement in indexes:
            connection.execute(text(statement))
    return Decade(maker.article_id(0), maker.article_id(articles - 1), dict(maker.heads), dict(rows), _since(begun))


def subscription(callback: str, secret: str, host: str, expires: int) -> dict[str, Any]:
    """The details of one subscription, as the hub keeps them."""
    return {
        "callback": callback,
        "format": "atom",
        "secret": secret,
        "expires": expires,
        "host": host,
        "client": "127.0.0.1",
    }


_COLUMNS: dict[Table, tuple[str, ...]] = {
    tables.events: (
        *("event_id", "digest", "kind", "article_id", "body", "accepted", "way", "stream_entry", "done", "result"),
        "version",
    ),
    tables.revisions: ("article_id", "version", "sha256", "pubstatus", "document", "accepted", "event_id", "who"),
    tables.articles: (
        *(
            "article_id",
            "version",
            "rev",
            "saves",
            "sha256",
            "pubstatus",
            "edition",
            "headline",
            "url",
            "document",
            "published",
        ),
        "accepted",
    ),
    tables.memberships: ("feed", "article_id", "state", "version", "decided", "place", "sequence"),
    tables.deliveries: ("endpoint", "feed", "article_id", "version", "action", "state", "sha256", "taken", "sent"),
    tables.attempts: (
        *("receiver", "time", "article_id", "message_id", "feed", "version", "action", "outcome", "status"),
        *("milliseconds", "bytes", "sha256", "error", "answer"),
    ),
}
_Row = tuple[Table, tuple[Any, ...]]


@dataclass
class _Maker:
    """Makes the rows of one article after the other, the oldest first."""

    articles: int
    end: datetime
    heads: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    def __post_init__(self) -> None:
        self._step = timedelta(days=365.25 * YEARS) / self.articles
        self._json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
        self._compress = zstandard.ZstdCompressor().compress
        chance = random.Random(1)
        self._texts = {
            edition: [
                f"<p>{' '.join(chance.choices(words, k=chance.randint(12, 28))).capitalize()}.</p>"
                for _ in range(_SENTENCES)
            ]
            for edition, words in ((edition, listed.split()) for edition, listed in _WORDS.items())
        }
        moment = self.end - timedelta(minutes=1)
        self._template = json.loads(
            Article(
                id="hh", version=1, headline="Headline", url="https://harbour-herald.example/", published=moment,
                updated=moment,
            ).model_dump_json()
        )  # fmt: skip

    def moment(self, number: int) -> datetime:
        """When the article was published."""
        return self.end - timedelta(minutes=1) - self._step * (self.articles - 1 - number)

    def article_id(self, number: int) -> str:
        """The id of an article: ids rise with time."""
        return f"hh-{self.moment(number).year}-{number:07}"

    def rows(self) -> Iterator[list[_Row]]:
        """Yield the rows of each article."""
        hot = self.end - HOT
        for number in range(self.articles):
            yield self._rows_of(number, is_hot=self.moment(number) > hot)

    def _rows_of(self, number: int, *, is_hot: bool) -> list[_Row]:
        # A number by which neighbours differ in everything.
        mixed = number * 2_654_435_761 % 2**32
        moment, edition = self.moment(number), _EDITIONS[mixed % 100]
        published = ms(moment)
        subjects = [_SUBJECT_NAMES[mixed // 100 % _SUBJECTS], _SUBJECT_NAMES[mixed // 7 % _SUBJECTS]]
        fields = self._fields(number, mixed, edition, moment, subjects)
        body = f'"body_html":"{self._body(mixed, edition)}"'
        rows: list[_Row] = []
        versions = 2 if mixed % 3 == 0 else 1
        for version in range(1, versions + 1):
            accepted = published + (version - 1) * 3_600_000
            fields["version"] = version
            fields["updated"] = f"{datetime.fromtimestamp(accepted / 1000, UTC).isoformat()[:19]}Z"
            # The body has nothing that JSON would write otherwise.
            document = self._json(fields).replace('"body_html":""', body).encode()
            digest, kept = sha256(document).hexdigest(), self._compress(document)
            article_id, event_id = fields["id"], f"evt-{number}-{version}"
            rows.append(
                (tables.revisions, (article_id, version, digest, "usable", kept, accepted, event_id, "desk")),
            )
            if is_hot:
                result = "published" if version == 1 else "corrected"
                done = (event_id, digest, "", article_id, kept, accepted, "post", f"{accepted}-0", accepted + 5)
                rows.append((tables.events, (*done, result, version)))
        shown = ("usable", edition, fields["headline"], fields["url"], kept, published, accepted)
        rows.append((tables.articles, (article_id, versions, f"{versions}-{mixed:012x}", versions, digest, *shown)))
        for feed in self._feeds(mixed, edition, fields, subjects):
            self.heads[feed] += 1
            state = (feed, article_id, "in", versions, accepted, published, self.heads[feed])
            rows.append((tables.memberships, state))
        if edition == ENDPOINT_FEED:
            everybody = is_hot or number < OLDEST
            rows += self._told(article_id, versions, accepted, digest, everybody=everybody, is_hot=is_hot)
        return rows

    def _fields(self, number: int, mixed: int, edition: str, moment: datetime, subjects: list[str]) -> dict[str, Any]:
        sentences = self._texts[edition]
        article_id = f"hh-{moment.year}-{number:07}"
        return self._template | {
            "id": article_id,
            "edition": edition,
            "headline": f"{sentences[mixed % _SENTENCES][3:35].strip()} ({number})",
            "url": f"https://www.harbour-herald.example/{edition}/{article_id}",
            "section": _SECTIONS[mixed // 3 % len(_SECTIONS)],
            "urgency": 2 if mixed % 33 == 0 else 5,
            "authors": [f"Author {mixed // 11 % _AUTHORS}"],
            "subjects": subjects,
            "body_html": "",
            "published": f"{moment.isoformat()[:19]}Z",
        }

    def _body(self, mixed: int, edition: str) -> str:
        sentences, step = self._texts[edition], 1 + mixed % 97
        return "".join([sentences[(mixed + place * step) % _SENTENCES] for place in range(_SENTENCES_EACH)])

    def _feeds(self, mixed: int, edition: str, fields: dict[str, Any], subjects: list[str]) -> list[str]:
        feeds = ["all", edition, f"author/{slug_of(fields['authors'][0])}"]
        if mixed % 33 == 0:
            feeds.append("breaking")
        if edition == "en":
            if fields["section"] != "local":
                feeds.append(fields["section"])
            if "business" not in feeds and {"Business", "Shipping"} & set(subjects):
                feeds.append("business")
        if edition in {"en", "ar"}:
            at = "" if edition == "en" else "ar/"
            feeds += {f"{at}subject/{slug_of(subject)}" for subject in subjects}
        return feeds

    def _told(
        self, article_id: str, version: int, accepted: int, digest: str, *, everybody: bool, is_hot: bool
    ) -> Iterator[_Row]:
        action = "published" if version == 1 else "corrected"
        for number in range(ENDPOINTS if everybody else _FEW_ENDPOINTS):
            name, sent = f"e{number}", accepted + 20 + number
            entry = (name, ENDPOINT_FEED, article_id, version, action, "taken", digest, sent + 30, sent)
            yield tables.deliveries, entry
            if is_hot:
                message = f"msg_{digest[:24]}"
                attempt = (
                    f"endpoint:{name}",
                    sent,
                    article_id,
                    message,
                    ENDPOINT_FEED,
                    version,
                    action,
                    "delivered",
                    204,
                    30,
                )
                yield tables.attempts, (*attempt, 3600, digest, "", "")


def _without_indexes(connection: Connection) -> list[str]:
    """Drop all indexes that only make finding quick, and return the statements that make them: sorting is quicker."""
    names = sorted(table.name for table in _COLUMNS)
    listed = ", ".join(f"'{name}'" for name in names)
    if connection.dialect.name == "sqlite":
        statement = f"SELECT name, sql FROM sqlite_schema WHERE type = 'index' AND sql > '' AND tbl_name IN ({listed})"
    else:
        statement = (
            f"SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = current_schema AND tablename IN ({listed})"
            " AND indexname NOT IN (SELECT conname FROM pg_constraint)"
        )
    indexes = connection.execute(text(statement)).all()
    for name, _ in indexes:
        connection.execute(text(f"DROP INDEX {name}"))
    return [definition for _, definition in indexes]


def _write(connection: Connection, table: Table, columns: Sequence[str], rows: list[tuple[Any, ...]]) -> None:
    """Write rows by the driver itself, past all types: COPY on PostgreSQL, executemany on SQLite."""
    cursor = connection.connection.cursor()
    names = ", ".join(columns)
    with closing(cursor):
        if connection.dialect.name == "sqlite":
            marks = ", ".join("?" * len(columns))
            rows.sort(key=_KEY.get(table))
            cursor.executemany(f"INSERT INTO {table.name} ({names}) VALUES ({marks})", rows)
            return
        with cursor.copy(f"COPY {table.name} ({names}) FROM STDIN") as copy:  # type: ignore[attr-defined]
            for row in rows:
                copy.write_row(row)


def _first_four(row: tuple[Any, ...]) -> tuple[Any, ...]:
    return row[:4]


# Tables that are their own index are written in its order.
_KEY: dict[Table, Callable[[tuple[Any, ...]], tuple[Any, ...]]] = {
    tables.memberships: _first_four,
    tables.deliveries: _first_four,
    tables.attempts: _first_four,
}


def _stand_at_the_head(
    connection: Connection, heads: dict[str, int], subscriptions: Sequence[dict[str, Any]], now: int
) -> None:
    """Write where receivers stand: everybody has everything."""
    head = heads[ENDPOINT_FEED]
    made = [(pattern_of(feed), feed.rpartition("/")[2]) for feed in heads if "/" in feed]
    values = [{"pattern": pattern, "value": value, "written": _written(value)} for pattern, value in made]
    connection.execute(insert(tables.pattern_feeds), values)
    note_position(connection, NOTED, 1, now)
    # As a worker with these settings writes them: it finds its feeds filled.
    definitions = {feed.name: feed.model_dump_json() for feed in load(EXAMPLE, {}).feeds}
    digest = sha256(json.dumps(definitions, sort_keys=True).encode()).hexdigest()
    note_definitions(connection, digest, 1, now, definitions)
    standings = [
        {"feed": ENDPOINT_FEED, "endpoint": f"e{number}", "cursor": head, "reason": ""} for number in range(ENDPOINTS)
    ]
    connection.execute(insert(tables.endpoints), standings)
    if subscriptions:
        connection.execute(
            insert(tables.subscriptions),
            [
                {
                    "feed": SUBSCRIBED_FEED,
                    "receiver": f"s{number:024x}",
                    "details": json.dumps(details, separators=(",", ":")),
                    "began": now,
                    "lease_ends": details["expires"],
                    "cursor": heads[SUBSCRIBED_FEED],
                    "reason": "",
                }
                for number, details in enumerate(subscriptions)
            ],
        )


def _written(value: str) -> str:
    """What stands in a feed's name, as the articles write it."""
    return value.replace("-", " ").capitalize()


def _since(begun: float) -> float:
    return time.monotonic() - begun


def main() -> int:
    """Fill the record at an address with so many articles, and say how it went."""
    url, number = sys.argv[1], int(sys.argv[2])
    with closing(Record.connect(url, synchronous="normal")) as record:
        record.upgrade()
        made = fill(record, number, datetime.now(UTC), progress=lambda done: print(f"\r{done:,}", end="", flush=True))
    print(f"\r{number:,} articles in {made.seconds:.0f} s, the oldest is {made.oldest}")
    for name, rows in sorted(made.rows.items()):
        print(f"  {name:12} {rows:12,} rows")
    return 0


if __name__ == "__main__":
    sys.exit(main())
