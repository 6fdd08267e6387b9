"""After a write whose outcome is unknown: is it our work that is stored?

A create is looked for by a condition that only its record fulfils, an update by the values that it
sent. What can't be told is raised, never guessed.
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
    "check_key",
    "differences",
    "not_told",
    "shown_only_if_asked",
    "unreadable",
]

R = TypeVar("R")
_MOST_CREATES: Final = 3
_LOOKS: Final = (1.0, 2.0, 4.0, 8.0)
"""Pauses before each look, in multiples of the retries' first pause: a server that has lost its client
may still be storing what it sent."""


def check_key(key: Expression, entity: Entity, body: Mapping[str, Any]) -> None:
    """Refuse a condition that the record to be created does not fulfil: it would never be found.

    Raises:
        InvalidArgument: The condition is not true of the record, as far as the fields sent tell.
    """
    extdata = body.get("extdata") or {}
    row = {**body, **{f"extdata.{name}": value for name, value in extdata.items()}}
    if fields(key) <= row.keys() and evaluate(key, row) is not True:
        raise InvalidArgument(
            f"{entity.name}: reconcile= must be a condition that the new record fulfils, and no other record does; "
            f"it does not fulfil {key}"
        )


def shown_only_if_asked(entity: Entity, sent: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    """What of a write's values a get leaves out by itself: composite fields, and ``extdata`` and ``tags``."""
    kinds = {name: entity.fields[name].kind for name in sent if name in entity.fields}
    paths = [name for name, kind in kinds.items() if kind in (Kind.JSON, Kind.ARRAY, Kind.BINARY)]
    named = {name.lstrip("+-") for name in sent}
    return paths, [name for name in ("extdata", "tags") if name in named]


def differences(
    entity: Entity, sent: Mapping[str, Any], stored: Mapping[str, Any], *, hidden: frozenset[str]
) -> Iterator[tuple[str, bool]]:
    """What of a write's values is not seen in the record.

    Args:
        entity: What was written.
        sent: The values of the write's body.
        stored: The values of the record, as the API shows them.
        hidden: Fields that the API does not show.

    Yields:
        The name, and whether the record has another value (``True``) or does not show one (``False``).
    """
    for name, value in sent.items():
        key = name.lstrip("+-")
        if key in hidden or key not in stored:
            yield name, False
        elif not _equal(entity, name, value, stored[key]):
            yield name, True


def _equal(entity: Entity, name: str, sent: Any, stored: Any) -> bool:
    if name == "extdata":
        have = stored if isinstance(stored, Mapping) else {}  # an empty one comes as a list
        return all(_same_scalar(value, have.get(key)) for key, value in sent.items())
    if name in ("tags", "+tags", "-tags"):
        return _same_tags(name, set(sent), set(stored or ()))
    return _same(entity.field(name), sent, stored)


def _same_tags(name: str, sent: set[str], stored: set[str]) -> bool:
    if name == "tags":
        return sent == stored
    return sent <= stored if name == "+tags" else not sent & stored


def _same(field: Field, sent: Any, stored: Any) -> bool:
    if sent is None or stored is None:
        return sent is stored
    match field.kind:
        case Kind.BINARY:
            return bool(content_from_wire(sent) == content_from_wire(stored))
        case Kind.JSON | Kind.ARRAY:
            return bool(sent == _parsed(stored))
        case _:
            return _same_scalar(sent, stored)


def _parsed(value: Any) -> Any:
    """A JSON field may come as the text of its JSON."""
    try:
        return msgspec.json.decode(value) if isinstance(value, str) else value
    except msgspec.DecodeError:
        return value


def _same_scalar(sent: Any, stored: Any) -> bool:
    if sent == stored:
        return True
    if sent is None or stored is None:
        return False
    if isinstance(sent, str) and isinstance(stored, str):
        return sent.strip() == stored.strip()
    try:
        return _number(sent) == _number(stored)
    except InvalidOperation:
        return str(sent) == str(stored)


def _number(value: Any) -> Decimal:
    """Exactly what its decimal form says: ``1`` and ``"1.0"`` are the same."""
    return Decimal(int(value)) if isinstance(value, bool) else Decimal(str(value))


