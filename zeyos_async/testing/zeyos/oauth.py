"""``/oauth2/v1``: authorization with PKCE, tokens with single-use refresh tokens, revocation.

The way of a user who signs in: ``authorize`` checks the request and sends the browser to the sign-in page of the
instance, which is outside of ``/oauth2/v1``; its form brings back a code, by a redirect or a form that posts itself; the
client changes the code for a pair of tokens. The states are values in two places: codes here, tokens in the
``TokenBook``.

Invariants, each of which a client can get wrong, and so each is enforced:

- A code is good once, for a minute, for its client, and with a challenge only for who has the verifier.
- A refresh token is good once: using it revokes it and its access token, and a new pair is issued. A client that sends
  it twice, such as two tasks that refresh at the same time, is refused the second time.
- A user and an application have one pair (server option ``single_tokens``): a sign-in ends the pair of an earlier one.
- A client proves itself with its secret wherever it sends a code or a token, in the body or by Basic.

Errors in redirects are left out: a request with a wrong client or redirect address must not be answered by a redirect,
and the vendor's documents show none for the others. Refusals are JSON (``OAuthError``) where RFC 6749 has a form for
them, and the API's plain text elsewhere.
"""

from __future__ import annotations

import base64
import binascii
import functools
import hashlib
import html
import re
from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import quote, urlencode, urlsplit

import attrs

from ..answers import Answer, ReceivedRequest, make_json_answer
from ..journal import Journal
from .forms import read_body, read_query
from .refusals import Refusal, bad_request
from .server_options import ZeyosServerOptions
from .tokens import Credentials, Token, TokenBook

__all__ = ["OAuthApi", "OAuthError"]

_REFRESH_SECONDS: Final = 8_640_000
_CODE_SECONDS: Final = 60
_VERIFIER: Final = re.compile(r"[A-Za-z0-9._~-]{43,128}")


_STYLE: Final = (
    ":root{color-scheme:light dark}"
    "body{font:1rem/1.5 system-ui,sans-serif;display:grid;place-content:center;min-height:90vh;margin:0;padding:1rem}"
    "main{width:min(20rem,90vw)}h1{font-size:1.4rem;margin:0}label,button{display:block;margin-top:1rem}"
    "input,button{box-sizing:border-box;width:100%;font:inherit;padding:.5rem;border:1px solid gray;"
    "border-radius:.375rem}"
    "button{background:#1559b3;color:white;border:0}[role=alert]{color:#c62828}"
)
_SIGN_IN_PAGE: Final = (
    '<!DOCTYPE html><html lang="en"><meta charset="utf-8">'
    '<meta name="viewport" content="width=device-width,initial-scale=1">'
    f'<title>Sign in</title><link rel="icon" href="data:,"><style>{_STYLE.replace("{", "{{").replace("}", "}}")}</style>'
    "<main><h1>Sign in to {instance}</h1><p>The application <b>{client}</b> wants to act for you. "
    'This is an emulator.</p>{wrong}<form method="post">'
    '<label>Name <input name="name" autocomplete="username" autofocus required></label>'
    '<label>Password <input name="password" type="password" autocomplete="current-password" required></label>'
    "<button>Sign in</button></form></main></html>"
)


class OAuthError(Exception):
    """An error answer in OAuth2's JSON form."""

    def __init__(self, status: int, error: str, description: str) -> None:
        self.answer_status = status
        self.body = {"error": error, "error_description": description}
        super().__init__(f"{status} {error}: {description}")


@attrs.frozen(kw_only=True)
class _Code:
    credentials: Credentials
    client: str
    challenge: str
    expires: float


