"""The APIs: one row for each, with the places of all that belongs to it.

The problem. The command, the emulators, the fixtures for pytest and the contract suite each need every API. If each
named them, a new API would be an edit in ten files, and one that lives in another package could not be added at all.

The idea. A row holds import strings, so that reading it imports nothing, and each reader loads the one column that it
needs. Rows of other packages come by entry points of the group ``zeyos_async.apis``:

    [project.entry-points."zeyos_async.apis"]
    inventory = "inventory_client.registry:API"

Left out: the names that type checkers see in ``zeyos_async`` itself; those can't be made at run time.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from importlib import import_module
from typing import Any, Final

import attrs

from ..errors import ConfigurationError, suggest

__all__ = ["ENTRY_POINTS", "Api", "find_api", "list_apis", "load"]

ENTRY_POINTS: Final = "zeyos_async.apis"
"""The group of entry points by which other packages add rows."""

_NAME: Final = re.compile(r"[a-z][a-z0-9_]*")
_PLACE: Final = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*")


def _check_name(_: Any, attribute: Any, value: Any) -> None:
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        raise ConfigurationError(f"Api(name=…) takes a name such as 'inventory', not {value!r}")


def _check_place(_: Any, attribute: Any, value: Any) -> None:
    is_optional = attribute.default == ""
    if not isinstance(value, str) or not (_PLACE.fullmatch(value) or (is_optional and not value)):
        raise ConfigurationError(f"Api({attribute.name}=…) takes 'package.module:Name', not {value!r}")


@attrs.frozen(kw_only=True)
class Api:
    """One API: its name, and where its parts are, as ``package.module:Name``.

    Attributes:
        name: The name on the command line and in the names of fixtures: ``"inventory"``.
        title: The name for people: ``"Inventory"``.
        client: The client's class, which takes a base URL and the options of ``ApiClient``.
        emulator: A function that returns an async context manager of an ``Emulator`` and takes
            ``rows=``, ``seed=``, ``host=`` and ``port=``; empty for none.
        command: A subclass of ``zeyos_async.cli.apis.ApiCommand``; empty if the command does not know the API.
        compiler: A function that compiles a condition to the API's own form; empty for none.
        contract: A ``zeyos_async.testing.contract.Service``; empty if the contract suite is not run.

    Raises:
        ConfigurationError: A name or a place has another form.

    Example:
        >>> Api(name="inventory", title="Inventory", client="inventory_client:Inventory").emulator
        ''
    """

    name: str = attrs.field(validator=_check_name)
    title: str
    client: str = attrs.field(validator=_check_place)
    emulator: str = attrs.field(default="", validator=_check_place)
    command: str = attrs.field(default="", validator=_check_place)
    compiler: str = attrs.field(default="", validator=_check_place)
    contract: str = attrs.field(default="", validator=_check_place)


_OWN: Final = (
    Api(
        name="zeyos",
        title="ZeyOS",
        client="zeyos_async.services.zeyos.client:Zeyos",
        emulator="zeyos_async.testing.zeyos.emulator:emulate_zeyos",
        command="zeyos_async.cli.apis.zeyos:ZeyosCommand",
        compiler="zeyos_async.filters.compilers.zeyos:to_zeyos",
        contract="zeyos_async.testing.zeyos.contract:SERVICE",
    ),
    Api(
        name="octaved",
        title="Octaved Flow",
        client="zeyos_async.services.octaved.client:Octaved",
        emulator="zeyos_async.testing.octaved.emulator:emulate_octaved",
        command="zeyos_async.cli.apis.octaved:OctavedCommand",
        compiler="zeyos_async.filters.compilers.octaved:to_octaved",
        contract="zeyos_async.testing.octaved.contract:SERVICE",
    ),
    Api(
        name="general",
        title="the General API",
        client="zeyos_async.services.general.client:GeneralApi",
        emulator="zeyos_async.testing.general.emulator:emulate_general",
        command="zeyos_async.cli.apis.general:GeneralCommand",
        compiler="zeyos_async.filters.compilers.general:to_general",
        contract="zeyos_async.testing.general.contract:SERVICE",
    ),
    Api(
        name="ox",
        title="Open-Xchange",
        client="zeyos_async.services.ox.client:OpenXchange",
        emulator="zeyos_async.testing.ox.emulator:emulate_ox",
        command="zeyos_async.cli.apis.ox:OxCommand",
        compiler="zeyos_async.filters.compilers.ox:to_ox",
        contract="zeyos_async.testing.ox.contract:SERVICE",
    ),
)


@functools.cache
def list_apis() -> Mapping[str, Api]:
    """Return the rows of all APIs by their names: those of this package first, then those of other packages.

    Raises:
        ConfigurationError: The row of another package can't be loaded, is none, or has a name that is taken.

    Example:
        >>> list(list_apis())[:4]
        ['zeyos', 'octaved', 'general', 'ox']
    """
    from importlib.metadata import entry_points  # here, as it takes long to import

    rows = {api.name: api for api in _OWN}
    for point in sorted(entry_points(group=ENTRY_POINTS), key=lambda point: point.name):
        try:
            api = point.load()
        except Exception as error:
            raise ConfigurationError(
                f"the API {point.name!r} can't be loaded from {point.value} ({type(error).__name__}: {error})"
            ) from error
        if not isinstance(api, Api):
            raise ConfigurationError(
                f"the entry point {point.value} gives {type(api).__name__}, and not an Api"
            )
        if api.name in rows:
            raise ConfigurationError(f"there are two APIs of the name {api.name!r}; one is of {point.value}")
        rows[api.name] = api
    return rows


def find_api(name: str) -> Api:
    """Return the row of an API.

    Raises:
        ConfigurationError: There is none of that name; the closest are in the message.

    Example:
        >>> find_api("ox").title
        'Open-Xchange'
    """
    rows = list_apis()
    if name not in rows:
        raise ConfigurationError(f"there is no API {name!r}.{suggest(name, rows)}")
    return rows[name]


def load(place: str) -> Any:
    """Return what stands at a place of a row.

    Args:
        place: The place, as ``package.module:Name``.

    Raises:
        ConfigurationError: It can't be imported, or the module has no such name.

    Example:
        >>> load("zeyos_async.services.registry:Api") is Api
        True
    """
    module, _, name = place.partition(":")
    try:
        return getattr(import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise ConfigurationError(f"{place} can't be loaded: {error}") from error
