"""The recipes of CONTRIBUTING.md for a format and an adapter are followed in a copy; nothing else has to be touched."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from fnmatch import fnmatch
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
TOYS = Path(__file__).parent / "data" / "recipes"
WIRE: dict[str, Any] = {
    "number": "tw-17",
    "state": "live",
    "language": "en",
    "headline": "Ferries return to the east quay",
    "text": "<p>Two ferries sailed on Wednesday.</p>",
    "page": "https://tidewire.example/ferries",
    "changed": "2026-03-04T11:00:00Z",
}
LATER = "2026-03-04T12:00:00Z"
CASES: dict[str, dict[str, Any]] = {
    "english": WIRE,
    "arabic": WIRE | {"number": "tw-18", "language": "ar", "headline": "العبّارات تعود إلى الرصيف الشرقي"},
    "correction": WIRE | {"headline": "Ferries return to the west quay", "changed": LATER},
    "picture": WIRE | {"picture": "https://tidewire.example/quay.jpg", "changed": LATER},
    "withheld": WIRE | {"state": "held", "changed": LATER},
    "kill": WIRE | {"state": "killed", "changed": LATER},
}
OWN_TEST = """
from datetime import UTC, datetime

from feeds.article import Article
from feeds.formats import ARTICLE_FORMATS
from feeds.formats.interface import Provider
from feeds.validation.checks import check_article

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)


def test_a_note_without_an_id_is_found() -> None:
    article = Article(id="a", version=1, headline="Ferries", url="https://e.example/a", published=NOON, updated=NOON)
    note = ARTICLE_FORMATS["newsnote"].render("article.published", article, "m", Provider("e.example,2026", "E"))
    [finding] = check_article("newsnote", note.replace(b' id="tag:e.example,2026:article/a"', b""))
    assert "newsnote.id" == finding.rule
