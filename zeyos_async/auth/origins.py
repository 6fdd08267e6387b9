"""The addresses to which a credential may go: decided by the address alone, without looking anything up.

The problem: whoever can read what is sent over ``http://`` has the credential in it, and one is sent with the first
request. So an address without TLS gets one only where nobody else can listen, or where somebody said that it may.

A host counts as this machine by its *name*: what a name is looked up to can change between two questions, and it is
others who answer them. A proxy is another machine, though the address behind it has the name of this one.
"""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Mapping
from typing import Final

from yarl import URL

from ..errors import ConfigurationError
from ..wire import public_url

__all__ = [
    "READONLY",
    "REFRESH_FORBIDDERS",
    "check_bound_address",
    "check_credential_address",
    "is_loopback",
    "is_set",
    "plain_http_allowed",
]

_LOOPBACK: Final = ipaddress.ip_network("127.0.0.0/8")
_LOOPBACK_6: Final = ipaddress.ip_address("::1")
READONLY: Final = "ZEYOS_CREDENTIALS_READONLY"
"""With it, nothing is written where credentials are kept."""
REFRESH_FORBIDDERS: Final = ("ZEYOS_NO_REFRESH", READONLY)
"""With one of these no refresh token is used: its successor could not be kept, or is not wanted."""
_YES: Final = frozenset({"1", "true", "yes", "on"})
_NO: Final = frozenset({"", "0", "false", "no", "off"})


def is_loopback(url: URL) -> bool:
    """Return whether a URL names this machine: ``localhost``, ``*.localhost``, 127.0.0.0/8 or ``::1``."""
    host = (url.raw_host or "").lower()
    labels = host.split(".")
    if labels[-1] == "localhost":
        return all(labels)
    try:
        # Only the usual form: what else the system's resolver takes for one, such as 127.1, is not for us to guess.
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return address in _LOOPBACK if address.version == 4 else address == _LOOPBACK_6


def check_credential_address(url: URL, *, allow_http: bool | None = None, proxied: bool = False) -> None:
    """Refuse an address to which a credential would travel for everyone to read.

    Args:
        url: Where the credential would go.
        allow_http: Whether somebody permits that; ``None`` is what ``ZEYOS_ALLOW_HTTP`` says.
        proxied: Whether the way there leads through a proxy.

    Raises:
        ConfigurationError: It would.
    """
    if url.scheme == "https" or (is_loopback(url) and not proxied):
        return
    if plain_http_allowed(os.environ) if allow_http is None else allow_http:
        return
    way = ", and through a proxy" if proxied else ""
    raise ConfigurationError(
        f"{public_url(url)} has no TLS: a credential sent there{way} can be read by others on the way, so that none "
        "is sent. Use https://, or permit it with allow_http=True (--allow-http, ZEYOS_ALLOW_HTTP=1)"
    )


def check_bound_address(url: URL, bound_to: URL | None) -> None:
    """Refuse an address of another origin than that which a credential was stored for.

    Raises:
        ConfigurationError: It is one.
    """
    if bound_to is not None and _origin(url) != _origin(bound_to):
        raise ConfigurationError(
            f"the stored credential is for {public_url(bound_to)}, and is not sent to {public_url(url)}. Sign in there, "
            "or give auth= for that address"
        )


def _origin(url: URL) -> tuple[str, str | None, int | None]:
    return url.scheme, url.raw_host, url.port


def plain_http_allowed(environ: Mapping[str, str]) -> bool:
    """Return whether ``ZEYOS_ALLOW_HTTP`` permits credentials over ``http://``."""
    return environ.get("ZEYOS_ALLOW_HTTP", "").strip().lower() in _YES


def is_set(environ: Mapping[str, str], name: str) -> bool:
    """Return whether a variable that forbids something is set; anything but a plain no forbids it."""
    return environ.get(name, "").strip().lower() not in _NO
