"""Signing in and out, and who one is then: against the emulator's pages, through real processes where it matters."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import pty
import queue
import re
import select
import stat
import subprocess
import sys
import termios
import time
import urllib.parse
import urllib.request
import webbrowser
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest

from zeyos_async.testing.faults import server_error

Run = Callable[..., Any]

COMMAND: Final = (sys.executable, "-m", "zeyos_async")

BROWSER: Final = """
import sys, urllib.parse, urllib.request
with urllib.request.urlopen(sys.argv[1], timeout=10) as page:
    request = urllib.request.Request(page.url, data=urllib.parse.urlencode({"name": "NAME", "password": "WORD"}).encode())
urllib.request.urlopen(request, timeout=10).read()
"""


def browse(address: str, name: str, password: str) -> str:
    """Do what a user does in the browser; where that ends."""
    with urllib.request.urlopen(address, timeout=10) as page:
        form = urllib.parse.urlencode({"name": name, "password": password}).encode()
        request = urllib.request.Request(page.url, data=form)
    with urllib.request.build_opener(_Stay).open(request, timeout=10) as page:
        return str(page.headers.get("Location") or page.url)


class _Stay(urllib.request.HTTPRedirectHandler):
    """Takes a redirect for the answer."""

    def http_error_303(self, req: Any, fp: Any, code: int, msg: str, headers: Any) -> Any:
        return fp


@pytest.fixture
def nobody(emulator: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The emulator, to which nothing in the environment leads."""
    for name in [name for name in os.environ if name.startswith("ZEYOS_")]:
        monkeypatch.delenv(name)
    return emulator


@pytest.fixture
def secret(nobody: Any, tmp_path: Path) -> str:
    """The application's secret, in a file."""
    path = tmp_path / "secret"
    path.write_text(f"{nobody.credentials.appsecret}\n")
    return str(path)


@pytest.fixture
def login(nobody: Any, secret: str) -> tuple[str, ...]:
    """A command line that signs in by the browser."""
    client = nobody.credentials.client_id
    return "login", "--url", nobody.url, "--client-id", client, "--client-secret-file", secret, "--port", "0"


