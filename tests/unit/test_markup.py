"""HTML as sites write it: what is furniture, late pictures, embeds; each input of a kind that CMSs send."""

from __future__ import annotations

import pytest

from feeds.markup import sources, untidy
from feeds.safe_html import safe_html

PAGE = "https://www.tidewater.example/2026/locks"
SITE = "https://www.tidewater.example"


@pytest.mark.parametrize(
    ("markup", "expected"),
    [
        ("<p>Tide</p><noscript>Please turn scripts on.</noscript><p>out</p>", "<p>Tide</p><p>out</p>"),
        (
            "<head><title>Lock 4 | Tidewater</title></head><body><p>The lock is shut.</p></body>",
            "<p>The lock is shut.</p>",
        ),
        ("<p>a</p><title>Not this</title><p>b</p>", "<p>a</p><p>b</p>"),
        ("<template><p>Row</p></template><p>b</p>", "<p>b</p>"),
        ("<p>See <svg><title>Arrow</title><desc>d</desc><text>t</text></svg> here</p>", "<p>See  here</p>"),
        ("<p>a <button>Share</button><select><option>One<option>Two</select> b</p>", "<p>a  b</p>"),
        ("<textarea><p>Write</p></textarea><p>b</p>", "<p>b</p>"),
        ("<noframes><p>frames</p></noframes><noembed>x</noembed><p>b</p>", "<p>b</p>"),
        ("<form><h3>Our letter</h3><p>Each morning.</p><label>Mail</label><input></form><p>b</p>", "<p>b</p>"),
        ('<p>a</p><div hidden>later</div><p style="color:red;display : none">never</p><p>b</p>', "<p>a</p><p>b</p>"),
        ('<p>Go<span class="screen-reader-text"> (opens a window)</span>.</p>', "<p>Go.</p>"),
        ("<p>a</p><canvas>No drawing</canvas>", "<p>a</p>"),
    ],
)
def test_furniture_goes_with_its_words(markup: str, expected: str) -> None:
    assert safe_html(markup, PAGE) == expected


@pytest.mark.parametrize(
    ("markup", "expected"),
    [
        (
            "<details><summary>What is shut?</summary>Lock 4, until Monday.</details><p>b</p>",
            "<div><div>What is shut?</div>Lock 4, until Monday.</div><p>b</p>",
        ),
        ("<details open><summary>Q</summary><p>A</p></details>", "<div>Q</div><p>A</p>"),
        ("<center><b>Lock 4</b></center>is shut", "<div><b>Lock 4</b></div>is shut"),
        (
            "<header>Locks</header><main>Shut</main><footer>Ends</footer>",
            "<div>Locks</div><div>Shut</div><div>Ends</div>",
        ),
        ("<address>Lock Road 4<br>Tidewater</address>Call us", "<div>Lock Road 4<br>Tidewater</div>Call us"),
        ("<article><header><h2>Locks</h2></header><p>Shut</p></article>", "<h2>Locks</h2><p>Shut</p>"),
        ("<menu><li>One</li><li>Two</li></menu>", "<ul><li>One</li><li>Two</li></ul>"),
        ("a<fieldset><legend>Locks</legend>Four</fieldset>", "a<div><div>Locks</div>Four</div>"),
        ("<listing>a\n  b</listing>c", "<pre>a\n  b</pre>c"),
        ("<dialog>Subscribe!</dialog><dialog open>Shut</dialog>b", "<div>Shut</div>b"),
    ],
)
def test_words_of_two_blocks_never_run_together(markup: str, expected: str) -> None:
    assert safe_html(markup, PAGE) == expected
    assert safe_html(expected, PAGE) == expected


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        ("<mi>E</mi><mo>=</mo><mi>m</mi><msup><mi>c</mi><mn>2</mn></msup>", "E = mc^2"),
        (
            (
                "<semantics><mfrac><mn>1</mn><mn>2</mn></mfrac>"
                '<annotation encoding="application/x-tex">\\frac{1}{2}</annotation></semantics>'
            ),
            "1/2",
        ),
        (
            (
                "<mfrac><mrow><mo>−</mo><mi>b</mi><mo>±</mo><msqrt><msup><mi>b</mi><mn>2</mn></msup><mo>−</mo><mn>4</mn>"
                "<mi>a</mi></msqrt></mrow><mrow><mn>2</mn><mi>a</mi></mrow></mfrac>"
            ),
            "(−b ± √(b^2 − 4a))/(2a)",
        ),
        (
            (
                "<munderover><mo>∑</mo><mrow><mi>i</mi><mo>=</mo><mn>1</mn></mrow><mi>n</mi></munderover>"
                "<msub><mi>x</mi><mi>i</mi></msub>"
            ),
            "∑_(i = 1)^n x_i",
        ),
        (
            "<mi>f</mi><mo>\u2061</mo><mo>(</mo><mi>x</mi><mo>)</mo><mo>&lt;</mo><mtext>a tide</mtext>",
            "f(x) &lt; a tide",
        ),
        ("<mroot><mi>x</mi><mn>3</mn></mroot><mo>(</mo><mo>-</mo><mn>1</mn><mo>)</mo>", "3√x(-1)"),
        (
            "<mtable><mtr><mtd><mn>1</mn></mtd><mtd><mn>2</mn></mtd></mtr><mtr><mtd><mi>a</mi></mtd></mtr></mtable>",
            "1, 2; a",
        ),
        ("ten <mi>x</mi>", "ten x"),
        ("<mrow>" * 300 + "<mi>x</mi>" + "</mrow>" * 300, "x"),
    ],
)
def test_a_formula_becomes_a_line_of_text(formula: str, expected: str) -> None:
    assert safe_html(f"<p>So <math>{formula}</math> holds.</p>", PAGE) == f"<p>So {expected} holds.</p>"


