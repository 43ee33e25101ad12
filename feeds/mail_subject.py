"""Templates of the subjects of mails: a line with fields of the article in braces."""

from __future__ import annotations

import re

SUBJECT_FIELDS = ("headline", "section", "edition", "id", "version")
"""What the template of a subject may name."""
SUBJECT_MOST = 200
"""The longest subject, in characters, without what stands before it."""
FIELD = re.compile(r"\{([^{}]*)\}")
"""A field in a template."""


def check_subject(template: str) -> str:
    """Return the template of a subject. Raises ValueError if it has a field that there is not."""
    for name in FIELD.findall(template):
        if name not in SUBJECT_FIELDS:
            raise ValueError(f"has {{{name}}}; known: {', '.join(f'{{{field}}}' for field in SUBJECT_FIELDS)}")
    if not template.isprintable() or not template.strip() or len(template) > SUBJECT_MOST:
        raise ValueError(f"must be one line of at most {SUBJECT_MOST} characters")
    return template
