"""What one entity offers: reading for all of them, writing where the API allows it."""

from __future__ import annotations

import enum
from collections.abc import Awaitable, Callable, Iterable, Mapping
from inspect import isawaitable
from typing import TYPE_CHECKING, Any, Final, Generic, TypeAlias, TypeVar, overload

import attrs
import msgspec
from yarl import URL

from ...addresses import add_segments, set_query
from ...codec import DecodeFailed, TypedReader
from ...errors import (
    Gone,
    InvalidArgument,
    NotFound,
    PageDrift,
    PreconditionFailed,
    ZeyosAsyncError,
)
from ...filters import Comparison, Expression, FieldNamespace, Op, condition, fields, normalize
from ...records import Record
from ...schema import Entity, Kind
from ...session import Channel
from ...wire import Request, Response, Safety, too_deep
from ..base.plan import QueryPlan
from ..base.query import Query
from ..base.row_types import RecordRows
from .content import content_from_wire
from .ids import bring_up_to_date, checked_id, id_of
from .lists import JSON_HEADERS, ZeyosLists
from .quirks import Quirks
from .reconcile import (
    Reconciler,
    check_key,
    differences,
    not_told,
    shown_only_if_asked,
    unreadable,
)
from .writes import changes_of, encode, prepare

__all__ = ["AUTO", "Auto", "ReadableResource", "WritableResource"]

R = TypeVar("R", bound=Record)
_IDS_PER_LIST: Final = 10_000
"""IDs that one list call is asked for: as many as it may answer."""


_WRITES: Final = frozenset({"create", "update", "modify", "delete"})


class Auto(enum.Enum):
    """The default of ``if_match``: the ETag that a given record was fetched with."""

    AUTO = "the record's own ETag"


AUTO: Final = Auto.AUTO
IfMatch: TypeAlias = "str | Auto | None"


