"""The files that run Dateline on machines of one's own, and the page that leads through them, fit the program."""

from __future__ import annotations

import configparser
import re
import shutil
import subprocess
import tomllib
from contextlib import closing
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from config.settings import load
from web.metrics import COUNTERS
from worker.cli.commands import app
from worker.runtime.record_in_use import record_of

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "production.md").read_text("utf-8")
UNITS = sorted((ROOT / "config" / "systemd").glob("*.service"))
NGINX = (ROOT / "config" / "nginx" / "dateline.conf").read_text("utf-8")


def unit(path: Path) -> configparser.ConfigParser:
    parser = configparser.ConfigParser(strict=True, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string(path.read_text("utf-8").replace("\\\n", " "))
    return parser


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
def test_a_unit_starts_what_there_is_and_starts_it_again(path: Path) -> None:
    service = unit(path)["Service"]
    words = service["ExecStart"].split()
    if words[0] == "/opt/dateline/bin/dateline":
        help_text = CliRunner().invoke(app, [words[1], "--help"])
        assert help_text.exit_code == 0
        assert all(word in help_text.stdout for word in words if word.startswith("--"))
        assert service["ExecReload"].endswith("-HUP $MAINPID")
    assert service["StateDirectory"].startswith("dateline")
    assert (service["Restart"], service["User"], service["ProtectSystem"]) == ("always", "dateline", "strict")
    assert unit(path)["Install"]["WantedBy"] == "dateline.target"


def test_the_page_names_the_units_and_files_that_there_are() -> None:
    units = set(re.findall(r"dateline-(?:redis|web|worker@)", PAGE))
    assert {path.name.removesuffix(".service") for path in UNITS} == units
    for path in re.findall(r"\]\(\.\./(config/[^)#]+)\)", PAGE):
        assert (ROOT / path).exists(), path
    for path in re.findall(r"install .*? (config/\S+) ", PAGE):
        assert list(ROOT.glob(path)), path


def test_the_settings_on_the_page_are_settings(tmp_path: Path) -> None:
    text, elsewhere = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    tomllib.loads(text)
    secret = tmp_path / "api_tokens"
    secret.write_text("one-token-of-some-length\n")
    (tmp_path / "record").write_text("p@ss/word\n")
    config = tmp_path / "dateline.toml"
    feed = '[[feeds]]\nname = "all"\ntitle = "All"\n'
    config.write_text(text.replace("/etc/dateline/secrets/api_tokens", str(secret)) + feed)
    settings = load(config, {})
    assert settings.record_url == "postgresql+psycopg://dateline@/dateline?host=/run/postgresql"
    config.write_text(elsewhere.replace("/etc/dateline/secrets/record", str(tmp_path / "record")) + feed)
    with closing(record_of(load(config, {}))) as record:
        assert (record.url.host, record.url.password) == ("db.internal", "p@ss/word")
        assert record.url.query["sslmode"] == "verify-full"
    assert settings.redis_url == "unix:///run/dateline/redis.sock"
    assert [token.get_secret_value() for token in settings.api_tokens] == ["one-token-of-some-length"]


def test_the_alarms_watch_what_is_told() -> None:
    rules = yaml.safe_load((ROOT / "config" / "prometheus" / "dateline.yml").read_text("utf-8"))
    told = {f"{name}_total" for name in COUNTERS} | set(re.findall(r"`(dateline_\w+)`", operations()))
    watched = {
        name
        for group in rules["groups"]
        for rule in group["rules"]
        for name in re.findall(r"dateline_\w+", rule["expr"])
    }
    assert watched
    assert watched <= told


@pytest.mark.skipif(shutil.which("promtool") is None, reason="there is no promtool (apt-get install prometheus)")
def test_the_alarms_ring_when_they_should() -> None:
    alarms = ROOT / "tests" / "unit" / "data" / "alarms.yml"
    done = subprocess.run(["promtool", "test", "rules", str(alarms)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_each_alarm_is_tried() -> None:
    folder = ROOT / "tests" / "unit" / "data"
    rules = yaml.safe_load((ROOT / "config" / "prometheus" / "dateline.yml").read_text("utf-8"))
    tried = {
        test["alertname"]
        for case in yaml.safe_load((folder / "alarms.yml").read_text("utf-8"))["tests"]
        for test in case["alert_rule_test"]
        if test["exp_alerts"]
    }
    assert {rule["alert"] for group in rules["groups"] for rule in group["rules"]} == tried


def operations() -> str:
    return (ROOT / "docs" / "operations.md").read_text("utf-8")


@pytest.mark.skipif(shutil.which("nginx") is None, reason="there is no nginx (apt-get install nginx)")
def test_nginx_takes_its_file(tmp_path: Path) -> None:
    files = ("-keyout", str(tmp_path / "privkey.pem"), "-out", str(tmp_path / "fullchain.pem"))
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=news.example"]
    subprocess.run([*command, *files], check=True, capture_output=True)
    server = re.sub(r"listen \[::\].*\n", "", NGINX.replace("/etc/ssl/news.example", str(tmp_path)))
    server = server.replace("listen 80;", "listen 127.0.0.1:47080;").replace("listen 443", "listen 127.0.0.1:47443")
    paths = "".join(f"{kind}_temp_path {tmp_path}/{kind}; " for kind in ("proxy", "fastcgi", "uwsgi", "scgi"))
    config = tmp_path / "nginx.conf"
    config.write_text(
        f"pid {tmp_path}/pid; error_log stderr; events {{}}\n"
        f"http {{ access_log off; client_body_temp_path {tmp_path}/body; {paths}\n{server}\n}}\n"
    )
    done = subprocess.run(
        ["nginx", "-t", "-c", str(config), "-p", str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_nginx_believes_no_client() -> None:
    assert "proxy_set_header X-Forwarded-For $remote_addr;" in NGINX
    assert "$proxy_add_x_forwarded_for" not in NGINX
