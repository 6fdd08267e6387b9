"""Resources of entities that can be read: ``get``, ``exists``, ``get_many``, and queries."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar, overload

from yarl import URL

from ...codec import DecodeFailed, TypedReader
from ...errors import Gone, InvalidArgument, NotFound, quote_value
from ...filters import Comparison, Condition, FieldNamespace, Op
from ...records import Record
from ...schema import Entity, Kind
from ...session import Channel
from ...urls import add_segments, set_query
from ...wire import Request, Response, Safety, too_deep
from ..base.answers import describes_error
from ..base.plan import QueryPlan
from ..base.query import Query
from ..base.row_types import RecordRows
from ..base.values import encode_json
from .content import content_from_wire
from .ids import check_etag, check_id, id_of
from .lists import JSON_HEADERS, ZeyosLists
from .quirks import Quirks
from .reconcile import unreadable_response

__all__ = ["ReadableResource"]

R = TypeVar("R", bound=Record)

_MAX_IDS_PER_LIST: Final = 10_000
"""IDs that one list call is asked for: as many rows as it may answer."""

_WRITE_METHODS: Final = frozenset({"create", "update", "modify", "delete"})


class ReadableResource(Generic[R]):
    """The calls that read one entity. Made by the client; see ``zeyos.accounts``.

    Args:
        channel: Sends the requests.
        root: The API's root, ``…/api/v1``.
        record: The class of its records.
        quirks: The points in which instances differ.
    """

    def __init__(self, channel: Channel, root: URL, record: type[R], *, quirks: Quirks | None = None) -> None:
        self._record = record
        self._entity: Entity = record.__entity__
        self._url = root / self._entity.name
        self._quirks = quirks or Quirks()
        self._lists = ZeyosLists(channel, self._url, self._entity, self._quirks)
        self._channel = channel
        # Made on first use: a client has an attribute for each of the entities, and a program uses a few of them.
        self._row_type: RecordRows[R] | None = None
        self._record_reader: TypedReader[R] | None = None

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._entity.name}>"

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            if name in _WRITE_METHODS:
                raise AttributeError(f"{self._entity.name} is read-only in the API: there is no {name}()")
            if not name.startswith("_") and hasattr(Query, name):
                raise AttributeError(f"{name}() is a query's: {self._entity.name}.query().{name}(…)")
            raise AttributeError(f"{type(self).__name__} has no attribute {name!r}")

    @property
    def entity(self) -> Entity:
        """The entity's table: its fields, codes, references and operations."""
        return self._entity

    @property
    def record(self) -> type[R]:
        """The class of its records."""
        return self._record

    @property
    def f(self) -> Any:
        """The entity's fields, for conditions: ``zeyos.accounts.f.lastname == "Doe"``."""
        return FieldNamespace(self._entity)

    def query(self) -> Query[R]:
        """Return a query over all records."""
        if self._row_type is None:
            self._row_type = RecordRows(self._record, self._field_pairs())
        return Query(self._lists, QueryPlan(entity=self._entity), self._row_type)

    def where(self, *conditions: Condition) -> Query[R]:
        """Return a query over the records for which all these conditions hold. See ``Query.where``."""
        return self.query().where(*conditions)

    @overload
    async def get(
        self,
        id: int,
        /,
        *,
        extdata: bool = ...,
        tags: bool = ...,
        expand: Iterable[str] = ...,
        if_none_match: None = ...,
    ) -> R: ...

    @overload
    async def get(
        self,
        id: int,
        /,
        *,
        extdata: bool = ...,
        tags: bool = ...,
        expand: Iterable[str] = ...,
        if_none_match: str | R,
    ) -> R | None: ...

    async def get(
        self,
        id: int,
        /,
        *,
        extdata: bool = False,
        tags: bool = False,
        expand: Iterable[str] = (),
        if_none_match: str | R | None = None,
    ) -> R | None:
        """Fetch one record by its ID, with its ETag.

        Args:
            id: The record's ID.
            extdata: Whether to fetch the instance's own fields too (``record.extdata``).
            tags: Whether to fetch the tags too (``record.tags``).
            expand: Composite fields whose content is fetched; binary content comes as ``bytes``.
            if_none_match: An ETag, or a record with one: if the record still has it, the result is
                ``None`` and nothing is transferred.

        Raises:
            NotFound: There is no such record (``Gone`` where the API says that there was).
        """
        expanded = self._check_expandable(expand)
        query = self._quirks.expand_query(expanded)
        for name, is_requested, is_offered in (
            ("extdata", extdata, self._entity.extdata),
            ("tags", tags, self._entity.tags),
        ):
            if is_requested and not is_offered:
                raise InvalidArgument(f"{self._entity.name} has no {name}")
            if is_requested:
                query.append((name, "1"))
        etag = self._etag_of(if_none_match) if if_none_match is not None else None
        if isinstance(if_none_match, str):
            check_etag("if_none_match", if_none_match)
        headers = {"Accept": "application/json", **({"If-None-Match": etag} if etag else {})}
        request = self._request("GET", id, Safety.READ, "get", headers=headers, query=query)
        response = await self._channel.send(request)
        if response.status == 304 and etag is not None:
            return None
        return self._read_record(request, response, expanded=expanded)

    async def exists(self, id: int, /) -> bool:
        """Return whether there is a record of this ID that may be read."""
        request = self._request("HEAD", id, Safety.READ, "exists")
        try:
            response = await self._channel.send(request)
        except (NotFound, Gone):
            return False
        # A HEAD has no body to decode: without this, the log-in page of a proxy would mean that the record exists.
        if response.content_type == "text/html":
            raise unreadable_response(request, response, self._entity, "a web page; is the base URL right?")
        return True

    async def get_many(self, ids: Iterable[int], /, *, extdata: bool = False) -> dict[int, R]:
        """Fetch records by their IDs, in as few list calls as it takes.

        Args:
            ids: The IDs; repeated ones count once.
            extdata: Whether to fetch the instance's own fields too.

        Returns:
            ID → record, in the order of ``ids``. IDs without a record are not in it.
        """
        if isinstance(ids, bytes | bytearray | memoryview):  # an iterable of numbers, but no list of IDs
            raise InvalidArgument(f"get_many() takes IDs, not {type(ids).__name__}")
        unique_ids = list(dict.fromkeys(check_id(number) for number in ids))
        records: dict[int, R] = {}
        query = self.query().with_extdata() if extdata else self.query()
        for start in range(0, len(unique_ids), _MAX_IDS_PER_LIST):
            chunk = tuple(sorted(unique_ids[start : start + _MAX_IDS_PER_LIST]))
            rows = query.where(Comparison("ID", Op.IN, chunk)).limit(len(chunk))
            async for page in rows.paging(size=_MAX_IDS_PER_LIST).pages():
                records.update((id_of(row), row) for row in page)
        return {number: records[number] for number in unique_ids if number in records}

    def _field_pairs(self) -> tuple[tuple[str, str], ...]:
        """Return attribute → wire name of the fields of a full record."""
        pseudo_fields = (("extdata", "extdata"),) if self._entity.extdata else ()
        return (*((field.attr, field.name) for field in self._entity), *pseudo_fields)

    def _check_expandable(self, expand: Iterable[str]) -> list[str]:
        if isinstance(expand, str):
            raise InvalidArgument(f"expand takes a list of fields: [{expand!r}]")
        paths = list(expand)
        if not all(isinstance(path, str) for path in paths):
            raise InvalidArgument(f"expand takes names of fields, not {quote_value(paths)}")
        paths = list(dict.fromkeys(paths))
        composite_kinds = (Kind.JSON, Kind.ARRAY, Kind.BINARY)
        for path in paths:
            kind = self._entity.field(path).kind
            if kind not in composite_kinds:
                raise InvalidArgument(
                    f"expand: {path} is {kind.value}; only composite fields can be expanded"
                )
        return paths

    def _request(
        self,
        method: str,
        id: object,
        safety: Safety,
        action: str,
        *,
        headers: Mapping[str, str] | None = None,
        query: list[tuple[str, str]] | None = None,
        body: dict[str, Any] | None = None,
    ) -> Request:
        url = self._url if action == "create" else add_segments(self._url, str(check_id(id)))
        operation = f"{self._entity.name}.{action}"
        return Request(
            method=method,
            url=set_query(url, query) if query else url,
            headers={**(JSON_HEADERS if body is not None else {}), **(headers or {})},
            body=None if body is None else encode_json(body, operation=operation),
            safety=safety,
            operation=operation,
            sent=body,
        )

    def _read_record(self, request: Request, response: Response, *, expanded: Iterable[str] = ()) -> R:
        """Return the record of a response, with its ETag."""
        if self._record_reader is None:
            tags = (("tags", "tags"),) if self._entity.tags else ()
            pairs = dict((*self._field_pairs(), *tags))
            # Pausing the garbage collector pays for pages of thousands of rows, not for one record.
            self._record_reader = TypedReader(self._record, pairs, id_key="ID", pause_gc=False)
        try:
            record = self._record_reader.one(response.body)
        except DecodeFailed as error:
            raise unreadable_response(request, response, self._entity, str(error)) from error
        except RecursionError as error:
            if request.safety is Safety.READ:
                raise too_deep(request.url) from error
            raise unreadable_response(request, response, self._entity, "nested too deeply") from error
        self._check_id_came(request, response, record)
        for path in expanded:
            field = self._entity.field(path)
            if field.kind is Kind.BINARY:
                setattr(record, field.attr, content_from_wire(getattr(record, field.attr)))
        etag = response.headers.get("ETag")
        if etag:
            setattr(record, record.__etag__, etag)
        return record

    def _check_id_came(self, request: Request, response: Response, record: R) -> None:
        """Raise unless the record of an answer is the one that was asked for, or a new one with its ID."""
        number = getattr(record, "ID", None)
        is_id = isinstance(number, int) and not isinstance(number, bool) and number > 0
        requested_id = "" if request.url == self._url else request.url.name
        if is_id and requested_id in ("", str(number)):
            extra = getattr(record, "extra", None)
            if not describes_error(extra) or self._has_fields(record):
                return
            reason = f"it says that it failed: {quote_value(extra, 80)}"
            raise unreadable_response(request, response, self._entity, reason)
        reason = (
            f"the record {requested_id} was asked for, and {quote_value(number)} came"
            if requested_id
            else "it has no ID"
        )
        if number is None:
            reason = f"it has no ID: {quote_value(response.text, 80)}"
        raise unreadable_response(request, response, self._entity, reason)

    def _has_fields(self, record: R) -> bool:
        """Return whether a record has more than its ID; what the entity does not know is in ``extra`` and no field of it."""
        names = [field.attr for field in self._entity if field.name != "ID"]
        return any(getattr(record, name) is not None for name in names)

    def _etag_of(self, value: object) -> str | None:
        if isinstance(value, str):
            return str.__str__(value)
        if isinstance(value, self._record):
            return getattr(value, value.__etag__)  # type: ignore[no-any-return]
        raise InvalidArgument(
            f"an ETag or a record of {self._entity.name} is wanted, not {quote_value(value)}"
        )
