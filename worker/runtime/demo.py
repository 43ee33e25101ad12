"""`dateline demo`: a newsroom, two subscribers and three partners, all real but a bucket, in under a minute.

Three articles are published, one is corrected, one is killed. Each receiver shows what it gets as it gets it; at the
end what arrived is held against what should have, the feeds are read back with feedparser, and the report of the kill
says who has confirmed it: the partner shows articles on pages of its own, so it has when its page is proven gone.
"""

from __future__ import annotations

import json
import os
import secrets
import tempfile
import threading
import time
from base64 import b64encode
from contextlib import closing, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote, urlsplit

import feedparser
import requests
from lxml import etree
from rich import box
from rich.table import Table

from config.settings import load
from worker.management.callers import shell
from worker.management.desk_sessions import sign_in_address
from worker.management.management import Management
from worker.management.surroundings import Surroundings
from worker.outbound.signing import SignatureError, verify_hub_signature, verify_webhook
from worker.record.overview import overview
from worker.runtime import logs
from worker.runtime.demo_bucket import DemoBucket
from worker.runtime.demo_files import DemoFileServer
from worker.runtime.listen_address import free_port
from worker.runtime.record_in_use import record_of
from worker.runtime.up import ProcessTree
from worker.store import Store

if TYPE_CHECKING:
    from rich.console import Console

    from config.settings import Settings

_HOST = "127.0.0.1"
_WAIT_SECONDS = 60
_QUIET_SECONDS = 2.5
"""How long nothing more may arrive at the end: longer than two sweeps."""
_STEPS = (
    ("publish", "01-harbour-en.json"),
    ("publish", "02-manuscripts-ar.json"),
    ("publish", "03-night-trams-en.json"),
    ("correct", "07-harbour-correction-en.json"),
    ("kill", "08-night-trams-kill.json"),
)
_SETTINGS = """
log_level = "error"
api_tokens = ["{token}"]
data_dir = "{data}"

[site]
title = "The Harbour Herald"
base_url = "{base_url}"
id_authority = "harbour-herald.example,2026"

[web]
port = {port}

[delivery]
allow_networks = ["127.0.0.0/8"]

[[feeds]]
name = "all"
title = "All articles"

[[feeds]]
name = "en"
title = "The Harbour Herald"
edition = "en"

[[endpoints]]
name = "partner"
feed = "all"
mode = "article"
format = "json"
url = "{partner}"
secret = "{secret}"
check_url = "{partner}/{{id}}"

[[endpoints]]
name = "archive"
feed = "all"
kind = "sftp"
format = "json"
url = "{archive}"
sftp = {archive_settings}

[[endpoints]]
name = "portal"
feed = "all"
kind = "s3"
format = "json"
url = "{portal}"
s3 = {portal_settings}
"""


@dataclass(frozen=True)
class Arrival:
    """A change of one article that has reached one receiver."""

    receiver: str
    format: str
    article: str
    change: str
    proof: str
    """How the receiver knows that it is from us, if it asks."""
    at: float


