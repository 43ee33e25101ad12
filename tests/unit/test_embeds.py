"""What only a site's scripts can show: films and posts become links, late pictures pictures; nothing is lost."""

from __future__ import annotations

import pytest

from feeds.safe_html import safe_html

PAGE = "https://www.tidewater.example/2026/locks"
CLIP = "https://www.tiktok.com/@locks/video/4"
FILM = '<a href="https://www.youtube.com/watch?v=l0ck">https://www.youtube.com/watch?v=l0ck</a>'


def link(address: str) -> str:
    return f'<a href="{address}">{address}</a>'


@pytest.mark.parametrize(
    ("markup", "expected"),
    [
        ('<p>a</p><amp-youtube data-videoid="l0ck" width="480"></amp-youtube>', f"<p>a</p><p>{FILM}</p>"),
        ('<p>See <lite-youtube videoid="l0ck" playlabel="Play"></lite-youtube></p>', f"<p>See {FILM}</p>"),
        ('<div class="rll-youtube-player" data-src="//www.youtube.com/embed/l0ck"></div>', f"<div><p>{FILM}</p></div>"),
        ('<lite-vimeo videoid="77"></lite-vimeo>', f"<p>{link('https://vimeo.com/77')}</p>"),
        (
            '<div class="wp-block-embed__wrapper">\nhttps://www.youtube.com/watch?v=l0ck\n</div>',
            f"<div><p>{FILM}</p></div>",
        ),
        (
            '<blockquote data-instgrm-permalink="https://www.instagram.com/p/Q/"></blockquote>',
            f"<blockquote><p>{link('https://www.instagram.com/p/Q/')}</p></blockquote>",
        ),
        (
            '<div class="fb-post" data-href="https://www.facebook.com/locks/posts/4"><i></i></div>',
            f"<div><p>{link('https://www.facebook.com/locks/posts/4')}</p></div>",
        ),
        (
            f'<blockquote class="tiktok-embed" cite="{CLIP}"> </blockquote>',
            f'<blockquote cite="{CLIP}"><p>{link(CLIP)}</p></blockquote>',
        ),
        ('<amp-twitter data-tweetid="4"></amp-twitter>', f"<p>{link('https://twitter.com/i/status/4')}</p>"),
        (
            '<amp-iframe src="https://maps.example/4"><p placeholder>…</p></amp-iframe>',
            f"<p>{link('https://maps.example/4')}</p>",
        ),
        (
            '<amp-img src="/lock.jpg" alt="Lock 4"><noscript><img src="/lock.jpg"></noscript></amp-img>',
            '<img src="https://www.tidewater.example/lock.jpg" alt="Lock 4">',
        ),
        (
            '<amp-video width="9"><source src="/lock.mp4"><div fallback>No films</div></amp-video>',
            '<video width="9"><source src="https://www.tidewater.example/lock.mp4"></video>',
        ),
    ],
)
def test_what_scripts_would_show_is_there(markup: str, expected: str) -> None:
    cleaned = safe_html(markup, PAGE)
    assert cleaned == expected
    assert safe_html(cleaned, PAGE) == cleaned


@pytest.mark.parametrize(
    ("markup", "expected"),
    [
        ('<amp-youtube data-videoid=" "></amp-youtube>', ""),
        ('<amp-ad data-src="https://ads.example/x"></amp-ad>', ""),
        ('<amp-facebook data-href="javascript:alert(1)"></amp-facebook>', ""),
        (
            '<lite-vimeo videoid="7&quot;><script>alert(1)</script>"></lite-vimeo>',
            f"<p>{link('https://vimeo.com/7%22%3E%3Cscript%3Ealert%281%29%3C%2Fscript%3E')}</p>",
        ),
    ],
)
def test_what_has_no_address_leaves_nothing_and_a_name_is_a_name(markup: str, expected: str) -> None:
    assert safe_html(markup, PAGE) == expected


@pytest.mark.parametrize(
    "markup",
    [
        '<div data-src="https://cdn.tidewater.example/chart.json"></div>',
        '<blockquote data-instgrm-permalink="https://www.instagram.com/p/Q/"><p>Lock 4 is shut.</p></blockquote>',
        '<div class="wp-block-embed__wrapper">Lock 4: https://www.youtube.com/watch?v=l0ck</div>',
        '<div data-href="https://www.facebook.com.evil.example/x"></div>',
    ],
)
def test_other_blocks_stay_as_they_are(markup: str) -> None:
    assert "<a " not in safe_html(markup, PAGE)
