"""Settings: what they are, where they come from, and how every mistake in them is told."""

from __future__ import annotations

import os
import re
import tomllib
from base64 import b64encode
from collections.abc import Iterator
from datetime import timedelta
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from config.credentials import BasicSettings, BearerSettings, OAuth2Settings
from config.endpoint_settings import EndpointSettings
from config.setting_sources import models_in, variables
from config.settings import EXAMPLE, AdaptersSettings, Settings, SettingsError, load
from feeds.definition import FeedDefinition
from feeds.formats import ARTICLE_FORMATS, FEED_FORMATS, READERS

SIGNING = ["whsec_" + b64encode(bytes([number]) * 32).decode() for number in range(3)]
TOO_SHORT = "is 30, and must be greater than timeout, which is 30"
AUTHORITY = 'must be a domain name, a comma and a year, such as "example.org,2026"'
SEALING = "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWY="
PEM = Path(__file__).parents[1] / "contract" / "localhost.pem"
# Shown in the example as what could be set; without them there is nothing.
NO_DEFAULT = {
    "redis_url",
    "record_url",
    "record_password",
    "broker_url",
    "site.logo_url",
    "desk.logo",
    "management.secret_key_file",
}
FEEDS = '[[feeds]]\nname = "world"\ntitle = "World"\n'
NO_FEED = "endpoints.a.feed: there is no feed {}; known: world, author/*"


def endpoint(lines: str, feed: str = "author/mira") -> str:
    """Settings with an endpoint of a pattern's feed."""
    pattern = '[[feeds]]\nname = "author/*"\ntitle = "By *"\n'
    return f'{FEEDS}{pattern}[[endpoints]]\nname = "a"\nfeed = "{feed}"\nurl = "https://a.example/"\n{lines}\n'


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "dateline.toml"


def read(file: Path, text: str = "", environ: dict[str, str] | None = None) -> Settings:
    file.write_text(text + FEEDS, "utf-8")
    return load(file, environ or {})


def named(tables: tuple[Any, ...], name: str) -> Any:
    """The feed or endpoint of that name."""
    return next(table for table in tables if table.name == name)


def mistakes(file: Path, text: str, environ: dict[str, str] | None = None) -> list[str]:
    file.write_text(text, "utf-8")
    with pytest.raises(SettingsError) as refused:
        load(file, environ or {})
    return [str(error) for error in refused.value.errors]


class TestExample:
    def test_its_comments_list_every_format(self) -> None:
        text = re.sub(r"\n#\s+", " ", EXAMPLE.read_text("utf-8"))
        for_articles = re.search(r'format  in mode "article": ([^;]+);', text)
        for_feeds = re.search(r'in mode "feed": (.+?) url  ', text)
        for_partners = re.search(r"fetch here by themselves: ([^.]+)\.", text)
        assert for_articles
        assert for_feeds
        assert for_partners
        assert [*ARTICLE_FORMATS] == for_articles[1].split(", ")
        assert [*FEED_FORMATS] == for_feeds[1].strip().split(", ")
        partners = [name for name, feed_format in FEED_FORMATS.items() if feed_format not in READERS]
        assert partners == for_partners[1].split(", ")

    def test_it_loads(self) -> None:
        settings = load(EXAMPLE, {})
        assert settings.site.title == "The Harbour Herald"
        assert {feed.edition for feed in settings.feeds} == {"en", "ar", "ur", "tr", "fa", None}
        assert named(settings.feeds, "editor-picks").list == "Editor Picks"

    def test_every_setting_is_in_it_and_nothing_else(self) -> None:
        shown = tomllib.loads(uncommented(EXAMPLE.read_text("utf-8")))
        # The properties of feeds are explained in a table of their own, the pointers to secrets in the head.
        assert keys_of(Settings) - keys_of(FeedDefinition, "feeds.") == {
            re.sub(r"_(file|env)$|(?<=\.headers)\..*|(?<=\.tracking)\..*", "", key)
            for key in keys_in(shown)
            if not key.startswith("feeds.")
        }
        explained = re.findall(r"^#   (\w+)  ", EXAMPLE.read_text("utf-8"), re.MULTILINE)
        assert {*FeedDefinition.model_fields, *EndpointSettings.model_fields} == set(explained)

    def test_what_is_commented_out_is_the_default(self) -> None:
        text = EXAMPLE.read_text("utf-8").partition("\n[[feeds]]")[0]
        set_here = tomllib.loads(text)
        shown = tomllib.loads(uncommented(text))
        defaults = Settings(feeds=(FeedDefinition(name="a", title="A"),))
        for key, value in leaves(shown):
            if key in dict(leaves(set_here)) or key in NO_DEFAULT:
                continue
            assert str(value) == written(at(defaults, key)), key

    def test_it_loads_with_everything_uncommented(self, file: Path) -> None:
        (file.parent / "secrets").mkdir()
        (file.parent / "secrets" / "city-portal").write_text("\n".join(SIGNING[:2]))
        (file.parent / "secrets" / "archive").write_text("hunter2")
        (file.parent / "secrets" / "superdesk").write_text("s" * 16)
        (file.parent / "secrets" / "management").write_text(SEALING)
        for name in ("exchange-ca.pem", "herald.pem", "herald.key"):
            (file.parent / "secrets" / name).write_bytes(PEM.read_bytes())
        text = uncommented(EXAMPLE.read_text("utf-8"))
        file.write_text(text, "utf-8")
        of_adapters = re.findall(r'^\[adapters\.\w+\]\nsecret_env = "(\w+)"', text, re.MULTILINE)
        environ = {"REGIONAL_ARCHIVE_SECRET": SIGNING[2], "REGIONAL_ARCHIVE_KEY": "k", "CITY_PORTAL_TOKEN": "t"}
        environ["DATELINE_SIGNING_KEYS"] = "whsk_" + b64encode(b"k" * 32).decode()
        environ |= dict.fromkeys(of_adapters, "s" * 16)
        settings = load(file, environ | {"EXCHANGE_SECRET": "s"})
        assert [SIGNING[:2], SIGNING[2:]] == [
            [secret.get_secret_value() for secret in named(settings.endpoints, name).secret]
            for name in ("city-portal", "regional-archive")
        ]


