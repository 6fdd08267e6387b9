"""Exports of a query to a file of JSON lines or CSV, which appears when it is complete or not at all."""

from __future__ import annotations

from .export_job import export
from .formats import FORMATS
from .mappings import RowPages
from .progress import ExportProgress, ExportResult

__all__ = ["FORMATS", "ExportProgress", "ExportResult", "RowPages", "export"]
