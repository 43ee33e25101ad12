"""What the answer to a request for a page proves about a killed text that was on it.

404, 410, 451, 204             gone
2xx without any of the text    gone
2xx with some of it            still there
anything else                  unproven, and why: a redirect may lead to the text, an error page may be temporary
"""

from __future__ import annotations

import zlib
from hashlib import sha256
from typing import TYPE_CHECKING

from feeds import page_text
from feeds.counted import counted
from worker.receivers.status_phrases import status_phrase
from worker.takedown.page_search import count_passages

if TYPE_CHECKING:
    from collections.abc import Collection

    from worker.outbound.transfer import Answer
    from worker.store.page_checks import Verdict

MOST_BYTES = 2_000_000
"""How much of a page is read."""
_GONE_STATUSES = frozenset({204, 404, 410, 451})


def judge(answer: Answer, fingerprints: Collection[str]) -> tuple[Verdict, str]:
    """Return what a page's answer proves about the text with these fingerprints, and the reason."""
    if answer.fault:
        return "unproven", answer.message
    if answer.status in _GONE_STATUSES or not 200 <= answer.status < 300:
        return "gone" if answer.status in _GONE_STATUSES else "unproven", f"answered {status_phrase(answer.status)}"
    if not fingerprints:
        return "unproven", "the article was too short to be recognised"
    try:
        content, complete = _content(answer)
        count = count_passages(content, answer.headers.get("content-type", ""), fingerprints)
    except page_text.Unreadable as error:
        return "unproven", f"the page {error}"
    return _weigh(count, len(fingerprints), complete=complete)


def judge_look(answer: Answer) -> tuple[Verdict, str]:
    """Return what the answer of a destination that has looked itself proves (worker/destinations/interface.py)."""
    if not answer.fault and answer.status in {200, 404}:
        return "there" if answer.status == 200 else "gone", answer.message
    return "unproven", answer.message


def judge_document(answer: Answer, fingerprints: Collection[str], digest: str = "") -> tuple[Verdict, str]:
    """Return what a feed's document that was read at a destination proves about the text with these fingerprints.

    `digest`: the SHA-256 (hex) of the one that was put there when the text had gone, if one was.
    """
    if answer.fault or answer.message or answer.status != 200:
        return judge_look(answer)
    try:
        content, complete = _content(answer)
    except page_text.Unreadable as error:
        return "unproven", f"the document {error}"
    if complete and sha256(content).hexdigest() == digest:
        return "gone", "it is the document that was put there without it"
    return judge(answer, fingerprints)


def _weigh(count: int, looked_for: int, *, complete: bool) -> tuple[Verdict, str]:
    """What the number of passages in a page proves; of a page that was not read to its end only that they are there."""
    if count:
        passages = counted(looked_for, "passage that was looked for", "passages that were looked for")
        return "there", f"the page has {count} of {passages}"
    if not complete:
        return "unproven", f"the page is longer than the {MOST_BYTES:,} bytes that are read"
    return "gone", "the page has none of the text"


def _content(answer: Answer) -> tuple[bytes, bool]:
    """The page, at most `MOST_BYTES` of it, and whether it is complete. Raises Unreadable if it can't be unpacked.

    We ask for no content coding; some servers compress nevertheless (RFC 9110, section 12.5.3, leaves it to them).
    """
    coding = answer.headers.get("content-encoding", "identity").strip().lower()
    if coding in {"", "identity"}:
        return answer.body, not answer.truncated
    if coding not in {"gzip", "x-gzip", "deflate"}:
        raise page_text.Unreadable(f"is compressed by {coding[:30]}")
    unpacker = zlib.decompressobj(zlib.MAX_WBITS | 32)  # zlib sees by the first bytes which of the two it is
    try:
        content = unpacker.decompress(answer.body, MOST_BYTES)
    except zlib.error as error:
        raise page_text.Unreadable(f"can't be unpacked: {error}") from None
    return content, unpacker.eof and not unpacker.unused_data
