"""How commands read a module of Open-Xchange, and which folder is meant if nobody says."""

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
from .connect import Ask, Connection, password_from, token_from
from .output import NotSignedIn
from .ox_modules import MODULES, OxModule
from .reader_base import QueryReader, no_options
from .values import record_values

if TYPE_CHECKING:
    from ..services.ox.client import OpenXchange

__all__ = ["OxReader", "Where", "resolve_ox"]

_PERIOD: Final = timedelta(days=30)


@attrs.frozen(kw_only=True)
class Where:
    """What lists of Open-Xchange are about.

    Attributes:
        folder: The folder.
        start: Where the period of a calendar begins.
        end: Where it ends, itself not in it.
    """

    folder: str | None = None
    start: datetime | None = None
    end: datetime | None = None


@attrs.frozen
class OxReader(QueryReader):
    """Reads a module of Open-Xchange."""

    ox: OpenXchange
    module: str
    where: Where

    @property
    def _known(self) -> OxModule:
        return MODULES[self.module]

    async def everything(self) -> Query[Any]:
        """The query for all objects of the folder, or of the period."""
        self._check()
        options: dict[str, Any] = {}
        if self._known.period:
            options = {"start": self._start(), "end": self.where.end or self._start() + _PERIOD}
            options |= self._known.lists
        if self._known.above:
            options["parent"] = self.where.folder or "1"
        elif self._known.default:
            options["folder"] = await self._folder()
        module: Any = self.ox.module(self.module)
        query: Query[Any] = module.query(**options)
        return query

    async def columns(self, query: Query[Any]) -> Mapping[str, Field | None]:
        """The columns that tell most."""
        entity = query._plan.entity
        return {path: resolve(entity, path) for path in self._known.columns if path in entity.fields}

    async def record(self, id: Any, **options: Any) -> tuple[Mapping[str, Any], Mapping[str, Field]]:
        """An object's values, as far as there are any; a mail stays unread."""
        no_options("Open-Xchange", options)
        given = dict(self._known.gets)
        if self._known.in_folder:
            given["folder"] = await self._folder()
        module: Any = self.ox.module(self.module)
        record = await module.get(id=id, **given)
        values = {name: _flat(value) for name, value in record_values(record).items() if value is not None}
        return values, record.__entity__.fields

    def _check(self) -> None:
        if self.where.folder and not (self._known.in_folder or self._known.above):
            raise InvalidArgument(f"--folder: Open-Xchange's {self.module} are in no folder")
        if (self.where.start or self.where.end) and not self._known.period:
            raise InvalidArgument(f"--from and --to are about calendars; {self.module} have no period")
        if self.where.end is not None and self.where.end <= self._start():
            raise InvalidArgument(
                f"--to {self.where.end.isoformat()} is not after --from, {self._start().isoformat()}"
            )

    def _start(self) -> datetime:
        return self.where.start or datetime.combine(datetime.now(UTC), time(), UTC)

    async def _folder(self) -> str:
        """The folder that was given, or the user's own for this module, as the settings have it."""
        if self.where.folder:
            return self.where.folder
        if not self._known.default:
            raise InvalidArgument(
                "which folder? Give --folder ID; `zeyos-async list folders --api ox` shows the IDs"
            )
        return self._known.form.format(await self.ox.config.get(path=self._known.default))


def _flat(value: Any) -> Any:
    """A value whose parts are plain ones; a time at the top stays one, so that it can be shown in any zone."""
    from ..services.ox.modules._list_backend import to_neutral

    return value if isinstance(value, (date, enum.Enum)) else to_neutral(value)


def resolve_ox(given: Connection, environ: Mapping[str, str], ask: Ask) -> tuple[str, AuthBackend]:
    """The address of an Open-Xchange and the way into it.

    Args:
        given: The connection options.
        environ: The environment.
        ask: Asks a person for a secret; ``None`` where there is nobody.

    Raises:
        ConfigurationError: The address or something else is missing, or an option is of another API.
        NotSignedIn: There is no credential.
    """
    url = given.url or environ.get("OX_BASE_URL", "").strip()
    if not url:
        raise ConfigurationError(
            "which Open-Xchange? Give --url, such as https://ox.example.com/ajax, or set OX_BASE_URL; "
            "--emulate needs neither"
        )
    token = "" if given.user else token_from(given, environ, "OX_TOKEN", "the token")
    if token:
        return url, OxOAuth(token)
    name = given.user or environ.get("OX_USER", "").strip()
    if not name:
        raise NotSignedIn(
            "no credential: give --user NAME, or set OX_USER; for a token of OAuth, set OX_TOKEN or give --token-file FILE"
        )
    password = password_from(given, environ, "OX_PASSWORD", name, ask)
    return url, OxLogin(name, password, second_factor=_second_factor(given, ask))


def _second_factor(given: Connection, ask: Ask) -> Callable[[SecondFactorChallenge], Awaitable[str]]:
    """Answers with the code of the command line, or asks on the terminal."""

    async def answer(challenge: SecondFactorChallenge) -> str:
        device = challenge.device.name or challenge.device.provider
        code = given.otp or await asyncio.to_thread(ask, f"Code of the second factor ({device})")
        if not code:
            raise ConfigurationError(f"{device!r} has to confirm this log-in: give its code with --otp CODE")
        return code

    return answer
