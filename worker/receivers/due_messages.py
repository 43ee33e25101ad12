"""Which message is due to an endpoint: its ledger, compared with the article as it is now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from worker import clock
from worker.receivers.ledger import LedgerEntry
from worker.receivers.push_status import NOTICES, status_to_push

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from worker.destinations.endpoint import Endpoint
    from worker.receivers.ledger import Outcome
    from worker.receivers.message_cache import MessageCache
    from worker.receivers.pending_articles import PendingArticle
    from worker.store.articles import StoredArticle
    from worker.store.changes import Change
    from worker.store.receivers import Claim


class DueMessages:
    """The messages of one claim. `ledger`: what the endpoint has of its articles, as it is stored.

    An endpoint gets nothing twice, nothing of articles that its feed never showed, and no notice of what had left the
    feed before it was enrolled. What is sent again is sent whatever the ledger has.
    """

    def __init__(self, endpoint: Endpoint, claim: Claim, ledger: Mapping[str, str], messages: MessageCache) -> None:
        self._endpoint = endpoint
        self._messages = messages
        self._entries: dict[str, LedgerEntry] = {}
        self.add(ledger)
        # The change at which the endpoint was enrolled.
        self._enrolled_at = int(claim.details.get("since", 0))
        # Endpoints of earlier releases got what had been published before them by a lower cursor.
        self._backfilled_by_replay = "enrolled" in claim.details
        # A worker that died may have sent anything between: only its answers are in the ledger.
        self._may_have_more = claim.cursor < claim.details.get("cut", 0)

    def add(self, ledger: Mapping[str, str]) -> None:
        """Take in entries of the ledger that were read later. Those of this claim stay as they are."""
        for article_id, text in ledger.items():
            if article_id not in self._entries:
                self._entries[article_id] = LedgerEntry.parse(text)

    def prepare(self, pending: PendingArticle, stored: StoredArticle) -> bool:
        """Work out what is due of the article as it is now; False: nothing, the endpoint has it.

        Raises PicturesAwaited.
        """
        change, article = pending.change, stored.article
        entry = self._entries.get(change.article_id)
        status = status_to_push(article, change, entry, early=self._endpoint.early)
        if entry is None and status in NOTICES and not change.was_in_feed:
            # No reader has seen the article in this feed, and this endpoint did not get it early.
            return False
        if not pending.replayed and self._is_up_to_date(change, entry, article.version, status):
            return False
        pending.message = self._messages.message(self._endpoint, status, stored, pending.occasion)
        if (
            entry is not None
            and (entry.version, entry.status) == (article.version, status)
            and entry.outcome != "taken"
        ):
            pending.failed = entry.sent
            pending.refused = entry.sent if entry.outcome == "refused" else 0
        pending.accepted = stored.accepted
        pending.entry = LedgerEntry(article.version, status, 0, pending.message.digest)
        return True

    def is_untried(self, pending: PendingArticle) -> bool:
        """Whether the endpoint has not refused the article, nor left it without an answer."""
        entry = self._entries.get(pending.article_id)
        return entry is None or entry.outcome == "taken"

    def remote(self, article_id: str) -> str:
        """Return what the destination has had noted of the article; "" if nothing."""
        entry = self._entries.get(article_id)
        return entry.remote if entry is not None else ""

    def is_doubtful(self, article_id: str) -> bool:
        """Whether something that was sent of the article before may have arrived, nobody knows how much of it."""
        entry = self._entries.get(article_id)
        return self._may_have_more or (entry is not None and entry.outcome == "unknown")

    def note(
        self, article_id: str, entry: LedgerEntry, outcome: Outcome, now: datetime, remote: str = ""
    ) -> dict[str, str]:
        """Note the outcome of a message; return what the ledger is to store of it. `remote`: "" leaves it as it was."""
        remote = remote or self.remote(article_id)
        noted = LedgerEntry(entry.version, entry.status, clock.ms(now), entry.digest, outcome, remote)
        self._entries[article_id] = noted
        return {article_id: str(noted)}

    def _is_up_to_date(self, change: Change, entry: LedgerEntry | None, version: int, status: str) -> bool:
        if entry is not None:
            return entry.version >= version and (entry.status, entry.outcome) == (status, "taken")
        if status not in NOTICES:
            return False
        if change.seq <= self._enrolled_at:
            # The endpoint is newer than the notice and never had the article.
            return True
        # The article left the feed as it was before the endpoint came, so no request can have contained it. What it
        # is sent of that nevertheless, by a replay or its backfill, has its notice in its turn there.
        return (
            self._backfilled_by_replay and change.previous_seq is not None and change.previous_seq <= self._enrolled_at
        )
