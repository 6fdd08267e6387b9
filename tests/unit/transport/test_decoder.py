"""The decoder of compressed bodies: the same bytes and the same refusals, whole or piece by piece."""

from __future__ import annotations

import gzip
import subprocess
import sys
import zlib
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zeyos_async.errors import InvalidArgument
from zeyos_async.transport import decoder, inflaters
from zeyos_async.transport.decoder import (
    Bounds,
    CorruptBody,
    StreamDecoder,
    TooLarge,
    UnknownEncoding,
    decode_body,
)

BOUNDS = Bounds()
DATA = b"some rows, " * 40 + bytes(range(200))


def raw_deflate(data: bytes) -> bytes:
    compressor = zlib.compressobj(wbits=-15)
    return compressor.compress(data) + compressor.flush()


def brotli_compress(data: bytes) -> bytes:
    return pytest.importorskip("brotli").compress(data, quality=5)


def zstd_compress(data: bytes, **options: int) -> bytes:
    module = pytest.importorskip("compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd")
    named = {getattr(module.CompressionParameter, name): value for name, value in options.items()}
    return module.compress(data, options={module.CompressionParameter.checksum_flag: 1} | named)


COMPRESSORS = {
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "raw": raw_deflate,
    "br": brotli_compress,
    "zstd": zstd_compress,
}
CHECKED = ("gzip", "deflate", "zstd")
"""The encodings with a check sum in them."""


def header_of(coding: str) -> str:
    return "deflate" if coding == "raw" else coding


def decode_pieces(body: bytes, encoding: str, *cuts: int, bounds: Bounds | None = None) -> bytes:
    """Decode a body that is fed in pieces, cut at these places."""
    stream_decoder = StreamDecoder(encoding, bounds or Bounds())
    pieces: list[bytes] = []
    for start, end in pairwise([0, *sorted({min(cut, len(body)) for cut in cuts} - {0}), len(body)]):
        pieces += stream_decoder.feed(body[start:end])
    pieces += stream_decoder.finish()
    return b"".join(pieces)


def cuts_after_each_byte(body: bytes) -> range:
    return range(1, len(body))


@pytest.fixture(params=["isal", "zlib"], autouse=True)
def inflater(request, monkeypatch):
    """Both implementations, as isal is an extra."""
    module = zlib if request.param == "zlib" else pytest.importorskip("isal.isal_zlib")
    monkeypatch.setattr(inflaters, "_zlib_module", module)
    return module


@pytest.mark.parametrize("coding", COMPRESSORS)
@pytest.mark.parametrize("data", [b"", b"x", b"text " * 1000, bytes(range(256)) * 50])
def test_round_trip(coding, data):
    """What was compressed comes back."""
    assert decode_body(COMPRESSORS[coding](data), header_of(coding), BOUNDS) == data


@pytest.mark.parametrize("coding", COMPRESSORS)
def test_no_cut_passes(coding):
    """Every proper prefix of a body is damaged."""
    body = COMPRESSORS[coding](b"some rows, " * 40 + bytes(range(200)))
    for end in range(len(body)):
        with pytest.raises(CorruptBody):
            decode_body(body[:end], header_of(coding), BOUNDS)


