"""What the services share: queries, their shapes, and the passes that read them. Knows no API."""

from __future__ import annotations

from .explain import Explanation, PlannedRequest
from .pagers.by_keys import KeyedBackend, Snapshot
from .plan import CountedPage, ListBackend, PageWindow, QueryPlan, Traits
from .query import Query
from .row_types import RecordRows, column
from .source import DeletionSource, QuerySource, Range, Source

__all__ = [
    "CountedPage",
    "DeletionSource",
    "Explanation",
    "KeyedBackend",
    "ListBackend",
    "PageWindow",
    "PlannedRequest",
    "Query",
    "QueryPlan",
    "QuerySource",
    "Range",
    "RecordRows",
    "Snapshot",
    "Source",
    "Traits",
    "column",
]
