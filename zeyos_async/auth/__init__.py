"""Auth backends: how a client proves who it is.

Backends are loaded when they are asked for: most programs use one.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, Final

from .base import AuthBackend, AuthContext, Credential, Flow

if TYPE_CHECKING:
    from .bearer import BearerToken
    from .general.login import KmdLogin, KmdToken
    from .ox.login import OxAutologin, OxFormLogin, OxLogin, OxRedeemToken, OxSession, OxTokenLogin
    from .ox.oauth import OxOAuth
    from .ox.second_factor import FactorDevice, SecondFactorChallenge
    from .plugins import installed_backends, load_backend
    from .static import ApiKey, Basic, NoAuth, SessionCookie
    from .stores.base import MemoryStore, TokenStore
    from .stores.file import FileStore
    from .stores.keyring import KeyringStore
    from .zeyos.authorization import Authorization, CallbackServer
    from .zeyos.oauth2 import OAuth2
    from .zeyos.oauth2_requests import Introspection, UserInfo
    from .zeyos.password import PasswordLogin

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

_HOMES: Final = {
    "zeyos.authorization": ("Authorization", "CallbackServer"),
    "bearer": ("BearerToken",),
    "general.login": ("KmdLogin", "KmdToken"),
    "zeyos.oauth2": ("OAuth2",),
    "zeyos.oauth2_requests": ("Introspection", "UserInfo"),
    "ox.login": ("OxAutologin", "OxFormLogin", "OxLogin", "OxRedeemToken", "OxSession", "OxTokenLogin"),
    "ox.second_factor": ("FactorDevice", "SecondFactorChallenge"),
    "ox.oauth": ("OxOAuth",),
    "zeyos.password": ("PasswordLogin",),
    "plugins": ("installed_backends", "load_backend"),
    "static": ("ApiKey", "Basic", "NoAuth", "SessionCookie"),
    "stores.base": ("MemoryStore", "TokenStore"),
    "stores.file": ("FileStore",),
    "stores.keyring": ("KeyringStore",),
}
_HOME_OF: Final = {name: home for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = getattr(importlib.import_module(f".{_HOME_OF[name]}", __name__), name)
    globals()[name] = found  # the next one finds it without asking here
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
