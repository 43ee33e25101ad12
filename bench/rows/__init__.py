"""The rows: one file each, with `run(scale)`, which returns what was measured. `scale` 1 is the whole work.

A row is run `ROUNDS` times, by default five; one that has rounds of its own, or takes minutes, says 1. A
quick run has one.
"""

from __future__ import annotations

from bench.rows import (
    api,
    buckets,
    catchup,
    commands,
    decade,
    desk,
    endpoints,
    fanout,
    files,
    growth,
    isolation,
    latency,
    patterns,
    record,
    rendering,
    serving,
    slow_folder,
    slow_half,
)

ROWS = {
    "fan-out": fanout,
    "latency idle": latency,
    "growth": growth,
    "isolation": isolation,
    "endpoints": endpoints,
    "files": files,
    "slow half": slow_half,
    "slow folder": slow_folder,
    "catch-up": catchup,
    "buckets": buckets,
    "rendering": rendering,
    "patterns": patterns,
    "serving": serving,
    "api": api,
    "desk": desk,
    "commands": commands,
    "record": record,
    "ten years": decade,
}