class OAuthApi:
    """The OAuth2 API, and the page on which a user signs in."""

    def __init__(
        self,
        tokens: TokenBook,
        journal: Journal,
        server_options: ZeyosServerOptions,
        now: Callable[[], float],
        *,
        instance: str,
    ) -> None:
        self._tokens = tokens
        self._journal = journal
        self._server_options = server_options
        self._now = now
        self._instance = instance
        self._codes: dict[str, _Code] = {}
        self._clients = {user.client_id: user for user in tokens.users}

    def answer(self, request: ReceivedRequest, path: str) -> Answer:
        """Answer a request below ``/oauth2/v1``.

        Raises:
            Refusal: What is refused in plain text.
        """
        handlers: dict[str, tuple[str, Callable[[ReceivedRequest], Answer]]] = {
            "authorize": ("GET", self._authorize),
            "token": ("POST", self._token),
            "revoke": ("POST", self._revoke),
            "introspect": ("POST", self._introspect),
            "userinfo": ("GET", self._userinfo),
        }
        method, handler = handlers.get(path.strip("/"), ("", None))
        if handler is None:
            raise Refusal(404, "Not Found")
        if request.method != method:
            raise Refusal(405, "Method Not Allowed", headers={"Allow": method})
        try:
            return handler(request)
        except OAuthError as error:
            headers = (
                {"WWW-Authenticate": f'Basic realm="{self._instance}"'} if error.answer_status == 401 else {}
            )
            return make_json_answer(error.body, status=error.answer_status, headers=headers)

    def sign_in_page(self, request: ReceivedRequest) -> Answer:
        """Answer with the page to which ``authorize`` sends the user; its form signs in."""
        query = read_query(request.query)
        if query.get("page") != "oauth":
            raise Refusal(404, "Not Found")
        wrong = ""
        if request.method == "POST":
            form = read_body(request.headers.get("Content-Type", ""), request.body)
            user = self._tokens.sign_in(str(form.get("name", "")), str(form.get("password", "")))
            if user is not None:
                return self._back_to_client(user, query)
            wrong = '<p role="alert">Unknown name or wrong password.</p>'
        page = _SIGN_IN_PAGE.format(
            client=html.escape(str(query.get("client_id", ""))),
            instance=html.escape(self._instance),
            wrong=wrong,
        )
        return Answer(headers={"Content-Type": "text/html; charset=utf-8"}, body=page.encode())

    def _authorize(self, request: ReceivedRequest) -> Answer:
        query = read_query(request.query)
        _check_authorization(query, self._clients)
        target = f"/{self._instance}/?umi=auth&page=oauth&{urlencode(query)}"
        return Answer(status=303, headers={"Location": target})

    def _back_to_client(self, user: Credentials, query: Mapping[str, Any]) -> Answer:
        _check_authorization(query, self._clients)
        code = self._tokens.text()
        self._codes[code] = _Code(
            credentials=user,
            client=query["client_id"],
            challenge=query.get("code_challenge", ""),
            expires=self._now() + _CODE_SECONDS,
        )
        result = {"code": code} | ({"state": query["state"]} if "state" in query else {})
        session = self._tokens.give("session", user, application=user.application, expires=None)
        headers = {"Set-Cookie": f"ZEYOSID={session.text}; Path=/; HttpOnly"}
        uri = query["redirect_uri"]
        if query.get("response_mode") == "form_post":
            page = _posting_page(uri, result)
            return Answer(headers=headers | {"Content-Type": "text/html; charset=utf-8"}, body=page.encode())
        mark = "&" if "?" in uri else "?"
        return Answer(
            status=303, headers=headers | {"Location": f"{uri}{mark}{urlencode(result, quote_via=quote)}"}
        )

    def _token(self, request: ReceivedRequest) -> Answer:
        body, client = self._client(request)
        grants: dict[Any, Callable[[Mapping[str, Any], str], Credentials]] = {
            "authorization_code": self._by_code,
            "refresh_token": self._by_refresh_token,
            "password": self._by_password,
        }
        grant = grants.get(body.get("grant_type"))
        if grant is None:
            raise OAuthError(400, "unsupported_grant_type", "Bad Request: Invalid grant_type")
        user = grant(body, client)
        self._journal.counts["refresh" if body["grant_type"] == "refresh_token" else "login"] += 1
        return make_json_answer(self._pair(user, client), headers={"Cache-Control": "no-store"})

    def _pair(self, user: Credentials, client: str) -> dict[str, Any]:
        options, now = self._server_options, self._now()
        give = functools.partial(
            self._tokens.give,
            credentials=user,
            application=self._clients[client].application,
            client=client,
            single=options.single_tokens != "none",
        )
        access = give("access", expires=now + options.access_lifetime)
        refresh = give("refresh", expires=now + _REFRESH_SECONDS)
        access.partner, refresh.partner = refresh.text, access.text
        return {
            "token_type": "Bearer",
            "access_token": access.text,
            "expires_in": options.access_lifetime,
            "refresh_token": refresh.text,
            "refresh_token_expires_in": _REFRESH_SECONDS,
        }

    def _by_code(self, body: Mapping[str, Any], client: str) -> Credentials:
        # Popped before it is checked: a code that was tried with a wrong verifier is spent, too.
        code = self._codes.pop(str(body.get("code")), None)
        if code is None or code.client != client or code.expires <= self._now():
            raise OAuthError(403, "invalid_grant", "Forbidden: Invalid or expired code")
        if code.challenge:
            verifier = str(body.get("code_verifier", ""))
            digest = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=")
            if not _VERIFIER.fullmatch(verifier) or digest.decode() != code.challenge:
                raise OAuthError(403, "invalid_grant", "Forbidden: Invalid code_verifier")
        return code.credentials

    def _by_refresh_token(self, body: Mapping[str, Any], client: str) -> Credentials:
        token = self._tokens.find(str(body.get("refresh_token")), "refresh")
        if token is None or token.client != client:
            raise OAuthError(403, "invalid_grant", "Forbidden: Invalid or expired refresh_token")
        self._tokens.revoke(token.text)
        return token.credentials

    def _by_password(self, body: Mapping[str, Any], client: str) -> Credentials:
        user = self._tokens.sign_in(*(str(body.get(key) or "") for key in ("username", "password", "otp")))
        if user is None:
            raise OAuthError(403, "invalid_grant", "Forbidden: Invalid credentials")
        return user

    def _revoke(self, request: ReceivedRequest) -> Answer:
        token = self._own_token(request)
        if token is not None:
            self._tokens.revoke(token.text)
        return Answer(status=200)

    def _introspect(self, request: ReceivedRequest) -> Answer:
        token = self._own_token(request)
        if token is None:
            return make_json_answer({"active": False})
        about = {"active": True, "client_id": token.client, "username": token.credentials.name}
        return make_json_answer(about | {"sub": str(token.credentials.user), "exp": int(token.expires or 0)})

    def _own_token(self, request: ReceivedRequest) -> Token | None:
        body, client = self._client(request)
        token = self._tokens.find(str(body.get("token")), "access", "refresh")
        return token if token is not None and token.client == client else None

    def _userinfo(self, request: ReceivedRequest) -> Answer:
        user = self._tokens.identify(request).credentials
        about = {
            "sub": str(user.user),
            "name": user.name,
            "preferred_username": user.name,
            "email": user.email,
        }
        about |= {"zoneinfo": "Europe/Berlin", "locale": "en-US"}
        return make_json_answer(about | {"nopublic": False, "apionly": False, "updated_at": 872_838_840})

    def _client(self, request: ReceivedRequest) -> tuple[dict[str, Any], str]:
        """Return the body, and the client that sent it."""
        try:
            body = read_body(request.headers.get("Content-Type", ""), request.body)
        except Refusal as refusal:
            raise OAuthError(400, "invalid_request", refusal.text) from None
        scheme, _, encoded = request.headers.get("Authorization", "").partition(" ")
        client, secret = body.get("client_id"), body.get("client_secret")
        if scheme.lower() == "basic":
            client, secret = _basic(encoded)
        user = self._clients.get(str(client))
        if user is None or secret != user.appsecret:
            raise OAuthError(401, "invalid_client", "Unauthorized: Unknown client application")
        return body, str(client)


