"""Auth backends: how a client proves who it is.

Backends are loaded when they are asked for: most programs use one.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, Final

from .base import AuthBackend, AuthContext, Credential, Flow

if TYPE_CHECKING:
    from .authorize import Authorization, CallbackServer
    from .bearer import BearerToken
    from .kmd import KmdLogin, KmdToken
    from .oauth2 import OAuth2
    from .oauth2_calls import Introspection, UserInfo
    from .ox import OxAutologin, OxFormLogin, OxLogin, OxRedeemToken, OxSession, OxTokenLogin
    from .ox_factor import FactorDevice, SecondFactorChallenge
    from .ox_oauth import OxOAuth
    from .password import PasswordLogin
    from .plugins import installed_backends, load_backend
    from .static import ApiKey, Basic, NoAuth, SessionCookie
    from .stores import MemoryStore, TokenStore
    from .stores_file import FileStore
    from .stores_keyring import KeyringStore

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
    "authorize": ("Authorization", "CallbackServer"),
    "bearer": ("BearerToken",),
    "kmd": ("KmdLogin", "KmdToken"),
    "oauth2": ("OAuth2",),
    "oauth2_calls": ("Introspection", "UserInfo"),
    "ox": ("OxAutologin", "OxFormLogin", "OxLogin", "OxRedeemToken", "OxSession", "OxTokenLogin"),
    "ox_factor": ("FactorDevice", "SecondFactorChallenge"),
    "ox_oauth": ("OxOAuth",),
    "password": ("PasswordLogin",),
    "plugins": ("installed_backends", "load_backend"),
    "static": ("ApiKey", "Basic", "NoAuth", "SessionCookie"),
    "stores": ("MemoryStore", "TokenStore"),
    "stores_file": ("FileStore",),
    "stores_keyring": ("KeyringStore",),
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
