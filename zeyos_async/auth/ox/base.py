"""The base of backends with a session of Open-Xchange: the requests of log-ins, and what keeps a session alive.

A session's ID travels in the query of each request and its cookies in a header, and both count only together with
the ``User-Agent`` and the client's name of the log-in. So a backend sends the same ``User-Agent`` each time, keeps what
cookies any answer sets, and takes both for one secret.
"""

from __future__ import annotations

import uuid
from collections.abc import Generator, Mapping
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs

import attrs
from yarl import URL

from ...errors import ConfigurationError
from ...forms import Form
from ...secrets import Secret
from ...urls import add_query, set_query
from ...wire import Request, Response, Safety
from ..base import AuthBackend, AuthContext, Flow, to_header_secret, to_secret
from ..credential import Credential
from .second_factor import SecondFactor, pass_second_factor
from .session_state import SessionState
from .wire import LOST_SESSION_CODES, SECOND_FACTOR_CODE, Reply, error_code, read_reply, refusal

if TYPE_CHECKING:
    from ..stores.base import TokenStore

__all__ = ["Cookies", "OxSessionBackend", "read_redirect", "to_cookies", "trace_id"]

_CLIENT: Final = "zeyos-async"
_NEW_SESSION_ACTIONS: Final = frozenset(
    {"anonymous", "autologin", "formlogin", "guest", "login", "redeemToken", "tokenLogin", "tokens"}
)
"""Actions of the module ``login`` that begin another session, whose cookies are not ours."""
_INFO_FIELDS: Final = ("user", "user_id", "context_id", "locale")

Cookies = tuple[tuple[str, Secret], ...]
"""Names and values of cookies, as a backend keeps them: frozen, and not to be shown."""


def to_cookies(value: Mapping[str, str]) -> Cookies:
    """Convert an argument to cookies.

    Raises:
        ConfigurationError: It is no mapping.
        InvalidArgument: A cookie can't be sent.
    """
    if not isinstance(value, Mapping):
        raise ConfigurationError("cookies= takes a mapping of the cookies' names to their values.")
    return tuple((name, to_header_secret(text, f"The cookie {name}")) for name, text in value.items())


def trace_id(value: str | None) -> str:
    """Return the ID that traces a log-in through the servers of a cluster: the user's, or a new one each time."""
    return value or uuid.uuid4().hex


def _to_client(value: str) -> str:
    return to_secret(value, "client").reveal()


def _to_user_agent(value: str) -> str:
    return to_header_secret(value, "user_agent").reveal()


