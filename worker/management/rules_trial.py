"""Tries the schema of a format in a process of its own, before any other process reads it.

libxml2 reads schemas with Python's lock in its hand, and knows no limit: forty lines whose parts refer to each other
twice would stop a web server, and then every worker. JSON Schemas are bounded as they are read (feeds/formats/own).
"""

from __future__ import annotations

import subprocess
import sys

_SECONDS = 10
_MEMORY = 1 << 30
"""In bytes, of the process in which it is tried."""
_PROGRAM = f"""
import resource, sys
resource.setrlimit(resource.RLIMIT_AS, ({_MEMORY}, {_MEMORY}))
from lxml import etree
try:
    root = etree.fromstring(sys.stdin.buffer.read(), etree.XMLParser(resolve_entities=False, no_network=True))
    (etree.XMLSchema if root.tag.startswith("{{http://www.w3.org/2001/XMLSchema}}") else etree.RelaxNG)(root)
except (etree.LxmlError, AttributeError):
    pass
"""
"""What is wrong with a schema, whoever reads it next finds."""


def can_be_read(rules: str) -> bool:
    """Whether an XML Schema or RELAX NG, or something that is neither, is read within time and memory."""
    try:
        ended = subprocess.run(  # noqa: S603 (our own Python)
            [sys.executable, "-I", "-c", _PROGRAM],
            input=rules.encode(errors="replace"),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return False
    return ended.returncode == 0
