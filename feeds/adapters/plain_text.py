"""Reads plain text, in the form in which articles of news sites are often saved.

    The Harbour Herald                          the site's name
    Ferries return after the storm              the headline, often twice
    Ferries return after the storm
    Wednesday, 4 March, 2020 - 11:00            the date, in the site's own words
    The first ferry at the quay (Herald)        a caption, ending in the credit in brackets
    The first paragraph of the text ...
    Editor Picks                                from here on, other parts of the page

The date, or a headline that is repeated, shows which line is which; a text with neither is refused. The picture itself
is not in the text, so its caption and credit are only reported. Text has no address and no id: the newsroom gives the
address, and the id is made from it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from feeds.adapters import decode
from feeds.adapters.draft import BYLINE, Draft, paragraphs
from feeds.adapters.interface import Adapted, Adapter, InputDefaults
from feeds.adapters.page import page_id
from feeds.adapters.parse_dates import UnsettledError, moment
from feeds.counted import counted
from feeds.errors import FieldError, InvalidEvent
from feeds.text import fold, legal

_HEAD_LINES = 8
"""How many lines may stand before the text."""
_NAME_WORDS = 5
"""A site's name has at most so many words."""
_CAPTION_MOST = 400
"""Most characters of a caption with its credit; a longer line is a paragraph that ends in brackets."""
_CREDIT = re.compile(r"(.*\S)\s*[(\[（]([^()\[\]（）]{1,100})[)\]）]\s*\.?")
# A line that is only one of these begins the other parts of the page.
_FURNITURE = frozenset(
    fold(heading)
    for heading in """
Editor Picks | Editor's Picks | Editors' Picks | Editor’s Picks | Related | Related Articles | Related News
Related Topics | Read More | Read Also | Read Next | More News | More Stories | More on this story | Most Read
Most Viewed | Most Popular | Trending | Trending Now | Recommended | Recommended for you | You may also like
Latest News | Top Stories | Tags | Topics | Keywords | Share | Share this article | Comments | Leave a comment
Newsletter | Subscribe | Sign up | Advertisement | Follow us
اختيارات المحرر | مختارات | الأكثر قراءة | الأكثر مشاهدة | مواضيع ذات صلة | أخبار ذات صلة | مقالات ذات صلة
اقرأ أيضا | اقرأ أيضاً | اقرأ المزيد | شارك | تعليقات | التعليقات | إعلان | الوسوم | آخر الأخبار
یہ بھی پڑھیں | مزید خبریں | متعلقہ خبریں
İlgili Haberler | Editörün Seçtikleri | En Çok Okunanlar | Etiketler | Yorumlar
بیشتر بخوانید | اخبار مرتبط | پربازدیدترین‌ها | انتخاب سردبیر | برچسب‌ها
""".strip()
    .replace("\n", "|")
    .split("|")
)


@dataclass(frozen=True, slots=True)
class _Head:
    """The lines before the text. `odd`: those of unknown meaning; `lines`: how many lines the head has."""

    site: str
    headline: str
    date: str
    odd: tuple[str, ...]
    lines: int


def read(content: bytes, defaults: InputDefaults) -> Adapted:
    """Return the event of the article in a text. Raises InvalidEvent when its headline can't be identified."""
    lines = [line for raw in decode.plain_text(content).splitlines() if (line := legal(raw).strip())]
    if not lines:
        raise InvalidEvent([FieldError("", "the input is empty")])
    head = _head(lines)
    draft = Draft("text", content, defaults.id or (page_id(defaults.url) if defaults.url else ""))
    draft.edition(None, defaults)
    draft.url(None, defaults)
    draft.line("headline", head.headline)
    draft.line("source", head.site)
    if not head.site:
        draft.note("source", "is missing: no line stands before the headline")
    draft.time("published", head.date, defaults)
    if head.date and "published" not in draft.article:
        # The event is refused with it: an article of that day must not be published as one of today.
        draft.article["published"] = head.date
    for line in head.odd:
        draft.note("", f"has a line that could be anything: {line[:100]!r}")
    rest = lines[head.lines :]
    if len(rest) > 1 and len(rest[0]) <= _CAPTION_MOST and (caption := _CREDIT.fullmatch(rest[0])):
        if defaults.image:
            draft.image(url=defaults.image, caption=caption[1], credit=caption[2])
        else:
            # Neither belongs to the text, and there is no picture to carry them.
            problem = f"has a caption, {caption[1][:200]!r}, with the credit {caption[2]!r}, and no picture"
            draft.note("images", f"{problem}; both are left out")
        rest = rest[1:]
    elif defaults.image:
        draft.image(url=defaults.image)
    end = next((place for place, line in enumerate(rest) if place and _heads_furniture(line)), len(rest))
    if end < len(rest):
        furniture = counted(len(rest) - end, "line is", "lines are")
        draft.note("body_html", f"ends before {rest[end][:100]!r}: {furniture} left out")
    if end:
        draft.body(paragraphs("\n".join(rest[:end])))
    return draft.published()


def _head(lines: list[str]) -> _Head:
    date = next((place for place, line in enumerate(lines[:_HEAD_LINES]) if place and _is_date(line)), None)
    twice = next((n for n in range(min(_HEAD_LINES, len(lines) - 1)) if fold(lines[n]) == fold(lines[n + 1])), None)
    if twice is not None and (date is None or twice + 1 < date):
        headline, after = twice, twice + 2
    elif date is not None:
        headline, after = min(1, date - 1), min(1, date - 1) + 1
        candidates = [line for line in lines[headline:date] if not BYLINE.match(line)]
        if len(candidates) > 1:
            # A slogan, a section or a summary may stand there too; a wrong headline would go out to everybody.
            several = ", ".join(repr(line[:60]) for line in candidates)
            raise InvalidEvent([FieldError("", f"several lines could be the headline: {several}; let it stand twice")])
    else:
        raise InvalidEvent(
            [FieldError("", "no line is a date and no headline stands twice, so the headline can't be identified")]
        )
    above = lines[:headline]
    # A masthead has a name, and often a slogan above or below it.
    site = next((line for line in above if _is_name(line)), "")
    return _Head(
        site=site,
        headline=lines[headline],
        date=lines[date] if date is not None else "",
        odd=(*(line for line in above if line != site), *(lines[after:date] if date is not None else ())),
        lines=after if date is None else date + 1,
    )


def _is_name(line: str) -> bool:
    """Whether a line may be the name of a site: a few words, not a sentence."""
    return len(line.split()) <= _NAME_WORDS and not line.endswith((".", "!", "?", "…", "؟", "۔")) and "," not in line


def _is_date(line: str) -> bool:
    """Whether a line is only a date in words, even one that can't be converted."""
    try:
        moment(line)
    except UnsettledError:
        return True
    except ValueError:
        return False
    return True


def _heads_furniture(line: str) -> bool:
    return line.startswith(("©", "Copyright ©")) or fold(line.rstrip(":… ")) in _FURNITURE


ADAPTER = Adapter("text", "plain text, as news sites are saved", read)
