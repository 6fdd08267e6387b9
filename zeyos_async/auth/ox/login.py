"""Open-Xchange's ways to a session: a log-in by name and password, by tokens, by cookies; or one that is there.

A session's ID travels in the query of each request and its cookies in a header, and both count only together with the ``User-Agent`` and the client's name of the log-in. So a backend sends the
same ``User-Agent`` each time, keeps what cookies any answer sets, and takes both for one secret.
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
from ...wire import Request, Response, Safety
from ..base import (
    AuthBackend,
    AuthContext,
    Credential,
    Flow,
    TokenSource,
    ask,
    fingerprint,
    header_value,
    secret_text,
)
from .second_factor import SecondFactor, pass_second_factor
from .wire import (
    LOST,
    SECOND_FACTOR,
    Reply,
    State,
    error_code,
    refusal,
    reply_of,
    with_cookies_of,
)

if TYPE_CHECKING:
    from ..stores.base import TokenStore

__all__ = ["OxAutologin", "OxFormLogin", "OxLogin", "OxRedeemToken", "OxSession", "OxTokenLogin"]

_CLIENT: Final = "zeyos-async"
_VERSION: Final = "1"
_OPENING: Final = frozenset(
    {"anonymous", "autologin", "formlogin", "guest", "login", "redeemToken", "tokenLogin", "tokens"}
)
"""Actions of the module ``login`` that begin another session, whose cookies are not ours."""
_INFO: Final = ("user", "user_id", "context_id", "locale")


def _client(value: str) -> str:
    return secret_text(value, "client").reveal()


def _user(value: str) -> str:
    return secret_text(value, "The user name").reveal()


def _password(value: str | Secret) -> Secret:
    return secret_text(value, "The password")


def _app_secret(value: str | Secret) -> Secret:
    return secret_text(value, "secret")


def _session_id(value: str | Secret) -> Secret:
    return secret_text(value, "session")


def _token(value: TokenSource) -> TokenSource:
    return value if callable(value) else secret_text(value, "The token")


def _agent(value: str) -> str:
    return header_value(value, "user_agent").reveal()


def _cookies(value: Mapping[str, str]) -> tuple[tuple[str, Secret], ...]:
    if not isinstance(value, Mapping):
        raise ConfigurationError("cookies= takes a mapping of the cookies' names to their values.")
    return tuple((name, header_value(text, f"The cookie {name}")) for name, text in value.items())


@attrs.frozen(kw_only=True)
class _Ox(AuthBackend):
    """What all sessions share: where they travel, what ends them, and what keeps them."""

    client: str = attrs.field(default=_CLIENT, converter=_client)
    user_agent: str = attrs.field(default=_CLIENT, converter=_agent)
    second_factor: SecondFactor | None = attrs.field(default=None, repr=False)
    factor: str | None = None
    token_store: TokenStore | None = None

    @property
    def hint(self) -> str:
        """Why a session that was just opened may not count."""
        return (
            "The log-in went well, but its session does not count: a proxy may change the address that requests "
            "come from, or drop cookies"
        )

    @property
    def whose(self) -> str:
        """Whose log-in it is, for messages."""
        return "the log-in"

    def apply(self, request: Request, credential: Credential) -> Request:
        """The request with the session in its query, the cookies, and the ``User-Agent`` of the log-in."""
        return self._within(State.of(credential), request)

    def _within(self, state: State, request: Request) -> Request:
        headers = request.headers.copy()
        headers.update(state.cookie_header(headers.get("Cookie")))
        headers["User-Agent"] = self.user_agent
        url = request.url
        if state.session and "session" not in url.query:
            url = url.extend_query(session=state.session)
        return request.with_url(url, headers=headers)

    def rejected(self, request: Request, response: Response) -> bool:
        """Whether there is no such session any more; also within status 200, and in a web page."""
        if response.status == 401:
            return True
        code = error_code(response.body)
        return code in LOST or (code == SECOND_FACTOR and self.second_factor is not None)

    def on_response(
        self, request: Request, response: Response, sent: Credential, current: Credential
    ) -> Credential | None:
        """The credential with the cookies that an answer within the session sets."""
        if "Set-Cookie" not in response.headers or _opens_another(request.url):
            return None
        state = State.of(current)
        if State.of(sent).session != state.session:
            return None  # of a session that was replaced meanwhile
        changed = with_cookies_of(state, response)
        return None if changed == state else changed.packed(**current.info)

    def secrets(self, credential: Credential) -> tuple[Secret | None, ...]:
        """The session's ID and each cookie by itself: servers repeat the ID in their messages."""
        return State.of(credential).secrets

    def revocation_request(self, context: AuthContext, credential: Credential) -> Request:
        """The log-out."""
        url = context.url("login").with_query(action="logout")
        request = Request(method="GET", url=url, safety=Safety.REPEATABLE, operation="login.logout")
        return self.apply(request, credential)

    def _begin(
        self,
        context: AuthContext,
        action: str,
        query: Mapping[str, str | None],
        fields: Mapping[str, str | None] | None,
    ) -> Request:
        """The request of a log-in; what is ``None`` is left out."""
        asked = {"action": action, **{key: text for key, text in query.items() if text is not None}}
        form = None if fields is None else Form({k: v for k, v in fields.items() if v is not None})
        kind = {} if form is None else {"Content-Type": form.content_type}
        return Request(
            method="GET" if form is None else "POST",
            url=context.url("login").with_query(asked),
            headers={"Accept": "application/json", "User-Agent": self.user_agent, **kind},
            body=None if form is None else form.encode(),
            safety=Safety.REPEATABLE,  # at worst there is a session that nobody uses
            operation=f"login.{action}",
            follow=action not in ("formlogin", "tokenLogin"),
        )

    def _opened(
        self,
        context: AuthContext,
        request: Request,
        response: Response,
        *secrets: Secret | None,
        state: State | None = None,
        reply: Reply | None = None,
        again: bool = False,
    ) -> Flow:
        """The credential of an answer that holds a session, after the second factor.

        Not every way in tells that one is needed: ``again``, when an earlier session did not count, devices
        that can be asked are asked all the same.
        """
        found = reply_of(response) if reply is None else reply
        session = found.secret("session")
        if session is None:
            raise refusal(request, response, self.whose, *secrets)
        state = attrs.evolve(with_cookies_of(state or State(), response), session=session.reveal())
        needed = str(found.get("requires_multifactor", "")).lower() == "true"
        if needed or (again and self.second_factor is not None):
            state = yield from self._proven(context, state, needed=needed)
        return state.packed(**{key: found[key] for key in _INFO if found.get(key) is not None})

    def _proven(self, context: AuthContext, state: State, *, needed: bool) -> Generator[Any, Any, State]:
        """The state of the session after the second factor."""

        def send(request: Request) -> Generator[Request, Response, Response]:
            nonlocal state
            response = yield self._within(state, request)
            state = with_cookies_of(state, response)
            # Errors quote what servers say, and these like to repeat the session.
            return attrs.evolve(response, body=response.body.replace(state.session.encode(), b"***"))

        yield from pass_second_factor(context, send, self.second_factor, self.factor, needed=needed)
        return state


