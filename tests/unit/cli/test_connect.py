"""Which server and which credential a command line means."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from zeyos_async.auth import BearerToken, OAuth2, PasswordLogin
from zeyos_async.cli.connect import ConnectionOptions, ConnectionTarget, resolve_target, same_instance
from zeyos_async.cli.output import NotSignedIn
from zeyos_async.errors import ConfigurationError

URL = "https://erp.example.com/demo"
ENV = {"ZEYOS_TOKEN": "s3cret-env"}


def nobody(prompt: str) -> None:
    return None


@pytest.mark.parametrize(
    ("options", "environ", "url", "source"),
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
        ({}, {"ZEYOS_BASE_URL": URL, "ZEYOS_INSTANCE": "demo"}, URL, "ZEYOS_BASE_URL and ZEYOS_INSTANCE"),
    ],
)
def test_the_url_of_the_server(
    options: dict[str, Any], environ: dict[str, str], url: str, source: str
) -> None:
    """Options win over the environment, which wins over the default."""
    target = resolve_target(ConnectionOptions(**options), {**ENV, **environ}, nobody)
    assert (target.url, target.url_from) == (url, source)


@pytest.mark.parametrize(
    ("options", "environ", "message"),
    [
        ({}, {}, "which ZeyOS"),
        ({"url": "https://cloud.zeyos.com/"}, {}, "https://cloud.zeyos.com/NAME"),
        ({}, {"ZEYOS_BASE_URL": "https://erp.example.com"}, "does not name an instance"),
    ],
)
def test_a_missing_server_is_an_error(options: dict[str, Any], environ: dict[str, str], message: str) -> None:
    """The message says what to give."""
    with pytest.raises(ConfigurationError, match=message):
        resolve_target(ConnectionOptions(**options), {**ENV, **environ}, nobody)


@pytest.fixture
def secret(tmp_path: Path) -> str:
    path = tmp_path / "secret"
    path.write_text("s3cret-file\n")
    return str(path)


def test_a_token_from_an_option_a_file_or_the_environment(secret: str) -> None:
    """In this order; where it came from can be told without the token."""
    cases: list[tuple[dict[str, Any], str, str]] = [
        ({"token": "s3cret-arg"}, "s3cret-arg", "--token"),
        ({"token_file": secret}, "s3cret-file", secret),
        ({}, "s3cret-env", "ZEYOS_TOKEN"),
    ]
    for options, token, source in cases:
        target = resolve_target(ConnectionOptions(url=URL, **options), ENV, nobody)
        assert target.auth == BearerToken(token)
        assert target.auth_from == f"a token from {source}"
        assert token not in repr(target)


def test_a_log_in_by_password(secret: str) -> None:
    """An explicit --user wins over a token in the environment."""
    connection = ConnectionOptions(
        url=URL, user="max", password_file=secret, appsecret_file=secret, otp="123456"
    )
    target = resolve_target(connection, ENV, nobody)
    expected = PasswordLogin(
        "max", "s3cret-file", identifier="zeyos-async", appsecret="s3cret-file", otp="123456"
    )
    assert target.auth == expected
    assert target.auth_from == f"the log-in of max with the password from {secret}"


def test_a_password_is_taken_from_the_environment_or_asked_for() -> None:
    """And without either the message says what to give."""
    connection = ConnectionOptions(url=URL, user="max", identifier="pc")
    in_env = resolve_target(connection, {"ZEYOS_PASSWORD": "e", "ZEYOS_APPSECRET": "s"}, nobody)
    assert in_env.auth == PasswordLogin("max", "e", identifier="pc", appsecret="s")
    prompts: list[str] = []
    by_prompt = resolve_target(connection, {}, lambda prompt: prompts.append(prompt) or "p")
    assert by_prompt.auth == PasswordLogin("max", "p", identifier="pc")
    assert prompts == ["Password of max"]
    with pytest.raises(ConfigurationError, match="ZEYOS_PASSWORD"):
        resolve_target(connection, {}, nobody)


@pytest.mark.parametrize(
    ("options", "environ", "message"),
    [
        ({}, {}, "zeyos-async login --url .* ZEYOS_TOKEN"),
        ({}, {"ZEYOS_REFRESH_TOKEN": "r"}, "ZEYOS_CLIENT_ID"),
        ({"token": "a", "user": "b"}, {}, "--token and --user"),
        ({"token_file": "/nowhere/x"}, {}, "/nowhere/x: No such file"),
        ({"token_file": "/dev/null"}, {}, "is empty"),
    ],
)
def test_a_missing_or_unreadable_credential_is_an_error(
    options: dict[str, Any], environ: dict[str, str], message: str
) -> None:
    """The message says what to give, or what is wrong with what was given."""
    with pytest.raises(ConfigurationError, match=message):
        resolve_target(ConnectionOptions(url=URL, **options), environ, nobody)


# -- what was signed in ----------------------------------------------------------------------------

LATER = 4_102_444_800
"""The year 2100."""


def at(place: str, **more: Any) -> dict[str, Any]:
    """A set of credentials that can be told from others by its address and token."""
    return {"baseUrl": f"https://cloud.zeyos.com/{place}", "accessToken": f"t-{place}", **more}


def choose(environ: dict[str, str] | None = None, **options: Any) -> ConnectionTarget:
    return resolve_target(ConnectionOptions(**options), environ or {}, nobody)


@pytest.mark.parametrize(
    ("options", "environ", "place", "token"),
    [
        ({}, {}, "active", "t-active"),
        ({}, {"ZEYOS_PROFILE": "other"}, "other", "t-other"),
        ({"profile": "third"}, {"ZEYOS_PROFILE": "other"}, "third", "t-third"),
        ({"profile": "third"}, {"ZEYOS_TOKEN": "env", "ZEYOS_BASE_URL": URL}, "third", "t-third"),
        ({"profile": "third", "token": "arg"}, {"ZEYOS_TOKEN": "env"}, "third", "arg"),
        ({}, {"ZEYOS_INSTANCE": "active"}, "active", "t-active"),
        ({"url": "https://cloud.zeyos.com/active/api/v1/"}, {}, "active/api/v1/", "t-active"),
        ({"url": "https://cloud.zeyos.com/x", "token": "arg"}, {}, "x", "arg"),
        ({"url": "https://cloud.zeyos.com/x"}, {"ZEYOS_TOKEN": "env"}, "x", "env"),
    ],
)
def test_stored_credentials_come_last_unless_a_profile_is_asked_for(
    machine: Any, options: dict[str, Any], environ: dict[str, str], place: str, token: str
) -> None:
    """Options, then the environment, then what was signed in; --profile wins over the environment."""
    machine.profiles("active", active=at("active"), other=at("other"), third=at("third"))
    target = choose(environ, **options)
    assert (target.url, target.auth) == (f"https://cloud.zeyos.com/{place}", BearerToken(token))


@pytest.mark.parametrize(
    ("options", "environ", "named"),
    [
        ({}, {"ZEYOS_TOKEN": "s3cret"}, "ZEYOS_TOKEN"),
        ({}, {"ZEYOS_TOKEN": "s3cret", "ZEYOS_PROFILE": "active"}, "ZEYOS_TOKEN"),
        (
            {},
            {"ZEYOS_REFRESH_TOKEN": "s3cret", "ZEYOS_CLIENT_ID": "app", "ZEYOS_CLIENT_SECRET": "s"},
            "ZEYOS_REFRESH",
        ),
        ({}, {"ZEYOS_USER": "max", "ZEYOS_PASSWORD": "s3cret"}, "ZEYOS_USER"),
        ({"user": "max"}, {"ZEYOS_PASSWORD": "s3cret"}, "--user"),
        ({"user": "max"}, {}, "--user"),
        ({"token": "s3cret"}, {}, "--token"),
        ({"token_file": "/nowhere"}, {}, "--token-file"),
    ],
)
@pytest.mark.parametrize("place", ["pin", "local", "active", "single"])
def test_a_credential_goes_to_no_address_that_happens_to_be_stored(
    machine: Any, place: str, options: dict[str, Any], environ: dict[str, str], named: str
) -> None:
    """Whichever file has it: nothing is read, and nobody is asked for a password, before it is refused."""
    machine.profiles("active" if place == "active" else None, active=at("active"))
    if place == "pin":
        machine.write(machine.project / ".zeyos" / "profile", "active")
    elif place == "local":
        machine.write(machine.project / ".zeyos" / "auth.json", "damaged")
    elif place == "single":
        machine.write(machine.config / "credentials.json", at("single"))
    prompts: list[str] = []
    with pytest.raises(ConfigurationError, match=f"which ZeyOS.*{named}.*--url.*--profile") as caught:
        resolve_target(ConnectionOptions(**options), environ, prompts.append)
    assert not prompts
    assert "s3cret" not in str(caught.value)


def test_a_password_is_not_asked_for_where_it_could_be_read(machine: Any) -> None:
    """Over http to another machine, unless an option, the environment or the profile permits it."""
    plain = "http://intranet.example/demo"
    machine.profiles(
        None, demo={**at("demo"), "baseUrl": plain}, open={**at("o"), "baseUrl": plain, "allowHttp": True}
    )
    prompts: list[str] = []

    def ask(prompt: str) -> str:
        prompts.append(prompt)
        return "p"

    for address in ({"url": plain}, {"profile": "demo"}):
        with pytest.raises(ConfigurationError, match="has no TLS"):
            resolve_target(ConnectionOptions(user="max", **address), {}, ask)
    with pytest.raises(ConfigurationError, match="has no TLS"):
        choose(profile="demo")
    assert not prompts
    permitted: list[tuple[dict[str, Any], dict[str, str]]] = [
        ({"url": plain, "allow_http": True}, {}),
        ({"url": plain}, {"ZEYOS_ALLOW_HTTP": "1"}),
        ({"profile": "open"}, {}),
    ]
    for options, environ in permitted:
        assert resolve_target(ConnectionOptions(user="max", **options), environ, ask).allow_http
    assert choose(profile="open").allow_http
    assert choose(url="http://localhost:1", token="t").url == "http://localhost:1"


def test_a_sign_in_that_is_not_to_be_refreshed(machine: Any) -> None:
    """An expired token is not tried, and the error says what to run."""
    machine.profiles("demo", demo=at("demo", clientId="app", clientSecret="s", refreshToken="r", expiresAt=1))
    with pytest.raises(NotSignedIn, match="has expired"):
        choose({"ZEYOS_NO_REFRESH": "1"})


@pytest.mark.parametrize("place", ["pin", "local", "active", "single"])
def test_the_files_of_the_vendors_tool(machine: Any, place: str) -> None:
    """Who uses that tool is signed in; what is used, and why, can be told."""
    if place == "pin":
        machine.profiles("active", active=at("active"), pin=at("pin"))
        machine.write(machine.project / ".zeyos" / "profile", "pin\n")
        why = f"the profile 'pin' in ~/.config/zeyos/profiles.json, which is named by {machine.project}"
    elif place == "local":
        machine.profiles("active", active=at("active"))
        machine.write(machine.home / ".zeyos" / "auth.json", at("local"))
        why = "~/.zeyos/auth.json, which is the closest to this folder"
    elif place == "active":
        machine.profiles("active", active=at("active"))
        machine.write(machine.config / "credentials.json", at("single"))
        why = "the profile 'active' in ~/.config/zeyos/profiles.json, which is the active one"
    else:
        machine.write(machine.config / "credentials.json", at("single"))
        why = "~/.config/zeyos/credentials.json, which is there, and no profile is active"
    target = choose()
    assert target.url.endswith(f"/{place}")
    assert target.auth_from.startswith(f"an access token from {why}")
    assert f"t-{place}" not in repr(target)


def test_a_sign_in_that_refreshes(machine: Any) -> None:
    """Its refreshed tokens go back to the file."""
    machine.profiles("demo", demo=at("demo", clientId="app", clientSecret="s", refreshToken="r", expiresAt=1))
    target = choose()
    assert target.profile is not None
    assert target.auth == OAuth2("app", "s", token_store=target.profile.store)
    assert target.auth_from.startswith("an access token, refreshed when it expires, from the profile 'demo'")


def test_a_refresh_token_in_the_environment(machine: Any) -> None:
    """It works once; so what follows it is kept, beside nothing of the vendor's."""
    environ = {"ZEYOS_BASE_URL": URL, "ZEYOS_REFRESH_TOKEN": "r", "ZEYOS_CLIENT_ID": "app"}
    target = choose(environ)
    assert isinstance(target.auth, OAuth2)
    assert target.auth_from == (
        "ZEYOS_REFRESH_TOKEN, whose successors are kept in ~/.local/state/zeyos-async/tokens.json"
    )


