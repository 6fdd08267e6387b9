"""What the rows of a query become: full records, dicts of chosen columns, a user's own class."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, Generic, Protocol, TypeVar, cast, runtime_checkable

import attrs

from ...codec import DictReader, RawReader, RowReader, TypedReader
from ...errors import ConfigurationError
from ...schema import Entity, resolve

__all__ = ["ClassRows", "DictRows", "FromValues", "RecordRows", "RowType", "column", "column_paths"]

R = TypeVar("R")
R_co = TypeVar("R_co", covariant=True)
_PATH: Final = "zeyos_async.path"
_PAGING_ID: Final = "_zeyos_async_id"
"""Key of the ID where it is selected for paging only; no field of an API is called that."""


class RowType(Protocol[R]):
    """How rows are selected and read."""

    def columns(self, entity: Entity) -> dict[str, str] | None:
        """Key → path of what is selected; ``None`` for full records."""
        ...

    def reader(self, entity: Entity, *, id_key: str | None) -> RowReader[R]:
        """A reader of such rows; ``id_key`` is the key of the ID if paging needs it."""
        ...

    def value(self, row: R, path: str) -> Any:
        """The value that a row has for a selected path."""
        ...


@runtime_checkable
class FromValues(Protocol[R_co]):
    """A shape that also takes values as Python has them, for services that read rows by themselves."""

    def row(self, get: Callable[[str], Any]) -> R_co:
        """One row; ``get`` gives the value of a path."""
        ...


@attrs.frozen
class RecordRows(Generic[R]):
    """Full records of the entity's own class."""

    cls: type[R]
    fields: tuple[tuple[str, str], ...]
    """Attribute → wire name, in the order of the class."""

    def columns(self, entity: Entity) -> dict[str, str] | None:
        """Full records name their fields themselves."""
        return None

    def reader(self, entity: Entity, *, id_key: str | None) -> RowReader[R]:
        """A reader of full records."""
        return TypedReader(self.cls, dict(self.fields), id_key=id_key)

    def value(self, row: R, path: str) -> Any:
        """The attribute for a field's name."""
        attribute = next((a for a, key in self.fields if key == path), path)
        return getattr(row, attribute)


@attrs.frozen
class DictRows:
    """Dicts with the chosen keys."""

    selected: tuple[tuple[str, str], ...]
    """Key → path."""

    def columns(self, entity: Entity) -> dict[str, str] | None:
        """What was selected."""
        return dict(self.selected)

    def reader(self, entity: Entity, *, id_key: str | None) -> RowReader[dict[str, Any]]:
        """A reader of dicts, typed by the fields' kinds."""
        kinds = {key: resolve(entity, path).kind for key, path in self.selected}
        hidden = id_key is not None and id_key not in kinds
        return DictReader(kinds, id_key=id_key, hide_id=hidden)

    def row(self, get: Callable[[str], Any]) -> dict[str, Any]:
        """A dict of the paths' values."""
        return {key: get(path) for key, path in self.selected}

    def value(self, row: dict[str, Any], path: str) -> Any:
        """The value under the path's key."""
        return row.get(next(key for key, selected in self.selected if selected == path))


@attrs.frozen
class ClassRows(Generic[R]):
    """A user's own attrs class; its attributes say what is selected."""

    cls: type[R]
    paths: tuple[tuple[str, str], ...]
    """Attribute → path."""

    def columns(self, entity: Entity) -> dict[str, str] | None:
        """The attributes' paths under the attributes' names."""
        return dict(self.paths)

    def reader(self, entity: Entity, *, id_key: str | None) -> RowReader[R]:
        """A reader into the class."""
        return TypedReader(self.cls, {name: name for name, _ in self.paths}, id_key=id_key)

    def row(self, get: Callable[[str], Any]) -> R:
        """An instance with the paths' values."""
        fields = {field.name: field.alias or field.name for field in attrs.fields(cast(Any, self.cls))}
        return self.cls(**{fields[name]: get(path) for name, path in self.paths})

    def value(self, row: R, path: str) -> Any:
        """The attribute that the path fills."""
        return getattr(row, next(name for name, selected in self.paths if selected == path))


@attrs.frozen
class RawRows:
    """Rows left as the bytes of their JSON, for exports."""

    inner: RowType[Any]

    def columns(self, entity: Entity) -> dict[str, str] | None:
        """What the inner shape selects."""
        return self.inner.columns(entity)

    def reader(self, entity: Entity, *, id_key: str | None) -> RowReader[Any]:
        """A reader of IDs alone."""
        return RawReader(id_key)

    def value(self, row: Any, path: str) -> Any:
        """Raw rows are not looked into."""
        raise LookupError(path)


def column(path: str, **options: Any) -> Any:
    """An attribute of a class for ``Query.into`` that is filled from another path.

    Args:
        path: The field path, such as ``"contact.city"``.
        **options: Passed on to ``attrs.field`` (``default``, ``converter``, …).

    Returns:
        What ``attrs.field`` returns.

    Example:
        ::

            @attrs.define
            class Town:
                ID: int
                name: str = column("lastname")
                town: str | None = column("contact.city")
    """
    metadata = {**options.pop("metadata", {}), _PATH: str(path)}
    return attrs.field(metadata=metadata, **options)


def column_paths(cls: type) -> tuple[tuple[str, str], ...]:
    """Attribute → path for a class that rows are read into.

    Raises:
        ConfigurationError: The class is no attrs class, or has nothing to fill.
    """
    if not (isinstance(cls, type) and attrs.has(cls)):
        raise ConfigurationError(f"into() takes a class made with attrs.define, not {cls!r}")
    paths = tuple((a.name, a.metadata.get(_PATH, a.name)) for a in attrs.fields(cls) if a.init)
    if not paths:
        raise ConfigurationError(f"{cls.__name__} has no attributes to fill")
    return paths


def paging_id(columns: Mapping[str, str] | None, id_field: str = "ID") -> tuple[str, bool]:
    """The key under which the ID comes, and whether it has to be added for paging."""
    if columns is None:
        return id_field, False
    for key, path in columns.items():
        if path == id_field:
            return key, False
    return (id_field if id_field not in columns else _PAGING_ID), True


Getter = Callable[[Any, str], Any]
