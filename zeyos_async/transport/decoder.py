"""The decoder of compressed bodies, for whole ones and for those that are read piece by piece.

The problem: a decompressor that is fed piece by piece, and stopped when the bytes run out, returns a
short body and no error. Rows get lost that way without anyone noticing. And a small body may inflate to
gigabytes.

The idea: one :class:`_Layer` for each encoding of a body, which takes data and yields bounded pieces of
output, and which demands the end of its stream. A layer is in one of four states:

waiting for the head
    no stream has begun, or too few bytes came to tell which kind it is (deflate needs two).
inflating
    a stream is being read; it yields until it needs more input.
between streams
    a stream has ended. Another may begin where the encoding allows that (gzip, zstd); else nothing may
    follow.
in padding
    zeros came after a gzip stream; nothing but zeros may follow.

:class:`StreamDecoder` puts the layers of a body behind each other and counts what comes out of the last
one: a body that is read piece by piece is held by nobody, so that only its proportion is bounded.
:func:`decode_body` sends a whole body through the same layers one after the other, with an absolute bound
on each, and in one large piece where it can: joining many small ones would cost a second copy. A body
that inflates to much more than usual is measured first, without keeping any of it: finding out that it
is too large must not cost the memory that the bound is there to save.

Left out on purpose: encodings that were not asked for, more than three on top of each other, and
repairing a damaged body.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Any, Final

import attrs

from ..errors import InvalidArgument
from .inflaters import (
    HAS_BROTLI,
    HAS_ZSTD,
    INFLATE_ERRORS,
    Inflater,
    new_brotli_inflater,
    new_zlib_inflater,
    new_zstd_inflater,
)

__all__ = [
    "ACCEPT_ENCODING",
    "Bounds",
    "CorruptBody",
    "StreamDecoder",
    "TooLarge",
    "UnknownEncoding",
    "decode_body",
    "is_plain_encoding",
]

_MAX_ENCODINGS: Final = 3
_GZIP_BITS: Final = 31
_ZLIB_BITS: Final = 15
_RAW_DEFLATE_BITS: Final = -15
_GZIP_MAGIC: Final = b"\x1f\x8b"
_MAX_AT_ONCE: Final = 16 * 2**20
"""Inflated bytes up to which a whole body is inflated without being measured first."""
_MEASURED_PIECE: Final = 2**20
_STREAMED_PIECE: Final = 2**18


class CorruptBody(ValueError):
    """The bytes are not a whole body in this encoding."""


class TooLarge(ValueError):
    """The body inflates beyond its bound."""


class UnknownEncoding(ValueError):
    """The body has an encoding that was not asked for."""


def _check_positive(instance: Any, attribute: attrs.Attribute[Any], value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise InvalidArgument(f"Bounds.{attribute.name} must be a whole number from 1 on; got {value!r}.")


@attrs.frozen(kw_only=True)
class Bounds:
    """Bounds on the size of an answer.

    Attributes:
        wire: Bytes of the body as sent.
        inflated: Bytes of the body after decompression.
        ratio: How many times larger a body may get by decompression, beyond ``harmless``.
        harmless: Inflated bytes up to which the ratio does not matter.
    """

    wire: int = attrs.field(default=256 * 2**20, validator=_check_positive)
    inflated: int = attrs.field(default=512 * 2**20, validator=_check_positive)
    ratio: int = attrs.field(default=300, validator=_check_positive)
    harmless: int = attrs.field(default=16 * 2**20, validator=_check_positive)

    def max_in_proportion(self, wire_size: int) -> int:
        """Return how many inflated bytes are in proportion to so many bytes as sent."""
        return max(self.harmless, wire_size * self.ratio)

    def max_inflated(self, wire_size: int) -> int:
        """Return how many bytes a whole body of so many bytes may inflate to."""
        return min(self.inflated, self.max_in_proportion(wire_size))


# -- encodings -------------------------------------------------------------------------------------


@attrs.frozen
class _Encoding:
    """One content encoding.

    Attributes:
        new_inflater: Makes the inflater of a stream that begins with the given bytes.
        next_head: The first bytes of a further stream, ``b""`` for any; ``None`` if none may follow.
        allows_padding: Whether zeros may follow the last stream.
        head_size: The number of bytes that ``new_inflater`` must see.
    """

    new_inflater: Callable[[bytes], Inflater]
    next_head: bytes | None = None
    allows_padding: bool = False
    head_size: int = 1


def _new_deflate_inflater(head: bytes) -> Inflater:
    # RFC 9110 means the zlib format; some servers send bare deflate, which has no header.
    is_zlib = len(head) >= 2 and head[0] & 0x0F == 8 and int.from_bytes(head, "big") % 31 == 0
    return new_zlib_inflater(_ZLIB_BITS if is_zlib else _RAW_DEFLATE_BITS)


# Several gzip members (RFC 1952, 2.2) or zstd frames (RFC 8878, 3.1) one after the other are one body.
_GZIP: Final = _Encoding(lambda _: new_zlib_inflater(_GZIP_BITS), _GZIP_MAGIC, allows_padding=True)
_DEFLATE: Final = _Encoding(_new_deflate_inflater, head_size=2)
_BROTLI: Final = _Encoding(lambda _: new_brotli_inflater())
_ZSTD: Final = _Encoding(lambda _: new_zstd_inflater(), b"")

_ENCODINGS: Final[dict[str, _Encoding]] = {
    "gzip": _GZIP,
    "x-gzip": _GZIP,
    "deflate": _DEFLATE,
    **({"br": _BROTLI} if HAS_BROTLI else {}),
    **({"zstd": _ZSTD} if HAS_ZSTD else {}),
}

_PLAIN_NAMES: Final = frozenset(
    {"", "identity", "none", "null", "plain", "text", "binary", "8bit", "7bit", "unicode"}
)

ACCEPT_ENCODING: Final = ", ".join(name for name in _ENCODINGS if name != "x-gzip")


def _parse_encodings(content_encoding: str) -> list[_Encoding]:
    """Return the encodings of a body in the order in which they are undone: the last one named first."""
    names = [name.strip(" \t\"'").lower() for name in content_encoding.split(",")]
    encodings = [_find_encoding(name) for name in reversed(names) if not is_plain_encoding(name)]
    if len(encodings) > _MAX_ENCODINGS:
        raise UnknownEncoding(f"{len(encodings)} encodings on top of each other")
    return encodings


@functools.lru_cache(maxsize=64)
def is_plain_encoding(name: str) -> bool:
    """Return whether the name of a content encoding means none.

    Some servers write the charset of their text there, and gateways what they have left undone.
    """
    if name in _PLAIN_NAMES or name.startswith("charset="):
        return True
    try:
        "".encode(name)  # the codecs that compress are no encodings of text, and refused here
    except (LookupError, ValueError):
        return False
    return name not in _ENCODINGS


def _find_encoding(name: str) -> _Encoding:
    try:
        return _ENCODINGS[name]
    except KeyError:
        raise UnknownEncoding(f"the encoding {name[:40]!r}, which was not asked for") from None


# -- decoding --------------------------------------------------------------------------------------


class _Layer:
    """One encoding of one body that is being undone; see the module for its states.

    Args:
        encoding: The encoding.
        max_piece: About how many bytes go in and come out at a time.
    """

    __slots__ = ("_data", "_encoding", "_has_ended", "_in_padding", "_inflater", "_max_piece", "_position")

    def __init__(self, encoding: _Encoding, max_piece: int) -> None:
        self._encoding = encoding
        self._max_piece = max_piece
        self._inflater: Inflater | None = None
        self._has_ended = False
        self._in_padding = False
        self._data = memoryview(b"")
        self._position = 0

    def decode_all(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        """Yield the output of these pieces of the body."""
        for piece in pieces:
            yield from self.decode(piece)

    def decode(self, data: bytes) -> Iterator[bytes]:
        """Yield the output of the next part of the body."""
        if self._position < len(self._data):
            data = bytes(self._data[self._position :]) + data
        self._data, self._position = memoryview(data), 0
        while True:
            inflater = self._inflater or self._begin_stream()
            if inflater is None or (inflater.needs_input and self._position == len(self._data)):
                return
            yield self._inflate_piece(inflater)

    def finish(self) -> Iterator[bytes]:
        """Yield the output that is left when the body has ended, and demand the end of its last stream."""
        if self._inflater is None and self._position < len(self._data):
            self._inflater = self._encoding.new_inflater(self._read_head())
        while self._inflater is not None:
            yield self._inflate_piece(self._inflater)
        if not self._has_ended:
            raise _cut_short()

    def _begin_stream(self) -> Inflater | None:
        """Begin the stream at the present position, if there is one and its kind can be told yet."""
        if self._has_ended and self._position < len(self._data) and not self._may_begin_another():
            self._position = len(self._data)
        if len(self._data) - self._position >= self._encoding.head_size:
            self._inflater = self._encoding.new_inflater(self._read_head())
        return self._inflater

    def _may_begin_another(self) -> bool:
        """Return whether a further stream begins here, or raise if what is here is not padding either."""
        rest = self._data[self._position :]
        magic = self._encoding.next_head
        if magic is not None and not self._in_padding and rest[: len(magic)] == magic[: len(rest)]:
            return True
        if not self._encoding.allows_padding or bytes(rest).count(0) != len(rest):
            raise CorruptBody(f"{len(rest)} bytes follow the end of the compressed body")
        self._in_padding = True
        return False

    def _inflate_piece(self, inflater: Inflater) -> bytes:
        data = memoryview(b"")
        if inflater.needs_input:
            data = self._data[self._position : self._position + self._max_piece]
            self._position += len(data)
        try:
            piece = inflater.inflate(data, self._max_piece)
        except INFLATE_ERRORS as error:
            raise CorruptBody(f"the compressed body is damaged ({error})") from error
        if inflater.has_ended:
            # The stream may have ended before the data did: the rest is read again, as what follows it.
            self._position -= inflater.unused_size
            self._inflater, self._has_ended = None, True
        elif not piece and not data:
            raise _cut_short()  # it needs more input, and there is none
        return piece

    def _read_head(self) -> bytes:
        return bytes(self._data[self._position : self._position + self._encoding.head_size])


def _cut_short() -> CorruptBody:
    return CorruptBody("the compressed body stops before its end")


class StreamDecoder:
    """Decodes a body piece by piece, as it comes.

    How large it is in all does not matter, as nobody holds it; out of proportion it must not be.

    Args:
        content_encoding: The header ``Content-Encoding``, or an empty text.
        bounds: Of these, the ratio and the harmless size count.

    Raises:
        UnknownEncoding: The body has an encoding that was not asked for.
    """

    def __init__(self, content_encoding: str, bounds: Bounds) -> None:
        self._layers = [_Layer(encoding, _STREAMED_PIECE) for encoding in _parse_encodings(content_encoding)]
        self._bounds = bounds
        self._wire_size = 0
        self._inflated_size = 0

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Return the output of the next bytes of the body, a piece at a time.

        Raises:
            CorruptBody: They are not what the encoding says, or go on after its end.
            TooLarge: They inflate to too much.
        """
        self._wire_size += len(data)
        if not self._layers:
            return iter((data,))  # what is not compressed is in proportion
        return self._count(_chain(iter((data,)), self._layers))

    def finish(self) -> Iterator[bytes]:
        """Yield the output that is left when the body has ended.

        A body of which nothing came has no end to demand: answers to HEAD and those with status 304 name an
        encoding, too.

        Raises:
            CorruptBody: The encoding's own end did not come.
        """
        if self._wire_size:
            for index, layer in enumerate(self._layers):
                yield from self._count(_chain(layer.finish(), self._layers[index + 1 :]))

    def _count(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        for piece in pieces:
            self._inflated_size += len(piece)
            if self._inflated_size > self._bounds.max_in_proportion(self._wire_size):
                raise TooLarge(f"the body inflates to more than {self._bounds.ratio} times its size")
            if piece:
                yield piece


def _chain(pieces: Iterator[bytes], layers: list[_Layer]) -> Iterator[bytes]:
    for layer in layers:
        pieces = layer.decode_all(pieces)
    return pieces


def decode_body(body: bytes, content_encoding: str, bounds: Bounds) -> bytes:
    """Undo the encodings of a whole body.

    Args:
        body: The bytes as they came.
        content_encoding: The header, such as ``"gzip"``; ``""``, ``"identity"`` and charsets change nothing.
        bounds: The bounds on the result.

    Raises:
        CorruptBody: The body stops before its end, does not match its check sum, or goes on after its end.
        TooLarge: It passes the bounds.
        UnknownEncoding: It has an encoding that was not asked for.
    """
    encodings = _parse_encodings(content_encoding)
    max_size = bounds.max_inflated(len(body))
    for encoding in encodings:
        body = _decode_layer(body, encoding, max_size)
    return body


def _decode_layer(body: bytes, encoding: _Encoding, max_size: int) -> bytes:
    """Undo one encoding: at once if the result is of a common size, else after it was measured."""
    size = min(max_size, _MAX_AT_ONCE)
    try:
        return _join(_decode_whole(body, encoding, size + 1), size)
    except TooLarge:
        if max_size <= _MAX_AT_ONCE:
            raise
    # Each pass begins with a layer of its own, as an inflater can't be wound back.
    size = _measure(_decode_whole(body, encoding, _MEASURED_PIECE), max_size)
    return _join(_decode_whole(body, encoding, size + 1), max_size)


def _decode_whole(body: bytes, encoding: _Encoding, max_piece: int) -> Iterator[bytes]:
    layer = _Layer(encoding, max_piece)
    yield from layer.decode(body)
    yield from layer.finish()


def _measure(pieces: Iterator[bytes], max_size: int) -> int:
    size = 0
    for piece in pieces:
        if (size := size + len(piece)) > max_size:
            raise _too_large(max_size)
    return size


def _join(pieces: Iterator[bytes], max_size: int) -> bytes:
    parts: list[bytes] = []
    size = 0
    for piece in pieces:
        if (size := size + len(piece)) > max_size:
            raise _too_large(max_size)
        parts.append(piece)
    return parts[0] if len(parts) == 1 else b"".join(parts)


def _too_large(max_size: int) -> TooLarge:
    return TooLarge(f"the body inflates to more than {max_size} bytes")
