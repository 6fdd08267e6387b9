"""Which files of credentials are believed, where what is in them goes, and when they are written."""

from __future__ import annotations

import asyncio
import json
import os
import stat
import time

import pytest

from zeyos_async import Zeyos
from zeyos_async.auth import BearerToken, FileStore, OAuth2
from zeyos_async.errors import ConfigurationError, NotAuthenticated
from zeyos_async.services.zeyos import credential_files
from zeyos_async.services.zeyos.profiles import find_profile, look_for_profile

SET = {"baseUrl": "https://cloud.zeyos.com/demo", "accessToken": "s3cret"}
ME = 4242


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A user who is signed in nowhere, in a project."""
    for name in [name for name in os.environ if name.startswith("ZEYOS_")]:
        monkeypatch.delenv(name)
    home = tmp_path / "home"
    (home / "project" / "deep").mkdir(parents=True)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.chdir(home / "project" / "deep")
    return home


def put(path, values):
    """Write a file as the vendor's tool does, for its owner only."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.write_text(values if isinstance(values, str) else json.dumps(values))
    path.chmod(0o600)
    return path


def at(place):
    return {**SET, "baseUrl": f"https://cloud.zeyos.com/{place}"}


# -- who could have written a file -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mode", "owner", "group", "fine"),
    [
        (0o600, ME, 100, True),
        (0o644, ME, 100, True),
        (0o664, ME, ME, True),
        (0o775, 0, ME, True),
        (0o644, 0, 0, True),
        (0o664, ME, 100, False),
        (0o664, 0, 0, False),
        (0o666, ME, ME, False),
        (0o602, ME, ME, False),
        (0o600, 1001, ME, False),
        (0o1777, 0, 0, False),
    ],
)
def test_who_could_have_written_a_file(mode, owner, group, fine, tmp_path, monkeypatch):
    """The user and root; a group with the user's own number is the user."""
    monkeypatch.setattr(os, "geteuid", lambda: ME)
    status = os.stat_result((stat.S_IFREG | mode, 0, 0, 1, owner, group, 0, 0, 0, 0))
    path = tmp_path / "auth.json"
    if fine:
        credential_files._check_place(path, path, status)
        return
    with pytest.raises(ConfigurationError, match=r"chmod go-w .*ZEYOS_TRUST=") as caught:
        credential_files._check_place(path, path, status)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("name", ["auth.json", "profile"])
@pytest.mark.parametrize("what", ["file", "folder"])
def test_what_others_may_write_is_refused_and_not_passed_over(home, name, what):
    """Though there is another one above it, or an active profile; ZEYOS_TRUST believes it."""
    put(home / ".config/zeyos/profiles.json", {"active": "demo", "profiles": {"demo": at("registry")}})
    put(home / ".zeyos" / "auth.json", at("above"))
    path = put(home / "project" / ".zeyos" / name, "demo\n" if name == "profile" else at("near"))
    place = path if what == "file" else path.parent
    place.chmod(place.stat().st_mode | stat.S_IWOTH)
    for look in (find_profile, look_for_profile, Zeyos.from_profile):
        with pytest.raises(ConfigurationError, match=f"chmod go-w {place}.*ZEYOS_TRUST={path}"):
            look()
    elsewhere = str(home / "elsewhere")
    near = "registry" if name == "profile" else "near"
    for trusted in (path, path.parent, path.parent.parent):
        environ = {"ZEYOS_TRUST": os.pathsep.join([elsewhere, str(trusted)])}
        assert find_profile(environ=environ).base_url.endswith(near)
    for other in (elsewhere, ".", "", "~nobody-at-all", str(path) + "x"):
        with pytest.raises(ConfigurationError, match="chmod"):
            find_profile(environ={"ZEYOS_TRUST": other})
    assert find_profile("demo").base_url.endswith("registry")  # nobody walks for a profile that is named


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
@pytest.mark.parametrize("what", ["file", "folder", "link", "group"])
def test_what_belongs_to_somebody_else_is_refused(home, what):
    """A file, its folder, a link to it; and a group that is not the user."""
    path = put(home / "project" / ".zeyos" / "auth.json", SET)
    if what == "link":
        real = put(home / "real.json", SET)
        path.unlink()
        path.symlink_to(real)
        os.lchown(path, 1001, 1001)
    elif what == "group":
        os.chown(path, 0, 1001)
        path.chmod(0o660)
    else:
        os.chown(path if what == "file" else path.parent, 1001, 0)
    with pytest.raises(ConfigurationError, match=r"chmod.*ZEYOS_TRUST"):
        find_profile()
    assert find_profile(environ={"ZEYOS_TRUST": str(home / "project")}).credential