class ReadableResource(Generic[R]):
    """One entity, to be read. Made by the client; see ``zeyos.accounts``.

    Args:
        channel: Where requests are sent.
        root: The API's root, ``…/api/v1``.
        record: The class of its records.
        quirks: What the documents leave open.
    """

    def __init__(self, channel: Channel, root: URL, record: type[R], *, quirks: Quirks | None = None) -> None:
        self._record = record
        self._entity: Entity = record.__entity__
        self._url = root / self._entity.name
        self._quirks = quirks or Quirks()
        self._door = ZeyosLists(channel, self._url, self._entity, self._quirks)
        self._channel = channel
        self._shape: RecordRows[R] | None = None
        self._one: TypedReader[R] | None = None

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._entity.name}>"

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            if name in _WRITES:
                raise AttributeError(f"{self._entity.name} is read-only in the API: there is no {name}()")
            if not name.startswith("_") and hasattr(Query, name):
                raise AttributeError(f"{name}() is a query's: {self._entity.name}.query().{name}(…)")
            raise AttributeError(f"{type(self).__name__} has no attribute {name!r}")

    @property
    def entity(self) -> Entity:
        """The entity's table: its fields, codes, references, and what the API offers for it."""
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
        """All records."""
        if self._shape is None:
            self._shape = RecordRows(self._record, self._fields())
        return Query(self._door, QueryPlan(entity=self._entity), self._shape)

    def where(self, *conditions: Expression | str) -> Query[R]:
        """The records for which all these conditions hold. See ``Query.where``."""
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
        """One record by its ID, with its ETag.

        Args:
            id: The record's ID.
            extdata: Whether to fetch the instance's own fields too (``record.extdata``).
            tags: Whether to fetch the tags too (``record.tags``).
            expand: Composite fields whose content is wanted; binary content comes as ``bytes``.
            if_none_match: An ETag, or a record with one: if the record still has it, the result is
                ``None`` and nothing is transferred.

        Raises:
            NotFound: There is no such record (``Gone`` where the API says that there was).
        """
        wanted = self._expand(expand)
        query = self._quirks.expand_query(wanted)
        for name, asked, offered in (
            ("extdata", extdata, self._entity.extdata),
            ("tags", tags, self._entity.tags),
        ):
            if asked and not offered:
                raise InvalidArgument(f"{self._entity.name} has no {name}")
            if asked:
                query.append((name, "1"))
        etag = self._etag_of(if_none_match) if if_none_match is not None else None
        headers = {"Accept": "application/json", **({"If-None-Match": etag} if etag else {})}
        request = self._request("GET", id, Safety.READ, "get", headers=headers, query=query)
        response = await self._channel.send(request)
        if response.status == 304 and etag is not None:
            return None
        return self._read(request, response, expanded=wanted)

    async def exists(self, id: int, /) -> bool:
        """Whether there is a record of this ID that may be read."""
        request = self._request("HEAD", id, Safety.READ, "exists")
        try:
            response = await self._channel.send(request)
        except (NotFound, Gone):
            return False
        if response.content_type == "text/html":
            raise unreadable(request, response, self._entity, "a web page; is the base URL right?")
        return True

    async def get_many(self, ids: Iterable[int], /, *, extdata: bool = False) -> dict[int, R]:
        """Records by their IDs, in as few list calls as it takes.

        Args:
            ids: The IDs; repeated ones count once.
            extdata: Whether to fetch the instance's own fields too.

        Returns:
            ID → record, in the order of ``ids``. IDs without a record are not in it.
        """
        wanted = list(dict.fromkeys(checked_id(number) for number in ids))
        found: dict[int, R] = {}
        query = self.query().with_extdata() if extdata else self.query()
        for start in range(0, len(wanted), _IDS_PER_LIST):
            chunk = tuple(sorted(wanted[start : start + _IDS_PER_LIST]))
            rows = query.where(Comparison("ID", Op.IN, chunk)).limit(len(chunk)).paging(size=_IDS_PER_LIST)
            async for page in rows.pages():
                found.update((id_of(row), row) for row in page)
        return {number: found[number] for number in wanted if number in found}

    def _fields(self) -> tuple[tuple[str, str], ...]:
        pseudo = (("extdata", "extdata"),) if self._entity.extdata else ()
        return (*((field.attr, field.name) for field in self._entity), *pseudo)

    def _expand(self, expand: Iterable[str]) -> list[str]:
        if isinstance(expand, str):
            raise InvalidArgument(f"expand takes a list of fields: [{expand!r}]")
        paths = list(dict.fromkeys(expand))
        composite = (Kind.JSON, Kind.ARRAY, Kind.BINARY)
        for path in paths:
            kind = self._entity.field(path).kind
            if kind not in composite:
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
        url = self._url if action == "create" else add_segments(self._url, str(checked_id(id)))
        operation = f"{self._entity.name}.{action}"
        return Request(
            method=method,
            url=set_query(url, query) if query else url,
            headers={**(JSON_HEADERS if body is not None else {}), **(headers or {})},
            body=None if body is None else encode(body, what=operation),
            safety=safety,
            operation=operation,
            sent=body,
        )

    def _read(self, request: Request, response: Response, *, expanded: Iterable[str] = ()) -> R:
        """The record of an answer, with its ETag."""
        if self._one is None:
            tags = (("tags", "tags"),) if self._entity.tags else ()
            self._one = TypedReader(self._record, dict((*self._fields(), *tags)), pause_gc=False)
        try:
            record = self._one.one(response.body)
        except DecodeFailed as error:
            raise unreadable(request, response, self._entity, str(error)) from error
        except RecursionError as error:
            if request.safety is Safety.READ:
                raise too_deep(request.url) from error
            raise unreadable(request, response, self._entity, "nested too deeply") from error
        for path in expanded:
            field = self._entity.field(path)
            if field.kind is Kind.BINARY:
                setattr(record, field.attr, content_from_wire(getattr(record, field.attr)))
        etag = response.headers.get("ETag")
        if etag:
            setattr(record, record.__etag__, etag)
        return record

    def _etag_of(self, value: object) -> str | None:
        if isinstance(value, str):
            return value
        if isinstance(value, self._record):
            return getattr(value, value.__etag__)  # type: ignore[no-any-return]
        raise InvalidArgument(f"an ETag or a record of {self._entity.name} is wanted, not {value!r:.60}")


