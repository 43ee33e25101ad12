"""The bodies of article pushes: rendered once for all endpoints of a feed that get the same.

Renders what it is asked for; it does not decide what an endpoint is to get.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from cachetools import LRUCache

from feeds.companions import relocated
from feeds.formats import ARTICLE_FORMATS
from feeds.formats.interface import FormatFault
from feeds.granting import granted
from feeds.rights import Rights
from feeds.validation.checks import check_article
from worker.destinations.interface import Message, message_id
from worker.documents.quality_gate import reasons
from worker.receivers.push_status import NOTICES

if TYPE_CHECKING:
    from feeds.article import Article
    from feeds.formats.interface import Provider
    from worker.destinations.endpoint import Endpoint
    from worker.pictures.pictures import Companions, Pictures
    from worker.store.articles import StoredArticle

_CACHE_BYTES = 32 * 1024 * 1024
"""How much of what has been rendered stays in memory."""
_Key = tuple[str, str, bool, Rights, str, str, str, str, tuple[str, ...], str]
"""Feed, format with its definition, whether compressed, rights, status, article, revision, occasion, pictures that go
beside it, and those that are missing."""


def render_push(
    feed: str, format_name: str, rights: Rights, status: str, article: Article, occasion: str, provider: Provider
) -> tuple[str, bytes]:
    """Return the message id and the document of a push that reports the article as `status`.

    `article`: what the receiver may have of it, `rights`: those by which it may.

    The id is made of the document without it, so it stands for this document alone, whatever else makes another one:
    rights, a format, the newsroom's name, a new release of ours. `occasion` (the number of a change, or the id of a
    replay) keeps two pushes apart that say the same, one before and one after something else.
    """
    render, kind = ARTICLE_FORMATS[format_name].render, f"article.{status}"
    provider = provider.towards(feed, rights.machines)
    push_id = message_id(render(kind, article, "", provider), feed, article.id, article.version, occasion)
    return push_id, render(kind, article, push_id, provider)


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
    feed: str,
    format_name: str,
    rights: Rights,
    status: str,
    article: Article,
    occasion: str,
    provider: Provider,
    companions: Companions | None = None,
) -> JudgedPush:
    """Return what `render_push` returns of an article within the rights, and what the gate says of it.

    Notices of kills and withdrawals always pass. A document that names `companions` by their paths is judged with their
    addresses: so the rules of most formats want it.
    """
    readable = granted(article, rights)
    about = feed, format_name, rights, status
    try:
        if companions is None:
            push_id, document = render_push(*about, readable, occasion, provider)
            judged = document
        else:
            beside = {address: place._replace(path=address) for address, place in companions.places.items()}
            _, judged = render_push(*about, relocated(readable, beside), occasion, provider)
            push_id, document = render_push(*about, relocated(readable, companions.places), occasion, provider)
    except FormatFault as fault:
        push_id = message_id(b"", feed, article.id, article.version, occasion)
        return JudgedPush(push_id, b"", [f"the template fails: {fault}"])
    findings = [] if status in NOTICES else check_article(format_name, judged, ours=True)
    return JudgedPush(push_id, document, reasons(findings))


class MessageCache:
    """Messages that were rendered, by all that makes them differ.

    `provider`: the newsroom, as formats name it. `pictures`: those that go beside articles; None: none do.
    """

    def __init__(self, provider: Provider, pictures: Pictures | None = None) -> None:
        self._provider = provider
        self._pictures = pictures
        self._messages: LRUCache[_Key, Message] = LRUCache(_CACHE_BYTES, getsizeof=_size)

    def message(self, endpoint: Endpoint, status: str, stored: StoredArticle, occasion: str) -> Message:
        """Return the message that reports the article as `status`; `occasion` as for `render_push`.

        An article that breaks the rules of its format gets a message that says why the gate refuses it. Raises
        PicturesAwaited.
        """
        article = stored.article
        companions = self._companions(endpoint, status, article)
        files = companions.files if companions else ()
        lacking = companions.lacking if companions else ""
        made_by = ARTICLE_FORMATS[endpoint.format].key
        beside = tuple(file.name for file in files)
        key = (
            *(endpoint.feed, made_by, endpoint.gzip, endpoint.rights, status, article.id, stored.rev, occasion),
            *(beside, lacking),
        )
        message = self._messages.get(key)
        if message is None:
            push_id, document, objections = judged_push(
                *(endpoint.feed, endpoint.format, endpoint.rights, status, article, occasion),
                self._provider,
                companions,
            )
            subject = subject_of(article, status, endpoint.rights)
            message = Message.of(
                push_id,
                document,
                status,
                relocated(subject, companions.places) if companions else subject,
                compressed=endpoint.gzip,
                refused="; ".join(objections),
                pictures=files,
                lacking=f"without pictures: {lacking}" if lacking else "",
            )
            if _size(message) < _CACHE_BYTES:
                self._messages[key] = message
        return message

    def _companions(self, endpoint: Endpoint, status: str, article: Article) -> Companions | None:
        """What goes beside an article; None: it names its pictures by their addresses. Raises PicturesAwaited."""
        if endpoint.pictures is None or self._pictures is None or status in NOTICES:
            return None
        return self._pictures.beside(granted(article, endpoint.rights), endpoint.pictures)


def _size(message: Message) -> int:
    """How many bytes a message takes; what is not compressed is there once."""
    return len(message.text) + (0 if message.payload is message.text else message.size)
