"""Writes whose outcome is unknown: a check whether the server stored them after all.

The problem. A request was sent and no usable answer came. The server may have stored the write, may still be
storing it, or may never have seen it. Sending a create again makes two records; not sending it may lose one.

The idea. Only the server's records can tell. A create is looked for by a condition that its record fulfils and no
other does (``create(…, reconcile=…)``); an update is compared with the values that it sent. ``Reconciler.run``:

    create ──ok──────────────────────────────────────────────▶ its record
      │ outcome unknown
      ▼
    search, with pauses ──one record, with the sent values──▶ that record
      │ │ └──several, or other values──▶ error; the caller has to look
      │ └──search fails, or no budget──▶ OutcomeUnknown
      ▼ none
    create again ──ok──▶ search once more: if the first one came through late, there are two ──▶ ManyResults
      │ unknown                                                       └─ one ──▶ its record
      ▼
    search again … at most ``_MAX_CREATES`` creates, then OutcomeUnknown

What always holds: a create goes out again only after a search that found nothing, for as long as a server may need
to store what it received; what can't be known is raised, never guessed; a record that fulfils the condition but has
other values than were sent is not taken for ours; each round is paid from the host's retry budget.

Left out: a search before the first create. It would cost a request for each record, and prevents nothing: another
program may create the record between the search and the create.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, Final, Generic, TypeVar

import attrs
import msgspec

from ...errors import (
    FailedWrite,
    InvalidArgument,
    ManyResults,
    OutcomeUnknown,
    PreconditionFailed,
    ServerError,
    ZeyosAsyncError,
)
from ...filters import Expression, evaluate, fields
from ...schema import Entity, Field, Kind
from ...wire import Request, Response, Safety, public_url
from .content import content_from_wire

__all__ = [
    "Reconciler",
    "check_reconcile_condition",
    "find_differences",
    "outcome_unclear",
    "unreadable_response",
    "unrequested_fields",
]

R = TypeVar("R")

_MAX_CREATES: Final = 3
_SEARCH_PAUSES: Final = (1.0, 2.0, 4.0, 8.0)
"""Pauses before each search, in multiples of the retries' first pause: a server that has lost its client
may still be storing what it received."""


def check_reconcile_condition(key: Expression, entity: Entity, body: Mapping[str, Any]) -> None:
    """Refuse a condition that the record to be created does not fulfil: a search would never find the record.

    Raises:
        InvalidArgument: The condition is not true of the record, judged by the fields that are sent.
    """
    extdata = body.get("extdata") or {}
    row = {**body, **{f"extdata.{name}": value for name, value in extdata.items()}}
    if fields(key) <= row.keys() and evaluate(key, row) is not True:
        raise InvalidArgument(
            f"{entity.name}: reconcile= must be a condition that the new record fulfils, and no other record does; "
            f"it does not fulfil {key}"
        )


def unrequested_fields(entity: Entity, sent: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    """Return the fields of a write that a get leaves out unless they are requested.

    Returns:
        The composite fields, and those of ``extdata`` and ``tags``.
    """
    kinds = {name: entity.fields[name].kind for name in sent if name in entity.fields}
    paths = [name for name, kind in kinds.items() if kind in (Kind.JSON, Kind.ARRAY, Kind.BINARY)]
    names = {name.lstrip("+-") for name in sent}
    return paths, [name for name in ("extdata", "tags") if name in names]


def find_differences(
    entity: Entity, sent: Mapping[str, Any], stored: Mapping[str, Any], *, hidden: frozenset[str]
) -> Iterator[tuple[str, bool]]:
    """Yield the fields of a write whose values are not seen in the stored record.

    Args:
        entity: The entity that was written.
        sent: The values of the write's body.
        stored: The values of the record, as the API shows them.
        hidden: Fields that the API does not show.

    Yields:
        The name, and whether the record shows another value (``True``) or does not show one (``False``).
    """
    for name, value in sent.items():
        key = name.lstrip("+-")
        if key in hidden or key not in stored:
            yield name, False
        elif not _is_stored(entity, name, value, stored[key]):
            yield name, True


def _is_stored(entity: Entity, name: str, sent: Any, stored: Any) -> bool:
    if name == "extdata":
        stored_extdata = stored if isinstance(stored, Mapping) else {}  # an empty one comes as a list
        return all(_is_same_scalar(value, stored_extdata.get(key)) for key, value in sent.items())
    if name in ("tags", "+tags", "-tags"):
        return _has_tags(name, set(sent), set(stored or ()))
    return _is_same_value(entity.field(name), sent, stored)


def _has_tags(name: str, sent: set[str], stored: set[str]) -> bool:
    if name == "tags":
        return sent == stored
    return sent <= stored if name == "+tags" else not sent & stored


def _is_same_value(field: Field, sent: Any, stored: Any) -> bool:
    if sent is None or stored is None:
        return sent is stored
    match field.kind:
        case Kind.BINARY:
            return bool(content_from_wire(sent) == content_from_wire(stored))
        case Kind.JSON | Kind.ARRAY:
            return bool(sent == _decode_json_text(stored))
        case _:
            return _is_same_scalar(sent, stored)


def _decode_json_text(value: Any) -> Any:
    """Return the value of a JSON field, which may come as the text of its JSON."""
    try:
        return msgspec.json.decode(value) if isinstance(value, str) else value
    except msgspec.DecodeError:
        return value


def _is_same_scalar(sent: Any, stored: Any) -> bool:
    if sent == stored:
        return True
    if sent is None or stored is None:
        return False
    if isinstance(sent, str) and isinstance(stored, str):
        # Servers trim texts: with their blanks, our own values would pass for somebody else's change.
        return sent.strip() == stored.strip()
    try:
        return _to_decimal(sent) == _to_decimal(stored)
    except InvalidOperation:
        return str(sent) == str(stored)


def _to_decimal(value: Any) -> Decimal:
    """Return the number of a value's decimal form, exactly: ``1`` and ``"1.0"`` are the same."""
    return Decimal(int(value)) if isinstance(value, bool) else Decimal(str(value))


