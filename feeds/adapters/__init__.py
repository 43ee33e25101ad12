"""Reads what other systems send, each format in one file, and turns it into an event of ours.

What this room is for: a newsroom need not change its CMS to use Dateline. An adapter is a pure function from bytes and
the newsroom's defaults to an event (`interface.py`); `feeds.event.read` then checks that event like any other.
`POST /events/{adapter}` and `dateline publish` call adapters; `guess` finds the adapter for a file.

Its main ideas:

- **An adapter sets what it finds, notes what is missing and invents nothing.** Every adapter fills in a `Draft`
  (`draft.py`). What the input lacks, or says in a form that can't be read, becomes a note in `Adapted.missing`, which
  the sender gets in the answer. Only what makes every later correction impossible is refused at once: an input without
  an id, or one that is not an article.
- **Nothing is guessed.** Bytes that are not in the encoding that they declare are refused (`decode.py`). A date with
  two possible meanings is noted and left out (`parse_dates.py`); in plain text, which has no other date, the article is
  refused with it: an article of another day must not look like today's. JSON-LD is mended only
  where it can be read in just one way (`jsonld.py`).
- **The same bytes make the same event.** The id of the event is a hash of the input, so a system may send it again.
- **A withdrawal that can be undone is `withheld`, one that is final is a kill.** Each adapter's docstring says which
  state of its system is which. A kill carries nothing that could be wrong, so it can't be refused for a bad field.
- **What is for some readers only is left out** (`members_only.py`, of pages `paywall.py`): the text that members pay
  for, previews, gated blocks. In doubt it stays out, and the note says so.
- **A page may describe other articles too**: teasers, related stories, translations. `page.py` chooses the article that
  has the page's own address; what JSON-LD lacks comes from the page's metadata (`page_meta.py`), in order of trust.

CloudEvents (`cloudevents.py`) carry our own event as their `data`. They are no entry in `ADAPTERS`, because
`POST /events` takes them.

What this room must never do: fetch anything, resolve an XML entity or a JSON-LD context, ask for the time, check a
signature (`worker.intake.inbound_signatures` does), decide whether an event is valid, or raise anything but
`InvalidEvent` for bad input.
"""

from __future__ import annotations

import json

from feeds.adapters import ghost, ninjs, page, plain_text, wordpress
from feeds.adapters.interface import Adapter
from feeds.encodings import without_mark

ADAPTERS: dict[str, Adapter] = {
    adapter.name: adapter
    for adapter in (ninjs.ADAPTER, wordpress.ADAPTER, ghost.ADAPTER, page.ADAPTER, plain_text.ADAPTER)
}
"""All adapters, by name."""

_BY_ENDING = {".html": "page", ".htm": "page", ".xhtml": "page", ".txt": "text", ".text": "text"}
ENDINGS = (".json", *_BY_ENDING)
"""The endings of files that may hold articles."""


def guess(content: bytes, name: str) -> Adapter | None:
    """Return the adapter for an input: by the ending of its file's `name`, else by its content.

    None when no adapter recognizes it; it may then be our own JSON.
    """
    ending = name[name.rfind(".") :].lower() if "." in name else ""
    if ending in _BY_ENDING:
        return ADAPTERS[_BY_ENDING[ending]]
    if without_mark(content).lstrip()[:1] == b"<":
        return page.ADAPTER
    try:
        value = json.loads(content)
    except (ValueError, RecursionError):
        return None
    return next((adapter for adapter in ADAPTERS.values() if adapter.recognizes and adapter.recognizes(value)), None)
