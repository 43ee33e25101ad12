"""Templates of newsrooms: bounded whatever they say, escaped whatever articles say, and every fault has its line."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree, html

from feeds.formats.interface import FormatFault
from feeds.formats.own.templates import CompiledTemplate

ARTICLE: dict[str, Any] = {
    "id": "hh-1",
    "headline": "Ferries & trams",
    "subjects": ["harbour", "transport"],
    "images": [{"url": "https://h.example/1.jpg", "credit": "A. Quill"}, {"url": "https://h.example/2.jpg"}],
    "body_html": "<p>One<br>two</p><p>Three</p>",
    "updated": "2026-03-01T22:05:09Z",
    "items": "a field called as a method of dicts",
    "urgency": 3,
    "nothing": None,
}


def rendered(source: str, *, markup: bool = True, **values: Any) -> str:
    return CompiledTemplate(source, markup=markup).render({"article": ARTICLE | values})


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{{ article.headline }}", "Ferries &amp; trams"),
        ("{{ article.headline|upper }}", "FERRIES &amp; TRAMS"),
        ("{{ article.headline|truncate(8) }}", "Ferries…"),
        ("{{ article.items }}", "a field called as a method of dicts"),
        ("{{ article.subjects|join('; ') }}", "harbour; transport"),
        ("{{ article.images|join(' ', attribute='url') }}", "https://h.example/1.jpg https://h.example/2.jpg"),
        (
            "{% for s in article.subjects %}{{ loop.index }}{{ s }}{% if not loop.last %}|{% endif %}{% endfor %}",
            "1harbour|2transport",
        ),
        ("{{ article.subjects|map('upper')|sort(reverse=true)|join }}", "TRANSPORTHARBOUR"),
        ("{{ article.images|selectattr('credit', 'defined')|list|length }}", "1"),
        ("{{ article.updated|date('%a %d %B %y, %H:%M %p %z', '+03:00') }}", "Mon 02 March 26, 01:05 AM +0300"),
        ("{{ article.updated|date('%s%%') }}", "1772402709%"),
        ("[{{ article.nothing }}]", "[]"),
        ("{{ article.nothing|default('none') }}{{ article.absent|default('none') }}", "nonenone"),
        ("{{ 'urgent' if article.urgency <= 3 else 'calm' }}", "urgent"),
        ("{{ article.urgency * 2 + 1 }} {{ 7 // 2 }} {{ 'a' + 'b' }} {{ 'a' ~ 1 ~ article.nothing }}", "7 3 ab a1"),
        ("{{ 7|pad(3, '0') }}{{ 'x'|pad(3, '.') }}", "007x.."),
        ("{{ article.body_html|striptags }}", "One two Three"),
        ("{{ article.body_html|xhtml }}", "<p>One<br/>two</p><p>Three</p>"),
        ("{{ article.body_html|safe }}", "<p>One<br>two</p><p>Three</p>"),
        ("{{ 'one two three four'|wordwrap(10) }}", "one two\nthree four"),
        ("{{ 'a\nb'|indent(2) }}", "a\n  b"),
        ("{{ 'http://h.example/é?'|urlencode }}", "http%3A%2F%2Fh.example%2F%C3%A9%3F"),
        ("{{ article.headline|tojson }}", '"Ferries \\u0026 trams"'),
        ("{% macro twice(x) %}{{ x }}{{ x }}{% endmacro %}{{ twice('ha') }}", "haha"),
        ("{% set ns = namespace(n=0) %}{% for i in range(4) %}{% set ns.n = ns.n + i %}{% endfor %}{{ ns.n }}", "6"),
        ("{% set x %}{{ article.urgency }}!{% endset %}{{ x }}", "3!"),
        ("{% for k, v in {'a': 1}|items %}{{ k }}{{ v }}{% endfor %}", "a1"),
        ("{{ 'harbour' in article.subjects }}", "true"),
        ("{# not written #}{% raw %}{{ }}{% endraw %}", "{{ }}"),
    ],
)
def test_what_templates_can_do(source: str, expected: str) -> None:
    assert expected == rendered(source)


def sixty_times(step: str, start: str = "'a'") -> str:
    return f"{{% set ns = namespace(x={start}, y={start}) %}}{{% for i in range(60) %}}{step}{{% endfor %}}"


@pytest.mark.parametrize(
    "source",
    [
        "{% for i in range(100000000) %}x{% endfor %}",
        "{% for i in range(90000) %}{% for j in range(90000) %}{% endfor %}{% endfor %}",
        "{% for i in range(9000) %}{% for j in range(9000) %}{% set x = 1 %}{% endfor %}{% endfor %}",
        "{% for i in range(90000) %}" + "a long line of literal text " * 500 + "{% endfor %}",
        sixty_times("{% set ns.x = ns.x ~ ns.x %}"),
        sixty_times("{% set ns.x = ns.x + ns.x %}"),
        sixty_times("{% set ns.x = ns.x|replace('a', 'aaaaaaaaaaaaaaaa') %}"),
        sixty_times("{% set ns.x = ns.x|join(ns.x) %}", "['a', 'b']"),
        sixty_times("{% set ns.x = ns.x + ns.x %}", "['a']"),
        sixty_times("{% set ns.x = [ns.x, ns.x] %}", "[1]") + "{{ ns.x|tojson }}",
        sixty_times("{% set ns.x = [ns.x, ns.x] %}{% set ns.y = [ns.y, ns.y] %}", "[1]") + "{{ ns.x == ns.y }}",
        sixty_times("{% set ns.x = ns.x * ns.x %}", "7"),
        sixty_times("{% set x %}{{ ns.x }}{{ ns.x }}{% endset %}{% set ns.x = x %}"),
        "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
        "{% macro a() %}{{ b() }}{% endmacro %}{% macro b() %}{{ a() }}{% endmacro %}{{ a() }}",
        "{% macro m(n) %}{% if n %}{{ m(n - 1) }}{{ m(n - 1) }}{% endif %}{% endmacro %}{{ m(45) }}",
        "{% for x in [[1]] recursive %}{{ loop([x]) }}{% endfor %}",
        "{{ range(100000000)|list|length }}",
        "{{ range(90000)|map('pad', 1000)|join }}",
        "{{ 'a' * 1000000000 }}",
        "{{ 'a'|pad(1000000000) }}",
        "{{ 'a\n'|indent(1000000000) }}",
        "{{ '%1000000000d' % 1 }}",
        "{{ 10 ** 1000000 }}",
        "{{ 1|round(-1000000000) }}",
        "{{ 1.5|round(-(10 * 1000000000)) }}",
        "{{ 1e999 }}",
        "{{ 'nan'|float }}",
        "{{ 1e308 * 10 }}",
        "{{ article.updated|date('%1000000000Y') }}",
        "{{ " + "(" * 4000 + ")" * 4000 + " }}",
        "{{ " + "-" * 4000 + "1 }}",
        "{% if 1 %}" * 500 + "{% endif %}" * 500,
        "x" * 100_001,
    ],
)
@pytest.mark.timeout(30)
def test_what_would_not_end_or_fill_the_memory_is_refused(source: str) -> None:
    with pytest.raises(FormatFault):
        rendered(source)


@pytest.mark.parametrize(
    "source",
    [
        "{{ ''.__class__.__mro__ }}",
        "{{ article['__class__'] }}",
        "{{ article.__init__.__globals__ }}",
        "{{ article|map(attribute='__class__')|list }}",
        "{{ [article]|map(attribute='__class__')|list|tojson }}",
        "{{ range.__init__ }}",
        "{{ namespace.__init__.__globals__ }}",
        "{{ loop }}",
        "{{ self.__dict__ }}",
        "{{ self }}",
        "{{ cycler.__init__.__globals__ }}",
        "{{ lipsum() }}",
        "{{ joiner() }}",
        "{{ dict() }}",
        "{{ article.headline.upper() }}",
        "{{ 'a'.join(article.subjects) }}",
        "{{ article.get('id') }}",
        "{{ 'a'|attr('upper') }}",
        "{{ '{0.__class__}'|format(1) }}",
        "{{ article|pprint }}",
        "{% include 'secrets' %}",
        "{% import 'os' as os %}",
        "{% from 'os' import path %}",
        "{% extends 'base' %}",
        "{% block a %}{% endblock %}",
        "{% autoescape false %}{% endautoescape %}",
        "{% debug %}",
        "{% do 1 %}",
        "{% for i in range(3) %}{{ loop.__class__ }}{% endfor %}",
        "{% macro m() %}{{ caller.__globals__ }}{% endmacro %}{{ m() }}",
        "{% macro m() %}{% endmacro %}{{ m.__init__ }}",
        "{% set ns = namespace() %}{{ ns.__class__ }}",
        "{% set ns = namespace() %}{{ ns._Namespace__attrs }}",
    ],
)
def test_nothing_but_values_can_be_reached(source: str) -> None:
    with pytest.raises(FormatFault):
        rendered(source)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("a\n{{ article.headlin }}", "line 2: there is no field 'headlin'"),
        ("\n\n{% for i in article.images %}\n{{ i.credit }}{% endfor %}", "line 4: there is no field 'credit'"),
        ("{% macro m(a) %}\n{{ a.b }}{% endmacro %}\n{{ m(article) }}", "line 2: there is no field 'b'"),
        ("{{ artikel.id }}", "line 1: 'artikel' is not there"),
        (
            "\n{{ article.subjects }}",
            "line 2: a list can't be written: join it, loop over it, or name one of its fields",
        ),
        ("{{ article }}", "line 1: a table can't be written: join it, loop over it, or name one of its fields"),
        ("{{ article.urgency|upper }}", "line 1: upper takes a text, not a number"),
        ("{{ article.nothing|date }}", "line 1: date takes a text, not nothing"),
        ("{{ article.updated|date('%Q') }}", "line 1: date knows no %Q; it knows Y y m d j H I M S z s A a B b p"),
        ("{{ article.updated|date('%Y', 'Riyadh') }}", 'line 1: date takes an offset from UTC such as "+03:00"'),
        ("{{ article.id|pad }}", "line 1: pad is given what it does not take"),
        ("{{ article.id + 1 }}", "line 1: + takes numbers, not a text and a number"),
        ("{{ article.urgency / 0 }}", "line 1: / has no result"),
        ("{% for c in article.id %}{% endfor %}", "line 1: a loop goes over a list, not a text"),
        ("{{ article.id.upper() }}", "line 1: there is no field 'upper'"),
        ("{{ article.id|nope }}", "line 1: No filter named 'nope'"),
        ("x\n{% if %}", "line 2: Expected an expression, got 'end of statement block'"),
        ("x\n{% for a in b %}", "line 2: Unexpected end of template"),
        ("{{ 2 ** 3 }}", "line 1: ** is not for these templates"),
        ("{{ [1]|select('nope')|list }}", "line 1: No test named 'nope'"),
        ("{{ [1]|map('nope')|list }}", "line 1: No filter named 'nope'"),
        ("{{ 1|round(40) }}", "line 1: round takes up to 30 places"),
        ("{{ 1e999 }}", "line 1: has a number that is too large"),
    ],
)
def test_a_fault_names_its_line_and_what_is_missing(source: str, message: str) -> None:
    with pytest.raises(FormatFault) as fault:
        rendered(source)
    assert str(fault.value).startswith(message)


# What intake lets into a line: no control characters, no surrogates.
LINES = st.text(st.characters(exclude_categories=["Cc", "Cs", "Cn"], exclude_characters="\u2028\u2029"), max_size=60)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(LINES)
def test_in_xml_whatever_a_field_says_is_its_text(line: str) -> None:
    document = rendered(
        "<a b=\"{{ article.headline }}\" c='{{ article.headline }}'>{{ article.headline }}</a>", headline=line
    )
    element = etree.fromstring(document)
    assert (line, line, line) == (element.get("b"), element.get("c"), element.text or "")


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(LINES)
def test_through_any_filter_and_concatenation_it_stays_escaped(line: str) -> None:
    source = "{{ article.headline|trim ~ (article.headline|e) ~ [article.headline]|join('<') }}"
    source += "{% set x %}{{ article.headline }}{% endset %}{{ x }}"
    assert [] == list(etree.fromstring(rendered(f"<a>{source}</a>", headline=line)))


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(LINES)
def test_in_html_json_within_a_script_ends_no_script(line: str) -> None:
    document = rendered("<p><script>{{ [article.headline]|tojson }}</script></p>", headline=f"</script><b>{line}")
    assert [] == html.fromstring(document).findall(".//b")


_VALUES = st.sampled_from(
    ["article.headline", "article.subjects", "'ab'", "[1, 2]", "7", "article", "range(99)", "x", "{}"]
)
_FILTERS = st.sampled_from(
    [
        "",
        "|replace('a', article.headline)",
        "|join(article.headline)",
        "|list",
        "|tojson",
        "|upper",
        "|pad(900)",
        "|split('')",
        "|map('string')|list",
        "|reverse",
        "|sort",
        "|first",
        "|length",
        "|wordwrap(11)",
        "|xhtml",
        "|striptags",
        "|unique",
    ]
)
_EXPRESSIONS = st.recursive(
    st.builds("{}{}".format, _VALUES, _FILTERS),
    lambda inner: st.one_of(
        st.builds("({} {} {})".format, inner, st.sampled_from(["+", "*", "~", "==", "in", "<", "and", "or"]), inner),
        st.builds("[{}, {}]{}".format, inner, inner, _FILTERS),
    ),
    max_leaves=6,
)
_TEMPLATES = st.recursive(
    st.one_of(st.builds("{{{{ {} }}}}".format, _EXPRESSIONS), st.builds("{{% set x = {} %}}".format, _EXPRESSIONS)),
    lambda inner: st.one_of(
        st.builds(
            "{{% for y in {} %}}{}{}{{% endfor %}}".format,
            st.sampled_from(["range(9999)", "article.subjects", "x"]),
            inner,
            inner,
        ),
        st.builds("{{% if {} %}}{}{{% endif %}}".format, _EXPRESSIONS, inner),
        st.builds("{{% macro m(x) %}}{}{{{{ m(x) }}}}{{% endmacro %}}{{{{ m(1) }}}}".format, inner),
        st.builds("{{% set x %}}{}{}{{% endset %}}".format, inner, inner),
    ),
    max_leaves=8,
)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=60)
@given(_TEMPLATES)
@pytest.mark.timeout(120)
def test_any_template_ends_in_a_text_or_a_fault(source: str) -> None:
    try:
        template = CompiledTemplate("{% set x = 'x' %}" + source, markup=True)
        # A tenth of what a rendering has: the test is to be quick.
        text = template.render({"article": ARTICLE}, units=100_000)
    except FormatFault:
        return
    assert len(text) < 100_000 * 64
