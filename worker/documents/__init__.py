"""What readers and receivers get: feed documents and the payloads of pushes, behind the quality gate.

A document is an envelope around fragments. A fragment is one article in one format, rendered and checked once for each
revision. The parts:

- `quality_gate`: what breaks the rules of its format does not leave the house.
- `article_fragments`: one article in one format, checked; `fragment_cache` keeps the last ones in memory.
- `feed_renderer`: what stands around the fragments: what a feed says of itself, and what has left it;
  `kept_envelopes` has the last ones.
- `feed_windows`: which articles a feed shows, read once for all its formats.
- `archive_pages`: which articles an archive has, those that are cold too.
- `feed_documents`: what is served at a feed's address, and its archives.
- `feed_payloads`: what brings one receiver up to date.

The ideas behind them:

- **The gate checks parts.** An article is checked when its fragment is rendered, a feed before its first document. A
  document made of parts that passed passes too (a property test shows it), so 199 entries are not checked again because
  one is new.
- **Fragments and envelopes are cut from what feedgen renders.** So a document is byte for byte what feedgen makes of
  the whole, at a fraction of the cost when one article of many is new.
- **An envelope is made anew when more than its time has changed.** feedgen's own work for an envelope was a third of
  what a document took in which one article is new.
- **The formats of a feed read its articles once for each head.** To ask Redis whether 50 articles are still the newest
  was half of what a document took. Every change of an article in a feed moves the feed's head, so what was read for one
  format is good for the others until then. Embargoes and expiries are checked each time, and payloads are always made
  of articles that were read for them.
- **Ages are counted from the feed's last change, never from the clock** (Google News' two days, MSN's year, the week in
  which a notice stands for an article that left). So a document is a function of its articles, and fragments do not
  depend on the time. `FeedFormat.select` leaves out what a partner's bounds exclude, before fragments are joined.
- **Readers that know no tombstones get a notice** in place of the article that left, until a week before the feed's
  last change. The notice has the article's id and language and nothing else of it. Why the article left is read from
  the article as it is when the document is made.
- **A payload for a topic in JSON is the whole document**: WebSub (section 7) lets only RSS and Atom leave out what was
  delivered before. Such a payload is the served document, byte for byte.
- **Kills and withdrawals are in a payload however far behind its receiver is.** What a receiver holds and must not show
  does not wait until the receiver has caught up.

This room must never change an article or a change log, and must never take a text from anywhere but the article as it
is at that moment. What is not visible now does not go out, whatever the change log says.
"""
