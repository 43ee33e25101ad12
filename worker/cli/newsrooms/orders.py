"""What is ordered of articles and curated lists, as events."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from feeds.errors import listed
from worker.cli.management import at_the_shell
from worker.cli.newsrooms.api import Refused, api_of
from worker.cli.terminal import Failed

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from worker.cli.newsrooms.api import Api
    from worker.intake.article_orders import ArticleOrders
    from worker.runtime.services import Services

Row = dict[str, Any]
Verb = Literal["hold", "release", "repeat"]


class LocalOrders:
    """Orders beside Redis."""

    def __init__(self, config: Path | None, data: Path | None) -> None:
        from worker.cli.running_newsroom import newsroom

        self._services = newsroom(config, data)

    def kill(self, article: str, *, unknown_too: bool) -> Row:
        """Kill an article."""
        from worker.management.changes import NotFound

        orders = article_orders(self._services)
        article_id = orders.id_of(article)
        try:
            return orders.kill(at_the_shell(), article_id, unknown_too=unknown_too).as_json()
        except NotFound:
            raise _unknown(article) from None

    def give(self, verb: Verb, article: str) -> Row:
        """Hold, release or repeat an article."""
        orders = article_orders(self._services)
        article_id = orders.id_of(article)
        order = {"hold": orders.hold, "release": orders.release, "repeat": orders.repeat}[verb]
        return order(at_the_shell(), article_id).as_json()

    def embargo(self, article: str, until: datetime | None) -> Row:
        """Set until when an article is under embargo."""
        orders = article_orders(self._services)
        article_id = orders.id_of(article)
        return orders.correct_embargo(at_the_shell(), article_id, until).as_json()

    def lists(self) -> list[Row]:
        """Return the curated lists."""
        from worker.newsroom.curated_lists import curated_lists

        return [{"name": name, "feeds": feeds} for name, feeds in curated_lists(self._services.publication).items()]

    def list_articles(self, name: str) -> Row:
        """Return a list with its articles."""
        from worker.newsroom.curated_lists import articles_of

        feeds = self._feeds_of(name)
        return {"name": name, "feeds": feeds, "articles": articles_of(self._services.store, name)}

    def arrange(self, name: str, articles: list[str]) -> Row:
        """Arrange a list anew."""
        from worker.intake.article_orders import accepted_event
        from worker.newsroom.curated_lists import unpublished

        self._feeds_of(name)
        receipt = article_orders(self._services).arrange_list(at_the_shell(), name, articles)
        missing = [] if receipt.kept_by == "record" else unpublished(self._services.store, articles)
        return {**accepted_event(receipt), "unpublished": missing}

    def _feeds_of(self, name: str) -> list[str]:
        from worker.newsroom.curated_lists import curated_lists

        lists = curated_lists(self._services.publication)
        if name not in lists:
            raise Failed(f"no feed has a list {name}; known: {listed(lists)}", 2)
        return lists[name]


class RemoteOrders:
    """Orders over the API."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def kill(self, article: str, *, unknown_too: bool) -> Row:
        """Kill an article."""
        try:
            row: Row = self._api.post("articles", article, "kill", value={"unknown_too": unknown_too})
        except Refused as error:
            raise _unknown(article) if error.status_code == 404 and not _is_address(article) else error from None
        return row

    def give(self, verb: Verb, article: str) -> Row:
        """Hold, release or repeat an article."""
        row: Row = self._api.post("articles", article, verb)
        return row

    def embargo(self, article: str, until: datetime | None) -> Row:
        """Set until when an article is under embargo."""
        moment = None if until is None else until.isoformat()
        row: Row = self._api.put("articles", article, "embargo", value={"until": moment})
        return row

    def lists(self) -> list[Row]:
        """Return the curated lists."""
        return list(self._api.items("lists"))

    def list_articles(self, name: str) -> Row:
        """Return a list with its articles."""
        try:
            row: Row = self._api.get("lists", name)
        except Refused as error:
            raise self._no_list(name) if error.status_code == 404 else error from None
        return row

    def arrange(self, name: str, articles: list[str]) -> Row:
        """Arrange a list anew."""
        try:
            row: Row = self._api.put("lists", name, value={"articles": articles})
        except Refused as error:
            raise self._no_list(name) if error.status_code == 404 else error from None
        return row

    def _no_list(self, name: str) -> Failed:
        names = [row["name"] for row in self.lists()]
        return Failed(f"no feed has a list {name}; known: {listed(names)}", 2)


def orders(config: Path | None, data: Path | None) -> LocalOrders | RemoteOrders:
    """Return who takes orders in the newsroom that is meant. Raises Failed."""
    api = api_of(config, data)
    return RemoteOrders(api) if api else LocalOrders(config, data)


def article_orders(services: Services) -> ArticleOrders:
    """Return who takes orders about articles beside Redis."""
    from worker.intake.article_orders import ArticleOrders

    recorded, audit = services.recorded, services.management.audit
    return ArticleOrders(services.store, services.articles, recorded, services.intake, audit, way="cli")


def _is_address(article: str) -> bool:
    return article.startswith(("https://", "http://"))


def _unknown(article: str) -> Failed:
    return Failed(
        f"no article {article} is known here, so nothing was killed; see `dateline coverage`, "
        "or add --unknown-too to have it refused if it comes"
    )
