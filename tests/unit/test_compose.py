"""docker-compose.yml and the Dockerfile: valid, complete, and as closed as they can be."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from config.settings import Settings
from config.sources import CONFIG_VARIABLE, variables

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


def test_there_are_redis_workers_and_web() -> None:
    assert set(SERVICES) == {"redis", "worker", "web"}


@pytest.mark.parametrize("name", SERVICES)
def test_every_service_is_watched_and_closed(name: str) -> None:
    service = SERVICES[name]
    assert service["healthcheck"]["test"]
    assert service["restart"] == "unless-stopped"
    assert service["stop_grace_period"]
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


@pytest.mark.parametrize("name", OURS)
def test_ours_wait_for_redis(name: str) -> None:
    assert SERVICES[name]["depends_on"] == {"redis": {"condition": "service_healthy"}}


@pytest.mark.parametrize("name", OURS)
def test_what_is_mounted_is_declared_and_where_the_settings_look(name: str) -> None:
    service = SERVICES[name]
    targets = {config["target"] for config in service["configs"]}
    assert {config["source"] for config in service["configs"]} <= set(COMPOSE["configs"])
    assert set(service["secrets"]) <= set(COMPOSE["secrets"])
    assert service["environment"]["DATELINE_CONFIG"] in targets
    assert service["environment"]["DATELINE_API_TOKENS_FILE"] == f"/run/secrets/{service['secrets'][0]}"
    for config in COMPOSE["configs"].values():
        assert (ROOT / re.sub(r"^\$\{\w+:-(.*)\}$", r"\1", config["file"])).is_file()


@pytest.mark.parametrize("name", OURS)
def test_every_variable_is_a_setting_and_no_secret_is_in_one(name: str) -> None:
    known = {*variables(Settings), CONFIG_VARIABLE}
    environment = SERVICES[name]["environment"]
    assert set(environment) <= known
    assert not {"DATELINE_API_TOKENS", "DATELINE_EVENT_SECRETS"} & set(environment)
    taken_from_outside = re.findall(r"\$\{(\w+)", (ROOT / "docker-compose.yml").read_text("utf-8"))
    assert set(taken_from_outside) <= known


def test_the_port_inside_is_the_one_published_and_asked() -> None:
    web = SERVICES["web"]
    port = str(web["environment"]["DATELINE_WEB__PORT"])
    assert web["ports"][0].rpartition(":")[2] == port
    assert f'"127.0.0.1", {port}' in web["healthcheck"]["test"][-1]
    compile(web["healthcheck"]["test"][-1], "healthcheck", "exec")


def test_the_image_has_all_packages_and_no_root() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text("utf-8")
    copied = set(re.findall(r"^COPY (\w+) \1$", dockerfile, re.MULTILINE))
    assert copied == {"config", "feeds", "worker", "web"}
    allowed = {line[1:] for line in (ROOT / ".dockerignore").read_text("utf-8").splitlines() if line.startswith("!")}
    assert allowed == copied | {"pyproject.toml", "requirements.lock", "README.md", "LICENSE"}
    assert re.findall(r"^USER (.*)$", dockerfile, re.MULTILINE)[-1] == "10001:10001"
    assert "--require-hashes" in dockerfile
