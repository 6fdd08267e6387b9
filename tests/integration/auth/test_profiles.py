"""Credentials from the environment, and from the files of the vendor's command line tool."""

from __future__ import annotations

import json
import stat

import pytest

from zeyos_async import Zeyos
from zeyos_async.auth import BearerToken, FileStore, OAuth2
from zeyos_async.errors import ConfigurationError
from zeyos_async.services.zeyos.profiles import find_profile


class Machine:
    """A home, a project folder deep below it, and an environment."""

    def __init__(self, folder):
        self.home = folder / "home"
        self.project = folder / "work" / "project"
        self.start = self.project / "deep" / "deeper"
        self.config = self.home / ".config" / "zeyos"
        self.environ = {}
        for path in (self.start, self.config, self.project / ".zeyos"):
            path.mkdir(parents=True)

    def write(self, path, values):
        path.write_text(values if isinstance(values, str) else json.dumps(values))
        path.chmod(0o600)

    def profiles(self, active=None, /, **profiles):
        self.write(self.config / "profiles.json", {"active": active, "profiles": profiles})

    def local(self, **values):
        self.write(self.project / ".zeyos" / "auth.json", values)

    def pin(self, name):
        self.write(self.project / ".zeyos" / "profile", f"{name}\n")

    def single(self, **values):
        self.write(self.config / "credentials.json", values)

    def find(self, name=None):
        return find_profile(name, environ=self.environ, folder=self.start, home=self.home)


@pytest.fixture
def machine(tmp_path):
    return Machine(tmp_path)


def set_for(place):
    """Return a set of credentials that can be told from others by its address."""
    return {"baseUrl": f"https://cloud.zeyos.com/{place}", "accessToken": "t"}


def test_the_order_in_which_credentials_are_looked_for(machine):
    """A name, ZEYOS_PROFILE, the pin, the project's own file, the active profile, the file of before profiles."""
    places = []

    def look_up(name=None):
        places.append(machine.find(name).base_url.rsplit("/", 1)[1])

    machine.single(**set_for("single"))
    look_up()
    machine.profiles("active", **{name: set_for(name) for name in ("active", "pinned", "named", "asked")})
    look_up()
    machine.local(**set_for("local"))
    look_up()
    machine.pin("pinned")
    look_up()
    machine.environ["ZEYOS_PROFILE"] = "named"
    look_up()
    look_up("asked")
    assert places == ["single", "active", "local", "pinned", "named", "asked"]


def test_the_closest_file_counts(machine):
    """Of those in this folder and above it."""
    machine.local(**set_for("above"))
    (machine.start / ".zeyos").mkdir()
    machine.write(machine.start / ".zeyos" / "auth.json", set_for("here"))
    assert machine.find().base_url.endswith("/here")


def test_an_empty_pin_pins_nothing(machine):
    """As for the tool itself."""
    machine.pin(" ")
    machine.local(**set_for("local"))
    assert machine.find().base_url.endswith("/local")


@pytest.mark.parametrize(
    ("values", "base_url"),
    [
        ({"baseUrl": "https://cloud.zeyos.com/demo/"}, "https://cloud.zeyos.com/demo"),
        ({"baseUrl": "https://cloud.zeyos.com/demo", "instance": "demo"}, "https://cloud.zeyos.com/demo"),
        ({"baseUrl": "https://cloud.zeyos.com", "instance": "demo"}, "https://cloud.zeyos.com/demo"),
    ],
)
def test_base_urls_of_profiles(machine, values, base_url):
    """With the instance in it, or beside it."""
    machine.local(**values)
    assert machine.find().base_url == base_url


APP = {"baseUrl": "https://cloud.zeyos.com/demo", "clientId": "my_app", "clientSecret": "s"}


def test_backends_of_profiles(machine):
    """One that refreshes if there is all that takes; else the access token as it is."""
    machine.local(**APP, refreshToken="r", accessToken="t", expiresAt=1_735_568_880, dateFormat="YYYY")
    profile = machine.find()
    assert profile.auth() == OAuth2("my_app", "s", token_store=profile.store)
    assert profile.credential is not None
    assert profile.credential.expires_at == 1_735_568_880
    machine.local(**APP, accessToken="t")
    assert machine.find().auth() == BearerToken("t")
    machine.local(**set_for("demo"), refreshToken="r")
    assert machine.find().auth() == BearerToken("t")


@pytest.mark.parametrize(
    ("prepare", "words"),
    [
        (lambda m: None, ["no .zeyos/profile", "profiles.json", "zeyos login"]),
        (lambda m: m.pin("gone"), ["'gone'", "is named by", ".zeyos/profile", "There is none yet"]),
        (lambda m: (m.profiles(prod=set_for("x")), m.pin("prdo")), ["'prdo'", "Did you mean 'prod'"]),
        (lambda m: m.profiles("gone", prod=set_for("x")), ["'gone'", "active one"]),
        (lambda m: m.local(accessToken="t"), ["auth.json has no baseUrl"]),
        (lambda m: m.local(**APP), ["has no tokens", "zeyos login"]),
        (lambda m: m.profiles("prod", prod=APP), ["'prod'", "zeyos login --profile prod"]),
        (lambda m: m.local(baseUrl="https://x", refreshToken="r"), ["no clientId"]),
        (lambda m: m.write(m.project / ".zeyos" / "auth.json", "{"), ["no JSON object"]),
        (lambda m: m.write(m.config / "credentials.json", "[]"), ["no JSON object"]),
    ],
)
def test_the_error_names_what_is_missing(machine, prepare, words):
    """With where was looked, and what to run."""
    prepare(machine)
    with pytest.raises(ConfigurationError) as caught:
        machine.find().auth()
    assert all(word in str(caught.value) for word in words), str(caught.value)


