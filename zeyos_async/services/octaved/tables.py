"""The tables of one resource, as the document describes it, and the base of its record classes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import attrs

from ...records import Record
from ...schema import Entity, Field

__all__ = ["FlowRecord", "Schema"]


@attrs.frozen(eq=False)
class Schema:
    """The tables of one resource.

    Attributes:
        entity: The fields of a record, and the operations of the resource.
        writes: Name → field, of the fields that a create takes.
        idents: Name → field, of the idents that a search takes. A boolean with ``choices`` takes ``"0"`` or ``"1"``,
            one without takes no value.
        fixed: The fields that a create takes and a patch does not.
        yields: Whether a search can answer with records in place of IDs.
    """

    entity: Entity
    writes: Mapping[str, Field]
    idents: Mapping[str, Field]
    fixed: frozenset[str] = frozenset()
    yields: bool = False
    search: Entity = attrs.field(
        init=False,
        repr=False,
        default=attrs.Factory(
            lambda self: Entity(self.entity.name, self.entity.singular, self.idents), takes_self=True
        ),
    )
    """The idents as an entity, for filters to be checked against."""


class _Idents:
    """Descriptor of the class's search idents: ``Task.f.isArchived``."""

    def __get__(self, instance: object, owner: type[FlowRecord]) -> Any:
        from ...filters.builder import FieldNamespace  # here, so that tables load without filters

        return FieldNamespace(owner.__schema__.search)


class FlowRecord(Record):
    """One record of Octaved Flow.

    Attributes:
        f: The search idents, for conditions: ``Task.f.childrenOf == project.id``.
    """

    __slots__ = ()

    __schema__: ClassVar[Schema]
    """The resource's tables."""

    if not TYPE_CHECKING:
        f = _Idents()
