"""Partners and endpoints that are kept in the record: what may be set, who may set it, and that secrets stay secret."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import select, update

from config.endpoint_settings import EndpointSettings
from feeds.errors import InvalidInput
from worker import clock
from worker.management.callers import Bounds, Caller, Forbidden, shell
from worker.management.changes import Conflict, NotFound, Outdated
from worker.management.endpoints_in_use import in_use
from worker.management.managed_endpoints import KEPT_MS
from worker.management.management import Management
from worker.management.scopes import ALL, ENDPOINTS_READ, ENDPOINTS_WRITE
from worker.management.sealing import Sealer, new_key
from worker.management.surroundings import Surroundings
from worker.record import Record, tables
from worker.record.audit import Filter
from worker.store import Store

ADMIN = shell("mira")
KEY = new_key()
SECRET = "whsec_" + "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWY="
PASSWORD = "correct horse battery"
HEADER = "planted-header-value"
BASIC = {"feed": "world", "format": "json", "url": "https://herald.example/in"}
FULL = {
    **BASIC,
    "secret": SECRET,
    "auth": {"type": "basic", "username": "dateline-user", "password": PASSWORD},
    "headers": {"X-Key": HEADER},
    "rights": {"delay": "90m"},
}
OF_THE_FILE = EndpointSettings(name="filed", feed="world", format="json", url="https://filed.example/")


def now() -> int:
    return clock.ms(clock.agreed())


def fields(refused: pytest.ExceptionInfo[InvalidInput]) -> list[str]:
    return [error.field for error in refused.value.errors]


@pytest.fixture
def management(store: Store, record: Record) -> Iterator[Management]:
    return Management(store, record, Surroundings(Sealer([KEY]), ("world", "city/*"), {"filed": OF_THE_FILE}))


def whole(management: Management, at: int | None = None) -> dict[str, EndpointSettings]:
    used = in_use(management.copy(), management.surroundings, at or now())
    return {name: settings for name, settings in used.settings.items() if name != "filed"}


class TestEndpoints:
    def test_one_is_made_shown_changed_and_removed(self, management: Management) -> None:
        endpoint, secret = management.endpoints.create(ADMIN, "herald", BASIC)
        assert secret is not None
        assert whole(management)["herald"].secret[0].get_secret_value() == secret
        shown = management.endpoints.get(ADMIN, "herald").settings
        assert shown == {**BASIC, "name": "herald", "secret": "***"}
        changed = management.endpoints.change(ADMIN, "herald", {**shown, "rate": 2.5}, revision=endpoint.revision)
        assert whole(management)["herald"].rate == 2.5
        assert whole(management)["herald"].secret[0].get_secret_value() == secret
        management.endpoints.remove(ADMIN, "herald", changed.revision)
        assert whole(management) == {}
        assert management.endpoints.list(ADMIN) == []
        with pytest.raises(NotFound, match="there is no endpoint herald"):
            management.endpoints.get(ADMIN, "herald")
        actions = [entry.action for entry in management.audit.entries(ADMIN, Filter(), 9)]
        assert ["endpoint.removed", "endpoint.changed", "endpoint.created"] == actions

    def test_one_with_a_table_of_its_kind(self, management: Management, record: Record) -> None:
        own = {"username": "herald", "password": PASSWORD, "host_keys": ["SHA256:" + "A" * 43]}
        sftp = {"feed": "world", "format": "json", "kind": "sftp", "url": "sftp://files.example/in", "sftp": own}
        endpoint, secret = management.endpoints.create(ADMIN, "files", sftp)
        assert secret is None
        shown = {**sftp, "name": "files", "sftp": {**own, "password": "***"}}
        assert endpoint.settings == shown
        with record.availability.read() as connection:
            assert PASSWORD not in "".join(map(str, connection.execute(select(tables.managed_endpoints)).one()))
        management.endpoints.change(ADMIN, "files", {**shown, "rate": 2.0})
        used = whole(management)["files"]
        assert used.sftp is not None
        assert used.sftp.password is not None
        assert (used.rate, used.sftp.password.get_secret_value()) == (2.0, PASSWORD)
        with pytest.raises(InvalidInput) as refused:
            management.endpoints.change(ADMIN, "files", {**shown, "url": "sftp://elsewhere.example/in"})
        assert fields(refused) == ["sftp.password"]
        with pytest.raises(InvalidInput) as refused:
            management.endpoints.create(ADMIN, "more", {**sftp, "sftp": {**own, "known_hosts": "/etc/passwd"}})
        assert "sftp.known_hosts" in fields(refused)
        with pytest.raises(Conflict, match="files has no secret that signs"):
            management.endpoints.rotate(ADMIN, "files")

    def test_a_secret_does_not_go_to_a_server_that_is_named_beside_the_url(self, management: Management) -> None:
        own = {"topic": "news", "username": "herald", "password": PASSWORD, "servers": ["b2.example:9092"]}
        kafka = {"feed": "world", "format": "json", "kind": "kafka", "url": "kafka://b1.example:9092", "kafka": own}
        endpoint, _ = management.endpoints.create(ADMIN, "topic", kafka)
        shown = endpoint.settings
        other = {**shown["kafka"], "mechanism": "PLAIN", "servers": ["b2.example:9092", "thief.example:9092"]}
        with pytest.raises(InvalidInput) as refused:
            management.endpoints.change(ADMIN, "topic", {**shown, "kafka": other})
        assert fields(refused) == ["kafka.password"]
        management.endpoints.change(ADMIN, "topic", {**shown, "kafka": {**shown["kafka"], "servers": []}})
        used = whole(management)["topic"].kafka
        assert used is not None
        assert (used.servers, used.password.get_secret_value()) == ([], PASSWORD)

    @pytest.mark.parametrize(
        ("kind", "fmt", "own", "secrets"),
        [
            (
                "apple-news",
                "applenews",
                {"channel": "63a75491-2c4d-3530-af91-819be8c3ace0", "key_id": "1e3f", "secret": "c2VjcmV0"},
                {"key_id", "secret"},
            ),
            ("bluesky", "json", {"handle": "herald.example", "password": PASSWORD}, {"handle", "password"}),
        ],
    )
    def test_one_whose_address_is_known(
        self, management: Management, record: Record, kind: str, fmt: str, own: dict[str, str], secrets: set[str]
    ) -> None:
        table = kind.replace("-", "_")
        values = {"feed": "world", "format": fmt, "kind": kind, table: own}
        endpoint, _ = management.endpoints.create(ADMIN, "app", values)
        assert endpoint.settings == {**values, "name": "app", table: own | dict.fromkeys(secrets, "***")}
        with record.availability.read() as connection:
            kept = "".join(map(str, connection.execute(select(tables.managed_endpoints)).one()))
        assert not any(own[name] in kept for name in secrets)
        used = whole(management)["app"]
        shown = used.own.model_dump(include=set(own))
        assert {name: getattr(value, "get_secret_value", lambda v=value: v)() for name, value in shown.items()} == own
        assert used.url.startswith("https://")

    def test_whoever_makes_one_finds_it_at_once(self, management: Management) -> None:
        # The thread of the listener does not run: it would hear of it in a moment.
        management.listener(tends=False).look()
        management.endpoints.create(ADMIN, "herald", BASIC)
        assert "herald" in management.endpoints_in_use().settings
        token = management.keys.create(ADMIN, "desk", [ENDPOINTS_READ], Bounds(), None).token
        assert management.ring.caller(token, now(), "") is not None

    def test_every_bad_field_is_named(self, management: Management) -> None:
        wrong: dict[str, Any] = {
            "feed": "moon",
            "format": "papyrus",
            "url": "ftp://x",
            "colour": "red",
            "secret": "x",
            "headers": {"Host": "a"},
            "auth": {"type": "magic"},
            "tls": {"ca": "/etc/passwd"},
            "rights": {"delay": 5},
        }
        with pytest.raises(InvalidInput) as refused:
            management.endpoints.create(ADMIN, "herald", wrong)
        expected = {*("feed", "format", "url", "colour", "secret", "headers", "auth", "tls", "rights.delay")}
        assert expected <= {*fields(refused), "tls"}
        assert "papyrus" in str(refused.value)
        assert management.endpoints.list(ADMIN) == []

    def test_without_a_key_no_secret_is_kept(self, store: Store, record: Record) -> None:
        management = Management(store, record, Surroundings(Sealer(), ("world",), {}))
        with pytest.raises(InvalidInput, match=r"set management\.secret_key"):
            management.endpoints.create(ADMIN, "herald", BASIC)
        with pytest.raises(InvalidInput, match="can't be kept without a key") as refused:
            management.endpoints.create(ADMIN, "herald", {**FULL, "secret": []})
        assert ["headers.X-Key", "auth.username", "auth.password"] == fields(refused)
        _, secret = management.endpoints.create(ADMIN, "herald", {**BASIC, "secret": []})
        assert secret is None
        assert whole(management)["herald"].secret == ()

    def test_changed_meanwhile(self, management: Management) -> None:
        endpoint, _ = management.endpoints.create(ADMIN, "herald", BASIC)
        management.endpoints.change(ADMIN, "herald", {**BASIC, "secret": "***", "gzip": True})
        with pytest.raises(Outdated, match="was changed meanwhile") as refused:
            management.endpoints.change(ADMIN, "herald", {**BASIC, "secret": "***"}, revision=endpoint.revision)
        assert refused.value.revision > endpoint.revision
        assert whole(management)["herald"].gzip

    def test_a_name_exists_once(self, management: Management) -> None:
        management.endpoints.create(ADMIN, "herald", BASIC)
        with pytest.raises(Conflict, match="there is an endpoint herald already"):
            management.endpoints.create(ADMIN, "herald", BASIC)
        with pytest.raises(Conflict, match="in the settings file: give this one another name"):
            management.endpoints.create(ADMIN, "filed", BASIC)
        with pytest.raises(Conflict, match="endpoint filed is of the settings file: change it there"):
            management.endpoints.change(ADMIN, "filed", BASIC)
        with pytest.raises(InvalidInput, match="an endpoint keeps its name"):
            management.endpoints.change(ADMIN, "herald", {**BASIC, "name": "other"})

    def test_the_file_wins_where_both_have_a_name(self, management: Management) -> None:
        management.endpoints.create(ADMIN, "herald", BASIC)
        theirs = OF_THE_FILE.model_copy(update={"name": "herald"})
        used = in_use(management.copy(), management.surroundings._replace(of_the_file={"herald": theirs}), now())
        assert used.settings == {"herald": theirs}
        assert "the settings file has an endpoint of this name" in used.unusable["herald"]

    def test_secrets_that_are_not_given_stay_unless_they_would_go_elsewhere(self, management: Management) -> None:
        management.endpoints.create(ADMIN, "herald", FULL)
        shown = management.endpoints.get(ADMIN, "herald").settings
        management.endpoints.change(ADMIN, "herald", {**shown, "url": "https://herald.example/other"})
        settings = whole(management)["herald"]
        assert settings.headers["X-Key"].get_secret_value() == HEADER
        with pytest.raises(InvalidInput) as refused:
            management.endpoints.change(ADMIN, "herald", {**shown, "url": "https://evil.example/in"})
        assert ["headers.X-Key", "auth.username", "auth.password"] == fields(refused)
        given = {**shown, "url": "https://new.example/", "headers": {"X-Key": "a"}, "auth": None}
        management.endpoints.change(ADMIN, "herald", given)
        with pytest.raises(InvalidInput, match=r"headers.X-Other: \*\*\* stands for a secret"):
            management.endpoints.change(ADMIN, "herald", {**given, "headers": {"X-Other": "***"}})
        with pytest.raises(InvalidInput, match="stands for a secret that there is"):
            management.endpoints.create(ADMIN, "second", {**BASIC, "secret": "***"})

    def test_removed_and_had_again(self, management: Management, record: Record) -> None:
        management.endpoints.create(ADMIN, "herald", FULL)
        management.endpoints.remove(ADMIN, "herald")
        management.endpoints.restore(ADMIN, "herald")
        assert whole(management)["herald"].secret[0].get_secret_value() == SECRET
        management.endpoints.remove(ADMIN, "herald")
        with record.write() as connection:
            connection.execute(update(tables.managed_endpoints).values(removed=now() - KEPT_MS - 1000))
        management.endpoints.erase_secrets()
        with record.read() as connection:
            assert connection.scalar(select(tables.managed_endpoints.c.secrets)) == "{}"
        with pytest.raises(Conflict, match="create it anew"):
            management.endpoints.restore(ADMIN, "herald")
        management.endpoints.create(ADMIN, "herald", BASIC)

    def test_both_secrets_sign_for_a_time(self, management: Management) -> None:
        _, first = management.endpoints.create(ADMIN, "herald", BASIC)
        rotated, second = management.endpoints.rotate(ADMIN, "herald", 3_600_000)
        assert rotated.old_secret_until is not None
        secrets = [secret.get_secret_value() for secret in whole(management)["herald"].secret]
        assert secrets == [second, first]
        used = in_use(management.copy(), management.surroundings, now())
        assert used.changes_at == rotated.old_secret_until
        later = whole(management, rotated.old_secret_until)["herald"].secret
        assert [second] == [secret.get_secret_value() for secret in later]
        _, third = management.endpoints.rotate(ADMIN, "herald", 0)
        assert [third] == [secret.get_secret_value() for secret in whole(management)["herald"].secret]
        with pytest.raises(InvalidInput, match="overlap"):
            management.endpoints.rotate(ADMIN, "herald", KEPT_MS + 1)

    def test_what_signs_goes_on_when_somebody_rotates_again(self, management: Management) -> None:
        _, first = management.endpoints.create(ADMIN, "herald", BASIC)
        rotated, second = management.endpoints.rotate(ADMIN, "herald", 3_600_000)
        again, third = management.endpoints.rotate(ADMIN, "herald", 60_000)
        assert [secret.get_secret_value() for secret in whole(management)["herald"].secret] == [third, second, first]
        assert again.old_secret_until == rotated.old_secret_until
        for _ in range(7):
            management.endpoints.rotate(ADMIN, "herald", 60_000)
        with pytest.raises(Conflict, match="10 secrets of herald sign already"):
            management.endpoints.rotate(ADMIN, "herald", 60_000)
        _, last = management.endpoints.rotate(ADMIN, "herald", 0)
        assert [last] == [secret.get_secret_value() for secret in whole(management)["herald"].secret]
        management.endpoints.rotate(ADMIN, "herald", 1)
        time.sleep(0.01)
        _, newest = management.endpoints.rotate(ADMIN, "herald", 60_000)
        secrets = [secret.get_secret_value() for secret in whole(management)["herald"].secret]
        assert (newest, len(secrets)) == (secrets[0], 2), "one that had ended signs again"

    def test_another_key_seals_and_the_old_one_goes(self, management: Management) -> None:
        management.endpoints.create(ADMIN, "herald", FULL)
        new = new_key()
        around = management.surroundings
        management.surroundings = around._replace(sealer=Sealer([new, KEY]))
        assert management.endpoints.rekey(ADMIN) == 1
        assert management.endpoints.rekey(ADMIN) == 0
        management.surroundings = around._replace(sealer=Sealer([new]))
        assert whole(management)["herald"].secret[0].get_secret_value() == SECRET
        management.surroundings = around
        used = in_use(management.copy(), around, now())
        assert "sealed by another key" in used.unusable["herald"]
        with pytest.raises(Conflict, match="sealed by another key"):
            management.endpoints.rekey(ADMIN)

    def test_a_value_under_another_name_is_not_opened(self, management: Management) -> None:
        first, _ = management.endpoints.create(ADMIN, "herald", FULL)
        management.endpoints.create(ADMIN, "second", {**FULL, "secret": []})
        copy = management.copy()
        assert copy is not None
        swapped = [
            endpoint.model_copy(update={"secrets": first.secrets}) if endpoint.name == "second" else endpoint
            for endpoint in copy.endpoints
        ]
        used = in_use(copy.model_copy(update={"endpoints": tuple(swapped)}), management.surroundings, now())
        assert "was sealed for another endpoint" in used.unusable["second"]

    def test_secrets_are_nowhere(
        self, management: Management, store: Store, record: Record, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.DEBUG)
        management.endpoints.create(ADMIN, "herald", FULL)
        management.endpoints.change(ADMIN, "herald", {**FULL, "rate": 1})
        _, rotated = management.endpoints.rotate(ADMIN, "herald")
        with pytest.raises(InvalidInput) as refused:
            management.endpoints.change(ADMIN, "herald", {**FULL, "headers": {"X-Key": f"{HEADER}\n"}, "mode": "x"})
        management.endpoints.remove(ADMIN, "herald")
        texts = [str(refused.value), caplog.text]
        texts += [
            str(store.client.hgetall(key)) for key in store.client.scan_iter() if store.client.type(key) == "hash"
        ]
        with record.read() as connection:
            texts += [str(list(connection.execute(select(table)))) for table in tables.metadata.tables.values()]
        if record.file is not None:
            files = record.file.parent.glob("record.db*")
            texts += [file.read_bytes().decode("latin-1") for file in files]
        texts.append(json.dumps([entry._asdict() for entry in management.audit.entries(ADMIN, Filter(), 99)]))
        for planted in (SECRET, SECRET.removeprefix("whsec_"), PASSWORD, HEADER, "dateline-user", str(rotated)):
            assert not [text[:200] for text in texts if planted in text]

    def test_whoever_is_bound_sees_and_changes_only_theirs(self, management: Management) -> None:
        management.partners.create(ADMIN, "herald-group", {})
        management.partners.create(ADMIN, "others", {})
        management.endpoints.create(ADMIN, "herald", BASIC, "herald-group")
        management.endpoints.create(ADMIN, "other", BASIC, "others")
        management.endpoints.create(ADMIN, "nobodys", BASIC)
        bound = Caller(name="key:a", scopes=ALL, bounds=Bounds(partners=("herald-group",)))
        assert ["herald"] == [endpoint.name for endpoint in management.endpoints.list(bound)]
        assert ["herald-group"] == [partner.name for partner in management.partners.list(bound)]
        for name in ("other", "nobodys", "missing", "filed"):
            with pytest.raises(NotFound, match=f"there is no endpoint {name}"):
                management.endpoints.get(bound, name)
            with pytest.raises(NotFound):
                management.endpoints.rotate(bound, name)
            with pytest.raises(NotFound):
                management.endpoints.change(bound, name, BASIC, "herald-group")
        with pytest.raises(Forbidden):
            management.endpoints.change(bound, "herald", BASIC, "others")
        with pytest.raises(Forbidden):
            management.endpoints.create(bound, "mine", BASIC)
        with pytest.raises(Forbidden):
            management.partners.get(bound, "others")
        reader = Caller(name="key:b", scopes=frozenset({ENDPOINTS_READ}))
        with pytest.raises(Forbidden, match=ENDPOINTS_WRITE):
            management.endpoints.remove(reader, "herald")

    def test_whoever_is_bound_restores_nothing_that_was_taken_from_them(self, management: Management) -> None:
        management.partners.create(ADMIN, "herald-group", {})
        management.partners.create(ADMIN, "others", {})
        management.endpoints.create(ADMIN, "herald", BASIC, "herald-group")
        management.endpoints.create(ADMIN, "other", BASIC, "others")
        bound = Caller(name="key:a", scopes=ALL, bounds=Bounds(partners=("herald-group",)))
        for name in ("herald", "other"):
            management.endpoints.remove(ADMIN, name)
        with pytest.raises(Forbidden, match="feeds that its partner has already"):
            management.endpoints.restore(bound, "herald")
        for name in ("other", "missing"):
            with pytest.raises(NotFound, match=f"there is no removed endpoint {name}"):
                management.endpoints.restore(bound, name)
        management.endpoints.create(ADMIN, "second", BASIC, "herald-group")
        assert management.endpoints.restore(bound, "herald").removed is None


class TestPartners:
    def test_its_rights_are_those_of_its_endpoints_unless_they_say_otherwise(self, management: Management) -> None:
        partner = management.partners.create(ADMIN, "group", {"rights": {"text": "summary", "words": 50}})
        management.endpoints.create(ADMIN, "herald", {**BASIC, "rights": {"words": 9}}, "group")
        rights = whole(management)["herald"].rights
        assert (rights.text, rights.words) == ("summary", 9)
        management.partners.change(ADMIN, "group", {"rights": {"text": "headline"}}, partner.revision)
        assert whole(management)["herald"].rights.text == "headline"
        management.endpoints.create(ADMIN, "feed", {**BASIC, "mode": "feed", "format": "atom"}, "group")
        with pytest.raises(InvalidInput, match="of endpoint feed: has early"):
            management.partners.change(ADMIN, "group", {"rights": {"early": True}})

    def test_every_bad_field_is_named(self, management: Management) -> None:
        wrong = {"contacts": [{"name": "", "email": "nobody"}], "rights": {"text": "all"}, "x": 1}
        with pytest.raises(InvalidInput) as refused:
            management.partners.create(ADMIN, "No Name", wrong)
        assert {"name", "contacts.0.name", "contacts.0.email", "rights.text", "x"} == set(fields(refused))

    def test_one_with_endpoints_stays(self, management: Management) -> None:
        management.partners.create(ADMIN, "group", {"title": "The Group"})
        management.endpoints.create(ADMIN, "herald", BASIC, "group")
        with pytest.raises(Conflict, match=r"has endpoints \(herald\): remove them first"):
            management.partners.remove(ADMIN, "group")
        management.endpoints.remove(ADMIN, "herald")
        management.partners.remove(ADMIN, "group")
        with pytest.raises(NotFound, match="there is no partner group"):
            management.partners.get(ADMIN, "group")
        with pytest.raises(InvalidInput, match="partner: there is no partner group"):
            management.endpoints.create(ADMIN, "second", BASIC, "group")
        assert management.audit.verify(ADMIN).faults == []
