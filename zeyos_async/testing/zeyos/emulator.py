"""The ZeyOS emulator: the APIs put together, served on a socket, and held by a test."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Literal

from ...deprecated import renamed_arguments
from ..answers import Answer, ReceivedRequest, make_text_answer
from ..emulator import Emulator
from ..journal import Journal
from ._generated.tables import TABLES
from .login import LoginApi
from .oauth import OAuthApi
from .output import show_record
from .records import Records
from .refusals import Refusal
from .rest import RestApi
from .seeds import seed_rows
from .server_options import ZeyosServerOptions
from .store import Store
from .tokens import Credentials, TokenBook

if TYPE_CHECKING:
    from zeyos_async.auth import AuthBackend

__all__ = ["ZeyosEmulator", "emulate_zeyos"]

_VISITOR = Credentials(
    name="john.doe",
    password="opensesame",
    user=2,
    admin=False,
    appsecret="0a7749717494cf42aa2fcb7533a950e2a7360d10",
    client_id="second_application",
    application=2,
)

RowsBetween = Callable[["ZeyosEmulator"], Awaitable[None] | None]


class ZeyosEmulator(Emulator[ZeyosServerOptions, Journal]):
    """A ZeyOS instance in this process.

    Attributes:
        credentials: An administrator's, of an application.
        visitor: Those of a user who is none.
        store: The rows.
        tokens: The tokens that were given out.
        between_pages: Called after every list that was answered, with the emulator: the place to
            write and delete rows while a client pages.
    """

    @renamed_arguments(behaviour="server_options")
    def __init__(
        self,
        *,
        rows: Mapping[str, int | Sequence[Mapping[str, Any]]] | None = None,
        seed: int = 0,
        instance: str = "demo",
        credentials: Credentials | None = None,
        server_options: ZeyosServerOptions | None = None,
    ) -> None:
        self.credentials = credentials or Credentials()
        self.visitor = _VISITOR
        super().__init__(server_options or ZeyosServerOptions(), Journal(), seed=seed)
        self.root = f"/{instance}"
        self.between_pages: RowsBetween | None = None
        self.store = Store(TABLES, self.clock.now)
        users = (self.credentials, self.visitor)
        self.tokens = TokenBook(realm=instance, users=users, now=self.clock.now, seed=seed)
        self._instance = instance
        self._records = Records(self.store)
        self._build_apis()
        self._seed_store(rows or {}, seed)

    def _build_apis(self) -> None:
        now, instance = self.clock.now, self._instance
        self._rest = RestApi(self.store, self._records, self.tokens, now, instance=instance)
        self._login = LoginApi(self.tokens, self.journal, self.server_options, now)
        self._oauth = OAuthApi(self.tokens, self.journal, self.server_options, now, instance=instance)

    def _seed_store(self, rows: Mapping[str, int | Sequence[Mapping[str, Any]]], seed: int) -> None:
        counts = {name: count if isinstance(count, int) else 0 for name, count in rows.items()}
        seed_rows(self.store, counts, seed=seed)
        for name, count_or_rows in rows.items():
            for values in () if isinstance(count_or_rows, int) else count_or_rows:
                self.insert(name, **values)

    def auth(
        self, *, kind: Literal["password", "bearer", "session"] = "password", admin: bool = True
    ) -> AuthBackend:
        """Return a credential for ``Zeyos(emulator.url, auth=…)``.

        Args:
            kind: Which backend; for all but ``"password"`` a token is given out now.
            admin: Whether it is the administrator's or the other user's.
        """
        from zeyos_async.auth import BearerToken, PasswordLogin, SessionCookie

        user = self.credentials if admin else self.visitor
        if kind == "password":
            return PasswordLogin(
                user.name,
                user.password,
                identifier=user.identifier,
                appsecret=user.appsecret,
                otp=user.otp or None,
            )
        if kind == "bearer":
            return BearerToken(self.token(admin=admin))
        session = self.tokens.give("session", user, application=user.application, expires=None)
        return SessionCookie(session.text)

    def token(self, *, admin: bool = True) -> str:
        """Issue a bearer token that is good for the REST API."""
        user = self.credentials if admin else self.visitor
        expires = self.clock.now() + self.server_options.token_lifetime
        return self.tokens.give("login", user, application=user.application, expires=expires).text

    def expire_tokens(self, *, refresh_tokens: bool = False) -> None:
        """Let every token issued so far expire; refresh tokens only with ``refresh_tokens``."""
        self.tokens.expire_all(refresh_tokens=refresh_tokens)

    def revoke_tokens(self) -> None:
        """Make every token issued so far unknown."""
        self.tokens.revoke_all()

    def insert(self, entity: str, **values: Any) -> int:
        """Store a record as an API's create would, and return its ID; ``ID`` and ``lastmodified`` may be given.

        Raises:
            Refusal: What the API or the database refuses.
        """
        table = self.store.tables[entity]
        forced: dict[str, Any] = {key: values.pop(key) for key in ("ID", "lastmodified") if key in values}
        now = int(self.clock.now())
        return self._records.create(table, values, user=self.credentials.user, now=now, forced=forced)

    def update(self, entity: str, record: int, **values: Any) -> None:
        """Change a record as an API's update would.

        Raises:
            Refusal: What the API or the database refuses.
        """
        self._records.update(self.store.tables[entity], record, values, now=int(self.clock.now()))

    def delete(self, entity: str, record: int) -> None:
        """Remove a record, and what the foreign keys remove with it.

        Raises:
            Refusal: 409, if something refers to it that holds it.
        """
        self._records.delete(self.store.tables[entity], record)

    def rows(self, entity: str) -> list[dict[str, Any]]:
        """Return all records by ID, as the API would show them."""
        table = self.store.tables[entity]
        ids = self.store.connection.execute(f'SELECT "ID" FROM "{entity}" ORDER BY "ID"').fetchall()
        stored_rows = [self.store.row(entity, record) for (record,) in ids]
        return [
            show_record(row, table, self.store, self.server_options) for row in stored_rows if row is not None
        ]

    async def answer(self, request: ReceivedRequest, server_options: ZeyosServerOptions) -> Answer:
        """Answer one request, with the behaviour that the server options choose."""
        try:
            answer = self._route(request, server_options)
        except Refusal as refusal:
            return make_text_answer(refusal.status, refusal.text, refusal.headers)
        if self.between_pages is not None and request.method == "POST" and "/api/v1/" in request.path:
            waiting = self.between_pages(self)
            if inspect.isawaitable(waiting):
                await waiting
        return answer

    def _route(self, request: ReceivedRequest, server_options: ZeyosServerOptions) -> Answer:
        prefix = f"/{self._instance}"
        path = request.path.removeprefix(prefix)
        if not request.path.startswith(f"{prefix}/"):
            raise Refusal(404, "Not Found")
        if path.startswith("/api/v1/"):
            return self._rest.answer(request, path.removeprefix("/api/v1"), server_options)
        if path.startswith("/auth/v1"):
            return self._login.answer(request, path.removeprefix("/auth/v1"))
        if path.startswith("/oauth2/v1/"):
            return self._oauth.answer(request, path.removeprefix("/oauth2/v1"))
        if path == "/":
            return self._oauth.sign_in_page(request)
        raise Refusal(404, "Not Found")


@renamed_arguments(behaviour="server_options")
@asynccontextmanager
async def emulate_zeyos(
    *,
    rows: Mapping[str, int | Sequence[Mapping[str, Any]]] | None = None,
    seed: int = 0,
    instance: str = "demo",
    host: str = "127.0.0.1",
    port: int = 0,
    credentials: Credentials | None = None,
    server_options: ZeyosServerOptions | None = None,
) -> AsyncIterator[ZeyosEmulator]:
    """Run a ZeyOS server for the time of an ``async with`` block.

    Args:
        rows: Entity → how many rows (or the rows themselves); the others get a few.
        seed: The same seed gives the same rows, tokens and faults.
        instance: The first part of every path.
        host: Where to listen.
        port: 0 is a free one.
        credentials: Who may log in, in place of the emulator's own user.
        server_options: What the documents leave open.

    Raises:
        ValueError: ``rows`` asks for an entity that does not exist, or for more rows than its keys allow.
    """
    emulator = ZeyosEmulator(
        rows=rows, seed=seed, instance=instance, credentials=credentials, server_options=server_options
    )
    async with emulator.running(host=host, port=port):
        yield emulator
