"""Errors of pydantic in our words, by the paths of the fields in what was sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from feeds.errors import FieldError

if TYPE_CHECKING:
    from pydantic import ValidationError

# Errors that pydantic words in terms of Python, in terms of JSON.
_PROBLEMS = {
    "missing": "is missing",
    "extra_forbidden": "is not a known field",
    "string_type": "must be a string",
    "int_type": "must be a whole number",
    "tuple_type": "must be an array",
    "model_type": "must be an object",
    "model_attributes_type": "must be an object",
}


def field_errors(error: ValidationError, skip: int = 0) -> list[FieldError]:
    """Return pydantic's errors as field errors in our words, without the first `skip` parts of each path."""
    errors = []
    for detail in error.errors(include_url=False, include_input=False):
        path = ".".join(str(part) for part in detail["loc"][skip:])
        message = detail["msg"]
        errors.append(FieldError(path, _PROBLEMS.get(detail["type"], message[:1].lower() + message[1:])))
    return errors