@dataclass
class DemoReceivers:
    """Three receivers behind one HTTP server, each with a path of its own, and two that take files and objects."""

    hub_secret: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    partner_secret: str = field(default_factory=lambda: "whsec_" + b64encode(secrets.token_bytes(32)).decode())
    arrivals: SimpleQueue[Arrival] = field(default_factory=SimpleQueue)
    verified: SimpleQueue[str] = field(default_factory=SimpleQueue)
    topics: dict[str, str] = field(default_factory=dict)
    pages: dict[str, bytes] = field(default_factory=dict)
    """What the partner shows its readers: article id -> page."""

    def __post_init__(self) -> None:
        receivers = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                """The hub asks whether we asked: yes, when it is our topic. Or somebody looks at a page."""
                if self.path.startswith("/partner/"):
                    page = receivers.pages.get(unquote(self.path.removeprefix("/partner/")))
                    self._reply(200 if page else 404, page or b"")
                    return
                query = parse_qs(urlsplit(self.path).query)
                name = urlsplit(self.path).path.strip("/")
                is_ours = query.get("hub.topic") == [receivers.topics.get(name)]
                body = query["hub.challenge"][0].encode() if is_ours else b""
                self._reply(200 if is_ours else 404, body)
                if is_ours:
                    receivers.verified.put(name)

            def do_POST(self) -> None:
                """A push arrives."""
                at = time.monotonic()
                body = self.rfile.read(int(self.headers["Content-Length"]))
                self._reply(204, b"")
                for arrival in receivers.read(self.path.strip("/"), dict(self.headers.items()), body, at):
                    receivers.arrivals.put(arrival)

            def _reply(self, status: int, body: bytes) -> None:
                self.send_response(status)
                if status != 204:
                    self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """The demo prints what matters."""

        self.server = ThreadingHTTPServer((_HOST, 0), Handler)
        self.url = f"http://{_HOST}:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, name="receivers", daemon=True).start()

    def archive_in(self, folder: Path) -> DemoFileServer:
        """Return a server that takes files into a folder, which is made, and tells of them."""
        folder.mkdir()
        return DemoFileServer(folder, lambda content: self._take("archive", content, "by SFTP"))

    def portal(self) -> DemoBucket:
        """Return a bucket that tells of its objects."""
        return DemoBucket(lambda content, proof: self._take("portal", content, proof))

    def _take(self, name: str, content: bytes, proof: str) -> None:
        event = json.loads(content)
        article = event["article"]
        change = "killed" if event["type"] == "article.killed" else f"version {article['version']}"
        self.arrivals.put(Arrival(name, "JSON", article["id"], change, proof, time.monotonic()))

    def read(self, name: str, headers: dict[str, str], body: bytes, at: float) -> list[Arrival]:
        """Return what a push says, article by article."""
        headers_by_name = {key.lower(): value for key, value in headers.items()}
        if name == "partner":
            try:
                verify_webhook(headers_by_name, body, [self.partner_secret], time.time())
                proof = "signature valid"
            except SignatureError as error:
                proof = f"signature WRONG: {error}"
            event = json.loads(body)
            article = event["article"]
            gone = event["type"] == "article.killed"
            if gone:
                self.pages.pop(article["id"], None)
            else:
                self.pages[article["id"]] = f"<h1>{article['headline']}</h1>{article['body_html']}".encode()
            change = "killed" if gone else f"version {article['version']}"
            return [Arrival(name, "JSON", article["id"], change, proof, at)]
        format_name = "Atom" if "atom" in headers_by_name["content-type"] else "RSS"
        proof = "signature not asked for"
        if format_name == "Atom":
            right = verify_hub_signature(self.hub_secret, body, headers_by_name.get("x-hub-signature", ""))
            proof = "signature valid" if right else "signature WRONG"
        feed = feedparser.parse(body)
        killed = set(_tombstones(body))
        # In the place of what was killed stands a notice, for readers that know no tombstones.
        changes = [(_article(entry.id), _version(entry)) for entry in feed.entries if entry.id not in killed]
        changes += [(_article(ref), "killed") for ref in sorted(killed)]
        return [Arrival(name, format_name, article, change, proof, at) for article, change in changes]


def run(out: Console, *, stay: bool) -> int:
    """Run the demo; return 0 when everything that should have arrived did, and nothing else.

    `stay`: it is kept up at the end, until Ctrl-C.
    """
    begun = time.monotonic()
    receivers = DemoReceivers()
    token = secrets.token_urlsafe(24)
    port = free_port(_HOST)
    base_url = f"http://{_HOST}:{port}"
    with tempfile.TemporaryDirectory(prefix="dateline-demo-") as folder:
        archive, portal = receivers.archive_in(Path(folder, "archive")), receivers.portal()
        config = Path(folder, "dateline.toml")
        config.write_text(
            _SETTINGS.format(
                token=token,
                data=folder,
                base_url=base_url,
                port=port,
                partner=f"{receivers.url}/partner",
                secret=receivers.partner_secret,
                archive=archive.url,
                archive_settings=archive.settings,
                portal=portal.url,
                portal_settings=portal.settings,
            ),
            "utf-8",
        )
        # The demo is its own newsroom: what the environment says of another one does not count.
        environ = {name: value for name, value in os.environ.items() if not name.startswith("DATELINE_")}
        out.print("Starting Redis, two workers and the web server ...")
        settings = load(config, environ)
        logs.configure(settings.log_level)
        with ProcessTree(settings, config, workers=2, environ=environ) as tree:
            out.print(f"Up after {time.monotonic() - begun:.1f} s at {base_url}")
            link = _desk_link(settings, tree.redis_url)
            out.print(f"The desk, as long as this runs: {link}", highlight=False, soft_wrap=True)
            problems = _play(out, receivers, base_url, token)
            problems += _read_back(out, base_url)
            problems += _who_confirmed(out, base_url, token)
            out.print(f"The folder of archive (SFTP): {', '.join(archive.names())}", highlight=False)
            out.print(f"The bucket of portal (a model of S3): {', '.join(portal.contents())}", highlight=False)
            problems += _what_the_record_holds(out, settings)
            if stay:
                _stay(out, link)
        archive.close()
        portal.close()
    receivers.server.shutdown()
    out.print()
    if problems:
        for problem in problems:
            out.print(f"[red]{problem}[/]")
        return 1
    out.print("[green]Everything that should have arrived did, and nothing else.[/]")
    if not stay:
        out.print("`dateline demo --stay` keeps it up, with its desk, where people see and kill articles.")
    return 0


