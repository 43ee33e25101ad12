"""What each of the four changes means for the status of an article, and the notes to editors and readers about it.

`article.published` and `article.corrected` bring the text. `article.killed` and `article.withdrawn` bring a notice with
nothing of the text. A kill is final; after a withdrawal the article may come back.
"""

from __future__ import annotations

from datetime import datetime

from feeds.article import Article
from feeds.formats.timestamps import in_utc
from feeds.standings import PubStatus

EDITORS_NOTE = {
    "corrected": "CORRECTION: this version replaces all earlier ones.",
    "canceled": "KILL: take this article down and do not use it again. A kill is mandatory.",
    "withheld": "WITHDRAWN: take this article down until it is sent again.",
}

# For readers, where a format or a partner needs a title in place of one that was taken down; by language.
READERS_NOTE = {
    "ar": "لم يعد هذا المقال متاحًا للقراءة.",
    "de": "Dieser Artikel ist nicht mehr verfügbar.",
    "en": "This article is no longer available.",
    "es": "Este artículo ya no está disponible.",
    "fa": "این مطلب دیگر در دسترس نیست.",
    "fr": "Cet article n'est plus disponible.",
    "it": "Questo articolo non è più disponibile.",
    "nl": "Dit artikel is niet meer beschikbaar.",
    "pt": "Este artigo já não está disponível.",
    "tr": "Bu haber artık yayında değil.",  # noqa: RUF001 (Turkish)
    "ur": "یہ خبر اب پڑھنے کے لیے دستیاب نہیں ہے۔",  # noqa: RUF001 (Urdu)
}

# For readers, in place of an entry whose article was killed.
KILLED_NOTE = {
    "ar": "سحب الناشر هذا المقال.",
    "de": "Dieser Artikel wurde vom Herausgeber zurückgezogen.",
    "en": "This article has been withdrawn by the publisher.",
    "es": "Este artículo ha sido retirado por el editor.",
    "fa": "ناشر این مطلب را پس گرفته است.",
    "fr": "Cet article a été retiré par son éditeur.",
    "it": "Questo articolo è stato ritirato dal suo editore.",
    "nl": "Dit artikel is door de uitgever ingetrokken.",
    "pt": "Este artigo foi retirado pelo editor.",
    "tr": "Bu haber yayıncı tarafından geri çekildi.",  # noqa: RUF001 (Turkish)
    "ur": "یہ خبر ناشر نے واپس لے لی ہے۔",  # noqa: RUF001 (Urdu)
}

# For readers, in place of an entry whose article is withheld or under embargo again, and may come back.
WITHHELD_NOTE = {
    "ar": "هذا المقال غير متاح حاليًا.",
    "de": "Dieser Artikel ist zurzeit nicht verfügbar.",
    "en": "This article is not available at the moment.",
    "es": "Este artículo no está disponible en este momento.",
    "fa": "این مطلب در حال حاضر در دسترس نیست.",
    "fr": "Cet article est momentanément indisponible.",
    "it": "Questo articolo non è al momento disponibile.",
    "nl": "Dit artikel is op dit moment niet beschikbaar.",
    "pt": "Este artigo não está disponível neste momento.",
    "tr": "Bu haber şu anda yayında değil.",  # noqa: RUF001 (Turkish)
    "ur": "یہ خبر اس وقت دستیاب نہیں ہے۔",  # noqa: RUF001 (Urdu)
}

# For readers of a feed that has ended.
ENDED_NOTE = {
    "ar": "توقف هذا الموجز.",
    "en": "This feed has ended.",
    "fa": "این خوراک پایان یافته است.",
    "tr": "Bu akış sona erdi.",  # noqa: RUF001 (Turkish)
    "ur": "یہ فیڈ بند ہو چکی ہے۔",  # noqa: RUF001 (Urdu)
}


def pubstatus(change: str, article: Article) -> PubStatus:
    """Return the IPTC status that `change` gives the article. Raises ValueError for any other change."""
    if change in {"article.published", "article.corrected"}:
        return "usable"
    if change == "article.killed" or (change == "article.withdrawn" and article.pubstatus == "canceled"):
        return "canceled"
    if change == "article.withdrawn":
        return "withheld"
    raise ValueError(f"{change} is no change of an article")


def editors_note(change: str, article: Article) -> str:
    """Return the note to editors about the change; empty for a first publication."""
    status = pubstatus(change, article)
    key = "corrected" if change == "article.corrected" else status
    return EDITORS_NOTE.get(key, "")


def advisories(change: str, article: Article) -> list[str]:
    """Return what stands first in a text for editors: the note about the change, and an embargo that lies ahead."""
    lines = [note] if (note := editors_note(change, article)) else []
    if pubstatus(change, article) == "usable" and (embargo := embargo_ahead(article)):
        lines.append(f"EMBARGOED: not to be published before {embargo}.")
    return lines


def embargo_ahead(article: Article) -> str:
    """Return the moment before which a revision may not be published, as people read it, or an empty string."""
    return in_utc(article.embargoed) if article.embargoed and article.embargoed > article.updated else ""


def standing_note(change: str, article: Article) -> str:
    """Return the note to readers that stands in the place of a killed or withdrawn article, in its language."""
    notes = KILLED_NOTE if pubstatus(change, article) == "canceled" else WITHHELD_NOTE
    return notes.get(article.edition.partition("-")[0], notes["en"])


def readers_note(language: str) -> str:
    """Return the note to readers of an article that is gone, in `language` (BCP 47) or else in English."""
    return READERS_NOTE.get(language.partition("-")[0], READERS_NOTE["en"])


def notice_note(article: Article, now: datetime) -> str:
    """Return the note that feeds have in place of an article that left them, in its language or else in English.

    It is empty while the article is visible: then it left this feed, but other feeds may have it.
    """
    if article.visible(now):
        return ""
    language = article.edition.partition("-")[0]
    if article.pubstatus == "canceled":
        return KILLED_NOTE.get(language, KILLED_NOTE["en"])
    if article.pubstatus == "usable" and article.expires is not None and article.expires <= now:
        return readers_note(language)
    return WITHHELD_NOTE.get(language, WITHHELD_NOTE["en"])


def ended_note(language: str) -> str:
    """Return the note to readers of a feed that has ended, in `language` (BCP 47) or else in English."""
    return ENDED_NOTE.get(language.partition("-")[0], ENDED_NOTE["en"])
