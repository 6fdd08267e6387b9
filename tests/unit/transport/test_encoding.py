"""Decompression: whole bodies in, whole bodies out, everything else an error."""

from __future__ import annotations

import gzip
import subprocess
import sys
import zlib

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from zeyos_async.errors import InvalidArgument
from zeyos_async.transport import encoding, inflaters
from zeyos_async.transport.encoding import Bounds, CorruptBody, TooLarge, UnknownEncoding, decode

BOUNDS = Bounds()


def raw_deflate(data: bytes) -> bytes:
    squeeze = zlib.compressobj(wbits=-15)
    return squeeze.compress(data) + squeeze.flush()


def brotli_compress(data: bytes) -> bytes:
    return pytest.importorskip("brotli").compress(data, quality=5)


def zstd_compress(data: bytes, **options: int) -> bytes:
    module = pytest.importorskip("compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd")
    named = {getattr(module.CompressionParameter, name): value for name, value in options.items()}
    return module.compress(data, options={module.CompressionParameter.checksum_flag: 1} | named)


CODINGS = {
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "raw": raw_deflate,
    "br": brotli_compress,
    "zstd": zstd_compress,
}
CHECKED = ("gzip", "deflate", "zstd")
"""The encodings with a check sum in them."""


def name_of(coding: str) -> str:
    return "deflate" if coding == "raw" else coding


@pytest.fixture(params=["isal", "zlib"], autouse=True)
def inflater(request, monkeypatch):
    """Both implementations, as isal is an extra."""
    module = zlib if request.param == "zlib" else pytest.importorskip("isal.isal_zlib")
    monkeypatch.setattr(inflaters, "_inflater", module)
    return module


@pytest.mark.parametrize("coding", CODINGS)
@pytest.mark.parametrize("data", [b"", b"x", b"text " * 1000, bytes(range(256)) * 50])
def test_round_trip(coding, data):
    """What was compressed comes back."""
    assert decode(CODINGS[coding](data), name_of(coding), BOUNDS) == data


@pytest.mark.parametrize("coding", CODINGS)
def test_no_cut_passes(coding):
    """Every proper prefix of a body is damaged."""
    body = CODINGS[coding](b"some rows, " * 40 + bytes(range(200)))
    for end in range(len(body)):
        with pytest.raises(CorruptBody):
            decode(body[:end], name_of(coding), BOUNDS)


