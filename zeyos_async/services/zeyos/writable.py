"""Resources of entities that can be written too: ``create``, ``update``, ``modify`` and ``delete``."""

from __future__ import annotations

import enum
from collections.abc import Awaitable, Callable, Mapping
from inspect import isawaitable
from typing import Any, Final, TypeAlias, TypeVar

import attrs
import msgspec

from ...errors import Gone, InvalidArgument, NotFound, PageDrift, PreconditionFailed, ZeyosAsyncError
from ...filters import Condition, condition, fields, normalize
from ...records import Record
from ...wire import Request, Response, Safety
from .ids import bring_up_to_date, check_etag, check_id, id_of, names_one_version
from .readable import ReadableResource
from .reconcile import (
    Reconciler,
    check_reconcile_condition,
    find_differences,
    outcome_unclear,
    unrequested_fields,
)
from .writes import prepare_body, values_of

__all__ = ["AUTO", "Auto", "WritableResource"]

R = TypeVar("R", bound=Record)


class Auto(enum.Enum):
    """The default of ``if_match``: the ETag that the record was fetched with."""

    AUTO = "the record's own ETag"


AUTO: Final = Auto.AUTO
IfMatch: TypeAlias = "str | Auto | None"

_PSEUDO: Final = ("extdata", "tags")
_WEAK: Final = "W/"
_WEAK_HINT: Final = (
    "The record's ETag came weak ({etag}), as gateways make it that compress answers, and a guard needs the server's own. "
    "Either the record changed since it was read, or the gateway keeps the ETag from the server: let it leave ETags alone, or "
    "write without a guard (if_match=None)"
)


