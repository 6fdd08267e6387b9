"""The old place of :class:`~zeyos_async.transport.decoder.Bounds`, which moved to ``transport.decoder``."""

from __future__ import annotations

import warnings
from typing import Any

from . import decoder

_MOVED = {
    "ACCEPT_ENCODING": "ACCEPT_ENCODING",
    "Bounds": "Bounds",
    "CorruptBody": "CorruptBody",
    "TooLarge": "TooLarge",
    "UnknownEncoding": "UnknownEncoding",
    "decode": "decode_body",
}


def __getattr__(name: str) -> Any:
    if name not in _MOVED:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    warnings.warn(
        f"{__name__}.{name} is now {decoder.__name__}.{_MOVED[name]}", DeprecationWarning, stacklevel=2
    )
    return getattr(decoder, _MOVED[name])