"""
CHECK = '''
def tidewire(headers: Mapping[str, str], body: bytes, secrets: Sequence[str], now: float) -> None:
    """Check `x-tidewire-signature: HEX`."""
    del now  # it signs no time
    digests = [hmac.digest(secret.encode(), body, "sha256").hex() for secret in secrets]
    if headers.get("x-tidewire-signature") not in digests:
        raise SignatureError("no x-tidewire-signature is right")


@dataclass'''


def edit(file: Path, *replacements: tuple[str, str]) -> None:
    text = file.read_text("utf-8")
    for old, new in replacements:
        assert 1 == text.count(old), f"{file.name} has {old!r} {text.count(old)} times"
        text = text.replace(old, new)
    file.write_text(text, "utf-8")


def in_changelog(copy: Path, line: str) -> None:
    text = (copy / "CHANGELOG.md").read_text("utf-8")
    (copy / "CHANGELOG.md").write_text(text.replace("### Added\n", f"### Added\n- {line}\n", 1), "utf-8")


def pytest_in(copy: Path, *arguments: str) -> None:
    # With this folder first in the path the copy's packages are the ones that are imported.
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", *arguments]
    done = subprocess.run(command, cwd=copy, capture_output=True, text=True, check=False)
    assert 0 == done.returncode, done.stdout[-3000:] + done.stderr[-1000:]


def digests(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file() and not {"__pycache__", ".hypothesis"} & set(path.parts)
    }


def steps(heading: str, name: str) -> list[str]:
    """The file with which each step of a recipe begins, as a pattern."""
    recipe = (ROOT / "CONTRIBUTING.md").read_text("utf-8").partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    return [file.replace("NAME", name) for file in re.findall(r"^\d+\. `([^`]+)`", recipe, re.MULTILINE)]


def compare(heading: str, name: str, before: dict[str, str], after: dict[str, str]) -> None:
    touched = {file for file in before.keys() | after.keys() if before.get(file) != after.get(file)}
    patterns = steps(heading, name)
    assert patterns
    assert [file for file in touched if not any(fnmatch(file, pattern) for pattern in patterns)] == []
    assert [pattern for pattern in patterns if not any(fnmatch(file, pattern) for file in touched)] == []


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    done = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip("this is no checkout, so which files are the project's is not known")
    for name in filter(None, done.stdout.split("\0")):
        if (ROOT / name).is_file() and not name.startswith("tests/unit/data/recipes/"):
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, tmp_path / name)
    return tmp_path


# Long: it runs a thousand tests more, in a copy of the project.
@pytest.mark.long
@pytest.mark.timeout(400)
def test_a_format_is_added_by_its_recipe(copy: Path) -> None:
    before = digests(copy)
    shutil.copytree(TOYS / "format", copy, dirs_exist_ok=True)
    edit(
        copy / "feeds" / "formats" / "__init__.py",
        ("    newsmlg2,\n", "    newsmlg2,\n    newsnote,\n"),
        ("        applenews.FORMAT,\n", "        applenews.FORMAT,\n        newsnote.FORMAT,\n"),
    )
    edit(
        copy / "feeds" / "validation" / "checks.py",
        (
            "\nfrom feeds.validation.ninjs import",
            "\nfrom feeds.validation.newsnote import newsnote\nfrom feeds.validation.ninjs import",
        ),
        ('    "applenews": apple_news,\n', '    "applenews": apple_news,\n    "newsnote": newsnote,\n'),
    )
    edit(
        copy / "docs" / "formats.md",
        (
            "\n\n**Embargo.**",
            (
                "\n| `newsnote` | `application/newsnote+xml` | `id` → id; `version` → version; `headline` → headline; "
                "`summary` → summary; `body_html` → text, without markup; `embargoed` → embargoed | `edition` `url` "
                "`alternates` `section` `subjects` `authors` `images` `expires` `urgency` `dateline` `source` `rights` "
                "`ai_assisted` `published` `updated` | a higher version | status canceled, withheld |\n\n**Embargo.**"
            ),
        ),
    )
    edit(copy / "config" / "dateline.toml", ("text, applenews;", "text, applenews, newsnote;"))
    edit(copy / "feeds" / "format_names.py", ('"text", "applenews")', '"text", "applenews", "newsnote")'))
    (copy / "tests" / "unit" / "test_formats_newsnote.py").write_text(OWN_TEST, "utf-8")
    in_changelog(copy, "The format newsnote.")
    pytest_in(copy, "tests/golden/test_golden.py", "--regenerate", "-k", "newsnote")
    compare("Add a format of articles", "newsnote", before, digests(copy))
    judges = [f"tests/unit/test_{name}.py" for name in ("recognition", "docs_formats", "cli", "formats_newsnote")]
    pytest_in(copy, "tests/golden/test_golden.py", *judges)
    # Of those that take long what looks at formats of articles.
    looks = "article or format or comments or json_of_any_shape or rules"
    others = [f"tests/unit/test_{name}.py" for name in ("validation", "languages", "settings", "settings_endpoints")]
    pytest_in(copy, *others, "-k", looks)


# Long: it runs a thousand tests more, in a copy of the project.
@pytest.mark.long
@pytest.mark.timeout(400)
def test_an_adapter_is_added_by_its_recipe(copy: Path) -> None:
    before = digests(copy)
    shutil.copytree(TOYS / "adapter", copy, dirs_exist_ok=True)
    edit(
        copy / "feeds" / "adapters" / "__init__.py",
        ("plain_text, wordpress\n", "plain_text, tidewire, wordpress\n"),
        ("ghost.ADAPTER, ", "ghost.ADAPTER, tidewire.ADAPTER, "),
    )
    folder = copy / "tests" / "golden" / "adapters" / "tidewire"
    folder.mkdir()
    for case, wire in CASES.items():
        (folder / f"{case}.json").write_text(json.dumps({"tidewire": wire}, ensure_ascii=False, indent=2), "utf-8")
    edit(
        copy / "docs" / "newsroom.md",
        (
            "| a page of a news site |",
            (
                "| Tidewire | `POST /events/tidewire` | HMAC-SHA256 of the body in `X-Tidewire-Signature` | "
                "`feeds/adapters/tidewire.py` |\n| a page of a news site |"
            ),
        ),
    )
    edit(copy / "feeds" / "format_names.py", ('"page", "text")', '"page", "text", "tidewire")'))
    in_changelog(copy, "Tidewire may post to /events/tidewire.")
    edit(
        copy / "worker" / "intake" / "inbound_signatures.py",
        ("\n@dataclass", CHECK),
        (
            '    "ghost": SigningSystem(ghost, ("x-ghost-signature",)),\n',
            (
                '    "ghost": SigningSystem(ghost, ("x-ghost-signature",)),\n'
                '    "tidewire": SigningSystem(tidewire, ("x-tidewire-signature",)),\n'
            ),
        ),
    )
    edit(
        copy / "config" / "settings.py",
        (
            '    """Webhooks of Ghost."""\n',
            '    """Webhooks of Ghost."""\n    tidewire: AdapterSettings = AdapterSettings()\n    """Tidewire."""\n',
        ),
    )
    edit(
        copy / "config" / "dateline.toml",
        (
            "[adapters.ghost]\n",
            '[adapters.tidewire]\n#secret_env = "TIDEWIRE_SECRET"\n#edition = "en"\n#url = ""\n\n[adapters.ghost]\n',
        ),
    )
    edit(
        copy / "tests" / "system_signatures.py",
        ('"wordpress": wordpress}', '"wordpress": wordpress, "tidewire": tidewire}'),
        (
            "\nSIGNED: ",
            (
                "\ndef tidewire(secret: str, body: bytes, now: float) -> Headers:\n    del now\n"
                '    return [{"x-tidewire-signature": digest(secret, body)}]\n\n\nSIGNED: '
            ),
        ),
    )
    adapted = "tests/golden/adapters/test_adapted.py"
    pytest_in(copy, adapted, "--regenerate", "-k", "tidewire")
    compare("Add an adapter", "tidewire", before, digests(copy))
    judges = [f"tests/unit/test_{name}.py" for name in ("cli", "inbound_signatures", "settings")]
    pytest_in(copy, adapted, "tests/unit/test_docs.py::test_every_adapter_is_documented", *judges)
    inputs = ("tests/unit/test_adapters.py", "tests/unit/test_adapters_any_input.py")
    pytest_in(copy, *inputs, "-k", "tidewire or guess or recognize")
