"""Auth backends: how a client proves who it is."""

from __future__ import annotations

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

__all__ = [
    "ApiKey",
    "AuthBackend",
    "AuthContext",
    "Authorization",
    "Basic",
    "BearerToken",
    "CallbackServer",
    "Credential",
    "FileStore",
    "Flow",
    "Introspection",
    "KeyringStore",
    "KmdLogin",
    "KmdToken",
    "MemoryStore",
    "NoAuth",
    "OAuth2",
    "PasswordLogin",
    "SessionCookie",
    "TokenStore",
    "UserInfo",
    "installed_backends",
    "load_backend",
]
