"""What an event changes: articles, the feeds that they belong to, and the change logs of those feeds.

The way of an event, with the module of each step:

1. `event_consumer` reads it from its stream, and acknowledges it when everything that it causes is saved.
2. `publisher` hands it to whoever carries out events of its kind: `article_events`, `list_events`, `repeat_events`.
3. `article_events` reads the article once, lets `feeds.lifecycle.decide` decide, and has `revisions` work out the
   places of the new revision (`placement`) and save it by compare-and-set. `updates` does the same for documents that
   turn out to be updates of another article, `lost_revisions` ends what was carried out before Redis lost that.
4. `apply_to_feeds` records the change in the log of every feed that the article enters, stays in or leaves. What leaves
   a feed is announced first, so that no process begins a request with its text after that
   (worker/receivers/clearance.py).
5. `feed_offers` offers the feeds that have changed to this process' distributor, or wakes another worker.
6. `event_consumer` has the batch noted in the record (worker/retention/noting.py) before it acknowledges it.

What time changes by itself is recorded by `releases`. `newsroom` puts all of this together for one worker.

Five ideas hold it up.

*Every step can be done again.* The stream entry is acknowledged last, so a worker that dies between two steps leaves
the event to another, which finds the revision saved, calls the event a duplicate and records the change once more.

*Order is (version, time of the decision).* A change log takes a record only if it is newer in that order, so two
workers may carry out two events of one article in any order, and an embargo that ends while another worker still
believes in it ends for good.

*Every save has a rev of its own.* Whoever has recorded an article looks at its rev afterwards. When somebody else has
saved it meanwhile, it is placed and recorded once more. Whoever changes what an article's place depends on (a curated
list, an update that is linked to its original) gives the article a new rev, so that a worker that has placed it before,
and has not saved or recorded it yet, finds that out.

*Definitions have the permit, not workers* (`event_permit`). A worker that does not know a feed would keep a kill from
it, and nothing would repair that. So only workers with the newest definitions carry out events, and an event is
acknowledged in a script that checks the permit under which it was carried out. If the permit has passed to newer
definitions, the event is carried out again by a worker that has them. Each set is an epoch in the record
(`definition_epochs`), so that an emptied Redis knows which is newer.

*A definition changes what is shown, a person what is sent.* What is placed in a feed that is new has the sequence
number 0, before all cursors: it is in the documents, and is pushed to nobody, unless somebody orders it
(`feed_orders`). Its window is brought back from the record (`feed_index`, `recorded_index`); what lies below is written
into the record alone. New endpoints get older articles only when their settings ask for it (`endpoint_backfills`).

Also here: a feed of a pattern is its name. `author/mira-okonjo` is made of the definition `author/*` whenever it is
asked for; only its change log and the way an article first wrote the name are kept.

This room must never know a receiver or a format, and never decide what `feeds/` decides: it carries out.
"""
