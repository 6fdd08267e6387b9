"""Content encodings: a whole body in, a whole body out, or an error that says what is wrong.

A body must end where its encoding says that it ends. A decoder that is fed piece by piece and stopped
when the bytes run out gives a short body and no error; that is how rows get lost without anyone
noticing.

A body that inflates to much more than usual is measured first, a piece at a time and without keeping
any, and inflated for good only if it fits: finding out that it does not must not cost the memory that
the bound is there to save.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final, TypeAlias

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
    "GZIP",
    "MOST_ENCODINGS",
    "Bounds",
    "CorruptBody",
    "TooLarge",
    "UnknownEncoding",
    "decode",
    "deflate_bits",
]

GZIP: Final = 31
MOST_ENCODINGS: Final = 3
_ZLIB: Final = 15
_RAW: Final = -15
_GZIP_MAGIC: Final = b"\x1f\x8b"
_AT_ONCE: Final = 16 * 2**20
_PIECE: Final = 2**20

Goes: TypeAlias = Callable[[bytes, int], bool]
"""Whether another stream begins at this place of the body; raises if something else is there."""


class CorruptBody(ValueError):
    """The bytes are not a whole body in this encoding; ``ended`` tells if they only stop too early."""

    def __init__(self, message: str, *, ended: bool = False) -> None:
        self.ended = ended
        super().__init__(message)


class TooLarge(ValueError):
    """The body inflates beyond its bound."""


class UnknownEncoding(ValueError):
    """The body has an encoding that was not asked for."""


def _positive(instance: Any, attribute: attrs.Attribute[Any], value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise InvalidArgument(f"Bounds.{attribute.name} must be a whole number from 1 on; got {value!r}.")


@attrs.frozen(kw_only=True)
class Bounds:
    """How large an answer may be.

    Attributes:
        wire: Bytes of the body as sent.
        inflated: Bytes of the body after decompression.
        ratio: How many times larger a body may get by decompression, beyond ``harmless``.
        harmless: Inflated bytes up to which the ratio does not matter.
    """

    wire: int = attrs.field(default=256 * 2**20, validator=_positive)
    inflated: int = attrs.field(default=512 * 2**20, validator=_positive)
    ratio: int = attrs.field(default=300, validator=_positive)
    harmless: int = attrs.field(default=16 * 2**20, validator=_positive)

    def inflatable(self, wire: int) -> int:
        """How many bytes a body of so many bytes may inflate to."""
        return min(self.inflated, max(self.harmless, wire * self.ratio))


def decode(body: bytes, content_encoding: str, bounds: Bounds) -> bytes:
    """Undo the encodings of a body.

    Args:
        body: The bytes as they came.
        content_encoding: The header, such as ``"gzip"``; ``""`` and ``"identity"`` change nothing.
        bounds: What the result must not exceed.

    Raises:
        CorruptBody: The body stops before its end, does not match its check sum, or goes on after its end.
        TooLarge: It passes the bounds.
        UnknownEncoding: It has an encoding that was not asked for.
    """
    names = [name.strip().lower() for name in content_encoding.split(",")]
    decoders = [_decoder(name) for name in reversed(names) if name not in ("", "identity")]
    if len(decoders) > MOST_ENCODINGS:
        raise UnknownEncoding(f"{len(decoders)} encodings on top of each other")
    most = bounds.inflatable(len(body))
    for step in decoders:
        body = step(body, most)
    return body


def _decoder(name: str) -> Callable[[bytes, int], bytes]:
    try:
        return _DECODERS[name]
    except KeyError:
        raise UnknownEncoding(f"the encoding {name[:40]!r}, which was not asked for") from None


def _inflate(body: bytes, most: int, stream: Callable[[], Inflater], goes_on: Goes) -> bytes:
    """The body inflated, at once if it is of a common size, else after it was measured."""
    try:
        return _joined(_pieces(body, min(most, _AT_ONCE) + 1, stream, goes_on), min(most, _AT_ONCE))
    except TooLarge:
        if most <= _AT_ONCE:
            raise
    size = 0
    for piece in _pieces(body, _PIECE, stream, goes_on):
        if (size := size + len(piece)) > most:
            raise _too_large(most)
    return _joined(_pieces(body, size + 1, stream, goes_on), most)


def _joined(pieces: Iterator[bytes], most: int) -> bytes:
    parts: list[bytes] = []
    size = 0
    for part in pieces:
        size += len(part)
        if size > most:
            raise _too_large(most)
        parts.append(part)
    return parts[0] if len(parts) == 1 else b"".join(parts)


def _too_large(most: int) -> TooLarge:
    return TooLarge(f"the body inflates to more than {most} bytes")


def _pieces(body: bytes, size: int, new: Callable[[], Inflater], goes_on: Goes) -> Iterator[bytes]:
    """What the body holds, in pieces of about this size at most; every stream must come to its end."""
    at = 0
    view = memoryview(body)
    while True:
        stream = new()
        while not stream.has_ended:
            data = view[at : at + size] if stream.needs_input else b""
            at += len(data)
            try:
                piece = stream.inflate(data, size)
            except INFLATE_ERRORS as error:
                raise CorruptBody(f"the compressed body is damaged ({error})") from error
            if not piece and not data and not stream.has_ended:
                raise CorruptBody("the compressed body stops before its end", ended=True)
            yield piece
        at -= stream.unused_size
        if at == len(body) or not goes_on(body, at):
            return


def _nothing_follows(body: bytes, at: int) -> bool:
    raise CorruptBody(f"{len(body) - at} bytes follow the end of the compressed body")


def _member_follows(body: bytes, at: int) -> bool:
    """Several gzip members one after the other are one body (RFC 1952, 2.2); zeros are padding."""
    if body.startswith(_GZIP_MAGIC, at):
        return True
    return body.count(0, at) != len(body) - at and _nothing_follows(body, at)


def _gunzip(body: bytes, most: int) -> bytes:
    return _inflate(body, most, lambda: new_zlib_inflater(GZIP), _member_follows)


def _undeflate(body: bytes, most: int) -> bytes:
    return _inflate(body, most, lambda: new_zlib_inflater(deflate_bits(body)), _nothing_follows)


def deflate_bits(body: bytes) -> int:
    """What a body of the encoding deflate is, as zlib counts it by its first two bytes.

    RFC 9110 means the zlib format; some servers send bare deflate, which has no header.
    """
    looks_like_zlib = len(body) >= 2 and body[0] & 0x0F == 8 and int.from_bytes(body[:2], "big") % 31 == 0
    return _ZLIB if looks_like_zlib else _RAW


def _unbrotli(body: bytes, most: int) -> bytes:
    return _inflate(body, most, new_brotli_inflater, _nothing_follows)


def _unzstd(body: bytes, most: int) -> bytes:
    """Several frames one after the other are one body (RFC 8878, 3.1)."""
    return _inflate(body, most, new_zstd_inflater, lambda body, at: True)


_DECODERS: Final[dict[str, Callable[[bytes, int], bytes]]] = {
    "gzip": _gunzip,
    "x-gzip": _gunzip,
    "deflate": _undeflate,
    **({"br": _unbrotli} if HAS_BROTLI else {}),
    **({"zstd": _unzstd} if HAS_ZSTD else {}),
}

ACCEPT_ENCODING: Final = ", ".join(name for name in _DECODERS if name != "x-gzip")
