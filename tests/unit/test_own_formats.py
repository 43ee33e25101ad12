"""Formats of a newsroom's own: what is made of a definition, what the gate says of it, and where it is found."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from waiting import until

from feeds.article import Article
from feeds.entry import Channel, Tombstone, entry
from feeds.format_definition import FormatDefinition
from feeds.formats import ARTICLE_FORMATS, FEED_FORMATS
from feeds.formats.interface import FormatFault, Provider
from feeds.formats.own import schemas, take_over
from feeds.formats.own.compiled import article_format, feed_format
from feeds.recognition import recognise
from feeds.validation.checks import check_article, check_channel, check_entry, check_feed

PROVIDER = Provider("herald.example,2026", "The Harbour Herald")
THEN = datetime(2026, 3, 1, 8, tzinfo=UTC)
CHANNEL = Channel(
    id="tag:herald.example,2026:feed/local",
    title="Local & more",
    description="",
    language="en",
    publisher="The Harbour Herald",
    home_url="https://herald.example/local",
    self_url="https://herald.example/feeds/local.x",
    hub_url="",
    updated=THEN,
)
XSD = """<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"><xs:element name="story"><xs:complexType><xs:sequence>
<xs:element name="head"><xs:simpleType><xs:restriction base="xs:string"><xs:maxLength value="20"/></xs:restriction>
</xs:simpleType></xs:element></xs:sequence></xs:complexType></xs:element></xs:schema>"""
RNG = """<element name="story" xmlns="http://relaxng.org/ns/structure/1.0"
datatypeLibrary="http://www.w3.org/2001/XMLSchema-datatypes"><element name="head"><data type="string">
<param name="maxLength">20</param></data></element></element>"""
JSON_SCHEMA = json.dumps({"type": "object", "properties": {"head": {"type": "string", "maxLength": 20}}})


@pytest.fixture(autouse=True)
def none_left() -> Iterator[None]:
    yield
    take_over(())


def article(**fields: Any) -> Article:
    defaults = {"id": "hh-1", "version": 2, "headline": "Ferries & trams", "url": "https://herald.example/1"}
    return Article(**{**defaults, "published": THEN, "updated": THEN, "body_html": "<p>A</p><p>B</p>", **fields})


def defined(**fields: Any) -> FormatDefinition:
    return FormatDefinition(**{"name": "wire", "media_type": "application/xml", **fields})


def pushed(definition: FormatDefinition, change: str = "published", **fields: Any) -> str:
    return article_format(definition).render(f"article.{change}", article(**fields), "msg-1", PROVIDER).decode()


def test_a_template_is_given_the_article_and_what_goes_with_it() -> None:
    template = (
        "{{ article.uri }} {{ article.version }} {{ article.published }} {{ change }} {{ message_id }} "
        "{{ provider.name }} {{ article.paragraphs|join('/') }} {{ article.pubstatus }}"
    )
    expected = (
        "tag:herald.example,2026:article/hh-1 2 2026-03-01T08:00:00Z published msg-1 The Harbour Herald A/B usable"
    )
    assert expected == pushed(defined(template=template, media_type="text/plain"))


@pytest.mark.parametrize("names_id", [True, False])
def test_the_message_id_is_said_where_it_is_asked_for(names_id: bool) -> None:
    template = "<a m='{{ message_id }}'/>" if names_id else "<a/>"
    render = article_format(defined(template=template)).render
    documents = {render("article.published", article(), message_id, PROVIDER) for message_id in ("", "msg-1", "msg-2")}
    assert len(documents) == (3 if names_id else 1)


def test_each_change_looks_as_the_definition_says() -> None:
    definition = defined(
        template="<new/>", correction="<again/>", withdrawal="<hold/>", kill="<kill id='{{ article.id }}'/>"
    )
    looks = [pushed(definition, change) for change in ("published", "corrected", "withdrawn", "killed")]
    assert ["<new/>", "<again/>", "<hold/>", "<kill id='hh-1'/>"] == looks


def test_what_was_killed_is_told_as_killed_when_it_is_withdrawn() -> None:
    definition = defined(template="<a/>", withdrawal="<hold s='{{ article.pubstatus }}'/>")
    assert "<hold s='canceled'/>" == pushed(definition, "withdrawn", pubstatus="canceled")


@pytest.mark.parametrize(
    ("media_type", "notice"),
    [
        ("application/xml", '<notice id="hh-1" uri="tag:herald.example,2026:article/hh-1" version="2" '),
        ("application/json", '{"id": "hh-1", "uri": "tag:herald.example,2026:article/hh-1", "version": 2, "pubstatus"'),
        ("text/html", "<!DOCTYPE html>"),
        ("text/plain", "KILL: take this article down"),
    ],
)
def test_without_templates_for_them_corrections_look_as_new_and_kills_are_notices(media_type: str, notice: str) -> None:
    definition = defined(template="{}", media_type=media_type)
    assert "{}" == pushed(definition, "corrected")
    killed = pushed(definition, "killed")
    assert killed.startswith(notice)
    assert "KILL: take this article down" in killed
    assert "hh-1" in killed
    assert "Ferries" not in killed


def test_a_kill_leaves_even_if_its_template_fails() -> None:
    definition = defined(
        template="<a/>", kill="<kill>{{ article.id|replace('hh-', '')|int }}</kill>".replace("hh-", "sample-")
    )
    assert "<kill>7</kill>" == pushed(definition, "killed", id="sample-7")
    assert pushed(definition, "killed", id="hh-1").startswith('<notice id="hh-1"')


def test_a_text_whose_template_fails_is_a_fault() -> None:
    definition = defined(template="\n{{ article.id|replace('sample-', '')|int }}")
    with pytest.raises(FormatFault, match="line 2: int can't make a number of a text"):
        pushed(definition)


def test_a_mapping_makes_json_and_leaves_out_what_has_no_value() -> None:
    definition = defined(
        media_type="application/vnd.wire+json",
        mapping={
            "no": "article.id",
            "head": "article.headline",
            "pics": "article.images[].{src: url, by: credit}",
            "flag": "`true`",
            "late": "article.embargoed",
            "first": "article.paragraphs[0]",
        },
        kill={"no": "article.id", "drop": "change"},
    )
    images = [{"url": "https://herald.example/1.jpg", "credit": "Ada"}]
    assert {
        "no": "hh-1",
        "head": "Ferries & trams",
        "pics": [{"src": "https://herald.example/1.jpg", "by": "Ada"}],
        "flag": True,
        "first": "A",
    } == json.loads(pushed(definition, images=images))
    assert {"no": "hh-1", "drop": "killed"} == json.loads(pushed(definition, "killed"))


@pytest.mark.parametrize(
    "expression",
    [
        "[@,@]" + "|[@,@]" * 40,
        "[@,@][]" + "|[@,@][]" * 40,
        "[@,@]" + "|[@,@]" * 40 + "|to_string(@)",
        "[@,@]" + "|[@,@]" * 40 + "|contains(@, @)",
        "join('a', [article.id" + ", article.id" * 400 + "])" + "|join(@, [@,@,@,@,@,@,@,@])" * 9,
        "(" * 2000 + "@" + ")" * 2000,
    ],
)
@pytest.mark.timeout(30)
def test_no_expression_goes_on_without_end(expression: str) -> None:
    with pytest.raises(ValidationError) as refused:
        defined(media_type="application/json", mapping={"a": expression})
    assert "mapping" in str(refused.value)


@pytest.mark.parametrize(
    ("expression", "problem"),
    [
        ("article.", "a: is no expression of JMESPath, from character 9 on"),
        ("article id", "a: is no expression of JMESPath, from character 9 on"),
        ("upper(article.id)", "a: Unknown function: upper()"),
        ("length(`5`)", "a: In function length(), invalid type for value: 5, expected one of"),
    ],
)
def test_a_wrong_expression_is_named_by_its_member(expression: str, problem: str) -> None:
    with pytest.raises(ValidationError) as refused:
        defined(media_type="application/json", mapping={"a": expression})
    assert problem in str(refused.value)


@pytest.mark.parametrize(
    ("rules", "media_type", "template"),
    [
        (XSD, "application/xml", "<story><head>{{ article.headline }}</head></story>"),
        (RNG, "application/xml", "<story><head>{{ article.headline }}</head></story>"),
        (JSON_SCHEMA, "application/json", '{"head": {{ article.headline|tojson }}}'),
    ],
    ids=["xsd", "rng", "json"],
)
def test_the_gate_judges_by_the_rules(rules: str, media_type: str, template: str) -> None:
    take_over([defined(rules=rules, media_type=media_type, template=template)])
    render = ARTICLE_FORMATS["wire"].render
    short, long = (
        render("article.published", article(headline=headline), "m", PROVIDER) for headline in ("Short", "Long" * 6)
    )
    assert [] == check_article("wire", short, ours=True)
    assert ["schema"] == list({finding.rule for finding in check_article("wire", long, ours=True)})


def test_what_is_no_xml_or_json_does_not_pass() -> None:
    for media_type in ("application/xml", "application/json"):
        take_over([defined(media_type=media_type, template="<a>{{ article.headline|safe }}")])
        document = ARTICLE_FORMATS["wire"].render("article.published", article(), "m", PROVIDER)
        assert [media_type.rpartition("/")[2] + ".well-formed"] == [
            finding.rule for finding in check_article("wire", document, ours=True)
        ]


@pytest.mark.parametrize(
    ("rules", "problem"),
    [
        (
            XSD.replace("<xs:element name=", "<xs:include schemaLocation='/etc/passwd'/><xs:element name=", 1),
            "refers to another",
        ),
        ('<include href="/etc/passwd" xmlns="http://relaxng.org/ns/structure/1.0"/>', "refers to another file"),
        ("<xs:schema", "is no XML"),
        (XSD.replace("xs:maxLength", "xs:most"), "can't be used"),
    ],
)
def test_schemas_that_cannot_be_used_are_refused(rules: str, problem: str) -> None:
    with pytest.raises(ValidationError, match=problem):
        defined(template="<a/>", rules=rules)


def test_a_schema_in_json_reads_nothing_that_it_refers_to() -> None:
    # Where its parts have names of their own, that shows when it is applied.
    rules = {"$defs": {"a": {"$id": "urn:a"}}, "$ref": "http://127.0.0.1:9/schema"}
    take_over([defined(media_type="application/json", template="{}", rules=json.dumps(rules))])
    (finding,) = check_article("wire", b"{}", ours=True)
    assert "refers to what it does not have" in finding.reason


TWICE = {f"d{number}": {"allOf": [{"$ref": f"#/$defs/d{number + 1}"}] * 2} for number in range(40)}


@pytest.mark.parametrize(
    ("rules", "document", "problem"),
    [
        ({"$defs": {**TWICE, "d40": {}}, "$ref": "#/$defs/d0"}, {}, "does too much for one document"),
        ({"properties": {"head": {"pattern": "^(a|aa)+$"}}}, {"head": "a" * 60 + "!"}, "a pattern that takes too long"),
        ({"patternProperties": {"^(a|aa)+$": {}}}, {"a" * 60 + "!": 1}, "a pattern that takes too long"),
        (
            {"additionalProperties": False, "patternProperties": {"^(a|aa)+$": {}}},
            {"a" * 60 + "!": 1},
            "a pattern that takes too long",
        ),
        ({"properties": {"n": {"multipleOf": 0.5}}}, {"n": 10**400}, "can't be applied"),
    ],
    ids=["references", "pattern", "names", "other-names", "number"],
)
@pytest.mark.timeout(60)
def test_a_schema_in_json_that_would_not_end_or_breaks_is_a_finding(
    rules: dict[str, Any], document: dict[str, Any], problem: str
) -> None:
    take_over([defined(media_type="application/json", template="{}", rules=json.dumps(rules))])
    (finding,) = check_article("wire", json.dumps(document).encode(), ours=True)
    assert problem in finding.reason


@pytest.mark.timeout(120)
def test_a_schema_in_xml_that_takes_too_long_is_a_finding_until_it_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schemas, "_DOCUMENT_SECONDS", 0.2)
    model = '<element name="b"><empty/></element>'
    for _ in range(4):
        model = f"<zeroOrMore><choice>{model}{model}</choice></zeroOrMore>"
    rules = (
        f'<element name="a" xmlns="http://relaxng.org/ns/structure/1.0">{model}<element name="z"><empty/></element>'
        "</element>"
    )
    check = schemas.compiled_schema(rules, of_json=False)
    reason = "the schema can't be applied: it takes too long for one document"
    assert [reason] == [finding.reason for finding in check(b"<a>" + b"<b/>" * 50 + b"</a>")]
    # Until it is back nobody waits for it.
    assert [reason] == [finding.reason for finding in check(b"<a><z/></a>")]
    until(lambda: not list(check(b"<a><z/></a>")), "the schema judges again")


def test_a_schema_in_xml_that_gives_up_is_a_finding() -> None:
    rules = XSD.replace('<xs:maxLength value="20"/>', '<xs:pattern value="(a|aa)+"/>')
    (finding,) = schemas.compiled_schema(rules, of_json=False)(f"<story><head>{'a' * 40}!</head></story>".encode())
    assert finding.reason == "the schema can't be applied: Internal error in XML Schema validation"


def test_patterns_of_names_judge_as_the_standard_says() -> None:
    rules = {
        "properties": {"head": True},
        "patternProperties": {"^x-": {"type": "string"}},
        "additionalProperties": {"type": "integer"},
    }
    take_over([defined(media_type="application/json", template="{}", rules=json.dumps(rules))])
    assert [] == check_article("wire", b'{"head": [], "x-desk": "night", "words": 3}', ours=True)
    wrong = check_article("wire", b'{"x-desk": 3, "words": "three"}', ours=True)
    assert ["x-desk: 3 is not of type 'string'", "words: 'three' is not of type 'integer'"] == [
        finding.reason for finding in wrong
    ]


@pytest.mark.parametrize("rules", ["[" * 100_000, '{"not":' * 900 + "{}" + "}" * 900, '{"$schema": 5}', '{"$ref": 5}'])
def test_schemas_in_json_that_cannot_be_used_are_refused(rules: str) -> None:
    with pytest.raises(ValidationError, match=r"nested too deeply|must be an object|can't be used"):
        defined(media_type="application/json", template="{}", rules=rules)


@pytest.mark.parametrize(
    ("rules", "problem"),
    [
        # What `re` takes counts for nothing.
        (
            {"properties": {"head": {"pattern": "[[:alpha:]"}}},
            r"properties/head/pattern: .* is no pattern: unterminated",
        ),
        ({"patternProperties": {"[": {}}}, r"patternProperties: .* is no pattern: unterminated character set"),
        ({"properties": {"head": {"$ref": "#/$defs/none"}}}, r"refers to what it does not have: #/\$defs/none"),
        ({"allOf": [{"$ref": "https://schemas.example/article"}]}, "refers to what it does not have: https://schemas"),
    ],
)
def test_a_schema_in_json_that_could_not_judge_is_refused(rules: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValidationError, match=problem) as refusal:
        defined(media_type="application/json", template="{}", rules=json.dumps(rules))
    assert [error["loc"][0] for error in refusal.value.errors()] == ["rules"]


@pytest.mark.parametrize("pattern", [r"^\p{L}+$", "^(?<word>[a-zçıg]+)$"])
def test_patterns_are_those_of_the_standard(pattern: str) -> None:
    """ECMA-262 with its flag u, of which `re` knows little."""
    rules = json.dumps({"properties": {"head": {"pattern": pattern}}})
    take_over([defined(media_type="application/json", template="{}", rules=rules)])
    assert [] == check_article("wire", '{"head": "gazı"}'.encode(), ours=True)
    (finding,) = check_article("wire", b'{"head": "1 2"}', ours=True)
    assert finding.reason.startswith("head: ")


def test_patterns_that_nothing_bounds_are_refused() -> None:
    """`unevaluatedProperties` has each name looked at by the patterns beside it, wherever these are."""
    rules = {"unevaluatedProperties": False, "allOf": [{"patternProperties": {"^(a|aa)+$": {}}}]}
    with pytest.raises(ValidationError, match="unevaluatedProperties beside patternProperties"):
        defined(media_type="application/json", template="{}", rules=json.dumps(rules))
    take_over([defined(media_type="application/json", template="{}", rules='{"unevaluatedProperties": false}')])
    assert ["the document"] == [
        finding.reason.partition(":")[0] for finding in check_article("wire", b'{"a": 1}', ours=True)
    ]


def test_numbers_that_json_does_not_have_do_not_pass() -> None:
    take_over([defined(media_type="application/json", template='{"a": NaN, "b": -Infinity}')])
    document = ARTICLE_FORMATS["wire"].render("article.published", article(), "m", PROVIDER)
    assert ["json.well-formed"] == [finding.rule for finding in check_article("wire", document, ours=True)]


@pytest.mark.parametrize("expression", ["to_number('nan')", "to_number('1e999')", "`1e999`"])
def test_a_mapping_to_a_number_that_json_does_not_have_is_refused(expression: str) -> None:
    with pytest.raises(ValidationError, match="a number that has no end"):
        defined(media_type="application/json", mapping={"a": expression})


LINES = st.text(st.characters(exclude_categories=["Cc", "Cs", "Cn"]), max_size=20)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=40)
@given(st.lists(LINES, max_size=3), st.booleans())
def test_a_feed_is_its_parts_in_their_envelope(headlines: list[str], as_json: bool) -> None:
    definition = defined(
        of="feed",
        **(
            {"media_type": "application/json", "mapping": {"head": "article.headline"}}
            if as_json
            else {
                "template": "<story>{{ article.headline }}</story>",
                "envelope": "<all of='{{ feed.title }}'>{{ entries }}{% for r in removed %}<gone/>{% endfor %}</all>",
            }
        ),
    )
    one = feed_format(definition)
    entries = [
        entry(article(id=f"a{n}").model_copy(update={"headline": line}), "h.example,2026")
        for n, line in enumerate(headlines)
    ]
    stones = [Tombstone("tag:h.example,2026:article/gone", THEN)]
    document = one.render(CHANNEL, entries, stones)
    assert document == one.envelope(CHANNEL, stones).around([one.fragment(each) for each in entries])
    take_over([definition])
    assert [] == check_feed("wire", document, ours=True)
    if as_json:
        assert headlines == [item["head"] for item in json.loads(document)["items"]]
        assert ["tag:h.example,2026:article/gone"] == [item["uri"] for item in json.loads(document)["removed"]]


def test_a_schema_that_asks_for_an_article_lets_an_empty_feed_be() -> None:
    rules = (
        '<element name="all" xmlns="http://relaxng.org/ns/structure/1.0"><element name="b"><empty/></element></element>'
    )
    one = feed_format(
        defined(of="feed", template="<{{ article.section }}/>", envelope="<all>{{ entries }}</all>", rules=rules)
    )
    take_over(())
    assert [] == check_channel(one, CHANNEL)
    assert [] == check_entry(one, CHANNEL, one.fragment(entry(article(section="b"), "h.example,2026")))
    assert check_entry(one, CHANNEL, one.fragment(entry(article(section="c"), "h.example,2026")))


def test_another_definition_is_kept_under_another_key() -> None:
    keys = {
        article_format(defined(template="<a/>")).key,
        article_format(defined(template="<b/>")).key,
        article_format(defined(template="<a/>", kill="<k/>")).key,
        article_format(defined(template="<a/>", rules=XSD)).key,
        article_format(defined(template="<a/>", extension="dat")).key,
        ARTICLE_FORMATS["json"].key,
    }
    assert len(keys) == 6


def test_the_extension_is_that_of_the_definition_or_the_media_type() -> None:
    assert [("xml", "json"), ("txt", "tw.xml")] == [
        (article_format(defined(template="a")).extension, ARTICLE_FORMATS["ninjs31"].extension),
        (
            article_format(defined(template="a", media_type="text/plain; charset=utf-8")).extension,
            article_format(defined(template="a", extension="tw.xml")).extension,
        ),
    ]
    assert {"html", "json", "txt", "xml"} == {one.extension for one in ARTICLE_FORMATS.ours.values()}
    assert {"json", "xml"} == {one.extension for one in FEED_FORMATS.ours.values()}


def test_the_tables_list_what_was_taken_over_last_and_find_what_was_before() -> None:
    take_over(
        [defined(template="<a/>"), defined(name="all", of="feed", template="<a/>", envelope="<b>{{ entries }}</b>")]
    )
    assert "wire" in ARTICLE_FORMATS
    assert "wire" not in FEED_FORMATS
    assert "all" in FEED_FORMATS
    wire = ARTICLE_FORMATS["wire"]
    take_over([defined(name="other", template="<a/>")])
    assert [*ARTICLE_FORMATS.ours, "other"] == list(ARTICLE_FORMATS)
    assert ARTICLE_FORMATS["other"] in ARTICLE_FORMATS.values()
    assert "wire" not in ARTICLE_FORMATS
    assert ARTICLE_FORMATS.get("wire") is None
    # Whoever has begun to send by it ends so.
    assert wire is ARTICLE_FORMATS["wire"]
    with pytest.raises(KeyError):
        ARTICLE_FORMATS["never"]


def test_no_document_is_taken_for_one_of_the_newsrooms_own() -> None:
    take_over([defined(template="<story/>")])
    assert recognise(b"<story/>") is None
