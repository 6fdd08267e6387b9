"""Content encodings: a whole body in, a whole body out, or an error that says what is wrong.

A body is decompressed at once and must end where its encoding says that it ends. A decoder that is
fed piece by piece and stopped when the bytes run out gives a short body and no error; that is how
rows get lost without anyone noticing.
"""

from __future__ import annotations

import importlib.util
import zlib
from collections.abc import Callable
from typing import Any, Final

import attrs

from ..errors import InvalidArgument

__all__ = ["ACCEPT_ENCODING", "Bounds", "Damaged", "TooLarge", "UnknownEncoding", "decode"]

ACCEPT_ENCODING: Final = "gzip, deflate"

_GZIP: Final = 31
_ZLIB: Final = 15
_RAW: Final = -15
_GZIP_MAGIC: Final = b"\x1f\x8b"
_MOST_ENCODINGS: Final = 3


class Damaged(ValueError):
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
    inflated: int = attrs.field(default=1024 * 2**20, validator=_positive)
    ratio: int = attrs.field(default=300, validator=_positive)
    harmless: int = attrs.field(default=16 * 2**20, validator=_positive)

    def inflatable(self, wire: int) -> int:
        """How many bytes a body of so many bytes may inflate to."""
        return min(self.inflated, max(self.harmless, wire * self.ratio))


def _zlib() -> Any:
    """The zlib of the package isal, if it is installed: two and a half times as fast."""
    if importlib.util.find_spec("isal") is None:
        return zlib
    from isal import isal_zlib

    return isal_zlib


_inflater: Final[Any] = _zlib()
_ERRORS: Final = (zlib.error, _inflater.error)


def decode(body: bytes, content_encoding: str, bounds: Bounds) -> bytes:
    """Undo the encodings of a body.

    Args:
        body: The bytes as they came.
        content_encoding: The header, such as ``"gzip"``; ``""`` and ``"identity"`` change nothing.
        bounds: What the result must not exceed.

    Raises:
        Damaged: The body stops before its end, does not match its check sum, or goes on after its end.
        TooLarge: It passes the bounds.
        UnknownEncoding: It has an encoding that was not asked for.
    """
    names = [name.strip().lower() for name in content_encoding.split(",")]
    decoders = [_decoder(name) for name in reversed(names) if name not in ("", "identity")]
    if len(decoders) > _MOST_ENCODINGS:
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


def _inflate(body: bytes, most: int, wbits: int) -> tuple[bytes, bytes]:
    """One compressed stream off the front of the bytes: what it holds, and what follows it."""
    decompressor = _inflater.decompressobj(wbits=wbits)
    try:
        plain = decompressor.decompress(body, most + 1)
    except _ERRORS as error:
        raise Damaged(f"the compressed body is damaged ({error})") from error
    if len(plain) > most:
        raise TooLarge(f"the body inflates to more than {most} bytes")
    if not decompressor.eof:
        raise Damaged("the compressed body stops before its end", ended=True)
    return plain, decompressor.unused_data


def _gunzip(body: bytes, most: int) -> bytes:
    plain, rest = _inflate(body, most, _GZIP)
    if not rest:
        return plain
    parts = [plain]
    while rest.startswith(_GZIP_MAGIC):
        # Several members one after the other are one body (RFC 1952, 2.2).
        most -= len(plain)
        plain, rest = _inflate(rest, most, _GZIP)
        parts.append(plain)
    if rest.strip(b"\0"):
        raise Damaged(f"{len(rest)} bytes follow the end of the compressed body")
    return b"".join(parts)


def _undeflate(body: bytes, most: int) -> bytes:
    """RFC 9110 means the zlib format; some servers send bare deflate, which has no header."""
    looks_like_zlib = len(body) >= 2 and body[0] & 0x0F == 8 and int.from_bytes(body[:2], "big") % 31 == 0
    plain, rest = _inflate(body, most, _ZLIB if looks_like_zlib else _RAW)
    if rest:
        raise Damaged(f"{len(rest)} bytes follow the end of the compressed body")
    return plain


_DECODERS: Final[dict[str, Callable[[bytes, int], bytes]]] = {
    "gzip": _gunzip,
    "x-gzip": _gunzip,
    "deflate": _undeflate,
}
