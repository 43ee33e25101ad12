"""Articles as objects in a store: what buckets (s3.py) and containers (azure_blob.py) have in common.

Each object says in its metadata which article it is, in which version, and whether it may be used. It is written on a
condition: that nothing is there (If-None-Match), or what we have last written there (If-Match, by the ETag that the
ledger has). Where the condition does not hold, and where an earlier try may have arrived, we look what is there. So
something older never lies on top of something newer, whatever was held up on its way. Nothing is touched that is not of
the same article.

A whole feed is one object, under one name (feed_documents.py).

A kind of store says how its requests look and what its answers mean: the abstract methods of `Objects`.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal
from urllib.parse import quote

from lxml import etree

from feeds.companions import is_picture_of
from feeds.file_names import file_name, names_of_versions, safe_value
from worker.destinations.steps import Step, begin
from worker.outbound.errors import Fault
from worker.outbound.transfer import DEFAULT_TLS, Answer, Tls

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Mapping

    from feeds.article import Article
    from feeds.formats.interface import ArticleFormat, FeedFormat
    from worker.destinations.feed_documents import FeedDocument
    from worker.destinations.interface import Delivery, Look, Message, OnAnswer
    from worker.destinations.steps import Steps
    from worker.outbound.engine import Engine
    from worker.outbound.transfer import Transfer

    Kill = Literal["notice", "remove", "both"]

KEYS_PER_LIST = 200
LIST_BYTES = 400_000
"""More than a list of so many keys has."""
_DOCUMENT_BYTES = 2_000_000
"""How much of a feed's document is read: as much as of a page (worker/takedown)."""
_TRIES = 3
"""How often an object is written anew because somebody else has changed it meanwhile."""
STATUS = {"killed": "canceled", "withdrawn": "withheld"}
"""The `pubstatus` of an object that is a notice."""


