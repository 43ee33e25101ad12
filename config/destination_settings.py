"""What the settings of all destinations share that are not HTTP: the table of an endpoint that is named as its kind."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, TypeVar
from urllib.parse import urlsplit

from pydantic import BaseModel, Field, ValidationInfo, ValidatorFunctionWrapHandler, WrapValidator

from config.credentials import without_user
from config.value_types import STRICT


class DestinationSettings(BaseModel):
    """How an endpoint of one kind is reached. What is secret in it has `repr=False`.

    `schemes`: with which of them the endpoint's `url` may begin. `default_url`: its `url` where it says none. `uses`:
    the settings of HTTP that mean something to it too, such as `tls`. `modes`: what it can be sent. `formats`: in which
    formats alone; empty: in any. `carries_companions`: whether pictures can be delivered beside an article.
    `addresses`: which of its settings are lists of servers beside `url`. `holds_documents`: whether in mode "feed" it
    gets the whole document of the feed each time, not what has changed.
    """

    model_config = STRICT

    schemes: ClassVar[tuple[str, ...]] = ("https",)
    default_url: ClassVar[str] = ""
    uses: ClassVar[frozenset[str]] = frozenset()
    modes: ClassVar[tuple[str, ...]] = ("article", "feed")
    formats: ClassVar[tuple[str, ...]] = ()
    carries_companions: ClassVar[bool] = False
    addresses: ClassVar[tuple[str, ...]] = ()
    holds_documents: ClassVar[bool] = False

    @property
    def rate(self) -> float | None:
        """How many pushes a second it wants at the most, where the endpoint's `rate` does not say it."""
        return None

    @classmethod
    def address(cls, url: str) -> str:
        """Return the endpoint's `url`. Raises ValueError if it is none for this kind."""
        forms = " or ".join(f"{scheme}://" for scheme in cls.schemes)
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            raise ValueError("is no URL") from None
        if parts.scheme not in cls.schemes or not parts.hostname or port == 0:
            raise ValueError(f"must begin with {forms} and a host")
        if not url.isascii() or not url.isprintable() or " " in url or "\\" in url or parts.query or parts.fragment:
            raise ValueError("must be ASCII without spaces, and end with its path")
        return without_user(url)


def table_of(kind: str) -> str:
    """Return how the table of a kind is named in the settings of an endpoint."""
    return kind.replace("-", "_")


WITHOUT_SECRETS = "without secrets"
"""Context of a check of settings whose secrets are sealed: what can't be checked so is left out."""
_Own = TypeVar("_Own", bound=DestinationSettings)


def _of_its_kind(value: Any, check: ValidatorFunctionWrapHandler, info: ValidationInfo) -> Any:
    """Check the table of a kind, which is there for this kind alone; what is missing of it is named one by one."""
    kind = info.data.get("kind")
    if kind is None or table_of(kind) != info.field_name:
        if value is not None and kind is not None:
            raise ValueError(f'is of no use with kind = "{kind}"')
        return None
    if info.context == WITHOUT_SECRETS:
        return None
    return check({} if value is None else value)


OwnTable = Annotated[_Own | None, WrapValidator(_of_its_kind), Field(validate_default=True)]
"""The table of one kind, in an endpoint's field of the same name."""
