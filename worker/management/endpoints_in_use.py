"""The endpoints of a process, from both sources: those of its settings file and those that are managed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from feeds.errors import InvalidInput
from worker.management import endpoint_secrets
from worker.management.endpoint_checks import checked
from worker.management.managed_endpoints import signing_secrets
from worker.management.sealing import CantOpen

if TYPE_CHECKING:
    from config.endpoint_settings import EndpointSettings
    from worker.management.copies import ManagedEndpoint, ManagementCopy, Partner
    from worker.management.surroundings import Surroundings


@dataclass(frozen=True)
class EndpointsInUse:
    """The endpoints by name: settings that are whole, and why others can't be used.

    `managed`: those that are kept in the record -> their partner, None for nobody. `complete`: the managed ones are
    known; else an endpoint that is not here may be one of them. `changes_at`: when (ms) something changes by itself: an
    old secret ends.
    """

    settings: dict[str, EndpointSettings]
    unusable: dict[str, str] = field(default_factory=dict)
    managed: dict[str, str | None] = field(default_factory=dict)
    complete: bool = True
    changes_at: int | None = None
    sources: dict[str, _Source] = field(default_factory=dict, repr=False, compare=False)
    """Of what each managed one was made."""


class _Source(NamedTuple):
    endpoint: ManagedEndpoint
    partner: Partner | None
    surroundings: Surroundings
    has_old_secret: bool


def in_use(
    copy: ManagementCopy | None, surroundings: Surroundings, now: int, former: EndpointsInUse | None = None
) -> EndpointsInUse:
    """Return the endpoints at `now` (ms). Where both sources have a name, the settings file has it.

    `former`: what was returned before: of a thousand endpoints only those are opened and checked that have changed.
    """
    sources = {}
    settings = dict(surroundings.of_the_file)
    unusable = {}
    partners = {partner.name: partner for partner in copy.partners} if copy else {}
    managed = {}
    ends = []
    for endpoint in copy.endpoints if copy else ():
        if endpoint.removed is not None:
            continue
        if endpoint.name in settings:
            unusable[endpoint.name] = "the settings file has an endpoint of this name: rename or remove one of the two"
            continue
        has_old_secret = endpoint.old_secret_until is not None and endpoint.old_secret_until > now
        source = _Source(endpoint, partners.get(endpoint.partner or ""), surroundings, has_old_secret)
        sources[endpoint.name] = source
        try:
            if former is not None and former.sources.get(endpoint.name) == source and endpoint.name in former.settings:
                settings[endpoint.name] = former.settings[endpoint.name]
            else:
                settings[endpoint.name] = _whole(source)
        except (CantOpen, InvalidInput) as error:
            unusable[endpoint.name] = str(error)
        managed[endpoint.name] = endpoint.partner
        if endpoint.old_secret_until is not None and has_old_secret:
            ends.append(endpoint.old_secret_until)
    return EndpointsInUse(settings, unusable, managed, copy is not None, min(ends, default=None), sources)


def _whole(source: _Source) -> EndpointSettings:
    """The settings of an endpoint with its secrets. Raises CantOpen, InvalidInput."""
    endpoint, partner, surroundings, has_old_secret = source
    values = endpoint_secrets.whole(endpoint.settings, endpoint.name, endpoint.secrets, surroundings.sealer)
    if endpoint.old_secret_until is not None and not has_old_secret:
        values[endpoint_secrets.SECRET] = list(signing_secrets(values)[:1])
    return checked(values, surroundings.feed_names, partner.settings.get("rights", {}) if partner else {})
