"""Pictures beside an article: which these are, how their files are called, and how each format names them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from feeds.article import Article, Image
from feeds.companions import PicturePlace, is_picture_of, picture_addresses, picture_name, relocated
from feeds.file_names import file_name
from feeds.formats import ARTICLE_FORMATS
from feeds.formats.interface import Provider

MARCH = datetime(2026, 3, 1, 9, tzinfo=UTC)
PIER, BOAT = "https://cdn.herald.example/pier.jpg?a=1&b=2", "https://cdn.herald.example/boat.jpg"
ARTICLE = Article(
    id="hh-1",
    version=1,
    headline="Harbour reopens",
    url="https://herald.example/1",
    published=MARCH,
    updated=MARCH,
    body_html=f'<p>One.</p><figure><img src="{PIER}" alt="A pier"></figure><p>Two <img src="{BOAT}" alt="A boat">.</p>',
    images=(Image(url=PIER, caption="The pier", credit="Ada Quill"),),
)
PIER_PLACE = PicturePlace("hh-1-0123456789abcdef.png", "image/png", 640, 480)
BOAT_PLACE = PicturePlace("hh-1-fedcba9876543210-w400.jpg", "image/jpeg", 400, 300)


def test_the_pictures_of_an_article_are_those_that_it_lists_and_those_in_its_text_each_once() -> None:
    assert picture_addresses(ARTICLE) == [PIER, BOAT]


def test_its_pictures_move_to_where_they_lie() -> None:
    moved = relocated(ARTICLE, {PIER: PIER_PLACE, BOAT: BOAT_PLACE})
    (image,) = moved.images
    assert (image.url, image.type, image.width, image.height) == PIER_PLACE
    assert (image.caption, image.credit) == ("The pier", "Ada Quill")
    assert f'<img src="{PIER_PLACE.path}" alt="A pier">' in moved.body_html
    assert f'<img src="{BOAT_PLACE.path}" alt="A boat">' in moved.body_html
    assert "cdn.herald.example" not in moved.body_html


def test_those_that_lie_nowhere_are_left_out() -> None:
    moved = relocated(ARTICLE, {BOAT: BOAT_PLACE})
    assert moved.images == ()
    assert "figure" not in moved.body_html
    assert BOAT_PLACE.path in moved.body_html
    assert relocated(ARTICLE, {}).body_html == "<p>One.</p><p>Two .</p>"


@pytest.mark.parametrize("name", ["json", "nitf", "newsmlg2", "ninjs31", "ninjs22", "ninjs16", "applenews"])
def test_every_format_names_them_there(name: str) -> None:
    provider = Provider("herald.example,2026", "The Herald")
    moved = relocated(ARTICLE, {PIER: PIER_PLACE, BOAT: BOAT_PLACE})
    document = ARTICLE_FORMATS[name].render("article.published", moved, "m", provider).decode()
    assert PIER_PLACE.path in document
    assert BOAT_PLACE.path in document
    assert "cdn.herald.example" not in document


@pytest.mark.parametrize("other", ["hh-1-0123456789abcdef", "hh-1-x", "hh-1-0123456789abcdef-w400", "hh", "HH-1"])
def test_no_article_has_a_picture_of_another(other: str) -> None:
    name = picture_name("hh-1", "0123456789abcdef" * 4, "png", 400)
    assert name == "hh-1-0123456789abcdef-w400.png"
    assert is_picture_of("hh-1", name)
    assert not is_picture_of(other, name)
    assert not is_picture_of("hh-1", picture_name(other, "0123456789abcdef" * 4, "png"))


def test_no_text_is_called_as_a_picture_is() -> None:
    article = ARTICLE.model_copy(update={"id": "hh-1-0123456789abcdef"})
    assert not is_picture_of("hh-1", file_name("{id}.{ext}", article, "json"))
