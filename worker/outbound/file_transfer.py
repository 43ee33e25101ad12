"""What a transfer of a file has beside its address: the server, how it lets us in, and the commands around the file.

libcurl speaks SFTP, FTP and FTPS. What it answers is put into the words of HTTP here and nowhere else, so that whoever
judges answers needs to know one language (worker/destinations/interface.py):

    200  done                       404  no such file or folder      503  it can't just now (4yz of FTP)
    403  the server refuses it      409  a command has failed        507  its disk is full, or our quota
    Fault.DENIED                    it does not let us in, or is not the server that we know: nothing was sent

Sources: RFC 959, section 4.2 (replies of FTP), RFC 4217 (FTPS), draft-ietf-secsh-filexfer-02 (SFTP), RFC 4253, section
6.6 (host keys) and RFC 4255 (their fingerprints are SHA-256, here in Base64 as OpenSSH prints them).
"""

from __future__ import annotations

import base64
import os
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any, Literal

import pycurl

from worker.outbound.errors import Fault, fault_of, reason_of

SetOption = Callable[[int, Any], object]

_MAKE_FOLDERS = 2
"""CURLFTP_CREATE_DIR_RETRY: another may have made the folder in the meantime."""


class HostKeys:
    """The host keys by which a server of SFTP is known: fingerprints (`SHA256:...`), or a file as OpenSSH has it."""

    def __init__(self, fingerprints: tuple[str, ...] = (), known_hosts: str | None = None) -> None:
        self._digests = {fingerprint.removeprefix("SHA256:").rstrip("=") for fingerprint in fingerprints}
        self._known_hosts = known_hosts
        self._identity = sha256("\n".join([*sorted(self._digests), known_hosts or ""]).encode()).hexdigest()
        self.shown = ""
        """What the last key is that was refused, as the end of a sentence."""

    @property
    def identity(self) -> str:
        """Tells two sets of keys apart, and a file of them from what it was before somebody changed it."""
        if self._known_hosts is None:
            return self._identity
        try:
            state = Path(self._known_hosts).stat()
        except OSError:
            return f"{self._identity} none"
        return f"{self._identity} {state.st_mtime_ns} {state.st_size} {state.st_ino}"

    def set_up(self, setopt: SetOption) -> None:
        """Have libcurl accept no other key."""
        if self._known_hosts is not None:
            setopt(pycurl.SSH_KNOWNHOSTS, self._known_hosts)
            setopt(pycurl.SSH_KEYFUNCTION, self._judge_known)
        else:
            setopt(pycurl.SSH_HOSTKEYFUNCTION, self._judge)

    def _judge(self, _key_type: int, key: bytes) -> int:
        digest = _digest(key)
        if digest in self._digests:
            return pycurl.KHMATCH_OK
        self.shown = f": it is SHA256:{digest}"
        return pycurl.KHMATCH_MISMATCH

    def _judge_known(self, _in_file: object, key: tuple[bytes, int], match: int) -> int:
        shown = base64.b64encode(key[0])
        if match == pycurl.KHMATCH_OK and shown not in self._revoked():
            return pycurl.KHSTAT_FINE
        self.shown = f": it is SHA256:{_digest(key[0])}"
        return pycurl.KHSTAT_REJECT

    def _revoked(self) -> set[bytes]:
        """Return the keys that are marked @revoked (sshd(8), SSH_KNOWN_HOSTS); libssh2 takes that for a host."""
        assert self._known_hosts is not None
        lines = Path(self._known_hosts).read_bytes().splitlines()
        return {words[3] for line in lines if len(words := line.split()) > 3 and words[0] == b"@revoked"}


def _digest(key: bytes) -> str:
    return base64.b64encode(sha256(key).digest()).decode("ascii").rstrip("=")


class Generation:
    """Of connections: one that has failed is never used again, nor are those from before it."""

    number = 0


