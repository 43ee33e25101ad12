"""Which content coding a client gets (RFC 9110, section 12.5.3), and that it can read it."""

from __future__ import annotations

import gzip

import brotli
import pytest
import zstandard

from web.content_coding import CODINGS, IDENTITY, preferred

BODY = b"<feed>" + b"The same again, and again. " * 200 + b"</feed>"


@pytest.mark.parametrize(
    ("accept_encoding", "coding"),
    [
        (None, IDENTITY),
        ("", IDENTITY),
        ("gzip", "gzip"),
        ("x-gzip", "gzip"),
        ("GZIP", "gzip"),
        ("gzip, deflate", "gzip"),
        ("gzip, deflate, br, zstd", "br"),
        ("zstd, gzip", "zstd"),
        ("br;q=0.5, gzip;q=0.8", "gzip"),
        ("gzip;q=0", IDENTITY),
        ("gzip;q=0, *", "br"),
        ("gzip;q=0.001", "gzip"),
        ("gzip;q=0.5, identity", IDENTITY),
        ("gzip;q=0.5, identity;q=0.1", "gzip"),
        ("identity", IDENTITY),
        ("identity;q=0, gzip;q=0.1", "gzip"),
        ("*", "br"),
        ("*;q=0.5, gzip", "gzip"),
        ("deflate, compress", IDENTITY),
        ("gzip ; q=1.000 , br ; q=0.9", "gzip"),
        ("gzip;q=1.001", IDENTITY),
        ("gzip;q=high, br;q=0.1", "br"),
        # Nothing of ours is taken: a document that can't be read may be, an error never is.
        ("*;q=0", IDENTITY),
        ("identity;q=0", IDENTITY),
        ("identity;q=0, gzip;q=0, br;q=0, zstd;q=0", IDENTITY),
        ("*;q=0, gzip;q=0.2", "gzip"),
        (",;=,", IDENTITY),
    ],
)
def test_the_client_gets_what_it_likes_best(accept_encoding: str | None, coding: str) -> None:
    assert coding == preferred(accept_encoding)


def test_every_coding_can_be_read_back_and_is_the_same_each_time() -> None:
    readers = {"gzip": gzip.decompress, "br": brotli.decompress, "zstd": zstandard.ZstdDecompressor().decompress}
    assert readers.keys() == CODINGS.keys()
    for name, encode in CODINGS.items():
        coded = encode(BODY)
        assert BODY == readers[name](coded)
        assert coded == encode(BODY)
        assert len(coded) < len(BODY) / 4


def test_a_header_that_is_too_long_is_not_read() -> None:
    assert preferred("gzip") == "gzip"
    assert preferred(f"gzip,{'x' * 300}") == "identity"
