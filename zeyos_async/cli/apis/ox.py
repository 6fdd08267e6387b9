"""The command's part for Open-Xchange."""

from __future__ import annotations

import asyncio
import contextlib
import enum
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any, ClassVar, Final

import attrs

from ...auth import AuthBackend, OxLogin, OxOAuth, SecondFactorChallenge
from ...errors import ConfigurationError, InvalidArgument, ZeyosAsyncError
from ...schema import Field, resolve
from ...services.base import Query
from ..connect import AskSecret, ConnectionOptions, check_address, read_password, read_token
from ..output import NotSignedIn
from ..param_types import TIME
from ..reader_base import QueryReader, refuse_options
from ..value_format import record_values
from .base import ApiCommand, ApiOption, ApiOptions
from .ox_listings import OX_LISTINGS, OxListing

if TYPE_CHECKING:
    from ...services.ox.client import OpenXchange

__all__ = ["OxCommand", "OxReader", "OxScope"]

_LOG_OUT_SECONDS: Final = 3.0
"""The longest that a log-out may take."""
_DEFAULT_PERIOD: Final = timedelta(days=30)


class OxCommand(ApiCommand):
    """Open-Xchange on the command line."""

    options: ClassVar = (
        ApiOption(
            "folder",
            ("--folder",),
            {
                "metavar": "ID",
                "help": "With --api ox: the folder to list; by default your own folder of that module. For `list folders`, "
                "the parent folder.",
            },
        ),
        ApiOption(
            "start",
            ("--from",),
            {
                "type": TIME,
                "help": "With --api ox: the beginning of a calendar's period; by default today.",
            },
        ),
        ApiOption(
            "end",
            ("--to",),
            {"type": TIME, "help": "With --api ox: the end of that period; by default 30 days later."},
        ),
    )
    missing_name: ClassVar = "of Open-Xchange, commands list no module"

    def resolve(
        self, connection: ConnectionOptions, options: ApiOptions, environ: Mapping[str, str], ask: AskSecret
    ) -> tuple[str, AuthBackend]:
        """Return the address, and a token or a log-in."""
        url = connection.url or environ.get("OX_BASE_URL", "").strip()
        if not url:
            raise ConfigurationError(
                "which Open-Xchange? Give --url, such as https://ox.example.com/ajax, or set OX_BASE_URL; "
                "--emulate needs neither"
            )
        check_address(url, allow_http=connection.allow_http)
        # --user is explicit: a token of the environment must not win over it.
        token = "" if connection.user else read_token(connection, environ, "OX_TOKEN", "the token")
        if token:
            return url, OxOAuth(token)
        name = connection.user or environ.get("OX_USER", "").strip()
        if not name:
            raise NotSignedIn(
                "no credential: give --user NAME, or set OX_USER; for a token of OAuth, set OX_TOKEN or give "
                "--token-file FILE"
            )
        password = read_password(connection, environ, "OX_PASSWORD", name, ask)
        return url, OxLogin(name, password, second_factor=_second_factor(connection, ask))

    @contextlib.asynccontextmanager
    async def open(self, connection: ConnectionOptions, options: ApiOptions) -> AsyncIterator[OpenXchange]:
        """Open a client that logs out at the end."""
        async with super().open(connection, options) as client:
            try:
                yield client
            finally:
                # Without a log-out the unused session would count against the user's limit for hours. A log-out
                # that fails is no error of the command: the session then expires by itself.
                with contextlib.suppress(ZeyosAsyncError, TimeoutError):
                    async with asyncio.timeout(_LOG_OUT_SECONDS):
                        await client.log_out()

    def reader(self, client: OpenXchange, name: str, options: ApiOptions) -> OxReader:
        """Return a reader of a module."""
        scope = OxScope(folder=options.get("folder"), start=options.get("start"), end=options.get("end"))
        return OxReader(client, name, scope)

    def names(self) -> Collection[str]:
        """Return the names of the modules that can be listed."""
        return OX_LISTINGS

    def names_hint(self) -> str:
        """Return the names."""
        return f" There are {', '.join(OX_LISTINGS)}."

    def describe_emulator(self, emulator: Any) -> tuple[Mapping[str, str], str]:
        """Return the address and a user, and a command that uses them."""
        user = emulator.users[0]
        labels = {"url": emulator.url, "user": user.name, "password": user.password}
        return labels, (
            f"  OX_PASSWORD='{user.password}' zeyos-async list contacts --api ox --url {emulator.url} --user {user.name}"
        )


