"""What an element of XML may be, said as a table, and the walk that compares a document with it.

A `Kind` says what the text of an element must be, which attributes it has, and which elements stand in it. Elements of
a namespace that nobody here knows may be anything: both RSS and Atom leave room for them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from lxml import etree

from feeds.validation import values
from feeds.validation.finding import Finding, Findings
from feeds.validation.xml import Element, at, name

Value = Callable[[str], str | None]
"""What is wrong with a text, None where nothing is."""
Whole = Callable[[Element], Iterable[str]]
"""What is wrong with an element as a whole, beyond its parts."""

_XML_NS = "http://www.w3.org/XML/1998/namespace"
_BASE, _LANG = f"{{{_XML_NS}}}base", f"{{{_XML_NS}}}lang"


def words(text: str) -> None:
    """Anything goes."""
    del text


@dataclass(frozen=True, slots=True)
class Kind:
    """What one element may be.

    text: what its text must be; None: it has none, only elements. strict: white space around the text is part of it.
    attributes: those without a namespace by their name, others as `{namespace}name`; needs: those that must be there.
    holds: the elements in it, by tag; None: any text and elements, and where no attributes are named, any of those.
    must: the elements that must be there, in any number. many: it may stand more than once in its parent.
    rules: what else must hold. rule: the name of its rules, where it is not that of its parent and its own.
    """

    text: Value | None = words
    strict: bool = False
    attributes: Mapping[str, Value] = field(default_factory=dict)
    needs: tuple[str, ...] = ()
    holds: Mapping[str, Kind] | None = field(default_factory=dict)
    must: tuple[str, ...] = ()
    many: bool = False
    rules: tuple[Whole, ...] = ()
    rule: str = ""

    @property
    def repeated(self) -> Kind:
        """The same, as one of any number."""
        return replace(self, many=True)


ANYTHING = Kind(holds=None, many=True)
"""An element that is known, and whose content is nobody's business here."""


def matches(holds: Callable[[str], Any], reason: str) -> Value:
    """The value for which `holds` is true; `reason` says what another one is."""
    return lambda text: None if holds(text) else reason


def one_of(*choices: str) -> Value:
    """One of the words."""
    known = frozenset(choices)
    return matches(known.__contains__, f"is none of {', '.join(choices)}")


def any_case(*choices: str) -> Value:
    """One of the words, in large letters or small."""
    return lambda text: None if text.lower() in choices else f"is none of {', '.join(choices)}"


def _number(text: str, least: int) -> bool:
    digits = text.removeprefix("+")
    return digits.isascii() and digits.isdecimal() and int(digits[-18:]) >= least


def _decimal(text: str, most: float | None = None) -> bool:
    try:
        number = float(text)
    except ValueError:
        return False
    return text.isascii() and "n" not in text.lower() and (most is None or abs(number) <= most)


UNREGISTERED = "is no language that is registered"
NO_UUID = "has no UUID"
REGISTRIES = frozenset({UNREGISTERED, NO_UUID})
"""What is wrong with a code that a registry or a namespace gives out; ours say the codes as the newsroom does."""


def _address(holds: Callable[[str], Any], reason: str) -> Value:
    """An address for which `holds` is true, with a UUID if it says so."""

    def check(text: str) -> str | None:
        if not holds(text):
            return reason
        return None if values.uuid_urn(text) else NO_UUID

    return check


uri = _address(values.uri, "is no absolute address")
iri = _address(values.iri, "is no absolute address")
reference = _address(values.reference, "is no address")
http = matches(values.url, "is no absolute http address")
count = matches(lambda text: _number(text, 0), "is no whole number from 0")
counted = matches(lambda text: _number(text, 1), "is no whole number from 1")
integer = matches(lambda text: _number(text.removeprefix("-"), 0), "is no whole number")
decimal = matches(_decimal, "is no number")
rfc822 = matches(values.rfc822, "is no valid time")
rfc3339 = matches(values.rfc3339, "is no valid time")
w3cdtf = matches(values.w3cdtf, "is no valid time")
media_type = matches(values.media_type, "is no media type")
mailbox = matches(values.mailbox, "is no e-mail address")
contact = matches(values.contact, "has no e-mail address")
latitude = matches(lambda text: _decimal(text, 90), "is no latitude")
longitude = matches(lambda text: _decimal(text, 180), "is no longitude")


def language(text: str) -> str | None:
    """A language tag, of a language that exists."""
    if not values.language(text):
        return "is no language tag"
    return None if values.known_language(text) else UNREGISTERED


