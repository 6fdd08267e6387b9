r"""JSON with half characters, which Python's own ``json`` reads and msgspec refuses.

The problem: servers that cut a text within an emoji write one half of its surrogate pair, ``"Party \ud83d"``. For
Python that is a ``str`` with a lone surrogate. msgspec refuses the whole body for it: a page of ten thousand rows is
lost to one character.

The idea: in a body that was refused, each half is replaced by a mark with its four digits. The mark is drawn at
random when the process starts, so that no server can have written it. msgspec reads the marked body as fast as any,
and in the values the marks become half characters again. A body without halves costs nothing, and all else that
msgspec refuses (``NaN``, broken UTF-8) stays refused.
"""

from __future__ import annotations

import re
import secrets
from typing import Any, Final

import msgspec

__all__ = [
    "MARK",
    "decode_json",
    "encode_json",
    "encode_lines",
    "has_half",
    "mark_halves",
    "mark_values",
    "unmark_bytes",
    "unmark_values",
]

_TOKEN: Final = f"half-{secrets.token_hex(12)}-"
MARK: Final = _TOKEN.encode()
"""The bytes that marked JSON has where a half character stood."""

_ESCAPES: Final = re.compile(
    rb"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"  # a whole pair
    rb"|\\u(?P<escaped>[dD][89a-fA-F][0-9a-fA-F]{2})"
    rb"|\\."  # any other escape, so that the u of an escaped backslash (\\ud83d) is not taken for one
    rb"|(?P<encoded>\xed[\xa0-\xbf][\x80-\xbf])",  # UTF-8 that was made of the halves themselves
    re.DOTALL,
)
_MARKED: Final = re.compile(rf"{_TOKEN}([0-9a-f]{{4}})")
_MARKED_BYTES: Final = re.compile(_MARKED.pattern.encode())
_HALF: Final = re.compile("[\ud800-\udfff]")
_ANY: Final = msgspec.json.Decoder()
_ENCODER: Final = msgspec.json.Encoder()


def decode_json(body: bytes | msgspec.Raw, decoder: msgspec.json.Decoder[Any] = _ANY) -> Any:
    """Decode JSON; half characters become what Python's own ``json`` makes of them.

    Raises:
        msgspec.DecodeError: It is no JSON, or not of the decoder's type.
    """
    try:
        return decoder.decode(body)
    except msgspec.ValidationError:
        raise
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        marked = mark_halves(bytes(body))
        if marked is None:
            raise _decode_error(error) from None
    try:
        return unmark_values(decoder.decode(marked))
    except UnicodeDecodeError as error:
        raise _decode_error(error) from None


def _decode_error(error: Exception) -> msgspec.DecodeError:
    """Return the error that msgspec raises itself from 0.23 on, for broken UTF-8 too."""
    return (
        error
        if isinstance(error, msgspec.DecodeError)
        else msgspec.DecodeError("Invalid UTF-8 encoded string")
    )


def encode_json(value: Any, encoder: msgspec.json.Encoder = _ENCODER) -> bytes:
    r"""Encode values of JSON; half characters become escapes (``\ud83d``)."""
    try:
        return encoder.encode(value)
    except UnicodeEncodeError:
        return unmark_bytes(encoder.encode(mark_values(value)))


def encode_lines(rows: list[Any], encoder: msgspec.json.Encoder) -> bytes:
    r"""Encode rows as lines of JSON; half characters become escapes (``\ud83d``), in structs also after the call."""
    try:
        return encoder.encode_lines(rows)
    except UnicodeEncodeError:
        return unmark_bytes(encoder.encode_lines(mark_values(rows)))


def mark_halves(body: bytes) -> bytes | None:
    """Return a body with marks in place of half characters, or ``None`` if it has none."""
    marked = _ESCAPES.sub(_mark, body)
    return marked if MARK in marked else None


def _mark(match: re.Match[bytes]) -> bytes:
    if match["escaped"]:
        return MARK + match["escaped"].lower()
    if match["encoded"]:
        return MARK + b"%04x" % ord(match["encoded"].decode("utf-8", "surrogatepass"))
    return match[0]


def unmark_bytes(body: bytes) -> bytes:
    """Return marked JSON with escapes in place of the marks."""
    return _MARKED_BYTES.sub(rb"\\u\1", body) if MARK in body else body


def has_half(text: str) -> bool:
    """Return whether a text has half a character, which UTF-8 can't hold."""
    return _HALF.search(text) is not None


def mark_values(value: Any) -> Any:
    """Return values of JSON with marks in place of half characters."""
    return _replace_texts(value, lambda text: _HALF.sub(lambda match: f"{_TOKEN}{ord(match[0]):04x}", text))


def unmark_values(value: Any) -> Any:
    """Return decoded values with half characters in place of the marks; structs are changed in place."""
    return _replace_texts(value, lambda text: _MARKED.sub(lambda match: chr(int(match[1], 16)), text))


def _replace_texts(value: Any, replace: Any) -> Any:
    if isinstance(value, str):
        return replace(value)
    if isinstance(value, dict):
        return {_replace_texts(key, replace): _replace_texts(item, replace) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_replace_texts(item, replace) for item in value)
    if isinstance(value, msgspec.Raw):
        return msgspec.Raw(unmark_bytes(bytes(value)))
    if isinstance(value, msgspec.Struct):
        for name in value.__struct_fields__:
            msgspec.structs.force_setattr(value, name, _replace_texts(getattr(value, name), replace))
    return value
