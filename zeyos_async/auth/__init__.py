"""Auth backends: how a client proves who it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .authorize import Authorization, CallbackServer
from .base import AuthBackend, AuthContext, Credential, Flow
from .bearer import BearerToken
from .kmd import KmdLogin, KmdToken
from .oauth2 import OAuth2
from .oauth2_calls import Introspection, UserInfo
from .password import PasswordLogin
from .plugins import installed_backends, load_backend
from .static import ApiKey, Basic, NoAuth, SessionCookie
from .stores import MemoryStore, TokenStore
from .stores_file import FileStore
from .stores_keyring import KeyringStore

if TYPE_CHECKING:
    from .ox import OxAutologin, OxFormLogin, OxLogin, OxRedeemToken, OxSession, OxTokenLogin
    from .ox_factor import FactorDevice, SecondFactorChallenge
    from .ox_oauth import OxOAuth

__all__ = [
    "ApiKey",
    "AuthBackend",
    "AuthContext",
    "Authorization",
    "Basic",
    "BearerToken",
    "CallbackServer",
    "Credential",
    "FactorDevice",
    "FileStore",
    "Flow",
    "Introspection",
    "KeyringStore",
    "KmdLogin",
    "KmdToken",
    "MemoryStore",
    "NoAuth",
    "OAuth2",
    "OxAutologin",
    "OxFormLogin",
    "OxLogin",
    "OxOAuth",
    "OxRedeemToken",
    "OxSession",
    "OxTokenLogin",
    "PasswordLogin",
    "SecondFactorChallenge",
    "SessionCookie",
    "TokenStore",
    "UserInfo",
    "installed_backends",
    "load_backend",
]


def __getattr__(name: str) -> Any:
    """Open-Xchange's backends, which nobody else should load."""
    if name in ("FactorDevice", "SecondFactorChallenge"):
        from . import ox_factor

        return getattr(ox_factor, name)
    if name == "OxOAuth":
        from .ox_oauth import OxOAuth

        return OxOAuth
    if name.startswith("Ox") and name in __all__:
        from . import ox

        return getattr(ox, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
