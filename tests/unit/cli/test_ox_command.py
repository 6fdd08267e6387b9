"""Open-Xchange from the command line: its address and its credentials."""

from __future__ import annotations

from typing import Any

import pytest

from zeyos_async.auth import OxLogin, OxOAuth, SecondFactorChallenge
from zeyos_async.auth.ox.second_factor import FactorDevice
from zeyos_async.cli.apis import ApiOptions, load_command
from zeyos_async.cli.connect import ConnectionOptions
from zeyos_async.cli.output import NotSignedIn
from zeyos_async.errors import ConfigurationError

URL = "https://ox.example.com/ajax"


def resolve_ox(connection: ConnectionOptions, environ: dict[str, str], ask: Any) -> Any:
    """The address and the credential that the command takes."""
    return load_command("ox").resolve(connection, ApiOptions(api="ox"), environ, ask)


def nobody(text: str) -> str | None:
    """There is no terminal."""
    return None


def test_credentials_from_the_options_and_the_environment() -> None:
    """A token of OAuth, or name and password: options win over the environment."""
    environ = {"OX_BASE_URL": URL, "OX_USER": "jane", "OX_PASSWORD": "pa55", "OX_TOKEN": ""}
    url, auth = resolve_ox(ConnectionOptions(), environ, nobody)
    assert (url, isinstance(auth, OxLogin)) == (URL, True)
    assert isinstance(resolve_ox(ConnectionOptions(), {**environ, "OX_TOKEN": "t"}, nobody)[1], OxOAuth)
    assert isinstance(resolve_ox(ConnectionOptions(token="t"), environ, nobody)[1], OxOAuth)
    connection = ConnectionOptions(user="john", url="https://other.example/ajax")
    url, auth = resolve_ox(connection, {**environ, "OX_TOKEN": "t"}, nobody)
    assert isinstance(auth, OxLogin)
    assert (url, auth.name) == ("https://other.example/ajax", "john")


def test_a_missing_address_or_credential_is_an_error() -> None:
    """The message says what to give."""
    with pytest.raises(ConfigurationError, match="OX_BASE_URL"):
        resolve_ox(ConnectionOptions(), {}, nobody)
    with pytest.raises(NotSignedIn, match="OX_USER"):
        resolve_ox(ConnectionOptions(url=URL), {}, nobody)
    with pytest.raises(ConfigurationError, match="OX_PASSWORD"):
        resolve_ox(ConnectionOptions(url=URL, user="jane"), {}, nobody)
    with pytest.raises(ConfigurationError, match="two ways"):
        resolve_ox(ConnectionOptions(url=URL, token="t", token_file="f"), {}, nobody)


async def test_a_second_factor() -> None:
    """Its code comes from the option, or from whoever sits at the terminal."""
    challenge = SecondFactorChallenge(device=FactorDevice(id="1", name="my phone"), devices=())

    async def answered(options: ConnectionOptions, ask: Any) -> Any:
        environ = {"OX_PASSWORD": "pa55"}
        _, auth = resolve_ox(options, environ, ask)
        assert isinstance(auth, OxLogin)
        assert auth.second_factor is not None
        answer: Any = auth.second_factor(challenge)
        return await answer

    connection = ConnectionOptions(url=URL, user="jane")
    assert await answered(ConnectionOptions(url=URL, user="jane", otp="123"), nobody) == "123"
    assert await answered(connection, lambda text: text) == "Code of the second factor (my phone)"
    with pytest.raises(ConfigurationError, match="--otp CODE"):
        await answered(connection, nobody)
