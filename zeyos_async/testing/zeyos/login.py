"""``/auth/v1``: log in, log out, who am I."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

from ..answers import Answer, ReceivedRequest, make_json_answer
from ..journal import Journal
from .forms import read_body, read_query
from .refusals import Refusal, bad_request
from .server_options import ZeyosServerOptions
from .tokens import Credentials, Identity, TokenBook
from .values import flag

__all__ = ["LoginApi"]

_IDENTIFIER: Final = re.compile(r"[a-zA-Z0-9_.:-]+")
_PERMISSIONS: Final = ("billing", "inventory", "messages", "notes", "opportunities", "tasks")


class LoginApi:
    """The authentication API that hands out bearer tokens."""

    def __init__(
        self,
        tokens: TokenBook,
        journal: Journal,
        server_options: ZeyosServerOptions,
        now: Callable[[], float],
    ) -> None:
        self._tokens = tokens
        self._journal = journal
        self._server_options = server_options
        self._now = now

    def answer(self, request: ReceivedRequest, path: str) -> Answer:
        """Answer a request below ``/auth/v1``.

        Raises:
            Refusal: 400, 401, 404 or 405.
        """
        handlers: dict[str, dict[str, Callable[[ReceivedRequest], Answer]]] = {
            "": {"GET": self._who, "HEAD": self._verify},
            "login": {"POST": self._login},
            "logout": {"GET": self._logout},
        }
        methods = handlers.get(path.strip("/"))
        if methods is None:
            raise Refusal(404, "Not Found")
        if request.method not in methods:
            raise Refusal(405, "Method Not Allowed", headers={"Allow": ", ".join(methods)})
        return methods[request.method](request)

    def _login(self, request: ReceivedRequest) -> Answer:
        body = read_body(request.headers.get("Content-Type", ""), request.body)
        identifier = body.get("identifier")
        if not isinstance(identifier, str) or not _IDENTIFIER.fullmatch(identifier):
            raise bad_request("Invalid identifier")
        user = self._tokens.sign_in(*(str(body.get(key) or "") for key in ("name", "password", "otp")))
        secret = body.get("appsecret") or None
        if user is None or (secret is not None and secret != user.appsecret):
            raise Refusal(401, "Unauthorized: Invalid credentials")
        expires = self._expiry(body.get("expdate"))
        application = None if secret is None else user.application
        token = self._tokens.give(
            "login",
            user,
            application=application,
            expires=expires,
            identifier=identifier,
            single=self._server_options.single_tokens == "all",
        )
        self._journal.counts["login"] += 1
        answer = {"user": user.user, "application": application, "token": token.text}
        return make_json_answer(answer | {"identifier": identifier, "expdate": int(expires)})

    def _expiry(self, value: Any) -> float:
        if value is None:
            return self._now() + self._server_options.token_lifetime
        if isinstance(value, str) and value.isdecimal():
            value = int(value)
        if not isinstance(value, int) or isinstance(value, bool) or value <= self._now():
            raise bad_request("Invalid expdate")
        return value

    def _logout(self, request: ReceivedRequest) -> Answer:
        self._tokens.revoke(self._tokens.identify(request).token)
        self._journal.counts["logout"] += 1
        return Answer(status=204)

    def _verify(self, request: ReceivedRequest) -> Answer:
        self._tokens.identify(request)
        return Answer(status=204)

    def _who(self, request: ReceivedRequest) -> Answer:
        identity = self._tokens.identify(request)
        query = read_query(request.query)
        return make_json_answer(
            _about(identity)
            | (_access(identity.credentials) if flag("access", query.get("access")) else {})
            | ({"settings": {"theme": "light"}} if flag("settings", query.get("settings")) else {})
        )


def _about(identity: Identity) -> dict[str, Any]:
    user = identity.credentials
    auth = {"user": user.user, "application": identity.application, "lang": "en_US"}
    return {"auth": auth, "user": user.user, "contact": None, "name": user.name, "email": user.email}


def _access(user: Credentials) -> dict[str, Any]:
    permissions = dict.fromkeys(_PERMISSIONS, True)
    flags = {"admin": user.admin, "nopublic": False, "apionly": False}
    return flags | {"groups": {"1": True}, "permissions": permissions}
