"""What happens to articles and events, in Arabic."""

from __future__ import annotations

EVENTS = {
    "withdrawn": "أُزيلت",
    "repeated": "أُرسلت ثانية",
    "duplicate": "مكرر",
    "stale": "متأخر عن أحدث منه",
    "conflict": "متعارض",
    "unknown": "غير معروف",
    "rejected": "مرفوض",
}
