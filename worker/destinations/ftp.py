"""Files on a server of FTP, with or without TLS."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from worker.destinations.files import FileDestination, RemoteFolder
from worker.outbound.file_transfer import FileServer

if TYPE_CHECKING:
    from config.endpoint_settings import EndpointSettings
    from worker.destinations.file_places import Place
    from worker.destinations.sender import Sender

PORT, IMPLICIT_PORT = 21, 990


class FtpDestination(FileDestination):
    """A folder of a server of FTP: commands name files in the folder in which they run."""

    renames_onto_names: ClassVar[bool] = True
    stands_in_folders: ClassVar[bool] = True

    def removal(self, place: Place) -> str:
        """Return the command that removes a file."""
        return f"*DELE {place.base}"

    def sizing(self, place: Place) -> tuple[str, ...]:
        """Return the command that says how large a file is.

        A connection for the data that something on its way cuts looks to the server like the end of the file.
        """
        return (f"*SIZE {place.base}",)

    def renaming(self, place: Place, base: str) -> tuple[str, ...]:
        """Return the commands that rename a file; most servers replace what has that name."""
        return (f"RNFR {place.base}", f"RNTO {base}")


def destination(settings: EndpointSettings, sender: Sender) -> FtpDestination:
    """Return the destination that the settings describe."""
    own = settings.ftps or settings.ftp
    assert own is not None
    implicit = settings.ftps is not None and settings.ftps.implicit
    server = FileServer(
        "ftp",
        own.username,
        own.password.get_secret_value(),
        active=own.active,
        tls="" if settings.ftps is None else "implicit" if implicit else "explicit",
    )
    scheme, port = ("ftps", IMPLICIT_PORT) if implicit else ("ftp", PORT)
    return FtpDestination(server, RemoteFolder.of(settings, own, sender, scheme, port))
