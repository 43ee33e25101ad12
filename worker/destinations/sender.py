"""What destinations of every kind are made with: whatever of the newsroom and of this process they send by."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from config.settings import Settings
    from worker.outbound.engine import Engine
    from worker.outbound.guard import Guard
    from worker.outbound.oauth2_tokens import Tokens
    from worker.outbound.webhook_consents import Consents
    from worker.store.folders import Folders


class Sender(NamedTuple):
    """What requests of ours are made with, whoever they go to.

    `origin`: the DNS name by which we ask for consent. `engine`: takes the further steps of a push. `guard`: judges the
    addresses of those connections that a job opens itself; the engine judges its own. `folders`: notes which folders
    of servers are written to. `signing_keys`: Ed25519 keys, `whsk_` and base64.
    """

    tokens: Tokens
    consents: Consents
    origin: str
    engine: Engine
    guard: Guard
    folders: Folders
    signing_keys: tuple[str, ...] = ()

    @classmethod
    def of(
        cls, settings: Settings, tokens: Tokens, consents: Consents, engine: Engine, guard: Guard, folders: Folders
    ) -> Sender:
        """Return the newsroom with these settings as a sender."""
        keys = tuple(key.get_secret_value() for key in settings.signing_keys)
        return cls(tokens, consents, urlsplit(settings.site.base_url).hostname or "", engine, guard, folders, keys)