@attrs.frozen
class Reconciler(Generic[R]):
    """A create that is searched for after an unknown outcome, and sent again only where it is not there.

    Attributes:
        create: Sends the create, once.
        find_ids: Returns the IDs of the records that fulfil the condition, two at most.
        fetch: Returns the record of an ID, and the fields in which it differs from the values that were sent.
        sleep: Waits for some seconds.
        take_retry: Takes the price of a retry from the host's budget; returns whether it was there.
        pause: Seconds; the pauses between searches are multiples of it.
        retry_statuses: Statuses after which a create may be sent again, if the record is not there.
        description: The condition and its entity, for errors.
    """

    create: Callable[[], Awaitable[R]]
    find_ids: Callable[[], Awaitable[list[int]]]
    fetch: Callable[[int], Awaitable[tuple[R, list[str]]]]
    sleep: Callable[[float], Awaitable[None]]
    take_retry: Callable[[], bool]
    pause: float
    retry_statuses: frozenset[int]
    description: str

    async def run(self) -> R:
        """Create the record; search for it if the outcome is unknown, and create it again if it is not there.

        Raises:
            ManyResults: More than one record fulfils the condition.
            OutcomeUnknown: It is not there, or could not be searched for, and creating it again did not help.
        """
        try:
            return await self.create()
        except OutcomeUnknown as error:
            unknown = error
        for _ in range(_MAX_CREATES - 1):
            record = await self._search(unknown)
            if record is not None:
                return record
            if not self._may_send_again(unknown):
                raise unknown
            try:
                created = await self.create()
            except OutcomeUnknown as error:
                unknown = error
            except ZeyosAsyncError as error:
                return await self._search_or_raise(
                    self._explain(unknown, f"creating it again failed: {error}")
                )
            else:
                return await self._check_single(created, unknown)
        return await self._search_or_raise(unknown)

    async def _search_or_raise(self, unknown: OutcomeUnknown) -> R:
        record = await self._search(unknown)
        if record is None:
            raise unknown
        return record

    def _may_send_again(self, unknown: OutcomeUnknown) -> bool:
        """Return whether another create may end better; a 500 is likely to be a 500 again."""
        return not isinstance(unknown, FailedWrite) or unknown.status in self.retry_statuses

    async def _search(self, unknown: OutcomeUnknown) -> R | None:
        """Return the record, if it appears within the pauses of a search."""
        if not self.take_retry():
            raise self._explain(
                unknown, "it was not looked for, as the retry budget of the host is used up"
            ) from unknown
        for factor in _SEARCH_PAUSES:
            try:
                await self.sleep(self.pause * factor)
                ids = await self._find_single(unknown)
                record, different = await self.fetch(ids[0]) if ids else (None, [])
            except ManyResults:
                raise
            except ZeyosAsyncError as error:
                raise self._explain(unknown, f"looking for the record failed: {error}") from error
            if different:
                raise self._explain(unknown, _other_record_message(ids[0], different)) from unknown
            if record is not None:
                return record
        return None

    async def _check_single(self, created: R, unknown: OutcomeUnknown) -> R:
        """Return the record that was created again, unless the first one has come through after all."""
        try:
            await self._find_single(unknown)
        except ManyResults:
            raise
        except ZeyosAsyncError as error:
            message = f"it was created again, and whether it is there twice could not be seen: {error}"
            raise self._explain(unknown, message) from error
        return created

    async def _find_single(self, unknown: OutcomeUnknown) -> list[int]:
        """Return the ID of the record that fulfils the condition in a list, or an empty list."""
        ids = await self.find_ids()
        if len(ids) > 1:
            raise ManyResults(
                f"the outcome of a create is unknown, and more than one record fulfils {self.description}: "
                f"{', '.join(map(str, ids))}. Look at them; reconcile= needs a condition that holds for one record only"
            ) from unknown
        return ids

    def _explain(self, unknown: OutcomeUnknown, reason: str) -> OutcomeUnknown:
        """Return the error of the first attempt with a reason added to its message."""
        return OutcomeUnknown(
            f"{unknown.args[0]}; {reason}",
            method=unknown.method,
            url=unknown.url,
            operation=unknown.operation,
            attempts=unknown.attempts,
            sent=unknown.sent,
        )


def unreadable_response(request: Request, response: Response, entity: Entity, reason: str) -> ServerError:
    """Return the error for a response that should be a record; after a write, it may be stored all the same."""
    error_class = ServerError if request.safety is Safety.READ else FailedWrite
    error = error_class(
        f"the answer is not a record of {entity.name}: {reason}",
        status=response.status,
        method=request.method,
        url=public_url(request.url),
    )
    if isinstance(error, FailedWrite):
        error.operation, error.sent = request.operation, request.sent
    return error


def outcome_unclear(request: Request, error: PreconditionFailed) -> OutcomeUnknown:
    """Return the error for a guarded update whose repetition was refused, because of its own change or another's."""
    return OutcomeUnknown(
        "an earlier attempt was sent and not answered, and the record has changed since it was read: "
        "by that attempt or by somebody else. Read the record, and decide",
        method=request.method,
        url=error.url,
        operation=request.operation,
        sent=request.sent,
    )


def _other_record_message(number: int, different: list[str]) -> str:
    return (
        f"the record {number} that reconcile= leads to has other values than were sent "
        f"({', '.join(different)}): it is not this one, or was changed since. Look at it"
    )
