"""Pictures fetched from real servers: redirects, addresses inside, sizes, contents; and what Pillow makes of them."""

from __future__ import annotations

import struct
import time
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime
from io import BytesIO
from ipaddress import ip_network
from pathlib import Path
from threading import Event

import pytest
from pictures import picture
from PIL import Image as PillowImage
from receiver import Receiver

from feeds.article import Article, Image
from worker.outbound.engine import Engine
from worker.outbound.guard import Guard
from worker.pictures import pictures as module
from worker.pictures.picture_contents import PictureRefused, kind_of, narrowed
from worker.pictures.picture_files import PictureFiles
from worker.pictures.pictures import Companions, Pictures, PicturesAwaited, PictureTerms

PATIENCE = 60
MARCH = datetime(2026, 3, 1, 9, tzinfo=UTC)
TERMS = PictureTerms()


@pytest.fixture
def server() -> Iterator[Receiver]:
    server = Receiver()
    server.otherwise = lambda _: (404, b"")
    yield server
    server.close()


class Shelf:
    """The pictures of one worker."""

    def __init__(self, folder: Path, *networks: str) -> None:
        self.engine = Engine(Guard(tuple(map(ip_network, networks))))
        self.engine.start()
        self.pictures = Pictures(self.engine, folder, 10.0)

    def beside(self, article: Article, terms: PictureTerms = TERMS) -> Companions:
        """What goes beside it in the end."""
        end = time.monotonic() + PATIENCE
        while True:
            try:
                return self.pictures.beside(article, terms)
            except PicturesAwaited as error:
                awaited = error
            assert time.monotonic() < end, str(awaited)
            time.sleep(max(0.0, awaited.due - time.monotonic()))
            ended = Event()
            assert self.pictures.fetch(awaited, time.monotonic() + PATIENCE, ended.set)
            assert ended.wait(PATIENCE)

    def stop(self) -> None:
        self.engine.stop(0)
        self.pictures.stop()


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Shelf]:
    shelf = Shelf(tmp_path / "pictures", "127.0.0.0/8")
    yield shelf
    shelf.stop()


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_PAUSE", 0.01)


def article(*urls: str, version: int = 1) -> Article:
    images = tuple(Image(url=url) for url in urls)
    return Article(
        id="hh-1",
        version=version,
        headline="H",
        url="https://h.example/1",
        published=MARCH,
        updated=MARCH,
        images=images,
    )


def test_a_picture_is_fetched_once_whoever_gets_it(server: Receiver, shelf: Shelf) -> None:
    content = picture(800, 600, "JPEG")
    server.behave["/a"] = lambda _: (200, content)
    first = shelf.beside(article(f"{server.url}/a"))
    resized = shelf.beside(article(f"{server.url}/a"), TERMS._replace(widths=(400, 1600)))
    assert len(server.requests) == 1
    (file,) = first.files
    assert (file.media_type, file.path.read_bytes()) == ("image/jpeg", content)
    assert first.places[f"{server.url}/a"] == (file.name, "image/jpeg", 800, 600)
    small, large = resized.files
    assert (small.name, large.name) == (file.name.replace(".", "-w400."), file.name.replace(".", "-w1600."))
    assert PillowImage.open(BytesIO(small.path.read_bytes())).size == (400, 300)
    # None is enlarged.
    assert large.path.read_bytes() == content
    assert resized.places[f"{server.url}/a"] == (small.name, "image/jpeg", 400, 300)
    shelf.beside(article(f"{server.url}/a", version=2))
    assert len(server.requests) == 2


def test_redirects_are_followed_and_judged(server: Receiver, shelf: Shelf, tmp_path: Path) -> None:
    server.behave["/a"] = lambda _: (302, b"", {"Location": "/b"})
    server.behave["/b"] = lambda _: (200, picture())
    assert len(shelf.beside(article(f"{server.url}/a")).files) == 1
    for target, reason in {
        "http://127.0.0.2:9/": "127.0.0.2",
        "file:///etc/passwd": "redirected to an address that must be an absolute URL",
        "/c": "redirected more than 5 times",
    }.items():
        server.behave["/c"] = lambda _, target=target: (302, b"", {"Location": target})  # type: ignore[misc]
        narrow = Shelf(tmp_path / target.replace("/", "-"), "127.0.0.1/32")
        companions = narrow.beside(article(f"{server.url}/c"))
        narrow.stop()
        assert companions.files == ()
        assert reason in companions.lacking


def test_nothing_inside_is_asked(server: Receiver, tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "p")
    companions = shelf.beside(article(f"{server.url}/a"))
    shelf.stop()
    assert server.requests == []
    assert "127.0.0.1" in companions.lacking


def test_a_text_goes_without_a_picture_after_some_tries(server: Receiver, shelf: Shelf) -> None:
    server.behave["/a"] = lambda _: (200, picture())
    companions = shelf.beside(article(f"{server.url}/a", f"{server.url}/gone"))
    assert len(companions.files) == 1
    assert companions.lacking == f"{server.url}/gone: its server answers 404"
    assert len([each for each in server.requests if each.name == "/gone"]) == 3