@attrs.frozen(kw_only=True)
class OxSessionBackend(AuthBackend):
    """A backend with a session: what carries it, what ends it, and what keeps it. Subclasses say how it is opened."""

    client: str = attrs.field(default=_CLIENT, converter=_to_client)
    user_agent: str = attrs.field(default=_CLIENT, converter=_to_user_agent)
    second_factor: SecondFactor | None = attrs.field(default=None, repr=False)
    factor: str | None = None
    token_store: TokenStore | None = None

    @property
    def hint(self) -> str:
        """Advice for the case that a session does not count, though it was just opened."""
        return (
            "The log-in went well, but its session does not count: a proxy may change the address that requests "
            "come from, or drop cookies"
        )

    @property
    def login_name(self) -> str:
        """The name of the log-in, for messages."""
        return "the log-in"

    def apply(self, request: Request, credential: Credential) -> Request:
        """Return the request with the session in its query, the cookies, and the ``User-Agent`` of the log-in."""
        return self.with_state(SessionState.from_credential(credential), request)

    def with_state(self, state: SessionState, request: Request) -> Request:
        """Return the request within the session of a state; its ID is left out where there is none yet."""
        headers = request.headers.copy()
        headers.update(state.cookie_header(headers.get("Cookie")))
        headers["User-Agent"] = self.user_agent
        url = request.url
        # Some operations are about another session than the client's own, and name it themselves.
        if state.session and "session" not in url.query:
            url = add_query(url, {"session": state.session})
        return request.with_url(url, headers=headers)

    def rejected(self, request: Request, response: Response) -> bool:
        """Return whether there is no such session any more; also within status 200, and in a web page."""
        if response.status == 401:
            return True
        code = error_code(response.body)
        # Without an answer to the second factor, a new log-in would end in the same error.
        return code in LOST_SESSION_CODES or (code == SECOND_FACTOR_CODE and self.second_factor is not None)

    def on_response(
        self, request: Request, response: Response, sent: Credential, current: Credential
    ) -> Credential | None:
        """Return the credential with the cookies that an answer within the session sets."""
        if "Set-Cookie" not in response.headers or _begins_session(request.url):
            return None
        state = SessionState.from_credential(current)
        if SessionState.from_credential(sent).session != state.session:
            return None  # of a session that was replaced meanwhile
        changed = state.with_cookies_of(response)
        return None if changed == state else changed.to_credential(**current.info)

    def secrets(self, credential: Credential) -> tuple[Secret | None, ...]:
        """Return the session's ID and each cookie by itself: servers repeat the ID in their messages."""
        return SessionState.from_credential(credential).secrets

    def revocation_request(self, context: AuthContext, credential: Credential) -> Request:
        """Return the request of the log-out."""
        url = set_query(context.url("login"), {"action": "logout"})
        request = Request(method="GET", url=url, safety=Safety.REPEATABLE, operation="login.logout")
        return self.apply(request, credential)

    def login_request(
        self,
        context: AuthContext,
        action: str,
        query: Mapping[str, str | None],
        fields: Mapping[str, str | None] | None,
    ) -> Request:
        """Return the request of a log-in.

        Args:
            context: Where the log-in takes place.
            action: The action of the module ``login``.
            query: Further parameters; those that are ``None`` are left out.
            fields: The fields of the form that is posted, likewise; ``None`` for a GET without a form.
        """
        parameters = {"action": action, **{key: text for key, text in query.items() if text is not None}}
        form = None if fields is None else Form({k: v for k, v in fields.items() if v is not None})
        content_type = {} if form is None else {"Content-Type": form.content_type}
        return Request(
            method="GET" if form is None else "POST",
            url=set_query(context.url("login"), parameters),
            headers={"Accept": "application/json", "User-Agent": self.user_agent, **content_type},
            body=None if form is None else form.encode(),
            safety=Safety.REPEATABLE,  # at worst there is a session that nobody uses
            operation=f"login.{action}",
            follow=action
            not in ("formlogin", "tokenLogin"),  # their redirect carries the session in its address
        )

    def open_session(
        self,
        context: AuthContext,
        request: Request,
        response: Response,
        *secrets: Secret | None,
        state: SessionState | None = None,
        reply: Reply | None = None,
        is_renewal: bool = False,
    ) -> Flow:
        """Make the credential of an answer that holds a session, after the second factor; use ``yield from``.

        Args:
            context: Where the log-in takes place.
            request: The last request of the log-in.
            response: The answer to it.
            *secrets: What must not be in an error's message.
            state: The cookies so far.
            reply: The fields of the answer, if they don't stand in its body.
            is_renewal: Whether an earlier session did not count. Not every log-in tells that a second factor is
                needed; a renewal asks the user's devices, if there are any, all the same.
        """
        fields = read_reply(response) if reply is None else reply
        session = fields.secret("session")
        if session is None:
            raise refusal(request, response, self.login_name, *secrets)
        state = attrs.evolve((state or SessionState()).with_cookies_of(response), session=session.reveal())
        is_required = str(fields.get("requires_multifactor", "")).lower() == "true"
        if is_required or (is_renewal and self.second_factor is not None):
            state = yield from self._pass_second_factor(context, state, is_required=is_required)
        return state.to_credential(
            **{key: fields[key] for key in _INFO_FIELDS if fields.get(key) is not None}
        )

    def _pass_second_factor(
        self, context: AuthContext, state: SessionState, *, is_required: bool
    ) -> Generator[Any, Any, SessionState]:
        """Return the state of the session after the second factor, which may have set further cookies."""

        def send(request: Request) -> Generator[Request, Response, Response]:
            nonlocal state
            response = yield self.with_state(state, request)
            state = state.with_cookies_of(response)
            # Errors quote what servers say, and these like to repeat the session.
            return attrs.evolve(response, body=response.body.replace(state.session.encode(), b"***"))

        yield from pass_second_factor(context, send, self.second_factor, self.factor, is_required=is_required)
        return state


def _begins_session(url: URL) -> bool:
    return url.name == "login" and url.query.get("action") in _NEW_SESSION_ACTIONS


def read_redirect(response: Response) -> Reply:
    """Read the fields in the fragment of the address that an answer redirects to, which is never followed."""
    # The fragment begins with the parameters, or with "!", "?" or "&" before them.
    fragment = response.headers.get("Location", "").partition("#")[2].removeprefix("!").lstrip("?&")
    return Reply({name: values[0] for name, values in parse_qs(fragment).items()})