def uncommented(text: str) -> str:
    return re.sub(r"^#(?=[a-z\[])", "", text, flags=re.MULTILINE)


def keys_of(model: type[BaseModel], prefix: str = "") -> set[str]:
    keys: set[str] = set()
    for name, field in model.model_fields.items():
        inside = models_in(field.annotation)
        keys |= {f"{prefix}{name}"} if not inside else set().union(*(keys_of(m, f"{prefix}{name}.") for m in inside))
    return keys


def keys_in(table: dict[str, Any]) -> set[str]:
    return {re.sub(r"\.\d+(?=\.)", "", key) for key, _ in leaves(table)}


def leaves(value: Any, key: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from leaves(inner, f"{key}.{name}" if key else name)
    elif isinstance(value, list) and value and isinstance(value[0], dict):
        for position, inner in enumerate(value):
            yield from leaves(inner, f"{key}.{position}")
    else:
        yield key, value


def at(settings: Settings, key: str) -> Any:
    value: Any = settings
    for name in key.split("."):
        value = getattr(value, name)
    return value


def written(value: Any) -> str:
    """A value as the file has it."""
    if isinstance(value, timedelta):
        return f"{value.days}d" if not value.seconds else f"{value.total_seconds() / 3600:g}h"
    if isinstance(value, tuple):
        return str([str(item) for item in value])
    return f"{value:g}" if isinstance(value, float) else str(value)


class TestSources:
    def test_the_environment_outranks_the_file(self, file: Path) -> None:
        text = 'redis_url = "redis://one"\n[site]\ntitle = "One"\nedition = "ar"\n[web]\nport = 1\n'
        environ = {"DATELINE_REDIS_URL": "redis://two", "DATELINE_SITE__TITLE": "Two", "DATELINE_WEB__PORT": "2"}
        settings = read(file, text, environ)
        assert settings.redis_url == "redis://two"
        assert settings.site.title == "Two"
        assert settings.site.edition == "ar"
        assert settings.web.port == 2

    @pytest.mark.parametrize(
        "text", ["127.0.0.0/8, fd00::/8", '["127.0.0.0/8", "fd00::/8"]', " 127.0.0.0/8,fd00::/8, "]
    )
    def test_a_list_in_the_environment(self, file: Path, text: str) -> None:
        settings = read(file, environ={"DATELINE_DELIVERY__ALLOW_NETWORKS": text})
        assert settings.delivery.allow_networks == (ip_network("127.0.0.0/8"), ip_network("fd00::/8"))

    def test_feeds_in_the_environment_are_json(self, file: Path) -> None:
        settings = read(file, environ={"DATELINE_FEEDS": '[{"name": "sport", "title": "Sport"}]'})
        assert [feed.name for feed in settings.feeds] == ["sport"]

    def test_an_empty_variable_is_not_set(self, file: Path) -> None:
        settings = read(file, 'redis_url = "redis://one"\n', {"DATELINE_REDIS_URL": "", "DATELINE_NO_SUCH": ""})
        assert settings.redis_url == "redis://one"

    def test_variables_of_others_are_left_alone(self, file: Path) -> None:
        links = {
            "DATELINE_PORT": "tcp://10.0.0.7:8420",
            "DATELINE_PORT_8420_TCP_ADDR": "10.0.0.7",
            "DATELINE_WEB_SERVICE_HOST": "10.0.0.7",
            "DATELINE_WEB_SERVICE_PORT_HTTP": "8420",
            "DATELINERS": "1",
            "dateline_web__port": "x",
        }
        assert read(file) == read(file, environ=links)

    @pytest.mark.parametrize("name", ["redis_url", "broker_url"])
    def test_a_url_by_file(self, file: Path, name: str) -> None:
        secret = file.parent / "url"
        secret.write_text("\nredis://:hunter2@host/0 \n")
        assert getattr(read(file, f'{name}_file = "url"\n'), name) == "redis://:hunter2@host/0"
        by_variable = read(file, environ={f"DATELINE_{name.upper()}_FILE": str(secret)})
        assert getattr(by_variable, name) == "redis://:hunter2@host/0"

    def test_a_list_by_file_has_one_entry_a_line(self, file: Path) -> None:
        (file.parent / "tokens").write_text("one\n\n two \r\nthree")
        (file.parent / "secrets").write_text("\n".join(SIGNING))
        settings = read(
            file, 'api_tokens_file = "tokens"\n', {"DATELINE_EVENT_SECRETS_FILE": str(file.parent / "secrets")}
        )
        assert [token.get_secret_value() for token in settings.api_tokens] == ["one", "two", "three"]
        assert [secret.get_secret_value() for secret in settings.event_secrets] == SIGNING

    def test_a_file_in_the_environment_outranks_a_value_in_the_file(self, file: Path) -> None:
        (file.parent / "tokens").write_text("two")
        settings = read(file, 'api_tokens = ["one"]\n', {"DATELINE_API_TOKENS_FILE": str(file.parent / "tokens")})
        assert [token.get_secret_value() for token in settings.api_tokens] == ["two"]

    @pytest.mark.parametrize(
        ("line", "expected"),
        [
            ("", []),
            (f'secret = "{SIGNING[0]}"', SIGNING[:1]),
            (f"secret = {SIGNING[:2]}", SIGNING[:2]),
            ('secret_file = "secret"', SIGNING[1:]),
            ('secret_env = "HERALD"', SIGNING[2:]),
        ],
    )
    def test_the_secret_of_an_endpoint(self, file: Path, line: str, expected: list[str]) -> None:
        (file.parent / "secret").write_text("\n".join(SIGNING[1:]))
        text = f'[[endpoints]]\nname = "a"\nfeed = "world"\nformat = "json"\nurl = "https://a.example/"\n{line}\n'
        settings = read(file, text, {"HERALD": SIGNING[2]})
        assert [secret.get_secret_value() for secret in named(settings.endpoints, "a").secret] == expected

    def test_which_file_is_read(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        assert load(environ={}).site.title == "The Harbour Herald"
        (tmp_path / "dateline.toml").write_text(FEEDS + '[site]\ntitle = "Here"')
        assert load(environ={}).site.title == "Here"
        (tmp_path / "other.toml").write_text(FEEDS + '[site]\ntitle = "Named"')
        assert load(environ={"DATELINE_CONFIG": "other.toml"}).site.title == "Named"
        assert load(EXAMPLE, {"DATELINE_CONFIG": "other.toml"}).site.title == "The Harbour Herald"

    def test_made_directly_settings_read_nothing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("DATELINE_REDIS_URL", "redis://elsewhere")
        monkeypatch.setenv("REDIS_URL", "redis://elsewhere")
        assert Settings(feeds=(FeedDefinition(name="a", title="A"),)).redis_url is None

    def test_every_variable_has_a_name_of_its_own(self) -> None:
        names = variables(Settings)
        assert names["DATELINE_SITE__BASE_URL"] == (("site", "base_url"), False)
        assert names["DATELINE_API_TOKENS_FILE"] == (("api_tokens_file",), False)
        assert "DATELINE_SITE" not in names


class TestValues:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [("https://a.example/", "https://a.example"), ("http://a.example:80/news//", "http://a.example:80/news")],
    )
    def test_the_base_url_has_no_slash_at_its_end(self, file: Path, text: str, expected: str) -> None:
        assert read(file, f'site.base_url = "{text}"\n').site.base_url == expected

    @pytest.mark.parametrize(
        ("base_url", "expected"),
        [("https://www.a.example/news", "www.a.example,2026"), ("http://127.0.0.1:1", "127.0.0.1,2026")],
    )
    def test_the_id_authority_is_the_host_unless_it_is_set(self, file: Path, base_url: str, expected: str) -> None:
        assert read(file, f'site.base_url = "{base_url}"\n').site.id_authority == expected
        assert read(file, 'site.id_authority = "a.example,2019-05"\n').site.id_authority == "a.example,2019-05"

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("12d", timedelta(days=12)),
            ("300h", timedelta(hours=300)),
            ("20000m", timedelta(minutes=20000)),
            ("900000s", timedelta(seconds=900000)),
        ],
    )
    def test_a_span_of_time(self, file: Path, text: str, expected: timedelta) -> None:
        assert read(file, f'websub.lease_default = "{text}"\n').websub.lease_default == expected

    def test_networks(self, file: Path) -> None:
        settings = read(file, 'delivery.allow_networks = ["10.0.0.0/8", "fd00::/8", "192.0.2.7"]\n')
        assert settings.delivery.allow_networks == (
            IPv4Network("10.0.0.0/8"),
            IPv6Network("fd00::/8"),
            IPv4Network("192.0.2.7/32"),
        )

    def test_the_home_directory_in_the_data_directory(self, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("HOME", "/home/herald")
        assert read(file, 'data_dir = "~/dateline"\n').data_dir == Path("/home/herald/dateline")

    @pytest.mark.parametrize("url", ["redis://a:6379/1", "rediss://u:p@a", "unix:///run/redis.sock?db=1"])
    def test_urls_of_redis(self, file: Path, url: str) -> None:
        assert read(file, f'redis_url = "{url}"\n').redis_url == url

    @pytest.mark.parametrize(
        "url",
        [
            *("postgresql+psycopg://herald:a%40b@db:5432/record", "postgresql+psycopg:///record?host=/run/postgresql"),
            *("sqlite:////var/lib/dateline/record.db", "sqlite:///record.db"),
        ],
    )
    def test_urls_of_the_record(self, file: Path, url: str) -> None:
        assert read(file, f'record_url = "{url}"\n').record_url == url

    @pytest.mark.parametrize(
        ("url", "problem"),
        [
            ("", "record_password: is for PostgreSQL: it needs a record_url"),
            ('record_url = "sqlite:////a/record.db"', "record_password: is for PostgreSQL: a record on SQLite"),
            ('record_url = "postgresql+psycopg://a:b@c/d"', "record_password: record_url has a password too; keep one"),
            ('record_url = "postgresql+psycopg://a@[c/d"', "record_url: is no URL"),
        ],
    )
    def test_a_password_that_is_for_nothing(self, file: Path, url: str, problem: str) -> None:
        with pytest.raises(SettingsError, match=re.escape(problem)):
            read(file, f'{url}\nrecord_password = "p%40:/ss"\n')

    def test_settings_are_not_changed(self, file: Path) -> None:
        settings = read(file)
        with pytest.raises(ValidationError):
            settings.web.port = 1
        with pytest.raises(ValidationError):
            settings.data_dir = Path()  # type: ignore[misc]


class TestMistakes:
    def test_all_are_told_at_once_by_the_keys_that_were_written(self, file: Path) -> None:
        text = f"""
            redis_url = "http://host"
            broker_url = "host"
            api_tokens_file = "nowhere"
            event_secrets = "one"
            data_dir = 5
            colour = "blue"
            site = {{ base_url = "ftp://a.example", titel = "x", edition = "EN" }}
            web = {{ host = "", port = 70000, max_body_bytes = "many" }}
            websub = {{ lease_min = "3w", lease_default = 10, body = "all" }}
            [delivery]
            allow_networks = ["10.0.0.1/8", "127.0.0.0/8", 7.5]
            timeout = 40
            places = 0
            [[feeds]]
            name = "world"
            title = "World"
            [[feeds]]
            name = "two words"
            title = "<b>World</b>"
            edition = "en"
            select = [{{ sektion = ["world"] }}, {{ urgency = [0] }}]
            [[feeds]]
            name = "world"
            limit = 0
            [[feeds]]
            name = "picks"
            title = "Picks"
            list = "Picks"
            select = [{{ section = ["world"] }}]
            [[endpoints]]
            name = "a"
            feed = "wrold"
            format = "rss"
            url = "a.example"
            secret = ["{SIGNING[0]}", "short"]
            [[endpoints]]
            name = "a"
            feed = "world"
            mode = "feed"
            format = "ninjs"
            url = "https://a.example/"
            secret = "{SIGNING[0]}"
            secret_file = "nowhere"
            [[endpoints]]
            name = "b"
            mode = "articles"
            format = "json"
            secret_env = "NOWHERE"
        """
        assert mistakes(file, text) == [
            "api_tokens_file: the file nowhere can't be read: No such file or directory",
            "endpoints.a (2 of 2).secret_file: secret is given too; keep one of the two",
            "endpoints.b.secret_env: NOWHERE is not set in the environment",
            "site.base_url: must be an absolute URL that begins with http:// or https://",
            'site.edition: must be a language tag such as "ar" or "zh-Hant"',
            "site.titel: is no setting; did you mean title?",
            "web.host: string should have at least 1 character",
            "web.port: input should be less than or equal to 65535",
            "web.max_body_bytes: input should be a valid integer, unable to parse string as an integer",
            'websub.lease_min: must be a number with its unit, such as "10d", "36h", "90m" or "45s"',
            'websub.lease_default: must be a number with its unit, such as "10d", "36h", "90m" or "45s"',
            "websub.body: input should be 'changed' or 'full'",
            "delivery.allow_networks.0: is no network: 10.0.0.1/8 has host bits set",
            "delivery.allow_networks.2: is no network: '7.5' does not appear to be an IPv4 or IPv6 network",
            "delivery.places: input should be greater than or equal to 1",
            "delivery.claim_seconds: is 30, and must be greater than timeout, which is 40",
            "redis_url: must be redis://HOST:PORT/DB, rediss://HOST:PORT/DB or unix:///PATH",
            "broker_url: must be a broker URL as Celery knows them, such as amqp://HOST",
            "data_dir: must be a path",
            "event_secrets: must be a list",
            (
                'feeds."two words".name: must be lower-case words with - _ or / between them, '
                "or end in author/*, subject/*, section/* or edition/*"
            ),
            'feeds."two words".title: has markup (<b>) at position 1; send plain text',
            'feeds."two words".select.0.sektion: is no setting; did you mean section?',
            'feeds."two words".select.1.urgency.0: input should be greater than or equal to 1',
            "feeds.world (2 of 2).title: is missing",
            "feeds.world (2 of 2).limit: input should be greater than or equal to 1",
            "feeds.picks: takes either select or list, not both",
            f"endpoints.a (1 of 2).format: there is no article format 'rss'; known: {', '.join(ARTICLE_FORMATS)}",
            "endpoints.a (1 of 2).url: must be an absolute URL that begins with http:// or https://",
            "endpoints.a (1 of 2).secret.1: must be whsec_ and the base64 of 24 to 64 bytes (Standard Webhooks)",
            f"endpoints.a (2 of 2).format: there is no feed format 'ninjs'; known: {', '.join(FEED_FORMATS)}",
            "endpoints.b.feed: is missing",
            "endpoints.b.mode: input should be 'article' or 'feed'",
            "endpoints.b.url: is missing",
            "colour: is no setting",
            "feeds.world (2 of 2).name: is the name of another one too",
            "endpoints.a (2 of 2).name: is the name of another one too",
            "endpoints.a (1 of 2).feed: there is no feed wrold; known: world, two words, picks",
        ]

    def test_a_former_name_is_no_feeds_and_of_one_feed_only(self, file: Path) -> None:
        text = """
            feeds = [
                { name = "a", title = "A", renamed_from = ["c", "b"] },
                { name = "b", title = "B", renamed_from = ["c"] },
                { name = "d", title = "D", renamed_from = ["e"] },
            ]
            """
        assert mistakes(file, text) == [
            "feeds.a.renamed_from: b is the name of a feed, or names another feed too",
            "feeds.b.renamed_from: c is the name of a feed, or names another feed too",
        ]

    def test_those_of_the_environment_are_told_by_the_variable(self, file: Path) -> None:
        environ = {
            "DATELINE_WEB__PORT": "eighty",
            "DATELINE_WEB__PRT": "80",
            "DATELINE_PORT": "80",
            "DATELINE_SITE": "{}",
            "DATELINE_REDIS_URL_FIEL": "x",
            "DATELINE_API_TOKENS": '["one" "two"]',
            "DATELINE_EVENT_SECRETS_FILE": "/nowhere",
            "DATELINE_DELIVERY__ALLOW_NETWORKS": "127.0.0.0/8,10.0.0.1/8",
            "DATELINE_ENDPOINTS": '[{"name": "a", "secret_file": "/nowhere"}]',
        }
        assert mistakes(file, "[web]\nport = 0\n" + FEEDS, environ) == [
            "DATELINE_API_TOKENS: is no JSON list: Expecting ',' delimiter (at character 8)",
            "DATELINE_PORT: is no setting; did you mean DATELINE_WEB__PORT?",
            "DATELINE_REDIS_URL_FIEL: is no setting; did you mean DATELINE_REDIS_URL_FILE?",
            "DATELINE_SITE: is no setting",
            "DATELINE_WEB__PRT: is no setting; did you mean DATELINE_WEB__PORT?",
            "DATELINE_EVENT_SECRETS_FILE: the file /nowhere can't be read: No such file or directory",
            "DATELINE_ENDPOINTS.a.secret_file: the file /nowhere can't be read: No such file or directory",
            "DATELINE_WEB__PORT: input should be a valid integer, unable to parse string as an integer",
            "DATELINE_DELIVERY__ALLOW_NETWORKS.1: is no network: 10.0.0.1/8 has host bits set",
            "DATELINE_ENDPOINTS.a.feed: is missing",
            "DATELINE_ENDPOINTS.a.format: is missing",
            "DATELINE_ENDPOINTS.a.url: is missing",
        ]

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("", "feeds: is missing"),
            ("feeds = []", "feeds: must have at least one feed"),
            ("feeds = 5", "feeds: must be a list"),
            ('feeds = ["world"]', "feeds.0: must be a table"),
            ('site = "x"\n' + FEEDS, "site: must be a table"),
            ('api_token_file = "x"\n' + FEEDS, "api_token_file: is no setting; did you mean api_tokens_file?"),
            ("api_tokens_file = 5\n" + FEEDS, "api_tokens_file: must be the path of a file"),
            ('api_tokens_file = "a\\u0000b"\n' + FEEDS, "api_tokens_file: must be the path of a file"),
            ("api_tokens_env = []\n" + FEEDS, "api_tokens_env: must be the name of an environment variable"),
            (
                'site.base_url = "http://a.example/?b"\n' + FEEDS,
                "site.base_url: must end with its path, without a query",
            ),
            ('site.base_url = "http://[::1]:8420"\n' + FEEDS, f"site.id_authority: {AUTHORITY}"),
            ('site.id_authority = "a.example"\n' + FEEDS, f"site.id_authority: {AUTHORITY}"),
            ('websub.lease_max = "9d"\n' + FEEDS, "websub.lease_max: must not be shorter than lease_default"),
            ('websub.lease_min = "11d"\n' + FEEDS, "websub.lease_default: must not be shorter than lease_min"),
            (
                "delivery.claim_seconds = 9\n" + FEEDS,
                "delivery.claim_seconds: is 9, and must be greater than timeout, which is 10",
            ),
            (
                endpoint('mode = "feed"\nformat = "atom"\nrights = { early = true }'),
                'endpoints.a.rights: has early, which there is in mode "article" only',
            ),
            (
                endpoint('format = "applenews"\nrights = { early = true }'),
                "endpoints.a.rights: has early, and the format applenews can't mark an embargo",
            ),
            (endpoint('format = "json"', feed="author/*"), NO_FEED.format("author/*")),
            (endpoint('format = "json"', feed="author/Mira"), NO_FEED.format("author/Mira")),
            (endpoint('format = "json"', feed="subject/mira"), NO_FEED.format("subject/mira")),
        ],
    )
    def test_one(self, file: Path, text: str, expected: str) -> None:
        assert mistakes(file, text) == [expected]

    @pytest.mark.parametrize(
        ("content", "place"),
        [
            ("[site]\ntitle: x\n", "(at line 2, column 6)"),
            ('[site]\n\ntitle = "x\n', "(at line 3, column 11)"),
            ("[site]\ntitle = ", "(at line 2, the end of the file)"),
        ],
    )
    def test_a_file_that_is_no_toml(self, file: Path, content: str, place: str) -> None:
        wrong, *others = mistakes(file, content, {"DATELINE_ZOO": "1"})
        assert wrong.startswith(f"{file}: is no TOML: ")
        assert wrong.endswith(place)
        assert others == ["DATELINE_ZOO: is no setting"]

    def test_a_file_that_is_no_text(self, file: Path) -> None:
        file.write_bytes(b'title = "\xff"')
        with pytest.raises(SettingsError) as refused:
            load(file, {})
        assert str(refused.value) == f"{file}: is not UTF-8 text (at byte 10)"

    def test_a_file_that_cannot_be_read(self, tmp_path: Path) -> None:
        with pytest.raises(SettingsError) as refused:
            load(tmp_path / "nowhere.toml", {})
        assert str(refused.value) == f"{tmp_path}/nowhere.toml: can't be read: No such file or directory"
        with pytest.raises(SettingsError, match="can't be read: Is a directory"):
            load(tmp_path, {})

    @pytest.mark.parametrize(
        ("content", "problem"),
        [(b" \n\n", "the file secret is empty"), (b"\xff", "the file secret is not UTF-8 text")],
    )
    def test_a_secret_file_without_a_secret(self, file: Path, content: bytes, problem: str) -> None:
        (file.parent / "secret").write_bytes(content)
        assert mistakes(file, 'redis_url_file = "secret"\n' + FEEDS) == [f"redis_url_file: {problem}"]

    def test_a_byte_order_mark_is_none(self, file: Path) -> None:
        file.write_bytes(b"\xef\xbb\xbf" + FEEDS.encode())
        assert named(load(file, {}).feeds, "world").title == "World"


