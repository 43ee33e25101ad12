"""Files on a server of SFTP, which is known by its host key."""

from __future__ import annotations

from typing import TYPE_CHECKING

from worker.destinations.file_places import Place
from worker.destinations.files import FileDestination, RemoteFolder
from worker.outbound.file_transfer import FileServer, HostKeys

if TYPE_CHECKING:
    from config.endpoint_settings import EndpointSettings
    from worker.destinations.sender import Sender

PORT = 22


class SftpDestination(FileDestination):
    """A folder of a server of SFTP: commands name files by their whole path."""

    def removal(self, place: Place) -> str:
        """Return the command that removes a file."""
        return f"*rm {self._path(place)}"

    def renaming(self, place: Place, base: str) -> tuple[str, ...]:
        """Return the command that renames a file. OpenSSH refuses to rename onto an existing name."""
        return (f"rename {self._path(place)} {self._path(place._replace(base=base))}",)

    def room(self, place: Place) -> tuple[str, ...]:
        """Return the commands that say how much room there is: in the endpoint's folder, and in the file's own.

        They are an extension of OpenSSH's (statvfs@openssh.com), which says no more of a failed upload than that.
        """
        return tuple(f"*statvfs {self._path(Place(folder, ''))}" for folder in ("", place.folder))

    def _path(self, place: Place) -> str:
        path = f"{self.folder}/{place.folder}{place.base}"
        # In a command libcurl takes ~ for the name of a folder. What does not begin with / is below our home folder.
        return _quoted((path.removeprefix("/~/") or ".") if path.startswith("/~/") else path)


def _quoted(path: str) -> str:
    path = path.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{path}"'


def destination(settings: EndpointSettings, sender: Sender) -> SftpDestination:
    """Return the destination that the settings describe."""
    own = settings.sftp
    assert own is not None
    server = FileServer(
        "sftp",
        own.username,
        own.password.get_secret_value() if own.password else "",
        own.key.get_secret_value() if own.key else "",
        HostKeys(own.host_keys, str(own.known_hosts) if own.known_hosts else None),
    )
    return SftpDestination(server, RemoteFolder.of(settings, own, sender, "sftp", PORT))
