"""One model of the General API: its lists, its records, its definition."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, TypeAlias, TypeVar

from ...codec import DecodeFailed
from ...errors import InvalidArgument, ServerError
from ...filters import Expression, condition, to_general
from ...wire import Safety
from ..base.plan import QueryPlan
from ..base.query import Query
from .forms import Definition, Form, read_form, to_data
from .lists import GeneralLists, Listing, Row, Rows, open_entity, read_listing
from .values import RecordId, record_id
from .wire import Wire

__all__ = ["Model", "Target"]

T = TypeVar("T")
Target: TypeAlias = "RecordId | Row | Form | Iterable[RecordId | Row | Form]"
"""Which records a write is about: an ID, a row, a form, or several of them."""

_AT_ONCE: Final = 8
"""Gets of single records that are on their way at one time."""
_PAGE: Final = 500
"""Rows of a page where the size is ours to choose; the document names no largest one."""


class Model:
    """One model, such as ``api.model("Subaccount")``. Made by the client; nothing is sent until a coroutine is awaited.

    Args:
        wire: Where requests are sent.
        name: The model's name.
    """

    def __init__(self, wire: Wire, name: str) -> None:
        self._wire = wire
        self._name = name
        self._door = GeneralLists(wire, open_entity(name))

    def __repr__(self) -> str:
        return f"<Model {self._name}>"

    @property
    def name(self) -> str:
        """The model's name."""
        return self._name

    # -- lists ----------------------------------------------------------------------------------

    def query(self) -> Query[Row]:
        """All records, as rows of the columns that the server shows by default."""
        plan = QueryPlan(entity=self._door.entity)
        return Query(self._door, plan, Rows()).paging(size=_PAGE)

    def where(self, *conditions: Expression | str) -> Query[Row]:
        """The records for which all these conditions hold. See ``Query.where``."""
        return self.query().where(*conditions)

    async def list(
        self,
        *,
        filters: Expression | str | Sequence[Mapping[str, Any]] = (),
        limit: int | None = None,
        offset: int | None = None,
        order: str | None = None,
        sort: str | None = None,
        cols: Sequence[str] | None = None,
    ) -> Listing:
        """One page, as the action ``list`` gives it; ``where`` reads all pages.

        Args:
            filters: A condition, its text form, or the API's own list of filters.
            limit: Rows at most.
            offset: Rows to leave out at the start.
            order: The column to sort by.
            sort: ``"asc"`` or ``"desc"``.
            cols: The columns; the server's own choice if left out.
        """
        if isinstance(filters, Expression | str):
            filters = to_general(condition(filters), self._door.entity)
        given = {"limit": limit, "offset": offset, "order": order, "sort": sort}
        fields: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
        if filters:
            fields["filters"] = list(filters)
        if cols is not None:
            fields["cols"] = list(cols)
        return await self._ask("list", fields, Safety.READ, self._listing)

    # -- records --------------------------------------------------------------------------------

    async def definition(self) -> Definition:
        """The model's fields: types, choices, what is required."""
        return (await self._ask("get", {"ids": []}, Safety.READ, self._form)).definition

    async def get(self, id: RecordId | Row | Form, /) -> Form:
        """One record.

        Raises:
            BadRequest: There is none, or the user may not see it; the API has no code of its own for that.
        """
        (key,) = _ids(id, one=True)
        return await self._ask("get", {"ids": [key]}, Safety.READ, self._form)

    async def get_many(self, ids: Iterable[RecordId | Row | Form]) -> dict[RecordId, Form]:
        """Records by ID: one call for each, a few at a time, as an answer holds one record's values only.

        Raises:
            BadRequest: One of them can't be had; the calls for the others are given up.
        """
        gate = asyncio.Semaphore(_AT_ONCE)
        keys = list(dict.fromkeys(_ids(ids)))

        async def one(key: RecordId) -> Form:
            async with gate:
                return await self.get(key)

        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(one(key)) for key in keys]
        except ExceptionGroup as failed:
            raise failed.exceptions[0] from None
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
        given = {**(data or {}), **fields}
        return await self._write("create", [], given, Safety.ONCE)

    async def update(self, target: Target, data: Mapping[str, Any] | None = None, /, **fields: Any) -> Form:
        """Change these fields of one or more records.

        Names and choices are checked before anything is sent where ``target`` is a form.

        Args:
            target: Which records.
            data: Field → value, for names that are no Python names.
            **fields: Field → value. A password that reads ``UNCHANGED`` is left as it is.

        Returns:
            The record; of several, what they have in common.

        Raises:
            BadRequest: ``fields`` says what is wrong with which field.
        """
        given = {**(data or {}), **fields}
        if isinstance(target, Form):
            given = target.definition.check(given)
        return await self._write("update", _ids(target), given, Safety.REPEATABLE)

    async def delete(self, target: Target) -> None:
        """Delete one or more records."""
        ids = _ids(target)
        if ids:
            await self._ask("delete", {"ids": ids}, Safety.REPEATABLE, lambda data: None, sent=ids)

    async def _write(
        self, action: str, ids: Sequence[RecordId], fields: Mapping[str, Any], safety: Safety
    ) -> Form:
        if action == "update" and not ids:
            raise InvalidArgument(f"{self._name}.update: no record was named")
        body = {"ids": [*ids], "data": to_data(fields)}
        return await self._ask(action, body, safety, self._form, sent=dict(fields))

    async def _ask(
        self,
        action: str,
        fields: Mapping[str, Any],
        safety: Safety,
        read: Callable[[Any], T],
        *,
        sent: Any = None,
    ) -> T:
        request = self._wire.request(action, fields, model=self._name, safety=safety, sent=sent)
        return await self._wire.ask(request, read)

    def _form(self, data: Any) -> Form:
        return read_form(self._name, data)

    def _listing(self, data: Any) -> Listing:
        try:
            return read_listing(data)
        except DecodeFailed as error:
            raise ServerError(f"{self._name}.list: {error}") from error


def _ids(target: Target, *, one: bool = False) -> list[RecordId]:
    if isinstance(target, Form):
        ids = list(target.ids)
    elif isinstance(target, Row):
        ids = [record_id(target.id)]
    elif isinstance(target, int | str):
        ids = [record_id(target)]
    elif isinstance(target, Iterable):
        ids = [key for item in target for key in _ids(item)]
    else:
        raise InvalidArgument(f"a record is named by its ID, a row or a form, not by {target!r}")
    if one and len(ids) != 1:
        raise InvalidArgument(f"get() takes one record, not {len(ids)}")
    return ids
