"""A partner that takes files: an SFTP server in the demonstration's own process, with a folder of its own."""

from __future__ import annotations

import asyncio
import secrets
import threading
from typing import TYPE_CHECKING

import asyncssh

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_HOST = "127.0.0.1"
_USER = "herald"


class DemoFileServer:
    """Serves a folder; `on_file` gets the content of each file as soon as it has its final name, in its thread."""

    def __init__(self, folder: Path, on_file: Callable[[bytes], None]) -> None:
        self._folder = folder
        self._on_file = on_file
        self._key = asyncssh.generate_private_key("ssh-ed25519")
        self._loop = asyncio.new_event_loop()
        self.password = secrets.token_urlsafe(24)
        threading.Thread(target=self._loop.run_forever, name="sftp", daemon=True).start()
        self._acceptor = asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result()
        self.url = f"sftp://{_HOST}:{self._acceptor.get_port()}/"

    @property
    def settings(self) -> str:
        """The settings by which it is reached."""
        return (
            f'{{ username = "{_USER}", password = "{self.password}", host_keys = "{self._key.get_fingerprint()}", '
            'name = "{id}-v{version}.{ext}" }'
        )

    def names(self) -> list[str]:
        """Return the names of the files that are there."""
        return sorted(path.name for path in self._folder.iterdir())

    def close(self) -> None:
        """Listen no more."""
        self._loop.call_soon_threadsafe(self._acceptor.close)

    async def _listen(self) -> asyncssh.SSHAcceptor:
        folder, on_file, password = self._folder, self._on_file, self.password

        class Server(asyncssh.SSHServer):
            def password_auth_supported(self) -> bool:
                return True

            def validate_password(self, username: str, password_given: str) -> bool:
                return username == _USER and secrets.compare_digest(password_given, password)

        class Files(asyncssh.SFTPServer):
            def __init__(self, channel: asyncssh.SSHServerChannel[bytes]) -> None:
                super().__init__(channel, chroot=str(folder).encode())

            def rename(self, oldpath: bytes, newpath: bytes) -> None:
                super().rename(oldpath, newpath)
                on_file((folder / newpath.decode().lstrip("/")).read_bytes())

        return await asyncssh.listen(
            _HOST, 0, server_factory=Server, sftp_factory=Files, server_host_keys=[self._key], allow_scp=False
        )
