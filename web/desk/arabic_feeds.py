"""The words of the desk's pages of articles and feeds in Arabic, where they are not in `arabic`."""

from __future__ import annotations

FEEDS: dict[str, str] = {
    "Section": "القسم",
    "Author": "الكاتب",
}
