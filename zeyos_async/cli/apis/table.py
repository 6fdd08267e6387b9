"""The APIs of the command: those of the registry's rows that have a part for it."""

from __future__ import annotations

import functools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from ...errors import ConfigurationError
from ...services.registry import find_api, list_apis, load
from ..connect import ConnectionOptions
from ..reader_base import Reader
from .base import ApiCommand, ApiOptions

__all__ = ["api_names", "load_command", "open_client", "open_reader"]


def api_names() -> tuple[str, ...]:
    """Return the names of the APIs that the command knows."""
    return tuple(name for name, api in list_apis().items() if api.command)


@functools.cache
def load_command(name: str) -> ApiCommand:
    """Return an API's part of the command.

    Raises:
        ConfigurationError: The row of another package names something else.
    """
    api = find_api(name)
    command = load(api.command)(api)
    if not isinstance(command, ApiCommand):
        raise ConfigurationError(f"{api.command} is no ApiCommand")
    return command


def _check_options(connection: ConnectionOptions, options: ApiOptions) -> None:
    """Refuse options that the API lacks: ignored, they would give other rows than the person expects.

    Raises:
        ConfigurationError: There is one.
    """
    command = load_command(options.api)
    own = {option.name for option in command.options}
    for owner in api_names():
        for option in load_command(owner).options:
            if option.name not in own and options.get(option.name) is not None:
                raise ConfigurationError(f"{option.flags[0]} is for --api {owner}")
    for name in command.refused:
        if getattr(connection, name):
            raise ConfigurationError(f"--{name} is not for --api {options.api}")


@asynccontextmanager
async def open_client(connection: ConnectionOptions, options: ApiOptions) -> AsyncIterator[Any]:
    """Open a client of an API.

    Args:
        connection: The connection options.
        options: The API, and its own options.

    Raises:
        ConfigurationError: An option is of another API, or something is missing.
    """
    _check_options(connection, options)
    async with load_command(options.api).open(connection, options) as client:
        yield client


@asynccontextmanager
async def open_reader(connection: ConnectionOptions, options: ApiOptions, name: str) -> AsyncIterator[Reader]:
    """Open a client of the API, and a reader of one entity, resource, model or module.

    Args:
        connection: The connection options.
        options: The API, and its own options.
        name: The entity, resource, model or module.

    Raises:
        ConfigurationError: An option is of another API, or something is missing.
    """
    async with open_client(connection, options) as client:
        yield load_command(options.api).reader(client, name, options)
