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

_SUBSCRIPTIONS = 10_000
_BODY_BYTES = 4_096
_ROUNDS = 5
"""Of ours and (c); of (a) and (b) three, since they take long."""


def run(scale: float) -> list[Result]:
    """Measure. Raises what keeps it from being measured."""
    paths = [f"/o/{number}" for number in range(_SUBSCRIPTIONS)]
    few = paths[: max(300, int(2_000 * scale))]
    pool, tried = best_pool(max(100, int(500 * scale)))
    rates: dict[str, list[float]] = defaultdict(list)
    usages = []
    with ExitStack() as stack:
        receiver = stack.enter_context(Receiver())
        newsroom = stack.enter_context(start(receiver, ["probe", "fan"]))
        post = stack.enter_context(post_peer(receiver, pool))
        hub = stack.enter_context(hub_peer(receiver, pool))
        loops = [stack.enter_context(bare(receiver, processes)) for processes in (1, 2)]
        newsroom.subscribe("probe", ["/o/probe"])
        text = newsroom.text_for(_BODY_BYTES, "probe", "/o/probe")
        newsroom.subscribe("fan", paths)
        hub.subscribe("topic", few)

        def ours(version: int) -> float:
            receiver.reset()
            begun = newsroom.publish("fan", "fan", version, text)
            rate = len(paths) / (receiver.wait(len(paths), 120) - begun)
            counts = receiver.counts()
            if len(counts.paths) != len(paths) or counts.wrong:
                raise RuntimeError(f"{len(counts.paths)} of {len(paths)} were told, {counts.wrong} wrongly signed")
            newsroom.settled("fan")
            return rate

        for version in (1, 2):
            ours(version)
        body = receiver.counts().body
        for loop in loops:
            loop.rate(paths, body)
        for number in range(max(3, int(_ROUNDS * scale))):
            usage = newsroom.usage()
            rates["ours"].append(ours(number + 3))
            usages.append(usage.report())
            for loop, name in zip(loops, ("c1", "c2"), strict=True):
                rates[name].append(loop.rate(paths, body))
            if number < 3:
                rates["a"].append(post.rate(few, body))
                rates["b"].append(hub.rate("topic", len(few), body))
    middle = {name: median(values) for name, values in rates.items()}
    limit = max(middle["c1"], middle["c2"])
    return [
        Result("deliveries", middle["ours"], "/s", note=f"push of {len(body):,} bytes; {usages[-1]}"),
        Result("(a) Celery task with requests.post", middle["a"], "/s", note=f"{pool}; tried {tried}"),
        Result("(b) Flask-WebSub", middle["b"], "/s", note=f"{pool}"),
        Result("(c) bare libcurl", limit, "/s", note=f"1 process {middle['c1']:.0f}/s, 2: {middle['c2']:.0f}/s"),
        at_least("against (a)", middle["ours"] / middle["a"], 30, "x"),
        at_least("against (b)", middle["ours"] / middle["b"], 15, "x"),
        at_least("against (c)", middle["ours"] / limit, 0.5, "x"),
    ]