@attrs.frozen(kw_only=True)
class OxScope:
    """The part of Open-Xchange that a list is about: a folder and a period.

    Attributes:
        folder: The folder.
        start: The beginning of a calendar's period.
        end: The end of that period, which is not part of it.
    """

    folder: str | None = None
    start: datetime | None = None
    end: datetime | None = None


@attrs.frozen
class OxReader(QueryReader):
    """A reader of one module of Open-Xchange."""

    ox: OpenXchange
    module: str
    scope: OxScope

    @property
    def _listing(self) -> OxListing:
        return OX_LISTINGS[self.module]

    async def base_query(self) -> Query[Any]:
        """Return the query for all objects of the folder, or of the period."""
        self._check_scope()
        options: dict[str, Any] = {}
        if self._listing.has_period:
            options = {
                "start": self._period_start(),
                "end": self.scope.end or self._period_start() + _DEFAULT_PERIOD,
            }
            options |= self._listing.list_options
        if self._listing.lists_subfolders:
            # Folder 1 holds the user's private folders.
            options["parent"] = self.scope.folder or "1"
        elif self._listing.folder_setting:
            options["folder"] = await self._find_folder()
        module: Any = self.ox.module(self.module)
        query: Query[Any] = module.query(**options)
        return query

    async def table_columns(self, query: Query[Any]) -> Mapping[str, Field | None]:
        """Return the columns that identify an object best."""
        entity = query._plan.entity
        return {path: resolve(entity, path) for path in self._listing.columns if path in entity.fields}

    async def read_record(self, id: Any, **options: Any) -> tuple[Mapping[str, Any], Mapping[str, Field]]:
        """Return an object's values that are not null; a mail stays unread."""
        refuse_options("Open-Xchange", options)
        get_options = dict(self._listing.get_options)
        if self._listing.gets_by_folder:
            get_options["folder"] = await self._find_folder()
        module: Any = self.ox.module(self.module)
        record = await module.get(id=id, **get_options)
        values = {
            name: _to_plain(value) for name, value in record_values(record).items() if value is not None
        }
        return values, record.__entity__.fields

    def _check_scope(self) -> None:
        if self.scope.folder and not (self._listing.gets_by_folder or self._listing.lists_subfolders):
            raise InvalidArgument(f"--folder: Open-Xchange's {self.module} are in no folder")
        if (self.scope.start or self.scope.end) and not self._listing.has_period:
            raise InvalidArgument(f"--from and --to are about calendars; {self.module} have no period")
        if self.scope.end is not None and self.scope.end <= self._period_start():
            raise InvalidArgument(
                f"--to {self.scope.end.isoformat()} is not after --from, {self._period_start().isoformat()}"
            )

    def _period_start(self) -> datetime:
        return self.scope.start or datetime.combine(datetime.now(UTC), time(), UTC)

    async def _find_folder(self) -> str:
        """Return the folder of the command line, or the user's own for this module, from the settings."""
        if self.scope.folder:
            return self.scope.folder
        if not self._listing.folder_setting:
            raise InvalidArgument(
                "which folder? Give --folder ID; `zeyos-async list folders --api ox` shows the IDs"
            )
        return self._listing.folder_format.format(await self.ox.config.get(path=self._listing.folder_setting))


def _to_plain(value: Any) -> Any:
    """Return a value as plain data. A time stays a time, so that it can be shown in any zone."""
    from ...services.ox.modules._list_backend import to_neutral

    return value if isinstance(value, (date, enum.Enum)) else to_neutral(value)


def _second_factor(
    options: ConnectionOptions, ask: AskSecret
) -> Callable[[SecondFactorChallenge], Awaitable[str]]:
    """Return a function that answers with the code of the command line, or asks for it on the terminal."""

    async def answer(challenge: SecondFactorChallenge) -> str:
        device = challenge.device.name or challenge.device.provider
        # In a thread, or the prompt would block the event loop while the person types.
        code = options.otp or await asyncio.to_thread(ask, f"Code of the second factor ({device})")
        if not code:
            raise ConfigurationError(f"{device!r} has to confirm this log-in: give its code with --otp CODE")
        return code

    return answer
