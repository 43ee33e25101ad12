"""Pages that are read back after a kill: when each is looked at next, and what was seen on it.

A page is one endpoint's of one article. It comes due again and again until it is done with; what was seen stays.
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

    `since`: when it was killed; `looks`: how often it was looked at, `last` when the last look began; `why`: what the
    verdict of that look rests on. `alarmed`: operators know that the text is still there, and not as yet that it went.
    """

    version: int
    since: int
    looks: int = 0
    last: int = 0
    verdict: Verdict = ""
    why: str = ""
    url: str = ""
    alarmed: bool = False


@dataclass(frozen=True, slots=True)
class PageCheck:
    """A page that was taken to be looked at; `deadline` (ms) is when it comes due again by itself.

    `kept` is `seen` as it is kept, to the letter: by it another kill is noticed.
    """

    feed: str
    endpoint: str
    article_id: str
    sighting: PageSighting
    sighting_json: str
    deadline: int


class PageChecks:
    """The pages, by feed."""

    def __init__(self, client: Client, scripts: Scripts, damaged_records: DamagedRecords) -> None:
        self._client = client
        self._scripts = scripts
        self._damaged_records = damaged_records

    def schedule(self, feed: str, endpoints: Collection[str], article_id: str, seen: PageSighting, due: int) -> None:
        """Have the pages of these endpoints looked at when `due` (ms). Doing it again changes nothing."""
        k = keys.feed(feed)
        members = [_member(endpoint, article_id) for endpoint in endpoints]
        self._scripts.run(
            "page_checks/schedule", [k.page_checks_due, k.page_checks], [seen.version, due, _json(seen), *members]
        )

    def bring_forward(self, feed: str, endpoint: str, article_ids: Collection[str], due: int) -> None:
        """Have pages looked at `due` (ms) at the latest, also those that were done with."""
        k = keys.feed(feed)
        members = [_member(endpoint, article_id) for article_id in article_ids]
        self._scripts.run("page_checks/bring_forward", [k.page_checks_due, k.page_checks], [due, *members])

    def claim_due(self, feed: str, now: int, limit: int, deadline: int) -> list[PageCheck]:
        """Take up to `limit` pages that are due at `now` (ms); they come due again at `deadline` (ms)."""
        k = keys.feed(feed)
        answer = self._scripts.run("due/claim", [k.page_checks_due, k.page_checks], [now, limit, deadline])
        pages = []
        for member, text in zip(answer[::2], answer[1::2], strict=True):
            endpoint, _, article_id = member.partition(":")
            try:
                seen = PageSighting(**json.loads(text))
            except (ValueError, TypeError) as error:
                self._client.zrem(k.page_checks_due, member)
                self._damaged_records.report(f"page {member} of {feed}", str(error), "nobody looks at it any more")
                continue
            pages.append(PageCheck(feed, endpoint, article_id, seen, text, deadline))
        return pages

    def note(self, page: PageCheck, seen: PageSighting, due: int | None) -> bool:
        """Note what was seen; it is looked at next when `due` (ms), None: never. False: another kill came meanwhile."""
        return self._looked(page, _json(seen), "" if due is None else str(due))

    def forget(self, page: PageCheck) -> None:
        """Forget a page."""
        self._looked(page, "", "")

    def sightings(self, feed: str, endpoints: Collection[str], article_id: str) -> dict[str, PageSighting]:
        """Return what was seen of an article, by endpoint, of those whose page is read back."""
        if not endpoints:
            return {}
        members = [_member(endpoint, article_id) for endpoint in endpoints]
        found = self._client.hmget(keys.feed(feed).page_checks, members)
        return {name: PageSighting(**json.loads(text)) for name, text in zip(endpoints, found, strict=True) if text}

    def _looked(self, page: PageCheck, now: str, due: str) -> bool:
        k = keys.feed(page.feed)
        member = _member(page.endpoint, page.article_id)
        return bool(
            self._scripts.run(
                "page_checks/note",
                [k.page_checks_due, k.page_checks],
                [member, page.sighting_json, now, due, page.deadline],
            )
        )


def _member(endpoint: str, article_id: str) -> str:
    """An endpoint's name has no colon."""
    return f"{endpoint}:{article_id}"


def _json(seen: PageSighting) -> str:
    return json.dumps(asdict(seen), separators=(",", ":"), ensure_ascii=False)