def _opens_another(url: URL) -> bool:
    return url.name == "login" and url.query.get("action") in _OPENING


def _trace(value: str | None) -> str:
    """What traces one log-in through the servers of a cluster; a new one each time."""
    return value or uuid.uuid4().hex


@attrs.frozen(kw_only=True)
class _ByPassword(_Ox):
    name: str = attrs.field(kw_only=False, converter=_user)
    password: Secret = attrs.field(kw_only=False, converter=_password)
    version: str = _VERSION
    stay_signed_in: bool = False
    language: str | None = None
    auth_id: str | None = None
    client_ip: str | None = None

    @property
    def identity(self) -> str:
        """The user and the client."""
        return f"ox:{type(self).__name__}:{self.name}:{self.client}"

    @property
    def whose(self) -> str:
        """Whose log-in it is."""
        return f"the log-in of {self.name!r}"

    def _query(self) -> dict[str, str | None]:
        return {"authId": _trace(self.auth_id), "language": self.language}

    def _fields(self, name: str, stay: str) -> dict[str, str | None]:
        """The form's fields, of which two have other names with each way in."""
        return {
            name: self.name,
            "password": self.password.reveal(),
            "client": self.client,
            "version": self.version,
            stay: "true" if self.stay_signed_in else "false",
            "clientIP": self.client_ip,
        }


