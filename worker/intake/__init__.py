"""How events come in: checked, distinguished from repetitions, and kept.

`accept` is the only way in. Requests, `dateline publish`, the desk and Celery's `dateline.accept` all call it. A good
event is accepted whatever stands beside it. When `accept` has answered, the event is in its Redis stream, and
everything after that can be done again by any worker (worker/newsroom). Kills have a stream of their own, which is
read before the other, by a thread of its own in every worker.

A repetition has the same event id and the same content. An id that comes with another content is a new event: some
systems send the id of the article as the id of each of its events, and nothing is dropped for that.

An event that Celery brings waits in its task while the store can't keep it, with pauses that grow to 5 seconds. That
may hold all threads of Celery's pool, and nothing depends on them: each duty has a thread of its own.

`inbound_signatures` checks how other systems sign what they send. `sources` reads what the command line is given, and
`inputs` makes events of it.

This room must never decide anything about the news: it does not look at what is published.
"""
