"""Documents of others: what the standards of RSS, Atom and JSON Feed allow has no findings, and all else has."""

from __future__ import annotations

import random
import re
from copy import deepcopy
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree
from unit.foreign_atom import BAD_ATOM, ENTRY, GOOD_ATOM, atom
from unit.foreign_json import BAD_JSON, GOOD_JSON, feed
from unit.foreign_rss import BAD_RSS, FRONT, GOOD_RSS, rss

from feeds.validation.checks import check_feed
from feeds.validation.finding import Finding

SCHEMA = Path(__file__).parents[3] / "shared" / "schemas" / "atom" / "atom-rfc4287.rng"


def faults(format_name: str, document: str) -> list[Finding]:
    return check_feed(format_name, document.encode())


@pytest.mark.parametrize(
    ("format_name", "document"),
    [
        *(("rss", document) for document in GOOD_RSS),
        *(("atom", document) for document in GOOD_ATOM),
        *(("json", document) for document in GOOD_JSON),
    ],
)
def test_what_the_standard_allows_has_no_findings(format_name: str, document: str) -> None:
    assert [] == faults(format_name, document)


@pytest.mark.parametrize(
    ("format_name", "document"),
    [
        *(("rss", document) for document in BAD_RSS),
        *(("atom", document) for document in BAD_ATOM),
        *(("json", document) for document in BAD_JSON),
    ],
)
def test_what_the_standard_forbids_is_found(format_name: str, document: str) -> None:
    findings = faults(format_name, document)
    assert findings
    assert all(finding.reason and finding.source in {"standard", "registry"} for finding in findings)


@pytest.mark.parametrize(
    ("format_name", "document", "rule"),
    [
        ("rss", rss(), "rss.item.guid"),
        ("rss", rss("<pubDate>2 Oct 24 08:00 EST</pubDate>"), "rss.channel.pubDate"),
        ("rss", rss("<atom:link rel='self' href='feed'/>"), "rss.channel.atom-link"),
        ("rss", rss(front=FRONT.replace("https", "ftp")), "rss.channel.link"),
        ("rss", rss(front=FRONT.replace("Quay", "")), "rss.channel.title"),
        ("rss", rss(item="<title>Left\u202eright</title>"), "text.characters"),
        ("rss", f"<!DOCTYPE rss>{rss()}", "xml.doctype"),
        ("atom", atom(entry="<link rel='related' href='a'/>"), "atom.link"),
        ("atom", atom(base=ENTRY.replace("tag:quay.example,2026:e", "https://quay.example/ü")), "atom.id"),
        ("atom", atom(entry=f"</entry><entry>{ENTRY}"), "atom.id.unique"),
        ("atom", atom(entry="<published>2026-01-02T00:00:00Z</published>"), "atom.entry.dates"),
        ("json", feed(title=""), "jsonfeed.title"),
        ("json", feed({"url": "https://quay.example/ü"}), "jsonfeed.item.url"),
    ],
)
def test_what_only_ours_must_be_is_said_to_be_so(format_name: str, document: str, rule: str) -> None:
    assert [] == faults(format_name, document)
    findings = check_feed(format_name, document.encode(), ours=True)
    assert rule in {finding.rule for finding in findings}
    assert {"house"} == {finding.source for finding in findings}


def test_what_a_partner_asks_for_is_said_to_be_so() -> None:
    findings = check_feed("msn", rss().encode())
    assert {"partner"} == {finding.source for finding in findings}


@given(data=st.data())
@settings(deadline=None, max_examples=200)
def test_whatever_is_changed_in_a_document_it_can_be_judged(data: st.DataObject) -> None:
    format_name, documents = data.draw(
        st.sampled_from([("rss", GOOD_RSS + BAD_RSS), ("atom", GOOD_ATOM + BAD_ATOM), ("json", GOOD_JSON + BAD_JSON)])
    )
    document = data.draw(st.sampled_from(documents))
    values = [match.span(1) for match in re.finditer(r"""[>"']([^<>"']*)[<"']""", document)]
    start, end = data.draw(st.sampled_from(values or [(0, 0)]))
    said = data.draw(
        st.text(max_size=30) | st.sampled_from(["9" * 5000, "a:" * 50, "(" * 100, "1e999", "http://[", "%"])
    )
    for finding in check_feed(format_name, f"{document[:start]}{said}{document[end:]}".encode("utf-8", "replace")):
        assert finding.reason


def _change(root: etree._Element, chance: random.Random) -> None:
    """Delete, repeat, move or rename an element, or change its attributes or text."""
    elements = [element for element in root.iter(etree.Element) if element is not root]
    element, other = chance.choice(elements), chance.choice(elements)
    match chance.randrange(6):
        case 0:
            parent = element.getparent()
            assert parent is not None
            parent.remove(element)
        case 1:
            element.addnext(deepcopy(element))
        case 2 if other not in element.iter():
            other.append(element)
        case 3:
            element.tag = other.tag
        case 4:
            name = chance.choice([*element.attrib, "type", "href", "src", "term", "scheme", "uri", "version", "odd"])
            element.set(name, chance.choice(["", "x", "text/html", "xhtml", "html", "http://a/", "a b"]))
        case _:
            element.text = chance.choice([" ", "x", "2026-01-01T00:00:00Z", "http://a/", ""])


@pytest.mark.skipif(not SCHEMA.is_file(), reason=f"the official schema is not in {SCHEMA}")
def test_what_the_schema_of_atom_forbids_is_found() -> None:
    schema = etree.RelaxNG(etree.parse(SCHEMA))
    roots = [etree.fromstring(document.encode()) for document in GOOD_ATOM]
    valid = [root for root in roots if schema.validate(root)]
    assert len(valid) > 15

    @given(chance=st.randoms(use_true_random=False))
    @settings(deadline=None, max_examples=200)
    def every(chance: random.Random) -> None:
        root = deepcopy(chance.choice(valid))
        _change(root, chance)
        assert schema.validate(root) or check_feed("atom", etree.tostring(root))

    every()


@pytest.mark.parametrize(
    ("format_name", "document"),
    [
        ("rss", rss("<language>jp</language>", "<title>T</title><guid isPermaLink='false'>1</guid>")),
        ("atom", atom().replace("<feed ", '<feed xml:lang="jp-JP" ')),
        ("json", feed({"language": "jp"})),
        ("atom", atom(base=ENTRY.replace("tag:quay.example,2026:e", "urn:uuid:jp"))),
    ],
)
def test_no_news_of_ours_is_kept_back_for_a_code_that_nobody_gave_out(format_name: str, document: str) -> None:
    assert [("registry", True)] == [
        (finding.source, "jp" in finding.reason) for finding in faults(format_name, document)
    ]
    assert [] == check_feed(format_name, document.encode(), ours=True)
