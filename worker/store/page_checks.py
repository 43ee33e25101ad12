"""Checks of pages after a kill: when the page of each partner is read next, and what was seen on it.

A page belongs to one endpoint and one article. It comes due until its checks end; the last sighting stays.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Literal

from worker.store import keys

if TYPE_CHECKING:
    from collections.abc import Collection

    from worker.store.damaged_records import DamagedRecords
    from worker.store.scripts import Client, Scripts

Verdict = Literal["", "gone", "there", "unproven"]


@dataclass(frozen=True, slots=True)
class PageSighting:
    """What was seen on a page of the article that was killed in `version`. Times in ms, 0: never.

    `killed`: when it was killed; `checks`: how often it was checked; `checked`: when the last check began; `reason`:
    why that check came to its verdict. `alerted`: operators know by an alert that the text is still there, and have had
    none yet that it has gone.
    """

    version: int
    killed: int
    checks: int = 0
    checked: int = 0
    verdict: Verdict = ""
    reason: str = ""
    url: str = ""
    alerted: bool = False


@dataclass(frozen=True, slots=True)
class PageCheck:
    """The claim to check a page; at its `deadline` (ms) the page comes due again by itself.

    `sighting_json`: the sighting verbatim as Redis had it. If Redis has another one now, the article was killed again.
    """

    feed: str
    endpoint: str
    article_id: str
    sighting: PageSighting
    sighting_json: str
    deadline: int


class PageChecks:
    """The checks of pages, by feed."""

    def __init__(self, client: Client, scripts: Scripts, damaged_records: DamagedRecords) -> None:
        self._client = client
        self._scripts = scripts
        self._damaged_records = damaged_records

    def schedule(
        self, feed: str, endpoints: Collection[str], article_id: str, sighting: PageSighting, due: int
    ) -> None:
        """Have the pages of these endpoints checked when `due` (ms). Doing it again changes nothing."""
        k = keys.feed(feed)
        members = [_member(endpoint, article_id) for endpoint in endpoints]
        self._scripts.run(
            "page_checks/schedule",
            [k.page_checks_due, k.page_checks, k.outbox],
            [sighting.version, due, _json(sighting), *members],
        )

    def bring_forward(self, feed: str, endpoint: str, article_ids: Collection[str], due: int) -> None:
        """Have pages checked when `due` (ms) at the latest, also those whose checks have ended."""
        k = keys.feed(feed)
        members = [_member(endpoint, article_id) for article_id in article_ids]
        self._scripts.run("page_checks/bring_forward", [k.page_checks_due, k.page_checks, k.outbox], [due, *members])

    def claim_due(self, feed: str, now: int, limit: int, deadline: int) -> list[PageCheck]:
        """Claim up to `limit` pages that are due at `now` (ms); they come due again at `deadline` (ms)."""
        k = keys.feed(feed)
        answer = self._scripts.run("due/claim", [k.page_checks_due, k.page_checks], [now, limit, deadline])
        pages = []
        for member, text in zip(answer[::2], answer[1::2], strict=True):
            endpoint, _, article_id = member.partition(":")
            try:
                sighting = PageSighting(**json.loads(text))
            except (ValueError, TypeError) as error:
                self._client.zrem(k.page_checks_due, member)
                self._damaged_records.report(f"page {member} of {feed}", str(error), "it is no longer checked")
                continue
            pages.append(PageCheck(feed, endpoint, article_id, sighting, text, deadline))
        return pages

    def note(self, page: PageCheck, sighting: PageSighting, due: int | None) -> bool:
        """Note a sighting, and when the next check is `due` (ms), None: never. False: another kill came meanwhile."""
        return self._note(page, _json(sighting), "" if due is None else str(due))

    def forget(self, page: PageCheck) -> None:
        """Forget a page."""
        self._note(page, "", "")

    def sightings(self, feed: str, endpoints: Collection[str], article_id: str) -> dict[str, PageSighting]:
        """Return the last sightings of an article's pages, by endpoint, for endpoints whose pages are checked."""
        if not endpoints:
            return {}
        members = [_member(endpoint, article_id) for endpoint in endpoints]
        texts = self._client.hmget(keys.feed(feed).page_checks, members)
        return {name: PageSighting(**json.loads(text)) for name, text in zip(endpoints, texts, strict=True) if text}

    def _note(self, page: PageCheck, sighting_json: str, due: str) -> bool:
        k = keys.feed(page.feed)
        member = _member(page.endpoint, page.article_id)
        return bool(
            self._scripts.run(
                "page_checks/note",
                [k.page_checks_due, k.page_checks, k.outbox],
                [member, page.sighting_json, sighting_json, due, page.deadline],
            )
        )


def _member(endpoint: str, article_id: str) -> str:
    """A page in the keys: an endpoint's name has no colon."""
    return f"{endpoint}:{article_id}"


def _json(sighting: PageSighting) -> str:
    return json.dumps(asdict(sighting), separators=(",", ":"), ensure_ascii=False)
