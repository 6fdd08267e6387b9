"""Clients for commands: the API that the options name, its address, its credential and its reader."""

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
    ConnectionOptions,
    check_address,
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
"""The longest that a log-out may take."""
Api = Literal["zeyos", "octaved", "general", "ox"]
APIS: Final = get_args(Api)
"""Names of the APIs."""


@attrs.frozen(kw_only=True)
class ApiOptions:
    """The API of a command line, and the options that only one API has.

    Attributes:
        api: The API.
        key_header: Octaved Flow: the header that carries the key.
        access_type: The General API: the number of the way in.
        layout: The General API: the form of its addresses.
        folder: Open-Xchange: the folder.
        start: Open-Xchange: the beginning of a calendar's period.
        end: Open-Xchange: the end of that period.
    """

    api: Api = "zeyos"
    key_header: str | None = None
    access_type: int | None = None
    layout: Literal["single", "paths"] = "single"
    folder: str | None = None
    start: datetime | None = None
    end: datetime | None = None

    def check_options(self) -> None:
        """Check that there are no options of another API.

        Raises:
            ConfigurationError: An option belongs to another API.
        """
        for option, (name, owner) in _API_OF_OPTION.items():
            if getattr(self, name) is not None and self.api != owner:
                raise ConfigurationError(f"--{option} is for --api {owner}")


_API_OF_OPTION: Final = {
    "key-header": ("key_header", "octaved"),
    "access-type": ("access_type", "general"),
    "folder": ("folder", "ox"),
    "from": ("start", "ox"),
    "to": ("end", "ox"),
}
"""Option → its attribute, and the one API that has it."""


@asynccontextmanager
async def open_reader(
    options: ConnectionOptions, api_options: ApiOptions, name: str
) -> AsyncIterator[Reader]:
    """Open a client of the API, and a reader of one entity, resource, model or module.

    Args:
        options: The connection options.
        api_options: The API, and its own options.
        name: The entity, resource, model or module.

    Raises:
        ConfigurationError: An option is of another API, or something is missing.
    """
    api_options.check_options()
    if api_options.api == "zeyos":
        async with open_zeyos(options) as zeyos:
            yield ZeyosReader(zeyos, name)
    elif api_options.api == "octaved":
        async with _open_octaved(options, api_options) as flow:
            yield FlowReader(flow, name)
    elif api_options.api == "ox":
        async with _open_ox(options) as ox:
            yield OxReader(
                ox, name, OxScope(folder=api_options.folder, start=api_options.start, end=api_options.end)
            )
    else:
        async with open_general(options, api_options) as client:
            yield GeneralReader(client, name)


@asynccontextmanager
async def _open_ox(options: ConnectionOptions) -> AsyncIterator[OpenXchange]:
    """Open a client of Open-Xchange that logs out at the end."""
    from ..services.ox.client import OpenXchange

    async with AsyncExitStack() as stack:
        if options.emulate:
            from ..testing import emulate_ox

            emulator = await _start_emulator(stack, options, emulate_ox)
            url, auth = emulator.url, emulator.auth()
        else:
            _refuse_options(options, "ox", "profile", "instance")
            url, auth = resolve_ox(options, os.environ, prompt_secret)
        client = await stack.enter_async_context(
            OpenXchange(url, auth=auth, timeout=options.timeout, allow_http=options.allow_http or None)
        )
        try:
            yield client
        finally:
            # Without a log-out the unused session would count against the user's limit for hours. A log-out
            # that fails is no error of the command: the session then expires by itself.
            with contextlib.suppress(ZeyosAsyncError, TimeoutError):
                async with asyncio.timeout(_LOG_OUT_SECONDS):
                    await client.log_out()


@asynccontextmanager
async def _open_octaved(options: ConnectionOptions, api_options: ApiOptions) -> AsyncIterator[Octaved]:
    from ..services.octaved.client import Octaved

    async with AsyncExitStack() as stack:
        if options.emulate:
            from ..testing import emulate_octaved

            emulator = await _start_emulator(stack, options, emulate_octaved)
            url, auth = emulator.url, emulator.auth()
        else:
            url, auth = resolve_octaved(options, api_options, os.environ)
        yield await stack.enter_async_context(
            Octaved(url, auth=auth, timeout=options.timeout, allow_http=options.allow_http or None)
        )


