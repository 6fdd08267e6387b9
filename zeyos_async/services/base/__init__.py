"""What the services share: queries, their shapes, and the passes that read them. Knows no API."""

from __future__ import annotations

from .explain import Explanation, PlannedRequest
from .plan import Door, Plan, Window
from .query import Query
from .shapes import Records, column

__all__ = ["Door", "Explanation", "Plan", "PlannedRequest", "Query", "Records", "Window", "column"]
