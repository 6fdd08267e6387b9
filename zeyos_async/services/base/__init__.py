"""What the services share: queries, their shapes, and the passes that read them. Knows no API."""

from __future__ import annotations

from .explain import Explanation, PlannedRequest
from .pagers.by_keys import Snapshot, SnapshotDoor
from .plan import CountedPage, Door, Plan, Traits, Window
from .query import Query
from .row_types import Records, column
from .source import DeletionSource, QuerySource, Range, Source

__all__ = [
    "CountedPage",
    "DeletionSource",
    "Door",
    "Explanation",
    "Plan",
    "PlannedRequest",
    "Query",
    "QuerySource",
    "Range",
    "Records",
    "Snapshot",
    "SnapshotDoor",
    "Source",
    "Traits",
    "Window",
    "column",
]
