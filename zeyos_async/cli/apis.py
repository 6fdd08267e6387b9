"""The APIs beside ZeyOS that commands reach: which, where, and as whom."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Any, Literal

import attrs

from ..auth import ApiKey, AuthBackend, KmdLogin, KmdToken
from ..errors import ConfigurationError, InvalidArgument
from .connect import Ask, Connection, connected, prompt, rows_to_emulate, secret_from
from .output import NotSignedIn
from .sources import FlowSource, GeneralSource, Source, ZeyosSource

if TYPE_CHECKING:
    from ..services.general.client import GeneralApi
    from ..services.octaved.client import Octaved

__all__ = ["Reach", "general_client", "resolve_general", "resolve_octaved", "source"]

Api = Literal["zeyos", "octaved", "general"]


@attrs.frozen(kw_only=True)
class Reach:
    """Which API, and what only some of them need.

    Attributes:
        api: The API.
        key_header: Octaved Flow: the header that carries the key.
        access_type: The General API: the number of the way in.
        layout: The General API: how addresses are made.
    """

    api: Api = "zeyos"
    key_header: str | None = None
    access_type: int | None = None
    layout: Literal["single", "paths"] = "single"


@asynccontextmanager
async def source(given: Connection, reach: Reach, name: str) -> AsyncIterator[Source]:
    """What the options mean by a name: an entity, a resource or a model, with a client to read it.

    Args:
        given: The connection options.
        reach: Which API.
        name: The entity, resource or model.

    Raises:
        ConfigurationError: An option is of another API, or something is missing.
    """
    if reach.key_header and reach.api != "octaved":
        raise ConfigurationError("--key-header is for --api octaved")
    if reach.access_type is not None and reach.api != "general":
        raise ConfigurationError("--access-type is for --api general")
    if reach.api == "zeyos":
        async with connected(given) as zeyos:
            yield ZeyosSource(zeyos, name)
    elif reach.api == "octaved":
        async with _octaved_client(given, reach) as flow:
            yield FlowSource(flow, name)
    else:
        async with general_client(given, reach) as api:
            yield GeneralSource(api, name)


@asynccontextmanager
async def _octaved_client(given: Connection, reach: Reach) -> AsyncIterator[Octaved]:
    from ..services.octaved.client import Octaved

    async with AsyncExitStack() as stack:
        if given.emulate:
            from ..testing import emulate_octaved

            emulator = await _started(stack, given, emulate_octaved)
            url, auth = emulator.url, emulator.auth()
        else:
            url, auth = resolve_octaved(given, reach, os.environ)
        yield await stack.enter_async_context(Octaved(url, auth=auth, timeout=given.timeout))


@asynccontextmanager
async def general_client(given: Connection, reach: Reach) -> AsyncIterator[GeneralApi]:
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

            emulator = await _started(stack, given, emulate_general)
            who = emulator.credentials
            url, auth = emulator.url, _log_in(who.kname, who.kpass, who.access_type)
        else:
            url, auth = resolve_general(given, reach, os.environ, prompt)
        client = GeneralApi(url, auth=auth, timeout=given.timeout, layout=reach.layout)
        yield await stack.enter_async_context(client)


def _log_in(name: str, password: str, access_type: int) -> AuthBackend:
    return KmdLogin(name, password, access_type=access_type)


async def _started(stack: AsyncExitStack, given: Connection, emulate: Callable[..., Any]) -> Any:
    """An emulator in this process.

    Raises:
        ConfigurationError: There are options about another server.
        InvalidArgument: It can't make up such rows.
    """
    rows = rows_to_emulate(given)
    try:
        return await stack.enter_async_context(emulate(rows=rows, seed=given.seed))
    except ValueError as error:
        raise InvalidArgument(f"--rows: {error}") from error


def resolve_octaved(given: Connection, reach: Reach, environ: Mapping[str, str]) -> tuple[str, AuthBackend]:
    """The address of an Octaved Flow and the key for it.

    Raises:
        ConfigurationError: The address is missing, or an option is of another API.
        NotSignedIn: There is no key.
    """
    _refuse(given, "octaved", "user", "profile", "instance")
    url = given.url or environ.get("OCTAVED_URL", "").strip()
    if not url:
        raise ConfigurationError(
            "which Octaved Flow? Give --url, or set OCTAVED_URL; --emulate needs neither"
        )
    key = _token(given, environ, "OCTAVED_API_KEY", "the key")
    if not key:
        raise NotSignedIn("no key: set OCTAVED_API_KEY, or give --token-file FILE")
    return url, ApiKey(reach.key_header or environ.get("OCTAVED_API_KEY_HEADER") or "X-Api-Key", key)


def resolve_general(
    given: Connection, reach: Reach, environ: Mapping[str, str], ask: Ask
) -> tuple[str, AuthBackend]:
    """The endpoint of a General API and the way into it.

    Raises:
        ConfigurationError: The endpoint or something else is missing, or an option is of another API.
        NotSignedIn: There is no credential.
    """
    _refuse(given, "general", "profile", "instance")
    url = given.url or environ.get("GENERAL_API_URL", "").strip()
    if not url:
        raise ConfigurationError(
            "which endpoint? Give --url, or set GENERAL_API_URL; --emulate needs neither"
        )
    kind = _access_type(reach, environ)
    token = None if given.user else _token(given, environ, "GENERAL_API_TOKEN", "the token")
    if token:
        return url, KmdToken(token, access_type=kind)
    name = given.user or environ.get("GENERAL_API_USER", "").strip()
    if not name:
        raise NotSignedIn(
            "no credential: give --user NAME, or set GENERAL_API_TOKEN, or give --token-file FILE"
        )
    if kind is None:
        raise ConfigurationError("a log-in needs --access-type N, or GENERAL_API_ACCESS_TYPE")
    password = environ.get("GENERAL_API_PASSWORD")
    if given.password_file:
        password = secret_from(given.password_file, "the password")
    password = password or ask(f"Password of {name}")
    if not password:
        raise ConfigurationError("no password: set GENERAL_API_PASSWORD, or give --password-file FILE")
    return url, _log_in(name, password, kind)


def _access_type(reach: Reach, environ: Mapping[str, str]) -> int | None:
    text = environ.get("GENERAL_API_ACCESS_TYPE", "").strip()
    if reach.access_type is not None or not text:
        return reach.access_type
    if not (text.isascii() and text.isdigit()):
        raise ConfigurationError(f"GENERAL_API_ACCESS_TYPE is {text!r}, and should be a whole number")
    return int(text)


def _token(given: Connection, environ: Mapping[str, str], variable: str, what: str) -> str:
    if given.token and given.token_file:
        raise ConfigurationError("--token and --token-file are two ways to say the same; give one of them")
    if given.token_file:
        return secret_from(given.token_file, what)
    return given.token or environ.get(variable, "").strip()


def _refuse(given: Connection, api: str, *names: str) -> None:
    for name in names:
        if getattr(given, name):
            raise ConfigurationError(f"--{name} is not for --api {api}")
