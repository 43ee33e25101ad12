"""Apple's elements for podcasts, with its categories of today and of earlier years."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from feeds.validation.element_models import (
    ElementModel,
    any_case,
    any_text,
    at_most,
    contact,
    http,
    integer,
    matches,
    positive_integer,
    rfc822,
)
from feeds.validation.namespaces import ITUNES_NS, LINK, WORDS, module
from feeds.validation.xml import Element

# Apple asks for true or false; yes, no, clean and explicit are from its older lists and still accepted.
_explicit = ElementModel(any_case("true", "false", "yes", "no", "clean", "explicit"), keeps_space=True)
_yes_or_no = ElementModel(
    matches(lambda text: text.lower() in {"yes", "no", "clean", "true", "false"}, "is none of Yes"), keeps_space=True
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


def _episodes() -> dict[str, ElementModel]:
    return module(
        "itunes",
        author=ElementModel(at_most(255)),
        block=_yes_or_no,
        explicit=_explicit,
        keywords=ElementModel(at_most(255)),
        subtitle=ElementModel(at_most(255)),
        summary=ElementModel(at_most(4000)),
        title=WORDS,
        image=ElementModel(None, attributes={"href": http}, required_attributes=("href",)),
    )


_subcategory = module(
    "itunes", category=ElementModel(None, attributes={"text": any_text}, required_attributes=("text",), repeatable=True)
)
PODCAST: Mapping[str, ElementModel] = _episodes() | module(
    "itunes",
    owner=ElementModel(
        None,
        children=module("itunes", email=ElementModel(contact), name=ElementModel(at_most(255))),
        required_children=(f"{{{ITUNES_NS}}}email",),
    ),
    category=ElementModel(
        None,
        attributes={"text": any_text},
        required_attributes=("text",),
        children=_subcategory,
        repeatable=True,
        checks=(_category,),
    ),
    pubDate=ElementModel(rfc822),
    new_feed_url=LINK,
    complete=_yes_or_no,
    applepodcastsverify=WORDS,
    type=ElementModel(any_case("episodic", "serial")),
)
EPISODE: Mapping[str, ElementModel] = _episodes() | module(
    "itunes",
    duration=ElementModel(_duration),
    order=ElementModel(integer),
    isClosedCaptioned=WORDS,
    episode=ElementModel(positive_integer),
    season=ElementModel(positive_integer),
    episodeType=ElementModel(
        matches(lambda text: text.lower() in {"full", "trailer", "bonus"}, "is none of full, trailer, bonus")
    ),
)
