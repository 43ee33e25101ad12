"""Redis holds what moves, the record holds what has happened: this room keeps the two in agreement.

- **What changes is marked first, and noted afterwards as it then is.** Whoever changes an article or its places marks
  it in Redis before. Whoever notes it reads Redis, writes what it finds into the record, and takes the mark off unless
  it was set again meanwhile. So nothing needs an order, a repetition changes nothing, and a record that was away is
  caught up by the marks that are left.
- **An attempt is appended to the outbox of its feed by the script that keeps its outcome**, in the same slot, so that
  none can be missing from the ledger.
- **Hot is what moves or may move soon; the rest is cold and in the record only.** What the record does not have is
  never taken out of Redis. Whoever asks for a cold article has it warmed first.
- **The hash of an article goes first and comes back last** (`trim`, `warm`), so an article whose hash is there is
  whole. What goes is compared with what was read, what comes back has a stamp: so neither needs a lock.
- **A filter in Redis knows all ids that there ever were** (`known_id_filter`): a new article costs the record nothing.
- **Redis can be lost whole.** It has the epoch of its record and counts what was noted; the record has both as well.
  Who finds Redis behind rebuilds it from the record.

This room knows the store and the record, which do not know each other. It must never decide what an event changes, or
what a receiver is sent.
"""
