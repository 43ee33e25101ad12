"""Every mistake in the settings is told: the field, what is wrong, and what it must be."""

from __future__ import annotations

from base64 import b64encode
from pathlib import Path

import pytest
from settings_files import FEEDS, endpoint, mistakes, named

from config.settings import SettingsError, load
from feeds.formats import ARTICLE_FORMATS, FEED_FORMATS

SIGNING = ["whsec_" + b64encode(bytes([number]) * 32).decode() for number in range(3)]
AUTHORITY = 'must be a domain name, a comma and a year, such as "example.org,2026"'
NO_FEED = "endpoints.a.feed: there is no feed {}; known: world, author/*"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "dateline.toml"


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
