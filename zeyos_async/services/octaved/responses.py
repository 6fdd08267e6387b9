"""Responses of Octaved Flow: records, IDs and JSON values, or the error for a response that makes no sense."""

from __future__ import annotations

from typing import Any, TypeVar

from ...codec import DecodeFailed, TypedReader
from ...errors import FailedWrite, ServerError
from ...wire import Request, Response, Safety, public_url
from .tables import FlowRecord

__all__ = [
    "build_reader",
    "decode_json",
    "read_created_id",
    "read_ids",
    "read_record",
    "unreadable_response",
]

R = TypeVar("R", bound=FlowRecord)


def build_reader(record: type[R]) -> TypedReader[R]:
    """Return a reader of records; it keeps fields that the class does not know in ``extra``."""
    return TypedReader(record, {field.attr: field.name for field in record.__entity__}, pause_gc=False)


def read_record(request: Request, response: Response, reader: TypedReader[R]) -> R:
    """Return the record of a response.

    Raises:
        ServerError: The response is no record.
    """
    try:
        return reader.one(response.body)
    except DecodeFailed as error:
        raise unreadable_response(request, response, str(error)) from error


def read_ids(request: Request, response: Response) -> list[str]:
    """Return the IDs of a search's response.

    Raises:
        ServerError: The response is no list of IDs.
    """
    value = decode_json(request, response)
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise unreadable_response(request, response, f"a list of IDs was expected, not {response.text!r:.80}")
    return value


def read_created_id(request: Request, response: Response) -> str:
    """Return the ID of a create's response.

    Raises:
        FailedWrite: The response has none; the record may be stored all the same.
    """
    value = decode_json(request, response)
    record_id = value.get("id") if isinstance(value, dict) else None
    if not isinstance(record_id, str) or not record_id:
        raise unreadable_response(
            request, response, f"the id of the new record was expected, not {response.text!r:.80}"
        )
    return record_id


def decode_json(request: Request, response: Response) -> Any:
    """Return the JSON values of a response.

    Raises:
        ServerError: It is no JSON.
    """
    try:
        return response.json()
    except ValueError as error:
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
