"""The addresses to which a session sends credentials."""

from __future__ import annotations

import attrs
from yarl import URL

from ..auth.origins import check_credential_address
from ..transport.settings import find_environment_proxy

__all__ = ["AddressCheck"]


@attrs.frozen(kw_only=True)
class AddressCheck:
    """The rule for where a session sends credentials.

    Attributes:
        has_proxy: Whether the session was given a proxy.
        trusts_env: Whether the environment may name one.
        is_custom: Whether the transport is somebody's own. Such a one is not judged: only it knows where its
            bytes go.
    """

    has_proxy: bool = False
    trusts_env: bool = False
    is_custom: bool = False

    def check(self, url: URL, *, allow_http: bool | None) -> None:
        """Refuse a URL on the way to which others could read a credential.

        Args:
            url: The URL.
            allow_http: Whether somebody permits that; ``None`` is what ``ZEYOS_ALLOW_HTTP`` says.

        Raises:
            ConfigurationError: They could.
        """
        if self.is_custom or url.scheme == "https":
            return
        is_proxied = self.has_proxy or (self.trusts_env and find_environment_proxy(url) is not None)
        check_credential_address(url, allow_http=allow_http, proxied=is_proxied)
