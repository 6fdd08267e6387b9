"""Log-ins of Open-Xchange by name and password: in one step, as the web page's form, and in two steps."""

from __future__ import annotations

import uuid
from typing import Final

import attrs

from ...secrets import Secret
from ...wire import Request, Response
from ..base import AuthContext, Flow, to_password, to_user_name
from ..credential import Credential
from .base import OxSessionBackend, read_redirect, trace_id
from .session_state import SessionState
from .wire import Reply, form_refusal, read_reply, refusal

__all__ = ["OxFormLogin", "OxLogin", "OxTokenLogin"]

_VERSION: Final = "1"


@attrs.frozen(kw_only=True)
class _PasswordBackend(OxSessionBackend):
    """The arguments of the three log-ins, and the parameters that they send all alike."""

    name: str = attrs.field(kw_only=False, converter=to_user_name)
    password: Secret = attrs.field(kw_only=False, converter=to_password)
    version: str = _VERSION
    stay_signed_in: bool = False
    language: str | None = None
    auth_id: str | None = None
    client_ip: str | None = None

    @property
    def identity(self) -> str:
        """The user and the client."""
        # With the class: two kinds of log-in of one user have a session each.
        return f"ox:{type(self).__name__}:{self.name}:{self.client}"

    @property
    def login_name(self) -> str:
        """The name of the log-in, for messages: that of the user."""
        return f"the log-in of {self.name!r}"

    def _query(self) -> dict[str, str | None]:
        return {"authId": trace_id(self.auth_id), "language": self.language}

    def _fields(self, name_field: str, stay_field: str) -> dict[str, str | None]:
        """Return the form's fields, of which two have other names with each log-in."""
        return {
            name_field: self.name,
            "password": self.password.reveal(),
            "client": self.client,
            "version": self.version,
            stay_field: "true" if self.stay_signed_in else "false",
            "clientIP": self.client_ip,
        }


@attrs.frozen(kw_only=True)
class OxLogin(_PasswordBackend):
    """A log-in with name and password. A session that is lost is replaced by a fresh log-in, once a call.

    Args:
        name: The user's name, as typed at the web page.
        password: The password.
        client: What this program calls itself. A session can be resumed only under the same name.
        version: The program's version, for the server's statistics.
        stay_signed_in: Whether to ask for a session that lasts a week and not an hour.
        user_agent: The header of this name; the cookies count only together with it.
        language: The language of messages, such as ``"de_DE"``, if not the user's own.
        auth_id: What traces the log-in through the server's logs; a random one each time if left out.
        client_ip: The address that the session is bound to, if it is not the one that requests come from.
        second_factor: Answers the challenge of a second factor, where the user has one.
        factor: The ID, name or kind of the device to use for it; by default the first that is no backup.
        token_store: Where the session is kept between programs.

    Raises:
        ConfigurationError: An argument is empty or of the wrong type.
    """

    def obtain(self, context: AuthContext, rejected: Credential | None) -> Flow:
        """Log in.

        Raises:
            NotAuthenticated: The server refuses; ``code`` and message are its own.
            SecondFactorRequired: The user has a second factor, and nobody answers for it.
            ServerError: The answer makes no sense; the base URL may be wrong.
        """
        is_renewal = rejected is not None
        request = self.login_request(context, "login", self._query(), self._fields("name", "staySignedIn"))
        response: Response = yield request
        return (
            yield from self.open_session(context, request, response, self.password, is_renewal=is_renewal)
        )


@attrs.frozen(kw_only=True)
class OxFormLogin(_PasswordBackend):
    """A log-in as the web page's form does it, with the session in the address that the answer redirects to.

    Takes what :class:`OxLogin` takes.
    """

    def obtain(self, context: AuthContext, rejected: Credential | None) -> Flow:
        """Log in; raises as :meth:`OxLogin.obtain` does."""
        is_renewal = rejected is not None
        fields = self._fields("login", "autologin")
        request = self.login_request(context, "formlogin", self._query(), fields)
        response: Response = yield request
        reply = read_redirect(response) or read_reply(response)
        if reply.secret("session") is None:
            raise form_refusal(request, response, self.login_name, self.password)
        return (
            yield from self.open_session(
                context, request, response, self.password, reply=reply, is_renewal=is_renewal
            )
        )


@attrs.frozen(kw_only=True)
class OxTokenLogin(_PasswordBackend):
    """A log-in in two steps: the first gives a token, which opens the session together with one of ours.

    Takes what :class:`OxLogin` takes.
    """

    def obtain(self, context: AuthContext, rejected: Credential | None) -> Flow:
        """Log in; raises as :meth:`OxLogin.obtain` does."""
        is_renewal = rejected is not None
        client_token = Secret(uuid.uuid4().hex)
        request = self._token_request(context, client_token)
        response: Response = yield request
        server_token = (read_redirect(response) or read_reply(response)).secret("serverToken")
        if server_token is None:
            raise refusal(request, response, self.login_name, self.password)
        state = SessionState().with_cookies_of(response)
        request = self.with_state(state, self._session_request(context, client_token, server_token))
        response = yield request
        return (
            yield from self.open_session(
                context,
                request,
                response,
                server_token,
                client_token,
                state=state,
                reply=_merge_data(response),
                is_renewal=is_renewal,
            )
        )

    def _token_request(self, context: AuthContext, client_token: Secret) -> Request:
        fields = {
            **self._fields("login", "staySignedIn"),
            "clientToken": client_token.reveal(),
            "jsonResponse": "true",  # a redirect is understood as well
        }
        return self.login_request(context, "tokenLogin", self._query(), fields)

    def _session_request(self, context: AuthContext, client_token: Secret, server_token: Secret) -> Request:
        fields = {
            "serverToken": server_token.reveal(),
            "clientToken": client_token.reveal(),
            "client": self.client,
        }
        return self.login_request(context, "tokens", {}, fields)


def _merge_data(response: Response) -> Reply:
    """Return the fields of an answer and those in its ``data``, where the second step has the session."""
    reply = read_reply(response)
    data = reply.get("data")
    return Reply({**reply, **data}) if isinstance(data, dict) else reply
