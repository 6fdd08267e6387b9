"""Decompression: whole bodies in, whole bodies out, everything else an error."""

from __future__ import annotations

import gzip
import zlib

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from zeyos_async.errors import InvalidArgument
from zeyos_async.transport import encoding
from zeyos_async.transport.encoding import Bounds, Damaged, TooLarge, UnknownEncoding, decode

BOUNDS = Bounds()


def raw_deflate(data: bytes) -> bytes:
    squeeze = zlib.compressobj(wbits=-15)
    return squeeze.compress(data) + squeeze.flush()


CODINGS = {"gzip": gzip.compress, "deflate": zlib.compress, "raw": raw_deflate}


@pytest.fixture(params=["isal", "zlib"], autouse=True)
def inflater(request, monkeypatch):
    """Both implementations, as isal is an extra."""
    module = zlib if request.param == "zlib" else pytest.importorskip("isal.isal_zlib")
    monkeypatch.setattr(encoding, "_inflater", module)
    return module


@pytest.mark.parametrize("coding", CODINGS)
@pytest.mark.parametrize("data", [b"", b"x", b"text " * 1000, bytes(range(256)) * 50])
def test_round_trip(coding, data):
    """What was compressed comes back."""
    assert decode(CODINGS[coding](data), "gzip" if coding == "gzip" else "deflate", BOUNDS) == data


@pytest.mark.parametrize("coding", CODINGS)
def test_no_cut_passes(coding):
    """Every proper prefix of a body is damaged."""
    body = CODINGS[coding](b"some rows, " * 40 + bytes(range(200)))
    for end in range(len(body)):
        with pytest.raises(Damaged):
            decode(body[:end], "gzip" if coding == "gzip" else "deflate", BOUNDS)


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
def test_no_flipped_bit_changes_the_data(coding):
    """A body with one wrong bit is refused, or decodes to the same data (a bit of the header)."""
    data = b"some rows, " * 20
    body = CODINGS[coding](data)
    for position in range(len(body) * 8):
        wrong = bytearray(body)
        wrong[position // 8] ^= 1 << position % 8
        try:
            assert decode(bytes(wrong), coding, BOUNDS) == data
        except (Damaged, TooLarge):
            continue


@pytest.mark.parametrize("coding", CODINGS)
@pytest.mark.parametrize("junk", [b"x", b"more than a byte", b"\x00x"])
def test_nothing_may_follow_the_end(coding, junk):
    """Bytes after the end belong to something that was not understood."""
    with pytest.raises(Damaged, match="follow the end"):
        decode(CODINGS[coding](b"data") + junk, "gzip" if coding == "gzip" else "deflate", BOUNDS)


@given(parts=st.lists(st.binary(max_size=50), min_size=1, max_size=5), padding=st.integers(0, 9))
def test_members_one_after_the_other(parts, padding):
    """Several gzip members are one body, and zeros after it are padding."""
    body = b"".join(map(gzip.compress, parts)) + bytes(padding)
    assert decode(body, "gzip", BOUNDS) == b"".join(parts)


@given(
    data=st.binary(min_size=1, max_size=300),
    names=st.lists(st.sampled_from(["gzip", "deflate"]), min_size=1, max_size=3),
)
def test_encodings_on_top_of_each_other(data, names):
    """The last one named is undone first."""
    body = data
    for name in names:
        body = CODINGS[name](body)
    assert decode(body, ", ".join(names), BOUNDS) == data


@given(st.binary(max_size=200), st.sampled_from(["gzip", "deflate"]))
def test_any_bytes(body, name):
    """Whatever arrives, it is data or one of our errors."""
    try:
        decode(body, name, BOUNDS)
    except (Damaged, TooLarge):
        assume(True)


def test_bounds():
    """The size that counts is the inflated one, and the ratio counts beyond what is harmless."""
    bomb = gzip.compress(bytes(100_000))
    with pytest.raises(TooLarge):
        decode(bomb, "gzip", Bounds(inflated=99_999))
    with pytest.raises(TooLarge):
        decode(bomb, "gzip", Bounds(ratio=2, harmless=1000))
    assert len(decode(bomb, "gzip", Bounds(inflated=100_000))) == 100_000
    assert len(decode(bomb, "gzip", Bounds(ratio=2, harmless=100_000))) == 100_000


def test_members_share_the_bound():
    """A body can't get past it in pieces."""
    with pytest.raises(TooLarge):
        decode(gzip.compress(bytes(600)) * 2, "gzip", Bounds(inflated=1000))


@pytest.mark.parametrize("name", ["br", "zstd", "gzip, br", "gzip,gzip,gzip,gzip", "x" * 500])
def test_unknown_encodings(name):
    """They are named, shortened."""
    with pytest.raises(UnknownEncoding) as caught:
        decode(b"??", name, BOUNDS)
    assert len(str(caught.value)) < 120


@pytest.mark.parametrize("wrong", [{"wire": 0}, {"ratio": -1}, {"inflated": 1.5}])
def test_bounds_that_make_no_sense(wrong):
    """They are refused with their name."""
    with pytest.raises(InvalidArgument, match=next(iter(wrong))):
        Bounds(**wrong)
