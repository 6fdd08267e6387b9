"""Auth backends: ways for a client to prove who it is.

Backends are loaded when their names are used: most programs use one.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, Final

from .base import AuthBackend, AuthContext, Flow
from .credential import Credential

if TYPE_CHECKING:
    from .bearer import BearerToken
    from .general.login import KmdLogin, KmdToken
    from .ox.existing_session import OxAutologin, OxSession
    from .ox.oauth import OxOAuth
    from .ox.password import OxFormLogin, OxLogin, OxTokenLogin
    from .ox.redeem_token import OxRedeemToken
    from .ox.second_factor import FactorDevice, SecondFactorChallenge
    from .plugins import installed_backends, load_backend
    from .static import ApiKey, Basic, NoAuth, SessionCookie
    from .stores.base import MemoryStore, TokenStore
    from .stores.file import FileStore
    from .stores.keyring import KeyringStore
    from .zeyos.authorization import Authorization, CallbackServer
    from .zeyos.oauth2 import OAuth2
    from .zeyos.oauth2_password import OAuth2Password
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
    "OAuth2Password",
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

_NAMES_OF_MODULES: Final = {
    "zeyos.authorization": ("Authorization", "CallbackServer"),
    "bearer": ("BearerToken",),
    "general.login": ("KmdLogin", "KmdToken"),
    "zeyos.oauth2": ("OAuth2",),
    "zeyos.oauth2_password": ("OAuth2Password",),
    "zeyos.oauth2_requests": ("Introspection", "UserInfo"),
    "ox.existing_session": ("OxAutologin", "OxSession"),
    "ox.password": ("OxFormLogin", "OxLogin", "OxTokenLogin"),
    "ox.redeem_token": ("OxRedeemToken",),
    "ox.second_factor": ("FactorDevice", "SecondFactorChallenge"),
    "ox.oauth": ("OxOAuth",),
    "zeyos.password": ("PasswordLogin",),
    "plugins": ("installed_backends", "load_backend"),
    "static": ("ApiKey", "Basic", "NoAuth", "SessionCookie"),
    "stores.base": ("MemoryStore", "TokenStore"),
    "stores.file": ("FileStore",),
    "stores.keyring": ("KeyringStore",),
}
_MODULE_OF: Final = {name: module for module, names in _NAMES_OF_MODULES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f".{_MODULE_OF[name]}", __name__), name)
    globals()[name] = value  # so that this function is not called again for the name
    return value


def __dir__() -> list[str]:
    # With the names that are not loaded yet, for completion and ``help``.
    return sorted({*globals(), *__all__})