@asynccontextmanager
async def open_general(options: ConnectionOptions, api_options: ApiOptions) -> AsyncIterator[GeneralApi]:
    """Open a client of the General API.

    Args:
        options: The connection options.
        api_options: The options of that API.

    Raises:
        ConfigurationError: Something is missing.
    """
    from ..services.general.client import GeneralApi

    async with AsyncExitStack() as stack:
        if options.emulate:
            from ..testing import emulate_general

            emulator = await _start_emulator(stack, options, emulate_general)
            user = emulator.credentials
            url, auth = emulator.url, _login_backend(user.kname, user.kpass, user.access_type)
        else:
            url, auth = resolve_general(options, api_options, os.environ, prompt_secret)
        client = GeneralApi(
            url,
            auth=auth,
            timeout=options.timeout,
            allow_http=options.allow_http or None,
            layout=api_options.layout,
        )
        yield await stack.enter_async_context(client)


def _login_backend(name: str, password: str, access_type: int) -> AuthBackend:
    return KmdLogin(name, password, access_type=access_type)


async def _start_emulator(
    stack: AsyncExitStack, options: ConnectionOptions, emulate: Callable[..., Any]
) -> Any:
    """Start an emulator in this process.

    Raises:
        ConfigurationError: There are options for a real server, too.
        InvalidArgument: The emulator can't make up such rows.
    """
    rows = merge_emulated_rows(options)
    try:
        return await stack.enter_async_context(emulate(rows=rows, seed=options.seed))
    except ValueError as error:
        raise InvalidArgument(f"--rows: {error}") from error


def resolve_octaved(
    options: ConnectionOptions, api_options: ApiOptions, environ: Mapping[str, str]
) -> tuple[str, AuthBackend]:
    """Return the address of an Octaved Flow and its credential, from the options or the environment.

    Raises:
        ConfigurationError: The address is missing, or an option is of another API.
        NotSignedIn: There is no key.
    """
    _refuse_options(options, "octaved", "user", "profile", "instance")
    url = options.url or environ.get("OCTAVED_URL", "").strip()
    if not url:
        raise ConfigurationError(
            "which Octaved Flow? Give --url, or set OCTAVED_URL; --emulate needs neither"
        )
    check_address(url, allow_http=options.allow_http)
    key = read_token(options, environ, "OCTAVED_API_KEY", "the key")
    if not key:
        raise NotSignedIn("no key: set OCTAVED_API_KEY, or give --token-file FILE")
    return url, ApiKey(api_options.key_header or environ.get("OCTAVED_API_KEY_HEADER") or "X-Api-Key", key)


def resolve_general(
    options: ConnectionOptions, api_options: ApiOptions, environ: Mapping[str, str], ask: AskSecret
) -> tuple[str, AuthBackend]:
    """Return the endpoint of a General API and its credential, from the options or the environment.

    Raises:
        ConfigurationError: The endpoint or something else is missing, or an option is of another API.
        NotSignedIn: There is no credential.
    """
    _refuse_options(options, "general", "profile", "instance")
    url = options.url or environ.get("GENERAL_API_URL", "").strip()
    if not url:
        raise ConfigurationError(
            "which endpoint? Give --url, or set GENERAL_API_URL; --emulate needs neither"
        )
    check_address(url, allow_http=options.allow_http)
    access_type = _find_access_type(api_options, environ)
    # --user is explicit: a token of the environment must not win over it.
    token = "" if options.user else read_token(options, environ, "GENERAL_API_TOKEN", "the token")
    if token:
        return url, KmdToken(token, access_type=access_type)
    name = options.user or environ.get("GENERAL_API_USER", "").strip()
    if not name:
        raise NotSignedIn(
            "no credential: give --user NAME, or set GENERAL_API_TOKEN, or give --token-file FILE"
        )
    if access_type is None:
        raise ConfigurationError("a log-in needs --access-type N, or GENERAL_API_ACCESS_TYPE")
    return url, _login_backend(
        name, read_password(options, environ, "GENERAL_API_PASSWORD", name, ask), access_type
    )


def _find_access_type(api_options: ApiOptions, environ: Mapping[str, str]) -> int | None:
    text = environ.get("GENERAL_API_ACCESS_TYPE", "").strip()
    if api_options.access_type is not None or not text:
        return api_options.access_type
    if not (text.isascii() and text.isdigit()):
        raise ConfigurationError(f"GENERAL_API_ACCESS_TYPE is {text!r}, and should be a whole number")
    return int(text)


def _refuse_options(options: ConnectionOptions, api: str, *names: str) -> None:
    for name in names:
        if getattr(options, name):
            raise ConfigurationError(f"--{name} is not for --api {api}")
