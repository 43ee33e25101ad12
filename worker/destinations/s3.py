"""Buckets: an article is an object under its name, at Amazon S3 or what speaks its language (R2, MinIO, Ceph, GCS).

Each object says in its metadata which article it is, in which version, and whether it may be used. It is written on a
condition: that nothing is there (If-None-Match), or what we have last written there (If-Match, by the ETag that the
ledger has). Where the condition does not hold, and where an earlier try may have arrived, we look what is there. So
something older never lies on top of something newer, whatever was held up on its way. Nothing is touched that is not of
the same article.

Source: Amazon S3's API reference (2006-03-01), "Conditional requests", "Error responses".
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Literal
from urllib.parse import quote

from lxml import etree

from feeds.companions import picture_names
from feeds.file_names import extension, file_name, names_of_versions, safe_value
from feeds.formats import ARTICLE_FORMATS
from worker.destinations.http import tls_of
from worker.destinations.steps import Step, begin
from worker.outbound.errors import Fault
from worker.outbound.transfer import DEFAULT_TLS, Answer, SigV4, Tls

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator

    from config.endpoint_settings import EndpointSettings
    from feeds.article import Article
    from worker.destinations.interface import Delivery, Look, Message, OnAnswer
    from worker.destinations.sender import Sender
    from worker.destinations.steps import Steps
    from worker.outbound.engine import Engine
    from worker.outbound.transfer import Transfer

    Kill = Literal["notice", "remove", "both"]

_META = "x-amz-meta-dateline-"
_TRIES = 3
"""How often an object is written anew because somebody else has changed it meanwhile."""
_KEYS_PER_LIST = 200
_LIST_BYTES = 400_000
"""More than a list of so many keys has."""
_STATUS = {"killed": "canceled", "withdrawn": "withheld"}
"""The `pubstatus` of an object that is a notice."""

_FOR_A_PERSON = frozenset(
    {"NoSuchBucket", "NotImplemented", "PermanentRedirect", "AuthorizationHeaderMalformed", "InvalidBucketName"}
)
"""What no repetition mends, beside a 401 or 403."""
_FULL = frozenset({"QuotaExceeded", "XMinioStorageFull", "XMinioAdminBucketQuotaExceeded"})
_NO_CONDITIONS = (
    "it has no conditional writes: set conditional = false, and see docs/destinations.md for what that costs"
)


class Bucket:
    """One bucket. `url`: where it is; `template`: the names of objects (feeds/file_names.py)."""

    def __init__(
        self,
        engine: Engine,
        url: str,
        sigv4: SigV4,
        template: str,
        media_type: str,
        *,
        kill: Kill = "notice",
        all_versions: bool = False,
        conditional: bool = True,
        gzip: bool = False,
        pictures: bool = False,
        tls: Tls = DEFAULT_TLS,
    ) -> None:
        self.gzip = gzip
        self._pictures = pictures
        self._engine = engine
        self._url = url.rstrip("/")
        self._of_all = {"sigv4": sigv4, "tls": tls}
        self._template = template
        self._ext = extension(media_type)
        self._headers = (f"Content-Type: {media_type}", *(("Content-Encoding: gzip",) if gzip else ()))
        self._kill = kill
        self._all_versions = all_versions
        self._conditional = conditional
        self._has_versions = "{version}" in template

    def push(self, message: Message, delivery: Delivery, on_answer: OnAnswer) -> Transfer:
        """Return the first step of a push."""
        return begin(self._steps(message, delivery), delivery, self._engine, on_answer, **self._of_all)

    @property
    def look(self) -> Look | None:
        """What looks whether text of a killed article is left; None where it is to stay, beside a notice."""
        return None if self._has_versions and self._kill == "notice" else self._look

    def _look(self, article: Article, delivery: Delivery, on_answer: OnAnswer) -> Transfer:
        return begin(self._look_steps(article, delivery), delivery, self._engine, on_answer, **self._of_all)

    def _steps(self, message: Message, delivery: Delivery) -> Steps:
        article = message.article
        assert article is not None
        etags: dict[str, str] = json.loads(delivery.remote or "{}")
        key = file_name(self._template, article, self._ext)
        is_notice = message.status in _STATUS
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
            present = (yield Step("HEAD", self._address(name))) if looks else None
            if present is not None and (present.fault or present.status not in {200, 404}):
                return _judged(present)
            if present is not None and present.status == 200:
                etags[name] = present.headers.get("etag", "")
                continue
            condition = ("If-None-Match: *",) if self._conditional else ()
            headers = (f"Content-Type: {picture.media_type}", *_about(message), *condition)
            answer = yield Step("PUT", self._address(name), picture.path.read_bytes(), headers)
            if not answer.fault and answer.status == 412:
                answer = yield Step("HEAD", self._address(name))
            if answer.fault or answer.status != 200:
                return _judged(answer)
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
                present = yield Step("HEAD", self._address(key))
                if present.fault or present.status not in {200, 404}:
                    return _judged(present)
                etag = present.headers.get("etag", "") if present.status == 200 else ""
                if present.status == 200 and (reason := _not_to_be_touched(key, present, message)):
                    return Answer(409, {}, b"", None, reason, 0.0, started=True)
                has_it = present.status == 200 and present.headers.get(_META + "message") == message.id
                if (method == "DELETE" and not etag) or (method == "PUT" and has_it):
                    _note(etags, key, etag)
                    return Answer(200, {}, b"", None, "", 0.0, started=True)
            answer = yield self._change_step(method, key, message, etag)
            if answer.fault is None and (
                answer.status in {409, 412} or (answer.status == 404 and _code(answer) == "NoSuchKey")
            ):
                looks = True
                continue
            if 200 <= answer.status < 300 and not answer.fault:
                _note(etags, key, answer.headers.get("etag", "") if method == "PUT" else "")
            return _judged(answer)
        return Answer(503, {}, b"", None, f"somebody else changes {key} at the same time", 0.0, started=True)

    def _change_step(self, method: str, key: str, message: Message, etag: str) -> Step:
        condition: tuple[str, ...] = ()
        if self._conditional:
            condition = (f"If-Match: {etag}",) if etag else ("If-None-Match: *",)
        if method == "DELETE":
            return Step(method, self._address(key), headers=condition)
        return Step(method, self._address(key), message.payload, (*self._headers, *_about(message), *condition))

    def _tidy(
        self, key: str, message: Message, etags: dict[str, str], *, written: bool, looks: bool
    ) -> Generator[Step, Answer, Answer | None]:
        """Remove what is not to stay beside what was written; return the answer that ended it before its time.

        `looks`: whether to look for pictures that a worker has put there and noted nowhere, because it died.
        """
        assert message.article is not None
        keep = key if written else ""
        if message.status not in _STATUS:
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
        elif written and self._kill == "notice" and self._has_versions:
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
        if message.status in _STATUS and self._all_versions:
            return (yield from self._remove_versions({*doomed, key}, keep, etags.get(keep, "")))
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
            pictures = picture_names(article.id)
            names.update(name for name in listed if pictures.fullmatch(name.rpartition("/")[2]))
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
            more = f"list-type=2&continuation-token={quote(token, safe='')}" if token else "list-type=2"
            answer = yield Step("GET", self._list_address(prefix, more), keep_bytes=_LIST_BYTES)
            if answer.fault or answer.status != 200:
                return _judged(answer)
            names += (entry.findtext("{*}Key") or "" for entry in _listed(answer.body, "Contents"))
            token = next((entry.text for entry in _listed(answer.body, "NextContinuationToken")), None)
        return names

    def _remove_versions(
        self, keys: Iterable[str], keep: str, keep_etag: str
    ) -> Generator[Step, Answer, Answer | None]:
        """Remove all that a bucket with versions keeps under these keys, but for the notice."""
        for key in sorted(keys):
            answer = yield self._versions_step(key)
            while versions := list(_versions(answer, key, keep, keep_etag)):
                for version in versions:
                    answer = yield Step("DELETE", f"{self._address(key)}?versionId={quote(version, safe='')}")
                    if answer.fault or answer.status >= 300:
                        return _judged(answer)
                answer = yield self._versions_step(key)
            if answer.fault or answer.status != 200:
                return _judged(answer)
        return None

    def _look_steps(self, article: Article, delivery: Delivery) -> Steps:
        listed = yield from self._names(article)
        if isinstance(listed, Answer):
            return listed
        keys = {*json.loads(delivery.remote or "{}"), *listed, file_name(self._template, article, self._ext)}
        for key in sorted(keys):
            answer = yield Step("HEAD", self._address(key))
            keep_etag = ""
            if answer.status == 200 and not answer.fault:
                if answer.headers.get(_META + "pubstatus") not in _STATUS.values():
                    version = answer.headers.get(_META + "version", "?")
                    return Answer(200, {}, b"", None, f"version {version} lies under {key}", 0.0, started=True)
                keep_etag = answer.headers.get("etag", "")
            elif answer.fault or answer.status != 404:
                return _judged(answer)
            if self._all_versions:
                answer = yield self._versions_step(key)
                if answer.fault or answer.status != 200:
                    return _judged(answer)
                if list(_versions(answer, key, key if keep_etag else "", keep_etag)):
                    return Answer(200, {}, b"", None, f"older versions lie under {key}", 0.0, started=True)
        return Answer(404, {}, b"", None, "", 0.0, started=True)

    def _versions_step(self, key: str) -> Step:
        return Step("GET", self._list_address(key, "versions="), keep_bytes=_LIST_BYTES)

    def _list_address(self, prefix: str, kind: str) -> str:
        return f"{self._url}/?{kind}&max-keys={_KEYS_PER_LIST}&prefix={quote(prefix, safe='')}"

    def _address(self, key: str) -> str:
        return f"{self._url}/{key}"


def _about(message: Message) -> list[str]:
    """The metadata of an object, as header lines."""
    assert message.article is not None
    about = {
        "article": quote(message.article.id, safe=""),
        "version": message.article.version,
        "pubstatus": _STATUS.get(message.status, "usable"),
        "message": message.id,
    }
    return [f"{_META}{name}: {value}" for name, value in about.items()]


def _beside(key: str, name: str) -> str:
    """The key of a picture in the folder of a text."""
    folder, slash, _ = key.rpartition("/")
    return f"{folder}{slash}{name}"


def _note(etags: dict[str, str], key: str, etag: str) -> None:
    etags.pop(key, None)
    if etag:
        etags[key] = etag


def _not_to_be_touched(key: str, present: Answer, message: Message) -> str:
    """Why what lies under a key may be neither replaced nor removed; empty: it may."""
    assert message.article is not None
    if present.headers.get(_META + "article") != quote(message.article.id, safe=""):
        return f"something that is not of this article lies under {key}: remove it, or choose another name"
    version = present.headers.get(_META + "version", "")
    if version.isdecimal() and int(version) > message.article.version:
        return f"version {version} lies under {key}, which is newer"
    return ""


def _versions(answer: Answer, key: str, keep: str, keep_etag: str) -> Iterator[str]:
    """Yield the ids of what a bucket keeps under a key; of the newest not, if it is the notice."""
    if answer.fault or answer.status != 200:
        return
    for entry in _listed(answer.body, "Version", "DeleteMarker"):
        is_notice = entry.findtext("{*}ETag") == keep_etag and entry.findtext("{*}IsLatest") == "true"
        if entry.findtext("{*}Key") == key and not (key == keep and is_notice):
            yield entry.findtext("{*}VersionId") or "null"


def _listed(document: bytes, *names: str) -> list[etree._Element]:
    root = etree.fromstring(document, etree.XMLParser(resolve_entities=False, no_network=True))
    return [entry for entry in root if etree.QName(entry).localname in names]


def _code(answer: Answer) -> str:
    """The store's own word for what is wrong; empty: it has none."""
    return answer.body.partition(b"<Code>")[2].partition(b"</Code>")[0][:80].decode("ascii", "replace")


