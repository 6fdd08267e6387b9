"""The types that the rows of a query become: full records, dicts of chosen columns, a user's own class."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, Generic, Protocol, TypeVar, cast, runtime_checkable

import attrs

from ...codec import DictReader, RawReader, RowReader, TypedReader, check_class, make_row_filler
from ...errors import ConfigurationError
from ...schema import Entity, resolve

__all__ = ["ClassRows", "DictRows", "RecordRows", "RowBuilder", "RowType", "column", "column_paths"]

R = TypeVar("R")
R_co = TypeVar("R_co", covariant=True)
_PATH_METADATA: Final = "zeyos_async.path"
_PAGING_ID: Final = "_zeyos_async_id"
"""Key of the ID where it is selected for paging only; no field of an API has this name."""


class RowType(Protocol[R]):
    """A type of rows: the columns that it selects, and the reader that makes such rows of a page."""

    def columns(self, entity: Entity) -> dict[str, str] | None:
        """Return key → path of the selected fields; ``None`` for full records."""
        ...

    def reader(self, entity: Entity, *, id_key: str | None) -> RowReader[R]:
        """Return a reader of such rows; ``id_key`` is the key of the ID if paging needs it."""
        ...

    def value(self, row: R, path: str) -> Any:
        """Return the value that a row has for a selected path."""
        ...


@runtime_checkable
class RowBuilder(Protocol[R_co]):
    """A row type that also builds rows from Python's values, for services that decode their pages themselves."""

    def build_row(self, get: Callable[[str], Any]) -> R_co:
        """Build one row; ``get`` returns the value of a path."""
        ...


@attrs.frozen
class RecordRows(Generic[R]):
    """Full records of the entity's own class."""

    cls: type[R]
    fields: tuple[tuple[str, str], ...]
    """Attribute → wire name, in the order of the class."""

    def columns(self, entity: Entity) -> dict[str, str] | None:
        """Return ``None``: the service chooses the fields of full records."""
        return None

    def reader(self, entity: Entity, *, id_key: str | None) -> RowReader[R]:
        """Return a reader of full records."""
        return TypedReader(self.cls, dict(self.fields), id_key=id_key)

    def value(self, row: R, path: str) -> Any:
        """Return the attribute of a field's name."""
        attribute = next((name for name, wire_name in self.fields if wire_name == path), path)
        return getattr(row, attribute)


@attrs.frozen
class DictRows:
    """Dicts with the chosen keys."""

    selected: tuple[tuple[str, str], ...]
    """Key → path."""

    def columns(self, entity: Entity) -> dict[str, str] | None:
        """Return the selected fields."""
        return dict(self.selected)

    def reader(self, entity: Entity, *, id_key: str | None) -> RowReader[dict[str, Any]]:
        """Return a reader of dicts, typed by the fields' kinds."""
        kinds = {key: resolve(entity, path).kind for key, path in self.selected}
        hides_id = id_key is not None and id_key not in kinds
        return DictReader(kinds, id_key=id_key, hide_id=hides_id)

    def build_row(self, get: Callable[[str], Any]) -> dict[str, Any]:
        """Build a dict of the paths' values."""
        return {key: get(path) for key, path in self.selected}

    def value(self, row: dict[str, Any], path: str) -> Any:
        """Return the value under the path's key."""
        return row.get(next(key for key, selected in self.selected if selected == path))


@attrs.frozen
class ClassRows(Generic[R]):
    """A user's own attrs class; its attributes say what is selected."""

    cls: type[R]
    paths: tuple[tuple[str, str], ...]
    """Attribute → path."""

    def columns(self, entity: Entity) -> dict[str, str] | None:
        """Return the attributes' paths under the attributes' names."""
        return dict(self.paths)

    def reader(self, entity: Entity, *, id_key: str | None) -> RowReader[R]:
        """Return a reader into the class."""
        return TypedReader(self.cls, {name: name for name, _ in self.paths}, id_key=id_key)

    def build_row(self, get: Callable[[str], Any]) -> R:
        """Build an instance with the paths' values."""
        fill: Callable[[Mapping[str, Any]], R] = make_row_filler(cast(Any, self.cls))
        return fill({name: get(path) for name, path in self.paths})

    def value(self, row: R, path: str) -> Any:
        """Return the attribute that the path fills."""
        return getattr(row, next(name for name, selected in self.paths if selected == path))


@attrs.frozen
class RawRows:
    """Rows left as the bytes of their JSON, for exports."""

    inner: RowType[Any]

    def columns(self, entity: Entity) -> dict[str, str] | None:
        """Return the selection of the inner row type."""
        return self.inner.columns(entity)

    def reader(self, entity: Entity, *, id_key: str | None) -> RowReader[Any]:
        """Return a reader of IDs alone."""
        return RawReader(id_key)

    def value(self, row: Any, path: str) -> Any:
        """Raise ``LookupError``: raw rows are not decoded."""
        raise LookupError(path)


def column(path: str, **options: Any) -> Any:
    """Return an attribute of a class for ``Query.into`` that is filled from another path.

    Args:
        path: The field path, such as ``"contact.city"``.
        **options: Passed on to ``attrs.field`` (``default``, ``converter``, …).

    Returns:
        The result of ``attrs.field``.

    Example:
        ::

            @attrs.define
            class Town:
                ID: int
                name: str = column("lastname")
                town: str | None = column("contact.city")
    """
    metadata = {**options.pop("metadata", {}), _PATH_METADATA: str(path)}
    return attrs.field(metadata=metadata, **options)


def column_paths(cls: type) -> tuple[tuple[str, str], ...]:
    """Return attribute → path for a class that rows are read into.

    Raises:
        ConfigurationError: The class is no attrs class, or has nothing to fill.
        InvalidArgument: An attribute's type can't be filled from an answer.
    """
    if not (isinstance(cls, type) and attrs.has(cls)):
        raise ConfigurationError(f"into() takes a class made with attrs.define, not {cls!r}")
    paths = tuple(
        (field.name, field.metadata.get(_PATH_METADATA, field.name))
        for field in attrs.fields(cls)
        if field.init
    )
    if not paths:
        raise ConfigurationError(f"{cls.__name__} has no attributes to fill")
    check_class(cls)
    return paths


def paging_id(columns: Mapping[str, str] | None, id_field: str = "ID") -> tuple[str, bool]:
    """Return the key under which the ID comes, and whether it has to be added for paging."""
    if columns is None:
        return id_field, False
    for key, path in columns.items():
        if path == id_field:
            return key, False
    # A caller's own alias may be called "ID" and lead to another field: it must not be overwritten.
    return (id_field if id_field not in columns else _PAGING_ID), True
