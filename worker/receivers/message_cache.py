"""The bodies of article pushes: rendered once for all endpoints of a feed that get the same.

Renders what it is asked for; it does not decide what an endpoint is to get.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from cachetools import LRUCache

from feeds.formats import ARTICLE_FORMATS
from feeds.formats.interface import FormatFault
from feeds.rights import Rights, granted
from feeds.validation.checks import check_article
from worker.destinations.interface import Message, message_id
from worker.documents.quality_gate import reasons
from worker.receivers.push_status import NOTICES

if TYPE_CHECKING:
    from feeds.article import Article
    from feeds.formats.interface import Provider
    from worker.destinations.endpoint import Endpoint
    from worker.store.articles import StoredArticle

_CACHE_BYTES = 32 * 1024 * 1024
"""How much of what has been rendered stays in memory."""
_Key = tuple[str, str, bool, Rights, str, str, str, str]
"""Feed, format with its definition, whether compressed, rights, status, article, revision, occasion."""


def render_push(
    feed: str, format_name: str, rights: Rights, status: str, article: Article, occasion: str, provider: Provider
) -> tuple[str, bytes]:
    """Return the message id and the document of a push that reports the article as `status`, within the rights.

    The id is made of the document without it, so it stands for this document alone, whatever else makes another one:
    rights, a format, the newsroom's name, a new release of ours. `occasion` (the number of a change, or the id of a
    replay) keeps two pushes apart that say the same, one before and one after something else.
    """
    render, kind, readable = ARTICLE_FORMATS[format_name].render, f"article.{status}", granted(article, rights)
    provider = provider.towards(feed, rights.machines)
    push_id = message_id(render(kind, readable, "", provider), feed, article.id, article.version, occasion)
    return push_id, render(kind, readable, push_id, provider)


def subject_of(article: Article, status: str, rights: Rights) -> Article:
    """Return what destinations are given of the article that a message is about: nothing of a text that must go."""
    if status in NOTICES:
        return article.model_copy(update={"body_html": "", "summary": "", "images": ()})
    return granted(article, rights)


class JudgedPush(NamedTuple):
    """A push, and why the quality gate keeps it back; nothing: it does not. What can't be rendered has no text."""

    message_id: str
    document: bytes
    objections: list[str]


def judged_push(
    feed: str, format_name: str, rights: Rights, status: str, article: Article, occasion: str, provider: Provider
) -> JudgedPush:
    """Return what `render_push` returns, and what the gate says of it. Notices of kills and withdrawals always pass."""
    try:
        push_id, document = render_push(feed, format_name, rights, status, article, occasion, provider)
    except FormatFault as fault:
        push_id = message_id(b"", feed, article.id, article.version, occasion)
        return JudgedPush(push_id, b"", [f"the template fails: {fault}"])
    findings = [] if status in NOTICES else check_article(format_name, document, ours=True)
    return JudgedPush(push_id, document, reasons(findings))


class MessageCache:
    """Messages that were rendered, by all that makes them differ.

    `provider`: the newsroom, as formats name it.
    """

    def __init__(self, provider: Provider) -> None:
        self._provider = provider
        self._messages: LRUCache[_Key, Message] = LRUCache(_CACHE_BYTES, getsizeof=_size)

    def message(self, endpoint: Endpoint, status: str, stored: StoredArticle, occasion: str) -> Message:
        """Return the message that reports the article as `status`; `occasion` as for `render_push`.

        An article that breaks the rules of its format gets a message that says why the gate refuses it.
        """
        article = stored.article
        made_by = ARTICLE_FORMATS[endpoint.format].key
        key = (endpoint.feed, made_by, endpoint.gzip, endpoint.rights, status, article.id, stored.rev, occasion)
        message = self._messages.get(key)
        if message is None:
            push_id, document, objections = judged_push(
                endpoint.feed, endpoint.format, endpoint.rights, status, article, occasion, self._provider
            )
            message = Message.of(
                push_id,
                document,
                status,
                subject_of(article, status, endpoint.rights),
                compressed=endpoint.gzip,
                refused="; ".join(objections),
            )
            if _size(message) < _CACHE_BYTES:
                self._messages[key] = message
        return message


def _size(message: Message) -> int:
    """How many bytes a message takes; what is not compressed is there once."""
    return len(message.text) + (0 if message.payload is message.text else message.size)
