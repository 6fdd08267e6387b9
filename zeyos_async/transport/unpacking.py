"""Content encodings of a body that is read piece by piece.

The same demands as for whole bodies (:mod:`~zeyos_async.transport.encoding`): the body must end where its
encoding says that it ends, and must not inflate out of all proportion. How large it is in all does not
matter here, as nobody holds it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from .encoding import GZIP, MOST_ENCODINGS, Bounds, CorruptBody, TooLarge, UnknownEncoding, deflate_bits
from .inflaters import (
    HAS_BROTLI,
    HAS_ZSTD,
    INFLATE_ERRORS,
    Inflater,
    new_brotli_inflater,
    new_zlib_inflater,
    new_zstd_inflater,
)

__all__ = ["StreamDecoder"]

_PIECE: Final = 2**18


class StreamDecoder:
    """Decodes a body as it comes.

    Args:
        content_encoding: The header ``Content-Encoding``, or an empty text.
        bounds: Of these, the ratio and what is harmless.

    Raises:
        UnknownEncoding: The body has an encoding that was not asked for.
    """

    def __init__(self, content_encoding: str, bounds: Bounds) -> None:
        names = [name.strip().lower() for name in content_encoding.split(",")]
        self._layers = [_layer(name) for name in reversed(names) if name not in ("", "identity")]
        if len(self._layers) > MOST_ENCODINGS:
            raise UnknownEncoding(f"{len(self._layers)} encodings on top of each other")
        self._bounds = bounds
        self._came = 0
        self._gave = 0

    def feed(self, data: bytes) -> Iterator[bytes]:
        """What these bytes of the body hold, a piece at a time.

        Raises:
            CorruptBody: They are not what the encoding says, or go on after its end.
            TooLarge: They inflate to too much.
        """
        self._came += len(data)
        if not self._layers:
            return iter((data,))
        return self._counted(_through(iter((data,)), self._layers))

    def finish(self) -> Iterator[bytes]:
        """What is left when the body has ended; there is nothing to end if nothing came.

        Raises:
            CorruptBody: The encoding's own end did not come.
        """
        if self._came:
            for at, layer in enumerate(self._layers):
                yield from self._counted(_through(layer.finish(), self._layers[at + 1 :]))

    def _counted(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        for piece in pieces:
            self._gave += len(piece)
            if self._gave > max(self._bounds.harmless, self._came * self._bounds.ratio):
                raise TooLarge(f"the body inflates to more than {self._bounds.ratio} times its size")
            if piece:
                yield piece


def _through(pieces: Iterator[bytes], layers: list[_Layer]) -> Iterator[bytes]:
    for layer in layers:
        pieces = layer.feed_all(pieces)
    return pieces


class _Layer:
    """One encoding: a stream, or several one after the other.

    Args:
        new: Makes a stream that begins with the given bytes.
        another: Whether a further stream begins with the given bytes; raises if something else does.
        head: How many bytes ``new`` must see.
    """

    def __init__(
        self, new: Callable[[bytes], Inflater], another: Callable[[bytes], bool], *, head: int = 1
    ) -> None:
        self._new = new
        self._another = another
        self._head = head
        self._stream: Inflater | None = None
        self._ended = False
        self._given = b""
        self._kept = b""

    def feed_all(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        for piece in pieces:
            yield from self.feed(piece)

    def feed(self, data: bytes) -> Iterator[bytes]:
        self._kept += data
        while True:
            stream = self._stream or self._next()
            if stream is None or (stream.needs_input and not self._kept):
                return
            yield self._step(stream)

    def _next(self) -> Inflater | None:
        """The stream that begins here, if there is one and it can be told yet."""
        if self._ended and self._kept and not self._another(self._kept):
            self._kept = b""
        if len(self._kept) >= self._head or (self._ended and self._kept):
            self._stream = self._new(self._kept)
        return self._stream

    def _step(self, stream: Inflater) -> bytes:
        data = b""
        if stream.needs_input:
            self._given = data = self._kept[:_PIECE]
            self._kept = self._kept[_PIECE:]
        try:
            piece = stream.inflate(data, _PIECE)
        except INFLATE_ERRORS as error:
            raise CorruptBody(f"the compressed body is damaged ({error})") from error
        if stream.has_ended:
            self._kept = self._given[len(self._given) - stream.unused_size :] + self._kept
            self._stream, self._ended = None, True
        elif not piece and not data:
            raise _cut()
        return piece

    def finish(self) -> Iterator[bytes]:
        if self._stream is None and self._kept:
            self._stream = self._new(self._kept)
        while self._stream is not None:
            yield self._step(self._stream)
        if not self._ended:
            raise _cut()


def _cut() -> CorruptBody:
    return CorruptBody("the compressed body stops before its end", ended=True)


def _nothing(data: bytes) -> bool:
    raise CorruptBody("bytes follow the end of the compressed body")


def _member(data: bytes) -> bool:
    """A gzip member may follow (RFC 1952, 2.2); zeros are padding."""
    return any(data) and (data[0] == 0x1F or _nothing(data))


def _gzip() -> _Layer:
    return _Layer(lambda _: new_zlib_inflater(GZIP), _member)


def _deflate() -> _Layer:
    return _Layer(lambda head: new_zlib_inflater(deflate_bits(head)), _nothing, head=2)


_LAYERS: Final[dict[str, Callable[[], _Layer]]] = {
    "gzip": _gzip,
    "x-gzip": _gzip,
    "deflate": _deflate,
    **({"br": lambda: _Layer(lambda _: new_brotli_inflater(), _nothing)} if HAS_BROTLI else {}),
    **({"zstd": lambda: _Layer(lambda _: new_zstd_inflater(), lambda _: True)} if HAS_ZSTD else {}),
}


def _layer(name: str) -> _Layer:
    try:
        return _LAYERS[name]()
    except KeyError:
        raise UnknownEncoding(f"the encoding {name[:40]!r}, which was not asked for") from None
