"""The interface between the command and an API, which the APIs of other packages have as well."""

from __future__ import annotations

import abc
import os
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, ClassVar

import attrs

from ...auth import AuthBackend
from ...errors import ConfigurationError, InvalidArgument, suggest
from ...schema import Entity
from ...services.registry import Api, load
from ..connect import AskSecret, ConnectionOptions, merge_emulated_rows, prompt_secret
from ..reader_base import Reader

__all__ = ["ApiCommand", "ApiOption", "ApiOptions"]


@attrs.frozen
class ApiOption:
    """An option that one API adds to the command.

    Attributes:
        name: The name under which ``ApiOptions.values`` has it.
        flags: How it is written: ``("--folder",)``.
        settings: The other arguments of ``click.option``: ``type``, ``metavar``, ``help`` …
    """

    name: str
    flags: Sequence[str]
    settings: Mapping[str, Any]


@attrs.frozen(kw_only=True)
class ApiOptions:
    """The API of a command line, and the options that only one API has.

    Attributes:
        api: The API's name.
        values: Name → value of the options; ``None`` where it was not given.
    """

    api: str = "zeyos"
    values: Mapping[str, Any] = attrs.field(factory=dict)

    def get(self, name: str) -> Any:
        """Return an option's value, or ``None`` where it was not given."""
        return self.values.get(name)


class ApiCommand(abc.ABC):
    """The command's part for one API: all that it needs to list, get, count, add up and export its rows.

    Args:
        api: The API's row of the registry.

    Attributes:
        options: The options that the API adds.
        refused: The options about the connection that it lacks, such as ``profile``.
        missing_name: The beginning of the error for an unknown name: ``"Octaved Flow has no resource"``.
    """

    options: ClassVar[Sequence[ApiOption]] = ()
    refused: ClassVar[Sequence[str]] = ("profile", "instance")
    missing_name: ClassVar[str] = "there is no"

    def __init__(self, api: Api) -> None:
        self.api = api

    @abc.abstractmethod
    def resolve(
        self, connection: ConnectionOptions, options: ApiOptions, environ: Mapping[str, str], ask: AskSecret
    ) -> tuple[str, AuthBackend]:
        """Return the address and the credential, from the options or the environment.

        Raises:
            ConfigurationError: The address or something else is missing.
            NotSignedIn: There is no credential.
        """

    @abc.abstractmethod
    def reader(self, client: Any, name: str, options: ApiOptions) -> Reader:
        """Return a reader of one entity, resource, model or module."""

    @abc.abstractmethod
    def describe_emulator(self, emulator: Any) -> tuple[Mapping[str, str], str]:
        """Return what a user of the emulator has to know (label → value), and an example of its use."""

    def client_options(self, options: ApiOptions) -> Mapping[str, Any]:
        """Return the arguments of the client that only this API has."""
        return {}

    @asynccontextmanager
    async def open(self, connection: ConnectionOptions, options: ApiOptions) -> AsyncIterator[Any]:
        """Open a client, on an emulator of its own with ``--emulate``.

        Raises:
            ConfigurationError: Something is missing.
            InvalidArgument: The emulator can't make up such rows.
        """
        async with AsyncExitStack() as stack:
            if connection.emulate:
                url, auth = await self._start_emulator(stack, connection)
            else:
                url, auth = self.resolve(connection, options, os.environ, prompt_secret)
            client = load(self.api.client)(
                url,
                auth=auth,
                timeout=connection.timeout,
                allow_http=connection.allow_http or None,
                **self.client_options(options),
            )
            yield await stack.enter_async_context(client)

    async def _start_emulator(
        self, stack: AsyncExitStack, connection: ConnectionOptions
    ) -> tuple[str, AuthBackend]:
        if not self.api.emulator:
            raise ConfigurationError(f"--emulate: there is no emulator of {self.api.title}")
        rows = merge_emulated_rows(connection)
        try:
            emulator = await stack.enter_async_context(
                load(self.api.emulator)(rows=rows, seed=connection.seed)
            )
        except ValueError as error:
            raise InvalidArgument(f"--rows: {error}") from error
        return emulator.url, emulator.auth()

    def names(self) -> Collection[str] | None:
        """Return the names of what can be read, or ``None`` where only the server knows them."""
        return None

    def row_names(self) -> Collection[str] | None:
        """Return the names for which the emulator makes up rows, or ``None`` where only it knows them."""
        return None

    def entity(self, name: str) -> Entity | None:
        """Return the fields of what has this name, or ``None`` where only the server knows them."""
        return None

    def convert_name(self, name: str) -> str:
        """Return a name as the API writes it."""
        return name

    def convert_id(self, text: str) -> int | str:
        """Return an ID of a command line as the API has it.

        Raises:
            click.BadParameter: The API has no such IDs.
        """
        return text

    def check_name(self, name: str, candidates: Collection[str] | None, *, hint: str = "") -> None:
        """Refuse a name that is not among those that are known.

        Raises:
            InvalidArgument: It is not; the closest are in the message.
        """
        if candidates is not None and name not in candidates:
            raise InvalidArgument(f"{self.missing_name} {name!r}.{suggest(name, candidates)}{hint}")

    def names_hint(self) -> str:
        """Return a sentence that says where the names stand, or an empty text."""
        return ""
