"""The time that a call may take: the user's bounds, and the one moment that follows from them."""

from __future__ import annotations

import math
from typing import Any, Final

import attrs

from ..errors import InvalidArgument

__all__ = ["Deadline", "Timeout"]

_NUMBERS: Final = (int, float)


def _check_seconds(instance: Any, attribute: attrs.Attribute[Any], value: Any) -> None:
    if value is None:
        return
    if isinstance(value, bool) or not isinstance(value, _NUMBERS) or not value > 0:
        raise InvalidArgument(
            f"Timeout.{attribute.name} must be a number of seconds above 0, or None for no bound; got {value!r}."
        )


@attrs.frozen(kw_only=True)
class Timeout:
    """Bounds on the time of a call, in seconds; ``None`` is no bound.

    Attributes:
        total: The whole call: log-in, waiting for a slot, every attempt and every pause between them. For
            a call that streams it holds only if the call itself was given it, as the time for a file
            depends on its size; else silence is what ends it.
        connect: Opening one connection: name look-up, TCP and TLS.
        read: The longest silence while an answer is awaited or read.
    """

    total: float | None = attrs.field(default=60.0, validator=_check_seconds)
    connect: float | None = attrs.field(default=10.0, validator=_check_seconds)
    read: float | None = attrs.field(default=30.0, validator=_check_seconds)

    @classmethod
    def of(cls, value: float | Timeout | None, default: Timeout) -> Timeout:
        """Return the bounds that a ``timeout=`` argument means.

        Args:
            value: ``None`` for the default; a number of seconds bounds the whole call, and lifts the
                bound on silences, so that the number alone says how long to wait.
            default: The bounds that ``None`` stands for.

        Raises:
            InvalidArgument: The number is not above 0.
        """
        if value is None:
            return default
        if isinstance(value, Timeout):
            return value
        # "120" is meant to be 120 seconds, and not the 30 seconds of silence that the default allows.
        return cls(total=value, connect=default.connect, read=None)

    @property
    def silence(self) -> float | None:
        """The longest silence in a stream: ``read``, or where only the whole is bounded, that bound."""
        return self.total if self.read is None else self.read

    def for_upload(self) -> Timeout:
        """Return the bounds for a call whose body is sent as it is read."""
        return Timeout(total=None, connect=self.connect, read=self.silence)

    def for_download(self) -> Timeout:
        """Return the bounds for a call whose answer is read piece by piece; ``total`` is for its head."""
        return Timeout(total=self.total, connect=self.connect, read=self.silence)


@attrs.frozen
class Deadline:
    """The moment at which a call is over, on the clock of the event loop.

    Attributes:
        at: The moment; infinity for never.
    """

    at: float = math.inf

    @classmethod
    def after(cls, seconds: float | None, *, now: float) -> Deadline:
        """Return the deadline that many seconds from now."""
        return cls(math.inf if seconds is None else now + seconds)

    def remaining(self, *, now: float) -> float:
        """Return the seconds that remain, 0 when the call is over."""
        return max(0.0, self.at - now)
