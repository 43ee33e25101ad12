"""Schemas of newsrooms' own formats, as texts: XML Schema, RELAX NG or JSON Schema.

Nothing that they refer to is read.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from threading import Lock
from typing import Any

import jsonschema
from jsonschema.exceptions import SchemaError
from lxml import etree
from referencing import Registry
from referencing.exceptions import Unresolvable

from feeds.formats.interface import FormatFault
from feeds.validation.finding import SCHEMA_RULE, Finding, Findings

_FINDINGS_MOST = 20
_XSD, _RNG = "{http://www.w3.org/2001/XMLSchema}", "{http://relaxng.org/ns/structure/1.0}"
_REFERENCES = (
    *(f"{_XSD}{name}" for name in ("include", "import", "redefine", "override")),
    *(f"{_RNG}{name}" for name in ("include", "externalRef")),
)

Check = Callable[[bytes], Findings]


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

    lock = Lock()

    def check(document: bytes) -> Findings:
        try:
            parsed = etree.fromstring(document, _parser())
        except etree.XMLSyntaxError:
            return  # that it is no XML is a finding already
        # What is wrong stands in the schema itself, which threads share.
        with lock:
            wrong = [] if schema.validate(parsed) else list(schema.error_log)[:_FINDINGS_MOST]
        for entry in wrong:
            yield Finding(entry.line or None, SCHEMA_RULE, entry.message.rstrip("."))

    return check


def _json_schema(text: str) -> Check:
    try:
        schema = json.loads(text)
    except ValueError as error:
        raise FormatFault(f"is no JSON: {error}") from None
    if not isinstance(schema, dict):
        raise FormatFault("must be an object of JSON Schema")
    kind = jsonschema.validators.validator_for(schema, jsonschema.Draft202012Validator)
    try:
        kind.check_schema(schema)
    except SchemaError as error:
        raise FormatFault(f"can't be used: {error.message}") from None
    judge = kind(schema, registry=Registry())

    def check(document: bytes) -> Findings:
        try:
            value = json.loads(document)
        except (ValueError, RecursionError):
            return  # that it is no JSON is a finding already
        try:
            for number, error in enumerate(judge.iter_errors(value)):
                if number == _FINDINGS_MOST:
                    return
                where = "/".join(map(str, error.absolute_path)) or "the document"
                yield Finding(None, SCHEMA_RULE, f"{where}: {error.message[:300]}")
        except Unresolvable as error:
            yield Finding(None, SCHEMA_RULE, f"the schema refers to what it does not have: {error}")
        except RecursionError:
            yield Finding(None, SCHEMA_RULE, "the document or its schema is nested too deeply")

    return check