def test_what_a_link_leads_to_is_judged_too(home):
    """The file, and the folder in which it could be replaced."""
    real = put(home / "shared" / "real.json", SET)
    (home / "project" / ".zeyos").mkdir()
    (home / "project" / ".zeyos" / "auth.json").symlink_to(real)
    assert find_profile().credential
    real.parent.chmod(0o777)
    with pytest.raises(ConfigurationError, match=f"chmod go-w {real.parent}"):
        find_profile()
    real.parent.chmod(0o755)
    real.chmod(0o666)
    with pytest.raises(ConfigurationError, match="chmod go-w"):
        find_profile()


# -- which file counts -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        (["project/profile", "project/deep/auth.json"], "near"),
        (["project/auth.json", "project/deep/profile"], "pinned"),
        (["project/auth.json", "project/profile"], "pinned"),
        (["auth.json", "project/profile"], "pinned"),
        (["profile", "project/auth.json"], "near"),
        (["auth.json"], "near"),
        ([], "active"),
    ],
)
def test_the_nearer_file_wins(home, files, expected):
    """A pin of a folder above captures no project; in one folder the pin wins."""
    put(
        home / ".config/zeyos/profiles.json",
        {"active": "active", "profiles": {name: at(name) for name in ("pinned", "active")}},
    )
    for file in files:
        folder, _, name = file.rpartition("/")
        put(home / folder / ".zeyos" / name, "pinned\n" if name == "profile" else at("near"))
    assert find_profile().base_url.endswith(f"/{expected}")


def test_an_empty_object_is_no_sign_in(home):
    """The vendor's tool leaves it behind after a logout."""
    put(home / "project" / ".zeyos" / "auth.json", "{}\n")
    put(home / ".config/zeyos/credentials.json", "{}\n")
    assert look_for_profile() is None
    put(home / ".zeyos" / "auth.json", at("above"))
    assert find_profile().base_url.endswith("/above")


@pytest.mark.parametrize("half", ["", '{"baseUrl": "https://cloud.zey'])
def test_half_a_file_is_read_again(home, half, monkeypatch):
    """The vendor's tool writes in place; what is half after half a second is damaged."""
    path = put(home / "project" / ".zeyos" / "auth.json", half)
    pauses = []

    def finish(seconds):
        pauses.append(seconds)
        if len(pauses) == 3:
            path.write_text(json.dumps(SET))

    monkeypatch.setattr(credential_files.time, "sleep", finish)
    assert find_profile().credential
    assert len(pauses) == 3
    path.write_text(half)
    clock = iter(range(100))
    monkeypatch.setattr(credential_files.time, "monotonic", lambda: next(clock) / 10)
    with pytest.raises(ConfigurationError, match="holds no JSON object"):
        find_profile()


def test_a_folder_that_can_not_be_searched_is_an_error_of_ours(home, monkeypatch):
    """It may hold the file that counts."""

    def refuse(self):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(type(home), "lstat", refuse)
    with pytest.raises(ConfigurationError, match="can't be read: Permission denied"):
        look_for_profile()


# -- an address and a credential come from one source ------------------------------------------------


def test_an_auth_of_ones_own_goes_to_no_address_that_happens_to_be_near(home, monkeypatch):
    """It needs a name; nothing is read before."""
    put(home / ".config/zeyos/profiles.json", {"active": "demo", "profiles": {"demo": at("demo")}})
    put(home / "project" / ".zeyos" / "auth.json", "damaged")
    for _ in range(2):
        with pytest.raises(ConfigurationError, match="name the profile"):
            Zeyos.from_profile(auth=BearerToken("mine"))
        monkeypatch.setenv("ZEYOS_PROFILE", "demo")
    assert str(Zeyos.from_profile("demo", auth=BearerToken("mine")).base_url).endswith("/demo")


@pytest.mark.parametrize("more", [{}, {"refreshToken": "r", "clientId": "app"}])
def test_a_stored_credential_goes_to_its_own_address_only(home, more):
    """The constructor refuses another origin."""
    put(home / "project" / ".zeyos" / "auth.json", {**SET, **more})
    auth = find_profile().auth()
    Zeyos("https://cloud.zeyos.com/demo", auth=auth)
    with pytest.raises(ConfigurationError, match=r"is for https://cloud\.zeyos\.com/demo"):
        Zeyos("https://evil.example/demo", auth=auth)


