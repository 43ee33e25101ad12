"""Apple's elements of podcasts, with its categories of today and before."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from feeds.validation.kinds import Kind, any_case, at_most, contact, counted, http, integer, matches, rfc822, words
from feeds.validation.namespaces import ITUNES_NS, LINK, WORDS, module
from feeds.validation.xml import Element

# Apple takes true and false; yes, no, clean and explicit are of its older lists and still read.
_explicit = Kind(any_case("true", "false", "yes", "no", "clean", "explicit"), strict=True)
_yes = Kind(
    matches(lambda text: text.lower() in {"yes", "no", "clean", "true", "false"}, "is none of Yes"), strict=True
)
_duration = matches(re.compile(r"\d+(?::[0-5]\d){0,2}").fullmatch, "is no duration")
_CATEGORIES: Mapping[str, tuple[str, ...]] = {
    "Arts": ("Books", "Design", "Fashion & Beauty", "Food", "Literature", "Performing Arts", "Visual Arts"),
    "Business": (
        *("Careers", "Entrepreneurship", "Investing", "Management", "Marketing", "Non-Profit"),
        *("Finance", "Management & Marketing", "News", "Shopping", "Business News"),
    ),
    "Comedy": ("Comedy Interviews", "Improv", "Stand-Up"),
    "Education": (
        *("Courses", "How To", "Language Learning", "Self-Improvement"),
        *("Education Technology", "Educational Technology", "Higher Education", "K-12", "Language Courses", "Training"),
    ),
    "Fiction": ("Comedy Fiction", "Drama", "Science Fiction"),
    "Government": (),
    "History": (),
    "Health & Fitness": ("Alternative Health", "Fitness", "Medicine", "Mental Health", "Nutrition", "Sexuality"),
    "Kids & Family": ("Education for Kids", "Parenting", "Pets & Animals", "Stories for Kids"),
    "Leisure": (
        *("Animation & Manga", "Automotive", "Aviation", "Crafts", "Games", "Hobbies", "Home & Garden", "Video Games"),
    ),
    "Music": ("Music Commentary", "Music History", "Music Interviews"),
    "News": (
        *("Business News", "Daily News", "Entertainment News", "News Commentary", "Politics", "Sports News"),
        "Tech News",
    ),
    "Religion & Spirituality": (
        *("Buddhism", "Christianity", "Hinduism", "Islam", "Judaism", "Religion", "Spirituality"),
        *("New Age", "Other", "Philosophy"),
    ),
    "Science": (
        *("Astronomy", "Chemistry", "Earth Sciences", "Life Sciences", "Mathematics", "Natural Sciences", "Nature"),
        *("Physics", "Social Sciences"),
    ),
    "Society & Culture": (
        *("Documentary", "Personal Journals", "Philosophy", "Places & Travel", "Relationships", "History"),
    ),
    "Sports": (
        *("Baseball", "Basketball", "Cricket", "Fantasy Sports", "Football", "Golf", "Hockey", "Rugby", "Running"),
        *("Soccer", "Swimming", "Tennis", "Volleyball", "Wilderness", "Wrestling"),
    ),
    "Technology": (
        *("Computers", "Developers", "Gadgets", "Information Technology", "News", "Operating Systems", "Podcasting"),
        *("Smart Phones", "Software How-To", "Tech News", "Text/Speech"),
    ),
    "True Crime": (),
    "TV & Film": ("After Shows", "Film History", "Film Interviews", "Film Reviews", "TV Reviews"),
    # Until 2019, and before 2007.
    "Games & Hobbies": ("Automotive", "Aviation", "Hobbies", "Other Games", "Video Games"),
    "Government & Organizations": ("Local", "National", "Non-Profit", "Regional"),
    "Health": (
        *("Alternative Health", "Diet & Nutrition", "Fitness", "Fitness & Nutrition", "Relationships", "Self-Help"),
        "Sexuality",
    ),
    "News & Politics": (),
    "Science & Medicine": ("Medicine", "Natural Sciences", "Social Sciences"),
    "Sports & Recreation": ("Amateur", "College & High School", "Outdoor", "Professional"),
    "Arts & Entertainment": (
        *("Architecture", "Design", "Entertainment", "Games", "Performing Arts", "Photography", "Poetry"),
        "Science Fiction",
    ),
    "Audio Blogs": (),
    "Family": (),
    "Food": (),
    "International": (
        *("Australian", "Belgian", "Brazilian", "Canadian", "Chinese", "Dutch", "French", "German", "Hebrew"),
        *("Italian", "Japanese", "Norwegian", "Polish", "Portuguese", "Spanish", "Swedish"),
    ),
    "Movies & Television": (),
    "Politics": (),
    "Public Radio": (),
    "Talk Radio": (),
    "Transportation": ("Automotive", "Aviation", "Bicycles", "Commuting"),
    "Travel": (),
}


def _category(element: Element) -> Iterator[str]:
    category = element.get("text")
    if category is None:
        return
    if category not in _CATEGORIES:
        yield f"category {category!r} is none of Apple's"
        return
    for inner in element.iterfind(f"{{{ITUNES_NS}}}category"):
        if (sub := inner.get("text")) is not None and sub not in _CATEGORIES[category]:
            yield f"category {sub!r} is none of Apple's in {category}"


def _episodes() -> dict[str, Kind]:
    return module(
        "itunes",
        author=Kind(at_most(255)),
        block=_yes,
        explicit=_explicit,
        keywords=Kind(at_most(255)),
        subtitle=Kind(at_most(255)),
        summary=Kind(at_most(4000)),
        title=WORDS,
        image=Kind(None, attributes={"href": http}, needs=("href",)),
    )


_subcategory = module("itunes", category=Kind(None, attributes={"text": words}, needs=("text",), many=True))
PODCAST: Mapping[str, Kind] = _episodes() | module(
    "itunes",
    owner=Kind(
        None,
        holds=module("itunes", email=Kind(contact), name=Kind(at_most(255))),
        must=(f"{{{ITUNES_NS}}}email",),
    ),
    category=Kind(None, attributes={"text": words}, needs=("text",), holds=_subcategory, many=True, rules=(_category,)),
    pubDate=Kind(rfc822),
    new_feed_url=LINK,
    complete=_yes,
    applepodcastsverify=WORDS,
    type=Kind(any_case("episodic", "serial")),
)
EPISODE: Mapping[str, Kind] = _episodes() | module(
    "itunes",
    duration=Kind(_duration),
    order=Kind(integer),
    isClosedCaptioned=WORDS,
    episode=Kind(counted),
    season=Kind(counted),
    episodeType=Kind(
        matches(lambda text: text.lower() in {"full", "trailer", "bonus"}, "is none of full, trailer, bonus")
    ),
)
