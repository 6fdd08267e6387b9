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

from yarl import URL

from .errors import ConfigurationError, InvalidArgument

__all__ = [
    "Query",
    "add_query",
    "add_segments",
    "check_path",
    "check_text",
    "is_sendable",
    "parse_base_url",
    "set_query",
]

Query: TypeAlias = "Mapping[str, Any] | Sequence[tuple[str, Any]]"
"""Parameters: texts and numbers by their names, a list of them for a name that is repeated."""

_LINE_BREAKS: Final = re.compile(r"[\r\n\x00]")
_NOT_IN_BASE_URL: Final = re.compile(r"[\s\x00-\x20\x7f-\x9f]")
_MAX_HOST: Final = 253


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
        raise InvalidArgument(f"{what} takes a text, not {text!r:.60}; nothing was sent.")
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
            raise InvalidArgument(f"a parameter is named by a text, not by {name!r:.60}; nothing was sent.")
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
            f"query takes a mapping or pairs of a name and a value, not {query!r:.60}; nothing was sent."
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
        if isinstance(value, Decimal) and value.is_finite():
            return f"{value:f}"
    except ValueError:
        pass  # more digits than Python writes
    advice = ": write it as the server wants it, such as 'true' or '1'" if isinstance(value, bool) else ""
    raise InvalidArgument(
        f"the parameter {name!r} takes a text or a finite number, not {value!r:.60}{advice}; nothing was sent."
        if not isinstance(value, int) or isinstance(value, bool)
        else f"the parameter {name!r} is a number of too many digits; nothing was sent."
    )


def parse_base_url(value: str | URL, *, what: str, example: str) -> URL:
    """Parse the URL of an API.

    Args:
        value: What the user gave.
        what: What it should be the URL of, for messages.
        example: A right one, for messages.

    Raises:
        ConfigurationError: It can't be one, or could be sent only in part; the message says why.
    """
    if not isinstance(value, (str, URL)):
        raise ConfigurationError(
            f"the URL of {what} can't be read: it is a text such as {example!r}, not of type {type(value).__name__}."
        )
    try:
        text = check_text(str(value), "the URL")
        url = URL(value)
        host = url.raw_host if url.host and url.raw_host else ""  # the one decodes it, and may fail
    except ValueError as error:
        raise ConfigurationError(f"the URL of {what} can't be read: {error}") from error
    if url.scheme not in ("http", "https") or not host:
        raise ConfigurationError(
            f"the URL of {what} is needed, such as {example!r}: it must begin with https:// or http:// and name a host."
        )
    if url.raw_user is not None or url.raw_password is not None:
        raise ConfigurationError(
            f"the URL of {what} holds a user name or password; give it as auth= in place of that."
        )
    if _NOT_IN_BASE_URL.search(text):
        raise ConfigurationError(f"the URL of {what} holds a blank, a line break or a control character.")
    if url.raw_fragment or url.raw_query_string:
        raise ConfigurationError(f"the URL of {what} must have no query and no fragment.")
    if not _is_host(host):
        raise ConfigurationError(f"the URL of {what} names the host {host[:80]!a}, which can't be one.")
    return url


def _is_host(name: str) -> bool:
    """Return whether a name can be looked up: the look-up itself would end in an error of a codec."""
    try:
        return ":" in name or (len(name.rstrip(".")) <= _MAX_HOST and bool(name.encode("idna")))
    except UnicodeError:
        return False
