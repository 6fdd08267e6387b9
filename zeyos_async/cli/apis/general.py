"""The command's part for the General API."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import attrs
import click

from ...auth import AuthBackend, KmdLogin, KmdToken
from ...errors import ConfigurationError
from ...schema import Field
from ...services.base import Query
from ..connect import AskSecret, ConnectionOptions, check_address, read_password, read_token
from ..output import NotSignedIn
from ..query_options import QueryOptions, apply_options
from ..reader_base import QueryReader, refuse_options
from .base import ApiCommand, ApiOption, ApiOptions

if TYPE_CHECKING:
    from ...services.general.client import GeneralApi

__all__ = ["GeneralCommand", "GeneralReader"]


class GeneralCommand(ApiCommand):
    """The General API on the command line."""

    options: ClassVar = (
        ApiOption(
            "access_type",
            ("--access-type",),
            {
                "type": click.IntRange(min=0),
                "metavar": "N",
                "help": "With --api general: the number of the access type. [GENERAL_API_ACCESS_TYPE]",
            },
        ),
        ApiOption(
            "layout",
            ("--layout",),
            {
                "type": click.Choice(["single", "paths"]),
                "help": "With --api general: the form of the server's addresses; by default single.",
            },
        ),
    )

    def resolve(
        self, connection: ConnectionOptions, options: ApiOptions, environ: Mapping[str, str], ask: AskSecret
    ) -> tuple[str, AuthBackend]:
        """Return the endpoint, and a token or a log-in."""
        url = connection.url or environ.get("GENERAL_API_URL", "").strip()
        if not url:
            raise ConfigurationError(
                "which endpoint? Give --url, or set GENERAL_API_URL; --emulate needs neither"
            )
        check_address(url, allow_http=connection.allow_http)
        access_type = _find_access_type(options, environ)
        # --user is explicit: a token of the environment must not win over it.
        token = "" if connection.user else read_token(connection, environ, "GENERAL_API_TOKEN", "the token")
        if token:
            return url, KmdToken(token, access_type=access_type)
        name = connection.user or environ.get("GENERAL_API_USER", "").strip()
        if not name:
            raise NotSignedIn(
                "no credential: give --user NAME, or set GENERAL_API_TOKEN, or give --token-file FILE"
            )
        if access_type is None:
            raise ConfigurationError("a log-in needs --access-type N, or GENERAL_API_ACCESS_TYPE")
        password = read_password(connection, environ, "GENERAL_API_PASSWORD", name, ask)
        return url, KmdLogin(name, password, access_type=access_type)

    def client_options(self, options: ApiOptions) -> Mapping[str, Any]:
        """Return the form of the server's addresses."""
        return {"layout": options.get("layout") or "single"}

    def reader(self, client: GeneralApi, name: str, options: ApiOptions) -> GeneralReader:
        """Return a reader of a model."""
        return GeneralReader(client, name)

    def convert_id(self, text: str) -> int | str:
        """Return a number where it is one."""
        # isdigit alone accepts "²", which int refuses.
        return int(text) if text.isascii() and text.isdigit() else text

    def describe_emulator(self, emulator: Any) -> tuple[Mapping[str, str], str]:
        """Return the endpoint and a user, and a command that uses them."""
        user = emulator.credentials
        labels = {
            "url": emulator.url,
            "user": user.kname,
            "password": user.kpass,
            "access-type": str(user.access_type),
        }
        return labels, (
            f"  GENERAL_API_PASSWORD='{user.kpass}' zeyos-async list Subaccount --api general "
            f"--url {emulator.url} --user {user.kname} --access-type {user.access_type}"
        )


def _find_access_type(options: ApiOptions, environ: Mapping[str, str]) -> int | None:
    text = environ.get("GENERAL_API_ACCESS_TYPE", "").strip()
    access_type: int | None = options.get("access_type")
    if access_type is not None or not text:
        return access_type
    if not (text.isascii() and text.isdigit()):
        raise ConfigurationError(f"GENERAL_API_ACCESS_TYPE is {text!r}, and should be a whole number")
    return int(text)


@attrs.frozen
class GeneralReader(QueryReader):
    """A reader of one model of the General API."""

    api: GeneralApi
    model: str

    async def base_query(self) -> Query[Any]:
        """Return the query for all rows."""
        return self.api.model(self.model).query()

    async def table_columns(self, query: Query[Any]) -> Mapping[str, None]:
        """Return the columns that the server shows by default."""
        page = await self.api.model(self.model).list(limit=1)
        return {column.name: None for column in page.columns}

    def column_field(self, query: Query[Any], path: str) -> None:
        """Return ``None``: the server describes no columns of lists."""

    async def read_record(self, id: Any, **options: Any) -> tuple[Mapping[str, Any], Mapping[str, Field]]:
        """Return a form's values, with passwords as the API gives them."""
        refuse_options("the General API", options)
        form = await self.api.model(self.model).get(id)
        return {"ID": form.id, **{name: _to_json_value(value) for name, value in form.items()}}, {}

    async def export_source(self, options: QueryOptions) -> Query[Any]:
        """Return the query with its columns named: a CSV file has its header before its first row."""
        query = await self.base_query()
        selection = options.selection or {name: name for name in await self.table_columns(query)}
        return apply_options(query, options, selection=selection)


def _to_json_value(value: Any) -> Any:
    """Return a form's value as JSON data. The mark for an unchanged password becomes its name, as on the wire."""
    if isinstance(value, int):
        return value
    return value.name if isinstance(value, enum.Enum) else value