def _judged(answer: Answer) -> Answer:
    """Return an answer of the store in the words of all destinations."""
    if answer.fault or 200 <= answer.status < 300:
        return answer
    code = _code(answer)
    reason = answer.body.partition(b"<Message>")[2].partition(b"</Message>")[0].decode("utf-8", "replace")
    answer.message = f"answered {answer.status} {code}".rstrip() + (
        f": {' '.join(reason.split())[:200]}" if reason else ""
    )
    if code == "NotImplemented" or answer.status == 501:
        answer.message = _NO_CONDITIONS
    # What it says of a wrong signature repeats too much of the request.
    answer.body = b""
    if code in _FULL:
        answer.status = 507
    elif answer.status in {301, 307, 401, 403, 501} or code in _FOR_A_PERSON:
        answer.fault = Fault.DENIED
    elif answer.status < 400:
        answer.fault = Fault.PROTOCOL
    return answer


def destination(settings: EndpointSettings, sender: Sender) -> Bucket:
    """Return the bucket that the settings of an endpoint describe."""
    s3 = settings.s3
    assert s3 is not None
    return Bucket(
        sender.engine,
        settings.url,
        SigV4(s3.key_id.get_secret_value(), s3.secret.get_secret_value(), s3.region),
        s3.name,
        ARTICLE_FORMATS[settings.format].media_type,
        kill=s3.on_kill,
        all_versions=s3.all_versions,
        conditional=s3.conditional,
        gzip=settings.gzip,
        pictures=settings.companions.pictures,
        tls=tls_of(settings.tls),
    )
