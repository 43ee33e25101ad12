"""The partners' endpoints: how they do, what is ordered of them, and those that are kept in the record."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

from feeds.errors import listed
from worker.cli.management import at_the_shell
from worker.cli.newsrooms.api import Refused, api_of
from worker.cli.terminal import Failed

if TYPE_CHECKING:
    from pathlib import Path

    from worker.cli.newsrooms.api import Api
    from worker.management.copies import ManagedEndpoint
    from worker.management.endpoint_views import EndpointView, EndpointViews
    from worker.receivers.endpoint_orders import EndpointName
    from worker.runtime.services import Services

Row = dict[str, Any]
Verb = Literal["pause", "resume", "retry"]


class LocalEndpoints:
    """Endpoints beside Redis."""

    def __init__(self, config: Path | None, data: Path | None) -> None:
        self._place = config, data

    @cached_property
    def _services(self) -> Services:
        from worker.cli.running_newsroom import newsroom

        return newsroom(*self._place)

    def rows(self) -> list[Row]:
        """Return all, by name."""
        views = self._views()
        return self._rows([views.view(at_the_shell(), name) for name in views.names(at_the_shell())])

    def get(self, name: str) -> tuple[Row, str]:
        """Return one with its settings, and its revision; "" of one of the settings file."""
        view = self._view(name)
        return self._with_settings(view), "" if view.revision is None else str(view.revision)

    def order(self, verb: Verb, name: str) -> Row:
        """Pause, resume or retry one; return it as it is then, and what trying it came to."""
        from worker import clock
        from worker.receivers.endpoint_states import retried_row

        view, orders = self._view(name), self._services.endpoint_orders
        more: Row = {}
        match verb:
            case "pause":
                orders.pause(at_the_shell(), _name(view))
            case "resume":
                orders.resume(at_the_shell(), _name(view))
            case "retry":
                more = retried_row(orders.retry(at_the_shell(), _name(view)))
                more["workers"] = bool(self._services.store.workers.alive(clock.ms(clock.agreed())))
        return {**self._rows([view])[0], **more}

    def test(self, name: str) -> Row:
        """Send a test article to one."""
        view = self._view(name)
        tests = self._services.new_push_tests()
        try:
            return tests.push(at_the_shell(), view.name, view.partner).as_json()
        finally:
            tests.stop()

    def attempts(self, name: str, limit: int) -> list[Row]:
        """Return the last attempts at one, the newest first."""
        from worker.receivers.attempt_views import attempt_rows
        from worker.record.attempts import newest

        receiver = f"endpoint:{self._view(name).name}"
        rows = self._services.recorded.ask(
            lambda connection: attempt_rows(connection, newest(connection, receiver, limit))
        )
        return rows or []

    def attempt(self, name: str, identity: str) -> Row:
        """Return one attempt, with what was sent."""
        from worker.receivers.attempt_views import attempt_with_document

        view, services = self._view(name), self._services
        provider, feeds = services.publication.provider, services.sent_feeds
        row = services.recorded.ask(
            lambda connection: attempt_with_document(connection, view, identity, provider, feeds)
        )
        if row is None:
            raise _no_attempt(name, identity)
        return row

    def create(self, name: str, partner: str | None, settings: Row) -> Row:
        """Create one; its row has the secret that was made for it."""
        created = self._services.management.endpoints.create(at_the_shell(), name, settings, partner)
        return {**self._managed(created.endpoint), "secret": created.secret}

    def change(self, name: str, partner: str | None, settings: Row, revision: str) -> Row:
        """Give one these settings in place of its own, if it has still that revision."""
        management = self._services.management.endpoints
        return self._managed(management.change(at_the_shell(), name, settings, partner, int(revision or 0)))

    def remove(self, name: str) -> None:
        """Remove one."""
        self._services.management.endpoints.remove(at_the_shell(), name)

    def restore(self, name: str) -> Row:
        """Have one again that was removed."""
        return self._managed(self._services.management.endpoints.restore(at_the_shell(), name))

    def rotate(self, name: str, overlap_seconds: int) -> Row:
        """Give one a new secret, which its row has."""
        rotated = self._services.management.endpoints.rotate(at_the_shell(), name, overlap_seconds * 1000)
        return {**self._managed(rotated.endpoint), "secret": rotated.secret}

    def _views(self) -> EndpointViews:
        management = self._services.management

        from worker.management.endpoint_views import EndpointViews

        return EndpointViews(management.surroundings, management.copy())

    def _view(self, name: str) -> EndpointView:
        from worker.management.changes import NotFound

        views = self._views()
        try:
            return views.view(at_the_shell(), name)
        except NotFound:
            raise no_endpoint(name, views.names(at_the_shell())) from None

    def _rows(self, views: list[EndpointView]) -> list[Row]:
        from worker.receivers.endpoint_states import rows_of

        return rows_of(views, self._services.store, self._services.management)

    def _with_settings(self, view: EndpointView) -> Row:
        return {**self._rows([view])[0], "settings": view.shown}

    def _managed(self, endpoint: ManagedEndpoint) -> Row:
        return self._with_settings(self._views().of_managed(endpoint))


class RemoteEndpoints:
    """Endpoints over the API."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def rows(self) -> list[Row]:
        """Return all, by name."""
        return list(self._api.items("endpoints"))

    def get(self, name: str) -> tuple[Row, str]:
        """Return one with its settings, and its ETag; "" of one of the settings file."""
        try:
            return self._api.tagged("endpoints", name)
        except Refused as error:
            raise self._missing(name) if error.status_code == 404 else error from None

    def order(self, verb: Verb, name: str) -> Row:
        """Pause, resume or retry one; return it as it is then, and what trying it came to."""
        return self._post(name, verb)

    def test(self, name: str) -> Row:
        """Send a test article to one."""
        return self._post(name, "test")

    def attempts(self, name: str, limit: int) -> list[Row]:
        """Return the last attempts at one, the newest first."""
        try:
            return list(self._api.items("endpoints", name, "attempts", limit=limit))
        except Refused as error:
            raise self._missing(name) if error.status_code == 404 else error from None

    def attempt(self, name: str, identity: str) -> Row:
        """Return one attempt, with what was sent."""
        try:
            row: Row = self._api.get("endpoints", name, "attempts", identity)
        except Refused as error:
            if error.status_code != 404:
                raise
            self.get(name)
            raise _no_attempt(name, identity) from None
        return row

    def create(self, name: str, partner: str | None, settings: Row) -> Row:
        """Create one; its row has the secret that was made for it."""
        row: Row = self._api.post("endpoints", value={"name": name, "partner": partner, "settings": settings})
        return row

    def change(self, name: str, partner: str | None, settings: Row, revision: str) -> Row:
        """Give one these settings in place of its own, if it has still that ETag."""
        row: Row = self._api.put("endpoints", name, value={"partner": partner, "settings": settings}, revision=revision)
        return row

    def remove(self, name: str) -> None:
        """Remove one."""
        self._api.delete("endpoints", name)

    def restore(self, name: str) -> Row:
        """Have one again that was removed."""
        row: Row = self._api.post("endpoints", name, "restore")
        return row

    def rotate(self, name: str, overlap_seconds: int) -> Row:
        """Give one a new secret, which its row has."""
        return self._post(name, "rotate", {"overlap_seconds": overlap_seconds})

    def _post(self, name: str, verb: str, value: Row | None = None) -> Row:
        try:
            row: Row = self._api.post("endpoints", name, verb, value=value)
        except Refused as error:
            raise self._missing(name) if error.status_code == 404 else error from None
        return row

    def _missing(self, name: str) -> Failed:
        try:
            names = [row["name"] for row in self.rows()]
        except Refused:
            return Failed(f"there is no endpoint {name}", 2)
        return no_endpoint(name, names)


def endpoints(config: Path | None, data: Path | None) -> LocalEndpoints | RemoteEndpoints:
    """Return the endpoints of the newsroom that is meant. Raises Failed."""
    api = api_of(config, data)
    return RemoteEndpoints(api) if api else LocalEndpoints(config, data)


def no_endpoint(name: str, names: list[str]) -> Failed:
    """Return the failure that there is none of this name."""
    return Failed(f"there is no endpoint {name}; known: {listed(names)}", 2)


def _no_attempt(name: str, identity: str) -> Failed:
    return Failed(f"{name} has no attempt {identity}; `dateline endpoints attempts {name}` lists them", 2)


def _name(view: EndpointView) -> EndpointName:
    from worker.receivers.endpoint_orders import EndpointName

    return EndpointName(view.name, view.settings.feed, view.partner)
