"""Buckets: an article is an object under its name, at Amazon S3 or what speaks its language (R2, MinIO, Ceph, GCS).

Order, conditions and kills are as in all stores of objects (objects.py); here is how S3's requests look. Requests are
signed by libcurl.

Source: Amazon S3's API reference (2006-03-01), "Conditional requests", "Error responses".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from worker.destinations.feed_documents import FeedDocument, format_of
from worker.destinations.http import tls_of
from worker.destinations.objects import KEYS_PER_LIST, LIST_BYTES, Objects, code_of, listed_elements, told_by
from worker.destinations.steps import Step, refused
from worker.outbound.transfer import Answer, SigV4

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator, Mapping

    from config.endpoint_settings import EndpointSettings
    from feeds.formats.interface import ArticleFormat, FeedFormat
    from worker.destinations.sender import Sender
    from worker.outbound.engine import Engine

_FOR_A_PERSON = frozenset(
    {"NoSuchBucket", "NotImplemented", "PermanentRedirect", "AuthorizationHeaderMalformed", "InvalidBucketName"}
)
"""What no repetition mends, beside a 401 or 403."""
_FULL = frozenset({"QuotaExceeded", "XMinioStorageFull", "XMinioAdminBucketQuotaExceeded"})
_NO_CONDITIONS = (
    "it has no conditional writes: set conditional = false, and see docs/destinations.md for what that costs"
)


class Bucket(Objects):
    """One bucket. `url`: where it is; `template`: the names of objects (feeds/file_names.py)."""

    meta = "x-amz-meta-dateline-"

    def __init__(
        self,
        engine: Engine,
        url: str,
        sigv4: SigV4,
        template: str,
        of_format: ArticleFormat | FeedFormat,
        *,
        all_versions: bool = False,
        **more: Any,
    ) -> None:
        super().__init__(engine, url, template, of_format, sigv4=sigv4, **more)
        self._all_versions = all_versions

    def request(
        self, method: str, url: str, query: Mapping[str, str], headers: tuple[str, ...] = (), body: bytes = b""
    ) -> Step:
        """Return a request to the bucket."""
        parameters = "&".join(f"{name}={quote(value, safe='')}" for name, value in query.items())
        address = f"{url}?{parameters}" if query else url
        return Step(method, address, body, headers, keep_bytes=LIST_BYTES if method == "GET" else 2048)

    def list_step(self, prefix: str, token: str) -> Step:
        """Return the request for the names that begin so."""
        more = {"continuation-token": token} if token else {}
        return self.request("GET", f"{self._url}/", {"list-type": "2", **more, **_page(prefix)})

    def listed(self, answer: Answer) -> tuple[list[str], str | None]:
        """Return the names in the answer to it, and the token to go on with."""
        names = [entry.findtext("{*}Key") or "" for entry in listed_elements(answer.body, "Contents")]
        return names, next((entry.text for entry in listed_elements(answer.body, "NextContinuationToken")), None)

    def is_missing(self, answer: Answer) -> bool:
        """Whether an answer says that an object that was to be changed is not there."""
        return answer.status == 404 and code_of(answer) == "NoSuchKey"

    def judged(self, answer: Answer) -> Answer:
        """Return an answer of the bucket in the words of all destinations."""
        if answer.fault or 200 <= answer.status < 300:
            return answer
        code = code_of(answer)
        answer.message = told_by(answer)
        if code == "NotImplemented" or answer.status == 501:
            answer.message = _NO_CONDITIONS
        # What it says of a wrong signature repeats too much of the request.
        answer.body = b""
        if code in _FULL:
            answer.status = 507
        return refused(answer, denied=answer.status in {301, 307, 401, 403, 501} or code in _FOR_A_PERSON)

    def remove_versions(self, keys: Iterable[str], keep: str, keep_etag: str) -> Generator[Step, Answer, Answer | None]:
        """Remove all that a bucket with versions keeps under these keys, but for the notice, if that is asked for."""
        if not self._all_versions:
            return None
        for key in sorted(keys):
            answer = yield self._versions_step(key)
            while versions := list(_versions(answer, key, keep, keep_etag)):
                for version in versions:
                    answer = yield self.request("DELETE", f"{self._url}/{key}", {"versionId": version})
                    if answer.fault or answer.status >= 300:
                        return self.judged(answer)
                answer = yield self._versions_step(key)
            if answer.fault or answer.status != 200:
                return self.judged(answer)
        return None

    def older_versions(self, key: str, keep_etag: str) -> Generator[Step, Answer, Answer | None]:
        """Return the answer to a look that found earlier versions, or failed; None: there is nothing of them."""
        if not self._all_versions:
            return None
        answer = yield self._versions_step(key)
        if answer.fault or answer.status != 200:
            return self.judged(answer)
        if list(_versions(answer, key, key if keep_etag else "", keep_etag)):
            return Answer(200, {}, b"", None, f"older versions lie under {key}", 0.0, started=True)
        return None

    def _versions_step(self, key: str) -> Step:
        return self.request("GET", f"{self._url}/", {"versions": "", **_page(key)})


def _page(prefix: str) -> dict[str, str]:
    return {"max-keys": str(KEYS_PER_LIST), "prefix": prefix}


def _versions(answer: Answer, key: str, keep: str, keep_etag: str) -> Iterator[str]:
    """Yield the ids of what a bucket keeps under a key; of the newest not, if it is the notice."""
    if answer.fault or answer.status != 200:
        return
    for entry in listed_elements(answer.body, "Version", "DeleteMarker"):
        is_notice = entry.findtext("{*}ETag") == keep_etag and entry.findtext("{*}IsLatest") == "true"
        if entry.findtext("{*}Key") == key and not (key == keep and is_notice):
            yield entry.findtext("{*}VersionId") or "null"


def destination(settings: EndpointSettings, sender: Sender) -> Bucket:
    """Return the bucket that the settings of an endpoint describe."""
    s3 = settings.s3
    assert s3 is not None
    return Bucket(
        sender.engine,
        settings.url,
        SigV4(s3.key_id.get_secret_value(), s3.secret.get_secret_value(), s3.region),
        s3.name,
        format_of(settings),
        document=FeedDocument.of(settings, s3),
        kill=s3.on_kill,
        all_versions=s3.all_versions,
        conditional=s3.conditional,
        gzip=settings.gzip,
        pictures=settings.companions.pictures,
        tls=tls_of(settings.tls),
    )
