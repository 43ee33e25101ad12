"""Each mistake that settings can have is told of its feed or endpoint by name, and none by its place in a list."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from config.settings import SettingsError, load

ROOT = Path(__file__).resolve().parents[2]
PEM = ROOT / "tests" / "contract" / "localhost.pem"
CHECKED = (
    *sorted((ROOT / "config").glob("*.py")),
    ROOT / "feeds" / "definition.py",
    ROOT / "feeds" / "format_definition.py",
)
FINGERPRINT = "SHA256:" + "A" * 43
SECRET = "whsec_" + "A" * 44

SITE = f"""
redis_url = "http://localhost"
record_url = "mysql://localhost/herald"
record_password = ""
broker_url = "localhost"
api_tokens = ["a token"]
event_secrets = ["short"]
signing_keys = ["short"]
[site]
base_url = "https://herald.example/?from=feed"
timezone = "Riyadh"
partner_formats = ["rss"]
id_authority = "herald"
[websub]
lease_min = "two days"
lease_max = "1d"
lease_default = "3d"
rsscloud = "perhaps"
[delivery]
allow_networks = ["inside"]
timeout = 40
claim_seconds = 30
[alarms]
channels = {{ operations = "mailto://h" }}
[retention]
hot = "0d"
[management]
secret_key = "c2hvcnQ="
[operations]
secret = "{SECRET}"
secret_file = "nowhere"
[desk]
logo = "logo.gif"
session_most = "1h"
[desk.oidc]
issuer = "http://login.example/"
scope = "email"
[adapters.ghost]
secret = "secret of ghost"
[[feeds]]
name = "world"
title = "World"
"""
OF_A_FEED = {
    'limit = "many"': ".limit: ",
    'colour = "red"': ".colour: is no setting",
    'edition = "the English one"': ".edition: ",
    'url = "herald.example"': ".url: ",
    "select = [{ urgency = [11] }]": ".select.0.urgency.0: ",
    'select = [{ sektion = ["World"] }]': ".select.0.sektion: is no setting; did you mean section?",
    'list = "picks"\nselect = [{}]': ": takes either select or list, not both",
    'titles = { en = "World" }': ": takes titles only as the pattern edition/*",
    'partners = ["acme"]': ": takes partners only if it is private",
    'private = true\nhubs = ["https://hub.example/"]': ": is private: takes no hubs",
    'hubs = ["hub.example"]': ".hubs.0: must be an absolute URL",
    'renamed_from = ["Old Name"]': ".renamed_from.0: ",
    'renamed_from = ["world"]': ".renamed_from: world is the name of a feed",
    'max_age = "long"': ".max_age: ",
}
MAIL = 'kind = "mail"\nurl = "smtp://mail.example"\n'
FROM_TO = 'sender = "Herald <a@b.example>", to = "c@d.example"'
LIST = f"{MAIL}mail = {{ {FROM_TO} }}"
QUEUE = 'kind = "queue"\nurl = "amqps://broker.example"\n'
SIGN_IN = 'username = "a", password = "b"'
OF_AN_ENDPOINT = {
    'tls = { ca = "-----BEGIN" }': ".tls.ca: the file ",
    'tls = { ca = "-----BEGIN nothing" }': ".tls.ca: has no certificate (PEM)",
    'tls = { ca = "-----BEGIN \u00e9" }': ".tls.ca: must be ASCII",
    'tls = { cert = "-----BEGIN x", key = "-----BEGIN y" }': ".tls.key: is not the key of cert",
    'feed = "nowhere"': ".feed: there is no feed nowhere",
    'kind = "pull"': ".url: is of no use with kind",
    'kind = "pull"\nrate = 3': ".rate: is of no use with kind",
    'mode = "letter"': ".mode: ",
    'format = "rss"': ".format: there is no article format",
    'url = "https://me:pass@partner.example/"': ".url: must not carry a user name or password",
    'url = "partner.example"': ".url: ",
    'secret = "short"': ".secret: must be whsec_",
    'secret = ["short"]': ".secret.0: must be whsec_",
    'secret_file = "text"': ".secret_file: must be whsec_",
    'secret_env = "SHORT"': ".secret_env: must be whsec_",
    f'secret = "{SECRET}"\nsecret_file = "nowhere"': ".secret_file: secret is given too",
    'secret_file = "nowhere"': ".secret_file: the file ",
    'secret_file = "nothing"': ".secret_file: the file nothing is empty",
    'secret_file = "binary"': ".secret_file: the file binary is not UTF-8 text",
    "secret_file = 5": ".secret_file: must be the path of a file",
    'secret_env = "NOWHERE"': ".secret_env: NOWHERE is not set in the environment",
    "secret_env = 5": ".secret_env: must be the name of an environment variable",
    'secret_env = "LISTED"': ".secret_env: is no JSON list",
    'auth = "bearer"': ".auth: must be a table",
    'auth = { user = "me" }': ".auth: has no type",
    'auth = { type = "bearer", token = "a token" }': ".auth.",
    'auth = { type = "basic", username = "a:b", password = "c" }': ".auth.",
    'auth = { type = "basic", username = "a", password = "\\u0007" }': ".auth.",
    'auth = { type = "oauth2", token_url = "https://t.example/", client_id = "", client_secret = "s" }': ".auth.",
    'auth = { type = "bearer", token = "t" }\nheaders = { Authorization = "x" }': ".headers: has Authorization",
    'headers = { "a b" = "x" }': ".headers: has 'a b'",
    'headers = { Host = "x" }': ".headers: has Host",
    'headers = { X-Key = " x" }': ".headers.X-Key: ",
    'headers = { X-Key_file = "nowhere" }': ".headers.X-Key_file: the file ",
    'tls = { ca = "nowhere" }': ".tls.ca: the file ",
    'tls = { ca = "a\\u0000b" }': ".tls.ca: must be the path of a file",
    'tls = { ca = "text" }': ".tls.ca: the file ",
    'tls = { key = "text" }': ".tls.key: is the key of no certificate",
    'tls = { cert = "text" }': ".tls.key: ",
    f'tls = {{ ca = "{PEM}" }}\nurl = "http://partner.example/"': ".tls: is of no use",
    'rights = { early = true }\nmode = "feed"\nformat = "rss"': '.rights: has early, which there is in mode "article"',
    'rights = { early = true }\nformat = "applenews"': ".rights: has early, and the format applenews",
    "rights = { words = 0 }": ".rights.words: ",
    'rights = { delay = "soon" }': ".rights.delay: ",
    'backfill = "all"': ".backfill: ",
    'check_url = "https://partner.example/{slog}"': ".check_url: has {slog}",
    'check_url = "https://partner.example/"': ".check_url: must have {id} or {slug}",
    "companions = { pictures = true }": ".companions: is of no use with kind",
    f'{LIST}\nmode = "feed"\ncompanions = {{ pictures = true }}': ".companions: is of no use in",
    f"{LIST}\ncompanions = {{ tries = 2 }}": ".companions: has settings of pictures",
    f"{LIST}\ncompanions = {{ pictures = true, renditions = [5] }}": ".companions.renditions.0: ",
    f"{LIST}\ncompanions = {{ pictures = true, renditions = [99, 99] }}": ".companions.renditions: ",
    f'{LIST}\ncompanions = {{ pictures = true, missing = "fail" }}': ".companions.missing: ",
    f"{LIST}\ncompanions = {{ pictures = true, max_bytes = 1 }}": ".companions.max_bytes: ",
    'kind = "s3"': ".s3.key_id: is missing",
    'kind = "azure-blob"': ".azure_blob.account: is missing",
    'kind = "azure-blob"\nazure_blob = { account = "herald" }': ".azure_blob.key: is missing",
    'kind = "azure-blob"\nazure_blob = { account = "The Herald", key = "a2V5a2V5a2V5a2V5a2V5a2V5" }': (
        ".azure_blob.account: must be the name of a storage account"
    ),
    'kind = "azure-blob"\nazure_blob = { account = "herald", key = "secret" }': (
        ".azure_blob.key: must be an access key of the storage account, in base64"
    ),
    'kind = "azure-blob"\nurl = "https://herald.example/"\nazure_blob = { account = "herald", '
    'key = "a2V5a2V5a2V5a2V5a2V5a2V5" }': ".url: must end with the name of the container",
    'kind = "sqs"\nurl = "https://sqs.example/123456789012/news.fifo"': ".sqs.key_id: is missing",
    'kind = "sqs"\nurl = "https://s.example/123456789012/a.fifo"\nsqs = { key_id = "a" }': ".sqs.secret: is missing",
    'kind = "sqs"\nurl = "https://sqs.example/news"\nsqs = { key_id = "a", secret = "b" }': (
        ".url: must be the address of a queue"
    ),
    'kind = "kafka"\nurl = "kafka://broker.example:9092"': ".kafka.topic: is missing",
    'kind = "kafka"\nurl = "kafka://b.example"\nkafka = { topic = "a/b" }': (
        ".kafka.topic: must be 1 to 249 letters, digits, dots, underscores and hyphens"
    ),
    'kind = "kafka"\nurl = "kafka://b.example"\nkafka = { topic = "a", servers = ["b"] }': (
        ".kafka.servers.0: must be HOST:PORT"
    ),
    'kind = "kafka"\nurl = "kafka://b.example"\nkafka = { topic = "a", username = "us" }': (
        ".kafka.password: username and password are given together, or not at all"
    ),
    'kind = "kafka"\nurl = "https://b.example"\nkafka = { topic = "a" }': (
        ".url: must begin with kafka+ssl:// or kafka://"
    ),
    'kind = "pubsub"\nurl = "https://pubsub.googleapis.com/v1/projects/herald/topics/news"': (
        ".pubsub.credentials: is missing"
    ),
    'kind = "pubsub"\nurl = "https://p.example/v1/projects/herald/topics/news"\npubsub = { credentials = "{}" }': (
        ".pubsub.credentials: must be the JSON key of a service account"
    ),
    'kind = "pubsub"\nurl = "https://p.example/news"\npubsub = { credentials = "{}" }': (
        ".url: must be the address of a topic"
    ),
    'kind = "service-bus"\nurl = "https://herald.servicebus.windows.net/news"': ".service_bus.policy: is missing",
    'kind = "service-bus"\nurl = "https://h.example/news"\nservice_bus = { policy = "send" }': (
        ".service_bus.key: is missing"
    ),
    'kind = "service-bus"\nurl = "https://h.example/"\nservice_bus = { policy = "send", key = "k" }': (
        ".url: must be the address of a queue or a topic"
    ),
    's3 = { key_id = "a", secret = "b" }': ".s3: is of no use with kind",
    'kind = "s3"\ns3 = { key_id = "a" }': ".s3.secret: is missing",
    'kind = "s3"\ns3 = { key_id = "a", secret = "b", region = "Here" }': ".s3.region: must be the name of a region",
    'kind = "s3"\ns3 = { key_id = "a", secret = "b", name = "{slug}" }': ".s3.name: has {slug}; known: {id}, ",
    'kind = "s3"\nurl = "s3://portal/"\ns3 = { key_id = "a", secret = "b" }': ".url: must begin with https:// or http://",
    'kind = "s3"\nurl = "https://s.example/?a"\ns3 = { key_id = "a", secret = "b" }': ".url: must be ASCII without",
    'kind = "s3"\nurl = "https://[s/"\ns3 = { key_id = "a", secret = "b" }': ".url: is no URL",
    'kind = "s3"\nmode = "feed"\ns3 = { key_id = "a", secret = "b", name = "{id}" }': ".s3: has name, which is of no",
    'kind = "s3"\ns3 = { key_id = "a", secret = "b", document = "a" }': ".s3: has document, which is of no use in mode",
    'kind = "s3"\nmode = "feed"\ns3 = { document = "{id}" }': ".s3.document: may have letters, digits",
    'kind = "s3"\nmode = "feed"\ns3 = { document = ".a/b" }': ".s3.document: must be a path",
    f'kind = "s3"\nmode = "feed"\ns3 = {{ document = "{"a/" * 100}b" }}': ".s3.document: must have at most 200",
    'kind = "s3"\nhandshake = true\ns3 = { key_id = "a", secret = "b" }': ".handshake: is of no use with kind",
    f'{MAIL}mail = {{ to = "a@b.example" }}': ".mail.sender: is missing",
    f'{MAIL}mail = {{ sender = "a@b.example", to = ["nobody"] }}': ".mail.to.0: must be one address",
    f'{MAIL}mail = {{ sender = "a@b.example", to = "c@d.example, e@f.example" }}': ".mail.to: must be one address",
    f'{MAIL}mail = {{ sender = "a@b.example", to = "c@d..example" }}': ".mail.to: must be one address",
    f'{MAIL}mail = {{ sender = "a@b.example", to = "c@d e" }}': ".mail.to: must be one address",
    f'{MAIL}mail = {{ sender = "a@b.example", to = "c@bücher.example" }}': ".mail.to: has an address that is not ASCII",
    f'{MAIL}mail = {{ {FROM_TO}, subject = "{{id}} {{slug}}" }}': ".mail.subject: has {slug}; known: {headline}, ",
    f'{MAIL}mail = {{ {FROM_TO}, every = "0s" }}': '.mail.every: must be at least "1s"',
    f'{MAIL}mail = {{ {FROM_TO}, every = "1h" }}': '.mail: has every, which there is in mode "feed" only',
    f'{MAIL}mode = "feed"\nformat = "rss"\nmail = {{ {FROM_TO} }}': ".mail: makes its mails of JSON Feed",
    'kind = "websub-ping"\nmode = "feed"\nformat = "rss"\nwebsub_ping = { topics = [] }': ".websub_ping.topics: ",
    'kind = "indexnow"\nindexnow = { key = "01234567" }': '.mode: must be "feed" with kind',
    'kind = "indexnow"\nmode = "feed"\nindexnow = { key = "short" }': ".indexnow.key: must be 8 to 128",
    f'{MAIL}mail = {{ {FROM_TO}, username = "a" }}': ".mail.password: and username go together",
    f'{MAIL}mail = {{ {FROM_TO}, username = "a", password = "b", starttls = false }}': ".mail.password: would be sent",
    f'{QUEUE}queue = {{ username = "a", routing_key = "news" }}': ".queue.password: is missing",
    f'{QUEUE}queue = {{ {SIGN_IN}, routing_key = "{{slug}}" }}': ".queue.routing_key: has {slug}; known: {id}, ",
    f'{QUEUE}queue = {{ {SIGN_IN}, routing_key = "a{{" }}': ".queue.routing_key: has a brace without its other one",
    f'{QUEUE}queue = {{ {SIGN_IN}, routing_key = "" }}': ".queue.routing_key: must be 1 to 255 printable characters",
    f'{QUEUE}queue = {{ {SIGN_IN}, routing_key = "n", exchange = "\\u0007" }}': ".queue.exchange: must be up to 255",
    'kind = "apple-news"': ".apple_news.channel: is missing",
    "apple_news = { preview = true }": ".apple_news: is of no use with kind",
    'kind = "apple-news"\nformat = "nitf"': '.format: must be "applenews" with kind = "apple-news"',
    'kind = "apple-news"\napple_news = { channel = "herald" }': ".apple_news.channel: must be an id as News Publisher",
    'kind = "apple-news"\napple_news = { secret = "~" }': ".apple_news.secret: must be the secret of the key",
    'kind = "mastodon"\nurl = "https://m.example"': ".mastodon.token: is missing",
    'kind = "mastodon"\nmode = "feed"': '.mode: must be "article" with kind = "mastodon"',
    'kind = "mastodon"\nmastodon = { template = "{headline}" }': ".mastodon.template: must have {url}",
    'kind = "bluesky"\nbluesky = { template = "{slug}" }': ".bluesky.template: has {slug}; known: {headline}, ",
    'kind = "bluesky"\nbluesky = { template = "News" }': ".bluesky.template: must have {headline}",
    "concurrency = 0": ".concurrency: ",
    'sftp = { username = "herald" }': '.sftp: is of no use with kind = "http"',
    'kind = "sftp"': ".sftp.username: is missing",
    'kind = "sftp"\nurl = "sftp://[x"': ".url: is no URL",
    'kind = "ftp"\nurl = "sftp://h/"': ".url: must begin with ftp:// and a host",
    'kind = "ftp"\nurl = "ftp://h/a b"': ".url: must be ASCII without spaces, and end with its path",
    'kind = "ftp"\nurl = "ftp://h/a%0ab"': ".url: must not have control characters or .. in its path",
    'kind = "ftp"\nurl = "ftp://h/"\ngzip = true': '.gzip: is of no use with kind = "ftp"',
    'kind = "ftp"\nurl = "ftp://h/"\nmode = "feed"\nftp = { on_kill = "remove" }': ".ftp: has on_kill, which is",
    'kind = "ftp"\nurl = "ftp://h/"\nftp = { username = "" }': ".ftp.username: must be the name of a user",
    'kind = "ftp"\nurl = "ftp://h/"\nftp = { password = "a\\u0007b" }': ".ftp.password: must be on one line",
    'kind = "ftp"\nurl = "ftp://h/"\nftp = { name = "{version}/{id}" }': ".ftp.name: must have {version} in its last",
    'kind = "ftps"\nurl = "ftps://h/"\nftps = { colour = "red" }': ".ftps.colour: is no setting",
    'kind = "sftp"\nurl = "sftp://h/"\nsftp = { username = "u" }': ".sftp.key: is missing, or else password",
    'kind = "sftp"\nurl = "sftp://h/"\nsftp = { password = "p" }': ".sftp.host_keys: is missing, or else known_hosts",
    'kind = "sftp"\nsftp = { key_file = "text" }': ".sftp.key_file: must be a private key",
    f'kind = "sftp"\nsftp = {{ known_hosts = "text", host_keys = "{FINGERPRINT}" }}': ".sftp.host_keys: is of no use",
    'kind = "sftp"\nsftp = { host_keys = ["MD5:16"] }': ".sftp.host_keys.0: must be SHA256: and 43",
    'kind = "sftp"\nsftp = { known_hosts = "nowhere" }': ".sftp.known_hosts: the file ",
    'colour = "red"': ".colour: is no setting",
}
OF_A_FORMAT = {
    'media_type = "xml"': ".media_type: must be a media type",
    'extension = ".xml"': ".extension: must be the ending of a file",
    "mapping = {}": ".mapping: or template: a format has one of the two",
    'template = "<a>\\n{{ article.headlin }}</a>"': ".template: line 2: there is no field 'headlin'",
    'template = "{% include 1 %}"': ".template: line 1: include is not for these templates",
    'template_file = "nowhere"': ".template_file: the file ",
    'media_type = "application/json"\ntemplate = ""\nmapping = { a = "b" }': ".mapping: or template",
    'of = "feed"': ".envelope: is missing",
    'of = "feed"\nenvelope = "<a/>"': ".envelope: must have {{ entries }} once",
    'envelope = "{{ entries }}"': '.envelope: is for formats with of = "feed"',
    'of = "feed"\nenvelope = "{{ entries }}"\nkill = "x"': ".kill: is for formats of articles",
    'kill = "{{ article.headline }}"': ".kill: line 1: there is no field 'headline'",
    'rules = "no schema"': ".rules: ",
    'rules = "<a/>"': ".rules: is neither XML Schema nor RELAX NG",
    'of = "page"': ".of: ",
    'colour = "red"': ".colour: is no setting",
}
DEFAULTS = {"feed": '"world"', "url": '"https://partner.example/"', "format": '"json"'}


HALF_A_CHARACTER = r'[{"name": "half", "media_type": "text/plain", "template": "\ud800"}]'
"""Of a format of one's own: TOML can't have it, JSON can."""


def mistakes(file: Path, text: str, **environ: str) -> list[str]:
    file.write_text(text, "utf-8")
    with pytest.raises(SettingsError) as refused:
        load(file, environ)
    return [str(error) for error in refused.value.errors]


def feed(name: str, lines: str, title: str = "T") -> str:
    return f'[[feeds]]\nname = "{name}"\ntitle = "{title}"\n{lines}\n'


def endpoint(name: str, lines: str) -> str:
    rest = {key: value for key, value in DEFAULTS.items() if not re.search(rf"^{key} = ", lines, re.MULTILINE)}
    return (
        f'[[endpoints]]\nname = "{name}"\n'
        + "".join(f"{key} = {value}\n" for key, value in rest.items())
        + lines
        + "\n"
    )


def own_format(name: str, lines: str) -> str:
    rest = {"media_type": '"application/xml"', "template": '"<a/>"'}
    rest = {key: value for key, value in rest.items() if not re.search(rf"^{key}(_file)? = ", lines, re.MULTILINE)}
    before = "".join(f"{key} = {value}\n" for key, value in rest.items())
    return f'[[formats]]\nname = "{name}"\n{before}{lines}\n'


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """All mistakes at once, each in a feed or an endpoint with a number in its name."""
    folder = tmp_path_factory.mktemp("settings")
    (folder / "nothing").write_text(" \n")
    (folder / "binary").write_bytes(b"\xff\xfe")
    (folder / "text").write_text("no certificate")
    feeds = [feed(f"feed-{number}", lines) for number, lines in enumerate(OF_A_FEED)]
    feeds += [
        feed("Two Words", ""),
        feed("author/*", 'list = "picks"'),
        feed("edition/*", 'edition = "en"'),
        feed("twice", ""),
        feed("twice", "limit = 0"),
    ]
    endpoints = [endpoint(f"endpoint-{number}", lines) for number, lines in enumerate(OF_AN_ENDPOINT)]
    endpoints += [
        endpoint("Two Words", ""),
        endpoint("12", "rate = 0"),
        endpoint("twice", ""),
        endpoint("twice", "rate = 0"),
    ]
    formats = [own_format(f"format-{number}", lines) for number, lines in enumerate(OF_A_FORMAT)]
    formats += [own_format("Two Words", ""), own_format("rss", ""), own_format("thrice", ""), own_format("thrice", "")]
    endpoints.append(endpoint("early", 'format = "thrice"\nrights = { early = true }'))
    found = mistakes(folder / "dateline.toml", SITE + "".join(feeds + endpoints + formats), LISTED="[", SHORT="x")
    found += mistakes(folder / "dateline.toml", "feeds = []")
    found += mistakes(folder / "dateline.toml", "feeds = [")
    halves = 'redis_url = "redis://[half"\nrecord_url = "sqlite://[half"\n[desk]\nsession_idle = "1s"\n'
    halves += '[desk.oidc]\nissuer = "https://login.example/"\n'
    found += mistakes(folder / "dateline.toml", halves + '[[feeds]]\nname = "a"\ntitle = "A"\n')
    found += mistakes(folder / "dateline.toml", feed("world", ""), DATELINE_FORMATS=HALF_A_CHARACTER)
    return found


@pytest.mark.parametrize("number", range(len(OF_A_FEED)))
def test_a_mistake_in_a_feed_names_it(told: list[str], number: int) -> None:
    expected = f"feeds.feed-{number}{list(OF_A_FEED.values())[number]}"
    assert [one for one in told if one.startswith(expected)], expected


@pytest.mark.parametrize("number", range(len(OF_AN_ENDPOINT)))
def test_a_mistake_in_an_endpoint_names_it(told: list[str], number: int) -> None:
    expected = f"endpoints.endpoint-{number}{list(OF_AN_ENDPOINT.values())[number]}"
    assert [one for one in told if one.startswith(expected)], expected


@pytest.mark.parametrize("number", range(len(OF_A_FORMAT)))
def test_a_mistake_in_a_format_names_it(told: list[str], number: int) -> None:
    expected = f"formats.format-{number}{list(OF_A_FORMAT.values())[number]}"
    assert [one for one in told if one.startswith(expected)], expected


def test_names_that_are_none_and_names_of_several_are_told_apart(told: list[str]) -> None:
    for expected in (
        'feeds."Two Words".name: must be lower-case words',
        'endpoints."Two Words".name: must be lower-case words',
        'formats."Two Words".name: must be lower-case words',
        "formats.rss.name: rss is a format of Dateline's: take another name",
        "formats.thrice (2 of 2).name: is the name of another one too",
        "endpoints.early.rights: has early, and the format thrice can't mark an embargo",
        'endpoints."12".rate: ',
        "feeds.author/*: is a pattern, which takes no list",
        "feeds.edition/*: is the pattern of all editions",
        "feeds.twice (2 of 2).name: is the name of another one too",
        "feeds.twice (2 of 2).limit: ",
        "endpoints.twice (2 of 2).name: is the name of another one too",
        "endpoints.twice (2 of 2).rate: ",
    ):
        assert [one for one in told if one.startswith(expected)], expected


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ('secret_key = "c2g="', "management.secret_key"),
        ('secret_key = ["c2g="]', "management.secret_key.0"),
        (f'secret_key = ["{"k" * 42}8=", "c2g="]', "management.secret_key.1"),
        ('secret_key_file = "one"', "management.secret_key_file"),
        ('secret_key_file = "two"', "management.secret_key_file.1"),
        ("", "DATELINE_MANAGEMENT__SECRET_KEY"),
    ],
)
def test_a_text_is_no_list_and_a_list_is_one(tmp_path: Path, text: str, key: str) -> None:
    (tmp_path / "one").write_text("c2g=\n")
    (tmp_path / "two").write_text(f"{'k' * 42}8=\nc2g=\n")
    environ = {} if text else {"DATELINE_MANAGEMENT__SECRET_KEY": "c2g="}
    (wrong,) = mistakes(tmp_path / "dateline.toml", f"[management]\n{text}\n{feed('world', '')}", **environ)
    assert wrong.startswith(f"{key}: must be ")


def test_none_is_told_by_its_place(told: list[str]) -> None:
    assert [] == [one for one in told if re.search(r"\b(feeds|endpoints)\.\d", one)]


@pytest.mark.parametrize("variable", ["DATELINE_FEEDS", "DATELINE_ENDPOINTS"])
def test_what_is_given_in_the_environment_is_told_by_name_too(tmp_path: Path, variable: str) -> None:
    value = '[{"name": "wire", "title": "Wire", "limit": 0, "rate": 0}]'
    file_text = "" if variable == "DATELINE_FEEDS" else feed("world", "")
    wrong = mistakes(tmp_path / "dateline.toml", file_text, **{variable: value})
    assert {variable + ".wire"} == {".".join(one.split(".")[:2]).partition(":")[0] for one in wrong}


def test_half_a_character_that_only_the_environment_can_hold(told: list[str]) -> None:
    assert [one for one in told if one.startswith("DATELINE_FORMATS.half.template: has half of a character")]


def test_every_message_that_there_is_was_provoked(told: list[str]) -> None:
    assert [] == [text for text in messages() if not any(text in one for one in told)]


def messages() -> Iterator[str]:
    """The longest piece of each message of the settings that is the same in all cases."""
    for path in CHECKED:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
                name = getattr(node.exc.func, "id", "")
                texts = [
                    part.value
                    for part in ast.walk(node.exc)
                    if isinstance(part, ast.Constant) and isinstance(part.value, str) and " " in part.value.strip()
                ]
                if name in {"ValueError", "PydanticCustomError"} and texts:
                    yield max(texts, key=len)