def _desk_link(settings: Settings, redis_url: str) -> str:
    """Return a link that signs in at the desk, once."""
    caller = shell("demo")
    with closing(Store.connect(redis_url)) as store, closing(record_of(settings)) as record:
        management = Management(store, record, Surroundings.of(settings))
        management.people.add(caller, "editor", "admin")
        token = management.sessions.make_link(caller, "editor")
    return sign_in_address(settings.site.base_url, token)


def _stay(out: Console, link: str) -> None:
    """Keep all of it up until Ctrl-C."""
    out.print(f"\nThe desk: {link}", highlight=False, soft_wrap=True)
    out.print("The link signs in once, for a quarter of an hour. Ctrl-C ends the demonstration.")
    with suppress(KeyboardInterrupt):
        threading.Event().wait()


def _play(out: Console, receivers: DemoReceivers, base_url: str, token: str) -> list[str]:
    """Subscribe, publish, correct and kill; return what went wrong."""
    receivers.topics.update({"atom-reader": f"{base_url}/feeds/all.atom", "rss-reader": f"{base_url}/feeds/all.rss"})
    for name, topic in receivers.topics.items():
        fields = {"hub.mode": "subscribe", "hub.topic": topic, "hub.callback": f"{receivers.url}/{name}"}
        if name == "atom-reader":
            fields["hub.secret"] = receivers.hub_secret
        requests.post(f"{base_url}/hub", fields, timeout=10).raise_for_status()
    for _ in receivers.topics:
        try:
            name = receivers.verified.get(timeout=_WAIT_SECONDS)
        except Empty:
            return [f"the hub did not verify both subscriptions within {_WAIT_SECONDS} seconds"]
        out.print(f"The hub verified the subscription of [bold]{name}[/]")
    # The answer to the challenge is on its way; the subscription is there once the hub has taken it in.
    _until_subscribed(base_url)
    problems: list[str] = []
    for verb, sample in _STEPS:
        event = json.loads(files("config").joinpath("samples", sample).read_text("utf-8"))
        article = event["article"]
        change = "killed" if verb == "kill" else f"version {article['version']}"
        headline = f"  {article['headline']}" if "headline" in article else ""
        out.print(f"\n[bold]{verb}[/] {article['id']}{headline}", highlight=False, soft_wrap=True)
        sent = time.monotonic()
        answer = requests.post(
            f"{base_url}/events", json=event, headers={"Authorization": f"Bearer {token}"}, timeout=10
        )
        if answer.status_code != 202:
            return [*problems, f"{sample} was not accepted: {answer.text.strip()}"]
        expected = {(name, article["id"], change) for name in (*receivers.topics, "partner", "archive", "portal")}
        problems += _await(out, receivers, expected, sent)
    problems += _await(out, receivers, set(), time.monotonic())
    return problems


def _await(out: Console, receivers: DemoReceivers, expected: set[tuple[str, str, str]], sent: float) -> list[str]:
    """Show what arrives until all that is expected has; with nothing expected, make sure that nothing arrives."""
    problems = []
    missing = set(expected)
    deadline = time.monotonic() + (_WAIT_SECONDS if expected else _QUIET_SECONDS)
    while time.monotonic() < deadline and (missing or not expected):
        try:
            arrival = receivers.arrivals.get(timeout=max(0.0, deadline - time.monotonic()))
        except Empty:
            break
        arrived = (arrival.receiver, arrival.article, arrival.change)
        right = arrived in missing and "WRONG" not in arrival.proof
        missing.discard(arrived)
        if not right:
            problems.append(f"{arrival.receiver} got {arrival.article} {arrival.change}, {arrival.proof}")
        out.print(
            f"  {'[green]ok[/]' if right else '[red]!![/]'}  {(arrival.at - sent) * 1000:6.1f} ms  "
            f"{arrival.receiver:<11}  {arrival.format:<4}  {arrival.article}  {arrival.change:<9}  "
            f"{arrival.proof}",
            highlight=False,
            soft_wrap=True,
        )
    return problems + [f"{name} did not get {article} {change}" for name, article, change in sorted(missing)]


