"""Public names of the General API: rows, forms, definitions, and the stub of a model's class."""

from __future__ import annotations

from .services.general.forms import Definition, FieldDefinition, Form
from .services.general.lists import Column, Listing, Row
from .services.general.model import Model
from .services.general.stub import stub
from .services.general.values import UNCHANGED, RecordId, Unchanged

__all__ = [
    "UNCHANGED",
    "Column",
    "Definition",
    "FieldDefinition",
    "Form",
    "Listing",
    "Model",
    "RecordId",
    "Row",
    "Unchanged",
    "stub",
]
