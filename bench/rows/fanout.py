"""Fan-out: one change for 10,000 subscriptions with secrets, a push of 4 kB, two workers.

Deliveries per second from the moment the event is begun to be posted to the last arrival. Beside it, in turns: (a) one
Celery task per delivery with `requests.post`; (b) Flask-WebSub on Celery; (c) a bare libcurl loop, with one process and
with two, whichever is faster. All send the same bytes to the same receivers on 100 hosts. (a) and (b) send to the first
2,000 of them only: their rate is the same from the first to the last, and slow. Medians of the rounds.
"""

from __future__ import annotations

from collections import defaultdict
from contextlib import ExitStack
from statistics import median

from bench.newsroom import start
from bench.peers.bare import bare
from bench.peers.celery import best_pool, hub_peer, post_peer
from bench.receiver import Receiver
from bench.results import Result, at_least

LIMIT = """\
Both processors are busy, so the rate is what a delivery costs: see the cores above. (c) has no claims and no
settlements, and nothing else to do; a worker listens, notes and keeps watch in other threads meanwhile. Two thirds of a
worker's time for a push are the engine's: libcurl and the kernel take two thirds of these, as in (c), and what Python
does around them the rest. A third is the distributor's, and a quarter of it the signature of 4 kB, which (c) makes as
well. Since one thread does both, a push takes a quarter less; free-threaded Python was to be had for no machine that
this was measured on. Tried without an effect beyond the noise (10 %): shorter and longer turns of
Python's lock (sys.setswitchinterval 0.5 and 20 ms), larger claims and settlements, 10 or 200 requests started at once
instead of 50, SHA-256 twice instead of OpenSSL's HMAC (0.5 of 3.6 us), a smaller buffer for uploads. Beside peers that
are measured while other work keeps the processors busy the ratios are better: (a) and (c) then lose more than we do."""

_SUBSCRIPTIONS = 10_000
_BODY_BYTES = 4_096
_ROUNDS = 5
"""Of ours and (c); of (a) and (b) three, since they take long."""


def run(scale: float) -> list[Result]:
    """Measure. Raises what keeps it from being measured."""
    paths = [f"/o/{number}" for number in range(_SUBSCRIPTIONS)]
    few = paths[: max(300, int(2_000 * scale))]
    pool, tried = best_pool(scale)
    measured: dict[str, list[float]] = defaultdict(list)
    busy = ""
    with ExitStack() as stack:
        receiver = stack.enter_context(Receiver())
        newsroom = stack.enter_context(start(receiver, ["four", "fan"]))
        post = stack.enter_context(post_peer(receiver, pool))
        hub = stack.enter_context(hub_peer(receiver, pool))
        loops = [stack.enter_context(bare(receiver, processes)) for processes in (1, 2)]
        newsroom.subscribe("four", ["/o/four"])
        text = newsroom.text_for(_BODY_BYTES, "four")
        newsroom.subscribe("fan", paths)
        hub.subscribe("topic", few)

        for version in (1, 2):
            body = newsroom.push("fan", len(paths), version, text).body
            newsroom.settled("fan")
        for loop in loops:
            loop.rate(paths, body)
        for number in range(max(3, int(_ROUNDS * scale))):
            usage = newsroom.usage()
            pushed = newsroom.push("fan", len(paths), number + 3, text)
            measured["ours"].append(pushed.rate)
            busy = pushed.busy
            newsroom.settled("fan")
            for group in ("workers", "Redis"):
                measured[group].append(1e6 * usage.seconds(group) / len(paths))
            for loop, name in zip(loops, ("c1", "c2"), strict=True):
                measured[name].append(loop.rate(paths, body))
            if number < 3:
                measured["a"].append(post.rate(few, body))
                measured["b"].append(hub.rate("topic", len(few), body))
    middle = {name: median(values) for name, values in measured.items()}
    limit = max(middle["c1"], middle["c2"])
    return [
        Result("deliveries", middle["ours"], "/s", note=f"push of {len(body):,} bytes; {busy}"),
        Result("processor time of the workers for each", middle["workers"], "us", note="until all are settled"),
        Result("processor time of Redis for each", middle["Redis"], "us"),
        Result("(a) Celery task with requests.post", middle["a"], "/s", note=f"{pool}; tried {tried}"),
        Result("(b) Flask-WebSub", middle["b"], "/s", note=f"{pool}"),
        Result("(c) bare libcurl", limit, "/s", note=f"1 process {middle['c1']:.0f}/s, 2: {middle['c2']:.0f}/s"),
        at_least("against (a)", middle["ours"] / middle["a"], 35, "x"),
        at_least("against (b)", middle["ours"] / middle["b"], 15, "x"),
        at_least("against (c)", middle["ours"] / limit, 0.55, "x"),
    ]
