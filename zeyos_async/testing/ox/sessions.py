"""Sessions, their cookies and their ends; tokens of OAuth."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from http.cookies import CookieError, SimpleCookie
from typing import Final, Literal

import attrs

from ..answers import Incoming
from .documented_api import ApiOperation
from .refusals import TRY_AGAIN, OAuthRefusal, OxError, session_expired
from .server_options import OxServerOptions
from .state import OxUser, ServerState

__all__ = ["TokenGrant", "OxSession", "SessionStore", "read_cookies", "missing_session"]

CookieKind = Literal["secret", "session", "public-session"]
_ROUTE: Final = "OX0"
_DAY: Final = 86_400


@attrs.define(kw_only=True)
class OxSession:
    """One log-in.

    Attributes:
        id: What requests carry as ``session``.
        secret: What the cookie has to hold.
        public: What the cookie for images holds.
        user: Whose it is.
        client: What the client called itself.
        user_agent: The header at the log-in.
        ip: Where it came from.
        stays: Whether the user stays signed in.
        used: When it was last used, in Unix seconds.
        created: When it began.
        pending: Whether the second factor is missing.
        open_requests: How many are being answered.
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
    open_requests: int = 0


@attrs.frozen(kw_only=True)
class TokenGrant:
    """What a token of OAuth allows.

    Attributes:
        user: To act for whom.
        scopes: What; ``None`` is everything.
        until: Unix seconds.
    """

    user: OxUser
    scopes: frozenset[str] | None
    expires_at: float


class SessionStore:
    """Who is logged in.

    Args:
        state: Makes the tokens, and has the clock.
        count: Where log-ins are counted.

    Attributes:
        open: Session id → session.
        transfers: What waits to become a session: token → session, and the client's half or ``""``.
    """

    def __init__(self, state: ServerState, *, count: Counter[str]) -> None:
        self._state = state
        self._count = count
        self._salt = state.next_token()
        self.open_sessions: dict[str, OxSession] = {}
        self.transfers: dict[str, tuple[OxSession, str]] = {}
        self._grants: dict[str, TokenGrant] = {}

    def begin(
        self,
        user: OxUser,
        incoming: Incoming,
        server_options: OxServerOptions,
        *,
        client: str,
        stays_signed_in: bool = False,
    ) -> OxSession:
        """Log a user in."""
        now = self._state.clock.now()
        session = OxSession(
            id=self._state.next_token(),
            secret=self._state.next_token(),
            public=self._state.next_token(),
            user=user,
            client=client,
            user_agent=incoming.headers.get("User-Agent", ""),
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

    def find(self, key: str, incoming: Incoming, server_options: OxServerOptions) -> OxSession:
        """The session of an id, if this client may use it.

        Raises:
            OxError: ``SES-0203``, whatever the reason.
        """
        session = self.open_sessions.get(key)
        if session is None or server_options.session_lost:
            raise session_expired("no such session")
        lifetime = (
            server_options.long_lifetime if session.stays_signed_in else server_options.session_lifetime
        )
        if self._state.clock.now() - session.last_used > lifetime:
            self.end(session)
            raise session_expired("too old")
        if server_options.ip_check and session.ip != server_options.client_ip:
            self.end(session)
            raise session_expired("another address")
        if read_cookies(incoming).get(self.cookie_name("secret", incoming, session.client)) != session.secret:
            raise session_expired("the secret cookie is missing or wrong")
        if server_options.affinity and not read_cookies(incoming).get("JSESSIONID", "").endswith(
            f".{_ROUTE}"
        ):
            raise session_expired("another server was asked")
        session.last_used = self._state.clock.now()
        return session

    def cookie_name(self, kind: CookieKind, incoming: Incoming, client: str) -> str:
        """The name of a cookie, which depends on the User-Agent and on what the client calls itself."""
        agent = incoming.headers.get("User-Agent", "")
        text = f"{agent}:{client}:{self._salt}"
        return f"open-xchange-{kind}-{hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()}"

    def login_cookies(
        self, session: OxSession, incoming: Incoming, *, store: bool = False
    ) -> tuple[str, ...]:
        """What a log-in sets."""
        age = f"; Max-Age={7 * _DAY}" if session.stays_signed_in or store else ""
        named: dict[CookieKind, str] = {"secret": session.secret, "public-session": session.public}
        if session.stays_signed_in or store:
            named["session"] = session.id
        lines = [
            f"{self.cookie_name(kind, incoming, session.client)}={value}; Path=/{age}; HttpOnly"
            for kind, value in named.items()
        ]
        return (*lines, f"JSESSIONID={self._state.next_token()[:24]}.{_ROUTE}; Path=/; HttpOnly")

    def expired_cookies(self, session: OxSession, incoming: Incoming) -> tuple[str, ...]:
        """What takes the cookies away again."""
        kinds: tuple[CookieKind, ...] = ("secret", "session", "public-session")
        names = (self.cookie_name(kind, incoming, session.client) for kind in kinds)
        return tuple(f"{name}=; Path=/; Max-Age=0" for name in (*names, "JSESSIONID"))

    def find_by_cookies(
        self, incoming: Incoming, server_options: OxServerOptions, *, client: str
    ) -> OxSession | None:
        """The session that the cookies of a client that stays signed in tell."""
        key = read_cookies(incoming).get(self.cookie_name("session", incoming, client))
        if key is None:
            return None
        try:
            return self.find(key, incoming, server_options)
        except OxError:
            return None

    def find_by_public_cookie(self, incoming: Incoming) -> OxSession | None:
        """The session of the cookie that image addresses go by."""
        given = read_cookies(incoming)
        for session in self.open_sessions.values():
            if given.get(self.cookie_name("public-session", incoming, session.client)) == session.public:
                return session
        return None

    def grant(self, user: OxUser, scopes: Iterable[str] | None, seconds: float) -> str:
        """A token that allows some scopes, or everything."""
        token = self._state.next_token()
        until = self._state.clock.now() + seconds
        self._grants[token] = TokenGrant(
            user=user, scopes=None if scopes is None else frozenset(scopes), expires_at=until
        )
        return token

    def revoke(self, token: str) -> None:
        """A token that allows nothing any more."""
        self._grants.pop(token, None)

    def find_user_of_token(self, incoming: Incoming, operation: ApiOperation) -> OxUser:
        """The user of the request's token, if it allows the operation.

        Raises:
            FlatRefusal: 401 or 403.
        """
        scheme, _, token = incoming.headers.get("Authorization", "").partition(" ")
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
    needed = [scope for scope in operation.scopes if scope in scopes or _to_singular(scope) in scopes]
    return bool(needed) if operation.any_scope else len(needed) == len(operation.scopes)


def _to_singular(scope: str) -> str:
    """The documents write both ``read_mail`` and ``read_mails``; only the former is a scope."""
    return scope.removesuffix("s") if scope.endswith("_mails") else scope


def read_cookies(incoming: Incoming) -> Mapping[str, str]:
    """The cookies of a request."""
    jar: SimpleCookie = SimpleCookie()
    try:
        jar.load(incoming.headers.get("Cookie", ""))
    except CookieError:
        return {}
    return {name: morsel.value for name, morsel in jar.items()}


def missing_session() -> OxError:
    """A call that names no session."""
    return OxError(
        "SES-0201",
        "Your session is missing. Please log in.",
        category=TRY_AGAIN,
        params=("session",),
        status=403,
    )
