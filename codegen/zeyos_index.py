"""The modules that span all entities: the index, the table of operations, and the lists of public names."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from .formatting import double_quoted
from .zeyos_entity import EntityModule
from .zeyos_facts import OperationFacts, ZeyosFacts

_INDEX_CODE: Final = '''

def load(name: str) -> ModuleType:
    """Return the module of an entity, imported on first use.

    Raises:
        InvalidArgument: There is no such entity; the message has the closest names.
    """
    if name not in ENTITIES:
        raise InvalidArgument(f"ZeyOS has no entity {name!r}.{suggest(name, ENTITIES)}")
    return importlib.import_module(f"{__name__}.{name}")


def entity(name: str) -> Entity:
    """Return the table of an entity.

    Raises:
        InvalidArgument: There is no such entity; the message has the closest names.
    """
    table: Entity = load(name).ENTITY
    return table


def record_class(name: str) -> type[Record]:
    """Return the record class of an entity.

    Raises:
        InvalidArgument: There is no such entity; the message has the closest names.
    """
    cls: type[Record] = getattr(load(name), ENTITIES[name])
    return cls
'''

_PUBLIC_CODE: Final = '''
if not TYPE_CHECKING:

    def __getattr__(name: str) -> type:
        """Import the module of a class when the class is first asked for."""
        if name not in PUBLIC:
            raise AttributeError(f"{__name__} has no {name!r}.{suggest(name, PUBLIC)}")
        value = globals()[name] = getattr(load(PUBLIC[name]), name)
        return value


def __dir__() -> list[str]:
    return __all__
'''

_OPERATION_CODE: Final = '''

@attrs.frozen
class Operation:
    """One operation of the API.

    Attributes:
        id: Its name in the API's description.
        action: ``list get exists create update delete``, or ``call`` for those of no entity.
        method: HTTP method.
        path: With ``{ID}`` for the record's ID.
        entity: The entity, or ``""``.
        success: Documented statuses below 300.
        errors: Documented statuses from 400.
        conditional: Whether 304 is documented.
        parameters: Names of the parameters in path, query and headers.
        documents: ``spec`` and ``reference``, whichever has it.
    """

    id: str
    action: str
    method: str
    path: str
    entity: str
    success: tuple[int, ...]
    errors: tuple[int, ...]
    conditional: bool
    parameters: tuple[str, ...]
    documents: tuple[str, ...]
'''


def render_index(sources: Sequence[EntityModule], header: str) -> str:
    """Render ``_generated/__init__.py``: which entity, class and enum is in which module."""
    public = public_names(sources)
    return "\n".join(
        (
            header,
            '"""The ZeyOS entities by name; each module is imported on first use."""',
            *("", "from __future__ import annotations", "", "import importlib"),
            *("from types import ModuleType", "from typing import TYPE_CHECKING, Final", ""),
            *("from zeyos_async.errors import InvalidArgument, suggest", "", "if TYPE_CHECKING:"),
            *("    from zeyos_async.records import Record", "    from zeyos_async.schema import Entity", ""),
            f"ENTITIES: Final[dict[str, str]] = {_singulars(sources)!r}",
            '"""Name of an entity (and of its module) → name of its record class."""',
            "",
            f"PUBLIC: Final[dict[str, str]] = {public!r}",
            '"""Name of a record class or enum → name of its module."""',
            *_INDEX_CODE.splitlines(),
        )
    )


def _singulars(sources: Sequence[EntityModule]) -> dict[str, str]:
    return {source.entity.name: source.entity.singular for source in sources}


def public_names(sources: Sequence[EntityModule]) -> dict[str, str]:
    """Return class → module of every record class and enum, sorted.

    Raises:
        ValueError: Two entities have a class of the same name.
    """
    names: dict[str, str] = {}
    for source in sources:
        classes = [source.entity.singular, *(source.code_class(field) for field in source.coded())]
        for name in classes:
            if name in names:
                raise ValueError(f"{source.entity.name} and {names[name]} both have a class {name!r}")
            names[name] = source.entity.name
    return dict(sorted(names.items()))


def render_public(sources: Sequence[EntityModule], header: str) -> str:
    """Render ``zeyos_async/zeyos.py``: every record class and enum, imported on first use."""
    public = public_names(sources)
    return "\n".join(
        (
            header,
            '"""The record classes and coded values of ZeyOS, one module of which loads on first use."""',
            *("", "from __future__ import annotations", "", "from typing import TYPE_CHECKING", ""),
            *("from .errors import suggest", "from .services.zeyos._generated import PUBLIC, load", ""),
            "if TYPE_CHECKING:",
            *_public_imports(sources),
            "",
            f"__all__ = {list(public)!r}",
            *_PUBLIC_CODE.splitlines(),
        )
    )


def _public_imports(sources: Sequence[EntityModule]) -> Iterator[str]:
    for source in sources:
        names = sorted([source.entity.singular, *(source.code_class(field) for field in source.coded())])
        yield f"    from .services.zeyos._generated.{source.entity.name} import {', '.join(names)}"


def render_attributes(sources: Sequence[EntityModule], header: str) -> str:
    """Render ``_generated/client_attributes.py``: the attributes of the client, for type checkers."""
    resources = [(source.entity.name, source.entity.plural) for source in sources]
    return "\n".join(
        (
            header,
            '"""One attribute of the client for each entity."""',
            *("", "from __future__ import annotations", "", "from typing import TYPE_CHECKING", ""),
            "if TYPE_CHECKING:",
            *(f"    from .{name} import {plural}" for name, plural in resources),
            *("", "", "class Entities:"),
            '    """The resources as attributes; the client makes each on first use."""',
            *("", "    if TYPE_CHECKING:"),
            *(f"        {name}: {plural}" for name, plural in resources),
        )
    )


def render_operations(facts: ZeyosFacts, header: str) -> str:
    """Render the table by which the tests see that no documented operation is left out."""
    return "\n".join(
        (
            header,
            '"""Every operation that the documents of ZeyOS have, as a table."""',
            *("", "from __future__ import annotations", "", "from typing import Final", "", "import attrs"),
            *_OPERATION_CODE.splitlines(),
            *("", "", "# fmt: off"),
            "OPERATIONS: Final = (",
            *(f"    {_operation_text(operation)}," for operation in facts.operations),
            ")",
        )
    )


def _operation_text(operation: OperationFacts) -> str:
    arguments = (
        operation.id,
        operation.action,
        operation.method,
        operation.path,
        operation.entity,
        tuple(status for status in operation.statuses if status < 300),
        tuple(status for status in operation.statuses if status >= 400),
        304 in operation.statuses,
        tuple(operation.parameters),
        tuple(operation.documents),
    )
    return f"Operation({', '.join(map(double_quoted, arguments))})"
