"""Models of the General API: their lists, records and definitions."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, TypeAlias, TypeVar

from ...auth.general.login import DOCUMENTED_CODES
from ...codec import DecodeFailed
from ...errors import (
    ApiError,
    BadRequest,
    FailedWrite,
    Gone,
    InvalidArgument,
    NotFound,
    OutcomeUnknown,
    ServerError,
    ZeyosAsyncError,
    quote_value,
)
from ...filters import Condition, Expression, FieldRef, condition, to_general
from ...wire import Safety
from ..base.plan import QueryPlan
from ..base.query import Query
from .actions import ActionCaller
from .forms import Definition, Form, read_form, to_data
from .lists import GeneralLists, Listing, Row, Rows, open_entity, read_listing
from .values import RecordId, record_id

__all__ = ["Model", "Target"]

T = TypeVar("T")
Target: TypeAlias = "RecordId | Row | Form | Iterable[RecordId | Row | Form]"
"""The records that a write is about: an ID, a row, a form, or several of them."""

_REFUSALS: Final = (BadRequest, NotFound, Gone, FailedWrite)
"""Errors as which a record that is not there is answered; the API has no code for it."""
_MAX_CONCURRENT_GETS: Final = 8
_PAGE_SIZE: Final = 500
"""Rows of a page where the caller does not choose; the document names no largest size."""


class Model:
    """One model, such as ``api.model("Subaccount")``. Made by the client; nothing is sent until a coroutine is awaited.

    Args:
        caller: Builds and sends the requests.
        name: The model's name.
    """

    def __init__(self, caller: ActionCaller, name: str) -> None:
        self._caller = caller
        self._name = name
        self._lists = GeneralLists(caller, open_entity(name))

    def __repr__(self) -> str:
        return f"<Model {self._name}>"

    @property
    def name(self) -> str:
        """The model's name."""
        return self._name

    # -- lists ----------------------------------------------------------------------------------

    def query(self) -> Query[Row]:
        """Return a query over all records, as rows of the columns that the server shows by default."""
        plan = QueryPlan(entity=self._lists.entity)
        return Query(self._lists, plan, Rows()).paging(size=_PAGE_SIZE)

    def where(self, *conditions: Condition) -> Query[Row]:
        """Return a query over the records for which all these conditions hold. See ``Query.where``."""
        return self.query().where(*conditions)

    async def list(
        self,
        *,
        filters: Condition | Sequence[Mapping[str, Any]] = (),
        limit: int | None = None,
        offset: int | None = None,
        order: str | None = None,
        sort: str | None = None,
        cols: Sequence[str] | None = None,
    ) -> Listing:
        """Fetch one page, as the action ``list`` returns it; ``where`` reads all pages.

        Args:
            filters: A condition, its text form, or the API's own list of filters.
            limit: The largest number of rows.
            offset: The number of rows to leave out at the start.
            order: The column to sort by.
            sort: ``"asc"`` or ``"desc"``.
            cols: The columns; the server's own choice if left out.
        """
        if isinstance(filters, Expression | FieldRef | str):
            filters = to_general(condition(filters), self._lists.entity)
        options = {"limit": limit, "offset": offset, "order": order, "sort": sort}
        fields: dict[str, Any] = {name: value for name, value in options.items() if value is not None}
        if filters:
            fields["filters"] = list(filters)
        if cols is not None:
            fields["cols"] = list(cols)
        return await self._call("list", fields, Safety.READ, self._read_listing)

    # -- records --------------------------------------------------------------------------------

    async def definition(self) -> Definition:
        """Fetch the model's fields: their types and choices, and whether they are required."""
        return (await self._call("get", {"ids": []}, Safety.READ, self._read_form)).definition

    async def get(self, id: RecordId | Row | Form, /) -> Form:
        """Fetch one record.

        Raises:
            BadRequest: There is none, or the user may not see it; the API has no code of its own for that.
        """
        keys = _ids_of(id)
        if len(keys) != 1:
            raise InvalidArgument(f"get() takes one record, not {len(keys)}")
        return await self._call("get", {"ids": keys}, Safety.READ, self._read_form_of(keys))

    async def get_many(self, ids: Iterable[RecordId | Row | Form]) -> dict[RecordId, Form]:
        """Fetch records by ID: one call for each, a few at a time, as a response holds one record's values only.

        Raises:
            BadRequest: One of them can't be fetched; the calls for the others are cancelled.
        """
        semaphore = asyncio.Semaphore(_MAX_CONCURRENT_GETS)
        keys = list(dict.fromkeys(_ids_of(ids)))

        async def fetch(key: RecordId) -> Form:
            async with semaphore:
                return await self.get(key)

        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(fetch(key)) for key in keys]
        except ExceptionGroup as failures:
            # Callers catch our errors by their classes, which "except BadRequest" does not find in a group.
            raise failures.exceptions[0] from None
        return dict(zip(keys, (task.result() for task in tasks), strict=True))

    async def create(self, data: Mapping[str, Any] | None = None, /, **fields: Any) -> Form:
        """Store a new record.

        Args:
            data: Field → value, for names that are no Python names.
            **fields: Field → value.

        Returns:
            The record as it was stored, with its ID.

        Raises:
            BadRequest: ``fields`` says what is wrong with which field.
            OutcomeUnknown: Sent, but the answer did not come or makes no sense.
        """
        values = {**(data or {}), **fields}
        return await self._write("create", [], values, Safety.ONCE)

    async def update(self, target: Target, data: Mapping[str, Any] | None = None, /, **fields: Any) -> Form:
        """Change these fields of one or more records.

        Names and choices are checked before anything is sent where ``target`` is a form.

        Args:
            target: The records: an ID, a row, a form, or several of them.
            data: Field → value, for names that are no Python names.
            **fields: Field → value. A password that reads ``UNCHANGED`` is left as it is.

        Returns:
            The record; of several, what they have in common.

        Raises:
            BadRequest: ``fields`` says what is wrong with which field.
        """
        values = {**(data or {}), **fields}
        if isinstance(target, Form):
            values = target.definition.check(values)
        # There are no ETags: sent again after a lost answer, it would undo what somebody else changed meanwhile.
        return await self._write("update", _ids_of(target), values, Safety.ONCE)

    async def delete(self, target: Target) -> None:
        """Delete one or more records.

        Raises:
            BadRequest: One of them is not there, or may not be deleted.
            OutcomeUnknown: Sent, but the answer did not come. Of several records, some may be deleted.
        """
        ids = list(dict.fromkeys(_ids_of(target)))
        if not ids:
            return
        try:
            await self._call("delete", {"ids": ids}, Safety.REPEATABLE, self._read_deleted(ids), sent=ids)
        except _REFUSALS as error:
            # After an attempt whose answer was lost, a refusal may mean that this attempt deleted them.
            if not error.after_unknown or error.status >= 500:
                raise
            if len(ids) > 1 or not await self._is_gone(ids[0], error):
                raise OutcomeUnknown(
                    f"an earlier attempt to delete {ids} was sent and not answered, and the last one was refused: "
                    f"{error.message}. Look at which of them are there, and decide",
                    method=error.method,
                    url=error.url,
                    operation=f"{self._name}.delete",
                    sent=ids,
                ) from error

    async def _is_gone(self, key: RecordId, refusal: ApiError) -> bool:
        """Return whether the server refuses to read a record as it refused to delete it.

        There is no code for "not there". A locked record can be read, and one that may not be read or deleted is
        refused for another reason each; what is said of both is that there is none.
        """
        try:
            await self.get(key)
        except (NotFound, Gone):
            return True
        except BadRequest as error:
            is_documented = error.code.isdecimal() and int(error.code) in DOCUMENTED_CODES
            return error.code == refusal.code and not is_documented
        except ZeyosAsyncError:
            return False
        return False

    def _read_deleted(self, ids: Sequence[RecordId]) -> Callable[[Any], None]:
        def read(data: Any) -> None:
            if data in (None, True, [], {}, ""):
                return
            others = [key for key in read_form(self._name, data).ids if not _is_among(key, ids)]
            if others:
                raise ServerError(f"{self._name}: {ids} were to be deleted, and {others} came")

        return read

    async def _write(
        self, action: str, ids: Sequence[RecordId], fields: Mapping[str, Any], safety: Safety
    ) -> Form:
        if action == "update" and not ids:
            raise InvalidArgument(f"{self._name}.update: no record was named")
        body = {"ids": [*ids], "data": to_data(fields)}
        read = self._read_form_of(ids) if ids else self._read_new_form
        return await self._call(action, body, safety, read, sent=dict(fields))

    async def _call(
        self,
        action: str,
        fields: Mapping[str, Any],
        safety: Safety,
        read: Callable[[Any], T],
        *,
        sent: Any = None,
    ) -> T:
        request = self._caller.build_request(action, fields, model=self._name, safety=safety, sent=sent)
        return await self._caller.call(request, read)

    def _read_form(self, data: Any) -> Form:
        return read_form(self._name, data)

    def _read_form_of(self, keys: Sequence[RecordId]) -> Callable[[Any], Form]:
        """Return a reader that takes the form of these records alone."""

        def read(data: Any) -> Form:
            form = self._read_form(data)
            same = all(_is_among(key, form.ids) for key in keys) and all(
                _is_among(key, keys) for key in form.ids
            )
            if not same:
                raise ServerError(
                    f"{self._name}: the form of {list(keys)} was asked for, and that of {list(form.ids)} came"
                )
            return form

        return read

    def _read_new_form(self, data: Any) -> Form:
        """Return the form of one new record."""
        form = self._read_form(data)
        if len(form.ids) != 1:
            raise ServerError(
                f"{self._name}: the id of the new record was expected, and {list(form.ids)} came"
            )
        return form

    def _read_listing(self, data: Any) -> Listing:
        try:
            return read_listing(data)
        except DecodeFailed as error:
            raise ServerError(f"{self._name}.list: {error}") from error


def _is_among(key: RecordId, keys: Sequence[RecordId]) -> bool:
    # 7 and "7" are one record: an ID that is a number may come as text.
    return str(key) in map(str, keys)


def _ids_of(target: Target) -> list[RecordId]:
    if isinstance(target, Form):
        return list(target.ids)
    if isinstance(target, Row):
        return [record_id(target.id)]
    if isinstance(target, int | str):
        return [record_id(target)]
    # Bytes are an iterable of numbers, and a mapping one of its keys: neither is a list of IDs.
    if isinstance(target, Iterable) and not isinstance(target, bytes | bytearray | memoryview | Mapping):
        return [key for item in target for key in _ids_of(item)]
    raise InvalidArgument(f"a record is named by its ID, a row or a form, not by {quote_value(target)}")