@dataclass(frozen=True)
class FileServer:
    """A server of files, and what we show it. `key`: a private key (PEM); then `password` is that of the key.

    `active`: it connects to us for the data of FTP. `tls`: FTP is protected, by AUTH TLS or from the first byte on.
    """

    scheme: Literal["sftp", "ftp"]
    username: str
    password: str = field(default="", repr=False)
    key: str = field(default="", repr=False)
    host_keys: HostKeys | None = None
    active: bool = False
    tls: Literal["", "explicit", "implicit"] = ""
    generation: Generation = field(default_factory=Generation, repr=False, compare=False)

    @property
    def url_scheme(self) -> str:
        """The scheme by which libcurl knows it."""
        return "ftps" if self.tls == "implicit" else self.scheme

    def renew_connections(self) -> None:
        """Have the next transfer make a new connection: one has failed."""
        self.generation.number += 1

    def set_up(self, setopt: SetOption) -> None:
        """Have libcurl speak to this server and in no other protocol."""
        protocols = {"sftp": pycurl.PROTO_SFTP, "ftp": pycurl.PROTO_FTP, "ftps": pycurl.PROTO_FTPS}
        setopt(pycurl.PROTOCOLS, protocols[self.url_scheme])
        setopt(pycurl.USERNAME, self.username)
        # libcurl uses a connection again whatever host key it has accepted, also when libssh2 has found it broken, and
        # when a reply of FTP has not come in time, which would be taken for the reply to the next command, and so on.
        # But it does compare this option, of which neither protocol knows anything.
        keys = self.host_keys.identity if self.host_keys is not None else ""
        setopt(pycurl.XOAUTH2_BEARER, f"{self.generation.number} {keys}")
        if self.scheme == "ftp":
            setopt(pycurl.PASSWORD, self.password)
            setopt(pycurl.FTP_SKIP_PASV_IP, 1)
            if self.tls:
                setopt(pycurl.USE_SSL, pycurl.USESSL_ALL)
            if self.active:
                setopt(pycurl.FTPPORT, "-")
            return
        assert self.host_keys is not None
        self.host_keys.set_up(setopt)
        if self.key:
            setopt(pycurl.SSH_AUTH_TYPES, pycurl.SSH_AUTH_PUBLICKEY)
            setopt(pycurl.SSH_PRIVATE_KEYFILE, _private_file(f"{self.key}\n"))
            setopt(pycurl.KEYPASSWD, self.password)
        else:
            setopt(pycurl.SSH_AUTH_TYPES, pycurl.SSH_AUTH_PASSWORD | pycurl.SSH_AUTH_KEYBOARD)
            setopt(pycurl.PASSWORD, self.password)


@dataclass(frozen=True, slots=True)
class FileStep:
    """What is done at a server in one transfer: commands, then an upload, a download or a list of names, then commands.

    `work`: "upload" sends the body, "download" and "list" get what the URL names, "commands" transfers nothing.
    `before`: at SFTP before all else, at FTP in the folder that the URL names. A command that begins with `*` may fail.
    """

    server: FileServer
    work: Literal["upload", "download", "list", "commands"]
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    all_names: bool = False
    """Whether an FTP server is asked for the names that begin with a dot as well."""
    replies: bool = False
    """Whether the answer's body is what an FTP server replies to all commands."""

    def set_up(self, setopt: SetOption, body: bytes, write: Callable[[bytes], int | None]) -> None:
        """Set libcurl's options for this step; `write` takes what comes."""
        self.server.set_up(setopt)
        is_sftp = self.server.scheme == "sftp"
        match self.work:
            case "upload":
                content = BytesIO(body)
                setopt(pycurl.UPLOAD, 1)
                setopt(pycurl.INFILESIZE_LARGE, len(body))
                setopt(pycurl.READFUNCTION, content.read)
                setopt(pycurl.SEEKFUNCTION, lambda offset, origin: content.seek(offset, origin) and None)
                setopt(pycurl.FTP_CREATE_MISSING_DIRS, _MAKE_FOLDERS)
            case "download":
                setopt(pycurl.HTTPGET, 1)
            case "list":
                setopt(pycurl.HTTPGET, 1)
                setopt(pycurl.DIRLISTONLY, 1)
                if self.all_names and not is_sftp:
                    setopt(pycurl.CUSTOMREQUEST, "NLST -a")
            case "commands":
                setopt(pycurl.NOBODY, 1)
        if self.replies:
            setopt(pycurl.HEADERFUNCTION, write)
        if self.before:
            setopt(pycurl.QUOTE if is_sftp else pycurl.PREQUOTE, list(self.before))
        if self.after:
            setopt(pycurl.POSTQUOTE, list(self.after))

    def outcome(self, code: int, message: str, reply: int, body: bytes = b"") -> tuple[int, Fault | None, str]:
        """Return status, fault and reason for libcurl's error code; `reply`: the last that an FTP server has sent.

        `body`: of the answer; it may have the words of that reply. Where a connection of SFTP breaks within a list,
        libcurl says so in its message alone.
        """
        silent = bool(message) and self.server.scheme == "sftp" and self.work in {"list", "download"}
        if not code and not silent:
            return 200, None, ""
        if not code or _BROKEN.search(message):
            return 0, Fault.RESET, f"the connection broke: {reason_of(pycurl.E_SSH, message)}"
        fault = self._fault(code, message, reply)
        words = _REFUSING_REPLY.findall(body) if self.replies else []
        reason = words[-1].decode("utf-8", "replace") if words else message
        return (0, *fault) if fault else self._refusal(code, reason, reply)

    def _fault(self, code: int, message: str, reply: int) -> tuple[Fault, str] | None:
        """Return the fault of an error; None: the server has answered that it does not do it."""
        if self.server.tls and code == pycurl.E_RECV_ERROR and "unexpected eof" in message:
            return Fault.RESET, UNENDED
        if code == pycurl.E_PEER_FAILED_VERIFICATION and self.server.host_keys is not None:
            shown = self.server.host_keys.shown
            return Fault.DENIED, f"the server's host key is not the one that we know{shown}"
        if code == pycurl.E_SSH and message.startswith(_UNKNOWN_KIND):
            return Fault.DENIED, "known_hosts has a host key of a kind that is not known here: remove its line"
        if code in _REFUSALS or reply in _NO_ROOM:
            return None
        reason = reason_of(code, message)
        if code not in _FAULTS:
            return fault_of(code), reason
        fault, meaning = _FAULTS[code]
        return fault, f"{meaning}: {reason}" if message else meaning

    @staticmethod
    def _refusal(code: int, message: str, reply: int) -> tuple[int, None, str]:
        if reply in _NO_ROOM:
            code = pycurl.E_REMOTE_DISK_FULL
        status, meaning = _REFUSALS[code]
        if 400 <= reply < 500 and status != 507:
            status, meaning = 503, "the server can't just now"
        return status, None, f"{meaning}: {reason_of(code, message)}" if message else meaning


