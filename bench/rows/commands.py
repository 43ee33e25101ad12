"""Commands: how long each takes from its start to its end, on the newsroom that runs, in turns with `python -c pass`.

`feeds` asks Redis, `articles` the record. Seconds; what an operator waits for is the median, and the spread says how
quiet the machine was. Modules are compiled before, as they are once Dateline is installed.
"""

from __future__ import annotations

import subprocess
import sys
import time
from contextlib import ExitStack
from statistics import median

from bench.newsroom import start
from bench.receiver import Receiver
from bench.results import Result, at_most

ROUNDS = 1
"""It has rounds of its own."""
LIMIT = """\
What is left is imported, of the processor's time of a command: Typer with Rich a tenth, pydantic and the models of the
settings a quarter, redis-py with all its clients and asyncio an eighth; for articles SQLAlchemy, which alone is a
quarter; for endpoints both, and what manages them. On a machine that does other things meanwhile it takes as much
longer as Python itself does."""

_COMMANDS = (["--version"], ["--help"], ["feeds", "--help"], ["feeds"], ["endpoints"], ["articles"])
_ROUNDS, _QUICK_ROUNDS = 9, 3
_BOUND = 0.3
_PROGRAM = "import sys; sys.argv[0] = 'dateline'; import dateline; dateline.main()"


def run(scale: float) -> list[Result]:
    """Measure. Raises what keeps it from being measured."""
    rounds = _ROUNDS if scale >= 1 else _QUICK_ROUNDS
    seconds: dict[str, list[float]] = {}
    with ExitStack() as stack:
        newsroom = stack.enter_context(start(stack.enter_context(Receiver()), ["listed"]))
        # Without the bytecode each command would compile all of it anew.
        environ = {**newsroom.environ, "PYTHONDONTWRITEBYTECODE": ""}
        for words in _COMMANDS:
            subprocess.run([sys.executable, "-c", _PROGRAM, *words], check=True, capture_output=True, env=environ)
        for _ in range(rounds):
            for words in (["python -c pass"], *_COMMANDS):
                program = ["-c", "pass"] if words == ["python -c pass"] else ["-c", _PROGRAM, *words]
                begun = time.monotonic()
                subprocess.run([sys.executable, *program], check=True, capture_output=True, env=environ)
                seconds.setdefault(" ".join(words), []).append(time.monotonic() - begun)
    bare = median(seconds["python -c pass"])
    return [
        Result("python -c pass", bare, "s").over(seconds.pop("python -c pass")),
        *(
            at_most(
                f"dateline {name}", median(values), _BOUND, "s", f"{median(values) / bare:.0f} times Python alone"
            ).over(values)
            for name, values in seconds.items()
        ),
    ]