def _read_back(out: Console, base_url: str) -> list[str]:
    """Fetch the feeds as a reader does and show their entries; return what should not be so."""
    problems = []
    table = Table("Feed", "Language", "Published", "Entry", box=box.SIMPLE_HEAD, pad_edge=False)
    # Two articles, of which one is English, and the notice in the place of a third.
    for feed, entry_count in (("all.atom", 3), ("all.rss", 3), ("en.atom", 2)):
        parsed = feedparser.parse(requests.get(f"{base_url}/feeds/{feed}", timeout=10).content)
        if parsed.bozo or len(parsed.entries) != entry_count:
            problems.append(
                f"{feed} has {len(parsed.entries)} entries instead of {entry_count}: {parsed.get('bozo_exception')}"
            )
        for entry in parsed.entries:
            language = entry.get("language") or entry.title_detail.get("language") or parsed.feed.get("language") or ""
            table.add_row(feed, language, time.strftime("%Y-%m-%d %H:%M", entry.published_parsed), entry.title)
    out.print("\nThe feeds, as feedparser reads them:")
    out.print(table)
    return problems


def _who_confirmed(out: Console, base_url: str, token: str) -> list[str]:
    """Show the coverage report of the article that was killed; return what is missing in it."""
    article = json.loads(files("config").joinpath("samples", _STEPS[-1][1]).read_text("utf-8"))["article"]["id"]
    deadline = time.monotonic() + _WAIT_SECONDS
    while True:
        url = f"{base_url}/api/articles/{article}/coverage"
        report = requests.get(url, headers={"Authorization": f"Bearer {token}"}, timeout=10).json()
        if not report["unconfirmed"] or time.monotonic() > deadline:
            break
        time.sleep(0.1)
    table = Table("Feed", "Receiver", "Holds", "Confirmed", "Its page", box=box.SIMPLE_HEAD, pad_edge=False)
    for row in report["receivers"]:
        holds = f"version {row['version']}, {row['status']}" if row["version"] else row["why"]
        page = f"{row['page']['verdict']}: {row['page']['why']}" if row["page"] else ""
        table.add_row(row["feed"], row["receiver"], holds, "yes" if row["confirmed"] else "[red]no[/]", page)
    out.print(f"Who has confirmed the kill of {article} (GET /api/articles/{article}/coverage):")
    out.print(table)
    if report["unconfirmed"]:
        return [f"{report['unconfirmed']} have not confirmed the kill"]
    out.print(f"The last endpoint {report['seconds_to_the_last']:.3f} s after the kill.", highlight=False)
    return []


def _what_the_record_holds(out: Console, settings: Settings) -> list[str]:
    """Show how much of all this is in the record, a moment later; return what is missing in it."""
    with closing(record_of(settings)) as record:
        deadline = time.monotonic() + _WAIT_SECONDS
        while True:
            rows = overview(record).rows
            counts = {table: rows[table] for table in ("events", "revisions", "attempts")}
            # Each event was a revision, and was pushed to the partner once or more.
            events, revisions, attempts = counts.values()
            complete = events == revisions == len(_STEPS) <= attempts
            if complete or time.monotonic() > deadline:
                break
            time.sleep(0.1)
    out.print(
        f"The record holds {counts['events']} events, {counts['revisions']} revisions of {rows['articles']} articles, "
        f"{counts['attempts']} attempts and who holds what of them.",
        highlight=False,
    )
    return [] if complete else [f"the record should hold {len(_STEPS)} events, as many revisions, and as many attempts"]


def _until_subscribed(base_url: str) -> None:
    deadline = time.monotonic() + _WAIT_SECONDS
    expected_line = 'dateline_receivers{feed="all",state="settled"} 5.0'
    while expected_line not in requests.get(f"{base_url}/metrics", timeout=10).text and time.monotonic() < deadline:
        time.sleep(0.05)


def _article(entry_id: str) -> str:
    return entry_id.rpartition("/")[2]


def _version(entry: Any) -> str:
    """A feed does not number its revisions: an entry that was updated after it was published is the corrected one."""
    return "version 2" if entry.updated_parsed > entry.published_parsed else "version 1"


def _tombstones(body: bytes) -> list[str]:
    """The entries that a feed says are no more (RFC 6721)."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True)
    elements = etree.fromstring(body, parser).iter("{http://purl.org/atompub/tombstones/1.0}deleted-entry")
    return [stone.get("ref", "") for stone in elements]