@pytest.fixture
def signed_in(machine, instance, monkeypatch):
    """This process on that machine, and what its tool has after a log-in at the emulator."""
    monkeypatch.setenv("HOME", str(machine.home))
    monkeypatch.delenv("ZEYOS_PROFILE", raising=False)
    monkeypatch.chdir(machine.start)
    user, (access, refresh) = instance.emulator.credentials, instance.pair(expired=True)
    return {
        "baseUrl": instance.url,
        "clientId": user.client_id,
        "clientSecret": user.appsecret,
        "accessToken": access,
        "refreshToken": refresh,
        "expiresAt": 1_735_568_880,
        "refreshTokenExpiresAt": 1_738_160_880,
    }


@pytest.mark.parametrize("place", ["profile", "local", "single"])
async def test_refreshed_tokens_go_back_to_where_they_came_from(machine, instance, signed_in, place):
    """Into the same file and profile; all else in it stays, and the next program goes on from there."""
    others = {"baseUrl": "https://other.example", "accessToken": "other", "odd": [1]}
    if place == "profile":
        machine.profiles("prod", prod=signed_in, other=others)
        path = machine.config / "profiles.json"
    elif place == "local":
        machine.local(**signed_in, dateFormat="DD.MM.YYYY")
        path = machine.project / ".zeyos" / "auth.json"
    else:
        machine.single(**signed_in, dateFormat="DD.MM.YYYY")
        path = machine.config / "credentials.json"
    path.chmod(0o644)
    for _ in range(2):
        async with Zeyos.from_profile() as zeyos:
            assert await zeyos.accounts.exists(1)
    assert instance.refreshes == instance.token_requests == 1
    written = json.loads(path.read_text())
    if place == "profile":
        assert written["active"] == "prod"
        assert written["profiles"]["other"] == others
        written = written["profiles"]["prod"]
    else:
        assert written["dateFormat"] == "DD.MM.YYYY"
    assert {key: written[key] for key in ("baseUrl", "clientId", "clientSecret")} == {
        key: signed_in[key] for key in ("baseUrl", "clientId", "clientSecret")
    }
    for key in ("accessToken", "refreshToken", "expiresAt", "refreshTokenExpiresAt"):
        assert type(written[key]) is type(signed_in[key])
        assert written[key] != signed_in[key]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


async def test_a_linked_file_stays_linked(machine, instance, signed_in):
    """The vendor's files may be links, as those of people who keep their settings in one place are."""
    real = machine.home / "settings.json"
    machine.write(real, signed_in)
    link = machine.project / ".zeyos" / "auth.json"
    link.symlink_to(real)
    async with Zeyos.from_profile() as zeyos:
        assert await zeyos.accounts.exists(1)
    assert link.is_symlink()
    assert json.loads(real.read_text())["accessToken"] != signed_in["accessToken"]


async def test_a_profile_by_name(machine, instance, signed_in):
    """And a backend given beside it takes the place of its own."""
    machine.profiles("other", prod=signed_in, other=set_for("other"))
    async with Zeyos.from_profile("prod") as zeyos:
        assert await zeyos.accounts.exists(1)
    async with Zeyos.from_profile("prod", auth=instance.emulator.auth()) as zeyos:
        assert await zeyos.accounts.exists(1)
    assert instance.refreshes == 1


async def test_a_refresh_token_without_an_access_token(machine, instance, signed_in):
    """The first call refreshes."""
    machine.local(**{key: value for key, value in signed_in.items() if not key.startswith("access")})
    async with Zeyos.from_profile() as zeyos:
        assert await zeyos.accounts.exists(1)


# -- the environment -------------------------------------------------------------------------------


async def test_the_environment(instance, tmp_path):
    """A refresh token, with the application that it belongs to; and a store for its successors."""
    user, (access, refresh) = instance.emulator.credentials, instance.pair(expired=True)
    base, _, name = instance.url.rpartition("/")
    environ = {
        "ZEYOS_BASE_URL": base,
        "ZEYOS_INSTANCE": name,
        "ZEYOS_TOKEN": access,
        "ZEYOS_REFRESH_TOKEN": f"{refresh}\n",
        "ZEYOS_CLIENT_ID": user.client_id,
        "ZEYOS_CLIENT_SECRET": user.appsecret,
    }
    for _ in range(2):
        async with Zeyos.from_env(environ, token_store=FileStore(tmp_path / "tokens.json")) as zeyos:
            assert await zeyos.accounts.exists(1)
    assert instance.refreshes == instance.token_requests == 1


async def test_the_environment_with_a_token_only(instance):
    """It is sent as it is, whatever else is known about the application."""
    environ = {"ZEYOS_BASE_URL": instance.url, "ZEYOS_TOKEN": instance.pair()[0], "ZEYOS_CLIENT_ID": "x"}
    async with Zeyos.from_env(environ) as zeyos:
        assert await zeyos.accounts.exists(1)


@pytest.mark.parametrize(
    ("environ", "words"),
    [
        ({"ZEYOS_TOKEN": "t"}, "ZEYOS_INSTANCE"),
        ({"ZEYOS_INSTANCE": "demo"}, "ZEYOS_TOKEN"),
        ({"ZEYOS_INSTANCE": "demo", "ZEYOS_REFRESH_TOKEN": "r"}, "ZEYOS_CLIENT_ID"),
        ({"ZEYOS_INSTANCE": "demo", "ZEYOS_TOKEN": " "}, "ZEYOS_TOKEN"),
    ],
)
def test_variables_that_are_missing(environ, words):
    """The error names them."""
    with pytest.raises(ConfigurationError, match=words):
        Zeyos.from_env(environ)
