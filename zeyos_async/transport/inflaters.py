"""Decompressors behind one interface: data in, a bounded piece out, and whether the end was reached.

gzip and deflate are always there, by the package isal where it is installed (two and a half times as
fast), by zlib where it is not. brotli and zstd are extras: without their packages the library does not
announce them to servers.
"""

from __future__ import annotations

import importlib.util
import sys
import zlib
from types import ModuleType
from typing import Any, Final, Protocol

__all__ = [
    "HAS_BROTLI",
    "HAS_ZSTD",
    "INFLATE_ERRORS",
    "Inflater",
    "new_brotli_inflater",
    "new_zlib_inflater",
    "new_zstd_inflater",
]

_MAX_ZSTD_WINDOW: Final = 23
"""8 MiB, the most that RFC 9659 allows on the web; a frame may ask for gigabytes."""
_MAX_BROTLI_PIECE: Final = 2**20


class Inflater(Protocol):
    """One compressed stream that is being read."""

    @property
    def has_ended(self) -> bool:
        """Whether the stream's own end was reached."""
        ...

    @property
    def needs_input(self) -> bool:
        """Whether more data is needed; if not, there is more output of the data so far."""
        ...

    @property
    def unused_size(self) -> int:
        """The number of bytes of the last data that lie behind the stream's end."""
        ...

    def inflate(self, data: bytes | memoryview, max_size: int) -> bytes:
        """Take data and return what is ready of the output, about ``max_size`` bytes at most."""
        ...


def _load_zlib() -> Any:
    if importlib.util.find_spec("isal") is None:
        return zlib
    from isal import isal_zlib

    return isal_zlib


def _load_brotli() -> ModuleType | None:
    try:
        import brotli  # type: ignore[import-untyped, import-not-found, unused-ignore]
    except ImportError:
        return None
    # Before version 1.2 nothing bounds the output of one call: a bomb would be inflated at once.
    return brotli if hasattr(brotli.Decompressor, "can_accept_more_data") else None


def _load_zstd() -> ModuleType | None:
    try:
        if sys.version_info >= (3, 14):
            from compression import zstd
        else:
            from backports import zstd
    except ImportError:
        return None
    return zstd


_zlib_module: Final[Any] = _load_zlib()
_brotli: Final[Any] = _load_brotli()
_zstd: Final[Any] = _load_zstd()

HAS_BROTLI: Final = _brotli is not None
HAS_ZSTD: Final = _zstd is not None
INFLATE_ERRORS: Final[tuple[type[Exception], ...]] = (
    zlib.error,
    _zlib_module.error,
    *((_brotli.error,) if HAS_BROTLI else ()),
    *((_zstd.ZstdError,) if HAS_ZSTD else ()),
)
"""The errors of :meth:`Inflater.inflate` for bytes that make no sense."""


def new_zlib_inflater(wbits: int) -> Inflater:
    """Return an inflater of gzip, zlib or bare deflate, as ``wbits`` says (see :func:`zlib.decompressobj`)."""
    return _ZlibInflater(wbits)


def new_brotli_inflater() -> Inflater:
    """Return an inflater of brotli; only with ``HAS_BROTLI``."""
    return _BrotliInflater()


def new_zstd_inflater() -> Inflater:
    """Return an inflater of one zstd frame; only with ``HAS_ZSTD``."""
    return _ZstdInflater()


class _ZlibInflater:
    __slots__ = ("_stream",)

    def __init__(self, wbits: int) -> None:
        self._stream = _zlib_module.decompressobj(wbits=wbits)

    @property
    def has_ended(self) -> bool:
        return bool(self._stream.eof)

    @property
    def needs_input(self) -> bool:
        return not self._stream.unconsumed_tail

    @property
    def unused_size(self) -> int:
        return len(self._stream.unused_data)

    def inflate(self, data: bytes | memoryview, max_size: int) -> bytes:
        piece: bytes = self._stream.decompress(self._stream.unconsumed_tail or data, max_size)
        return piece


class _BrotliInflater:
    __slots__ = ("_stream",)

    def __init__(self) -> None:
        self._stream: Any = _brotli.Decompressor()

    @property
    def has_ended(self) -> bool:
        return bool(self._stream.is_finished())

    @property
    def needs_input(self) -> bool:
        return bool(self._stream.can_accept_more_data())

    @property
    def unused_size(self) -> int:
        return 0  # data behind the end is refused by brotli itself

    def inflate(self, data: bytes | memoryview, max_size: int) -> bytes:
        # brotli's limit is a soft one, and the larger it is the further it is exceeded: small pieces keep to it.
        piece: bytes = self._stream.process(data, output_buffer_limit=min(max_size, _MAX_BROTLI_PIECE))
        return piece


class _ZstdInflater:
    __slots__ = ("_stream",)

    def __init__(self) -> None:
        options = {_zstd.DecompressionParameter.window_log_max: _MAX_ZSTD_WINDOW}
        self._stream = _zstd.ZstdDecompressor(options=options)

    @property
    def has_ended(self) -> bool:
        return bool(self._stream.eof)

    @property
    def needs_input(self) -> bool:
        return bool(self._stream.needs_input)

    @property
    def unused_size(self) -> int:
        return len(self._stream.unused_data)

    def inflate(self, data: bytes | memoryview, max_size: int) -> bytes:
        piece: bytes = self._stream.decompress(data, max_size)
        return piece
