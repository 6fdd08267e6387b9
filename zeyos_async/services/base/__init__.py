"""Queries, the types of their rows, the pagers that read them, and sources. Shared by all services; knows no API."""

from __future__ import annotations

from .explain import Explanation
from .pagers.by_keys import KeyedBackend, KeyList
from .plan import CountedPage, ListBackend, ListFeatures, PageWindow, PlannedRequest, QueryPlan
from .query import Query
from .row_types import RecordRows, column
from .source import DeletionSource, QuerySource, Range, Source

__all__ = [
    "CountedPage",
    "DeletionSource",
    "Explanation",
    "KeyList",
    "KeyedBackend",
    "ListBackend",
    "ListFeatures",
    "PageWindow",
    "PlannedRequest",
    "Query",
    "QueryPlan",
    "QuerySource",
    "Range",
    "RecordRows",
    "Source",
    "column",
]
