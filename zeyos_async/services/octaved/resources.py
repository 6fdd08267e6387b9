"""What the resources of Octaved Flow offer."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

from yarl import URL

from ...addresses import add_segments
from ...codec import DecodeFailed
from ...errors import Gone, NotFound
from ...filters import Expression, FieldNamespace, FieldRef
from ...session import Channel
from ...wire import Request, Safety
from .paths import Paths
from .search import Search, conjoin, search_request
from .source import SearchSource
from .tables import FlowRecord, Schema
from .wire import Route, batches, id_of, read, read_created, read_ids, reader, unusable
from .writes import check_locations, prepare

if TYPE_CHECKING:
    from ._generated.billings import Billing
    from ._generated.customers import Customer

__all__ = ["BaseResource", "BillingResource", "CustomerResource", "FlowResource", "together"]

R = TypeVar("R", bound=FlowRecord)
T = TypeVar("T")

_OFFERED_BY_SOME: Final = frozenset({"all", "patch", "delete", "search", "search_ids", "source"})


async def together(calls: Iterable[Coroutine[Any, Any, T]]) -> list[T]:
    """The results of calls that run at once; the first failure ends the others."""
    tasks = [asyncio.ensure_future(call) for call in calls]
    try:
        return list(await asyncio.gather(*tasks))
    except BaseException:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        raise


class BaseResource(Generic[R]):
    """What every resource offers: reading by ID, and creating. Made by the client; see ``flow.tasks``.

    Args:
        channel: Where requests are sent.
        root: The API's base URL.
        paths: Where the routes are.
        record: The class of its records.
    """

    def __init__(self, channel: Channel, root: URL, paths: Paths, record: type[R]) -> None:
        self._channel = channel
        self._record = record
        self._schema: Schema = record.__schema__
        name = self._schema.entity.name
        self._route = Route(add_segments(root, *getattr(paths, name).split("/")), name)
        self._part = paths.search
        self._reader = reader(record)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._route.name}>"

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            if name in _OFFERED_BY_SOME:
                raise AttributeError(f"the API does not offer {name}() for {self._route.name}")
            raise AttributeError(f"{type(self).__name__} has no attribute {name!r}")

    @property
    def record(self) -> type[R]:
        """The class of its records."""
        return self._record

    @property
    def schema(self) -> Schema:
        """What the document says: fields, what a create takes, what can be searched for."""
        return self._schema

    @property
    def f(self) -> Any:
        """What can be searched for, for conditions: ``flow.tasks.f.childrenOf == project.id``."""
        return FieldNamespace(self._schema.search)

    async def get(self, id: str, /) -> R:
        """The record of this ID.

        Raises:
            InvalidArgument: It is no ID.
            NotFound: There is no such record.
        """
        return await self._get(id, ())

    async def exists(self, id: str, /) -> bool:
        """Whether there is a record of this ID that may be read."""
        try:
            await self._get(id, ())
        except (NotFound, Gone):
            return False
        return True

    async def get_many(self, ids: Iterable[str], /) -> dict[str, R]:
        """Records by their IDs, in as few requests as it takes.

        Args:
            ids: The IDs; repeated ones count once.

        Returns:
            ID → record, in the order of ``ids``. IDs without a record are not in it.

        Raises:
            InvalidArgument: One of them is no ID.
        """
        return await self._get_many(ids, ())

    async def create(self, **fields: Any) -> str:
        """Create a record, and return its ID. Never sent again once it may have arrived.

        Args:
            **fields: Field → value.

        Raises:
            UnknownField: There is no such field.
            InvalidArgument: A value does not fit its field, or a required one is missing.
            OutcomeUnknown: Sent, but the answer did not come or makes no sense.
        """
        body = prepare(self._schema, fields, create=True)
        request = self._route.send("POST", "create", body=body, safety=Safety.ONCE)
        return read_created(request, await self._channel.send(request))

    async def put(self, record: R | str, /, **fields: Any) -> str:
        """Create a record with an ID of one's own, and return the ID.

        Args:
            record: The ID, or a record that has it.
            **fields: Field → value, as for ``create``.

        Raises:
            UnknownField: There is no such field.
            InvalidArgument: A value does not fit its field, or a required one is missing.
            OutcomeUnknown: Sent, but the answer did not come.
        """
        number = id_of(record)
        body = prepare(self._schema, fields, create=True)
        await self._channel.send(self._route.send("PUT", "put", number, body=body, safety=self._put_safety))
        return number

    _put_safety = Safety.REPEATABLE

    async def _get(self, id: str, options: Iterable[tuple[str, str]]) -> R:
        request = self._route.get("get", id_of(id), query=options)
        return read(request, await self._channel.send(request), self._reader)

    async def _get_many(self, ids: Iterable[str], options: Iterable[tuple[str, str]]) -> dict[str, R]:
        wanted = list(ids) if not isinstance(ids, str) else ids
        queries = list(batches(self._route.url, wanted))
        pages = await together(
            self._page(self._route.get("get_many", query=[*query, *options])) for query in queries
        )
        found = {getattr(record, "id", ""): record for page in pages for record in page}
        return {one: found[one] for one in dict.fromkeys(wanted) if one in found}

    async def _page(self, request: Request) -> list[R]:
        response = await self._channel.send(request)
        try:
            return self._reader.page(response.body).rows
        except DecodeFailed as error:
            raise unusable(request, response, str(error)) from error


class FlowResource(BaseResource[R]):
    """A resource that can be searched and changed."""

    async def patch(self, record: R | str, /, **changes: Any) -> None:
        """Change some fields of a record.

        ``keyValueStore`` is merged: keys that are not given stay, a key with ``None`` is removed.
        ``definesOwnResponsible``, ``responsibleGroups`` and ``responsibleUsers`` are given together.

        Args:
            record: The record, or its ID.
            **changes: Field → value.

        Raises:
            UnknownField: There is no such field.
            InvalidArgument: A value does not fit its field, or nothing is given.
            NotFound: There is no such record.
            OutcomeUnknown: Sent, but the answer did not come.
        """
        number = id_of(record)
        body = prepare(self._schema, changes, create=False)
        await self._channel.send(self._route.send("PATCH", "patch", number, body=body))

    async def delete(self, record: R | str, /) -> None:
        """Delete a record.

        Args:
            record: The record, or its ID.

        Raises:
            NotFound: There is no such record.
            OutcomeUnknown: Sent, but the answer did not come.
        """
        try:
            await self._channel.send(self._route.send("DELETE", "delete", id_of(record)))
        except (NotFound, Gone) as error:
            # Gone by an earlier attempt of this very call, whose answer was lost.
            if not error.after_unknown:
                raise

    def search(self, *conditions: Expression | FieldRef[Any] | str) -> Search[R]:
        """The records for which all these conditions hold.

        Args:
            *conditions: Made with ``F``, the resource's ``f``, or as text. There are ``==``, ``!=``, ``in_``,
                ``not_in``, ``&``, ``|``, ``~``, and flags alone: ``F.isArchived``.

        Raises:
            UnknownField: The resource does not know this ident.
            UnsupportedFilter: The API can't say a part of it.
        """
        where = conjoin(conditions)

        def request(objects: bool) -> Request | None:
            return search_request(self._route, self._schema, self._part, where, objects=objects)

        request(False)  # for the errors
        return Search(request, self._find_ids, self._find, self._schema.yields)

    async def search_ids(self, *conditions: Expression | FieldRef[Any] | str) -> list[str]:
        """The IDs of the records for which all these conditions hold; see ``search``."""
        return await self.search(*conditions).ids()

    def source(self, *conditions: Expression | FieldRef[Any] | str) -> SearchSource[R]:
        """What a search finds as a source, for exports and syncs.

        Args:
            *conditions: As for ``search``.

        Raises:
            UnknownField: The resource does not know this ident.
            UnsupportedFilter: The API can't say a part of it, as that of no condition at all.
        """
        found = self.search(*conditions)
        return SearchSource(schema=self._schema.entity, ids=found.ids, records=self.get_many)

    async def _find_ids(self, request: Request) -> list[str]:
        return read_ids(request, await self._channel.send(request))

    async def _find(self, request: Request) -> list[R]:
        if self._schema.yields:
            return await self._page(request)
        return list((await self.get_many(await self._find_ids(request))).values())


class CustomerResource(FlowResource["Customer"]):
    """Customers: all of them can be read, and their locations are written as a whole."""

    async def all(self) -> list[Customer]:
        """All customers."""
        return await self._page(self._route.get("all"))

    def source(self, *conditions: Expression | FieldRef[Any] | str) -> SearchSource[Customer]:
        """What a search finds as a source; without a condition, all customers."""
        if conditions:
            return super().source(*conditions)
        return SearchSource(schema=self._schema.entity, ids=self._all_ids, records=self.get_many)

    async def _all_ids(self) -> list[str]:
        return [id_of(customer) for customer in await self.all()]

    async def patch(
        self, record: Customer | str, /, *, delete_locations: bool = False, **changes: Any
    ) -> None:
        """Change some fields of a customer; see ``FlowResource.patch``.

        ``locations`` replaces all locations: the server deletes those that are not in it. So they are compared with
        the customer's present ones, read for this, and leaving one out has to be said.

        Args:
            record: The customer, or its ID.
            delete_locations: Whether locations that are left out are to be deleted.
            **changes: Field → value.

        Raises:
            UnknownField: There is no such field.
            InvalidArgument: A value does not fit its field, nothing is given, or a location would be deleted.
            NotFound: There is no such customer.
            OutcomeUnknown: Sent, but the answer did not come.
        """
        body = prepare(self._schema, changes, create=False)
        if "locations" in body and not delete_locations:
            check_locations((await self.get(id_of(record))).locations, body["locations"])
        await super().patch(record, **changes)


class BillingResource(BaseResource["Billing"]):
    """Billings: what is included in an answer is asked for."""

    _put_safety = Safety.ONCE  # it bills what has not been billed: the second time, other records

    async def get(
        self,
        id: str,
        /,
        *,
        sums: bool = False,
        time_record_ids: bool = False,
        work_package_ids: bool = False,
    ) -> Billing:
        """The billing of this ID.

        Args:
            id: The ID.
            sums: Whether ``sums`` is calculated.
            time_record_ids: Whether ``timeRecordIds`` is included.
            work_package_ids: Whether ``workPackageIds`` is included.

        Raises:
            NotFound: There is no such billing.
        """
        return await self._get(id, _billing_options(sums, time_record_ids, work_package_ids))

    async def get_many(
        self,
        ids: Iterable[str],
        /,
        *,
        sums: bool = False,
        time_record_ids: bool = False,
        work_package_ids: bool = False,
    ) -> dict[str, Billing]:
        """Billings by their IDs; the options are those of ``get``."""
        return await self._get_many(ids, _billing_options(sums, time_record_ids, work_package_ids))


def _billing_options(sums: bool, time_record_ids: bool, work_package_ids: bool) -> list[tuple[str, str]]:
    asked: Mapping[str, bool] = {
        "withSums": sums,
        "withTimeRecordIds": time_record_ids,
        "withWorkPackageIds": work_package_ids,
    }
    return [(name, "1") for name, wanted in asked.items() if wanted]
