"""ZeyOS: a log-in by name and password, which gives a bearer token (``/auth/v1/login``)."""

from __future__ import annotations

import json
import math
import re
from typing import TYPE_CHECKING, Final

import attrs

from ...errors import (
    ConfigurationError,
    NotAuthenticated,
    PermissionDenied,
    ServerError,
    error_class,
    quote_value,
)
from ...secrets import Secret, redact
from ...wire import Request, Response, Safety, public_url
from ..base import (
    AuthBackend,
    AuthContext,
    Flow,
    TokenSource,
    fingerprint,
    resolve_source,
    to_code_source,
    to_password,
    to_secret,
    to_user_name,
)
from ..credential import Credential
from ..stores.base import check_store_field

if TYPE_CHECKING:
    from ..stores.base import TokenStore

__all__ = ["PasswordLogin"]

_IDENTIFIER: Final = re.compile(r"[a-zA-Z0-9_.:-]+")
_TOKEN: Final = re.compile(r"[\x21-\x7e]+")
_MAX_QUOTE: Final = 200


def _check_identifier(value: str) -> str:
    if not isinstance(value, str) or not _IDENTIFIER.fullmatch(value):
        raise ConfigurationError(
            f"identifier={quote_value(value)} names this client to the server, and may hold letters, digits and _ . : - only "
            "(for instance a host name or a UUID)."
        )
    return value


def _to_application_secret(value: str | Secret | None) -> Secret | None:
    return None if value is None else to_secret(value, "appsecret")


@attrs.frozen
class PasswordLogin(AuthBackend):
    """A backend that logs in at ``{base}/auth/v1/login`` and sends the token that it gets.

    ZeyOS has no refresh for these tokens: when one is rejected or about to expire, the log-in is done
    again. A log-in may be repeated; at worst there is a token that nobody uses.

    Args:
        name: User name or e-mail address.
        password: The password.
        identifier: A lasting name of this client, of letters, digits and ``_ . : -``.
        appsecret: The application's secret. Without it the server issues a token, but the REST API
            does not accept it.
        otp: The code of the second factor, or a callable, sync or async, that gives the present one.
            A code that is a text can be used for one log-in only.
        token_store: Where the token is kept between programs, so that they need not log in each time.

    Raises:
        ConfigurationError: An argument is empty or has characters that the server refuses.
    """

    name: str = attrs.field(converter=to_user_name)
    password: Secret = attrs.field(converter=to_password)
    identifier: str = attrs.field(converter=_check_identifier, kw_only=True)
    appsecret: Secret | None = attrs.field(default=None, converter=_to_application_secret, kw_only=True)
    otp: TokenSource | None = attrs.field(
        default=None,
        converter=to_code_source,
        kw_only=True,
        repr=lambda value: "None" if value is None else "***",
    )
    token_store: TokenStore | None = attrs.field(default=None, kw_only=True, validator=check_store_field)

    @property
    def identity(self) -> str:
        """The user, this client, and which application."""
        parts = ("password", self.name, self.identifier, fingerprint(self.appsecret))
        return ":".join(part for part in parts if part)

    @property
    def hint(self) -> str:
        """Advice for a token that is rejected though the log-in was successful."""
        if self.appsecret is None:
            return "The log-in went well, but without appsecret=, and the REST API accepts only tokens issued with one"
        return "The log-in went well, but the token is not accepted: check the appsecret and the application's rights"

    def obtain(self, context: AuthContext, rejected: Credential | None) -> Flow:
        """Log in.

        Raises:
            NotAuthenticated: The server refuses name, password, code or application secret.
            ServerError: The answer makes no sense; the base URL may be wrong.
        """
        code = None
        if self.otp is not None:
            code = yield from resolve_source(self.otp, "otp")
        request = self._request(context, code)
        response: Response = yield request
        if not response.ok:
            raise self._refusal(request, response, code)
        return _read_credential(request, response)

    def _request(self, context: AuthContext, code: Secret | None) -> Request:
        fields = {"name": self.name, "password": self.password.reveal(), "identifier": self.identifier}
        if self.appsecret is not None:
            fields["appsecret"] = self.appsecret.reveal()
        if code is not None:
            fields["otp"] = code.reveal()
        return Request(
            method="POST",
            url=context.url("auth/v1/login"),
            headers={"Content-Type": "application/json", "Accept": "application/json"},
            body=json.dumps(fields).encode(),
            safety=Safety.REPEATABLE,
            operation="auth.login",
        )

    def _refusal(self, request: Request, response: Response, code: Secret | None) -> Exception:
        reason = redact(_read_refusal(response), self.password, self.appsecret, code)
        message = f"the log-in of {self.name!r} was refused"
        if reason:
            message += f": {reason}"
        if response.status == 401:
            message += f". Check {self._list_suspects()}"
        elif response.status == 404:
            message += ". There is no log-in at this address: does the base URL end with the instance's name?"
        error = error_class(response.status)(
            message, status=response.status, method=request.method, url=public_url(request.url)
        )
        if isinstance(error, (NotAuthenticated, PermissionDenied)):
            error.hint = ""  # the message says it already
        return error

    def _list_suspects(self) -> str:
        """Return the arguments that may be wrong, for the message of a refusal."""
        parts = ["the user name", "the password"]
        parts += ["the appsecret"] if self.appsecret is not None else []
        parts += ["the otp code"] if self.otp is not None else []
        text = ", ".join(parts[:-1]) + " and " + parts[-1]
        if self.appsecret is None:
            text += "; no appsecret was given, and the REST API accepts only tokens that were issued with one"
        if self.otp is None:
            text += "; a user with a second factor needs otp="
        return text


def _read_refusal(response: Response) -> str:
    """Return the text of a refusal on one line, or the remark that it is a page."""
    text = response.text.strip().strip('"')
    if response.content_type == "text/html" or text.startswith("<"):
        return "the answer is an HTML page; is the base URL right?"
    return " ".join(text[:_MAX_QUOTE].split())


def _read_credential(request: Request, response: Response) -> Credential:
    result = _parse_token(response)
    if isinstance(result, Credential):
        return result
    raise ServerError(
        f"the answer to the log-in makes no sense: {result}. Is the base URL right? "
        "It ends with the instance's name, such as https://cloud.zeyos.com/demo",
        status=response.status,
        method=request.method,
        url=public_url(request.url),
    )


def _parse_token(response: Response) -> Credential | str:
    """Return the token of an answer, or what is wrong with it. Whoever raises must not have it in a variable."""
    try:
        answer = response.json()
    except ValueError:
        return "it is an HTML page" if response.body.lstrip()[:1] == b"<" else "it is not JSON"
    if not isinstance(answer, dict):
        return "it is no JSON object"
    token = answer.get("token")
    if not isinstance(token, str) or not _TOKEN.fullmatch(token):
        return "it holds no token"
    expires = answer.get("expdate")
    if isinstance(expires, str) and expires.isascii() and expires.isdigit() and len(expires) < 20:
        expires = int(expires)
    # What is no time tells nothing about the token beside it. ``True`` is an int in Python, and no time.
    if isinstance(expires, bool) or not isinstance(expires, (int, float)) or not 0 < expires < math.inf:
        expires = None
    info = {key: answer[key] for key in ("user", "application", "identifier") if key in answer}
    return Credential(secret=token, expires_at=expires or None, info=info)