class WritableResource(ReadableResource[R]):
    """One entity, to be read and written."""

    async def create(
        self, record: R | None = None, /, *, reconcile: Expression | str | None = None, **values: Any
    ) -> R:
        """Create a record. Never sent again once it may have arrived, unless ``reconcile`` tells that it did not.

        Args:
            record: A record without an ID, whose set fields are sent; or give the fields by name.
            reconcile: A condition that the new record fulfils and no other does, such as
                ``F.ticketnum == "T-4711"``. If the outcome is unknown, the record is looked for by it
                (for a while, as the server may still be storing it) and returned if it is there; if not,
                it is created again. It does not look before: a record that is there already is not found out.
            **values: Field → value; ``tags`` and ``extdata`` too.

        Returns:
            The record as it was stored, with its ID and ETag.

        Raises:
            UnknownField: The entity has no such field; nothing was sent.
            InvalidArgument: A required field is missing, or a value does not fit; nothing was sent.
            OutcomeUnknown: Sent, but the answer did not come: the record may be there.
            ManyResults: With ``reconcile``: several records fulfil the condition.
        """
        if record is not None:
            if not isinstance(record, self._record):
                raise InvalidArgument(
                    f"create() takes a {self._record.__name__} or fields by name, not {type(record).__name__}"
                )
            values = {**changes_of(record), **values}
        body = await prepare(self._entity, values, create=True)
        request = self._request("PUT", None, Safety.ONCE, "create", body=body)
        if reconcile is None:
            return self._read(request, await self._channel.send(request))
        return await self._reconciler(request, reconcile).run()

    async def update(self, record: R | int, /, *, if_match: IfMatch = AUTO, **changes: Any) -> R:
        """Change some fields of a record.

        Args:
            record: A record, or an ID. A fetched record's ETag guards against overwriting somebody else's
                change, and the record itself is brought up to date.
            if_match: Another ETag to guard with, or ``None`` for no guard.
            **changes: Field → new value; ``tags``, ``add_tags``, ``remove_tags`` and ``extdata`` too.

        Returns:
            The record as it is stored now, with its new ETag.

        Raises:
            PreconditionFailed: It was changed meanwhile. Read it again, or use ``modify``.
            OutcomeUnknown: Sent, but the answer did not come, and the record does not have these values now.
        """
        request = await self._update_request(record, if_match, changes)
        try:
            stored = self._read(request, await self._channel.send(request))
        except PreconditionFailed as error:
            if not error.after_unknown:
                raise
            stored = await self._as_sent(request, self._id(record), error)
        return bring_up_to_date(record, stored)

    async def modify(
        self,
        id: R | int,
        change: Callable[[R], Mapping[str, Any] | Awaitable[Mapping[str, Any]]],
        /,
        *,
        attempts: int = 5,
    ) -> R:
        """Read, decide, update: and again, if somebody else was faster.

        Args:
            id: The record's ID, or a record.
            change: Takes the record as it is stored, and gives the fields to change (as for
                ``update``); an empty dict changes nothing. Called again with the new state if the record
                was changed in between. May be async.
            attempts: How often to try.

        Returns:
            The record as it is stored then.

        Raises:
            PreconditionFailed: It was changed by others each time.
            OutcomeUnknown: The answer to an update did not come. If the record has changed since, who changed it
                can't be told, and the change is not made again.
        """
        number = self._id(id)
        for attempt in range(1, attempts + 1):
            record = await self.get(number)
            changes = change(record)
            if isawaitable(changes):
                changes = await changes
            if not changes:
                return record
            request = await self._update_request(record, AUTO, changes)
            try:
                return self._read(request, await self._channel.send(request))
            except PreconditionFailed as error:
                if error.after_unknown:
                    # Equal values prove nothing here: somebody else may have made the same step.
                    raise not_told(request, error) from error
                if attempt == attempts:
                    raise
        raise InvalidArgument(f"attempts must be at least 1, not {attempts}")

    async def delete(self, record: R | int, /, *, if_match: IfMatch = AUTO) -> None:
        """Delete a record for good.

        Args:
            record: A record, or an ID. A fetched record's ETag guards against deleting what somebody
                else changed since.
            if_match: Another ETag to guard with, or ``None`` for no guard.

        Raises:
            NotFound: There is no such record.
            Conflict: Other records need it.
            PreconditionFailed: It was changed meanwhile.
            OutcomeUnknown: Sent, but the answer did not come.
        """
        # What accepts JSON only is not satisfied with the web page of a proxy.
        headers = {"Accept": "application/json", **self._guard(record, if_match)}
        request = self._request("DELETE", self._id(record), Safety.REPEATABLE, "delete", headers=headers)
        try:
            await self._channel.send(request)
        except (NotFound, Gone) as error:
            if not error.after_unknown:
                raise

    async def _update_request(
        self, record: R | int, if_match: IfMatch, changes: Mapping[str, Any]
    ) -> Request:
        body = await prepare(self._entity, changes, create=False)
        guard = self._guard(record, if_match)
        return self._request("PATCH", self._id(record), Safety.REPEATABLE, "update", headers=guard, body=body)

    def _reconciler(self, request: Request, reconcile: Expression | str) -> Reconciler[R]:
        key = normalize(condition(reconcile), self._entity)
        check_key(key, self._entity, request.sent)
        # What the condition is about is selected too, so that a server that ignores filters is found out.
        candidates = self.where(key).limit(2).select(*sorted({"ID", *fields(key)}))
        candidates = candidates.paging(by="offset", on_drift="raise")
        channel = self._channel

        async def create() -> R:
            return self._read(request, await channel.send(request))

        async def find() -> list[int]:
            try:
                return [row["ID"] for row in await candidates.all()]
            except PageDrift:  # it was stored between the page and its count
                return [row["ID"] for row in await candidates.all()]

        async def adopt(number: int) -> tuple[R, list[str]]:
            record, different, _ = await self._stored(request, number)
            return record, different

        return Reconciler(
            create=create,
            find=find,
            adopt=adopt,
            sleep=channel.sleep,
            pay=lambda: channel.spend_retry(request.url),
            pause=channel.retry.base,
            again=channel.retry.statuses,
            what=f"{key} in {self._entity.name}",
        )

    async def _as_sent(self, request: Request, number: int, error: PreconditionFailed) -> R:
        """The record, if it has what a guarded update sent before the guard turned its repetition away.

        Raises:
            OutcomeUnknown: It has something else, or can't be read.
        """
        try:
            record, different, unseen = await self._stored(request, number)
        except (NotFound, Gone):
            raise
        except ZeyosAsyncError as failure:
            raise not_told(request, error) from failure
        if different or unseen:
            raise not_told(request, error) from error
        return record

    async def _stored(self, request: Request, number: int) -> tuple[R, list[str], list[str]]:
        """A record, the names of what a write sent and it has otherwise, and of what it does not show."""
        sent = msgspec.json.decode(request.content or b"{}")
        paths, pseudo = shown_only_if_asked(self._entity, sent)
        query = [*self._quirks.expand_query(paths), *((name, "1") for name in pseudo)]
        look = self._request(
            "GET", number, Safety.READ, "get", headers={"Accept": "application/json"}, query=query
        )
        response = await self._channel.send(look)
        record = self._read(look, response, expanded=paths)
        hidden = frozenset(field.name for field in attrs.fields(self._record) if not field.repr)
        found = list(differences(self._entity, sent, response.json(), hidden=hidden))
        return record, [name for name, other in found if other], [name for name, other in found if not other]

    def _id(self, record: R | int) -> int:
        if isinstance(record, self._record):
            return id_of(record)
        if isinstance(record, Record):
            raise InvalidArgument(
                f"a {self._record.__name__} or an ID is wanted, not a {type(record).__name__}"
            )
        return checked_id(record)

    def _guard(self, record: R | int, if_match: IfMatch) -> dict[str, str]:
        if isinstance(if_match, Auto):
            etag = self._etag_of(record) if isinstance(record, self._record) else None
        else:
            etag = if_match
        return {"If-Match": etag} if etag else {}