def test_a_formula_that_katex_has_twice_is_there_once() -> None:
    mathml = '<span class="katex-mathml"><math><mi>x</mi></math></span>'
    drawn = '<span class="katex-html" aria-hidden="true">x</span>'
    assert safe_html(f"<p>a <span>{mathml}{drawn}</span> b</p>", PAGE) == "<p>a <span><span>x</span></span> b</p>"


def test_a_form_around_a_whole_page_leaves_the_text() -> None:
    text = f"<p>{'The lock was shut on Monday. ' * 20}</p>"
    assert safe_html(f"<form action=/post>{text}<label>Search</label><input><button>Go</button></form>", PAGE) == (
        f"<p>{'The lock was shut on Monday. ' * 20}</p>"
    )


def picture(name: str, more: str = "") -> str:
    return f'<img src="{SITE}/{name}"{more}>'


@pytest.mark.parametrize(
    ("markup", "expected"),
    [
        ('<img src="/blank.gif" data-lazy-src="/i/lock.jpg">', picture("i/lock.jpg")),
        (
            '<img src="data:image/gif;base64,R0" data-src="/i/lock.jpg" alt="Lock">',
            picture("i/lock.jpg", ' alt="Lock"'),
        ),
        ('<img class="lazy" data-original="/i/lock.jpg" width="640">', picture("i/lock.jpg", ' width="640"')),
        ('<img src="" srcset="/i/s.jpg 300w, /i/l.jpg 1200w">', picture("i/l.jpg")),
        ('<img src="/i/1x1.png" data-srcset="/i/l.jpg 2x, /i/s.jpg">', picture("i/l.jpg")),
        ('<img src="/i/m.jpg" srcset="/i/l.jpg 1200w">', picture("i/m.jpg")),
        ('<img src="/i/m.jpg" data-orig-file="/i/full.jpg">', picture("i/m.jpg")),
        ('<img src="/spacer.gif" data-orig-file="/i/full.jpg">', picture("spacer.gif")),
        ('<noscript><img src="/i/a.jpg"></noscript>', picture("i/a.jpg")),
        ('<img data-src="/i/a.jpg"><noscript><img src="/i/a.jpg"></noscript>', picture("i/a.jpg")),
        ('<noscript><img src="/i/a.jpg"></noscript><img class="l" data-src="/i/a.jpg">', picture("i/a.jpg")),
        ('<img src="data:,x"><noscript><img src="/i/a.jpg"></noscript>', picture("i/a.jpg")),
        (
            '<picture><source srcset="/i/a.avif" type="image/avif"><img src="/i/a.jpg" alt="A"></picture>',
            picture("i/a.jpg", ' alt="A"'),
        ),
        (
            '<picture><source srcset="/i/a.webp" type="image/webp"><source srcset="/i/a.jpg"><img alt="A"></picture>',
            picture("i/a.jpg", ' alt="A"'),
        ),
        ('<picture><source srcset="/i/a.webp" type="image/webp"></picture>', picture("i/a.webp")),
        ("<source srcset=/i/a.webp>", ""),
        ('<img src="">|<img src>|<img alt="x">|<img src="#">|<img src="data:image/png;base64,AA">', "||||"),
        (f'<img src="{PAGE}">', ""),
        ('<img src="https://count.example/p.gif" width="1" height="1">', ""),
        ('<img src="{{ image.url }}">', ""),
    ],
)
def test_a_picture_is_what_a_browser_would_show(markup: str, expected: str) -> None:
    assert sorted(safe_html(markup, PAGE)) == sorted(expected)
    assert safe_html(markup, PAGE).count("<img") == expected.count("<img")