def at_most(characters: int) -> Value:
    """No longer than that."""
    return lambda text: f"has {len(text)} characters, more than {characters}" if len(text) > characters else None


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """How a format takes what its tables do not name.

    namespaces: those that are known, so that an unknown name in them is a mistake; each with its usual prefix.
    bare: elements without a namespace must be known, and none may stand in those of others, but in those of `loose`
    namespaces, which are made so. questionable: elements that are known somewhere, and may stand
    where they say little.
    """

    namespaces: Mapping[str, str]
    bare: bool
    questionable: Mapping[str, Kind]
    loose: frozenset[str] = frozenset()

    def check(self, element: Element, kind: Kind, rule: str) -> Findings:
        """What is wrong with an element and with all that it holds."""
        if (element.attrib or kind.needs) and (kind.holds is not None or kind.attributes):
            yield from self._attributes(element, kind, rule)
        for whole in kind.rules:
            for reason in whole(element):
                yield at(element, rule, reason)
        if kind.holds is not None:
            yield from self._text(element, kind, rule)
            if len(element) or kind.must:
                yield from self._children(element, kind, kind.holds, rule)
        elif self.bare:
            yield from self._foreign(element, rule)

    def _children(self, element: Element, kind: Kind, holds: Mapping[str, Kind], rule: str) -> Findings:
        seen: Counter[str] = Counter()
        for child in element.iterchildren(etree.Element):
            tag = str(child.tag)
            seen[tag] += 1
            inner = self._kind(tag, holds)
            inner_rule = (inner.rule if inner else "") or f"{rule}.{self._named(tag)}"
            if inner is None:
                yield from self._other(element, child, holds, rule)
                continue
            if seen[tag] == 2 and not inner.many:
                yield at(child, inner_rule, f"{name(element)} must have only one {self._named(tag)}")
            yield from self.check(child, inner, inner_rule)
        for tag in kind.must:
            if not seen[tag]:
                yield at(element, f"{rule}.{self._named(tag)}", f"{name(element)} must have {self._named(tag)}")

    def _other(self, element: Element, child: Element, holds: Mapping[str, Kind], rule: str) -> Findings:
        tag = str(child.tag)
        if self._undefined(tag, holds):
            yield at(child, f"{rule}.unknown", f"{name(element)} must not have {self._named(tag)}")
        elif self.bare:
            yield from self._foreign(child, f"{rule}.{self._named(tag)}")

    def _kind(self, tag: str, holds: Mapping[str, Kind]) -> Kind | None:
        # "Qualified" Dublin Core names a refinement after a dot.
        return holds.get(tag) or holds.get(tag.removesuffix(name_of(tag)) + name_of(tag).split(".")[0])

    def _undefined(self, tag: str, holds: Mapping[str, Kind]) -> bool:
        if not holds:
            return True
        if tag in self.questionable:
            return False
        return _namespace(tag) in self.namespaces if tag.startswith("{") else self.bare

    def _named(self, tag: str) -> str:
        """The element's name as people write it; rules have it too, with a hyphen after the prefix."""
        if not tag.startswith("{"):
            return tag
        prefix = self.namespaces.get(_namespace(tag), "")
        return f"{prefix}-{name_of(tag)}" if prefix else name_of(tag)

    def _attributes(self, element: Element, kind: Kind, rule: str) -> Findings:
        for attribute, said in element.attrib.items():
            yield from self._attribute(element, kind, rule, str(attribute), str(said))
        for attribute in kind.needs:
            if attribute not in element.attrib:
                yield at(element, rule, f"{name(element)} must have the attribute {name_of(attribute)}")

    def _attribute(self, element: Element, kind: Kind, rule: str, attribute: str, said: str) -> Findings:
        if (value := kind.attributes.get(attribute)) is not None:
            if reason := value(said):
                yield _finding(element, rule, f"{name(element)}: {name_of(attribute)} {said!r}", reason)
        elif attribute == _LANG:
            if said and (reason := language(said)):
                yield _finding(element, f"{rule}.lang", f"xml:lang {said!r}", reason)
        elif attribute == _BASE:
            if reason := reference(said):
                yield at(element, f"{rule}.base", f"xml:base {said!r} {reason}")
        elif self._unexpected(attribute):
            yield at(element, f"{rule}.unknown", f"{name(element)} must not have the attribute {name_of(attribute)}")

    def _unexpected(self, attribute: str) -> bool:
        if not attribute.startswith("{"):
            return True
        # RDF may be written into any XML by attributes of its own.
        return self.namespaces.get(_namespace(attribute), "rdf") != "rdf"

    def _text(self, element: Element, kind: Kind, rule: str) -> Findings:
        if kind.text is None:
            if any(part.strip() for part in _own_text(element)):
                yield at(element, rule, f"{name(element)} must not have text of its own")
            return
        text = "".join(_own_text(element))
        if not kind.strict:
            text = text.strip()
        if reason := kind.text(text):
            yield _finding(element, rule, f"{name(element)} {text!r}", reason)

    def _foreign(self, element: Element, rule: str) -> Findings:
        """RSS takes elements of its own, and of others only with a namespace."""
        if _namespace(str(element.tag)) in self.loose:
            return
        for inner in element.iterdescendants(etree.Element):
            if not str(inner.tag).startswith("{"):
                yield at(inner, f"{rule}.unknown", f"{name(element)}: {inner.tag} must have a namespace")


def name_of(tag: str) -> str:
    """A tag or an attribute's name without its namespace."""
    return tag.rpartition("}")[2]


def _finding(element: Element, rule: str, said: str, reason: str) -> Finding:
    finding = at(element, rule, f"{said} {reason}")
    return finding._replace(source="registry") if reason in REGISTRIES else finding


def _namespace(tag: str) -> str:
    return tag[1:].partition("}")[0] if tag.startswith("{") else ""


def _own_text(element: Element) -> Iterator[str]:
    if element.text:
        yield str(element.text)
    for child in element:
        if child.tail:
            yield str(child.tail)
