"""Auth backends: how a client proves who it is."""

from __future__ import annotations

from .base import AuthBackend, AuthContext, Credential, Flow
from .bearer import BearerToken
from .password import PasswordLogin
from .static import ApiKey, Basic, NoAuth, SessionCookie

__all__ = [
    "ApiKey",
    "AuthBackend",
    "AuthContext",
    "Basic",
    "BearerToken",
    "Credential",
    "Flow",
    "NoAuth",
    "PasswordLogin",
    "SessionCookie",
]