@pytest.mark.parametrize(
    ("markup", "expected"),
    [
        (
            '<figure><iframe title="The lock  fills" src="https://www.youtube.com/embed/Zx9?rel=0"></iframe></figure>',
            '<figure><p><a href="https://www.youtube.com/watch?v=Zx9">The lock fills</a></p></figure>',
        ),
        (
            '<iframe src="//player.vimeo.com/video/77">old browser</iframe>',
            '<p><a href="https://vimeo.com/77">https://vimeo.com/77</a></p>',
        ),
        ('<p>a <embed src="/map.svg"> b</p>', f'<p>a <a href="{SITE}/map.svg">{SITE}/map.svg</a> b</p>'),
        ('<object data="/map.pdf"><p>Get it</p></object>', f'<p><a href="{SITE}/map.pdf">{SITE}/map.pdf</a></p>'),
        (
            '<iframe src="about:blank" data-src="https://maps.example/e"></iframe>',
            '<p><a href="https://maps.example/e">https://maps.example/e</a></p>',
        ),
        ('<iframe src="https://www.googletagmanager.com/ns.html?id=1"></iframe>', ""),
        ('<iframe src="https://a.example/x" width="0" height="0"></iframe><iframe></iframe>', ""),
        (
            "<video src=/v.mp4>Your browser can't play this. <a href=/v.mp4>Load it</a></video>",
            f'<video src="{SITE}/v.mp4"></video>',
        ),
        (
            '<audio controls><source src="/a.mp3" type="audio/mpeg"><track src="/a.vtt">Sorry.</audio>',
            f'<audio controls=""><source src="{SITE}/a.mp3" type="audio/mpeg"></audio>',
        ),
        ("<p>a</p><video>Not here</video>", "<p>a</p>"),
    ],
)
def test_an_embed_leaves_a_link_and_a_film_its_sources(markup: str, expected: str) -> None:
    assert safe_html(markup, PAGE) == expected


def test_what_is_tidy_is_not_parsed_again() -> None:
    tidy = f'<p>a <b>b</b> <img src="{SITE}/a.jpg" alt=""></p><video src="{SITE}/v.mp4"></video>'
    assert not untidy(tidy)
    assert safe_html(tidy, PAGE) == tidy


@pytest.mark.parametrize(
    ("srcset", "expected"),
    [
        ("a.jpg 300w, b.jpg 900w", ["b.jpg", "a.jpg"]),
        ("a,b.jpg 1x,c.jpg 2x", ["c.jpg", "a,b.jpg"]),
        ("a.jpg", ["a.jpg"]),
        ("", []),
        (" , ", []),
    ],
)
def test_sources(srcset: str, expected: list[str]) -> None:
    assert list(sources(srcset)) == expected


@pytest.mark.timeout(10)
@pytest.mark.parametrize(
    "piece", ["<a ", "<img ", '<img srcset="', "<form>", "<noscript>", "<video src=a>", "<div hidden>"]
)
def test_no_markup_takes_long(piece: str) -> None:
    safe_html(piece * 100_000, PAGE)


@pytest.mark.timeout(10)
def test_what_is_nested_beyond_reason_leaves_its_text() -> None:
    assert safe_html("<div>" * 100_000 + "a &lt; b", PAGE) == "a &lt; b"
    assert safe_html("<p>a" * 5_000, PAGE) == "<p>a</p>" * 5_000
