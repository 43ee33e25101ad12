"""Who is behind, and what they are sent: subscriptions and endpoints with their cursors.

A receiver is a WebSub subscription or a partner endpoint. Its cursor is the last change of its feed up to which it is
up to date. The room claims receivers that are behind, has the engine (worker/outbound) serve them, and stores how far
they have come. The parts:

- The loop: `distributor` takes messages (`inbox`) and claims for the feeds in turn (`feed_queue`). `sessions` serves
  what was claimed, `attempt_notes` and `settlements` store what came of it, `backoff_review` brings tries forward.
- A session (`push_session`) serves one claim: `subscribers` for subscriptions; for the endpoints of the settings
  (`endpoint_directory`), `endpoint_planner` reads a `push_plan` and begins a `feed_push` or `article_pushes`. Both are
  `endpoint_pushes`.
- `article_readings` has the articles for all sessions, as they were a moment ago.
- A session of articles asks `pending_articles` what goes next, and `due_messages` what the endpoint has to get of it,
  which compares the `ledger` with the article. `push_status` gives the message its name, `message_cache` renders it.
- `pull_stream` is what partners read for themselves, up to a `pull_position` that they acknowledge.
- `policy` says what an answer means; `disputes` and `doubts`, whose trouble a refusal is.
- `clearance` says which requests may still begin.

The ideas behind them:

- **Everything is made of the articles as they are at the moment of the attempt**, or a twentieth of a second before.
  What all ready sessions need is read from Redis at once: reading each article by itself was nine tenths of what the
  distributor did.
- **While Redis works, so do we.** The answers of a pass are sent to Redis, with the question how those articles stand
  that go after the next ones. Before its reply is waited for, the next ones are rendered, signed and sent: they were
  asked about in the pass before. Of an article whose own answer is on the way nothing is sent before it is there.
- **A withdrawal is heard before it is recorded.** A request may wait for a name, a turn or a connection for seconds.
  So each process listens to withdrawals and holds a lease of a second, renewed five times a second. Whoever takes an
  article out of a feed announces it, waits until all processes with a lease have confirmed it or their leases have
  ended, and only then records it. A request asks twice whether it is still right: when its turn comes, and before its
  first byte. One that is not is given back and made anew.
- **Notices go first.** Kills and withdrawals of what an endpoint has go before anything older, kills first, and are
  free of its rate. A kill is also sent to an endpoint whose ledger has nothing of the article, if the article was in
  the feed after the endpoint came: a request that was cut off may have arrived.
- **The cursor moves over what is done from the oldest change on.** Several articles of an endpoint may be in flight,
  each in one request only. What is done beyond a gap is in the ledger, and is not sent twice.
- **Whose trouble a refusal is, other articles tell.** Gateways answer 401, 404 or 400 to everything for a while, and
  partners' systems answer 404 or 500 to one article for ever. An article that is refused while others are taken leaves
  the cursor's way and becomes a dispute with a time of its own.
- **The wait grows with time, not with tries.** News brings tries forward, so their number says how much news there was.
- **Who failed before comes last.** A change brings receivers in backoff forward when all others have been sent to, at
  the latest a second later. Only a kill does so at once.
- **A replay is a set of articles beside the cursor.** While it is not empty, its endpoint stays one change behind the
  head, so it is claimed like any other.
- **A message id stands for one body.** It is made of the body; a repetition carries the same one. Each answer is on
  its way into Redis before anything more is sent, so a worker that is killed repeats no more than was in flight.
- **An error of ours ends one session.** Nobody else's claim waits for it. An outage of Redis is nobody's failure.

This room must never open a connection itself, keep a body for later, or decide what a feed contains.
"""
