"""What each of the four changes means for the state of an article, and the words in which editors are told.

`article.published` and `article.corrected` bring the text. `article.killed` and `article.withdrawn` bring a notice with
none of it: a kill is an order for good, a withdrawal may be followed by the article itself.
"""

from __future__ import annotations

from feeds.article import Article, PubStatus

EDITORS_NOTE = {
    "corrected": "CORRECTION: this version replaces all earlier ones.",
    "canceled": "KILL: take this article down and do not use it again. A kill is mandatory.",
    "withheld": "WITHDRAWN: take this article down until it is sent again.",
}

# For readers, where a format or a partner wants a title in place of the one that is taken down; by language.
READERS_NOTE = {
    "ar": "لم يعد هذا المقال متاحًا للقراءة.",
    "en": "This article is no longer available.",
    "fa": "این مطلب دیگر در دسترس نیست.",
    "tr": "Bu haber artık yayında değil.",  # noqa: RUF001 (Turkish)
    "ur": "یہ خبر اب پڑھنے کے لیے دستیاب نہیں ہے۔",  # noqa: RUF001 (Urdu)
}

# The same of a feed.
ENDED_NOTE = {
    "ar": "توقف هذا الموجز.",
    "en": "This feed has ended.",
    "fa": "این خوراک پایان یافته است.",
    "tr": "Bu akış sona erdi.",  # noqa: RUF001 (Turkish)
    "ur": "یہ فیڈ بند ہو چکی ہے۔",  # noqa: RUF001 (Urdu)
}


def pubstatus(change: str, article: Article) -> PubStatus:
    """Return the IPTC status that `change` gives the article. Raises ValueError when it is none of the four."""
    if change in {"article.published", "article.corrected"}:
        return "usable"
    if change == "article.killed" or (change == "article.withdrawn" and article.pubstatus == "canceled"):
        return "canceled"
    if change == "article.withdrawn":
        return "withheld"
    raise ValueError(f"{change} is no change of an article")


def editors_note(change: str, article: Article) -> str:
    """Return what editors must know of the change beside the text; empty for a first publication."""
    status = pubstatus(change, article)
    key = "corrected" if change == "article.corrected" else status
    return EDITORS_NOTE.get(key, "")


def readers_note(language: str) -> str:
    """Return what readers are told of an article that is gone, in `language` (BCP 47) or else in English."""
    return READERS_NOTE.get(language.partition("-")[0], READERS_NOTE["en"])


def ended_note(language: str) -> str:
    """Return what readers are told of a feed that is no more, in `language` (BCP 47) or else in English."""
    return ENDED_NOTE.get(language.partition("-")[0], ENDED_NOTE["en"])
