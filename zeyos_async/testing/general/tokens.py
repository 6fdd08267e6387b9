"""The user of the emulated API, and the tokens (``kmd``) that it issued."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import attrs

from .refusals import BAD_REQUEST, WRONG_ACCESS_TYPE, GeneralRefusal
from .server_options import GeneralServerOptions

__all__ = ["GeneralCredentials", "TokenBook"]


@attrs.frozen(kw_only=True)
class GeneralCredentials:
    """The credentials that a client logs in with.

    Attributes:
        kname: The user's name.
        kpass: The user's password.
        access_type: The ``accessType`` that the user has.
        key: The ``key`` that every call must bring, or ``""`` for none.
    """

    kname: str = "max.power"
    kpass: str = "swordfish!"
    access_type: int = 1
    key: str = ""


class TokenBook:
    """The tokens that were issued, with the times at which they expire."""

    def __init__(self, credentials: GeneralCredentials, *, now: Callable[[], float], seed: int) -> None:
        self.credentials = credentials
        self._now = now
        self._rng = random.Random(f"{seed}:kmd")
        self._expires: dict[str, float] = {}

    def log_in(self, properties: dict[str, Any], server_options: GeneralServerOptions) -> str:
        """Issue a token for a right name and password.

        Raises:
            GeneralRefusal: They are wrong, or the request is not as the document has it.
        """
        if properties.get("longlife", 0) not in (0, 1):
            raise GeneralRefusal(BAD_REQUEST, "longlife must be 0 or 1")
        self.check_access(properties)
        expected = (self.credentials.kname, self.credentials.kpass)
        if (properties.get("kname"), properties.get("kpass")) != expected:
            raise GeneralRefusal(server_options.login_code, "Wrong username or password")
        return self.issue(server_options, longlife=properties.get("longlife") == 1)

    def issue(self, server_options: GeneralServerOptions, *, longlife: bool = False) -> str:
        """Issue a token."""
        seconds = server_options.longlife_lifetime if longlife else server_options.token_lifetime
        token = f"{self._rng.getrandbits(160):040x}"
        self._expires[token] = self._now() + seconds
        return token

    def expire_all(self) -> None:
        """Let every token issued so far expire."""
        self._expires = dict.fromkeys(self._expires, 0.0)

    def check(self, properties: dict[str, Any], server_options: GeneralServerOptions) -> None:
        """Require a good token, and the user's access type.

        Raises:
            GeneralRefusal: The token or the access type is none.
        """
        self.check_access(properties)
        expires = self._expires.get(properties["kmd"]) if isinstance(properties.get("kmd"), str) else None
        if expires is None or expires <= self._now() or server_options.expired:
            raise GeneralRefusal(server_options.expired_code, "Session expired, please log in again")

    def check_access(self, properties: dict[str, Any]) -> None:
        """Require the user's access type, and the key where there is one.

        Raises:
            GeneralRefusal: 102.
        """
        access_type = properties.get("accessType")
        # True equals 1 in Python, and is another JSON value.
        if type(access_type) is not int or access_type != self.credentials.access_type:
            raise GeneralRefusal(WRONG_ACCESS_TYPE, "accessType wrong")
        if self.credentials.key and properties.get("key") != self.credentials.key:
            raise GeneralRefusal(BAD_REQUEST, "key wrong")