@pytest.mark.parametrize("coding", CHECKED)
def test_no_flipped_bit_changes_the_data(coding):
    """A body with one wrong bit is refused, or decodes to the same data (a bit of the header)."""
    data = b"some rows, " * 20
    body = COMPRESSORS[coding](data)
    for position in range(len(body) * 8):
        wrong = bytearray(body)
        wrong[position // 8] ^= 1 << position % 8
        try:
            assert decode_body(bytes(wrong), coding, BOUNDS) == data
        except (CorruptBody, TooLarge):
            continue


@pytest.mark.parametrize("coding", COMPRESSORS)
@pytest.mark.parametrize("junk", [b"x", b"more than a byte", b"\x00x"])
def test_nothing_may_follow_the_end(coding, junk):
    """Bytes after the end belong to something that was not understood."""
    with pytest.raises(CorruptBody, match="damaged" if coding in ("br", "zstd") else "follow the end"):
        decode_body(COMPRESSORS[coding](b"data") + junk, header_of(coding), BOUNDS)


@given(parts=st.lists(st.binary(max_size=50), min_size=1, max_size=5), padding=st.integers(0, 9))
def test_members_one_after_the_other(parts, padding):
    """Several gzip members are one body, and zeros after it are padding."""
    body = b"".join(map(gzip.compress, parts)) + bytes(padding)
    assert decode_body(body, "gzip", BOUNDS) == b"".join(parts)


@given(parts=st.lists(st.binary(max_size=50), min_size=1, max_size=5), skipped=st.binary(max_size=9))
def test_frames_one_after_the_other(parts, skipped):
    """Several zstd frames are one body, and those made to be skipped hold nothing."""
    skippable = (0x184D2A50).to_bytes(4, "little") + len(skipped).to_bytes(4, "little") + skipped
    assert decode_body(skippable.join(map(zstd_compress, parts)), "zstd", BOUNDS) == b"".join(parts)


def test_a_zstd_frame_that_wants_a_wide_window():
    """What the web allows is 8 MiB; more is refused before it is allocated."""
    assert len(decode_body(zstd_compress(bytes(2**24), window_log=23), "zstd", BOUNDS)) == 2**24
    with pytest.raises(CorruptBody, match="too much memory"):
        decode_body(zstd_compress(bytes(2**25), window_log=25), "zstd", BOUNDS)


@given(
    data=st.binary(min_size=1, max_size=300),
    names=st.lists(st.sampled_from(["gzip", "deflate", "br", "zstd"]), min_size=1, max_size=3),
)
def test_encodings_on_top_of_each_other(data, names):
    """The last one named is undone first."""
    body = data
    for name in names:
        body = COMPRESSORS[name](body)
    assert decode_body(body, ", ".join(names), BOUNDS) == data


@given(st.binary(max_size=200), st.sampled_from(["gzip", "deflate", "br", "zstd"]))
def test_any_bytes(body, name):
    """Whatever arrives, it is data or one of our errors."""
    try:
        result: object = decode_body(body, name, BOUNDS)
    except (CorruptBody, TooLarge) as error:
        result = error
    assert isinstance(result, bytes | CorruptBody | TooLarge)
    assert body or not isinstance(result, bytes), "nothing is no whole stream of any encoding"


@pytest.mark.parametrize("coding", COMPRESSORS)
def test_bounds(coding):
    """The size that counts is the inflated one, and the ratio counts beyond what is harmless."""
    bomb, name = COMPRESSORS[coding](bytes(100_000)), header_of(coding)
    with pytest.raises(TooLarge):
        decode_body(bomb, name, Bounds(inflated=99_999))
    with pytest.raises(TooLarge):
        decode_body(bomb, name, Bounds(ratio=2, harmless=1000))
    assert len(decode_body(bomb, name, Bounds(inflated=100_000))) == 100_000
    assert len(decode_body(bomb, name, Bounds(ratio=2, harmless=100_000))) == 100_000


@pytest.mark.parametrize("coding", COMPRESSORS)
@pytest.mark.parametrize("most", [3_000_000, 3_000_001, 2_999_999])
def test_bodies_that_are_measured_first(coding, most, monkeypatch):
    """Those that inflate beyond what is done at once come out the same, or are refused, to the byte."""
    monkeypatch.setattr(decoder, "_MAX_AT_ONCE", 1_000_000)
    plain = bytes(range(256)) * 11_718 + bytes(192)
    body = COMPRESSORS[coding](plain)
    bounds = Bounds(inflated=most, ratio=100_000)
    if most < len(plain):
        with pytest.raises(TooLarge, match=str(most)):
            decode_body(body, header_of(coding), bounds)
    else:
        assert decode_body(body, header_of(coding), bounds) == plain


@pytest.mark.parametrize("coding", ["gzip", "zstd"])
def test_members_share_the_bound(coding):
    """A body can't get past it in pieces."""
    with pytest.raises(TooLarge):
        decode_body(COMPRESSORS[coding](bytes(600)) * 2, coding, Bounds(inflated=1000))


def test_rows_that_are_much_alike_are_no_bomb():
    """A large page of the most compressible honest rows stays within the default bounds."""
    row = (
        b'{"ID":%d,"name":null,"lastname":null,"visibility":0,"extdata":{},"tags":[],"'
        + b"x" * 400
        + b'":0},'
    )
    page = b"".join(row % number for number in range(50_000))
    for coding in ("gzip", "br", "zstd"):
        assert decode_body(COMPRESSORS[coding](page), coding, BOUNDS) == page


@pytest.mark.parametrize(
    "name", ["compress", "aes128gcm", "gzip, lzma", "gzip,gzip,gzip,gzip", "x" * 500, "br;q=1"]
)
def test_unknown_encodings(name):
    """They are named, shortened."""
    with pytest.raises(UnknownEncoding) as caught:
        decode_body(b"??", name, BOUNDS)
    assert len(str(caught.value)) < 120


def test_extras_that_are_not_there_are_not_asked_for():
    """Without the packages of the extras only gzip and deflate are asked for, and taken."""
    code = """
import sys
sys.modules.update({"brotli": None, "backports.zstd": None, "compression.zstd": None, "isal": None})
from zeyos_async.transport import decoder
assert decoder.ACCEPT_ENCODING == "gzip, deflate", decoder.ACCEPT_ENCODING
for name in ("br", "zstd"):
    try:
        decoder.decode_body(b"?", name, decoder.Bounds())
    except decoder.UnknownEncoding:
        continue
    raise AssertionError(name)
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


@pytest.mark.parametrize("wrong", [{"wire": 0}, {"ratio": -1}, {"inflated": 1.5}])
def test_bounds_that_make_no_sense(wrong):
    """They are refused with their name."""
    with pytest.raises(InvalidArgument, match=next(iter(wrong))):
        Bounds(**wrong)


# -- piece by piece ---------------------------------------------------------------------------------


@pytest.mark.parametrize("coding", COMPRESSORS)
@pytest.mark.parametrize("data", [b"", b"x", b"text " * 200, bytes(range(256)) * 10, bytes(700_000)])
def test_round_trip_in_pieces(coding, data):
    """At once, byte by byte, and in pieces."""
    body = COMPRESSORS[coding](data)
    assert decode_pieces(body, header_of(coding)) == data
    assert decode_pieces(body, header_of(coding), *cuts_after_each_byte(body)[:5000]) == data
    assert decode_pieces(body, header_of(coding), 3, len(body) // 2, len(body) - 1) == data


@pytest.mark.parametrize("coding", COMPRESSORS)
def test_no_cut_passes_in_pieces(coding):
    """Every proper prefix of a body but the empty one is damaged, however it is fed."""
    body = COMPRESSORS[coding](DATA)
    for end in range(1, len(body)):
        with pytest.raises(CorruptBody):
            decode_pieces(body[:end], header_of(coding), end // 2)


@pytest.mark.parametrize("coding", ["gzip", "deflate", "raw", "br"])
@pytest.mark.parametrize("separate", [True, False])
def test_nothing_may_follow_the_end_in_pieces(coding, separate):
    """Neither in the piece in which the body ends nor in a later one."""
    body = COMPRESSORS[coding](DATA)
    with pytest.raises(CorruptBody):
        decode_pieces(body + b"xyz", header_of(coding), *([len(body)] if separate else []))


@pytest.mark.parametrize("tail", [b"", b"\x00" * 7])
def test_gzip_members_in_pieces_are_one_body(tail):
    """One after the other, and zeros behind the last (RFC 1952); wherever the pieces end."""
    body = gzip.compress(b"one ") + gzip.compress(b"") + gzip.compress(b"two") + tail
    assert (
        decode_pieces(body, "gzip") == decode_pieces(body, "gzip", *cuts_after_each_byte(body)) == b"one two"
    )


def test_zstd_frames_in_pieces_are_one_body():
    """One after the other (RFC 8878)."""
    body = zstd_compress(b"one ") + zstd_compress(b"two")
    assert (
        decode_pieces(body, "zstd") == decode_pieces(body, "zstd", *cuts_after_each_byte(body)) == b"one two"
    )


def test_encodings_on_top_of_each_other_in_pieces():
    """The last in the header is the outermost."""
    body = gzip.compress(zlib.compress(DATA))
    assert decode_pieces(body, "deflate, gzip", *cuts_after_each_byte(body)) == DATA
    with pytest.raises(CorruptBody):
        decode_pieces(gzip.compress(zlib.compress(DATA)[:-1]), "deflate, gzip")
    with pytest.raises(UnknownEncoding, match="on top"):
        StreamDecoder("gzip, gzip, gzip, gzip", Bounds())


def test_unknown_encodings_are_refused_before_the_body():
    """An encoding that nobody knows."""
    with pytest.raises(UnknownEncoding, match="'compress'"):
        StreamDecoder("compress", Bounds())


def test_a_body_without_encoding_is_as_it_came():
    """Also an empty one, and one that says that it has none."""
    assert decode_pieces(DATA, "", 10) == decode_pieces(DATA, "identity") == DATA
    assert decode_pieces(b"", "gzip") == b""


@pytest.mark.parametrize("coding", COMPRESSORS)
def test_bombs_in_pieces_end_early(coding):
    """Nothing that inflates out of proportion; found before much of it was given out."""
    bomb = COMPRESSORS[coding](bytes(40 * 2**20))
    stream_decoder = StreamDecoder(header_of(coding), Bounds(ratio=20, harmless=2**20))
    sizes: list[int] = []

    def inflate():
        for start in range(0, len(bomb), 1000):
            sizes.extend(len(piece) for piece in stream_decoder.feed(bomb[start : start + 1000]))

    with pytest.raises(TooLarge, match="20 times"):
        inflate()
    assert sum(sizes) <= 2**20 + 20 * len(bomb)


@pytest.mark.parametrize("coding", COMPRESSORS)
def test_decoded_pieces_are_bounded(coding):
    """A small piece of the body may hold much: it comes out little by little."""
    body = COMPRESSORS[coding](bytes(4 * 2**20))
    stream_decoder = StreamDecoder(header_of(coding), Bounds())
    sizes = [len(piece) for piece in (*stream_decoder.feed(body), *stream_decoder.finish())]
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
    body = COMPRESSORS[coding](data)
    if damage is not None:
        place, other = damage
        body = body[:place] + other + body[place + 1 :]

    def outcome(decode):
        try:
            return decode()
        except CorruptBody:
            return "damaged"

    if body:
        whole = outcome(lambda: decode_body(body, header_of(coding), Bounds()))
        assert outcome(lambda: decode_pieces(body, header_of(coding), *cuts)) == whole
