"""The table `pubsub` of an endpoint: who we are at Google Cloud Pub/Sub."""

from __future__ import annotations

import json
import re
from typing import Annotated, ClassVar
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr

from config.destination_settings import DestinationSettings

# The names that a resource may have: pubsub/docs/create-topic, "Resource names".
_PATH = re.compile(r"/v1/projects/[a-z0-9:.-]{4,100}/topics/(?!goog)[A-Za-z][A-Za-z0-9._~+%-]{2,254}")


def _credentials(value: SecretStr) -> SecretStr:
    # Who has no such endpoint does not wait for these.
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey  # noqa: PLC0415
    from cryptography.hazmat.primitives.serialization import load_pem_private_key  # noqa: PLC0415

    try:
        key = json.loads(value.get_secret_value())
        named = all(isinstance(key[name], str) and key[name] for name in ("client_email", "private_key_id"))
        usable = named and isinstance(load_pem_private_key(key["private_key"].encode(), None), RSAPrivateKey)
    except (ValueError, TypeError, KeyError, AttributeError):
        usable = False
    if not usable:
        raise ValueError("must be the JSON key of a service account, with client_email, private_key_id and private_key")
    return value


class PubSubSettings(DestinationSettings):
    """A topic of Google Cloud Pub/Sub. The endpoint's `url` is that of the topic."""

    schemes: ClassVar[tuple[str, ...]] = ("https", "http")
    uses: ClassVar[frozenset[str]] = frozenset({"tls"})
    modes: ClassVar[tuple[str, ...]] = ("article",)

    credentials: Annotated[SecretStr, AfterValidator(_credentials)] = Field(repr=False)
    """The key of a service account that may publish, as Google's JSON file has it."""

    @classmethod
    def address(cls, url: str) -> str:
        """Return the endpoint's `url`. Raises ValueError if it is none for this kind."""
        checked = super().address(url)
        if not _PATH.fullmatch(urlsplit(checked).path):
            raise ValueError(
                "must be the address of a topic, such as https://pubsub.googleapis.com/v1/projects/PROJECT/topics/TOPIC"
            )
        return checked
