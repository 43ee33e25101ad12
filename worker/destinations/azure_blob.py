"""Containers of Azure Blob Storage: an article is a blob under its name.

Order, conditions and kills are as in all stores of objects (objects.py); here is how Azure's requests look. Each is
signed as it is made, with the time of then: a step begins as soon as the one before has its answer.

Source: Azure Storage REST API, version 2021-12-02, "Put Blob", "Delete Blob", "List Blobs", "Blob versioning", "Blob
Storage error codes".
"""

from __future__ import annotations

import re
from datetime import UTC
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from worker import clock
from worker.destinations.feed_documents import FeedDocument, format_of
from worker.destinations.http import tls_of
from worker.destinations.objects import KEYS_PER_LIST, LIST_BYTES, Objects, code_of, listed_elements, told_by
from worker.destinations.steps import Step, refused
from worker.outbound.azure_shared_key import SharedKey
from worker.outbound.transfer import Answer

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Mapping

    from config.endpoint_settings import EndpointSettings
    from feeds.formats.interface import ArticleFormat, FeedFormat
    from worker.destinations.sender import Sender
    from worker.outbound.engine import Engine

_VERSION = "2021-12-02"
_VERSION_ID = "versionid"
# Without it the encoding is that of the request alone to some servers.
_OF_THE_BLOB = re.compile(r"^(?=Content-Encoding:)")
_FOR_A_PERSON = frozenset({"ContainerNotFound", "ContainerDisabled", "AccountIsDisabled", "InvalidResourceName"})
"""What no repetition mends, beside a 401 or 403."""


class Container(Objects):
    """One container. `url`: where it is; `template`: the names of blobs (feeds/file_names.py)."""

    # Names of metadata are those of variables: no hyphens.
    meta = "x-ms-meta-dateline_"

    def __init__(
        self,
        engine: Engine,
        url: str,
        shared_key: SharedKey,
        template: str,
        of_format: ArticleFormat | FeedFormat,
        *,
        all_versions: bool = False,
        **more: Any,
    ) -> None:
        super().__init__(engine, url, template, of_format, **more)
        self._shared_key = shared_key
        self._all_versions = all_versions

    def request(
        self, method: str, url: str, query: Mapping[str, str], headers: tuple[str, ...] = (), body: bytes = b""
    ) -> Step:
        """Return a request to the container, signed."""
        ours = [
            f"x-ms-date: {format_datetime(clock.agreed().astimezone(UTC), usegmt=True)}",
            f"x-ms-version: {_VERSION}",
        ]
        if method == "PUT":
            ours.append("x-ms-blob-type: BlockBlob")
        if method == "DELETE" and _VERSION_ID not in query:
            # What somebody has kept of it by snapshots as well; a version has none.
            ours.append("x-ms-delete-snapshots: include")
        lines = (*(_OF_THE_BLOB.sub("x-ms-blob-", line) for line in headers), *ours)
        authorization = self._shared_key.authorization(method, url, query, lines, len(body))
        parameters = "&".join(f"{name}={quote(value, safe='')}" for name, value in query.items())
        address = f"{url}?{parameters}" if query else url
        keep = LIST_BYTES if method == "GET" else 2048
        return Step(method, address, body, (*lines, f"Authorization: {authorization}"), keep_bytes=keep)

    def list_step(self, prefix: str, token: str) -> Step:
        """Return the request for the names that begin so."""
        return self._list_step(prefix, token)

    def _list_step(self, prefix: str, token: str, **more: str) -> Step:
        query = {"restype": "container", "comp": "list", "maxresults": str(KEYS_PER_LIST), "prefix": prefix, **more}
        return self.request("GET", self._url, query | ({"marker": token} if token else {}))

    def listed(self, answer: Answer) -> tuple[list[str], str | None]:
        """Return the names in the answer to it, and the token to go on with."""
        names = [entry.findtext("{*}Name") or "" for entry in listed_elements(answer.body, "Blob")]
        return names, next((entry.text for entry in listed_elements(answer.body, "NextMarker")), None) or None

    def remove_versions(self, keys: Iterable[str], keep: str, keep_etag: str) -> Generator[Step, Answer, Answer | None]:
        """Remove all that an account keeps of earlier versions of these blobs, if that is asked for."""
        # What is current is the notice, or was removed before.
        del keep, keep_etag
        for key in sorted(keys) if self._all_versions else ():
            versions = yield from self._versions(key)
            if isinstance(versions, Answer):
                return versions
            for version in versions:
                answer = yield self.request("DELETE", f"{self._url}/{key}", {_VERSION_ID: version})
                if answer.fault or (answer.status >= 300 and not self.is_missing(answer)):
                    return self.judged(answer)
        return None

    def older_versions(self, key: str, keep_etag: str) -> Generator[Step, Answer, Answer | None]:
        """Return the answer to a look that found earlier versions, or failed; None: there is nothing of them."""
        del keep_etag
        versions = (yield from self._versions(key)) if self._all_versions else []
        if isinstance(versions, Answer):
            return versions
        if versions:
            return Answer(200, {}, b"", None, f"older versions lie under {key}", 0.0, started=True)
        return None

    def _versions(self, key: str) -> Generator[Step, Answer, list[str] | Answer]:
        """Return the ids of the earlier versions of a blob, page by page, or the answer that says why nobody knows."""
        versions: list[str] = []
        token: str | None = ""
        while token is not None:
            answer = yield self._list_step(key, token, include="versions")
            if answer.fault or answer.status != 200:
                return self.judged(answer)
            versions += [
                entry.findtext("{*}VersionId") or ""
                for entry in listed_elements(answer.body, "Blob")
                if entry.findtext("{*}Name") == key and entry.findtext("{*}IsCurrentVersion") != "true"
            ]
            token = self.listed(answer)[1]
        # An account that keeps none says nothing of versions.
        return [version for version in versions if version]

    def is_missing(self, answer: Answer) -> bool:
        """Whether an answer says that a blob that was to be changed is not there."""
        return answer.status == 404 and code_of(answer) == "BlobNotFound"

    def judged(self, answer: Answer) -> Answer:
        """Return an answer of the container in the words of all destinations."""
        if answer.fault or 200 <= answer.status < 300:
            return answer
        # An answer to HEAD has no body.
        code = code_of(answer) or answer.headers.get("x-ms-error-code", "")
        answer.message = told_by(answer)
        # What it says of a wrong signature repeats what was signed.
        answer.body = b""
        return refused(answer, denied=answer.status in {301, 307, 401, 403} or code in _FOR_A_PERSON)


def destination(settings: EndpointSettings, sender: Sender) -> Container:
    """Return the container that the settings of an endpoint describe."""
    azure = settings.azure_blob
    assert azure is not None
    return Container(
        sender.engine,
        settings.url,
        SharedKey(azure.account, azure.key.get_secret_value()),
        azure.name,
        format_of(settings),
        document=FeedDocument.of(settings, azure),
        kill=azure.on_kill,
        all_versions=azure.all_versions,
        gzip=settings.gzip,
        pictures=settings.companions.pictures,
        tls=tls_of(settings.tls),
    )