ENDPOINT = """
[[endpoints]]
name = "a"
feed = "world"
format = "json"
url = "https://a.example/"
"""


class TestEndpoints:
    """How we show a partner who we are."""

    @pytest.mark.parametrize(
        "line",
        [
            'auth = { type = "basic", username = "herald", password = "hunter2" }',
            'auth = { type = "basic", username_env = "USER", password_file = "password" }',
            'auth = { type = "basic", username_file = "user", password_env = "PASSWORD" }',
        ],
    )
    def test_basic(self, file: Path, line: str) -> None:
        (file.parent / "user").write_text("herald\n")
        (file.parent / "password").write_text("hunter2\n")
        auth = named(read(file, f"{ENDPOINT}{line}\n", {"USER": "herald", "PASSWORD": "hunter2"}).endpoints, "a").auth
        assert isinstance(auth, BasicSettings)
        assert (auth.username.get_secret_value(), auth.password.get_secret_value()) == ("herald", "hunter2")

    @pytest.mark.parametrize("line", ['token = "t0k="', 'token_env = "T"', 'token_file = "token"'])
    def test_bearer(self, file: Path, line: str) -> None:
        (file.parent / "token").write_text("t0k=")
        text = f'{ENDPOINT}auth = {{ type = "bearer", {line} }}\n'
        auth = named(read(file, text, {"T": "t0k="}).endpoints, "a").auth
        assert isinstance(auth, BearerSettings)
        assert auth.token.get_secret_value() == "t0k="

    def test_oauth2(self, file: Path) -> None:
        text = """
            [endpoints.auth]
            type = "oauth2"
            token_url = "https://login.example/token"
            client_id_env = "ID"
            client_secret_file = "secret"
        """
        (file.parent / "secret").write_text("hunter2")
        auth = named(read(file, ENDPOINT + text, {"ID": "herald"}).endpoints, "a").auth
        assert isinstance(auth, OAuth2Settings)
        assert (auth.client_id.get_secret_value(), auth.client_secret.get_secret_value()) == ("herald", "hunter2")
        assert (auth.client_auth, auth.scope, auth.audience) == ("basic", "", "")

    def test_headers(self, file: Path) -> None:
        (file.parent / "key").write_text("two\n")
        line = 'headers = { X-One = "one", X_Two_file = "key", X-Three_env = "THREE" }\n'
        headers = named(read(file, ENDPOINT + line, {"THREE": "three"}).endpoints, "a").headers
        assert {name: value.get_secret_value() for name, value in headers.items()} == {
            "X-One": "one",
            "X_Two": "two",
            "X-Three": "three",
        }

    def test_certificates_are_beside_the_settings_file(self, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (file.parent / "both.pem").write_bytes(PEM.read_bytes())
        monkeypatch.chdir("/")
        tls = named(read(file, f'{ENDPOINT}tls = {{ ca = "{PEM}", cert = "both.pem" }}\n').endpoints, "a").tls
        assert (tls.ca, tls.cert, tls.key) == (PEM, file.parent / "both.pem", None)

    @pytest.mark.parametrize(
        ("line", "expected"),
        [
            ('auth = "x"', ["auth: must be a table"]),
            ("auth = {}", ["auth: has no type; known: basic, bearer, oauth2"]),
            ('auth = { type = ["basic"] }', ["auth: has a type that is none; known: basic, bearer, oauth2"]),
            ('auth = { type = "hunter2" }', ["auth: has a type that is none; known: basic, bearer, oauth2"]),
            ('auth = { type = "basic", username = "a" }', ["auth.password: is missing"]),
            (
                'auth = { type = "basic", username = "a:b", password = "hunter2\\n" }',
                [
                    "auth.username: must not have a colon (RFC 7617, section 2)",
                    "auth.password: must not have control characters",
                ],
            ),
            (
                'auth = { type = "bearer", token_fiel = "hunter2" }',
                ["auth.token: is missing", "auth.token_fiel: is no setting; did you mean token_file?"],
            ),
            ('auth = { type = "bearer", token_env = "NO" }', ["auth.token_env: NO is not set in the environment"]),
            (
                'auth = { type = "bearer", token = "hunter 2" }',
                ["auth.token: must be made of letters, digits and . _ ~ + / - (RFC 6750, section 2.1)"],
            ),
            (
                'auth = {type = "oauth2", token_url = "x", client_id = "", client_secret_file = "no", client_auth = 1}',
                [
                    "auth.client_secret_file: the file no can't be read: No such file or directory",
                    "auth.token_url: must be an absolute URL that begins with http:// or https://",
                    "auth.client_id: must not be empty",
                    "auth.client_auth: input should be 'basic' or 'body'",
                ],
            ),
            (
                'auth = { type = "oauth2", token_url = "https://a:hunter2@b/", client_id = "a", client_secret = "b" }',
                ["auth.token_url: must not carry a user name or password"],
            ),
            ('url = "https://a:hunter2@b/"', ["url: must not carry a user name or password"]),
            ('headers = "x"', ["headers: must be a table"]),
            ('headers = { "X Y" = "z" }', ["headers: has 'X Y', which is no name of a header"]),
            ('headers = { Content-Encoding = "br" }', ["headers: has Content-Encoding, which Dateline sets itself"]),
            ('headers = { Webhook-Id = "1" }', ["headers: has Webhook-Id, which Dateline sets itself"]),
            (
                'headers = { X-Key = "hunter2\\r\\nX: y" }',
                ["headers.X-Key: must be printable ASCII, without a space at its ends"],
            ),
            ('headers = { X-Key_env = "NO" }', ["headers.X-Key_env: NO is not set in the environment"]),
            (
                'headers = { authorization = "hunter2" }\nauth = { type = "bearer", token = "t" }',
                ["headers: has Authorization, which auth sets; keep one of the two"],
            ),
            ('tls = { ca = "no" }', ["tls.ca: the file {folder}/no can't be read: No such file or directory"]),
            ('tls = { cert = "." }', ["tls.cert: the file {folder} can't be read: Is a directory"]),
            ('tls = { ca = "empty" }', ["tls.ca: the file {folder}/empty has no certificate (PEM)"]),
            (
                'tls = { cert = "empty" }',
                ["tls.key: {folder}/empty is not the key of {folder}/empty, not PEM, or encrypted"],
            ),
            ('tls = { key = "both.pem" }', ["tls.key: is the key of no certificate: cert is missing"]),
            (
                'url = "http://a.example/"\ntls = { ca = "both.pem" }',
                ["tls: is of no use for a url that begins with http://"],
            ),
            (
                'check_url = "https://a.example/page"',
                ["check_url: must have {id} or {slug} in its path or query: each article has a page of its own"],
            ),
            (
                'check_url = "https://{id}.a.example/{id}"',
                ["check_url: must have {id} or {slug} in its path or query: each article has a page of its own"],
            ),
            ('check_url = "https://a.example/{id}/{name}"', ["check_url: has {name}; known: {id}, {slug}"]),
            (
                'check_url = "a.example/{id}"',
                ["check_url: must be an absolute URL that begins with http:// or https://"],
            ),
            (
                'check_url = "ftp://a.example/{id}"',
                ["check_url: must be an absolute URL that begins with http:// or https://"],
            ),
            ('check_url = "https://a:hunter2@b/{id}"', ["check_url: must not carry a user name or password"]),
            ('gzip = "perhaps"', ["gzip: input should be a valid boolean, unable to interpret input"]),
        ],
    )
    def test_mistakes(self, file: Path, line: str, expected: list[str]) -> None:
        (file.parent / "empty").touch()
        (file.parent / "both.pem").write_bytes(PEM.read_bytes())
        table = ENDPOINT.replace('url = "https://a.example/"\n', "") if line.startswith("url") else ENDPOINT
        found = mistakes(file, f"{table}{line}\n{FEEDS}")
        assert found == ["endpoints.a." + wrong.replace("{folder}", str(file.parent)) for wrong in expected]
        assert "hunter2" not in " ".join(found)

    def test_a_file_that_may_not_be_read(self, file: Path) -> None:
        closed = file.parent / "closed"
        closed.touch(mode=0)
        if os.access(closed, os.R_OK):
            pytest.skip("this user may read everything")
        [wrong] = mistakes(file, f'{ENDPOINT}tls = {{ cert = "closed" }}\n{FEEDS}')
        assert wrong == f"endpoints.a.tls.cert: the file {closed} can't be read: Permission denied"


class TestAdapters:
    def test_they_are_off_until_they_have_a_secret(self, file: Path) -> None:
        assert all(not getattr(read(file).adapters, name).secret for name in AdaptersSettings.model_fields)

    def test_their_secrets_come_from_anywhere_and_are_not_shown(self, file: Path) -> None:
        (file.parent / "secret").write_text("the first open sesame\nthe-second-open-sesame\n".replace(" ", "-"))
        text = '[adapters.ghost]\nsecret_file = "secret"\n[adapters.ninjs]\nsecret_env = "DESK"\n'
        environ = {"DESK": "the-third-open-sesame", "DATELINE_ADAPTERS__WORDPRESS__SECRET": "the-fourth-open-sesame"}
        settings = read(file, text, environ)
        secrets = [getattr(settings.adapters, name).secret for name in ("ghost", "ninjs", "wordpress")]
        assert [2, 1, 1] == [len(secret) for secret in secrets]
        assert "sesame" not in repr(settings)

    @pytest.mark.parametrize(
        ("line", "mistake"),
        [
            (
                'secret = "short"',
                "adapters.ghost.secret.0: must be 16 to 500 printable ASCII characters without spaces",
            ),
            ('url = "/articles/{id}"', "adapters.ghost.url: must be an absolute URL that begins with http"),
            ('edition = "English"', "adapters.ghost.edition: must be a language tag"),
            ('token = "x"', "adapters.ghost.token: is no setting"),
        ],
    )
    def test_mistakes(self, file: Path, line: str, mistake: str) -> None:
        found = mistakes(file, f"[adapters.ghost]\n{line}\n{FEEDS}")
        assert len(found) == 1
        assert found[0].startswith(mistake)


class TestSecrecy:
    SECRETS = """
        redis_url = "redis://:hunter2@host"
        broker_url = "amqp://dateline:hunter2@host"
        api_tokens = ["hunter2"]
        event_secrets = ["{0}"]
        [[endpoints]]
        name = "a"
        feed = "world"
        format = "json"
        url = "https://a.example/"
        secret = "{0}"
        headers = {{ X-Api-Key = "hunter2" }}
        auth = {{ type = "basic", username = "hunter2", password = "hunter2" }}
        [[endpoints]]
        name = "b"
        feed = "world"
        format = "json"
        url = "https://b.example/"
        auth = {{ type = "bearer", token = "hunter2" }}
        [[endpoints]]
        name = "c"
        feed = "world"
        format = "json"
        url = "https://c.example/"
        [endpoints.auth]
        type = "oauth2"
        token_url = "https://c.example/"
        client_id = "hunter2"
        client_secret = "hunter2"
    """

    def test_settings_do_not_show_them(self, file: Path) -> None:
        settings = read(file, self.SECRETS.format(SIGNING[0]))
        assert settings.redis_url == "redis://:hunter2@host"
        for shown in (repr(settings), str(settings), f"{settings.endpoints}", repr(settings.api_tokens)):
            assert "hunter2" not in shown
            assert SIGNING[0] not in shown

    def test_errors_do_not_show_them(self, file: Path) -> None:
        text = f"""
            redis_url = "radis://:hunter2@host:port"
            broker_url = "hunter2"
            api_tokens = ["hunter2 hunter2", 5]
            event_secrets = ["hunter2", "{SIGNING[0]} "]
            [[endpoints]]
            name = "a"
            feed = "world"
            format = "json"
            url = "https://a.example/"
            secret = "hunter2"
        """
        (file.parent / "secret").write_text('["hunter2')
        file.write_text(text + FEEDS)
        with pytest.raises(SettingsError) as refused:
            load(file, {"DATELINE_EVENT_SECRETS": '["hunter2", hunter2]', "DATELINE_BROKER_URL_FILE": str(file)})
        assert (refused.value.__cause__, refused.value.__context__) == (None, None)
        said = f"{refused.value!r} {refused.value}"
        keys = [error.field for error in refused.value.errors]
        assert keys == [
            "DATELINE_EVENT_SECRETS",
            "redis_url",
            "DATELINE_BROKER_URL_FILE",
            "api_tokens.0",
            "api_tokens.1",
            "event_secrets.0",
            "event_secrets.1",
            "endpoints.a.secret.0",
        ]
        assert "hunter2" not in said
        assert SIGNING[0] not in said

    def test_nor_does_the_error_of_the_model_itself(self) -> None:
        with pytest.raises(ValidationError) as refused:
            Settings(feeds=(FeedDefinition(name="a", title="A"),), redis_url="hunter2", api_tokens=["hunter 2"])
        assert "hunter" not in str(refused.value)