UNENDED = "the server closes the connection for the data without the end that TLS wants (RFC 8446, section 6.1)"
"""Nobody knows whether what came is all: it may have been cut off."""
UNCLEAR = "the connection broke, or the server failed (a full disk or quota?)"
"""libcurl's only word for a full disk at OpenSSH too."""
_BROKEN = re.compile(r"Unknown error in libssh2|Connection lost|No connection|ssh error \(\d+/-(?!31\))")
"""What libcurl's message has when something failed with the connection. -31: the server has answered that it fails."""
_UNKNOWN_KIND = "Unknown host key type"
"""libcurl's message where the key that `known_hosts` has for the server is of a kind that libssh2 does not know."""
_NO_ROOM = frozenset({452, 552})
"""Replies of FTP: no storage, or more than our quota."""
_REFUSING_REPLY = re.compile(rb"^[45]\d\d [^\r\n]*", re.MULTILINE)
_REFUSALS = {
    pycurl.E_REMOTE_DISK_FULL: (507, "the server has no room"),
    pycurl.E_REMOTE_ACCESS_DENIED: (403, "the server does not let us do that"),
    pycurl.E_UPLOAD_FAILED: (403, "the server takes no such file"),
    pycurl.E_REMOTE_FILE_EXISTS: (409, "the server has such a file"),
    pycurl.E_FTP_QUOTE_ERROR: (409, "the server refuses a command"),
    pycurl.E_REMOTE_FILE_NOT_FOUND: (404, "the server has no such file or folder"),
    pycurl.E_FTP_COULDNT_RETR_FILE: (404, "the server has no such file or folder"),
}
"""What a server answers that it does not do -> the status that says so, and what it is."""
_NO_DATA = Fault.CONNECT, "no connection for the data"
_ODD = Fault.PROTOCOL, "the server answers otherwise than FTP has it"
_FAULTS = {
    pycurl.E_LOGIN_DENIED: (Fault.DENIED, "the server does not let us in"),
    pycurl.E_SSH: (Fault.RESET, UNCLEAR),
    pycurl.E_FAILED_INIT: (Fault.CONNECT, "no session"),
    pycurl.E_FTP_WRITE_ERROR: (Fault.RESET, "the connection broke"),
    pycurl.E_FTP_CANT_GET_HOST: _NO_DATA,
    pycurl.E_FTP_ACCEPT_FAILED: _NO_DATA,
    pycurl.E_FTP_ACCEPT_TIMEOUT: _NO_DATA,
    pycurl.E_FTP_PORT_FAILED: _NO_DATA,
    pycurl.E_FTP_WEIRD_PASS_REPLY: _ODD,
    pycurl.E_FTP_WEIRD_PASV_REPLY: _ODD,
    pycurl.E_FTP_WEIRD_227_FORMAT: _ODD,
    pycurl.E_FTP_COULDNT_SET_TYPE: _ODD,
}
"""What only happens with files, and what it is."""


@cache
def _private_file(content: str) -> str:
    """Return the path of a file with this content, which only this process can read, and which ends with it.

    libssh2 takes a key as a file only. It is never on a disk.
    """
    descriptor = os.memfd_create("key", os.MFD_CLOEXEC)
    os.write(descriptor, content.encode())
    return f"/proc/self/fd/{descriptor}"
