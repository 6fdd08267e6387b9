"""Sessions, their cookies and their ends; tokens of OAuth."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from http.cookies import CookieError, SimpleCookie
from typing import Final, Literal

import attrs

from ..answers import Incoming
from .documented_api import Operation
from .refusals import TRY_AGAIN, FlatRefusal, OxError, session_lost
from .server_options import OxServerOptions
from .state import OxUser, ServerState

__all__ = ["Grant", "OxSession", "Sessions", "cookies_of", "no_session"]

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
    stays: bool = False
    used: float = 0.0
    created: float = 0.0
    pending: bool = False
    open_requests: int = 0


@attrs.frozen(kw_only=True)
class Grant:
    """What a token of OAuth allows.

    Attributes:
        user: To act for whom.
        scopes: What; ``None`` is everything.
        until: Unix seconds.
    """

    user: OxUser
    scopes: frozenset[str] | None
    until: float


class Sessions:
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
        self._salt = state.token()
        self.open: dict[str, OxSession] = {}
        self.transfers: dict[str, tuple[OxSession, str]] = {}
        self._grants: dict[str, Grant] = {}

    def begin(
        self,
        user: OxUser,
        incoming: Incoming,
        server_options: OxServerOptions,
        *,
        client: str,
        stays: bool = False,
    ) -> OxSession:
        """Log a user in."""
        now = self._state.clock.now()
        session = OxSession(
            id=self._state.token(),
            secret=self._state.token(),
            public=self._state.token(),
            user=user,
            client=client,
            user_agent=incoming.headers.get("User-Agent", ""),
            ip=server_options.client_ip,
            stays=stays,
            used=now,
            created=now,
            pending=bool(user.second_factor),
        )
        self.open[session.id] = session
        self._count["login"] += 1
        return session

    def end(self, session: OxSession) -> None:
        """Forget a session."""
        self.open.pop(session.id, None)

    def end_all(self) -> None:
        """Forget every session, as a restarted server does."""
        self.open.clear()

    def find(self, key: str, incoming: Incoming, server_options: OxServerOptions) -> OxSession:
        """The session of an id, if this client may use it.

        Raises:
            OxError: ``SES-0203``, whatever the reason.
        """
        session = self.open.get(key)
        if session is None or server_options.session_lost:
            raise session_lost("no such session")
        lifetime = server_options.long_lifetime if session.stays else server_options.session_lifetime
        if self._state.clock.now() - session.used > lifetime:
            self.end(session)
            raise session_lost("too old")
        if server_options.ip_check and session.ip != server_options.client_ip:
            self.end(session)
            raise session_lost("another address")
        if cookies_of(incoming).get(self.cookie_name("secret", incoming, session.client)) != session.secret:
            raise session_lost("the secret cookie is missing or wrong")
        if server_options.affinity and not cookies_of(incoming).get("JSESSIONID", "").endswith(f".{_ROUTE}"):
            raise session_lost("another server was asked")
        session.used = self._state.clock.now()
        return session

    def cookie_name(self, kind: CookieKind, incoming: Incoming, client: str) -> str:
        """The name of a cookie, which depends on the User-Agent and on what the client calls itself."""
        agent = incoming.headers.get("User-Agent", "")
        text = f"{agent}:{client}:{self._salt}"
        return f"open-xchange-{kind}-{hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()}"

    def cookies(self, session: OxSession, incoming: Incoming, *, store: bool = False) -> tuple[str, ...]:
        """What a log-in sets."""
        age = f"; Max-Age={7 * _DAY}" if session.stays or store else ""
        named: dict[CookieKind, str] = {"secret": session.secret, "public-session": session.public}
        if session.stays or store:
            named["session"] = session.id
        lines = [
            f"{self.cookie_name(kind, incoming, session.client)}={value}; Path=/{age}; HttpOnly"
            for kind, value in named.items()
        ]
        return (*lines, f"JSESSIONID={self._state.token()[:24]}.{_ROUTE}; Path=/; HttpOnly")

    def forget_cookies(self, session: OxSession, incoming: Incoming) -> tuple[str, ...]:
        """What takes the cookies away again."""
        kinds: tuple[CookieKind, ...] = ("secret", "session", "public-session")
        names = (self.cookie_name(kind, incoming, session.client) for kind in kinds)
        return tuple(f"{name}=; Path=/; Max-Age=0" for name in (*names, "JSESSIONID"))

    def by_cookies(
        self, incoming: Incoming, server_options: OxServerOptions, *, client: str
    ) -> OxSession | None:
        """The session that the cookies of a client that stays signed in tell."""
        key = cookies_of(incoming).get(self.cookie_name("session", incoming, client))
        if key is None:
            return None
        try:
            return self.find(key, incoming, server_options)
        except OxError:
            return None

    def by_public_cookie(self, incoming: Incoming) -> OxSession | None:
        """The session of the cookie that image addresses go by."""
        given = cookies_of(incoming)
        for session in self.open.values():
            if given.get(self.cookie_name("public-session", incoming, session.client)) == session.public:
                return session
        return None

    def grant(self, user: OxUser, scopes: Iterable[str] | None, seconds: float) -> str:
        """A token that allows some scopes, or everything."""
        token = self._state.token()
        until = self._state.clock.now() + seconds
        self._grants[token] = Grant(
            user=user, scopes=None if scopes is None else frozenset(scopes), until=until
        )
        return token

    def revoke(self, token: str) -> None:
        """A token that allows nothing any more."""
        self._grants.pop(token, None)

    def user_of_token(self, incoming: Incoming, operation: Operation) -> OxUser:
        """The user of the request's token, if it allows the operation.

        Raises:
            FlatRefusal: 401 or 403.
        """
        scheme, _, token = incoming.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise FlatRefusal(401, "")
        grant = self._grants.get(token)
        if grant is None or grant.until < self._state.clock.now():
            raise FlatRefusal(401, "invalid_token", "the token is unknown or over its time")
        if not operation.oauth or not _allowed(grant.scopes, operation):
            scope = " ".join(operation.scopes)
            raise FlatRefusal(403, "insufficient_scope", f"{operation} needs more", scope=scope)
        return grant.user


def _allowed(scopes: frozenset[str] | None, operation: Operation) -> bool:
    if scopes is None or not operation.scopes:
        return True
    needed = [scope for scope in operation.scopes if scope in scopes or _singular(scope) in scopes]
    return bool(needed) if operation.any_scope else len(needed) == len(operation.scopes)


def _singular(scope: str) -> str:
    """The documents write both ``read_mail`` and ``read_mails``; only the former is a scope."""
    return scope.removesuffix("s") if scope.endswith("_mails") else scope


def cookies_of(incoming: Incoming) -> Mapping[str, str]:
    """The cookies of a request."""
    jar: SimpleCookie = SimpleCookie()
    try:
        jar.load(incoming.headers.get("Cookie", ""))
    except CookieError:
        return {}
    return {name: morsel.value for name, morsel in jar.items()}


def no_session() -> OxError:
    """A call that names no session."""
    return OxError(
        "SES-0201",
        "Your session is missing. Please log in.",
        category=TRY_AGAIN,
        params=("session",),
        status=403,
    )
