"""Which server and which credential a command line means."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from zeyos_async.auth import BearerToken, PasswordLogin
from zeyos_async.cli.connect import Connection, resolve
from zeyos_async.errors import ConfigurationError

URL = "https://erp.example.com/demo"
ENV = {"ZEYOS_TOKEN": "s3cret-env"}


def nobody(prompt: str) -> None:
    return None


@pytest.mark.parametrize(
    ("given", "environ", "url", "source"),
    [
        ({"url": URL}, {}, URL, "--url"),
        ({"url": URL}, {"ZEYOS_BASE_URL": "https://other/x", "ZEYOS_INSTANCE": "y"}, URL, "--url"),
        (
            {"url": "https://erp.example.com", "instance": "a"},
            {},
            "https://erp.example.com/a",
            "--url and --instance",
        ),
        ({"instance": "a"}, {}, "https://cloud.zeyos.com/a", "the default and --instance"),
        (
            {"instance": "a"},
            {"ZEYOS_INSTANCE": "b"},
            "https://cloud.zeyos.com/a",
            "the default and --instance",
        ),
        ({}, {"ZEYOS_INSTANCE": "b"}, "https://cloud.zeyos.com/b", "the default and ZEYOS_INSTANCE"),
        ({}, {"ZEYOS_BASE_URL": URL}, URL, "ZEYOS_BASE_URL"),
        (
            {},
            {"ZEYOS_BASE_URL": "https://erp.example.com/", "ZEYOS_INSTANCE": "b"},
            "https://erp.example.com/b",
            "ZEYOS_BASE_URL and ZEYOS_INSTANCE",
        ),
        ({"url": "http://localhost:8080"}, {}, "http://localhost:8080", "--url"),
    ],
)
def test_the_server(given: dict[str, Any], environ: dict[str, str], url: str, source: str) -> None:
    """Options win over the environment, which wins over the default."""
    target = resolve(Connection(**given), {**ENV, **environ}, nobody)
    assert (target.url, target.url_from) == (url, source)


@pytest.mark.parametrize(
    ("given", "environ", "message"),
    [
        ({}, {}, "which ZeyOS"),
        ({"url": "https://cloud.zeyos.com/"}, {}, "https://cloud.zeyos.com/NAME"),
        ({}, {"ZEYOS_BASE_URL": "https://erp.example.com"}, "does not name an instance"),
    ],
)
def test_a_server_that_is_not_said(given: dict[str, Any], environ: dict[str, str], message: str) -> None:
    """The message says what to give."""
    with pytest.raises(ConfigurationError, match=message):
        resolve(Connection(**given), {**ENV, **environ}, nobody)


@pytest.fixture
def secret(tmp_path: Path) -> str:
    path = tmp_path / "secret"
    path.write_text("s3cret-file\n")
    return str(path)


def test_a_token_from_an_option_a_file_or_the_environment(secret: str) -> None:
    """In this order; where it came from can be told without the token."""
    for given, token, source in (
        ({"token": "s3cret-arg"}, "s3cret-arg", "--token"),
        ({"token_file": secret}, "s3cret-file", secret),
        ({}, "s3cret-env", "ZEYOS_TOKEN"),
    ):
        target = resolve(Connection(url=URL, **given), ENV, nobody)
        assert target.auth == BearerToken(token)
        assert target.auth_from == f"a token from {source}"
        assert token not in repr(target)


def test_a_log_in_by_password(secret: str) -> None:
    """An explicit --user wins over a token in the environment."""
    given = Connection(url=URL, user="max", password_file=secret, appsecret_file=secret, otp="123456")
    target = resolve(given, ENV, nobody)
    wanted = PasswordLogin(
        "max", "s3cret-file", identifier="zeyos-async", appsecret="s3cret-file", otp="123456"
    )
    assert target.auth == wanted
    assert target.auth_from == f"the log-in of max with the password from {secret}"


def test_a_password_is_taken_from_the_environment_or_asked_for() -> None:
    """And without either the message says what to give."""
    given = Connection(url=URL, user="max", identifier="pc")
    in_env = resolve(given, {"ZEYOS_PASSWORD": "e", "ZEYOS_APPSECRET": "s"}, nobody)
    assert in_env.auth == PasswordLogin("max", "e", identifier="pc", appsecret="s")
    asked: list[str] = []
    by_prompt = resolve(given, {}, lambda prompt: asked.append(prompt) or "p")
    assert by_prompt.auth == PasswordLogin("max", "p", identifier="pc")
    assert asked == ["Password of max"]
    with pytest.raises(ConfigurationError, match="ZEYOS_PASSWORD"):
        resolve(given, {}, nobody)


@pytest.mark.parametrize(
    ("given", "environ", "message"),
    [
        ({}, {}, "ZEYOS_TOKEN"),
        ({"token": "a", "user": "b"}, {}, "--token and --user"),
        ({"token_file": "/nowhere/x"}, {}, "/nowhere/x: No such file"),
        ({"token_file": "/dev/null"}, {}, "is empty"),
    ],
)
def test_a_credential_that_can_not_be_had(
    given: dict[str, Any], environ: dict[str, str], message: str
) -> None:
    """The message says what to give, or what is wrong with what was given."""
    with pytest.raises(ConfigurationError, match=message):
        resolve(Connection(url=URL, **given), environ, nobody)
