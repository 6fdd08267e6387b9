"""Secret texts, which print as ``***`` wherever they turn up."""

from __future__ import annotations

import hmac
from typing import Any, Final

from .errors import ConfigurationError

__all__ = ["MASK", "Secret", "redact"]

MASK: Final = "***"
_MIN_REDACTED: Final = 4


class Secret:
    """A text that only :meth:`reveal` shows.

    ``repr``, ``str`` and formatting give ``***``; a pickle carries nothing, and the secret that comes
    out of it says so when it is revealed. Two secrets are equal when their texts are.

    Args:
        value: The text, or another secret.
    """

    __slots__ = ("_value",)

    def __init__(self, value: str | Secret) -> None:
        self._value: str | None = value.reveal() if isinstance(value, Secret) else value

    def reveal(self) -> str:
        """Return the text itself.

        Raises:
            ConfigurationError: The secret went through a pickle, which does not carry it.
        """
        if self._value is None:
            raise ConfigurationError(
                "This secret was pickled, and pickles do not carry secrets. "
                "Give the credential again in the process that uses it."
            )
        return self._value

    def __bool__(self) -> bool:
        return bool(self._value)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        mine, theirs = self._value or "", other._value or ""
        # In a time that does not depend on where they differ, as that could be measured from outside.
        return hmac.compare_digest(
            mine.encode("utf-8", "surrogatepass"), theirs.encode("utf-8", "surrogatepass")
        )

    def __hash__(self) -> int:
        return hash(self._value)

    def __repr__(self) -> str:
        return MASK

    def __str__(self) -> str:
        return MASK

    def __format__(self, spec: str) -> str:
        return format(MASK, spec)

    def __copy__(self) -> Secret:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Secret:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return _unpickled_secret, ()


def _unpickled_secret() -> Secret:
    """Return a secret that says, when it is revealed, that pickles don't carry secrets."""
    secret = Secret("")
    secret._value = None
    return secret


def redact(text: str, *secrets: Secret | None) -> str:
    """Replace every secret in a text by ``***``, and return the result.

    Secrets of less than four characters are left alone: hiding every "a" makes a text unreadable and
    tells the secret by what is missing.
    """
    for secret in secrets:
        value = secret.reveal() if secret else ""
        if len(value) >= _MIN_REDACTED:
            text = text.replace(value, MASK)
    return text
