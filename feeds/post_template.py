"""Templates of posts: a text with fields of the article in braces."""

from __future__ import annotations

import re

FIELDS = ("headline", "summary", "section", "url")
"""What a template may name."""
TEMPLATE_MOST = 500
"""The longest template, in characters."""
FIELD = re.compile(r"\{([^{}]*)\}")
"""A field in a template."""


def check_template(template: str) -> str:
    """Return the template of a post. Raises ValueError if it has a field that there is not, or none that tells news."""
    for name in FIELD.findall(template):
        if name not in FIELDS:
            raise ValueError(f"has {{{name}}}; known: {', '.join(f'{{{field}}}' for field in FIELDS)}")
    if "{headline}" not in template or len(template) > TEMPLATE_MOST:
        raise ValueError(f"must have {{headline}}, and at most {TEMPLATE_MOST} characters")
    return template
