"""Responses of Octaved Flow: records, IDs and JSON values, or the error for a response that makes no sense."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, TypeVar

from ...codec import DecodeFailed, TypedReader
from ...errors import FailedWrite, ResponseTooLarge, ServerError, quote_value
from ...wire import Request, Response, Safety, public_url
from ..base.answers import describes_error
from .tables import FlowRecord
from .writes import ID_PATTERN

__all__ = [
    "build_reader",
    "decode_json",
    "read_created_id",
    "read_ids",
    "read_record",
    "read_records",
    "record_id_of",
    "unreadable_response",
]

R = TypeVar("R", bound=FlowRecord)


def build_reader(record: type[R]) -> TypedReader[R]:
    """Return a reader of records; it keeps fields that the class does not know in ``extra``."""
    return TypedReader(record, {field.attr: field.name for field in record.__entity__}, pause_gc=False)


def read_record(request: Request, response: Response, reader: TypedReader[R]) -> R:
    """Return the record of a response.

    Raises:
        ServerError: The response is no record, or not the one that was asked for.
    """
    try:
        record = reader.one(response.body)
    except (DecodeFailed, RecursionError) as error:
        raise unreadable_response(request, response, str(error)) from error
    if record_id_of(record) != request.url.name:
        reason = f"the record {request.url.name} was asked for, and {quote_value(response.text, 80)} came"
        raise unreadable_response(request, response, reason)
    return record


def read_records(
    request: Request,
    response: Response,
    reader: TypedReader[R],
    *,
    requested_ids: Collection[str] | None = None,
) -> list[R]:
    """Return the records of a response.

    Args:
        request: The request that was sent.
        response: Its response.
        reader: A reader of such records.
        requested_ids: The IDs that were asked for; ``None`` for any.

    Raises:
        ServerError: The response is no list of records, one has no ID, or one was not asked for: then those that
            were asked for would seem not to be there.
    """
    try:
        records = reader.page(response.body).rows
    except (DecodeFailed, RecursionError) as error:
        raise unreadable_response(request, response, str(error)) from error
    for record in records:
        record_id = record_id_of(record)
        if not record_id or (requested_ids is not None and record_id not in requested_ids):
            reason = f"a record with the id {quote_value(record_id)} came, which was not asked for"
            raise unreadable_response(request, response, reason)
    return records


def record_id_of(record: FlowRecord) -> str:
    """Return the ID of a record, or ``""`` where it has none."""
    value = getattr(record, "id", None)
    return value if isinstance(value, str) else ""


def read_ids(request: Request, response: Response) -> list[str]:
    """Return the IDs of a search's response.

    Raises:
        ServerError: The response is no list of IDs.
    """
    value = decode_json(request, response)
    if not isinstance(value, list) or not all(map(_is_id, value)):
        raise unreadable_response(
            request, response, f"a list of IDs was expected, not {quote_value(response.text, 80)}"
        )
    return value


def read_created_id(request: Request, response: Response) -> str:
    """Return the ID of a create's response.

    Raises:
        FailedWrite: The response has none; the record may be stored all the same.
    """
    value = decode_json(request, response)
    record_id = value.get("id") if isinstance(value, dict) else None
    # What this library would not send in a path is no ID either: "x y" would be a record that nobody finds again.
    if not _is_id(record_id) or describes_error(value):
        raise unreadable_response(
            request, response, f"the id of the new record was expected, not {quote_value(response.text, 80)}"
        )
    return str(record_id)


def _is_id(value: object) -> bool:
    return isinstance(value, str) and ID_PATTERN.fullmatch(value) is not None


def decode_json(request: Request, response: Response) -> Any:
    """Return the JSON values of a response.

    Raises:
        ServerError: It is no JSON.
    """
    try:
        return response.json()
    except (ValueError, ResponseTooLarge) as error:  # the latter where it is nested too deeply
        raise unreadable_response(request, response, str(error)) from error


def unreadable_response(request: Request, response: Response, reason: str) -> ServerError:
    """Return the error for a response that makes no sense; after a write, the server may have acted all the same."""
    facts: dict[str, Any] = {
        "status": response.status,
        "method": request.method,
        "url": public_url(request.url),
    }
    message = f"{request.operation}: {reason}"
    if request.safety is Safety.READ:
        return ServerError(message, **facts)
    return FailedWrite(message, operation=request.operation, sent=request.sent, **facts)
