"""Addresses of mails, as people write them and as the API has them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from email.header import Header
from email.utils import formataddr, getaddresses
from typing import Any, Final, TypeAlias

from ....errors import InvalidArgument, quote_value
from ..operation import Caller

__all__ = ["AddressPair", "Addresses", "fetch_own_address", "format_header", "parse_addresses"]

AddressPair: TypeAlias = "tuple[str | None, str]"
"""A name, which may be missing, and an address."""

Addresses: TypeAlias = "str | Iterable[str | tuple[str | None, str]]"
"""One or several: ``"Jane Doe <jane@example.com>, max@example.com"``, or a list of such and of pairs."""

_END: Final = "\r\n"
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")


def parse_addresses(value: Addresses | None, label: str) -> list[AddressPair]:
    """Read the names and addresses of an argument.

    Args:
        value: As the caller wrote them; ``None`` for none.
        label: The argument, for messages.

    Raises:
        InvalidArgument: Something is no address.
    """
    if value is None:
        return []
    if not isinstance(value, str) and not isinstance(value, Iterable):
        raise InvalidArgument(
            f"{label} takes addresses like 'Jane Doe <jane@example.com>', not {quote_value(value)}"
        )
    items = [value] if isinstance(value, str) else value
    return [pair for item in items for pair in _parse_item(item, label)]


def _parse_item(item: Any, label: str) -> Iterator[AddressPair]:
    if isinstance(item, str):
        pairs = getaddresses([item]) if item.strip() else []
        if _CONTROL.search(item) or (not pairs and item.strip()):
            raise InvalidArgument(_describe_bad_address(item, label))
        for name, address in pairs:
            yield _check_pair(name or None, address, item, label)
    elif isinstance(item, tuple | list) and len(item) == 2:
        name, address = item
        if not isinstance(address, str) or not (name is None or isinstance(name, str)):
            raise InvalidArgument(_describe_bad_address(item, label))
        yield _check_pair(name or None, address.strip(), item, label)
    else:
        raise InvalidArgument(_describe_bad_address(item, label))


def _check_pair(name: str | None, address: str, item: Any, label: str) -> AddressPair:
    local, at, host = address.rpartition("@")
    if not (local and at and host) or _CONTROL.search(address) or _CONTROL.search(name or ""):
        raise InvalidArgument(_describe_bad_address(item, label))
    return name, address


def _describe_bad_address(item: Any, label: str) -> str:
    return (
        f"{label}: {quote_value(item, 80)} is no address. Write 'Jane Doe <jane@example.com>', "
        "or a list of such and of pairs (name, address)"
    )


def format_header(pairs: Iterable[AddressPair], label: str) -> str:
    """Format addresses as the value of a header, one a line.

    Raises:
        InvalidArgument: One of them can't stand in a header.
    """
    return ",\r\n ".join(_format_address(name, address, label) for name, address in pairs)


def _format_address(name: str | None, address: str, label: str) -> str:
    local, _, host = address.rpartition("@")
    try:
        plain = f"{local.encode('ascii').decode()}@{host.encode('idna').decode()}"
    except UnicodeError as error:
        raise InvalidArgument(f"{label}: {address!r} can't stand in a mail: {error}") from error
    if not name:
        return plain
    if name.isascii():
        return formataddr((name, plain))
    return f"{Header(name, 'utf-8', maxlinelen=70).encode(linesep=_END)} <{plain}>"


async def fetch_own_address(caller: Caller) -> list[AddressPair]:
    """Fetch the user's own name and address, as the server has them.

    Raises:
        InvalidArgument: It has none.
    """
    me: Any = await caller.module("user_me").get()
    if not me.email_address:
        raise InvalidArgument("the server names no address of yours; give sender=")
    return [(me.display_name, me.email_address)]
