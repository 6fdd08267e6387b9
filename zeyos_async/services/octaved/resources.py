"""The resources of Octaved Flow: reading by ID, searching, and writing."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Coroutine, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

from yarl import URL

from ...errors import ApiError, BadRequest, Conflict, Gone, NotFound, OutcomeUnknown, ZeyosAsyncError
from ...filters import Condition, FieldNamespace, all_of, condition
from ...session import Channel
from ...urls import add_segments
from ...wire import Request, Safety
from ..base.pagers.by_keys import fetch_each_key
from .paths import Paths
from .requests import RequestBuilder, batch_ids, id_of
from .responses import build_reader, read_created_id, read_ids, read_record, read_records, record_id_of
from .search import Search, search_request
from .source import SearchSource
from .tables import FlowRecord, Schema
from .writes import check_locations, has_values, prepare_body

if TYPE_CHECKING:
    from ._generated.billings import Billing
    from ._generated.customers import Customer

__all__ = ["BaseResource", "BillingResource", "CustomerResource", "FlowResource", "gather_or_cancel"]

R = TypeVar("R", bound=FlowRecord)
T = TypeVar("T")

_OPTIONAL_METHODS: Final = frozenset({"all", "patch", "delete", "search", "search_ids", "source"})


async def gather_or_cancel(calls: Iterable[Coroutine[Any, Any, T]]) -> list[T]:
    """Return the results of calls that run at once; at the first failure, cancel the others."""
    tasks = [asyncio.ensure_future(call) for call in calls]
    try:
        return list(await asyncio.gather(*tasks))
    except BaseException:
        # asyncio.gather lets the other calls go on after a failure: their answers would be read for nobody.
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        raise


class BaseResource(Generic[R]):
    """The calls that every resource has: reading by ID, and creating. Made by the client; see ``flow.tasks``.

    Args:
        channel: Sends the requests.
        root: The API's base URL.
        paths: The paths of the routes.
        record: The class of its records.
    """

    def __init__(self, channel: Channel, root: URL, paths: Paths, record: type[R]) -> None:
        self._channel = channel
        self._record = record
        self._schema: Schema = record.__schema__
        name = self._schema.entity.name
        self._requests = RequestBuilder(add_segments(root, *getattr(paths, name).split("/")), name)
        self._search_path = paths.search
        self._reader = build_reader(record)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._requests.name}>"

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            if name in _OPTIONAL_METHODS:
                raise AttributeError(f"the API does not offer {name}() for {self._requests.name}")
            raise AttributeError(f"{type(self).__name__} has no attribute {name!r}")

    @property
    def record(self) -> type[R]:
        """The class of its records."""
        return self._record

    @property
    def schema(self) -> Schema:
        """The resource's tables: the fields of records and of creates, and the search idents."""
        return self._schema

    @property
    def f(self) -> Any:
        """The search idents, for conditions: ``flow.tasks.f.childrenOf == project.id``."""
        return FieldNamespace(self._schema.search)

    async def get(self, id: str, /) -> R:
        """Fetch the record of this ID.

        Raises:
            InvalidArgument: It is no ID.
            NotFound: There is no such record.
        """
        return await self._get(id, ())

    async def exists(self, id: str, /) -> bool:
        """Return whether there is a record of this ID that may be read."""
        try:
            await self._get(id, ())
        except (NotFound, Gone):
            return False
        return True

    async def get_many(self, ids: Iterable[str], /) -> dict[str, R]:
        """Fetch records by their IDs, in as few requests as it takes.

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
        body = prepare_body(self._schema, fields, create=True)
        request = self._requests.build("POST", "create", body=body, safety=Safety.ONCE)
        return read_created_id(request, await self._channel.send(request))

    async def put(self, record: R | str, /, **fields: Any) -> str:
        """Create a record with an ID of one's own, and return the ID.

        Args:
            record: The ID, or a record that has it.
            **fields: Field → value, as for ``create``.

        Raises:
            UnknownField: There is no such field.
            InvalidArgument: A value does not fit its field, or a required one is missing.
            Conflict: There is a record of this ID.
            OutcomeUnknown: Sent, but the answer did not come, and the record of this ID has not these values.
        """
        record_id = id_of(record)
        body = prepare_body(self._schema, fields, create=True)
        request = self._requests.build("PUT", "put", record_id, body=body, safety=self._put_safety)
        try:
            await self._channel.send(request)
        except (Conflict, BadRequest) as error:
            # After an attempt whose answer was lost, "there is one" may mean the record of that attempt, or another's.
            # The document names no status for it.
            if not error.after_unknown:
                raise
            if not await self._is_stored(record_id, body):
                raise self._put_outcome(request, error) from error
        return record_id

    async def _is_stored(self, record_id: str, body: Mapping[str, Any]) -> bool:
        """Return whether the record has the values of a put."""
        read_request = self._requests.build_get("get", record_id)
        try:
            response = await self._channel.send(read_request)
            read_record(read_request, response, self._reader)
        except ZeyosAsyncError:
            return False
        return has_values(response.json(), body)

    def _put_outcome(self, request: Request, error: ApiError) -> OutcomeUnknown:
        return OutcomeUnknown(
            "an earlier attempt was sent and not answered, the last one was refused, and no record of this ID with these "
            f"values can be read: look at it, and decide. The refusal: {error.message}",
            method=request.method,
            url=error.url,
            operation=request.operation,
            sent=request.sent,
        )

    _put_safety = Safety.REPEATABLE

    async def _get(self, id: str, options: Iterable[tuple[str, str]]) -> R:
        request = self._requests.build_get("get", id_of(id), query=options)
        return read_record(request, await self._channel.send(request), self._reader)

    async def _get_many(self, ids: Iterable[str], options: Iterable[tuple[str, str]]) -> dict[str, R]:
        id_list = list(ids) if not isinstance(ids, str) else ids
        # A list first: an ID that is none is refused before any request is sent.
        batches = [[key for _, key in query] for query in batch_ids(self._requests.url, id_list)]

        async def fetch(keys: Sequence[str]) -> dict[str, R]:
            query = [("ids[]", key) for key in keys]
            request = self._requests.build_get("get_many", query=[*query, *options])
            page = await self._fetch_page(request, requested_ids=frozenset(keys))
            return {record_id_of(record): record for record in page}

        pages = await gather_or_cancel(fetch_each_key(fetch, batch) for batch in batches)
        records = {key: record for page in pages for key, record in page.items()}
        return {record_id: records[record_id] for record_id in dict.fromkeys(id_list) if record_id in records}

    async def _fetch_page(self, request: Request, *, requested_ids: Collection[str] | None = None) -> list[R]:
        return read_records(
            request, await self._channel.send(request), self._reader, requested_ids=requested_ids
        )


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
        record_id = id_of(record)
        body = prepare_body(self._schema, changes, create=False)
        # There are no ETags: sent again after a lost answer, it would undo what somebody else changed meanwhile.
        request = self._requests.build("PATCH", "patch", record_id, body=body, safety=Safety.ONCE)
        await self._channel.send(request)

    async def delete(self, record: R | str, /) -> None:
        """Delete a record.

        Args:
            record: The record, or its ID.

        Raises:
            NotFound: There is no such record.
            OutcomeUnknown: Sent, but the answer did not come.
        """
        try:
            await self._channel.send(self._requests.build("DELETE", "delete", id_of(record)))
        except (NotFound, Gone) as error:
            # Gone by an earlier attempt of this very call, whose answer was lost.
            if not error.after_unknown:
                raise

    def search(self, *conditions: Condition) -> Search[R]:
        """Search for the records for which all these conditions hold.

        Args:
            *conditions: Made with ``F``, the resource's ``f``, or as text. There are ``==``, ``!=``, ``in_``,
                ``not_in``, ``&``, ``|``, ``~``, and flags alone: ``F.isArchived``.

        Raises:
            UnknownField: The resource does not know this ident.
            UnsupportedFilter: The API can't say a part of it.
        """
        where = all_of(condition(item) for item in conditions)

        def build_request(objects: bool) -> Request | None:
            return search_request(self._requests, self._schema, self._search_path, where, objects=objects)

        build_request(False)  # raises the condition's errors here, and not when the search is awaited
        return Search(build_request, self._fetch_ids, self._fetch_records, self._schema.yields)

    async def search_ids(self, *conditions: Condition) -> list[str]:
        """Return the IDs of the records for which all these conditions hold; see ``search``."""
        return await self.search(*conditions).ids()

    def source(self, *conditions: Condition) -> SearchSource[R]:
        """Return the records of a search as a source, for exports and syncs.

        Args:
            *conditions: The conditions, as for ``search``.

        Raises:
            UnknownField: The resource does not know this ident.
            UnsupportedFilter: The API can't express a part of it, or there is no condition at all.
        """
        search = self.search(*conditions)
        return SearchSource(schema=self._schema.entity, fetch_ids=search.ids, fetch_records=self.get_many)

    async def _fetch_ids(self, request: Request) -> list[str]:
        return read_ids(request, await self._channel.send(request))

    async def _fetch_records(self, request: Request) -> list[R]:
        if self._schema.yields:
            return await self._fetch_page(request)
        return list((await self.get_many(await self._fetch_ids(request))).values())


class CustomerResource(FlowResource["Customer"]):
    """Customers: all of them can be read, and their locations are written as a whole."""

    async def all(self) -> list[Customer]:
        """Fetch all customers."""
        return await self._fetch_page(self._requests.build_get("all"))

    def source(self, *conditions: Condition) -> SearchSource[Customer]:
        """Return the customers of a search as a source; without a condition, all customers."""
        if conditions:
            return super().source(*conditions)
        return SearchSource(
            schema=self._schema.entity, fetch_ids=self._fetch_all_ids, fetch_records=self.get_many
        )

    async def _fetch_all_ids(self) -> list[str]:
        return [id_of(customer) for customer in await self.all()]

    async def patch(
        self, record: Customer | str, /, *, delete_locations: bool = False, **changes: Any
    ) -> None:
        """Change some fields of a customer; see ``FlowResource.patch``.

        ``locations`` replaces all locations: the server deletes those that are not in it. So they are compared with
        the customer's present ones, which are read for this, and leaving one out needs ``delete_locations=True``.

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
        body = prepare_body(self._schema, changes, create=False)
        if "locations" in body and not delete_locations:
            check_locations((await self.get(id_of(record))).locations, body["locations"])
        await super().patch(record, **changes)


class BillingResource(BaseResource["Billing"]):
    """Billings: options of the calls say which parts a response includes."""

    _put_safety = Safety.ONCE  # it bills records that were not billed yet: sent twice, it would bill others

    async def get(
        self,
        id: str,
        /,
        *,
        sums: bool = False,
        time_record_ids: bool = False,
        work_package_ids: bool = False,
    ) -> Billing:
        """Fetch the billing of this ID.

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
        """Fetch billings by their IDs; the options are those of ``get``."""
        return await self._get_many(ids, _billing_options(sums, time_record_ids, work_package_ids))


def _billing_options(sums: bool, time_record_ids: bool, work_package_ids: bool) -> list[tuple[str, str]]:
    options: Mapping[str, bool] = {
        "withSums": sums,
        "withTimeRecordIds": time_record_ids,
        "withWorkPackageIds": work_package_ids,
    }
    return [(name, "1") for name, is_set in options.items() if is_set]
