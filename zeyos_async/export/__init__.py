"""Streaming a query to a file: JSON lines or CSV, complete under its name or not there at all."""

from __future__ import annotations

from .export_job import export
from .formats import FORMATS
from .mappings import RowPages
from .progress import ExportProgress, ExportResult

__all__ = ["FORMATS", "ExportProgress", "ExportResult", "RowPages", "export"]