@pytest.fixture
def user_at_the_browser(nobody: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody who signs in and comes back, in the browser of this process."""

    def come_back(address: str) -> bool:
        who = nobody.credentials
        urllib.request.urlopen(browse(address, who.name, who.password), timeout=10).read()
        return True

    monkeypatch.setattr(webbrowser, "open", come_back)


@pytest.fixture
def signed_in(run: Run, login: tuple[str, ...], user_at_the_browser: None) -> None:
    """After a sign-in by the browser."""
    assert run(*login).code == 0


def registry(home: Path) -> Any:
    return json.loads((home / ".config/zeyos/profiles.json").read_text())


# -- by the browser --------------------------------------------------------------------------------


def test_a_sign_in_by_the_browser(nobody: Any, login: tuple[str, ...], home: Path, tmp_path: Path) -> None:
    """A process, and a browser that it opens: then every command works, with what the vendor's tool reads too."""
    who = nobody.credentials
    script = tmp_path / "browser.py"
    script.write_text(BROWSER.replace("NAME", who.name).replace("WORD", who.password))
    env = {**os.environ, "BROWSER": f"{sys.executable} {script} %s"}
    done = subprocess.run(
        (*COMMAND, *login), capture_output=True, text=True, env=env, timeout=60, check=False
    )
    assert (done.returncode, done.stdout) == (0, "")
    assert f"Signed in to {nobody.url} as {who.name} (ID 1)" in done.stderr
    assert "the profile 'demo' in ~/.config/zeyos/profiles.json" in done.stderr
    profiles = registry(home)
    demo = profiles["profiles"]["demo"]
    assert profiles["active"] == "demo"
    assert demo["baseUrl"] == nobody.url
    assert (demo["clientId"], demo["clientSecret"]) == (who.client_id, who.appsecret)
    assert demo["expiresAt"] > time.time()
    assert not [secret for secret in secrets_of(demo) if secret in done.stderr]
    assert stat.S_IMODE((home / ".config/zeyos/profiles.json").stat().st_mode) == 0o600
    count = subprocess.run(
        (*COMMAND, "count", "accounts"), capture_output=True, text=True, timeout=60, check=False
    )
    assert count.stdout == "1500\n", count.stderr


def secrets_of(profile: dict[str, Any]) -> list[str]:
    return [profile[name] for name in ("clientSecret", "accessToken", "refreshToken") if name in profile]


def test_the_page_at_which_the_browser_ends(
    run: Run, nobody: Any, login: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It says so, runs nothing, loads nothing, and its style is the one that its policy allows."""
    pages: queue.Queue[tuple[str, str]] = queue.Queue()

    def come_back(address: str) -> bool:
        who = nobody.credentials
        with urllib.request.urlopen(browse(address, who.name, who.password), timeout=10) as page:
            pages.put((page.read().decode(), page.headers["Content-Security-Policy"]))
        return True

    monkeypatch.setattr(webbrowser, "open", come_back)
    assert run(*login).code == 0
    page, policy = pages.get(timeout=10)  # from the thread that opens the browser
    style = re.search("<style>(.*)</style>", page)
    assert style is not None
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    assert policy == f"default-src 'none'; img-src data:; style-src 'sha256-{digest}'"
    assert "You are signed in." in page
    assert "<script" not in page


def test_a_wrong_password_is_said_on_the_page(nobody: Any) -> None:
    """And what the address brought with it is shown as text."""
    query = urllib.parse.urlencode({"umi": "auth", "page": "oauth", "client_id": "<b>x"})
    form = urllib.parse.urlencode({"name": "max", "password": "wrong"}).encode()
    with urllib.request.urlopen(f"{nobody.url}/?{query}", data=form, timeout=10) as page:
        text = page.read().decode()
    assert "Unknown name or wrong password." in text
    assert "&lt;b&gt;x" in text
    assert "<b>x" not in text


def test_tokens_are_refreshed_and_kept(run: Run, nobody: Any, signed_in: None, home: Path) -> None:
    """An access token that is over is no trouble; the next command has the new one."""
    before = registry(home)["profiles"]["demo"]
    nobody.there(nobody.emulator.expire_tokens)
    assert run("count", "accounts").out == "1500\n"
    after = registry(home)["profiles"]["demo"]
    assert after["accessToken"] != before["accessToken"]
    assert after["refreshToken"] != before["refreshToken"]
    assert run("count", "accounts").out == "1500\n"


def test_a_second_sign_in_needs_no_options(
    run: Run, signed_in: None, home: Path, user_at_the_browser: None
) -> None:
    """The address and the application are known."""
    before = registry(home)
    assert run("login", "--port", "0").code == 0
    after = registry(home)
    assert after["profiles"]["demo"]["accessToken"] != before["profiles"]["demo"]["accessToken"]
    assert list(after["profiles"]) == ["demo"]


def test_a_sign_in_into_a_project_of_the_vendors_tool(
    run: Run, nobody: Any, login: tuple[str, ...], home: Path, user_at_the_browser: None
) -> None:
    """The set that is in use takes the tokens, if it is for that instance; else they go beside it, which is said."""
    path = home / "project/.zeyos/auth.json"
    path.parent.mkdir()
    path.write_text(json.dumps({"baseUrl": nobody.url, "dateFormat": "YYYY"}))
    done = run(*login)
    assert done.err.rstrip().endswith("The tokens are kept in ~/project/.zeyos/auth.json.")
    assert json.loads(path.read_text())["dateFormat"] == "YYYY"
    path.write_text(json.dumps({"baseUrl": "https://other.example/x"}))
    done = run(*login)
    assert "kept in the profile 'demo'" in done.err
    assert "~/project/.zeyos/auth.json is used here, as it is the closest to this folder" in done.err


def test_a_variable_that_wins_over_a_sign_in_is_said(
    run: Run, login: tuple[str, ...], user_at_the_browser: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or people would wonder."""
    monkeypatch.setenv("ZEYOS_TOKEN", "other")
    assert "ZEYOS_TOKEN is set, and comes first" in run(*login).err


@pytest.mark.parametrize(("way", "active"), [("option", "new"), ("variable", "other")])
def test_the_active_profile_after_a_sign_in(
    run: Run,
    login: tuple[str, ...],
    home: Path,
    user_at_the_browser: None,
    monkeypatch: pytest.MonkeyPatch,
    way: str,
    active: str,
) -> None:
    """The one that --profile names; a name in the environment is for that shell."""
    for name in ("other", "new"):
        run("profile", "add", name, "--url", f"https://cloud.zeyos.com/{name}")
    if way == "option":
        done = run(*login, "--profile", "new")
    else:
        monkeypatch.setenv("ZEYOS_PROFILE", "new")
        done = run(*login)
    assert (done.code, registry(home)["active"]) == (0, active)
    assert registry(home)["profiles"]["new"]["accessToken"]


def test_two_instances_of_one_name(run: Run, nobody: Any, login: tuple[str, ...], home: Path) -> None:
    """One does not take the other's place, unless told so."""
    run("profile", "add", "demo", "--url", "https://cloud.zeyos.com/demo")
    run("profile", "add", "other", "--url", "https://cloud.zeyos.com/other")
    run("profile", "use", "other")
    done = run(*login)
    assert (done.code, done.out) == (2, "")
    assert "'demo' in ~/.config/zeyos/profiles.json is for https://cloud.zeyos.com/demo" in done.err
    assert "--profile NAME" in done.err


@pytest.mark.parametrize(
    ("argv", "code", "message"),
    [
        (("login",), 2, "which ZeyOS? Give --url"),
        (("login", "--url", "URL"), 2, "which application? Give --client-id"),
        (("login", "--url", "URL", "--client-id", "x", "--manual"), 2, "standard input has no line"),
        (("login", "--url", "URL", "--user", "max", "--manual"), 2, "leave out --manual"),
        (("login", "--url", "URL", "--user", "max"), 2, "no password"),
        (("login", "--profile", "-x"), 2, "can't be the name"),
        (
            ("login", "--url", "URL", "--client-id", "x", "--client-secret-file", "/nowhere"),
            2,
            "/nowhere: No such",
        ),
        (("whoami", "--profile", "x"), 2, "There is none yet"),
        (("whoami",), 2, "which ZeyOS? Sign in with `zeyos-async login"),
        (("whoami", "--url", "URL"), 3, "sign in with `zeyos-async login --url"),
        (("profile", "use", "x"), 2, "there is no profile 'x'"),
        (("profile", "remove", "x"), 2, "there is no profile 'x'"),
        (("profile", "add", "x", "--url", "https://cloud.zeyos.com"), 2, "does not name an instance"),
        (("profile", "add", "x", "--url", "nonsense"), 2, "the URL of an instance is needed"),
        (("profile", "lst"), 2, "No such command 'lst'"),
    ],
)
def test_a_missing_option_is_said_in_a_line(
    run: Run,
    nobody: Any,
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
    argv: tuple[str, ...],
    code: int,
    message: str,
) -> None:
    """And nothing is written."""
    monkeypatch.setattr(sys, "stdin", open(os.devnull))  # noqa: SIM115
    done = run(*(nobody.url if word == "URL" else word for word in argv))
    sys.stdin.close()
    lines = [line for line in done.err.splitlines() if line.startswith("Error")]
    assert (done.code, done.out, len(lines)) == (code, "", 1)
    assert message in lines[0]
    assert not (home / ".config").exists()


def test_a_refused_sign_in_leaves_everything_as_it_was(
    run: Run, nobody: Any, login: tuple[str, ...], signed_in: None, home: Path, secret: str
) -> None:
    """Tokens are written when there are some."""
    before = registry(home)
    Path(secret).write_text("wrong-secret")
    done = run(*login)
    assert done.code == 3
    assert "client_secret" in done.err
    assert "wrong-secret" not in done.err
    assert registry(home) == before


def test_a_sign_in_that_nobody_finishes(
    run: Run, login: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The address is shown, that there is no browser too, and the wait ends."""
    monkeypatch.setattr(webbrowser, "open", lambda address: False)
    done = run(*login, "--wait", "0.2")
    assert done.code == 1
    assert "/oauth2/v1/authorize?" in done.err
    assert "--manual" in done.err
    assert "nobody came back from the sign-in within 0.2 s" in done.err


# -- without a browser here ------------------------------------------------------------------------


@pytest.mark.parametrize("pasted", ["address", "query", "code"])
def test_a_sign_in_by_hand(nobody: Any, login: tuple[str, ...], home: Path, pasted: str) -> None:
    """The address is shown; what the browser ends at is pasted, all of it or the code in it."""
    with on_a_terminal(*login, "--manual") as terminal:
        output = terminal.until(b"The address: ")
        address = re.search(r"http\S+/oauth2/v1/authorize\S+", output)
        assert address is not None
        end = browse(address[0], nobody.credentials.name, nobody.credentials.password)
        query = end.partition("?")[2]
        code = urllib.parse.parse_qs(query)["code"][0]
        terminal.type({"address": end, "query": query, "code": code}[pasted])
        output = terminal.rest()
    assert (terminal.code, f"Signed in to {nobody.url} as" in output) == (0, True), output
    assert registry(home)["profiles"]["demo"]["accessToken"]


def test_a_pasted_address_has_to_belong_to_the_sign_in(login: tuple[str, ...]) -> None:
    """Another sign-in's answer is refused, and so is a refusal."""
    for answer, words in (
        ("http://127.0.0.1:9005/callback?code=x&state=y", "does not belong to this sign-in"),
        ("0000000000000000000000000000000000000000", "authorization code was not accepted"),
    ):
        done = subprocess.run(
            (*COMMAND, *login, "--manual"),
            input=f"{answer}\n",
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode in (2, 3)
        assert words in done.stderr.splitlines()[-1]


# -- by password -----------------------------------------------------------------------------------


def test_a_sign_in_by_password_asks_on_the_terminal(nobody: Any, home: Path) -> None:
    """Nothing secret is echoed, nor among the arguments; the token is kept, the password is not."""
    who = nobody.credentials
    with on_a_terminal("login", "--url", nobody.url, "--user", who.name) as terminal:
        terminal.until(b"Password of max.power: ")
        terminal.type(who.password)
        terminal.until(b"(empty if there is none): ")
        terminal.type(who.appsecret)
        arguments = Path(f"/proc/{terminal.pid}/cmdline")
        command_line = arguments.read_bytes() if arguments.exists() else b""
        output = terminal.rest()
    assert (terminal.code, f"as {who.name} (ID 1)" in output) == (0, True), output
    stored = (home / ".config/zeyos/profiles.json").read_text()
    for secret in (who.password, who.appsecret):
        assert secret not in terminal.shown
        assert secret.encode() not in command_line
        assert secret not in stored
    assert set(registry(home)["profiles"]["demo"]) == {"baseUrl", "accessToken", "expiresAt"}


def test_a_token_that_the_api_does_not_take_is_not_kept(
    run: Run, nobody: Any, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A log-in without the application's secret goes well, and is of no use."""
    monkeypatch.setenv("ZEYOS_PASSWORD", nobody.credentials.password)
    done = run("login", "--url", nobody.url, "--user", nobody.credentials.name)
    assert done.code == 3
    assert "appsecret" in done.err
    assert not (home / ".config").exists()


@pytest.fixture
def by_password(run: Run, nobody: Any, secret: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a sign-in by password."""
    with monkeypatch.context() as patched:
        patched.setenv("ZEYOS_PASSWORD", nobody.credentials.password)
        who = nobody.credentials.name
        assert run("login", "--url", nobody.url, "--user", who, "--appsecret-file", secret).code == 0


def test_a_sign_in_by_password_does_for_every_command(run: Run, by_password: None) -> None:
    """As long as its token lasts."""
    assert run("count", "accounts").out == "1500\n"


# -- out again -------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["signed_in", "by_password"])
def test_a_sign_out(run: Run, nobody: Any, home: Path, way: str, request: pytest.FixtureRequest) -> None:
    """The server knows the tokens no more, and neither do we; what the next login needs stays."""
    request.getfixturevalue(way)
    demo = registry(home)["profiles"]["demo"]
    done = run("logout")
    assert (done.code, done.out) == (0, "")
    assert done.err.startswith(f"Signed out of {nobody.url}.")
    assert "Warning" not in done.err
    expected = {key: demo[key] for key in ("baseUrl", "clientId", "clientSecret") if key in demo}
    assert registry(home)["profiles"]["demo"] == expected
    assert run("count", "accounts", "--url", nobody.url, "--token", demo["accessToken"]).code == 3
    done = run("count", "accounts")
    assert (done.code, "zeyos-async login --profile demo" in done.err) == (3, True)
    assert "You are not signed in" in run("logout").err


def test_a_sign_out_that_the_server_does_not_hear_of(
    run: Run, nobody: Any, signed_in: None, home: Path
) -> None:
    """The tokens go here all the same, and it is said that they are good elsewhere."""
    nobody.faults.add(server_error(400))
    done = run("logout")
    assert done.code == 0
    assert "Warning: the server was not told" in done.err
    assert "accessToken" not in registry(home)["profiles"]["demo"]


def test_a_token_that_is_over_already_needs_no_sign_out(run: Run, nobody: Any, by_password: None) -> None:
    """The server says so, which is as good."""
    nobody.there(nobody.emulator.revoke_tokens)
    assert "Warning" not in run("logout").err


# -- who, and which --------------------------------------------------------------------------------


def test_whoami(run: Run, nobody: Any, signed_in: None) -> None:
    """Who, where, and by which credential."""
    done = run("whoami")
    assert f"name\t{nobody.credentials.name}\n" in done.out
    assert f"url\t{nobody.url}\n" in done.out
    assert "credential\tan access token, refreshed when it expires, from the profile 'demo'" in done.out
    about = json.loads(run("whoami", "--json").out)
    assert (about["user"], about["profile"]) == (1, "demo")
    assert json.loads(run("whoami", "--json", "--emulate").out)["name"] == nobody.credentials.name


def test_doctor_says_which_credential_is_used_and_why(
    run: Run, nobody: Any, signed_in: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And which is not, if there are several."""
    done = run("doctor")
    assert done.code == 0
    assert "from the profile 'demo' in ~/.config/zeyos/profiles.json, which is the active one" in done.out
    assert "not used" not in done.out
    monkeypatch.setenv("ZEYOS_TOKEN", nobody.there(nobody.emulator.token))
    monkeypatch.setenv("ZEYOS_BASE_URL", nobody.url)
    findings = {f["check"]: f["says"] for f in json.loads(run("doctor", "--json").out)}
    assert findings["credential"] == "a token from ZEYOS_TOKEN"
    assert findings["not used"].startswith("the tokens of the profile 'demo'")
    findings = {f["check"]: f["says"] for f in json.loads(run("doctor", "--json", "--profile", "demo").out)}
    assert findings["not used"] == "ZEYOS_BASE_URL, ZEYOS_TOKEN in the environment (--profile wins)"


def test_a_password_goes_to_no_address_that_happens_to_be_stored(
    run: Run, nobody: Any, signed_in: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor does the secret of an application, unless the address or the profile is named; nothing is sent before."""
    before = len(nobody.emulator.journal.requests)
    monkeypatch.setenv("ZEYOS_PASSWORD", "s3cret")
    refused = run("login", "--user", "max")
    assert refused.code == 2
    assert "--url" in refused.err
    monkeypatch.setenv("ZEYOS_CLIENT_SECRET", "s3cret")
    refused = run("login", "--manual", "--client-id", "app")
    assert refused.code == 2
    assert "ZEYOS_CLIENT_SECRET is not sent to" in refused.err
    assert len(nobody.emulator.journal.requests) == before


def test_nothing_is_written_where_that_is_forbidden(
    run: Run, nobody: Any, signed_in: None, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not by signing in or out, nor by changes of profiles; reading goes on."""
    registry = home / ".config" / "zeyos" / "profiles.json"
    before = registry.read_text()
    monkeypatch.setenv("ZEYOS_CREDENTIALS_READONLY", "1")
    for argv in (
        ("login", "--user", "max", "--url", nobody.url),
        ("logout",),
        ("profile", "add", "x", "--url", nobody.url),
        ("profile", "use", "demo"),
        ("profile", "use", "demo", "--local"),
        ("profile", "remove", "demo"),
    ):
        done = run(*argv)
        assert (done.code, "ZEYOS_CREDENTIALS_READONLY is set" in done.err) == (2, True), argv
    assert registry.read_text() == before
    assert not (home / "project" / ".zeyos" / "profile").exists()
    assert run("count", "accounts").code == 0


def test_http_to_another_machine_is_permitted_by_name(run: Run, home: Path) -> None:
    """By an option of each command, which a profile keeps."""
    plain = "http://intranet.invalid/demo"
    for command in (
        ("count", "accounts", "--token", "t"),
        ("count", "tasks", "--api", "octaved", "--token", "t"),
        ("general", "stub", "X", "--token", "t"),
        ("count", "contacts", "--api", "ox", "--token", "t"),
        ("login", "--user", "max"),
    ):
        done = run(*command, "--url", plain)
        assert (done.code, "--allow-http" in done.err) == (2, True), command
    done = run("count", "accounts", "--token", "t", "--url", plain, "--allow-http", "--timeout", "5")
    assert done.code == 1  # it tried, and there is no such host
    assert run("profile", "add", "open", "--url", plain, "--allow-http").code == 0
    assert '"allowHttp": true' in (home / ".config" / "zeyos" / "profiles.json").read_text()
    assert run("profile", "add", "open", "--url", "http://other.invalid/demo").code == 0
    assert "allowHttp" not in (home / ".config" / "zeyos" / "profiles.json").read_text()


def test_a_sign_in_that_the_server_has_ended(run: Run, nobody: Any, signed_in: None) -> None:
    """The error says what to run."""
    nobody.there(nobody.emulator.revoke_tokens)
    done = run("count", "accounts")
    assert done.code == 3
    assert "zeyos-async login --profile demo" in done.err


def test_profiles(run: Run, nobody: Any, signed_in: None, home: Path, secret: str) -> None:
    """Added, listed without secrets, used here or everywhere, and removed."""
    options = ("--client-id", "app", "--client-secret-file", secret)
    assert run("profile", "add", "prod", "--url", "https://cloud.zeyos.com/acme/api/v1/", *options).code == 0
    done = run("profile", "list")
    assert [line.split("\t") for line in done.out.splitlines()] == [
        ["active", "profile", "url", "tokens"],
        ["*", "demo", nobody.url, "refreshed when they expire"],
        ["", "prod", "https://cloud.zeyos.com/acme", "none"],
    ]
    demo, prod = json.loads(run("profile", "list", "--json").out)
    assert (demo["active"], demo["signed_in"], prod["active"], prod["signed_in"]) == (
        True,
        True,
        False,
        False,
    )
    assert nobody.credentials.appsecret not in done.out
    assert run("profile", "use", "prod").code == 0
    assert "'prod'" in run("count", "accounts").err
    assert run("profile", "use", "demo", "--local").code == 0
    assert run("count", "accounts").out == "1500\n"
    done = run("profile", "remove", "demo")
    assert "The server was not told" in done.err
    assert "~/project/.zeyos/profile still names it" in done.err
    assert list(registry(home)["profiles"]) == ["prod"]


def test_a_profile_that_changes_its_instance_loses_its_tokens(run: Run, signed_in: None, home: Path) -> None:
    """They were given out by another one."""
    before = registry(home)["profiles"]["demo"]
    run("profile", "add", "demo", "--url", before["baseUrl"])
    assert registry(home)["profiles"]["demo"] == before
    run("profile", "add", "demo", "--url", "https://cloud.zeyos.com/demo")
    assert set(registry(home)["profiles"]["demo"]) == {"baseUrl", "clientId", "clientSecret"}


def test_a_list_of_no_profiles(run: Run, nobody: Any) -> None:
    """And how to get one is said."""
    assert json.loads(run("profile", "list", "--json").out) == []
    assert "zeyos-async login" in run("profile", "list").err


# -- a terminal ------------------------------------------------------------------------------------


class on_a_terminal:  # noqa: N801 - used as a function
    """A command with a terminal to itself, and somebody who reads and types there."""

    def __init__(self, *argv: str) -> None:
        self._ours, its = pty.openpty()
        env = {**os.environ, "TERM": "xterm", "COLUMNS": "400", "NO_COLOR": "1"}
        self._process = subprocess.Popen(
            (*COMMAND, *argv), stdin=its, stdout=its, stderr=its, env=env, start_new_session=True
        )
        os.close(its)
        self.pid = self._process.pid
        self.shown = ""
        self.code: int | None = None

    def __enter__(self) -> on_a_terminal:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait(30)
        os.close(self._ours)

    def until(self, prompt: bytes) -> str:
        """What is shown up to a prompt, which has to come."""
        text = b""
        while prompt not in text:
            piece = self._read()
            assert piece, f"{prompt!r} did not come after {text!r}"
            text += piece
        self.shown += text.decode()
        return text.decode()

    def type(self, line: str) -> None:
        """Type a line. The blank at the end of a prompt for a secret comes when the echo is off."""
        os.write(self._ours, f"{line}\n".encode())

    def rest(self) -> str:
        """What is shown until the command ends."""
        text = b""
        while piece := self._read():
            text += piece
        self.code = self._process.wait(30)
        self.shown += text.decode()
        return text.decode()

    def _read(self) -> bytes:
        if not select.select([self._ours], [], [], 30)[0]:
            return b""
        try:
            return os.read(self._ours, 65536)
        except OSError:  # the other end is closed
            return b""


def test_the_terminal_of_these_tests_echoes(nobody: Any) -> None:
    """Or a test that a secret is not shown could not fail."""
    ours, its = pty.openpty()
    assert termios.tcgetattr(its)[3] & termios.ECHO
    os.close(ours)
    os.close(its)
