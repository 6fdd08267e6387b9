r"""Addresses made of what a user gave: the server reads exactly that, or nothing is sent.

The problem: the address library drops half characters and cuts fractions without a word. A request for
contact ``"3\ud83d"`` reads contact 3, and ``Decimal("1.50")`` is sent as 1. What it can't take at all ends in an
error of its own.

The idea: nothing of a user's goes into an address but through the functions here. They turn numbers into
text that says the same, and refuse what no address can hold.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final, TypeAlias
from urllib.parse import unquote

from yarl import URL

from .errors import ConfigurationError, InvalidArgument, quote_value
from .wire import public_url

__all__ = [
    "Query",
    "add_query",
    "add_segments",
    "check_path",
    "check_text",
    "has_host",
    "is_sendable",
    "parse_address",
    "set_query",
]

Query: TypeAlias = "Mapping[str, Any] | Sequence[tuple[str, Any]]"
"""Parameters: texts and numbers by their names, a list of them for a name that is repeated."""

_LINE_BREAKS: Final = re.compile(r"[\r\n\x00]")
_MAX_DIGITS: Final = 4_300
"""Digits that a number may have: as many as Python writes out of a whole one."""
_MAX_HOST: Final = 253
"""Characters of a host name (RFC 1035, 2.3.4, without the last dot)."""
_NOT_IN_ADDRESSES: Final = re.compile("[\\s\x00-\x1f\x7f\ud800-\udfff]")


def is_sendable(text: str) -> bool:
    """Return whether a text can be sent as UTF-8: it holds no half of a character."""
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def check_text(text: str, what: str) -> str:
    """Return a text that can be sent; an error shows it, so that it must be no secret.

    Raises:
        InvalidArgument: It holds half a character; nothing was sent.
    """
    if not is_sendable(text):
        raise InvalidArgument(
            f"{what}: {text!a:.80} holds half a character, which can't be sent; nothing was sent."
        )
    return text


def check_path(text: str, what: str) -> str:
    """Return a text that can be a part of a path.

    Raises:
        InvalidArgument: It holds half a character, a line break or a NUL; nothing was sent.
    """
    if not isinstance(text, str):
        raise InvalidArgument(f"{what} takes a text, not {quote_value(text)}; nothing was sent.")
    if _LINE_BREAKS.search(text):
        raise InvalidArgument(f"{what}: {text!a:.80} holds a line break or a NUL; nothing was sent.")
    return check_text(text, what)


def add_segments(url: URL, *segments: str) -> URL:
    """Return the URL of a path below another one; what has a meaning in addresses is quoted.

    Raises:
        InvalidArgument: A segment can't be sent; nothing was sent.
    """
    return url.joinpath(*(check_path(segment, "a path") for segment in segments))


def set_query(url: URL, query: Query) -> URL:
    """Return a URL with these parameters in place of its own.

    Raises:
        InvalidArgument: A value is neither a text nor a finite number, or can't be sent; nothing was sent.
    """
    return url.with_query(list(_pairs(query)))


def add_query(url: URL, query: Query) -> URL:
    """Return a URL with these parameters behind its own.

    Raises:
        InvalidArgument: As for :func:`set_query`.
    """
    return url.extend_query(list(_pairs(query)))


def _pairs(query: Query) -> Iterator[tuple[str, str]]:
    for name, value in _items(query):
        if not isinstance(name, str):
            raise InvalidArgument(
                f"a parameter is named by a text, not by {quote_value(name)}; nothing was sent."
            )
        check_text(name, "the name of a parameter")
        for item in value if isinstance(value, (list, tuple)) else (value,):
            yield str.__str__(name), _parameter_text(name, item)


def _items(parameters: Query) -> Iterable[tuple[Any, Any]]:
    query: Any = parameters
    if isinstance(query, Mapping):
        return query.items()
    try:
        pairs = [] if isinstance(query, (str, bytes)) else [(name, value) for name, value in query]
    except (TypeError, ValueError):
        pairs = []
    if not pairs and query:
        raise InvalidArgument(
            f"query takes a mapping or pairs of a name and a value, not {quote_value(query)}; nothing was sent."
        )
    return pairs


def _parameter_text(name: str, value: Any) -> str:
    """Return the text of a parameter, which says neither more nor less than its value."""
    if isinstance(value, str):
        return check_text(str.__str__(value), f"the parameter {name!r}")
    try:
        if isinstance(value, int) and not isinstance(value, bool):
            return int.__repr__(value)
        if isinstance(value, float) and math.isfinite(value):
            return float.__repr__(value)
        if isinstance(value, Decimal) and value.is_finite() and abs(value.adjusted()) <= _MAX_DIGITS:
            return Decimal.__format__(value, "f")
    except ValueError:
        pass  # more digits than Python writes
    advice = ": write it as the server wants it, such as 'true' or '1'" if isinstance(value, bool) else ""
    raise InvalidArgument(
        f"the parameter {name!r} takes a text or a finite number, not {quote_value(value)}{advice}; nothing was sent."
        if not isinstance(value, int) or isinstance(value, bool)
        else f"the parameter {name!r} is a number of too many digits; nothing was sent."
    )


def has_host(url: URL) -> bool:
    """Return whether a URL names a host that can be looked up, which neither parsing nor joining a URL checks."""
    try:
        name = (url.raw_host or "") if url.host else ""
        return bool(name.encode("idna")) and len(name.rstrip(".")) <= _MAX_HOST
    except UnicodeError:  # of an empty label, or one that is too long, or no punycode
        return False


def parse_address(value: str | URL, *, subject: str, example: str) -> URL:
    """Parse the address of a server, and return it without a slash at its end.

    Args:
        value: The address.
        subject: What it is, for errors.
        example: A right one, for errors.

    Raises:
        ConfigurationError: It can't be one. An address that can't be read is not quoted: it may hold a password.
    """
    if not isinstance(value, (str, URL)):
        raise ConfigurationError(f"{subject} must be a text such as {example!r}, not {type(value).__name__}.")
    text = str(value)
    if _NOT_IN_ADDRESSES.search(text) or _NOT_IN_ADDRESSES.search(unquote(text)):
        raise ConfigurationError(
            f"{subject} holds a blank, a line break, a NUL or another character that no address has; was it "
            f"read with its newline? It is needed in a form such as {example!r}."
        )
    url = _parse_url(text)
    if url is None:
        raise ConfigurationError(f"{subject} is no URL, such as {example!r}; look at its host and its port.")
    if url.raw_user is not None or url.raw_password is not None:
        raise ConfigurationError(f"{subject} must not hold credentials; give them as auth=…")
    if url.scheme not in ("http", "https") or not has_host(url):
        raise ConfigurationError(
            f"{subject} is needed, such as {example!r}: it begins with https:// or http:// and names a host, "
            f"and {public_url(url)!r} does not."
        )
    if "?" in text or "#" in text:
        raise ConfigurationError(f"{subject} {public_url(url)!r} must have no query and no fragment.")
    return url.with_path(url.raw_path.rstrip("/"), encoded=True) if url.path.endswith("/") else url


def _parse_url(text: str) -> URL | None:
    """Return a URL whose parts can be asked for, or ``None``."""
    try:
        url = URL(text)
        return url if url.host != "" else None  # a host in punycode is decoded only when it is asked for
    except ValueError:
        return None