def _basic(encoded: str) -> tuple[str, str]:
    try:
        name, _, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return name, secret


def _check_authorization(query: Mapping[str, Any], clients: Mapping[str, Any]) -> None:
    uri = urlsplit(str(query.get("redirect_uri", "")))
    if query.get("client_id") not in clients:
        raise bad_request("Unknown client application")
    # A code on plain HTTP could be read by anybody on the way, except on the same machine.
    if uri.scheme != "https" and uri.hostname not in ("127.0.0.1", "localhost"):
        raise bad_request("Invalid redirect_uri")
    if query.get("response_type") != "code":
        raise bad_request("Invalid response_type")
    if query.get("response_mode", "query") not in ("query", "form_post"):
        raise bad_request("Invalid response_mode")
    if "code_challenge" in query and query.get("code_challenge_method") != "S256":
        raise bad_request("Invalid code_challenge_method")


def _posting_page(uri: str, values: Mapping[str, str]) -> str:
    inputs = "".join(
        f'<input type="hidden" name="{html.escape(name)}" value="{html.escape(value)}">'
        for name, value in values.items()
    )
    form = f'<form method="post" action="{html.escape(uri)}">{inputs}</form>'
    return f"<!DOCTYPE html><title>Back</title>{form}<script>document.forms[0].submit()</script>"