class WritableResource(ReadableResource[R]):
    """The calls that read and write one entity."""

    async def create(
        self, record: R | None = None, /, *, reconcile: Condition | None = None, **values: Any
    ) -> R:
        """Create a record. Never sent again once it may have arrived, unless ``reconcile`` tells that it did not.

        Args:
            record: A record without an ID, whose set fields are sent; or give the fields by name.
            reconcile: A condition that the new record fulfils and no other does, such as
                ``F.ticketnum == "T-4711"``. If the outcome is unknown, the record is looked for by it
                (for a while, as the server may still be storing it) and returned if it is there; if not,
                it is created again. Nothing is looked for before the first attempt: a record that fulfils the
                condition already is not noticed.
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
            values = {**values_of(record), **values}
        body = await prepare_body(self._entity, values, create=True)
        request = self._request("PUT", None, Safety.ONCE, "create", body=body)
        if reconcile is None:
            return self._read_record(request, await self._channel.send(request))
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
            stored = self._read_record(request, await self._send_guarded(request))
        except PreconditionFailed as error:
            # A repetition whose first attempt was done fails on its own change: the ETag is no longer the record's.
            if not error.after_unknown:
                raise
            stored = await self._fetch_if_written(request, self._id(record), error)
        if isinstance(record, self._record):
            stored = await self._fetch_hidden(request, record, stored)
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
            change: Takes the record as it is stored, and returns the fields to change (as for
                ``update``); an empty dict changes nothing. Called again with the new state if the record
                was changed in between. May be async.
            attempts: The number of tries.

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
                return self._read_record(request, await self._send_guarded(request))
            except PreconditionFailed as error:
                if error.after_unknown:
                    # Equal values prove nothing here: somebody else may have made the same step.
                    raise outcome_unclear(request, error) from error
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
        # A delete has no body to check: with this header, the web page of a proxy is no success.
        headers = {"Accept": "application/json", **self._guard(record, if_match)}
        request = self._request("DELETE", self._id(record), Safety.REPEATABLE, "delete", headers=headers)
        try:
            await self._send_guarded(request)
        except (NotFound, Gone) as error:
            # After an attempt whose answer was lost, "not there" means that this attempt deleted it.
            if not error.after_unknown:
                raise

    async def _update_request(
        self, record: R | int, if_match: IfMatch, changes: Mapping[str, Any]
    ) -> Request:
        body = await prepare_body(self._entity, changes, create=False)
        guard = self._guard(record, if_match)
        # Without a guard, a second one would undo what somebody else changed after the first; "*" guards nothing.
        safety = Safety.REPEATABLE if names_one_version(guard.get("If-Match", "*")) else Safety.ONCE
        return self._request("PATCH", self._id(record), safety, "update", headers=guard, body=body)

    async def _send_guarded(self, request: Request) -> Response:
        """Send a write; where a gateway made the ETag of its guard weak, once more with the server's own."""
        etag = request.headers.get("If-Match", "")
        try:
            return await self._channel.send(request)
        except PreconditionFailed as error:
            if not etag.startswith(_WEAK):
                raise
            error.hint = _WEAK_HINT.format(etag=etag)
            if error.after_unknown:
                raise
        # Refused, so nothing was done. A gateway that compresses puts W/ before the ETag; the server knows it without.
        try:
            return await self._channel.send(request.with_headers(If_Match=etag.removeprefix(_WEAK)))
        except PreconditionFailed as error:
            error.hint = _WEAK_HINT.format(etag=etag)
            raise

    def _reconciler(self, request: Request, reconcile: Condition) -> Reconciler[R]:
        key = normalize(condition(reconcile), self._entity)
        check_reconcile_condition(key, self._entity, request.sent)
        # The condition's fields are selected too, so that a server that ignores filters is noticed.
        candidates = self.where(key).limit(2).select(*sorted({"ID", *fields(key)}))
        candidates = candidates.paging(by="offset", on_drift="raise")
        channel = self._channel

        async def create() -> R:
            return self._read_record(request, await channel.send(request))

        async def find_ids() -> list[int]:
            try:
                return [row["ID"] for row in await candidates.all()]
            except PageDrift:  # it was stored between the page and its count
                return [row["ID"] for row in await candidates.all()]

        async def fetch(number: int) -> tuple[R, list[str]]:
            record, different, _ = await self._compare_stored(request, number)
            return record, different

        return Reconciler(
            create=create,
            find_ids=find_ids,
            fetch=fetch,
            sleep=channel.sleep,
            take_retry=lambda: channel.spend_retry(request.url),
            pause=channel.retry.base,
            retry_statuses=channel.retry.statuses,
            description=f"{key} in {self._entity.name}",
        )

    async def _fetch_if_written(self, request: Request, number: int, error: PreconditionFailed) -> R:
        """Return the record, if it has the values of a guarded update whose repetition was refused.

        Raises:
            OutcomeUnknown: It has something else, or can't be read.
        """
        try:
            record, different, hidden = await self._compare_stored(request, number)
        except (NotFound, Gone):
            raise
        except ZeyosAsyncError as failure:
            raise outcome_unclear(request, error) from failure
        if different or hidden:
            raise outcome_unclear(request, error) from error
        return record

    async def _fetch_hidden(self, request: Request, record: R, stored: R) -> R:
        """Return the stored record with the tags and the extdata that were written, which its answer leaves out.

        Where they can't be read, the caller's old values are dropped: they are not those of the server any more.
        """
        _, pseudo_fields = unrequested_fields(self._entity, request.sent)
        missing = [name for name in pseudo_fields if getattr(stored, name) is None]
        if not missing:
            return stored
        pseudo_names = {"extdata", "tags"} & {
            *missing,
            *(name for name in _PSEUDO if getattr(record, name, None)),
        }
        try:
            return await self.get(
                self._id(record), extdata="extdata" in pseudo_names, tags="tags" in pseudo_names
            )
        except ZeyosAsyncError:  # the update is done: a failure of this read must not look like one of it
            for name in missing:
                setattr(record, name, None)
            return stored

    async def _compare_stored(self, request: Request, number: int) -> tuple[R, list[str], list[str]]:
        """Fetch a record; return it, the fields that differ from what a write sent, and those that it does not show."""
        sent_values = msgspec.json.decode(request.content or b"{}")
        paths, pseudo_fields = unrequested_fields(self._entity, sent_values)
        query = [*self._quirks.expand_query(paths), *((name, "1") for name in pseudo_fields)]
        read_request = self._request(
            "GET", number, Safety.READ, "get", headers={"Accept": "application/json"}, query=query
        )
        response = await self._channel.send(read_request)
        record = self._read_record(read_request, response, expanded=paths)
        hidden_fields = frozenset(field.name for field in attrs.fields(self._record) if not field.repr)
        rows = list(find_differences(self._entity, sent_values, response.json(), hidden=hidden_fields))
        different = [name for name, is_shown in rows if is_shown]
        return record, different, [name for name, is_shown in rows if not is_shown]

    def _id(self, record: R | int) -> int:
        if isinstance(record, self._record):
            return id_of(record)
        if isinstance(record, Record):
            raise InvalidArgument(
                f"a {self._record.__name__} or an ID is wanted, not a {type(record).__name__}"
            )
        return check_id(record)

    def _guard(self, record: R | int, if_match: IfMatch) -> dict[str, str]:
        if isinstance(if_match, Auto):
            etag = self._etag_of(record) if isinstance(record, self._record) else None
        else:
            etag = None if if_match is None else check_etag("if_match", if_match)
        return {"If-Match": etag} if etag else {}
