"""Settings of TLS and proxies, checked before any connection is opened."""

from __future__ import annotations

import asyncio
import ssl as tls
import urllib.request
from os import PathLike, fspath

from yarl import URL

from ..errors import ConfigurationError
from ..wire import public_url

__all__ = ["check_tls_setting", "find_environment_proxy", "load_tls_context", "parse_proxy_url"]


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


def parse_proxy_url(value: str | URL) -> URL:
    """Parse the URL of a proxy.

    Raises:
        ConfigurationError: It can't be one.
    """
    url = URL(value)
    if url.scheme not in ("http", "https") or not url.host:
        raise ConfigurationError(
            f"proxy={public_url(url)!r} must be a URL such as http://proxy.example.com:3128."
        )
    return url


def find_environment_proxy(url: URL) -> URL | None:
    """Return the proxy that the environment names for a URL, or ``None``. ``.netrc`` is not read."""
    proxy = urllib.request.getproxies().get(url.scheme)
    # Not aiohttp's trust_env, which would also send the passwords of ``.netrc``.
    if not proxy or urllib.request.proxy_bypass(url.host or ""):
        return None
    return parse_proxy_url(proxy if "://" in proxy else f"http://{proxy}")
