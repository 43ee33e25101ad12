"""The rows: one file each, with `run(scale)`, which returns what was measured. `scale` 1 is the whole work."""

from __future__ import annotations

from bench.rows import (
    catchup,
    decade,
    endpoints,
    fanout,
    growth,
    isolation,
    latency,
    patterns,
    record,
    rendering,
    serving,
)

ROWS = {
    "fan-out": fanout,
    "latency idle": latency,
    "growth": growth,
    "isolation": isolation,
    "endpoints": endpoints,
    "catch-up": catchup,
    "rendering": rendering,
    "patterns": patterns,
    "serving": serving,
    "record": record,
    "ten years": decade,
}
