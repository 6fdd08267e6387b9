"""Decompression piece by piece: the same bytes and the same refusals as for whole bodies."""

from __future__ import annotations

import gzip
import sys
import zlib
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zeyos_async.transport import inflaters
from zeyos_async.transport.encoding import Bounds, CorruptBody, TooLarge, UnknownEncoding, decode
from zeyos_async.transport.unpacking import StreamDecoder

DATA = b"some rows, " * 40 + bytes(range(200))


def raw_deflate(data: bytes) -> bytes:
    squeeze = zlib.compressobj(wbits=-15)
    return squeeze.compress(data) + squeeze.flush()


def brotli_compress(data: bytes) -> bytes:
    return pytest.importorskip("brotli").compress(data, quality=5)


def zstd_compress(data: bytes) -> bytes:
    module = pytest.importorskip("compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd")
    return module.compress(data)


CODINGS = {
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "raw": raw_deflate,
    "br": brotli_compress,
    "zstd": zstd_compress,
}


def name_of(coding: str) -> str:
    return "deflate" if coding == "raw" else coding


def unpack(body: bytes, encoding: str, *cuts: int, bounds: Bounds | None = None) -> bytes:
    """The body, fed in pieces that are cut at these places."""
    unpacker = StreamDecoder(encoding, bounds or Bounds())
    pieces: list[bytes] = []
    for start, end in pairwise([0, *sorted({min(cut, len(body)) for cut in cuts} - {0}), len(body)]):
        pieces += unpacker.feed(body[start:end])
    pieces += unpacker.finish()
    return b"".join(pieces)


def each_byte(body: bytes) -> range:
    return range(1, len(body))


@pytest.fixture(params=["isal", "zlib"], autouse=True)
def inflater(request, monkeypatch):
    """Both implementations, as isal is an extra."""
    module = zlib if request.param == "zlib" else pytest.importorskip("isal.isal_zlib")
    monkeypatch.setattr(inflaters, "_inflater", module)
    return module


@pytest.mark.parametrize("coding", CODINGS)
@pytest.mark.parametrize("data", [b"", b"x", b"text " * 200, bytes(range(256)) * 10, bytes(700_000)])
def test_round_trip(coding, data):
    """At once, byte by byte, and in pieces."""
    body = CODINGS[coding](data)
    assert unpack(body, name_of(coding)) == data
    assert unpack(body, name_of(coding), *each_byte(body)[:5000]) == data
    assert unpack(body, name_of(coding), 3, len(body) // 2, len(body) - 1) == data


@pytest.mark.parametrize("coding", CODINGS)
def test_no_cut_passes(coding):
    """Every proper prefix of a body but the empty one is damaged, however it is fed."""
    body = CODINGS[coding](DATA)
    for end in range(1, len(body)):
        with pytest.raises(CorruptBody):
            unpack(body[:end], name_of(coding), end // 2)


@pytest.mark.parametrize("coding", ["gzip", "deflate", "raw", "br"])
@pytest.mark.parametrize("separate", [True, False])
def test_nothing_may_follow(coding, separate):
    """Neither in the piece in which the body ends nor in a later one."""
    body = CODINGS[coding](DATA)
    with pytest.raises(CorruptBody):
        unpack(body + b"xyz", name_of(coding), *([len(body)] if separate else []))


@pytest.mark.parametrize("tail", [b"", b"\x00" * 7])
def test_gzip_members_are_one_body(tail):
    """One after the other, and zeros behind the last (RFC 1952); wherever the pieces end."""
    body = gzip.compress(b"one ") + gzip.compress(b"") + gzip.compress(b"two") + tail
    assert unpack(body, "gzip") == unpack(body, "gzip", *each_byte(body)) == b"one two"


def test_zstd_frames_are_one_body():
    """One after the other (RFC 8878)."""
    body = zstd_compress(b"one ") + zstd_compress(b"two")
    assert unpack(body, "zstd") == unpack(body, "zstd", *each_byte(body)) == b"one two"


def test_encodings_on_top_of_each_other():
    """The last in the header is the outermost."""
    body = gzip.compress(zlib.compress(DATA))
    assert unpack(body, "deflate, gzip", *each_byte(body)) == DATA
    with pytest.raises(CorruptBody):
        unpack(gzip.compress(zlib.compress(DATA)[:-1]), "deflate, gzip")
    with pytest.raises(UnknownEncoding, match="on top"):
        StreamDecoder("gzip, gzip, gzip, gzip", Bounds())


def test_what_was_not_asked_for():
    """An encoding that nobody knows."""
    with pytest.raises(UnknownEncoding, match="'compress'"):
        StreamDecoder("compress", Bounds())


def test_a_body_without_encoding_is_as_it_came():
    """Also an empty one, and one that says that it has none."""
    assert unpack(DATA, "", 10) == unpack(DATA, "identity") == DATA
    assert unpack(b"", "gzip") == b""


@pytest.mark.parametrize("coding", CODINGS)
def test_bombs_end_early(coding):
    """Nothing that inflates out of proportion; found before much of it was given out."""
    bomb = CODINGS[coding](bytes(40 * 2**20))
    unpacker = StreamDecoder(name_of(coding), Bounds(ratio=20, harmless=2**20))
    given: list[int] = []

    def inflate():
        for start in range(0, len(bomb), 1000):
            given.extend(len(piece) for piece in unpacker.feed(bomb[start : start + 1000]))

    with pytest.raises(TooLarge, match="20 times"):
        inflate()
    assert sum(given) <= 2**20 + 20 * len(bomb)


@pytest.mark.parametrize("coding", CODINGS)
def test_pieces_are_bounded(coding):
    """A small piece of the body may hold much: it comes out little by little."""
    body = CODINGS[coding](bytes(4 * 2**20))
    unpacker = StreamDecoder(name_of(coding), Bounds())
    sizes = [len(piece) for piece in (*unpacker.feed(body), *unpacker.finish())]
    assert sum(sizes) == 4 * 2**20
    assert max(sizes) <= 2**20


@given(
    data=st.binary(max_size=400),
    coding=st.sampled_from(["gzip", "deflate", "raw"]),
    cuts=st.lists(st.integers(0, 500), max_size=6),
    damage=st.none() | st.tuples(st.integers(0, 400), st.binary(max_size=3)),
)
def test_pieces_make_no_difference(data, coding, cuts, damage):
    """Whole or in pieces, sound or damaged: the same bytes, or an error both times."""
    body = CODINGS[coding](data)
    if damage is not None:
        place, other = damage
        body = body[:place] + other + body[place + 1 :]

    def outcome(way):
        try:
            return way()
        except CorruptBody:
            return "damaged"

    if body:
        whole = outcome(lambda: decode(body, name_of(coding), Bounds()))
        assert outcome(lambda: unpack(body, name_of(coding), *cuts)) == whole
