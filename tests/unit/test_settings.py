"""Settings: what they are, where they come from, and that no secret of them is shown."""

from __future__ import annotations

import json
import re
import tomllib
from base64 import b64encode
from collections.abc import Iterator
from datetime import timedelta
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from pydantic import BaseModel, ValidationError
from settings_files import FEEDS, named, read

from config.credentials import TlsSettings
from config.endpoint_settings import EndpointSettings
from config.setting_sources import models_in, variables
from config.settings import EXAMPLE, Settings, SettingsError, SiteSettings, load
from feeds.definition import FeedDefinition
from feeds.format_definition import FormatDefinition
from feeds.formats import ARTICLE_FORMATS, FEED_FORMATS, READERS

SIGNING = ["whsec_" + b64encode(bytes([number]) * 32).decode() for number in range(3)]
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
    *(f"site.machines.{name}" for name in ("train", "answer", "search", "policy")),
    "management.secret_key_file",
    "desk.oidc.issuer",
    "desk.oidc.client_id",
    "desk.oidc.client_secret_file",
    "desk.oidc.role_claim",
    "desk.oidc.roles.newsroom-desk",
    "desk.oidc.roles.newsroom-it",
    "desk.oidc.default_role",
}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "dateline.toml"


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
            re.sub(r"_(?:file|env)$|(\.(?:mapping|headers|tracking|sections|roles|channels))\..*", r"\1", key)
            for key in keys_in(shown)
            if not key.startswith("feeds.")
        }
        explained = re.findall(r"^#   (\w+)  ", EXAMPLE.read_text("utf-8"), re.MULTILINE)
        models = (FeedDefinition, FormatDefinition, EndpointSettings)
        assert {name for model in models for name in model.model_fields} == set(explained)

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
        (file.parent / "secrets" / "portal-bucket").write_text("hunter3")
        (file.parent / "secrets" / "portal-container").write_text("aHVudGVyMTBodW50ZXIxMA==")
        (file.parent / "secrets" / "indexnow").write_text("0123456789abcdef")
        (file.parent / "secrets" / "mail").write_text("hunter4")
        (file.parent / "secrets" / "apple-news").write_text("aHVudGVyNQ==")
        (file.parent / "secrets" / "broker").write_text("hunter6")
        (file.parent / "secrets" / "kafka").write_text("hunter8")
        (file.parent / "secrets" / "service-bus").write_text("hunter9")
        (file.parent / "secrets" / "pubsub.json").write_text(json.dumps(account()))
        (file.parent / "secrets" / "bluesky").write_text("hunter7")
        (file.parent / "secrets" / "oncall").write_text("mailto://u:p@mail.example")
        (file.parent / "secrets" / "superdesk").write_text("s" * 16)
        (file.parent / "secrets" / "management").write_text(SEALING)
        (file.parent / "secrets" / "oidc").write_text("of-the-provider")
        (file.parent / "tidewire.rng").write_text(
            '<element name="story" xmlns="http://relaxng.org/ns/structure/1.0"><text/></element>'
        )
        for name in ("exchange-ca.pem", "herald.pem", "herald.key"):
            (file.parent / "secrets" / name).write_bytes(PEM.read_bytes())
        (file.parent / "secrets" / "wire-ca.pem").write_bytes(PEM.read_bytes())
        (file.parent / "secrets" / "wire-agency").write_text("hunter2")
        (file.parent / "secrets" / "state-library.key").write_text("-----BEGIN OPENSSH PRIVATE KEY-----\n")
        (file.parent / "secrets" / "known_hosts").write_text("")
        text = uncommented(EXAMPLE.read_text("utf-8"))
        file.write_text(text, "utf-8")
        of_adapters = re.findall(r'^\[adapters\.\w+\]\nsecret_env = "(\w+)"', text, re.MULTILINE)
        environ = {"REGIONAL_ARCHIVE_SECRET": SIGNING[2], "REGIONAL_ARCHIVE_KEY": "k", "CITY_PORTAL_TOKEN": "t"}
        environ["DATELINE_SIGNING_KEYS"] = "whsk_" + b64encode(b"k" * 32).decode()
        environ |= dict.fromkeys((*of_adapters, "PRESS_REVIEW", "OLD_ARCHIVE_PASSWORD"), "s" * 16)
        environ |= {"PORTAL_KEY_ID": "AKIA", "MAIL_USER": "herald", "APPLE_NEWS_KEY": "1e3f"}
        environ |= {"MASTODON_TOKEN": "token", "BLUESKY_HANDLE": "herald.example"}
        settings = load(file, environ | {"EXCHANGE_SECRET": "s", "SLACK_ALARMS": "slack://a/b/c"})
        assert [SIGNING[:2], SIGNING[2:]] == [
            [secret.get_secret_value() for secret in named(settings.endpoints, name).secret]
            for name in ("city-portal", "regional-archive")
        ]


def account() -> dict[str, str]:
    key = rsa.generate_private_key(65537, 2048).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return {"client_email": "a@b.example", "private_key_id": "k", "private_key": key.decode()}


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
            "endpoints.a.secret",
        ]
        assert "hunter2" not in said
        assert SIGNING[0] not in said

    def test_nor_does_the_error_of_the_model_itself(self) -> None:
        with pytest.raises(ValidationError) as refused:
            Settings(feeds=(FeedDefinition(name="a", title="A"),), redis_url="hunter2", api_tokens=["hunter 2"])
        assert "hunter" not in str(refused.value)


def test_the_defaults_of_a_table_are_what_checking_an_empty_one_comes_to() -> None:
    models: list[type[BaseModel]] = [Settings]
    for model in models:
        for name, field in model.model_fields.items():
            models += [inner for inner in models_in(field.annotation) if inner not in models]
            if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
                default = field.get_default(call_default_factory=True, validated_data={})
                if not field.is_required():
                    assert (name, field.annotation()) == (name, default)
    assert {SiteSettings, EndpointSettings, TlsSettings} <= set(models)
