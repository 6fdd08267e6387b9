"""The cutting of a large result into requests, without I/O.

``Paging`` is the user's configuration. ``IdPass`` and ``OffsetPass`` are the state of one pass over a result: they
say which span to ask for next, and what is left of a span once its page is here. ``PageSize`` remembers which page
size a resource can take.
"""

from __future__ import annotations

from .by_id import IdPass, IdSpan
from .by_offset import OffsetPass, OffsetSpan, SeenIds
from .config import MAX_PAGE, Paging
from .size import MIN_PAGE, PageSize

__all__ = [
    "MAX_PAGE",
    "MIN_PAGE",
    "IdPass",
    "IdSpan",
    "OffsetPass",
    "OffsetSpan",
    "PageSize",
    "Paging",
    "SeenIds",
]
