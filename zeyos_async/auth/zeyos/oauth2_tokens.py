"""The token endpoint of OAuth 2.0: requests of an application, the tokens in its answers, and its refusals."""

from __future__ import annotations

import base64
import math
import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlencode

import attrs

from ...errors import ApiError, ConfigurationError, NotAuthenticated, ServerError, error_class
from ...secrets import Secret, redact
from ...wire import Request, Response, Safety, public_url
from ..base import AuthContext, Flow, to_header_secret
from ..credential import Credential

__all__ = ["Application", "read_tokens", "refresh_flow", "to_client_id", "to_client_secret"]

_TOKEN: Final = re.compile(r"[\x21-\x7e]+")
_MAX_QUOTE: Final = 200
_ADVICE_ON_GRANTS: Final = (
    "It can be used once and for a limited time. If another program used it, let them share a token store; "
    "otherwise sign in again"
)


def to_client_id(value: str) -> str:
    """Convert an argument to the identifier of an application.

    Raises:
        ConfigurationError: It can't be one.
    """
    text = to_header_secret(value, "client_id").reveal()
    if ":" in text:  # it would end there, in Basic authentication
        raise ConfigurationError("client_id must not hold a colon.")
    return text


def to_client_secret(value: str | Secret | None) -> Secret | None:
    """Convert an argument to the secret of an application, or ``None`` for one that has none."""
    return None if value is None else to_header_secret(value, "client_secret")


@attrs.frozen
class Application:
    """An application of the instance, which proves itself to the token endpoint.

    Attributes:
        client_id: Its identifier.
        client_secret: Its secret; ``None`` for one that has none.
    """

    client_id: str
    client_secret: Secret | None

    def request(self, context: AuthContext, path: str, operation: str, **fields: str | Secret) -> Request:
        """Return a request to the token API, which is sent once: codes and refresh tokens work once."""
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
        if self.client_secret is None:
            fields["client_id"] = self.client_id
        else:
            headers["Authorization"] = f"Basic {_basic_pair(self.client_id, self.client_secret)}"
        return Request(
            method="POST",
            url=context.url(f"oauth2/v1/{path}"),
            headers=headers,
            body=urlencode(
                {k: v.reveal() if isinstance(v, Secret) else v for k, v in fields.items()}
            ).encode(),
            safety=Safety.ONCE,  # codes and refresh tokens work once, and a second use may end the session
            operation=operation,
        )

    def refusal(
        self,
        grant: str,
        request: Request,
        response: Response,
        *secrets: Secret | None,
        advice_on_grant: str = _ADVICE_ON_GRANTS,
    ) -> ApiError:
        """Return the error for an answer that refuses.

        Args:
            grant: The name of what was sent, such as a token, for the case that it is not accepted.
            request: What was sent.
            response: What came back.
            *secrets: What must not be in the message, should the server repeat it.
            advice_on_grant: What to do in that case.
        """
        code, reason = _read_refusal(response)
        reason = redact(reason, self.client_secret, *secrets)
        subject, advice = "the request", ""
        if code == "invalid_grant":
            subject, advice = grant, advice_on_grant
        elif code == "invalid_client" or response.status == 401:
            subject, advice = f"the application {self.client_id!r}", "Check client_id and client_secret"
        elif response.status == 404:
            advice = "There is no OAuth 2.0 here: does the base URL end with the instance's name?"
        error_type = NotAuthenticated if advice and response.status != 404 else error_class(response.status)
        parts = [
            f"{subject} was not accepted" + (f" ({reason})" if reason else ""),
            *([advice] if advice else []),
        ]
        error = error_type(
            ". ".join(parts),
            status=response.status,
            code=code,
            method=request.method,
            url=public_url(request.url),
        )
        error.hint = ""
        return error


def _basic_pair(client_id: str, secret: Secret) -> str:
    return base64.b64encode(f"{client_id}:{secret.reveal()}".encode()).decode("ascii")


def _read_refusal(response: Response) -> tuple[str, str]:
    """Return the code and the text of a refusal."""
    try:
        answer = response.json()
    except ValueError:
        answer = None
    if isinstance(answer, Mapping):
        code, description = answer.get("error"), answer.get("error_description")
        text = description if isinstance(description, str) else code if isinstance(code, str) else ""
        return (code[:80] if isinstance(code, str) else ""), _to_line(text)
    if response.content_type == "text/html" or response.body.lstrip()[:1] == b"<":
        return "", "an HTML page; is the base URL right?"
    return "", _to_line(response.text)


def _to_line(text: str) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in text[:_MAX_QUOTE]).split())


def refresh_flow(application: Application, context: AuthContext, refresh: Secret, *secrets: Secret) -> Flow:
    """Refresh tokens; use it with ``yield from``.

    Args:
        application: The application that the refresh token was given to.
        context: Where that takes place.
        refresh: The refresh token.
        *secrets: What must not be in an error, besides.

    Raises:
        NotAuthenticated: The refresh token, or the application, is not accepted.
    """
    request = application.request(
        context, "token", "oauth2.refresh", grant_type="refresh_token", refresh_token=refresh
    )
    response: Response = yield request
    if not response.ok:
        raise application.refusal("the refresh token", request, response, refresh, *secrets)
    return read_tokens(request, response, context.clock(), refresh)


def read_tokens(request: Request, response: Response, now: float, previous: Secret | None) -> Credential:
    """Read the tokens of an answer; without a new refresh token, the previous one goes on.

    Raises:
        ServerError: It holds no usable ones.
    """
    result = _parse_tokens(response, now, previous)
    if isinstance(result, Credential):
        return result
    raise ServerError(
        f"the server's answer holds no usable tokens: {result}",
        status=response.status,
        method=request.method,
        url=public_url(request.url),
    )


def _parse_tokens(response: Response, now: float, previous: Secret | None) -> Credential | str:
    """Return the tokens of an answer, or what is wrong with it. Whoever raises must not have them in a variable."""
    try:
        answer = response.json()
    except ValueError:
        return "it is not JSON"
    if not isinstance(answer, dict):
        return "it is no JSON object"
    # Some servers write what they don't have as an empty text or as null; the token beside it is good.
    access, refresh = answer.get("access_token"), answer.get("refresh_token") or None
    refresh = None if isinstance(refresh, str) and not refresh.strip() else refresh
    if not isinstance(access, str) or not _TOKEN.fullmatch(access):
        return "there is no access_token"
    if refresh is not None and (not isinstance(refresh, str) or not _TOKEN.fullmatch(refresh)):
        return "its refresh_token is none"
    if str(answer.get("token_type") or "Bearer").lower() != "bearer":
        return "its tokens are no bearer tokens"
    access_lifetime = _parse_lifetime(answer.get("expires_in"))
    refresh_lifetime = _parse_lifetime(answer.get("refresh_token_expires_in"))
    return Credential(
        secret=access,
        refresh=refresh or previous,  # RFC 6749, 6: without a new one, the one before goes on
        expires_at=None if access_lifetime is None else now + access_lifetime,
        info={} if refresh_lifetime is None else {"refresh_expires_at": int(now + refresh_lifetime)},
    )


def _parse_lifetime(value: object) -> float | None:
    """Return a lifetime in seconds, which some servers write as text; ``None`` for anything else."""
    try:
        seconds = float(value) if isinstance(value, (int, float, str)) else math.nan
    except (ValueError, OverflowError):
        return None
    # A lifetime of 0 would have each call refresh before it is sent.
    return seconds if 0 < seconds < math.inf else None