def test_a_text_waits_for_a_picture_where_it_is_to(server: Receiver, shelf: Shelf) -> None:
    answers = iter([(500, b"")] * 5)
    server.behave["/late"] = lambda _: next(answers, (200, picture()))
    assert len(shelf.beside(article(f"{server.url}/late"), TERMS._replace(tries=0)).files) == 1
    assert len(server.requests) == 6


def bomb() -> bytes:
    """A PNG of a few hundred bytes that says it has 10 thousand million pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", 100_000, 100_000, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(
    ("content", "terms", "reason"),
    [
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", TERMS, "by its contents it is no JPEG, PNG, GIF or WebP"),
        (b"<html>Sign in</html>", TERMS, "by its contents it is no JPEG, PNG, GIF or WebP"),
        (bomb(), TERMS, "it has 10,000,000,000 pixels, more than 60,000,000"),
        (picture()[:60], TERMS, "it is broken"),
        (picture(900, 900, "JPEG")[:4000], TERMS._replace(widths=(100,)), "it is broken"),
        (picture(300, 300, "BMP"), TERMS, "by its contents it is no JPEG"),
        (picture(), TERMS._replace(max_bytes=100), "bytes, more than max_bytes"),
    ],
)
def test_what_is_no_picture_to_be_delivered_is_tried_once(
    server: Receiver, shelf: Shelf, content: bytes, terms: PictureTerms, reason: str
) -> None:
    server.behave["/a.jpg"] = lambda _: (200, content, {"Content-Type": "image/jpeg"})
    companions = shelf.beside(article(f"{server.url}/a.jpg"), terms)
    assert companions.files == ()
    assert reason in companions.lacking
    assert len(server.requests) == 1


def test_a_picture_held_upright_keeps_its_author_when_it_is_resized() -> None:
    exif = PillowImage.Exif()
    exif[0x0112], exif[0x013B] = 6, "Ada Quill"
    iptc = b"\xff\xed\x00\x19Photoshop 3.0\x00 by Ada Q"
    content = picture(600, 200, "JPEG", exif=exif, extra=iptc, icc_profile=b"profile", xmp=b"<x:xmpmeta/>")
    assert kind_of(content)[2:] == (200, 600)
    smaller = narrowed(content, 100)
    assert smaller is not None
    small = PillowImage.open(BytesIO(smaller[0]))
    assert (smaller[1:], small.size) == ((100, 300), (100, 300))
    assert (small.getexif().get(0x0112, 1), small.getexif()[0x013B]) == (1, "Ada Quill")
    assert (small.info["icc_profile"], small.info["xmp"]) == (b"profile", b"<x:xmpmeta/>")
    assert b"Photoshop 3.0\x00 by Ada Q" in smaller[0]


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_a_picture_keeps_its_kind(kind: str) -> None:
    smaller = narrowed(picture(600, 200, kind), 100)
    assert smaller is not None
    assert PillowImage.open(BytesIO(smaller[0])).format == kind


def test_a_picture_that_moves_stays_as_it_is() -> None:
    frames = [PillowImage.new("RGB", (300, 300), colour) for colour in ("red", "blue")]
    content = BytesIO()
    frames[0].save(content, "WEBP", save_all=True, append_images=frames[1:])
    assert narrowed(content.getvalue(), 100) is None


def test_what_is_no_picture_is_refused() -> None:
    with pytest.raises(PictureRefused):
        kind_of(b"")


def test_the_files_that_were_used_last_stay(tmp_path: Path) -> None:
    folder = tmp_path / "p"
    files = PictureFiles(folder, most=250)
    for number in range(4):
        files.keep(f"{number}", b"x" * 100)
        time.sleep(0.02)
        files.use("0")
    files.keep("4", b"x" * 100)
    assert {path.name for path in folder.iterdir()} >= {"4"}
    assert sum(path.stat().st_size for path in folder.iterdir()) <= 250
    assert files.use("4")
    assert not files.use("1")


def test_a_picture_that_was_dropped_is_fetched_again(server: Receiver, shelf: Shelf) -> None:
    server.behave["/a"] = lambda _: (200, picture())
    (file,) = shelf.beside(article(f"{server.url}/a")).files
    file.path.unlink()
    assert shelf.beside(article(f"{server.url}/a")).files[0].path.exists()
    assert len(server.requests) == 2


def test_when_a_worker_stops_nothing_more_is_fetched(server: Receiver, shelf: Shelf) -> None:
    server.behave["/a"] = lambda _: (200, picture())
    files = shelf.beside(article(f"{server.url}/a")).files
    shelf.pictures.stop()
    assert shelf.beside(article(f"{server.url}/a")).files == files
    with pytest.raises(PicturesAwaited) as awaited:
        shelf.pictures.beside(article(f"{server.url}/b"), TERMS)
    assert not shelf.pictures.fetch(awaited.value, time.monotonic() + PATIENCE, lambda: None)
    assert len(server.requests) == 1
