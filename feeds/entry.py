"""The format-neutral view that formats render: a channel, its entries, its tombstones.

An `Entry` is a function of one article revision and the site's id authority, so its rendering can be cached as long as
the revision is current. A `Channel` is the contents of a feed document's envelope.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import UTC, datetime
from functools import lru_cache
from operator import attrgetter
from urllib.parse import quote

from feeds.article import Alternate, Article, Image
from feeds.direction import direction
from feeds.machine_rights import MachineRights
from feeds.text import text_of


@dataclass(frozen=True, slots=True)
class Entry:
    """One article as feeds show it. `html` is the body; a right-to-left one is wrapped in its language and direction.

    `publisher` is the site's publisher, for formats that name it in every entry. `machines`: what programs may do with
    it, for formats that say so of every entry. `ai_assisted`: whether people have made it with the help of a model.
    """

    id: str
    title: str
    url: str
    summary: str
    html: str
    language: str
    section: str
    subjects: tuple[str, ...]
    authors: tuple[str, ...]
    images: tuple[Image, ...]
    published: datetime
    updated: datetime
    rights: str
    article_id: str
    version: int
    publisher: str = ""
    alternates: tuple[Alternate, ...] = ()
    machines: MachineRights | None = None
    ai_assisted: bool = False

    @property
    def editions(self) -> tuple[Alternate, ...]:
        """Every edition of the story, this one last; empty when there is no other edition.

        Search engines believe the links between editions only if each page's list includes the page itself (Google
        Search Central, "Localized versions of your pages").
        """
        if not self.alternates:
            return ()
        return (*self.alternates, Alternate.model_construct(edition=self.language, url=self.url))

    @property
    def text(self) -> str:
        """The body's text on one line."""
        return text_of(self.html)

    @property
    def tags(self) -> tuple[str, ...]:
        """The section and the subjects, each once."""
        return tuple(dict.fromkeys(filter(None, (self.section, *self.subjects))))


@dataclass(frozen=True, slots=True)
class Tombstone:
    """A deleted entry (RFC 6721): its id, when it left, and its page (`url`) for formats that need it.

    notice: the entry that stands in its place for readers that do not know tombstones. killed: it left for good.
    """

    id: str
    when: datetime
    url: str = ""
    notice: Entry | None = None
    killed: bool = True


@dataclass(frozen=True, slots=True)
class Channel:
    """What a feed document says of the feed.

    `updated` is its last change; `self_url` the topic; `home_url` the page; `publisher` who stands for it. Only
    `description`, `logo_url`, `hub_url` and, where entries are of several, `language` may be empty.

    `older_url` and `newer_url` are the archives next to the document, if there are any; `current_url` the topic, in an
    archive only (RFC 5005). `machines`: what programs may do with its entries, if anything is stated. `other_hubs`:
    hubs of somebody else, beside ours. `cloud_url`: where readers register by rssCloud; empty: nowhere.
    """

    id: str
    title: str
    description: str
    language: str
    publisher: str
    home_url: str
    self_url: str
    hub_url: str
    updated: datetime
    logo_url: str = ""
    older_url: str = ""
    newer_url: str = ""
    current_url: str = ""
    machines: MachineRights | None = None
    other_hubs: tuple[str, ...] = ()
    cloud_url: str = ""

    @property
    def lasting(self) -> tuple[object, ...]:
        """All that it says but when it was last changed."""
        return _lasting(self)

    @property
    def hubs(self) -> tuple[str, ...]:
        """The hubs that push the document, ours first; none of what no hub pushes."""
        return (self.hub_url, *self.other_hubs) if self.hub_url else ()

    @property
    def history(self) -> dict[str, str]:
        """The links between the document and the archives: relation -> address.

        In the words of archives (RFC 5005, section 4), and for readers that go through pages in those of section 3.
        """
        links = {
            "current": self.current_url,
            "prev-archive": self.older_url,
            "next-archive": self.newer_url,
            "first": self.current_url,
            "next": self.older_url,
            "previous": self.newer_url,
        }
        return {relation: url for relation, url in links.items() if url}


_lasting = attrgetter(*(field.name for field in fields(Channel) if field.name != "updated"))


def tag_uri(authority: str, kind: str, name: str) -> str:
    """Return a permanent id (RFC 4151): `authority` is `domain,year` and must never change once feeds have readers."""
    return f"tag:{authority}:{kind}/{_escaped(name)}"


@lru_cache(maxsize=4096)
def _escaped(name: str) -> str:
    # The id of a feed is in each of its documents.
    return quote(name, safe="-._~!$*+,;=:@/")


def start_of_authority(authority: str) -> datetime:
    """Return the beginning of the year in an authority, before which there can be no id: the time of an empty feed."""
    return datetime(max(int(authority.rpartition(",")[2][:4]), 1), 1, 1, tzinfo=UTC)


def entry(article: Article, authority: str, publisher: str = "") -> Entry:
    """Return the entry for a usable article of `publisher`'s."""
    return Entry(
        id=tag_uri(authority, "article", article.id),
        title=article.headline,
        url=article.url,
        summary=article.summary,
        html=_directed(article.body_html, article.edition),
        language=article.edition,
        section=article.section,
        subjects=article.subjects,
        authors=article.authors,
        images=article.images,
        published=article.published,
        updated=article.updated,
        rights=article.rights,
        article_id=article.id,
        version=article.version,
        publisher=publisher,
        alternates=article.alternates,
        ai_assisted=article.ai_assisted,
    )


def notice(article: Article, note: str, authority: str, channel: Channel, when: datetime) -> Entry:
    """Return the entry that replaces an article which readers had and may no longer see: a note, and none of its text.

    It has the article's id, the feed's page and the publisher as author; it is newer than every version that was shown.
    """
    if article.pubstatus == "canceled":
        # Only of a kill: an article that may come back may have a newer revision, of which nobody must know.
        when = max(when, article.updated)
    return Entry(
        id=tag_uri(authority, "article", article.id),
        title=note,
        url=channel.home_url,
        summary=note,
        html=_directed(f"<p>{note}</p>", article.edition),
        language=article.edition,
        section="",
        subjects=(),
        authors=(channel.publisher,),
        images=(),
        published=when,
        updated=when,
        rights="",
        article_id=article.id,
        version=article.version,
    )


def _directed(body: str, edition: str) -> str:
    """The body with its direction inside the HTML, where every reader sees it: RSS and Atom have no `dir`."""
    if body and direction(edition) == "rtl":
        return f'<div dir="rtl" lang="{edition}">{body}</div>'
    return body
