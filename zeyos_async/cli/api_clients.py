"""The APIs beside ZeyOS that commands reach: which, where, and as whom."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, Literal, get_args

import attrs

from ..auth import ApiKey, AuthBackend, KmdLogin, KmdToken
from ..errors import ConfigurationError, InvalidArgument, ZeyosAsyncError
from .api_readers import FlowReader, GeneralReader, ZeyosReader
from .connect import (
    AskSecret,
    Connection,
    merge_emulated_rows,
    open_zeyos,
    prompt_secret,
    read_password,
    read_token,
)
from .output import NotSignedIn
from .ox_reader import OxReader, OxScope, resolve_ox
from .reader_base import Reader

if TYPE_CHECKING:
    from ..services.general.client import GeneralApi
    from ..services.octaved.client import Octaved
    from ..services.ox.client import OpenXchange

__all__ = ["APIS", "ApiOptions", "open_general", "open_reader", "resolve_general", "resolve_octaved"]

_LOG_OUT_SECONDS: Final = 3.0
"""Seconds that a log-out may take."""
Api = Literal["zeyos", "octaved", "general", "ox"]
APIS: Final = get_args(Api)
"""Names of the APIs."""


@attrs.frozen(kw_only=True)
class ApiOptions:
    """Which API, and what only some of them need.

    Attributes:
        api: The API.
        key_header: Octaved Flow: the header that carries the key.
        access_type: The General API: the number of the way in.
        layout: The General API: how addresses are made.
        folder: Open-Xchange: the folder.
        start: Open-Xchange: where the period of a calendar begins.
        end: Open-Xchange: where it ends.
    """

    api: Api = "zeyos"
    key_header: str | None = None
    access_type: int | None = None
    layout: Literal["single", "paths"] = "single"
    folder: str | None = None
    start: datetime | None = None
    end: datetime | None = None

    def check_options(self) -> None:
        """See that there are only options of the API.

        Raises:
            ConfigurationError: An option is of another one.
        """
        for option, (name, api) in _API_OF_OPTION.items():
            if getattr(self, name) is not None and self.api != api:
                raise ConfigurationError(f"--{option} is for --api {api}")


_API_OF_OPTION: Final = {
    "key-header": ("key_header", "octaved"),
    "access-type": ("access_type", "general"),
    "folder": ("folder", "ox"),
    "from": ("start", "ox"),
    "to": ("end", "ox"),
}
"""Option → attribute, and the API that it is for."""


@asynccontextmanager
async def open_reader(given: Connection, reach: ApiOptions, name: str) -> AsyncIterator[Reader]:
    """What reads what a name means: an entity, a resource, a model or a module, with a client of its own.

    Args:
        given: The connection options.
        reach: Which API.
        name: The entity, resource, model or module.

    Raises:
        ConfigurationError: An option is of another API, or something is missing.
    """
    reach.check_options()
    if reach.api == "zeyos":
        async with open_zeyos(given) as zeyos:
            yield ZeyosReader(zeyos, name)
    elif reach.api == "octaved":
        async with _open_octaved(given, reach) as flow:
            yield FlowReader(flow, name)
    elif reach.api == "ox":
        async with _open_ox(given) as ox:
            yield OxReader(ox, name, OxScope(folder=reach.folder, start=reach.start, end=reach.end))
    else:
        async with open_general(given, reach) as api:
            yield GeneralReader(api, name)


@asynccontextmanager
async def _open_ox(given: Connection) -> AsyncIterator[OpenXchange]:
    """A client of Open-Xchange, which logs out at the end: a session that nobody uses would count for hours."""
    from ..services.ox.client import OpenXchange

    async with AsyncExitStack() as stack:
        if given.emulate:
            from ..testing import emulate_ox

            emulator = await _start_emulator(stack, given, emulate_ox)
            url, auth = emulator.url, emulator.auth()
        else:
            _refuse_options(given, "ox", "profile", "instance")
            url, auth = resolve_ox(given, os.environ, prompt_secret)
        client = await stack.enter_async_context(OpenXchange(url, auth=auth, timeout=given.timeout))
        try:
            yield client
        finally:
            with contextlib.suppress(ZeyosAsyncError, TimeoutError):  # the session then ends by itself
                async with asyncio.timeout(_LOG_OUT_SECONDS):
                    await client.log_out()


@asynccontextmanager
async def _open_octaved(given: Connection, reach: ApiOptions) -> AsyncIterator[Octaved]:
    from ..services.octaved.client import Octaved

    async with AsyncExitStack() as stack:
        if given.emulate:
            from ..testing import emulate_octaved

            emulator = await _start_emulator(stack, given, emulate_octaved)
            url, auth = emulator.url, emulator.auth()
        else:
            url, auth = resolve_octaved(given, reach, os.environ)
        yield await stack.enter_async_context(Octaved(url, auth=auth, timeout=given.timeout))


@asynccontextmanager
async def open_general(given: Connection, reach: ApiOptions) -> AsyncIterator[GeneralApi]:
    """A client of the General API for what the options say.

    Args:
        given: The connection options.
        reach: The options of that API.

    Raises:
        ConfigurationError: Something is missing.
    """
    from ..services.general.client import GeneralApi

    async with AsyncExitStack() as stack:
        if given.emulate:
            from ..testing import emulate_general

            emulator = await _start_emulator(stack, given, emulate_general)
            who = emulator.credentials
            url, auth = emulator.url, _login_backend(who.kname, who.kpass, who.access_type)
        else:
            url, auth = resolve_general(given, reach, os.environ, prompt_secret)
        client = GeneralApi(url, auth=auth, timeout=given.timeout, layout=reach.layout)
        yield await stack.enter_async_context(client)


def _login_backend(name: str, password: str, access_type: int) -> AuthBackend:
    return KmdLogin(name, password, access_type=access_type)


async def _start_emulator(stack: AsyncExitStack, given: Connection, emulate: Callable[..., Any]) -> Any:
    """An emulator in this process.

    Raises:
        ConfigurationError: There are options about another server.
        InvalidArgument: It can't make up such rows.
    """
    rows = merge_emulated_rows(given)
    try:
        return await stack.enter_async_context(emulate(rows=rows, seed=given.seed))
    except ValueError as error:
        raise InvalidArgument(f"--rows: {error}") from error


def resolve_octaved(
    given: Connection, reach: ApiOptions, environ: Mapping[str, str]
) -> tuple[str, AuthBackend]:
    """The address of an Octaved Flow and the key for it.

    Raises:
        ConfigurationError: The address is missing, or an option is of another API.
        NotSignedIn: There is no key.
    """
    _refuse_options(given, "octaved", "user", "profile", "instance")
    url = given.url or environ.get("OCTAVED_URL", "").strip()
    if not url:
        raise ConfigurationError(
            "which Octaved Flow? Give --url, or set OCTAVED_URL; --emulate needs neither"
        )
    key = read_token(given, environ, "OCTAVED_API_KEY", "the key")
    if not key:
        raise NotSignedIn("no key: set OCTAVED_API_KEY, or give --token-file FILE")
    return url, ApiKey(reach.key_header or environ.get("OCTAVED_API_KEY_HEADER") or "X-Api-Key", key)


def resolve_general(
    given: Connection, reach: ApiOptions, environ: Mapping[str, str], ask: AskSecret
) -> tuple[str, AuthBackend]:
    """The endpoint of a General API and the way into it.

    Raises:
        ConfigurationError: The endpoint or something else is missing, or an option is of another API.
        NotSignedIn: There is no credential.
    """
    _refuse_options(given, "general", "profile", "instance")
    url = given.url or environ.get("GENERAL_API_URL", "").strip()
    if not url:
        raise ConfigurationError(
            "which endpoint? Give --url, or set GENERAL_API_URL; --emulate needs neither"
        )
    kind = _find_access_type(reach, environ)
    token = "" if given.user else read_token(given, environ, "GENERAL_API_TOKEN", "the token")
    if token:
        return url, KmdToken(token, access_type=kind)
    name = given.user or environ.get("GENERAL_API_USER", "").strip()
    if not name:
        raise NotSignedIn(
            "no credential: give --user NAME, or set GENERAL_API_TOKEN, or give --token-file FILE"
        )
    if kind is None:
        raise ConfigurationError("a log-in needs --access-type N, or GENERAL_API_ACCESS_TYPE")
    return url, _login_backend(name, read_password(given, environ, "GENERAL_API_PASSWORD", name, ask), kind)


def _find_access_type(reach: ApiOptions, environ: Mapping[str, str]) -> int | None:
    text = environ.get("GENERAL_API_ACCESS_TYPE", "").strip()
    if reach.access_type is not None or not text:
        return reach.access_type
    if not (text.isascii() and text.isdigit()):
        raise ConfigurationError(f"GENERAL_API_ACCESS_TYPE is {text!r}, and should be a whole number")
    return int(text)


def _refuse_options(given: Connection, api: str, *names: str) -> None:
    for name in names:
        if getattr(given, name):
            raise ConfigurationError(f"--{name} is not for --api {api}")
