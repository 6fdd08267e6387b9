"""The command's part for Octaved Flow."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Final

import attrs

from ...auth import ApiKey, AuthBackend
from ...errors import ConfigurationError, InvalidArgument
from ...schema import Field
from ...services.base import Source
from ...services.octaved._generated import RECORDS
from ..connect import AskSecret, ConnectionOptions, check_address, read_token
from ..output import NotSignedIn
from ..param_types import Selection
from ..query_options import QueryOptions
from ..reader_base import SourceReader, refuse_options
from ..value_format import record_values
from .base import ApiCommand, ApiOption, ApiOptions

if TYPE_CHECKING:
    from ...services.octaved.client import Octaved

__all__ = ["FlowReader", "OctavedCommand"]

_COLUMNS: Final = (
    "id",
    "referenceNumber",
    "name",
    "status",
    "dueDate",
    "customerNumber",
    "flowCustomer",
    "user",
    "workTimeStart",
    "workTimeEnd",
    "lastChangedOn",
)


class OctavedCommand(ApiCommand):
    """Octaved Flow on the command line."""

    options: ClassVar = (
        ApiOption(
            "key_header",
            ("--key-header",),
            {
                "metavar": "NAME",
                "help": "With --api octaved: the header that carries the key; by default X-Api-Key. [OCTAVED_API_KEY_HEADER]",
            },
        ),
    )
    refused: ClassVar = ("user", "profile", "instance")
    missing_name: ClassVar = "Octaved Flow has no resource"

    def resolve(
        self, connection: ConnectionOptions, options: ApiOptions, environ: Mapping[str, str], ask: AskSecret
    ) -> tuple[str, AuthBackend]:
        """Return the address and the key."""
        url = connection.url or environ.get("OCTAVED_URL", "").strip()
        if not url:
            raise ConfigurationError(
                "which Octaved Flow? Give --url, or set OCTAVED_URL; --emulate needs neither"
            )
        check_address(url, allow_http=connection.allow_http)
        key = read_token(connection, environ, "OCTAVED_API_KEY", "the key")
        if not key:
            raise NotSignedIn("no key: set OCTAVED_API_KEY, or give --token-file FILE")
        header = options.get("key_header") or environ.get("OCTAVED_API_KEY_HEADER") or "X-Api-Key"
        return url, ApiKey(header, key)

    def reader(self, client: Octaved, name: str, options: ApiOptions) -> FlowReader:
        """Return a reader of a resource."""
        return FlowReader(client, name)

    def names(self) -> Collection[str]:
        """Return the names of the resources."""
        return RECORDS

    def row_names(self) -> Collection[str]:
        """Return the names of the resources."""
        return RECORDS

    def convert_name(self, name: str) -> str:
        """Return a name with underscores; addresses have dashes there: work-packages, work_packages."""
        return name.replace("-", "_")

    def describe_emulator(self, emulator: Any) -> tuple[Mapping[str, str], str]:
        """Return the address and the key, and a command that uses them."""
        labels = {"url": emulator.url, "key": emulator.api_key, "key-header": emulator.header}
        return labels, (
            f"  OCTAVED_API_KEY={emulator.api_key} zeyos-async list customers --api octaved --url {emulator.url}"
        )


@attrs.frozen
class FlowReader(SourceReader):
    """A reader of one resource of Octaved Flow."""

    flow: Octaved
    resource: str

    def build_source(self, options: QueryOptions) -> Source[Any]:
        """Return the rows of a search; without conditions all rows, for the resources that can list them."""
        _refuse_query_options(options)
        resource: Any = self.flow.resource(self.resource)
        if not hasattr(resource, "source"):
            raise InvalidArgument(
                f"Octaved Flow has no search for {self.resource}; `get` reads one by its ID"
            )
        if not options.where and not hasattr(resource, "all"):
            raise InvalidArgument(
                f"Octaved Flow gives no list of all {self.resource}: say which by --where, such as --where "
                "'~isArchived'; there are " + ", ".join(sorted(resource.schema.idents))
            )
        source: Source[Any] = resource.source(*options.where)
        return source

    def table_columns(self, fields: Mapping[str, Field]) -> Selection:
        """Return the columns that identify a row best."""
        return _default_columns(fields)

    async def read_record(self, id: Any, **options: Any) -> tuple[Mapping[str, Any], Mapping[str, Field]]:
        """Return a record's values."""
        refuse_options("Octaved Flow", options)
        record = await self.flow.resource(self.resource).get(id)
        return record_values(record), record.__entity__.fields


def _refuse_query_options(options: QueryOptions) -> None:
    # Ignored, these options would give other rows than the person expects.
    refused: dict[str, object] = {
        "search": options.search,
        "order-by": options.order_by,
        "distinct": options.distinct,
        "expand": options.expand,
        "extdata": options.extdata,
        "page-size": options.page_size,
    }
    for name, value in refused.items():
        if value:
            raise InvalidArgument(f"--{name}: the searches of Octaved Flow have no such thing")


def _default_columns(fields: Iterable[str]) -> dict[str, str]:
    """Return the columns of a resource: key → field."""
    names = set(fields)
    return {name: name for name in _COLUMNS if name in names}
