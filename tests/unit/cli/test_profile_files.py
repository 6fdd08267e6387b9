"""Changes to the vendor's files of credentials: what is written, and what stays as it is."""

from __future__ import annotations

import stat
import threading
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from zeyos_async.auth import Credential
from zeyos_async.cli.profile_files import (
    TOKEN_FIELDS,
    ProfileRegistry,
    check_name,
    nearest_pin,
    pin_profile,
    to_token_values,
    write_set,
)
from zeyos_async.errors import ConfigurationError
from zeyos_async.secrets import Secret
from zeyos_async.services.zeyos.profiles import ProfileStore, find_profile

SIGNED_IN = Credential(secret="a", refresh="r", expires_at=1_735_568_880.7, info={"refresh_expires_at": 9})


def test_a_set_that_was_written_is_found(machine: Any) -> None:
    """By the reader of these files; the first profile is the active one, the next ones are not."""
    registry = ProfileRegistry.of_user()
    for name in ("demo", "prod"):
        values = {"baseUrl": f"https://x.example/{name}", "clientId": "app", "clientSecret": Secret("s")}
        write_set(registry.store(name), {**values, **to_token_values(SIGNED_IN)})
    profile = find_profile()
    assert (profile.base_url, profile.client_id, profile.client_secret) == (
        "https://x.example/demo",
        "app",
        Secret("s"),
    )
    assert profile.credential == SIGNED_IN
    assert machine.read()["profiles"]["demo"]["expiresAt"] == 1_735_568_880
    registry.activate("prod")
    assert find_profile().base_url == "https://x.example/prod"


def test_files_are_for_their_owner_only(machine: Any) -> None:
    """From the first moment; a file that was open to others is not afterwards."""
    machine.profiles("demo", demo={})
    machine.registry.chmod(0o644)
    write_set(ProfileRegistry.of_user().store("demo"), {"accessToken": "t"})
    assert stat.S_IMODE(machine.registry.stat().st_mode) == 0o600
    assert stat.S_IMODE(pin_profile("demo").stat().st_mode) == 0o600


def test_a_profile_of_its_own_file(machine: Any) -> None:
    """``.zeyos/auth.json`` holds a set without a name; other settings in it stay."""
    path = machine.project / ".zeyos" / "auth.json"
    machine.write(path, {"baseUrl": "https://x.example/demo", "dateFormat": "YYYY", "refreshToken": "old"})
    write_set(ProfileStore(path), to_token_values(Credential(secret="new")))
    text = path.read_text()
    assert '"dateFormat": "YYYY"' in text
    assert "old" not in text
    assert find_profile().credential == Credential(secret="new")


def test_a_linked_file_stays_linked(machine: Any) -> None:
    """As those of people who keep their settings in one place are."""
    real = machine.home / "settings.json"
    machine.write(real, {"active": None, "profiles": {}})
    machine.config.mkdir(parents=True)
    machine.registry.symlink_to(real)
    write_set(ProfileRegistry.of_user().store("demo"), {"accessToken": "t"})
    assert machine.registry.is_symlink()
    assert '"accessToken": "t"' in real.read_text()


def test_tokens_go_and_the_rest_stays(machine: Any) -> None:
    """That is what a sign-out does. It makes nothing active."""
    demo = {
        "baseUrl": "https://x.example/demo",
        "clientId": "app",
        **dict.fromkeys(TOKEN_FIELDS, 1),
        "odd": [1],
    }
    machine.profiles(None, demo=demo, other={"accessToken": "o"})
    write_set(ProfileRegistry.of_user().store("demo"), to_token_values(None))
    assert machine.read() == {
        "active": None,
        "profiles": {
            "demo": {"baseUrl": "https://x.example/demo", "clientId": "app", "odd": [1]},
            "other": {"accessToken": "o"},
        },
    }


def test_removing_the_active_profile_makes_no_other_active(machine: Any) -> None:
    """It is not for us to say which."""
    machine.profiles("demo", demo={}, other={})
    registry = ProfileRegistry.of_user()
    registry.remove("other")
    assert machine.read() == {"active": "demo", "profiles": {"demo": {}}}
    registry.remove("demo")
    assert machine.read() == {"active": None, "profiles": {}}


def test_entries_show_no_secret(machine: Any) -> None:
    """What may be listed, by name."""
    machine.profiles(
        "b", b={"baseUrl": "u", "clientId": "app", "refreshToken": "s3cret"}, a={"accessToken": "s3cret"}, c=7
    )
    first, second = ProfileRegistry.of_user().entries()
    assert (first.name, first.active, first.has_token, first.refreshes) == ("a", False, True, False)
    assert (second.name, second.active, second.has_token, second.refreshes) == ("b", True, False, True)
    assert "s3cret" not in repr((first, second))


@pytest.mark.parametrize("text", ["{", "[]", '"x"'])
def test_a_file_that_holds_something_else_is_not_overwritten(machine: Any, text: str) -> None:
    """The error names it."""
    machine.write(machine.registry, text)
    with pytest.raises(ConfigurationError, match=r"profiles\.json holds no JSON object"):
        write_set(ProfileRegistry.of_user().store("demo"), {"accessToken": "t"})
    assert machine.registry.read_text() == text


def test_no_change_is_lost_between_writers(machine: Any) -> None:
    """Each holds the lock from reading to writing."""
    registry = ProfileRegistry.of_user()
    names = [f"p{number}" for number in range(12)]
    threads = [
        threading.Thread(target=write_set, args=(registry.store(name), {"baseUrl": name})) for name in names
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(machine.read()["profiles"]) == sorted(names)


def test_the_pin_of_a_folder(machine: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is found from below, and says whether it names the profile."""
    path = pin_profile("demo")
    assert path == machine.project / ".zeyos" / "profile"
    (machine.project / "deep").mkdir()
    monkeypatch.chdir(machine.project / "deep")
    assert nearest_pin("demo") == path
    assert nearest_pin("other") is None


@pytest.mark.parametrize("name", ["", " demo", "demo\n", "a\nb", "\x1b[2J", "--json", "x" * 101])
def test_names_that_profiles_can_not_have(name: str) -> None:
    """In a pin, on a command line, or on a terminal."""
    with pytest.raises(ConfigurationError, match="can't be the name of a profile"):
        check_name(name)


_VALUES = st.dictionaries(st.sampled_from(["baseUrl", "clientId", *TOKEN_FIELDS]), st.text(max_size=8))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    before=st.dictionaries(st.text(max_size=5), _VALUES, max_size=3), name=st.text(max_size=5), values=_VALUES
)
def test_a_write_changes_what_it_says_and_nothing_else(
    machine: Any, before: dict[str, Any], name: str, values: dict[str, str]
) -> None:
    """Whatever the names and the values are."""
    store = ProfileRegistry.of_user().store(name or "x")
    machine.profiles("other", **before)
    expected = machine.read()
    expected["profiles"][store.name] = {**expected["profiles"].get(store.name, {}), **values}
    write_set(store, values)
    assert machine.read() == expected
