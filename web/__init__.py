"""What people and machines reach over HTTP: feeds, the hub, the ways in for events, health and metrics.

The modules here speak HTTP and hand on to the rooms of worker/. They must never decide anything about news, and only
`app` may import worker.runtime, because it wires everything: each endpoint is given the parts that it uses.

**A request for a feed asks nobody.** Who asks for a document in the same words as somebody before is answered by
`connection` itself, which knows the bytes of such requests (`known_requests`). `fast_path` stands in front of the
application and answers from `document_cache` what else it can: path, validators, coding, headers that are there as
bytes. Everything else, also the first request for a document, goes the long way through Starlette.

**A cached document is behind like a receiver.** Each web process knows the head of every feed that it serves, because
`change_listener` hears of changes and reads the heads once a second, and each document knows the head at which it was
made. `feed_heads` compares the two: when the feed's head is greater, the next request has the document made anew. When
the connection to Redis was lost, even for a moment, all are made anew, because it may be another Redis now that knows
less. Redis counts as back when heads were read from it, not when it answers a subscription: it does that while it
loads. Kills that were heard of are never forgotten: a document that is older than a kill is not served, also if Redis
no longer knows of the kill.

**Settings are new wiring, not patches.** At SIGHUP `app` builds another application behind the fast path. The cached
documents, the memory of kills and the connections stay. Requests that have begun end with the application they began
with.

**Strangers may do anything.** `connection_limits` ends idle connections, `request_body` bounds bodies in bytes, time
and number, `client_address` believes only the proxies in the settings, and no input makes a traceback: `error_handlers`
and `problem_details` give every error as application/problem+json, and to browsers as a page.

**HTTP is meant strictly.** A 304 names the tag that the client named, whatever coding it would get now: each of them is
the current document. Last-Modified lies a second back until the second of the change is over, because a second change
in it must not hide behind the first. Archives have no Last-Modified: it would go back when their newest article is
killed. What is read of header fields, and why no library does it, is in `header_fields`.

**A feed is gone only when a worker says so**, when it has moved the articles by new settings. A web process with old
settings, or one that has new settings before the workers, must not send readers away for good.
"""
