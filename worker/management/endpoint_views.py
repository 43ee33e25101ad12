"""The endpoints as people and programs look at them: of the settings file and managed ones, without secrets.

Which there are is answered from memory: a process has a copy of what is managed. How an endpoint is set is made for
those alone that are shown.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from pydantic import ValidationError

from config.destination_settings import WITHOUT_SECRETS
from config.endpoint_settings import EndpointSettings
from worker.management.callers import FILTERED
from worker.management.changes import NotFound
from worker.management.endpoint_checks import with_rights, written
from worker.management.endpoint_secrets import hidden, without_secrets
from worker.management.scopes import ENDPOINTS_READ

if TYPE_CHECKING:
    from worker.management.callers import Caller
    from worker.management.copies import ManagedEndpoint, ManagementCopy
    from worker.management.surroundings import Surroundings


@dataclass(frozen=True)
class EndpointView:
    """One endpoint. `shown`: its settings as they were written, secrets as `***`; `settings`: without any secret.

    `revision`: None of one of the settings file, which is changed there.
    """

    name: str
    partner: str | None
    managed_by: Literal["file", "api"]
    settings: EndpointSettings
    shown: dict[str, Any]
    revision: int | None


class EndpointViews:
    """The endpoints that there are, of one reading of the settings and one copy of the management."""

    def __init__(self, surroundings: Surroundings, copy: ManagementCopy | None) -> None:
        self._of_the_file = surroundings.of_the_file
        self._managed = {
            endpoint.name: endpoint
            for endpoint in (copy.endpoints if copy else ())
            if endpoint.removed is None and endpoint.name not in self._of_the_file
        }
        self._rights = {partner.name: partner.settings.get("rights", {}) for partner in copy.partners} if copy else {}

    def names(self, caller: Caller) -> list[str]:
        """Return the endpoints that the caller may see, by name. Raises Forbidden."""
        caller.require(ENDPOINTS_READ, feed=FILTERED, partner=FILTERED)
        of_the_file = [
            name for name, endpoint in self._of_the_file.items() if caller.sees(feed=endpoint.feed, partner=None)
        ]
        managed = [
            name
            for name, endpoint in self._managed.items()
            if caller.sees(feed=endpoint.feed, partner=endpoint.partner)
        ]
        return sorted((*of_the_file, *managed))

    def view(self, caller: Caller, name: str) -> EndpointView:
        """Return an endpoint. Raises NotFound, also when the caller may not see it."""
        settings = self._of_the_file.get(name)
        if settings is not None and caller.sees(feed=settings.feed, partner=None):
            return EndpointView(name, None, "file", settings, hidden(written(settings)), None)
        endpoint = self._managed.get(name)
        if endpoint is not None and caller.sees(feed=endpoint.feed, partner=endpoint.partner):
            return self.of_managed(endpoint)
        raise NotFound(f"there is no endpoint {name}")

    def of_managed(self, endpoint: ManagedEndpoint) -> EndpointView:
        """Return a managed endpoint, as it stands in the record."""
        values = with_rights(without_secrets(endpoint.settings), self._rights.get(endpoint.partner or "", {}))
        try:
            settings = EndpointSettings.model_validate(values, context=WITHOUT_SECRETS)
        except ValidationError:
            # Of another release: one that can't be used must not keep all others from being shown.
            plain = {name: values.get(name, "") for name in ("name", "feed", "format", "url")}
            settings = EndpointSettings.model_construct(
                **plain, mode=values.get("mode", "article"), kind=values.get("kind", "http")
            )
        return EndpointView(endpoint.name, endpoint.partner, "api", settings, endpoint.settings, endpoint.revision)