@attrs.frozen(kw_only=True)
class OxLogin(_ByPassword):
    """Logs in with name and password. A session that is lost is replaced by a fresh log-in, once a call.

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
        """The log-in.

        Raises:
            NotAuthenticated: The server refuses; ``code`` and message are its own.
            SecondFactorRequired: The user has a second factor, and nobody answers for it.
            ServerError: The answer makes no sense; the base URL may be wrong.
        """
        again = rejected is not None
        request = self._begin(context, "login", self._query(), self._fields("name", "staySignedIn"))
        response: Response = yield request
        return (yield from self._opened(context, request, response, self.password, again=again))


@attrs.frozen(kw_only=True)
class OxFormLogin(_ByPassword):
    """Logs in as the web page's form does, and takes the session from where the answer redirects to.

    Takes what :class:`OxLogin` takes.
    """

    def obtain(self, context: AuthContext, rejected: Credential | None) -> Flow:
        """The log-in; raises as that of :class:`OxLogin`."""
        again = rejected is not None
        request = self._begin(context, "formlogin", self._query(), self._fields("login", "autologin"))
        response: Response = yield request
        reply = _redirected(response) or reply_of(response)
        return (yield from self._opened(context, request, response, self.password, reply=reply, again=again))


@attrs.frozen(kw_only=True)
class OxTokenLogin(_ByPassword):
    """Logs in by two steps: the log-in gives a token, which opens the session together with one of ours.

    Takes what :class:`OxLogin` takes.
    """

    def obtain(self, context: AuthContext, rejected: Credential | None) -> Flow:
        """The log-in; raises as that of :class:`OxLogin`."""
        again = rejected is not None
        ours = Secret(uuid.uuid4().hex)
        request = self._first(context, ours)
        response: Response = yield request
        theirs = (_redirected(response) or reply_of(response)).secret("serverToken")
        if theirs is None:
            raise refusal(request, response, self.whose, self.password)
        state = with_cookies_of(State(), response)
        request = self._within(state, self._second(context, ours, theirs))
        opened: Response = yield request
        reply = _inner(opened)
        secrets = (theirs, ours)
        return (
            yield from self._opened(context, request, opened, *secrets, state=state, reply=reply, again=again)
        )

    def _first(self, context: AuthContext, ours: Secret) -> Request:
        fields = {
            **self._fields("login", "staySignedIn"),
            "clientToken": ours.reveal(),
            "jsonResponse": "true",
        }
        return self._begin(context, "tokenLogin", self._query(), fields)

    def _second(self, context: AuthContext, ours: Secret, theirs: Secret) -> Request:
        tokens = {"serverToken": theirs.reveal(), "clientToken": ours.reveal(), "client": self.client}
        return self._begin(context, "tokens", {}, tokens)


@attrs.frozen(kw_only=True)
class OxRedeemToken(_Ox):
    """Opens a session with a token that another program acquired for us (``token?action=acquireToken``).

    Args:
        token: The token, or a callable, sync or async, that gives one. A token that is a text serves once:
            when its session is lost, that is raised.
        secret: The secret that the server's administrator gave this application.
        client: What this program calls itself.
        user_agent: The header of this name; the cookies count only together with it.
        auth_id: What traces the log-in through the server's logs; a random one each time if left out.
        second_factor: Answers the challenge of a second factor, where the user has one.
        factor: The ID, name or kind of the device to use for it.
        token_store: Where the session is kept between programs.

    Raises:
        ConfigurationError: An argument is empty or of the wrong type.
    """

    token: TokenSource = attrs.field(kw_only=False, converter=_token, repr=lambda value: "***")
    secret: Secret = attrs.field(kw_only=False, converter=_app_secret)
    auth_id: str | None = None

    @property
    def identity(self) -> str:
        """The application and the client, and the token if it is always the same."""
        token = "" if callable(self.token) else fingerprint(Secret(self.token))
        return f"ox:token:{self.client}:{fingerprint(self.secret)}:{token}"

    def obtain(self, context: AuthContext, rejected: Credential | None) -> Flow | Credential:
        """The log-in; raises as that of :class:`OxLogin`."""
        if rejected is not None and not callable(self.token):
            return rejected
        return self._redeem(context, again=rejected is not None)

    def _redeem(self, context: AuthContext, *, again: bool) -> Flow:
        token = yield from ask(self.token, "The token")
        request = self._request(context, token)
        response: Response = yield request
        return (yield from self._opened(context, request, response, token, self.secret, again=again))

    def _request(self, context: AuthContext, token: Secret) -> Request:
        fields = {"token": token.reveal(), "client": self.client, "secret": self.secret.reveal()}
        return self._begin(context, "redeemToken", {"authId": _trace(self.auth_id)}, fields)


@attrs.frozen(kw_only=True)
class OxAutologin(_Ox):
    """Resumes a session that stays signed in, by its cookies.

    Args:
        cookies: Name → value of the cookies of that log-in.
        client: The client's name at that log-in.
        user_agent: The ``User-Agent`` at that log-in.
        auth_id: What traces the log-in through the server's logs; a random one each time if left out.
        second_factor: Answers the challenge of a second factor, where the user has one.
        factor: The ID, name or kind of the device to use for it.
        token_store: Where the session is kept between programs.

    Raises:
        ConfigurationError: An argument is of the wrong type.
        InvalidArgument: A cookie can't be sent.
    """

    cookies: tuple[tuple[str, Secret], ...] = attrs.field(kw_only=False, converter=_cookies)
    auth_id: str | None = None

    @property
    def identity(self) -> str:
        """The client and the cookies."""
        return f"ox:autologin:{self.client}:{':'.join(fingerprint(value) for _, value in self.cookies)}"

    def obtain(self, context: AuthContext, rejected: Credential | None) -> Flow:
        """The log-in; raises as that of :class:`OxLogin`."""
        again = rejected is not None
        given = State("", _revealed(self.cookies))
        state = given if rejected is None else attrs.evolve(State.of(rejected), session="")
        query = {"client": self.client, "authId": _trace(self.auth_id)}
        request = self._begin(context, "autologin", query, None)
        response: Response = yield self._within(state, request)
        return (yield from self._opened(context, request, response, *state.secrets, state=state, again=again))


@attrs.frozen(kw_only=True)
class OxSession(_Ox):
    """Uses a session that was opened elsewhere. When it is lost, that is raised.

    Args:
        session: The session's ID.
        cookies: Name → value of its cookies.
        user_agent: The ``User-Agent`` that it was opened with.

    Raises:
        ConfigurationError: An argument is empty or of the wrong type.
    """

    session: Secret = attrs.field(kw_only=False, converter=_session_id)
    cookies: tuple[tuple[str, Secret], ...] = attrs.field(kw_only=False, converter=_cookies)

    @property
    def identity(self) -> str:
        """The session."""
        return f"ox:session:{fingerprint(self.session)}"

    @property
    def hint(self) -> str:
        """Why it may not count."""
        return (
            "The session has ended, or its cookies or its User-Agent are not those that it was opened with: "
            "open another one"
        )

    def obtain(self, context: AuthContext, rejected: Credential | None) -> Credential:
        """The session; there is no other."""
        return rejected or State(self.session.reveal(), _revealed(self.cookies)).packed()


def _revealed(cookies: tuple[tuple[str, Secret], ...]) -> dict[str, str]:
    return {name: value.reveal() for name, value in cookies}


def _redirected(response: Response) -> Reply:
    """What stands in the fragment of the address that an answer redirects to; never followed."""
    fragment = response.headers.get("Location", "").partition("#")[2].removeprefix("!").lstrip("?&")
    return Reply({name: values[0] for name, values in parse_qs(fragment).items()})


def _inner(response: Response) -> Reply:
    """The fields in ``data``, where the second step of a log-in has them, over those beside it."""
    reply = reply_of(response)
    data = reply.get("data")
    return Reply({**reply, **data}) if isinstance(data, dict) else reply
