"""The first page of a result: it carries hidden fields, by which the filter and the order are judged.

The fields of a condition need not be among those that the caller selected. So the first page asks for them too, under
keys of their own; here they are read, judged, and taken out again before anybody else sees the page.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

import attrs
import msgspec

from ....codec import DecodeFailed, DictReader
from ....errors import ApiError, BadRequest, ServerError
from ....schema import Kind, resolve
from ..plan import ListBackend, QueryPlan
from ..verify import check_first_rows, checked_paths, hidden_columns

__all__ = ["FirstPage"]

_ROWS: Final = msgspec.json.Decoder(list[dict[str, msgspec.Raw]])


@attrs.define(eq=False)
class FirstPage:
    """The hidden fields of one result's first page, and what they tell.

    Attributes:
        backend: The service's lists.
        plan: The result that is asked for.
        hidden: Key → path of the fields that are selected for the check alone.
    """

    backend: ListBackend
    plan: QueryPlan
    hidden: Mapping[str, str] = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        # Without totals the rows are a plain array, from which columns can be taken out.
        can_hide = not self.backend.features.has_totals
        self.hidden = hidden_columns(self.plan, self.backend.refused_paths) if can_hide else {}

    def drop_refused(self, error: ApiError) -> bool:
        """Leave the hidden fields out if the server refuses them; return whether that is worth another try."""
        is_about_fields = isinstance(error, BadRequest) or (
            isinstance(error, ServerError) and error.status == 500 and "field" in error.message.lower()
        )
        if not self.hidden or not is_about_fields:
            return False
        self.hidden = {}
        return True

    def check(self, body: bytes) -> bytes:
        """Judge the rows of the page, and return it without the hidden fields.

        Raises:
            ServerError: The server did not apply the filter or the order.
        """
        check_first_rows(self.plan, self._judged_rows(body))
        return _without(body, self.hidden) if self.hidden else body

    def _judged_rows(self, body: bytes) -> Sequence[Mapping[str, Any]]:
        """Return path → value of the rows, for the paths that are judged and came."""
        paths = set(checked_paths(self.plan))
        columns = self.plan.columns
        own = (
            {name: name for name in self.plan.entity.fields if name in paths} if columns is None else columns
        )
        keys = {key: path for key, path in {**own, **self.hidden}.items() if path in paths}
        if not keys:
            return ()
        kinds: dict[str, Kind] = {key: resolve(self.plan.entity, path).kind for key, path in keys.items()}
        try:
            rows = self.backend.wrap_reader(self.plan, DictReader(kinds)).page(body).rows
        except (DecodeFailed, RecursionError):
            return ()  # whoever reads the page says what is wrong with it
        return [{keys[key]: value for key, value in row.items() if key in keys} for row in rows]


def _without(body: bytes, keys: Mapping[str, str]) -> bytes:
    """Return a page without some keys; the other values keep the bytes that they came with."""
    try:
        rows = _ROWS.decode(body)
    except (msgspec.DecodeError, ValueError):
        return _without_odd(body, keys)
    for row in rows:
        for key in keys:
            row.pop(key, None)
    return msgspec.json.encode(rows)


def _without_odd(body: bytes, keys: Mapping[str, str]) -> bytes:
    """Do the same for JSON that only Python's own reader takes, such as half a surrogate pair."""
    try:
        rows = json.loads(body)
        return json.dumps(
            [{key: value for key, value in row.items() if key not in keys} for row in rows]
        ).encode()
    except (ValueError, AttributeError, TypeError, RecursionError):
        return body  # no page at all: whoever reads it says so
