"""Requests of Octaved Flow: their URLs, bodies and IDs; nothing is sent here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

import attrs
from yarl import URL

from ...errors import InvalidArgument, quote_value
from ...urls import add_segments, set_query
from ...wire import Request, Safety
from ..base.values import encode_json
from .tables import FlowRecord
from .writes import ID_PATTERN

__all__ = ["RequestBuilder", "batch_ids", "check_id", "id_of"]

_ACCEPT_JSON: Final[Mapping[str, str]] = {"Accept": "application/json"}
_MAX_URL: Final = 8192
"""Characters of a URL that all servers and proxies take."""
_CHARACTERS_PER_ID: Final = len("ids%5B%5D=&") + 32
_URL_RESERVE: Final = 256
"""Characters that are left for other query parameters."""


@attrs.frozen
class RequestBuilder:
    """Builds the requests of one resource.

    Attributes:
        url: The resource's URL.
        name: Its name, for operations.
    """

    url: URL
    name: str

    def build_get(self, action: str, *parts: str, query: Iterable[tuple[str, str]] = ()) -> Request:
        """Return a GET of the resource, or of a path below it."""
        pairs = list(query)
        url = add_segments(self.url, *parts)
        return Request(
            method="GET",
            url=set_query(url, pairs) if pairs else url,
            headers=_ACCEPT_JSON,
            safety=Safety.READ,
            operation=f"{self.name}.{action}",
        )

    def build(
        self,
        method: str,
        action: str,
        *parts: str,
        body: Mapping[str, Any] | None = None,
        query: Iterable[tuple[str, str]] = (),
        safety: Safety = Safety.REPEATABLE,
    ) -> Request:
        """Return any other request; its body is JSON."""
        pairs = list(query)
        url = add_segments(self.url, *parts)
        operation = f"{self.name}.{action}"
        return Request(
            method=method,
            url=set_query(url, pairs) if pairs else url,
            headers=_ACCEPT_JSON if body is None else {**_ACCEPT_JSON, "Content-Type": "application/json"},
            body=None if body is None else encode_json(body, operation=operation),
            safety=safety,
            operation=operation,
            sent=body,
        )


def check_id(value: object) -> str:
    """Return an ID as it goes into a path.

    Raises:
        InvalidArgument: It is not 32 upper-case hexadecimal digits.
    """
    if not isinstance(value, str) or not ID_PATTERN.fullmatch(value):
        hint = ""
        if isinstance(value, str) and ID_PATTERN.fullmatch(value.replace("-", "").upper()):
            hint = f" Did you mean {value.replace('-', '').upper()!r}?"
        raise InvalidArgument(f"an ID is 32 upper-case hexadecimal digits, not {quote_value(value)}.{hint}")
    return value


def id_of(record: FlowRecord | str) -> str:
    """Return the ID of a record, or the ID itself.

    Raises:
        InvalidArgument: The record has none, or it is no ID.
    """
    if isinstance(record, FlowRecord):
        record_id = getattr(record, "id", None)
        if record_id is None:
            raise InvalidArgument(f"this {type(record).__name__} has no id: it was not read from the server")
        return check_id(record_id)
    return check_id(record)


def batch_ids(url: URL, ids: Iterable[str]) -> Iterator[list[tuple[str, str]]]:
    """Yield query parameters ``ids[]`` for all IDs, in batches so small that the URL stays below 8 KiB.

    Raises:
        InvalidArgument: An ID is none.
    """
    if isinstance(ids, str):
        raise InvalidArgument(f"a list of IDs is wanted: [{quote_value(ids)}]")
    unique_ids = list(dict.fromkeys(check_id(item) for item in ids))
    size = max(1, (_MAX_URL - _URL_RESERVE - len(str(url))) // _CHARACTERS_PER_ID)
    for start in range(0, len(unique_ids), size):
        yield [("ids[]", record_id) for record_id in unique_ids[start : start + size]]
