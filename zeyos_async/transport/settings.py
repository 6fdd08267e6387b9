"""Settings of TLS and proxies, checked before any connection is opened."""

from __future__ import annotations

import asyncio
import base64
import ipaddress
import re
import ssl as tls
import urllib.request
from os import PathLike, fspath
from typing import Final
from urllib.parse import unquote

import attrs
from yarl import URL

from ..errors import ConfigurationError, quote_value
from ..secrets import Secret
from ..urls import has_host

__all__ = ["Proxy", "check_tls_setting", "find_environment_proxy", "load_tls_context", "parse_proxy"]


def check_tls_setting(value: tls.SSLContext | str | PathLike[str] | None) -> tls.SSLContext | str | None:
    """Return the value of ``ssl=``: a context, a path of CA certificates, or ``None`` for the system's.

    Raises:
        ConfigurationError: Anything else, ``False`` among it.
    """
    if value is None or isinstance(value, tls.SSLContext):
        return value
    if isinstance(value, (str, PathLike)):
        return fspath(value)  # read later, in a thread: making a transport does no I/O
    raise ConfigurationError(
        f"ssl={value!r}: give an ssl.SSLContext or the path of a file of CA certificates. Certificates are always "
        "verified; for a test server, trust its certificate, or make a context that says otherwise."
    )


async def load_tls_context(path: str) -> tls.SSLContext:
    """Load a context that trusts the certificates in a file, in a thread, as reading them is slow.

    Raises:
        ConfigurationError: They can't be read.
    """
    try:
        return await asyncio.to_thread(tls.create_default_context, cafile=path)
    except OSError as error:
        raise ConfigurationError(f"The CA certificates in {path!r} can't be read: {error}") from error


_HALF_CHARACTER: Final = re.compile("[\\ud800-\\udfff]")


@attrs.frozen
class Proxy:
    """A proxy, with the header that proves who uses it apart from its address.

    Attributes:
        url: The address, without user name and password: errors and pools of connections hold it.
        secrets: The value of the header ``Proxy-Authorization`` without its scheme, and the password; or nothing.
    """

    url: URL
    secrets: tuple[Secret, ...] = ()

    def headers(self) -> dict[str, str]:
        """Return the headers for the proxy."""
        return {"Proxy-Authorization": f"Basic {self.secrets[0].reveal()}"} if self.secrets else {}


def parse_proxy(value: str | URL, *, subject: str = "proxy=") -> Proxy:
    """Parse the address of a proxy: ``http://user:password@host:port``, where the last ``@`` ends the password.

    User name and password may hold any character, as it is or percent-encoded.

    Args:
        value: The address.
        subject: Where it was found, for errors, which never quote it: it may hold a password.

    Raises:
        ConfigurationError: It can't be one.
    """
    scheme, separator, rest = str(value).strip().partition("://")
    userinfo, at, host = rest.rpartition("@")
    form = "; a right one is http://proxy.example.com:3128, or http://user:password@proxy.example.com:3128"
    if not separator or not rest:
        raise ConfigurationError(f"The proxy of {subject} is no URL{form}.")
    if scheme.lower() not in ("http", "https"):
        raise ConfigurationError(
            f"The proxy of {subject} is one of a kind that is not supported, {quote_value(scheme, 20)}{form}."
        )
    url = _parse_proxy_host(scheme.lower(), host)
    if url is None:
        raise ConfigurationError(f"The proxy of {subject} has no host and port that make sense{form}.")
    return Proxy(url, _parse_user(userinfo, subject) if at else ())


def _parse_proxy_host(scheme: str, host: str) -> URL | None:
    try:
        url = URL(f"{scheme}://{host}")
        is_bare = url.path in ("", "/") and "?" not in host and "#" not in host
    except ValueError:
        return None
    is_bare = is_bare and not re.search(r"[\s%]|[\x00-\x1f]", host)
    return url.origin() if is_bare and url.raw_user is None and has_host(url) else None


def _parse_user(userinfo: str, subject: str) -> tuple[Secret, Secret]:
    """Return the value of the header, in the charset of RFC 7617, and the password."""
    user, _, password = (unquote(part) for part in userinfo.partition(":"))
    if ":" in user:
        raise ConfigurationError(
            f"The proxy of {subject} has a user name with a colon, where its password would begin."
        )
    if _HALF_CHARACTER.search(user + password):
        raise ConfigurationError(f"The proxy of {subject} has half a character in its user name or password.")
    return Secret(base64.b64encode(f"{user}:{password}".encode()).decode("ascii")), Secret(password)


def find_environment_proxy(url: URL) -> Proxy | None:
    """Return the proxy that the environment names for a URL, or ``None``. ``.netrc`` is not read.

    That is ``HTTPS_PROXY`` or ``HTTP_PROXY``, else ``ALL_PROXY``, unless ``NO_PROXY`` names the host.

    Raises:
        ConfigurationError: It names something that is no proxy.
    """
    proxies = urllib.request.getproxies()
    name = url.scheme if proxies.get(url.scheme) else "all"
    proxy = proxies.get(name)
    # Not aiohttp's trust_env, which would also send the passwords of ``.netrc``.
    if not proxy or _is_excepted(url, proxies.get("no")):
        return None
    return parse_proxy(
        proxy if "://" in proxy else f"http://{proxy}", subject=f"{name.upper()}_PROXY in the environment"
    )


def _is_excepted(url: URL, no_proxy: str | None) -> bool:
    """Return whether no proxy is to be used for a URL.

    Args:
        url: The URL.
        no_proxy: Hosts, domains, ``*``, and addresses or networks, each with a port or without; ``None`` where the
            environment has none, and the system's settings count.
    """
    host = (url.host or "").rstrip(".").lower()
    if no_proxy is None:
        return bool(urllib.request.proxy_bypass(host))
    return any(_excepts(entry, host, url.port) for entry in re.split(r"[,\s]+", no_proxy.lower()) if entry)


def _excepts(entry: str, host: str, port: int | None) -> bool:
    if entry == "*":
        return True
    name, _, number = entry.rpartition(":")
    if name and number.isdigit() and (":" not in name or name.endswith("]")):
        if int(number) != port:
            return False
        entry = name
    entry = entry.strip("[]")
    if (address := _parse_network(host)) and (network := _parse_network(entry)):
        return network.version == address.version and address.subnet_of(network)  # type: ignore[arg-type]
    domain = entry.removeprefix("*").strip(".")
    return bool(domain) and (host == domain or host.endswith(f".{domain}"))


def _parse_network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None