async def test_a_file_that_is_for_another_instance_by_now(home):
    """Somebody signs in elsewhere while a program runs: those tokens are not for its address, nor its own for theirs."""
    tokens = {**SET, "refreshToken": "r", "clientId": "app"}
    path = put(home / "project" / ".zeyos" / "auth.json", tokens)
    profile = find_profile()
    key = profile.auth().store_key(Zeyos(profile.base_url).base_url)
    credential = await profile.store.load(key)
    assert credential is not None
    await profile.store.save(key, credential)
    put(path, {**tokens, "baseUrl": "https://other.example/demo"})
    text = path.read_text()
    with pytest.raises(ConfigurationError, match=r"is for https://other\.example/demo by now"):
        await profile.store.load(key)
    with pytest.raises(ConfigurationError, match="by now"):
        await profile.store.save(key, credential)
    assert path.read_text() == text


def test_a_profile_may_permit_http(home):
    """In its own file; else the client refuses."""
    plain = {**SET, "baseUrl": "http://intranet.example/demo"}
    path = put(home / "project" / ".zeyos" / "auth.json", plain)
    with pytest.raises(ConfigurationError, match="has no TLS"):
        Zeyos.from_profile()
    put(path, {**plain, "allowHttp": True})
    assert Zeyos.from_profile().base_url.scheme == "http"
    with pytest.raises(ConfigurationError, match="has no TLS"):
        Zeyos.from_profile(allow_http=False)
    put(path, {**plain, "allowHttp": "no"})
    with pytest.raises(ConfigurationError, match="has no TLS"):
        Zeyos.from_profile()
    environ = {"ZEYOS_BASE_URL": plain["baseUrl"], "ZEYOS_TOKEN": "t"}
    with pytest.raises(ConfigurationError, match="has no TLS"):
        Zeyos.from_env(environ)
    assert Zeyos.from_env({**environ, "ZEYOS_ALLOW_HTTP": "1"}).base_url.scheme == "http"


# -- what is not refreshed, and not written ----------------------------------------------------------


@pytest.mark.parametrize("variable", ["ZEYOS_NO_REFRESH", "ZEYOS_CREDENTIALS_READONLY"])
@pytest.mark.parametrize("place", ["profile", "store", "memory"])
async def test_no_refresh_token_is_spent(home, instance, monkeypatch, tmp_path, variable, place):
    """The 401 is the answer, and says why; nothing is written."""
    access, refresh = instance.pair(expired=True)
    user = instance.emulator.credentials
    if place == "profile":
        application = {"clientId": user.client_id, "clientSecret": user.appsecret}
        tokens = {"accessToken": access, "refreshToken": refresh, "expiresAt": 1_735_568_880}
        path = put(
            home / "project" / ".zeyos" / "auth.json", {"baseUrl": instance.url, **application, **tokens}
        )
        before = path.read_text()
        auth = find_profile().auth()
    else:
        store = FileStore(tmp_path / "tokens.json") if place == "store" else None
        auth = OAuth2(
            user.client_id, user.appsecret, refresh_token=refresh, access_token=access, token_store=store
        )
    monkeypatch.setenv(variable, "1")
    async with Zeyos(instance.url, auth=auth) as zeyos:
        for _ in range(2):
            with pytest.raises(NotAuthenticated, match=variable):
                await zeyos.accounts.exists(1)
    assert instance.token_requests == 0
    if place == "profile":
        assert path.read_text() == before
    if variable == "ZEYOS_CREDENTIALS_READONLY":
        assert [
            file.name for file in tmp_path.rglob("*") if "lock" in file.name or "tokens" in file.name
        ] == []
    monkeypatch.delenv(variable)
    async with Zeyos(instance.url, auth=auth) as zeyos:
        assert await zeyos.accounts.exists(1)
    assert instance.refreshes == 1


async def test_a_refresh_token_alone_that_must_not_be_used(instance, monkeypatch):
    """There is nothing to send."""
    monkeypatch.setenv("ZEYOS_NO_REFRESH", "1")
    async with Zeyos(instance.url, auth=instance.oauth()) as zeyos:
        with pytest.raises(ConfigurationError, match="ZEYOS_NO_REFRESH"):
            await zeyos.accounts.exists(1)
    assert instance.token_requests == 0


