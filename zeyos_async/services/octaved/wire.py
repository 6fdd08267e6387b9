"""Requests of Octaved Flow, and what its answers hold: no I/O."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, TypeVar

import attrs
from yarl import URL

from ...addresses import add_segments, set_query
from ...codec import DecodeFailed, TypedReader
from ...errors import FailedWrite, InvalidArgument, ServerError
from ...wire import Request, Response, Safety, public_url
from ..base.values import encode
from .tables import FlowRecord
from .writes import ID

__all__ = [
    "Route",
    "batches",
    "checked_id",
    "id_of",
    "read",
    "read_created",
    "read_ids",
    "reader",
    "unusable",
]

R = TypeVar("R", bound=FlowRecord)

_JSON: Final[Mapping[str, str]] = {"Accept": "application/json"}
_LONGEST_URL: Final = 8192
_ID_LENGTH: Final = len("ids%5B%5D=&") + 32
_SPARE: Final = 256


@attrs.frozen
class Route:
    """Makes the requests of one resource.

    Attributes:
        url: The resource's URL.
        name: Its name, for operations.
    """

    url: URL
    name: str

    def get(self, action: str, *parts: str, query: Iterable[tuple[str, str]] = ()) -> Request:
        """A read."""
        pairs = list(query)
        url = add_segments(self.url, *parts)
        return Request(
            method="GET",
            url=set_query(url, pairs) if pairs else url,
            headers=_JSON,
            safety=Safety.READ,
            operation=f"{self.name}.{action}",
        )

    def send(
        self,
        method: str,
        action: str,
        *parts: str,
        body: Mapping[str, Any] | None = None,
        query: Iterable[tuple[str, str]] = (),
        safety: Safety = Safety.REPEATABLE,
    ) -> Request:
        """Any other request; its body is JSON."""
        pairs = list(query)
        url = add_segments(self.url, *parts)
        operation = f"{self.name}.{action}"
        return Request(
            method=method,
            url=set_query(url, pairs) if pairs else url,
            headers=_JSON if body is None else {**_JSON, "Content-Type": "application/json"},
            body=None if body is None else encode(body, what=operation),
            safety=safety,
            operation=operation,
            sent=body,
        )


def checked_id(value: object) -> str:
    """An ID as it goes into a path.

    Raises:
        InvalidArgument: It is not 32 upper-case hexadecimal digits.
    """
    if not isinstance(value, str) or not ID.fullmatch(value):
        hint = ""
        if isinstance(value, str) and ID.fullmatch(value.replace("-", "").upper()):
            hint = f" Did you mean {value.replace('-', '').upper()!r}?"
        raise InvalidArgument(f"an ID is 32 upper-case hexadecimal digits, not {value!r:.60}.{hint}")
    return value


def id_of(record: FlowRecord | str) -> str:
    """The ID of a record, or the ID itself.

    Raises:
        InvalidArgument: The record has none, or it is no ID.
    """
    if isinstance(record, FlowRecord):
        number = getattr(record, "id", None)
        if number is None:
            raise InvalidArgument(f"this {type(record).__name__} has no id: it was not read from the server")
        return checked_id(number)
    return checked_id(record)


def batches(url: URL, ids: Iterable[str]) -> Iterator[list[tuple[str, str]]]:
    """Queries with ``ids[]`` for all IDs, each so short that the URL stays below 8 KiB.

    Raises:
        InvalidArgument: An ID is none.
    """
    if isinstance(ids, str):
        raise InvalidArgument(f"a list of IDs is wanted: [{ids!r:.60}]")
    wanted = list(dict.fromkeys(checked_id(one) for one in ids))
    size = max(1, (_LONGEST_URL - _SPARE - len(str(url))) // _ID_LENGTH)
    for start in range(0, len(wanted), size):
        yield [("ids[]", one) for one in wanted[start : start + size]]


def reader(record: type[R]) -> TypedReader[R]:
    """Decodes records; what the class does not know is kept in ``extra``."""
    return TypedReader(record, {field.attr: field.name for field in record.__entity__}, pause_gc=False)


def read(request: Request, response: Response, decode: TypedReader[R]) -> R:
    """The record of an answer.

    Raises:
        ServerError: The answer is none.
    """
    try:
        return decode.one(response.body)
    except DecodeFailed as error:
        raise unusable(request, response, str(error)) from error


def read_ids(request: Request, response: Response) -> list[str]:
    """The IDs that a search answers.

    Raises:
        ServerError: The answer is no list of IDs.
    """
    value = json_of(request, response)
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise unusable(request, response, f"a list of IDs was expected, not {response.text!r:.80}")
    return value


def read_created(request: Request, response: Response) -> str:
    """The ID that a create answers.

    Raises:
        FailedWrite: The answer has none; the record may be stored all the same.
    """
    value = json_of(request, response)
    number = value.get("id") if isinstance(value, dict) else None
    if not isinstance(number, str) or not number:
        raise unusable(request, response, f"the id of the new record was expected, not {response.text!r:.80}")
    return number


def json_of(request: Request, response: Response) -> Any:
    """The JSON values of an answer.

    Raises:
        ServerError: It is no JSON.
    """
    try:
        return response.json()
    except ValueError as error:
        raise unusable(request, response, str(error)) from error


def unusable(request: Request, response: Response, why: str) -> ServerError:
    """The error for an answer that makes no sense; after a write, the server may have acted all the same."""
    about: dict[str, Any] = {
        "status": response.status,
        "method": request.method,
        "url": public_url(request.url),
    }
    message = f"{request.operation}: {why}"
    if request.safety is Safety.READ:
        return ServerError(message, **about)
    return FailedWrite(message, operation=request.operation, sent=request.sent, **about)