class Objects(ABC):
    """One store. `url`: where it is; `template`: the names of objects (feeds/file_names.py); and the format of all.

    `document`: the whole feed that lies there, in place of articles.
    """

    meta: ClassVar[str]
    """How the header fields begin that are an object's metadata."""

    def __init__(
        self,
        engine: Engine,
        url: str,
        template: str,
        of_format: ArticleFormat | FeedFormat,
        *,
        document: FeedDocument | None = None,
        kill: Kill = "notice",
        conditional: bool = True,
        gzip: bool = False,
        pictures: bool = False,
        tls: Tls = DEFAULT_TLS,
        **of_all: Any,
    ) -> None:
        self.gzip = gzip
        self._pictures = pictures
        self._engine = engine
        self._url = url.rstrip("/")
        self._of_all = {"tls": tls, **of_all}
        self._template = template
        self._ext = of_format.extension
        self._document = document
        self._headers = (f"Content-Type: {of_format.media_type}", *(("Content-Encoding: gzip",) if gzip else ()))
        self._kill = kill
        self._conditional = conditional
        self._has_versions = "{version}" in template
        # Otherwise texts stay there beside the notice.
        self._removes = kill != "notice" or not self._has_versions

    def push(self, message: Message, delivery: Delivery, on_answer: OnAnswer) -> Transfer:
        """Return the first step of a push."""
        steps = self._steps if self._document is None else self._document_steps
        return begin(steps(message, delivery), delivery, self._engine, on_answer, **self._of_all)

    @property
    def look(self) -> Look | None:
        """What looks whether text of a killed article is left; None where it is to stay, beside a notice.

        A document is read.
        """
        if self._document is not None:
            return self._read
        return self._look if self._removes else None

    def _look(self, article: Article, delivery: Delivery, on_answer: OnAnswer) -> Transfer:
        return begin(self._look_steps(article, delivery), delivery, self._engine, on_answer, **self._of_all)

    def _read(self, article: Article, delivery: Delivery, on_answer: OnAnswer) -> Transfer:
        del article
        return begin(self._read_steps(), delivery, self._engine, on_answer, **self._of_all)

    def _document_steps(self, message: Message, delivery: Delivery) -> Steps:
        """Write the document of a feed in place of what lies there, if nobody has changed that meanwhile.

        Its numbers may begin anew when Redis was lost, so none says what is newer. A write goes by the ETag that was
        read just before: what was held up on its way finds another one.
        """
        assert self._document is not None
        key = self._document.name_for(test=delivery.test)
        of_feed = quote(self._document.feed, safe="")
        answer = Answer(503, {}, b"", None, f"somebody else changes {key} at the same time", 0.0, started=True)
        written: Answer | None = None
        for _ in range(_TRIES):
            present = yield self._step("HEAD", key)
            if present.fault or present.status not in {200, 404}:
                return self.judged(present)
            etag = present.headers.get("etag", "") if present.status == 200 else ""
            if etag and present.headers.get(self.meta + "feed") != of_feed:
                reason = f"something that is not the document of {self._document.feed} lies under {key}"
                return Answer(409, {}, b"", None, f"{reason}: remove it, or choose another name", 0.0, started=True)
            if etag and present.headers.get(self.meta + "message") == message.id:
                answer, written = Answer(200, {}, b"", None, "", 0.0, started=True), None
                break
            about = (f"{self.meta}feed: {of_feed}", f"{self.meta}message: {message.id}")
            headers = (*self._headers, *about, *self._condition(etag))
            written = yield self._step("PUT", key, headers, message.payload)
            if written.fault or written.status not in {409, 412}:
                answer = self.judged(written)
                break
        if answer.fault or not 200 <= answer.status < 300:
            if message.kills and etag and answer.fault in {None, Fault.DENIED}:
                # What lies there has the text: better nothing than that.
                yield self._step("DELETE", key, self._condition(etag))
            return answer
        etag = written.headers.get("etag", "") if written is not None else etag
        if delivery.test:
            removed = yield self._step("DELETE", key, self._condition(etag))
            return self.judged(removed)
        return (yield from self.remove_versions({key}, key, etag)) or answer

    def _read_steps(self) -> Steps:
        assert self._document is not None
        reading = self.request("GET", f"{self._url}/{self._document.name}", {})
        answer = yield reading._replace(keep_bytes=_DOCUMENT_BYTES)
        if answer.fault or answer.status not in {200, 404}:
            return self.judged(answer)
        earlier = yield from self.older_versions(self._document.name, answer.headers.get("etag", ""))
        if earlier is not None:
            return earlier
        coding = answer.headers.get("content-encoding", "identity")
        headers = {"content-type": self._document.content_type, "content-encoding": coding}
        return replace(answer, headers=headers)

    def _condition(self, etag: str) -> tuple[str, ...]:
        """The condition under which what has an ETag is changed; of nothing, that nothing is there."""
        if not self._conditional:
            return ()
        return (f"If-Match: {etag}",) if etag else ("If-None-Match: *",)

    def _steps(self, message: Message, delivery: Delivery) -> Steps:
        article = message.article
        assert article is not None
        etags: dict[str, str] = json.loads(delivery.remote or "{}")
        key = file_name(self._template, article, self._ext)
        is_notice = message.status in STATUS
        writes = not is_notice or (self._kill != "remove" and not delivery.test)
        looks = delivery.doubtful or bool(delivery.replay_id)
        failure = yield from self._put_pictures(key, message, etags, looks=looks)
        if failure is not None:
            answer = failure
        elif writes:
            answer = yield from self._change("PUT", key, message, etags, looks=delivery.doubtful)
        else:
            answer = Answer(204, {}, b"", None, "", 0.0, started=True)
        if 200 <= answer.status < 300 and not answer.fault:
            answer = (yield from self._tidy(key, message, etags, written=writes, looks=delivery.doubtful)) or answer
        elif is_notice and answer.fault in {None, Fault.DENIED} and answer.status != 409 and self._removes:
            # The text goes also where there is no room for its notice, or no right to put it there.
            yield from self._tidy(key, message, etags, written=False, looks=False)
        answer.remote = json.dumps(etags, separators=(",", ":"))
        return answer

    def _put_pictures(
        self, key: str, message: Message, etags: dict[str, str], *, looks: bool
    ) -> Generator[Step, Answer, Answer | None]:
        """Write the pictures that the text names, before it; return the answer that ended it before its time.

        A picture's name is its contents', so one that is there is the same. `looks`: whether to look for those too that
        are noted.
        """
        for picture in message.pictures:
            name = _beside(key, picture.name)
            if name in etags and not looks:
                continue
            present = (yield self._step("HEAD", name)) if looks else None
            if present is not None and (present.fault or present.status not in {200, 404}):
                return self.judged(present)
            if present is not None and present.status == 200:
                etags[name] = present.headers.get("etag", "")
                continue
            condition = ("If-None-Match: *",) if self._conditional else ()
            headers = (f"Content-Type: {picture.media_type}", *self._about(message), *condition)
            answer = yield self._step("PUT", name, headers, picture.path.read_bytes())
            if not answer.fault and answer.status in {409, 412}:
                answer = yield self._step("HEAD", name)
            if answer.fault or not 200 <= answer.status < 300:
                return self.judged(answer)
            _note(etags, name, answer.headers.get("etag", ""))
        return None

    def _change(
        self, method: Literal["PUT", "DELETE"], key: str, message: Message, etags: dict[str, str], *, looks: bool
    ) -> Steps:
        """Write or remove the object under a key, unless what is there is newer or not ours; note its ETag.

        `looks`: whether to look first what is there.
        """
        etag = etags.get(key, "")
        looks = looks or (method == "DELETE" and not etag)
        for _ in range(_TRIES):
            if looks:
                present = yield self._step("HEAD", key)
                if present.fault or present.status not in {200, 404}:
                    return self.judged(present)
                etag = present.headers.get("etag", "") if present.status == 200 else ""
                if present.status == 200 and (reason := self._not_to_be_touched(key, present, message)):
                    return Answer(409, {}, b"", None, reason, 0.0, started=True)
                has_it = present.status == 200 and present.headers.get(self.meta + "message") == message.id
                if (method == "DELETE" and not etag) or (method == "PUT" and has_it):
                    _note(etags, key, etag)
                    return Answer(200, {}, b"", None, "", 0.0, started=True)
            answer = yield self._change_step(method, key, message, etag)
            if answer.fault is None and (answer.status in {409, 412} or self.is_missing(answer)):
                looks = True
                continue
            if 200 <= answer.status < 300 and not answer.fault:
                _note(etags, key, answer.headers.get("etag", "") if method == "PUT" else "")
            return self.judged(answer)
        return Answer(503, {}, b"", None, f"somebody else changes {key} at the same time", 0.0, started=True)

    def _change_step(self, method: str, key: str, message: Message, etag: str) -> Step:
        condition = self._condition(etag)
        if method == "DELETE":
            return self._step(method, key, condition)
        return self._step(method, key, (*self._headers, *self._about(message), *condition), message.payload)

    def _tidy(
        self, key: str, message: Message, etags: dict[str, str], *, written: bool, looks: bool
    ) -> Generator[Step, Answer, Answer | None]:
        """Remove what is not to stay beside what was written; return the answer that ended it before its time.

        `looks`: whether to look for pictures that a worker has put there and noted nowhere, because it died.
        """
        assert message.article is not None
        keep = key if written else ""
        if message.status not in STATUS:
            # The article has another name than before, or other pictures.
            current = {key, *(_beside(key, picture.name) for picture in message.pictures)}
            listed = (yield from self._names(message.article)) if looks and self._pictures else set()
            if isinstance(listed, Answer):
                return listed
            unknown = {name for name in listed if name not in etags}
            if any(name.endswith(f".{self._ext}") for name in unknown):
                # A text that is noted nowhere may name them.
                unknown = set()
            doomed = [*unknown] if self._has_versions else [name for name in (*etags, *unknown) if name not in current]
        elif written and not self._removes:
            doomed = []
        else:
            listed = yield from self._names(message.article)
            if isinstance(listed, Answer):
                return listed
            doomed = [name for name in {*etags, *listed, key} if name != keep]
        for name in sorted(doomed):
            answer = yield from self._change("DELETE", name, message, etags, looks=False)
            if answer.fault or answer.status >= 300:
                return answer
        if message.status in STATUS:
            return (yield from self.remove_versions({*doomed, key}, keep, etags.get(keep, "")))
        return None

    def _names(self, article: Article) -> Generator[Step, Answer, set[str] | Answer]:
        """Return the names under which versions of an article and its pictures lie.

        Or the answer that says why nobody knows.
        """
        prefix, pattern = names_of_versions(self._template, article, self._ext)
        names: set[str] = set()
        if self._has_versions:
            listed = yield from self._list(prefix)
            if isinstance(listed, Answer):
                return listed
            names.update(name for name in listed if pattern.fullmatch(name))
        if self._pictures:
            listed = yield from self._list(self._prefix_of_pictures(article, prefix))
            if isinstance(listed, Answer):
                return listed
            names.update(name for name in listed if is_picture_of(article.id, name.rpartition("/")[2]))
        return names

    def _prefix_of_pictures(self, article: Article, prefix: str) -> str:
        if "{version}" in self._template.rpartition("/")[0]:
            # They lie in a folder for each version.
            return prefix
        return _beside(file_name(self._template, article, self._ext), f"{safe_value(article.id)}-")

    def _list(self, prefix: str) -> Generator[Step, Answer, list[str] | Answer]:
        """Return all names that begin so, page by page, or the answer that says why nobody knows."""
        names: list[str] = []
        token: str | None = ""
        while token is not None:
            answer = yield self.list_step(prefix, token)
            if answer.fault or answer.status != 200:
                return self.judged(answer)
            listed, token = self.listed(answer)
            names += listed
        return names

    def _look_steps(self, article: Article, delivery: Delivery) -> Steps:
        listed = yield from self._names(article)
        if isinstance(listed, Answer):
            return listed
        keys = {*json.loads(delivery.remote or "{}"), *listed, file_name(self._template, article, self._ext)}
        for key in sorted(keys):
            answer = yield self._step("HEAD", key)
            keep_etag = ""
            if answer.status == 200 and not answer.fault:
                if answer.headers.get(self.meta + "pubstatus") not in STATUS.values():
                    version = answer.headers.get(self.meta + "version", "?")
                    return Answer(200, {}, b"", None, f"version {version} lies under {key}", 0.0, started=True)
                keep_etag = answer.headers.get("etag", "")
            elif answer.fault or answer.status != 404:
                return self.judged(answer)
            if (earlier := (yield from self.older_versions(key, keep_etag))) is not None:
                return earlier
        return Answer(404, {}, b"", None, "no object has any text of it", 0.0, started=True)

    def _about(self, message: Message) -> list[str]:
        """The metadata of an object, as header lines."""
        assert message.article is not None
        about = {
            "article": quote(message.article.id, safe=""),
            "version": message.article.version,
            "pubstatus": STATUS.get(message.status, "usable"),
            "message": message.id,
        }
        return [f"{self.meta}{name}: {value}" for name, value in about.items()]

    def _not_to_be_touched(self, key: str, present: Answer, message: Message) -> str:
        """Why what lies under a key may be neither replaced nor removed; empty: it may."""
        assert message.article is not None
        if present.headers.get(self.meta + "article") != quote(message.article.id, safe=""):
            return f"something that is not of this article lies under {key}: remove it, or choose another name"
        version = present.headers.get(self.meta + "version", "")
        if version.isdecimal() and int(version) > message.article.version:
            return f"version {version} lies under {key}, which is newer"
        return ""

    def _step(self, method: str, key: str, headers: tuple[str, ...] = (), body: bytes = b"") -> Step:
        return self.request(method, f"{self._url}/{key}", {}, headers, body)

    # What a kind of store says.

    @abstractmethod
    def request(
        self, method: str, url: str, query: Mapping[str, str], headers: tuple[str, ...] = (), body: bytes = b""
    ) -> Step:
        """Return a request to the store."""

    @abstractmethod
    def list_step(self, prefix: str, token: str) -> Step:
        """Return the request for the names that begin so; `token`: with which of them to go on; empty: the first."""

    @abstractmethod
    def listed(self, answer: Answer) -> tuple[list[str], str | None]:
        """Return the names in the answer to it, and the token to go on with; None: these are the last."""

    @abstractmethod
    def is_missing(self, answer: Answer) -> bool:
        """Whether an answer says that an object that was to be changed is not there."""

    @abstractmethod
    def judged(self, answer: Answer) -> Answer:
        """Return an answer of the store in the words of all destinations."""

    def remove_versions(self, keys: Iterable[str], keep: str, keep_etag: str) -> Generator[Step, Answer, Answer | None]:
        """Remove what the store keeps of earlier versions, but for the notice; return what ended it before its time."""
        del keys, keep, keep_etag
        yield from ()
        return None

    def older_versions(self, key: str, keep_etag: str) -> Generator[Step, Answer, Answer | None]:
        """Return the answer to a look that found earlier versions, or failed; None: there is nothing of them."""
        del key, keep_etag
        yield from ()
        return None


def _beside(key: str, name: str) -> str:
    """The key of a picture in the folder of a text."""
    folder, slash, _ = key.rpartition("/")
    return f"{folder}{slash}{name}"


def _note(etags: dict[str, str], key: str, etag: str) -> None:
    etags.pop(key, None)
    if etag:
        etags[key] = etag


def listed_elements(document: bytes, *names: str) -> list[etree._Element]:
    """Return the elements of these names in a list of the store's, however deep, in their order."""
    root = etree.fromstring(document, etree.XMLParser(resolve_entities=False, no_network=True))
    return [entry for entry in root.iter(etree.Element) if etree.QName(entry).localname in names]


def code_of(answer: Answer) -> str:
    """Return the store's own word for what is wrong; empty: it has none."""
    return answer.body.partition(b"<Code>")[2].partition(b"</Code>")[0][:80].decode("ascii", "replace")


def told_by(answer: Answer) -> str:
    """Return what a store says is wrong, in a line for people."""
    reason = answer.body.partition(b"<Message>")[2].partition(b"</Message>")[0].decode("utf-8", "replace")
    outcome = f"answered {answer.status} {code_of(answer)}".rstrip()
    return f"{outcome}: {' '.join(reason.split())[:200]}" if reason else outcome