@pytest.mark.parametrize(
    ("values", "options", "words"),
    [
        (
            {},
            {"url": URL},
            ["for https://erp.example.com/demo", "'demo'", "is for https://cloud", "--profile"],
        ),
        ({"accessToken": None}, {}, ["has no tokens", "zeyos-async login --profile demo"]),
        ({"expiresAt": 1_600_000_000}, {}, ["has expired", "zeyos-async login --profile demo"]),
    ],
)
def test_unusable_stored_credentials_are_an_error(
    machine: Any, values: dict[str, Any], options: dict[str, Any], words: list[str]
) -> None:
    """A token goes to the instance that it is for; one that can't work is not tried."""
    machine.profiles("demo", demo={**at("demo", expiresAt=LATER), **values})
    with pytest.raises(NotSignedIn) as caught:
        choose(**options)
    assert all(word in str(caught.value) for word in words), str(caught.value)


def test_variables_that_a_profile_wins_over_are_named(machine: Any) -> None:
    """For `doctor`."""
    machine.profiles(None, demo=at("demo"))
    target = choose({"ZEYOS_TOKEN": "e", "ZEYOS_USER": "max"}, profile="demo")
    assert target.passed_over == ("ZEYOS_TOKEN, ZEYOS_USER in the environment (--profile wins)",)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("https://x.example/demo", "https://x.example/demo/", True),
        ("https://x.example/demo", "https://x.example:443/demo/api/v1", True),
        ("https://x.example/demo", "https://X.example/demo", True),
        ("https://x.example/demo", "http://x.example/demo", False),
        ("https://x.example/demo", "https://x.example/dem", False),
        ("https://x.example/demo", "https://y.example/demo", False),
    ],
)
def test_the_same_instance(one: str, other: str, same: bool) -> None:
    """However it is written; another scheme is another one."""
    assert same_instance(one, other) is same
