"""What tables show on a terminal and in a pipe: the columns that matter, and every word."""

from __future__ import annotations

import io

import pytest
from rich.cells import cell_len
from rich.console import Console

from worker.cli.text_tables import Table

URL = "https://partner-with-a-long-name.example/incoming/articles/in/json?site=harbour&desk=world"
COLUMNS = ("Endpoint", "Feed", "Mode", "State", "Why", "URL")
ROW = ("partner-one", "world", "article", "backoff until 2026-03-01 10:00:00", "answered 503 Service Unavailable", URL)


def shown(width: int | None, *rows: tuple[str, ...]) -> list[str]:
    """The lines of a table on a terminal so wide; None: in a pipe."""
    file = io.StringIO()
    console = Console(file=file, width=width or 1_000_000, force_terminal=width is not None, color_system=None)
    table = Table(*COLUMNS, details=("URL", "Why", "Mode"))
    for row in rows:
        table.add_row(*row)
    table.show(console, "There are none.")
    return file.getvalue().splitlines()


@pytest.mark.parametrize("width", [40, 60, 80, 100, 132])
def test_on_a_terminal_nothing_is_wider_and_nothing_is_lost(width: int) -> None:
    lines = shown(width, ROW)
    assert max(map(cell_len, lines)) <= width
    everything = "".join("".join(lines).split())
    for cell in (*ROW[:1], *ROW[4:]):
        assert "".join(cell.split()) in everything


def test_on_80_columns_name_and_state_stay_in_the_row() -> None:
    header, _, row, *under = shown(80, ROW)
    assert header.split() == ["Endpoint", "Feed", "Mode", "State"]
    assert row.split() == ["partner-one", "world", "article", "backoff", "until", "2026-03-01", "10:00:00"]
    assert [line.split()[0] for line in under if line.strip().startswith(("Why", "URL"))] == ["Why", "URL"]


def test_what_goes_on_under_a_row_shares_a_line_where_there_is_room() -> None:
    row = ("partner-one", "world", "article", "backoff until 2026-03-01 10:00:00", "answered 503", "https://p.example/")
    _, _, _, below = shown(70, row)
    assert below.split() == ["Why", "answered", "503", "URL", "https://p.example/"]


def test_where_there_is_room_a_row_is_a_line() -> None:
    assert [line.split()[0] for line in shown(250, ROW, ROW)[2:]] == ["partner-one", "partner-one"]


def test_in_a_pipe_a_row_is_a_line_however_long() -> None:
    long = (*ROW[:5], f"https://partner.example/{'x' * 3000}")
    assert [line.rsplit("   ", 1)[1] for line in shown(None, ROW, long)[2:]] == [URL, long[5]]


def test_what_others_wrote_breaks_no_line_and_is_no_markup() -> None:
    wicked = ("partner\x1b[31m", "world", "article", "paused", "said [red]no[/]\nand more\u202e", "")
    (row,) = shown(None, wicked)[2:]
    assert "\x1b" not in row
    assert "[red]no[/]" in row
    assert "\\n" in row


def test_wide_characters_keep_their_columns() -> None:
    rows = [("港新聞", "world", "article", "settled", "", URL), ("harbour", "world", "article", "settled", "", URL)]
    lines = shown(None, *rows)[2:]
    assert len({cell_len(line[: line.index("world")]) for line in lines}) == 1


def test_an_empty_table_says_so() -> None:
    assert shown(80) == ["There are none."]