@pytest.mark.parametrize("coding", CHECKED)
def test_no_flipped_bit_changes_the_data(coding):
    """A body with one wrong bit is refused, or decodes to the same data (a bit of the header)."""
    data = b"some rows, " * 20
    body = CODINGS[coding](data)
    for position in range(len(body) * 8):
        wrong = bytearray(body)
        wrong[position // 8] ^= 1 << position % 8
        try:
            assert decode(bytes(wrong), coding, BOUNDS) == data
        except (CorruptBody, TooLarge):
            continue


@pytest.mark.parametrize("coding", CODINGS)
@pytest.mark.parametrize("junk", [b"x", b"more than a byte", b"\x00x"])
def test_nothing_may_follow_the_end(coding, junk):
    """Bytes after the end belong to something that was not understood."""
    with pytest.raises(CorruptBody, match="damaged" if coding in ("br", "zstd") else "follow the end"):
        decode(CODINGS[coding](b"data") + junk, name_of(coding), BOUNDS)


@given(parts=st.lists(st.binary(max_size=50), min_size=1, max_size=5), padding=st.integers(0, 9))
def test_members_one_after_the_other(parts, padding):
    """Several gzip members are one body, and zeros after it are padding."""
    body = b"".join(map(gzip.compress, parts)) + bytes(padding)
    assert decode(body, "gzip", BOUNDS) == b"".join(parts)


@given(parts=st.lists(st.binary(max_size=50), min_size=1, max_size=5), skipped=st.binary(max_size=9))
def test_frames_one_after_the_other(parts, skipped):
    """Several zstd frames are one body, and those made to be skipped hold nothing."""
    skippable = (0x184D2A50).to_bytes(4, "little") + len(skipped).to_bytes(4, "little") + skipped
    assert decode(skippable.join(map(zstd_compress, parts)), "zstd", BOUNDS) == b"".join(parts)


def test_a_zstd_frame_that_wants_a_wide_window():
    """What the web allows is 8 MiB; more is refused before it is allocated."""
    assert len(decode(zstd_compress(bytes(2**24), window_log=23), "zstd", BOUNDS)) == 2**24
    with pytest.raises(CorruptBody, match="too much memory"):
        decode(zstd_compress(bytes(2**25), window_log=25), "zstd", BOUNDS)


@given(
    data=st.binary(min_size=1, max_size=300),
    names=st.lists(st.sampled_from(["gzip", "deflate", "br", "zstd"]), min_size=1, max_size=3),
)
def test_encodings_on_top_of_each_other(data, names):
    """The last one named is undone first."""
    body = data
    for name in names:
        body = CODINGS[name](body)
    assert decode(body, ", ".join(names), BOUNDS) == data


@given(st.binary(max_size=200), st.sampled_from(["gzip", "deflate", "br", "zstd"]))
def test_any_bytes(body, name):
    """Whatever arrives, it is data or one of our errors."""
    try:
        decode(body, name, BOUNDS)
    except (CorruptBody, TooLarge):
        assume(True)


@pytest.mark.parametrize("coding", CODINGS)
def test_bounds(coding):
    """The size that counts is the inflated one, and the ratio counts beyond what is harmless."""
    bomb, name = CODINGS[coding](bytes(100_000)), name_of(coding)
    with pytest.raises(TooLarge):
        decode(bomb, name, Bounds(inflated=99_999))
    with pytest.raises(TooLarge):
        decode(bomb, name, Bounds(ratio=2, harmless=1000))
    assert len(decode(bomb, name, Bounds(inflated=100_000))) == 100_000
    assert len(decode(bomb, name, Bounds(ratio=2, harmless=100_000))) == 100_000


@pytest.mark.parametrize("coding", CODINGS)
@pytest.mark.parametrize("most", [3_000_000, 3_000_001, 2_999_999])
def test_bodies_that_are_measured_first(coding, most, monkeypatch):
    """Those that inflate beyond what is done at once come out the same, or are refused, to the byte."""
    monkeypatch.setattr(encoding, "_AT_ONCE", 1_000_000)
    plain = bytes(range(256)) * 11_718 + bytes(192)
    body = CODINGS[coding](plain)
    bounds = Bounds(inflated=most, ratio=100_000)
    if most < len(plain):
        with pytest.raises(TooLarge, match=str(most)):
            decode(body, name_of(coding), bounds)
    else:
        assert decode(body, name_of(coding), bounds) == plain


@pytest.mark.parametrize("coding", ["gzip", "zstd"])
def test_members_share_the_bound(coding):
    """A body can't get past it in pieces."""
    with pytest.raises(TooLarge):
        decode(CODINGS[coding](bytes(600)) * 2, coding, Bounds(inflated=1000))


def test_rows_that_are_much_alike_are_no_bomb():
    """A large page of the most compressible honest rows stays within the default bounds."""
    row = (
        b'{"ID":%d,"name":null,"lastname":null,"visibility":0,"extdata":{},"tags":[],"'
        + b"x" * 400
        + b'":0},'
    )
    page = b"".join(row % number for number in range(50_000))
    for coding in ("gzip", "br", "zstd"):
        assert decode(CODINGS[coding](page), coding, BOUNDS) == page


@pytest.mark.parametrize(
    "name", ["compress", "aes128gcm", "gzip, lzma", "gzip,gzip,gzip,gzip", "x" * 500, "br;q=1"]
)
def test_unknown_encodings(name):
    """They are named, shortened."""
    with pytest.raises(UnknownEncoding) as caught:
        decode(b"??", name, BOUNDS)
    assert len(str(caught.value)) < 120


def test_extras_that_are_not_there_are_not_asked_for():
    """Without the packages of the extras only gzip and deflate are asked for, and taken."""
    code = """
import sys
sys.modules.update({"brotli": None, "backports.zstd": None, "compression.zstd": None, "isal": None})
from zeyos_async.transport import encoding
assert encoding.ACCEPT_ENCODING == "gzip, deflate", encoding.ACCEPT_ENCODING
for name in ("br", "zstd"):
    try:
        encoding.decode(b"?", name, encoding.Bounds())
    except encoding.UnknownEncoding:
        continue
    raise AssertionError(name)
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


@pytest.mark.parametrize("wrong", [{"wire": 0}, {"ratio": -1}, {"inflated": 1.5}])
def test_bounds_that_make_no_sense(wrong):
    """They are refused with their name."""
    with pytest.raises(InvalidArgument, match=next(iter(wrong))):
        Bounds(**wrong)
