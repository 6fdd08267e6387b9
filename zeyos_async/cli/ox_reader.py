"""The reader of commands for Open-Xchange, and its address and credential."""

from __future__ import annotations

import asyncio
import enum
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any, Final

import attrs

from ..auth import AuthBackend, OxLogin, OxOAuth, SecondFactorChallenge
from ..errors import ConfigurationError, InvalidArgument
from ..schema import Field, resolve
from ..services.base import Query
from .connect import AskSecret, ConnectionOptions, check_address, read_password, read_token
from .output import NotSignedIn
from .ox_listings import OX_LISTINGS, OxListing
from .reader_base import QueryReader, refuse_options
from .value_format import record_values

if TYPE_CHECKING:
    from ..services.ox.client import OpenXchange

__all__ = ["OxReader", "OxScope", "resolve_ox"]

_DEFAULT_PERIOD: Final = timedelta(days=30)


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
    from ..services.ox.modules._list_backend import to_neutral

    return value if isinstance(value, (date, enum.Enum)) else to_neutral(value)


def resolve_ox(
    options: ConnectionOptions, environ: Mapping[str, str], ask: AskSecret
) -> tuple[str, AuthBackend]:
    """Return the address of an Open-Xchange and its credential, from the options or the environment.

    Args:
        options: The connection options.
        environ: The environment.
        ask: A function that asks a person for a secret.

    Raises:
        ConfigurationError: The address or something else is missing, or an option is of another API.
        NotSignedIn: There is no credential.
    """
    url = options.url or environ.get("OX_BASE_URL", "").strip()
    if not url:
        raise ConfigurationError(
            "which Open-Xchange? Give --url, such as https://ox.example.com/ajax, or set OX_BASE_URL; "
            "--emulate needs neither"
        )
    check_address(url, allow_http=options.allow_http)
    # --user is explicit: a token of the environment must not win over it.
    token = "" if options.user else read_token(options, environ, "OX_TOKEN", "the token")
    if token:
        return url, OxOAuth(token)
    name = options.user or environ.get("OX_USER", "").strip()
    if not name:
        raise NotSignedIn(
            "no credential: give --user NAME, or set OX_USER; for a token of OAuth, set OX_TOKEN or give --token-file FILE"
        )
    password = read_password(options, environ, "OX_PASSWORD", name, ask)
    return url, OxLogin(name, password, second_factor=_second_factor(options, ask))


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
