"""Sessions, their cookies and their ends; tokens of OAuth."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from http.cookies import CookieError, SimpleCookie
from typing import Final, Literal

import attrs

from ..answers import ReceivedRequest
from .documented_api import ApiOperation
from .refusals import TRY_AGAIN, OAuthRefusal, OxError, session_expired
from .server_options import OxServerOptions
from .state import OxUser, ServerState

__all__ = ["OxSession", "SessionStore", "TokenGrant", "missing_session", "read_cookies"]

CookieKind = Literal["secret", "session", "public-session"]
# The name of the only server there is; with ``affinity``, a session is known to this one alone.
_ROUTE: Final = "OX0"
_DAY: Final = 86_400


@attrs.define(kw_only=True)
class OxSession:
    """A log-in of a user.

    Attributes:
        id: The value that requests carry as ``session``.
        secret: The value of the secret cookie.
        public: The value of the cookie for images.
        user: The user who logged in.
        client: The name that the client gave itself.
        user_agent: The header at the log-in.
        ip: The address that the log-in came from.
        stays_signed_in: Whether the user stays signed in.
        last_used: The time of its last request, in Unix seconds.
        created: The time of the log-in.
        needs_second_factor: Whether the second factor is missing.
    """

    id: str
    secret: str = attrs.field(repr=False)
    public: str = attrs.field(repr=False)
    user: OxUser
    client: str = ""
    user_agent: str = ""
    ip: str = ""
    stays_signed_in: bool = False
    last_used: float = 0.0
    created: float = 0.0
    needs_second_factor: bool = False


@attrs.frozen(kw_only=True)
class TokenGrant:
    """The user and the scopes that a token of OAuth stands for.

    Attributes:
        user: The user to act for.
        scopes: The allowed scopes; ``None`` is everything.
        expires_at: Unix seconds.
    """

    user: OxUser
    scopes: frozenset[str] | None
    expires_at: float


class SessionStore:
    """The open sessions, and the tokens of OAuth.

    Args:
        state: Makes the tokens, and has the clock.
        count: The counter of the journal, for log-ins.

    Attributes:
        open_sessions: Session id → session.
        transfers: Log-ins that wait to become sessions: token → session, and the client's half or ``""``.
    """

    def __init__(self, state: ServerState, *, count: Counter[str]) -> None:
        self._state = state
        self._count = count
        # Another seed makes other cookie names, so that a client can't hard-code one.
        self._salt = state.next_token()
        self.open_sessions: dict[str, OxSession] = {}
        self.transfers: dict[str, tuple[OxSession, str]] = {}
        self._grants: dict[str, TokenGrant] = {}

    def begin(
        self,
        user: OxUser,
        request: ReceivedRequest,
        server_options: OxServerOptions,
        *,
        client: str,
        stays_signed_in: bool = False,
    ) -> OxSession:
        """Log a user in, and return the session."""
        now = self._state.clock.now()
        session = OxSession(
            id=self._state.next_token(),
            secret=self._state.next_token(),
            public=self._state.next_token(),
            user=user,
            client=client,
            user_agent=request.headers.get("User-Agent", ""),
            ip=server_options.client_ip,
            stays_signed_in=stays_signed_in,
            last_used=now,
            created=now,
            needs_second_factor=bool(user.second_factor),
        )
        self.open_sessions[session.id] = session
        self._count["login"] += 1
        return session

    def end(self, session: OxSession) -> None:
        """Forget a session."""
        self.open_sessions.pop(session.id, None)

    def end_all(self) -> None:
        """Forget every session, as a restarted server does."""
        self.open_sessions.clear()

    def find(self, key: str, request: ReceivedRequest, server_options: OxServerOptions) -> OxSession:
        """Return the session of an id, if this client may use it.

        Raises:
            OxError: ``SES-0203``, whatever the reason.
        """
        session = self.open_sessions.get(key)
        # One error for every reason: the server does not tell strangers which sessions there are.
        if session is None or server_options.session_lost:
            raise session_expired("no such session")
        lifetime = (
            server_options.long_lifetime if session.stays_signed_in else server_options.session_lifetime
        )
        if self._state.clock.now() - session.last_used > lifetime:
            self.end(session)
            raise session_expired("too old")
        # The session ends for good: coming back to the old address does not help on the server either.
        if server_options.ip_check and session.ip != server_options.client_ip:
            self.end(session)
            raise session_expired("another address")
        if read_cookies(request).get(self.cookie_name("secret", request, session.client)) != session.secret:
            raise session_expired("the secret cookie is missing or wrong")
        if server_options.affinity and not read_cookies(request).get("JSESSIONID", "").endswith(f".{_ROUTE}"):
            raise session_expired("another server was asked")
        session.last_used = self._state.clock.now()
        return session

    def cookie_name(self, kind: CookieKind, request: ReceivedRequest, client: str) -> str:
        """Return the name of a cookie, which depends on the User-Agent and on the name of the client."""
        agent = request.headers.get("User-Agent", "")
        # Clients that change their User-Agent look for another cookie and seem to lose their session.
        text = f"{agent}:{client}:{self._salt}"
        return f"open-xchange-{kind}-{hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()}"

    def login_cookies(
        self, session: OxSession, request: ReceivedRequest, *, store: bool = False
    ) -> tuple[str, ...]:
        """Return the cookies that a log-in sets."""
        age = f"; Max-Age={7 * _DAY}" if session.stays_signed_in or store else ""
        values: dict[CookieKind, str] = {"secret": session.secret, "public-session": session.public}
        if session.stays_signed_in or store:
            values["session"] = session.id
        lines = [
            f"{self.cookie_name(kind, request, session.client)}={value}; Path=/{age}; HttpOnly"
            for kind, value in values.items()
        ]
        return (*lines, f"JSESSIONID={self._state.next_token()[:24]}.{_ROUTE}; Path=/; HttpOnly")

    def expired_cookies(self, session: OxSession, request: ReceivedRequest) -> tuple[str, ...]:
        """Return the cookies that remove those of a log-in."""
        kinds: tuple[CookieKind, ...] = ("secret", "session", "public-session")
        names = (self.cookie_name(kind, request, session.client) for kind in kinds)
        return tuple(f"{name}=; Path=/; Max-Age=0" for name in (*names, "JSESSIONID"))

    def find_by_cookies(
        self, request: ReceivedRequest, server_options: OxServerOptions, *, client: str
    ) -> OxSession | None:
        """Return the session that the cookies of a client that stays signed in name."""
        key = read_cookies(request).get(self.cookie_name("session", request, client))
        if key is None:
            return None
        try:
            return self.find(key, request, server_options)
        except OxError:
            return None

    def find_by_public_cookie(self, request: ReceivedRequest) -> OxSession | None:
        """Return the session of the cookie that image addresses go by."""
        cookies = read_cookies(request)
        for session in self.open_sessions.values():
            if cookies.get(self.cookie_name("public-session", request, session.client)) == session.public:
                return session
        return None

    def grant(self, user: OxUser, scopes: Iterable[str] | None, seconds: float) -> str:
        """Create a token that allows some scopes, or everything."""
        token = self._state.next_token()
        until = self._state.clock.now() + seconds
        self._grants[token] = TokenGrant(
            user=user, scopes=None if scopes is None else frozenset(scopes), expires_at=until
        )
        return token

    def revoke(self, token: str) -> None:
        """Let a token allow nothing any more."""
        self._grants.pop(token, None)

    def find_user_of_token(self, request: ReceivedRequest, operation: ApiOperation) -> OxUser:
        """Return the user of the request's token, if it allows the operation.

        Raises:
            FlatRefusal: 401 or 403.
        """
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        # RFC 6750: without a token there is no error to describe.
        if scheme.lower() != "bearer" or not token:
            raise OAuthRefusal(401, "")
        grant = self._grants.get(token)
        if grant is None or grant.expires_at < self._state.clock.now():
            raise OAuthRefusal(401, "invalid_token", "the token is unknown or over its time")
        if not operation.oauth or not _is_allowed(grant.scopes, operation):
            scope = " ".join(operation.scopes)
            raise OAuthRefusal(403, "insufficient_scope", f"{operation} needs more", scope=scope)
        return grant.user


def _is_allowed(scopes: frozenset[str] | None, operation: ApiOperation) -> bool:
    if scopes is None or not operation.scopes:
        return True
    granted = [scope for scope in operation.scopes if scope in scopes or _to_singular(scope) in scopes]
    return bool(granted) if operation.any_scope else len(granted) == len(operation.scopes)


def _to_singular(scope: str) -> str:
    """Return the scope in the singular: the documents write both ``read_mail`` and ``read_mails``."""
    return scope.removesuffix("s") if scope.endswith("_mails") else scope


def read_cookies(request: ReceivedRequest) -> Mapping[str, str]:
    """Return the cookies of a request."""
    jar: SimpleCookie = SimpleCookie()
    try:
        jar.load(request.headers.get("Cookie", ""))
    except CookieError:
        return {}
    return {name: morsel.value for name, morsel in jar.items()}


def missing_session() -> OxError:
    """Return the error for a call that names no session."""
    return OxError(
        "SES-0201",
        "Your session is missing. Please log in.",
        category=TRY_AGAIN,
        params=("session",),
        status=403,
    )
