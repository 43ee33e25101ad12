"""What an element of XML may be, as tables, and the walk that compares a document with them.

An `ElementModel` says what the text of an element must be, which attributes it has, and which elements stand in it.
Elements of a namespace that no table names may be anything: both RSS and Atom leave room for them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from lxml import etree

from feeds.validation import values
from feeds.validation.finding import Finding, Findings
from feeds.validation.xml import Element, at, local_name

TextCheck = Callable[[str], str | None]
"""What is wrong with a text, None where nothing is."""
ElementCheck = Callable[[Element], Iterable[str]]
"""What is wrong with an element as a whole, beyond its parts."""

_XML_NS = "http://www.w3.org/XML/1998/namespace"
_BASE, _LANG = f"{{{_XML_NS}}}base", f"{{{_XML_NS}}}lang"


def any_text(text: str) -> None:
    """Any text is right."""
    del text


@dataclass(frozen=True, slots=True)
class ElementModel:
    """What one element may be.

    text: what its text must be; None: it has no text, only elements. keeps_space: white space around the text is part
    of the text. attributes: those without a namespace by their name, others as `{namespace}name`. children: the
    elements in it, by tag; None: any text and any elements, and any attributes unless some are named.
    required_children: elements that must be there at least once. repeatable: it may stand more than once in its parent.
    checks: what must be true of it as a whole. rule: the name of its rules in findings, where that is not made of its
    parent's rule and its own name.
    """

    text: TextCheck | None = any_text
    keeps_space: bool = False
    attributes: Mapping[str, TextCheck] = field(default_factory=dict)
    required_attributes: tuple[str, ...] = ()
    children: Mapping[str, ElementModel] | None = field(default_factory=dict)
    required_children: tuple[str, ...] = ()
    repeatable: bool = False
    checks: tuple[ElementCheck, ...] = ()
    rule: str = ""

    @property
    def repeated(self) -> ElementModel:
        """The same element, where it may stand any number of times."""
        return replace(self, repeatable=True)


ANYTHING = ElementModel(children=None, repeatable=True)
"""An element that exists, and whose content is not checked."""


def matches(accepts: Callable[[str], Any], reason: str) -> TextCheck:
    """Return a check that a text passes if `accepts` is true of it; `reason` says what is wrong with others."""
    return lambda text: None if accepts(text) else reason


def one_of(*choices: str) -> TextCheck:
    """Return a check that only the `choices` pass."""
    return matches(frozenset(choices).__contains__, f"is none of {', '.join(choices)}")


def any_case(*choices: str) -> TextCheck:
    """Return a check that only the `choices`, given in lower case, pass, in any case."""
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
"""Reasons that concern a code which a registry gives out: our own documents take those codes from the newsroom."""


def _address(accepts: Callable[[str], Any], reason: str) -> TextCheck:
    """Return a check of addresses: `accepts` must be true, and a `urn:uuid:` must have a UUID."""

    def check(text: str) -> str | None:
        if not accepts(text):
            return reason
        return None if values.uuid_urn(text) else NO_UUID

    return check


uri = _address(values.uri, "is no absolute address")
iri = _address(values.iri, "is no absolute address")
reference = _address(values.reference, "is no address")
http = matches(values.url, "is no absolute http address")
count = matches(lambda text: _number(text, 0), "is no whole number from 0")
positive_integer = matches(lambda text: _number(text, 1), "is no whole number from 1")
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
    """Check a language tag, and that its language exists."""
    if not values.language(text):
        return "is no language tag"
    return None if values.known_language(text) else UNREGISTERED


def at_most(characters: int) -> TextCheck:
    """Return a check that texts of at most so many characters pass."""
    return lambda text: f"has {len(text)} characters, more than {characters}" if len(text) > characters else None


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """How a format treats what its tables do not name.

    namespaces: every namespace whose elements are all listed, with its usual prefix: another name in it is a mistake.
    bare: whether elements without a namespace must be listed. Then none may stand within elements of other namespaces
    either, except `loose` ones, which are designed that way. questionable: elements that exist and may stand anywhere,
    even where they say little.
    """

    namespaces: Mapping[str, str]
    bare: bool
    questionable: Mapping[str, ElementModel]
    loose: frozenset[str] = frozenset()

    def check(self, element: Element, model: ElementModel, rule: str) -> Findings:
        """Yield what is wrong with an element and with everything in it."""
        if (element.attrib or model.required_attributes) and (model.children is not None or model.attributes):
            yield from self._attributes(element, model, rule)
        for element_check in model.checks:
            for reason in element_check(element):
                yield at(element, rule, reason)
        if model.children is not None:
            yield from self._text(element, model, rule)
            if len(element) or model.required_children:
                yield from self._children(element, model, model.children, rule)
        elif self.bare:
            yield from self._foreign(element, rule)

    def _children(
        self, element: Element, model: ElementModel, children: Mapping[str, ElementModel], rule: str
    ) -> Findings:
        counts: Counter[str] = Counter()
        for child in element.iterchildren(etree.Element):
            tag = str(child.tag)
            counts[tag] += 1
            child_model = self._model(tag, children)
            child_rule = (child_model.rule if child_model else "") or f"{rule}.{self._written_name(tag)}"
            if child_model is None:
                yield from self._unlisted_child(element, child, children, rule)
                continue
            if counts[tag] == 2 and not child_model.repeatable:
                yield at(child, child_rule, f"{local_name(element)} must have only one {self._written_name(tag)}")
            yield from self.check(child, child_model, child_rule)
        for tag in model.required_children:
            if not counts[tag]:
                yield at(
                    element,
                    f"{rule}.{self._written_name(tag)}",
                    f"{local_name(element)} must have {self._written_name(tag)}",
                )

    def _unlisted_child(
        self, element: Element, child: Element, children: Mapping[str, ElementModel], rule: str
    ) -> Findings:
        tag = str(child.tag)
        if self._is_undefined(tag, children):
            yield at(child, f"{rule}.unknown", f"{local_name(element)} must not have {self._written_name(tag)}")
        elif self.bare:
            yield from self._foreign(child, f"{rule}.{self._written_name(tag)}")

    def _model(self, tag: str, children: Mapping[str, ElementModel]) -> ElementModel | None:
        # "Qualified" Dublin Core names a refinement after a dot.
        return children.get(tag) or children.get(tag.removesuffix(bare_name(tag)) + bare_name(tag).split(".")[0])

    def _is_undefined(self, tag: str, children: Mapping[str, ElementModel]) -> bool:
        if not children:
            return True
        if tag in self.questionable:
            return False
        return _namespace(tag) in self.namespaces if tag.startswith("{") else self.bare

    def _written_name(self, tag: str) -> str:
        """Return the element's name with its usual prefix and a hyphen, as reasons and names of rules have it."""
        if not tag.startswith("{"):
            return tag
        prefix = self.namespaces.get(_namespace(tag), "")
        return f"{prefix}-{bare_name(tag)}" if prefix else bare_name(tag)

    def _attributes(self, element: Element, model: ElementModel, rule: str) -> Findings:
        for attribute, attribute_text in element.attrib.items():
            yield from self._attribute(element, model, rule, str(attribute), str(attribute_text))
        for attribute in model.required_attributes:
            if attribute not in element.attrib:
                yield at(element, rule, f"{local_name(element)} must have the attribute {bare_name(attribute)}")

    def _attribute(
        self, element: Element, model: ElementModel, rule: str, attribute: str, attribute_text: str
    ) -> Findings:
        if (text_check := model.attributes.get(attribute)) is not None:
            if reason := text_check(attribute_text):
                yield _finding(
                    element, rule, f"{local_name(element)}: {bare_name(attribute)} {attribute_text!r}", reason
                )
        elif attribute == _LANG:
            if attribute_text and (reason := language(attribute_text)):
                yield _finding(element, f"{rule}.lang", f"xml:lang {attribute_text!r}", reason)
        elif attribute == _BASE:
            if reason := reference(attribute_text):
                yield at(element, f"{rule}.base", f"xml:base {attribute_text!r} {reason}")
        elif self._is_unexpected(attribute):
            yield at(
                element, f"{rule}.unknown", f"{local_name(element)} must not have the attribute {bare_name(attribute)}"
            )

    def _is_unexpected(self, attribute: str) -> bool:
        if not attribute.startswith("{"):
            return True
        # RDF may be written into any XML by its attributes.
        return self.namespaces.get(_namespace(attribute), "rdf") != "rdf"

    def _text(self, element: Element, model: ElementModel, rule: str) -> Findings:
        if model.text is None:
            if any(part.strip() for part in _own_text(element)):
                yield at(element, rule, f"{local_name(element)} must not have text of its own")
            return
        text = "".join(_own_text(element))
        if not model.keeps_space:
            text = text.strip()
        if reason := model.text(text):
            yield _finding(element, rule, f"{local_name(element)} {text!r}", reason)

    def _foreign(self, element: Element, rule: str) -> Findings:
        """In an element of another namespace every element must have a namespace."""
        if _namespace(str(element.tag)) in self.loose:
            return
        for inner in element.iterdescendants(etree.Element):
            if not str(inner.tag).startswith("{"):
                yield at(inner, f"{rule}.unknown", f"{local_name(element)}: {inner.tag} must have a namespace")


def bare_name(tag: str) -> str:
    """Return the name of a tag or an attribute without its namespace."""
    return tag.rpartition("}")[2]


def _finding(element: Element, rule: str, subject: str, reason: str) -> Finding:
    finding = at(element, rule, f"{subject} {reason}")
    return finding._replace(source="registry") if reason in REGISTRIES else finding


def _namespace(tag: str) -> str:
    return tag[1:].partition("}")[0] if tag.startswith("{") else ""


def _own_text(element: Element) -> Iterator[str]:
    if element.text:
        yield str(element.text)
    for child in element:
        if child.tail:
            yield str(child.tail)
