"""Settings of endpoints and adapters: who we are to partners, and who senders are to us."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from settings_files import FEEDS, mistakes, named, read

from config.credentials import BasicSettings, BearerSettings, OAuth2Settings
from config.settings import AdaptersSettings

PEM = Path(__file__).parents[1] / "contract" / "localhost.pem"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "dateline.toml"


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
                "adapters.ghost.secret: must be 16 to 500 printable ASCII characters without spaces",
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