async def test_a_log_in_by_password_is_not_written_either(instance, monkeypatch, tmp_path):
    """It works, and is done again by the next program."""
    import attrs

    store = FileStore(tmp_path / "tokens.json")
    monkeypatch.setenv("ZEYOS_CREDENTIALS_READONLY", "1")
    async with Zeyos(instance.url, auth=attrs.evolve(instance.emulator.auth(), token_store=store)) as zeyos:
        assert await zeyos.accounts.exists(1)
    assert list(tmp_path.iterdir()) == []


# -- who the credential belongs to -------------------------------------------------------------------


class Instance:
    """A server that answers by a table of path → status and body, and keeps what was asked."""

    def __init__(self, answers):
        self.answers = answers
        self.asked = []

    async def serve(self, reader, writer):
        while True:
            try:
                head = await reader.readuntil(b"\r\n\r\n")
            except asyncio.IncompleteReadError:
                writer.close()
                return
            lines = head.decode().split("\r\n")
            path = lines[0].split()[1].removeprefix("/demo")
            fields = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines[1:])}
            await reader.readexactly(int(fields.get("content-length", 0)))
            self.asked.append(path)
            status, body = self.answers(path, fields.get("authorization", ""))
            data = json.dumps(body).encode()
            start = f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {len(data)}\r\n\r\n"
            writer.write(start.encode() + data)


USERINFO = {"sub": "7", "preferred_username": "max"}


def answers(*, userinfo=200, v1=200, good=("Bearer old", "Bearer new")):
    def answer(path, credential):
        if path == "/oauth2/v1/token":
            return 200, {
                "access_token": "new",
                "refresh_token": "r2",
                "token_type": "Bearer",
                "expires_in": 3600,
            }
        if credential not in good:
            return 401, {"error": "invalid_token"}
        if path == "/oauth2/v1/userinfo":
            return userinfo, USERINFO
        return (v1, {"user": 7, "name": "max"}) if path.startswith("/auth/v1") else (200, {})

    return answer


@pytest.mark.parametrize(
    ("script", "paths", "works"),
    [
        (answers(v1=401), ["/oauth2/v1/userinfo"], True),
        (answers(userinfo=401), ["/oauth2/v1/userinfo", "/auth/v1/"], True),
        (answers(userinfo=403), ["/oauth2/v1/userinfo", "/auth/v1/"], True),
        (answers(userinfo=404), ["/oauth2/v1/userinfo", "/auth/v1/"], True),
        (answers(userinfo=401, v1=401), ["/oauth2/v1/userinfo", "/auth/v1/", "/api/v1/config"], False),
    ],
)
async def test_whoami_spends_no_refresh_token_on_a_refusal(script, paths, works):
    """User info first; a token that the REST API takes is not what is wrong."""
    instance = Instance(script)
    server = await asyncio.start_server(instance.serve, "127.0.0.1", 0)
    address = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/demo"
    auth = OAuth2("app", "s", refresh_token="r", access_token="old", expires_at=time.time() + 3600)
    async with server, Zeyos(address, auth=auth) as zeyos:
        if works:
            assert (await zeyos.whoami()).user == 7
        else:
            with pytest.raises(NotAuthenticated, match="userinfo"):
                await zeyos.whoami()
    assert instance.asked == paths


async def test_whoami_refreshes_a_token_that_the_rest_api_refuses_too():
    """Once."""
    instance = Instance(answers(good=("Bearer new",)))
    server = await asyncio.start_server(instance.serve, "127.0.0.1", 0)
    address = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/demo"
    auth = OAuth2("app", "s", refresh_token="r", access_token="old", expires_at=time.time() + 3600)
    async with server, Zeyos(address, auth=auth) as zeyos:
        assert (await zeyos.whoami()).name == "max"
    assert instance.asked.count("/oauth2/v1/token") == 1


async def test_whoami_of_a_plain_token_takes_either_api():
    """Whichever of them takes it: what a token was issued by can't be told from it."""
    instance = Instance(answers(v1=401))
    server = await asyncio.start_server(instance.serve, "127.0.0.1", 0)
    address = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/demo"
    async with server, Zeyos(address, auth=BearerToken("old")) as zeyos:
        assert (await zeyos.whoami()).user == 7
    assert instance.asked == ["/auth/v1/", "/oauth2/v1/userinfo"]
