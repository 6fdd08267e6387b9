"""The user's choice of how to page."""

from __future__ import annotations

from typing import Any, Final, Literal

import attrs

from ..deprecated import renamed_fields
from ..errors import InvalidArgument, quote_value

__all__ = ["FIRST_PAGE", "MAX_PAGE", "Paging"]

MAX_PAGE: Final = 10_000
"""Most rows that one list call may ask for."""

FIRST_PAGE: Final = 500
"""Rows of the first page where the size is ours to choose: small, so that the first row is early."""


def _check_integer(name: str, value: object, low: int, high: int) -> None:
    """Refuse what is no whole number from ``low`` to ``high``; ``True`` is one for Python, and none here."""
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise InvalidArgument(f"{name} must be a whole number from {low} to {high}, not {quote_value(value)}")


def _to_plain_int(value: Any) -> Any:
    # A subclass of int, such as an enum, has no form of its own in the body of a request.
    return int(value) if isinstance(value, int) and not isinstance(value, bool) else value


@renamed_fields(fair="yield_often")
@attrs.frozen(kw_only=True)
class Paging:
    """The user's choice of how a query reads its pages.

    Attributes:
        size: Rows per page, 1 to 10,000; ``None`` for a small first page and then 10,000.
        ahead: Pages that are fetched ahead of the one in use, 1 to 32. Memory is bounded by it.
        by: ``"id"`` pages by ascending ID and can't lose rows; ``"offset"`` counts and pages by
            offset, for any order; ``"auto"`` takes ``"id"`` where the order allows it.
        on_drift: The reaction when the rows change while they are paged by offset: ``"warn"`` or
            ``"raise"`` (``PageDrift``).
        eager: Ask for the count and the largest ID beside the first page, and not only once they are needed: the rest
            of a large result begins a round trip earlier, and a small one costs two requests more.
        yield_often: Hand the event loop back between slices of a page, so that decoding a large page
            never holds it for more than a few milliseconds.
    """

    size: int | None = attrs.field(default=None, converter=_to_plain_int)
    ahead: int = attrs.field(default=3, converter=_to_plain_int)
    by: Literal["auto", "offset", "id"] = "auto"
    on_drift: Literal["raise", "warn"] = "warn"
    eager: bool = False
    yield_often: bool = False

    def __attrs_post_init__(self) -> None:
        if self.size is not None:
            _check_integer("paging(size=…)", self.size, 1, MAX_PAGE)
        _check_integer("paging(ahead=…)", self.ahead, 1, 32)
        if self.by not in ("auto", "offset", "id"):
            raise InvalidArgument(f"paging(by=…) must be 'auto', 'offset' or 'id', not {self.by!r}")
        if self.on_drift not in ("raise", "warn"):
            raise InvalidArgument(f"paging(on_drift=…) must be 'raise' or 'warn', not {self.on_drift!r}")

    @property
    def page(self) -> int:
        """Rows of a full page."""
        return self.size or MAX_PAGE

    @property
    def first(self) -> int:
        """Rows of the first page."""
        return self.size or FIRST_PAGE