@attrs.frozen
class Reconciler(Generic[R]):
    """A create that is looked for after an unknown outcome.

    Attributes:
        create: Sends the create, once.
        find: The IDs of the records that fulfil the condition, two at most.
        adopt: The record of an ID, and the names of the fields that it has otherwise than they were sent.
        sleep: Waits.
        pay: Takes the price of a retry from the host's budget, if it is there.
        pause: Seconds, the unit of patience.
        again: Statuses after which a create may be sent again, if the record is not there.
        what: The condition and its entity, for errors.
    """

    create: Callable[[], Awaitable[R]]
    find: Callable[[], Awaitable[list[int]]]
    adopt: Callable[[int], Awaitable[tuple[R, list[str]]]]
    sleep: Callable[[float], Awaitable[None]]
    pay: Callable[[], bool]
    pause: float
    again: frozenset[int]
    what: str

    async def run(self) -> R:
        """Create, look, adopt or create again.

        Raises:
            ManyResults: More than one record fulfils the condition.
            OutcomeUnknown: It is not there, or could not be looked for, and creating it again did not help.
        """
        try:
            return await self.create()
        except OutcomeUnknown as error:
            lost = error
        for _ in range(_MOST_CREATES - 1):
            found = await self._look(lost)
            if found is not None:
                return found
            if not self._may_send_again(lost):
                raise lost
            try:
                created = await self.create()
            except OutcomeUnknown as error:
                lost = error
            except ZeyosAsyncError as error:
                return await self._last_look(self._lost(lost, f"creating it again failed: {error}"))
            else:
                return await self._alone(created, lost)
        return await self._last_look(lost)

    async def _last_look(self, lost: OutcomeUnknown) -> R:
        found = await self._look(lost)
        if found is None:
            raise lost
        return found

    def _may_send_again(self, lost: OutcomeUnknown) -> bool:
        """Whether it may end better; a 500 is likely to be a 500 again."""
        return not isinstance(lost, FailedWrite) or lost.status in self.again

    async def _look(self, lost: OutcomeUnknown) -> R | None:
        """The record, if it appears within the time of patience."""
        if not self.pay():
            raise self._lost(
                lost, "it was not looked for, as the retry budget of the host is used up"
            ) from lost
        for factor in _LOOKS:
            try:
                await self.sleep(self.pause * factor)
                ids = await self._found(lost)
                record, different = await self.adopt(ids[0]) if ids else (None, [])
            except ManyResults:
                raise
            except ZeyosAsyncError as error:
                raise self._lost(lost, f"looking for the record failed: {error}") from error
            if different:
                raise self._lost(lost, _other_record(ids[0], different)) from lost
            if record is not None:
                return record
        return None

    async def _alone(self, created: R, lost: OutcomeUnknown) -> R:
        """The record that was created again, unless the first one has come through after all."""
        try:
            await self._found(lost)
        except ManyResults:
            raise
        except ZeyosAsyncError as error:
            late = f"it was created again, and whether it is there twice could not be seen: {error}"
            raise self._lost(lost, late) from error
        return created

    async def _found(self, lost: OutcomeUnknown) -> list[int]:
        ids = await self.find()
        if len(ids) > 1:
            raise ManyResults(
                f"the outcome of a create is unknown, and more than one record fulfils {self.what}: "
                f"{', '.join(map(str, ids))}. Look at them; reconcile= needs a condition that holds for one record only"
            ) from lost
        return ids

    def _lost(self, lost: OutcomeUnknown, why: str) -> OutcomeUnknown:
        return OutcomeUnknown(
            f"{lost.args[0]}; {why}",
            method=lost.method,
            url=lost.url,
            operation=lost.operation,
            attempts=lost.attempts,
            sent=lost.sent,
        )


def unreadable(request: Request, response: Response, entity: Entity, why: str) -> ServerError:
    """The error for an answer that should be a record; after a write, the record may be stored all the same."""
    kind = ServerError if request.safety is Safety.READ else FailedWrite
    error = kind(
        f"the answer is not a record of {entity.name}: {why}",
        status=response.status,
        method=request.method,
        url=public_url(request.url),
    )
    if isinstance(error, FailedWrite):
        error.operation, error.sent = request.operation, request.sent
    return error


def not_told(request: Request, error: PreconditionFailed) -> OutcomeUnknown:
    """The error for a guarded update whose repetition was turned away, by whoever's change."""
    return OutcomeUnknown(
        "an earlier attempt was sent and not answered, and the record has changed since it was read: "
        "by that attempt or by somebody else. Read the record, and decide",
        method=request.method,
        url=error.url,
        operation=request.operation,
        sent=request.sent,
    )


def _other_record(number: int, different: list[str]) -> str:
    return (
        f"the record {number} that reconcile= leads to has other values than were sent "
        f"({', '.join(different)}): it is not this one, or was changed since. Look at it"
    )
