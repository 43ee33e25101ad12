"""Schemas of newsrooms' own formats, as texts: XML Schema, RELAX NG or JSON Schema.

Nothing that they refer to is read.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from itertools import islice
from threading import Lock, Thread
from typing import Any

import jsonschema
import regex
from jsonschema.exceptions import SchemaError, ValidationError
from lxml import etree
from referencing import Registry
from referencing.exceptions import Unresolvable
from referencing.jsonschema import DRAFT202012, specification_with

from feeds.formats.interface import FormatFault
from feeds.formats.own import budget
from feeds.formats.own.budget import Budget
from feeds.validation.finding import SCHEMA_RULE, Finding, Findings

_FINDINGS_MOST = 20
_KEYWORD_UNITS = 10
"""What a keyword of a JSON Schema costs each time that it is applied: some microseconds."""
_PATTERN_SECONDS = 0.2
"""How long one pattern may look at one text. Most need a millionth of it; `(a+)+$` would never end."""
_DOCUMENT_SECONDS = 5.0
"""How long an XML Schema or RELAX NG is waited for, for one document. Most need some thousandths."""
_UNBOUNDED = {"unevaluatedProperties", "patternProperties"}
_XSD, _RNG = "{http://www.w3.org/2001/XMLSchema}", "{http://relaxng.org/ns/structure/1.0}"
_REFERENCES = (
    *(f"{_XSD}{name}" for name in ("include", "import", "redefine", "override")),
    *(f"{_RNG}{name}" for name in ("include", "externalRef")),
)

Check = Callable[[bytes], Findings]
_PATTERNS = jsonschema.FormatChecker(formats=())


def _is_pattern(value: object) -> bool:
    # By what applies them later: `re` takes other patterns, and not those with the letters of any language.
    return not isinstance(value, str) or regex.compile(value) is not None


_PATTERNS.checks("regex", raises=regex.error)(_is_pattern)


def compiled_schema(text: str, *, of_json: bool) -> Check:
    """Return what judges documents by a schema. Raises FormatFault.

    `of_json`: the documents are JSON, and so is the schema; else they are XML.
    """
    return _json_schema(text) if of_json else _xml_schema(text)


def _parser() -> etree.XMLParser:
    return etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)


def _xml_schema(text: str) -> Check:
    try:
        root = etree.fromstring(text.encode(), _parser())
    except etree.XMLSyntaxError as error:
        raise FormatFault(f"is no XML: {error.msg}", error.lineno or 0) from None
    if any("schemaLocation" in part.attrib or "href" in part.attrib for part in root.iter(*_REFERENCES)):
        raise FormatFault("refers to another file: put all of it into one")
    try:
        if root.tag == f"{_XSD}schema":
            schema: Any = etree.XMLSchema(root)
        elif str(root.tag).startswith(_RNG):
            schema = etree.RelaxNG(root)
        else:
            raise FormatFault("is neither XML Schema nor RELAX NG in its XML syntax")
    except (etree.XMLSchemaParseError, etree.RelaxNGParseError) as error:
        raise FormatFault(f"can't be used: {str(error).partition(', line')[0]}") from None

    return _XmlRules(schema).check


class _XmlRules:
    """An XML Schema or RELAX NG, which judges one document at a time: what is wrong stands in the schema itself.

    libxml2 knows no limit: what a schema of some lines may mean by one document can take it for ever. So it is waited
    for, while it works without Python's lock. As long as it does not come back it judges nothing else.
    """

    def __init__(self, schema: Any) -> None:
        self._schema = schema
        self._free = Lock()
        self._late: Thread | None = None

    def check(self, document: bytes) -> Findings:
        """Yield what is wrong with a document."""
        try:
            parsed = etree.fromstring(document, _parser())
        except etree.XMLSyntaxError:
            return  # that it is no XML is a finding already
        findings: list[Finding] = []
        judging = Thread(target=self._judge, args=(parsed, findings), name="rules", daemon=True)
        is_late = self._late is not None and self._late.is_alive()
        if not is_late and self._free.acquire(timeout=_DOCUMENT_SECONDS):
            judging.start()
            judging.join(_DOCUMENT_SECONDS)
            if not judging.is_alive():
                yield from findings
                return
            self._late = judging
        yield Finding(None, SCHEMA_RULE, "the schema can't be applied: it takes too long for one document")

    def _judge(self, parsed: Any, findings: list[Finding]) -> None:
        try:
            if not self._schema.validate(parsed):
                wrong = list(self._schema.error_log)[:_FINDINGS_MOST]
                findings += [Finding(entry.line or None, SCHEMA_RULE, entry.message.rstrip(".")) for entry in wrong]
        except etree.LxmlError as error:
            # What it gives up itself, such as patterns that can be read in too many ways.
            reason = str(error).rstrip(".")
            findings.append(Finding(None, SCHEMA_RULE, f"the schema can't be applied: {reason}"))
        finally:
            self._free.release()


def _loaded_schema(text: str) -> tuple[dict[str, Any], Any]:
    """A JSON Schema, and what judges by schemas of its kind."""
    try:
        schema = json.loads(text)
    except ValueError as error:
        raise FormatFault(f"is no JSON: {error}") from None
    except RecursionError:
        raise FormatFault("is nested too deeply") from None
    if not isinstance(schema, dict) or not isinstance(schema.get("$schema", ""), str):
        raise FormatFault("must be an object of JSON Schema")
    kind = jsonschema.validators.validator_for(schema, jsonschema.Draft202012Validator)
    try:
        kind.check_schema(schema, format_checker=_PATTERNS)
        _check_references(schema)
    except SchemaError as error:
        where = "/".join(map(str, error.absolute_path))
        reason = f"{error.instance!r} is no pattern: {error.cause}" if error.cause else error.message
        raise FormatFault(f"can't be used: {where}: {reason}" if where else f"can't be used: {reason}") from None
    except RecursionError:
        raise FormatFault("is nested too deeply") from None
    if _UNBOUNDED.issubset(name for part in _objects(schema) for name in part):
        # The library looks for what is evaluated by patterns itself, without a time limit.
        raise FormatFault(
            "has unevaluatedProperties beside patternProperties, whose patterns could take for ever: "
            "name the properties, or use additionalProperties"
        )
    return schema, _paying(kind)


def _objects(schema: Any) -> Iterator[dict[str, Any]]:
    """Yield all objects in a schema."""
    remaining = [schema]
    while remaining:
        part = remaining.pop()
        if isinstance(part, dict):
            yield part
            remaining += part.values()
        elif isinstance(part, list):
            remaining += part


def _check_references(schema: dict[str, Any]) -> None:
    """See that a schema has what it refers to. Raises FormatFault.

    Where parts have names of their own, what a reference means depends on its part: then it is seen when it is applied.
    """
    parts = list(_objects(schema))
    if any("$id" in part for part in parts if part is not schema):
        return
    specification = specification_with(schema.get("$schema", ""), default=DRAFT202012)
    resolver = jsonschema.validators.SPECIFICATIONS.resolver_with_root(specification.create_resource(schema))
    for part in parts:
        if isinstance(reference := part.get("$ref"), str):
            try:
                resolver.lookup(reference)
            except Unresolvable:
                raise FormatFault(f"refers to what it does not have: {reference}") from None


def _json_schema(text: str) -> Check:
    schema, kind = _loaded_schema(text)
    judge = kind(schema, registry=Registry())

    def check(document: bytes) -> Findings:
        try:
            value = json.loads(document)
        except (ValueError, RecursionError):
            return  # that it is no JSON is a finding already
        try:
            with budget.within(Budget()):
                errors = list(islice(judge.iter_errors(value), _FINDINGS_MOST))
        except FormatFault as fault:
            yield Finding(None, SCHEMA_RULE, f"the schema can't be applied: it {fault.problem}")
        except Unresolvable as error:
            yield Finding(None, SCHEMA_RULE, f"the schema refers to what it does not have: {error}")
        except RecursionError:
            yield Finding(None, SCHEMA_RULE, "the document or its schema is nested too deeply")
        except (ArithmeticError, ValueError, TypeError, LookupError, AttributeError, regex.error) as error:
            # What check_schema lets pass and a keyword can't do, such as with numbers that have no end.
            yield Finding(None, SCHEMA_RULE, f"the schema can't be applied: {error}")
        else:
            for wrong in errors:
                where = "/".join(map(str, wrong.absolute_path)) or "the document"
                yield Finding(None, SCHEMA_RULE, f"{where}: {wrong.message[:300]}")

    return check


def _paying(kind: Any) -> Any:
    """A kind of JSON Schema whose keywords pay for what they do: a few references can make it endless."""
    own = {
        "pattern": _pattern,
        "patternProperties": _pattern_properties,
        "additionalProperties": _additional_properties,
    }
    return jsonschema.validators.extend(
        kind, {name: _paid(own.get(name, keyword)) for name, keyword in kind.VALIDATORS.items()}
    )


def _paid(keyword: Callable[..., Any]) -> Callable[..., Iterator[ValidationError]]:
    def apply(validator: Any, value: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
        budget.current().spend(_KEYWORD_UNITS)
        yield from keyword(validator, value, instance, schema) or ()

    return apply


def _matches(pattern: str, text: str) -> bool:
    try:
        return regex.search(pattern, text, timeout=_PATTERN_SECONDS) is not None
    except TimeoutError:
        raise FormatFault(f"has a pattern that takes too long: {pattern[:100]}") from None


def _pattern(validator: Any, pattern: str, instance: Any, schema: Any) -> Iterator[ValidationError]:
    del schema
    if validator.is_type(instance, "string") and not _matches(pattern, instance):
        yield ValidationError(f"{instance!r} does not match {pattern!r}")


def _pattern_properties(validator: Any, patterns: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
    del schema
    if validator.is_type(instance, "object"):
        for pattern, subschema in patterns.items():
            for name, value in instance.items():
                if _matches(pattern, name):
                    yield from validator.descend(value, subschema, path=name, schema_path=pattern)


def _additional_properties(validator: Any, allowed: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
    if not validator.is_type(instance, "object"):
        return
    named, patterns = schema.get("properties", {}), schema.get("patternProperties", {})
    for name, value in instance.items():
        if name not in named and not any(_matches(pattern, name) for pattern in patterns):
            if allowed is False:
                yield ValidationError(f"{name!r} is not allowed")
            else:
                yield from validator.descend(value, allowed, path=name)
