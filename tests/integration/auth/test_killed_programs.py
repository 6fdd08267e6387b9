"""Programs that are killed, and disks that fill, at each call to the system that a renewal of tokens makes.

Afterwards a new program finds the old tokens or the new ones, or is told what happened and what to do. New tokens that are in any
file are used, and the refresh token that they replaced is not sent again.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
import sys

import pytest

from tests.faults.system_calls import CALLS, KILLED, NEED_ROOM, Launcher
from tests.integration.auth.places import Place

_LEFTOVERS = (".lock", ".renewal", ".new")


@pytest.fixture
async def launcher(tmp_path, monkeypatch):
    """A process that makes calls in forked ones, with a state folder of its own."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    for name in ("ZEYOS_CREDENTIALS_READONLY", "ZEYOS_NO_REFRESH"):
        monkeypatch.delenv(name, raising=False)
    async with Launcher("tests.faults.token_program") as launcher:
        yield launcher


class Trial:
    """One sign-in in a folder of its own, a program that fails there, and one that comes after it."""

    def __init__(self, kind, folder, instance, launcher, *, state=True):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        self.place, self.folder, self.launcher = Place(kind, folder, instance), folder, launcher
        self.state = folder / "state"
        if not state:
            self.state.write_text("")  # no folder can be made there

    async def run(self, **job):
        """Let a program make one call."""
        user, instance = self.place.credentials, self.place.instance
        return await self.launcher.run(
            **job,
            kind=self.place.kind,
            path=str(self.place.path),
            url=instance.url,
            client_id=user.client_id,
            client_secret=user.appsecret,
            environ={"XDG_STATE_HOME": str(self.state)},
        )

    def sent_tokens(self):
        """Return how often refresh tokens were sent, and how often that was accepted."""
        return self.place.instance.token_requests, self.place.instance.refreshes

    def pair_on_disk(self):
        """Return whether a whole pair of new tokens is in any file, once the first program has failed."""
        texts = [path.read_text("utf-8", "replace") for path in self.folder.rglob("*") if path.is_file()]
        tokens = [t.text for t in self.place.instance.emulator.tokens._tokens.values() if t.kind == "refresh"]
        return any(token in text for token in tokens if token != self.first for text in texts)

    async def begin(self):
        """Put a pair into the file that has expired."""
        await self.place.begin()
        self.place.instance.emulator.journal.reset()
        self.first = (await self.place.tokens()).refresh.reveal()

    async def check(self, failed):
        """Check what the program left, and what the next one makes of it."""
        json.loads(self.place.path.read_text())  # never a half file
        stored = await self.place.tokens()
        was_spent = self.sent_tokens()[1] > 0
        is_kept = self.pair_on_disk() if was_spent else False
        assert stored.refresh.reveal() == self.first or was_spent
        after = await self.run()
        if after.get("result") is not True:
            assert was_spent, (failed, after)
            assert not is_kept, (failed, after)
            assert after["error"] == "NotAuthenticated", (failed, after)
            for words in (
                "began to renew tokens",
                "did not save the new ones",
                "sign in again",
                self.place.path.name,
            ):
                assert words in after["text"], (failed, after)
        sent, accepted = self.sent_tokens()
        assert accepted <= 1, (failed, after)
        # Sent again only where the answer was in no file yet: nobody can know then that it came.
        assert sent == 1 or (was_spent and not is_kept), (failed, after)
        self.check_leftovers(after)

    def check_leftovers(self, after):
        """Check that what lies beside the file has the names that the docs give, and is nobody else's to read."""
        for path in self.place.folder.iterdir():
            assert path == self.place.path or (path.name[0] == "." and path.suffix in _LEFTOVERS), path
            assert path.stat().st_mode & 0o077 == 0, path
        if after.get("result") is True:
            assert [path for path in self.place.folder.iterdir() if path.suffix == ".renewal"] == []


async def list_calls(kind, state, tmp_path, instance, launcher):
    """Return the calls of a renewal that nothing disturbs."""
    trial = Trial(kind, tmp_path / "whole", instance, launcher, state=state)
    await trial.begin()
    whole = await trial.run()
    assert whole["result"] is True
    assert (
        {"open", "write", "ftruncate", "fsync", "replace", "flock"}
        <= set(whole["calls"])
        <= {*CALLS, "flock"}
    )
    return whole["calls"]


@pytest.mark.parametrize(("kind", "state"), [("file", True), ("registry", False)])
async def test_a_program_that_is_killed_at_each_call_of_a_renewal(kind, state, tmp_path, instance, launcher):
    """Nothing is half, what is in a file is used, and what is lost is said; whether or not there is a state folder."""
    calls = await list_calls(kind, state, tmp_path, instance, launcher)
    for number, call in enumerate(calls, 1):
        for how in ("kill", "half") if call == "write" else ("kill",):
            trial = Trial(kind, tmp_path / "trial", instance, launcher, state=state)
            await trial.begin()
            failed = await trial.run(number=number, how=how)
            assert failed == {"code": KILLED}
            await trial.check((number, call, how))


@pytest.mark.parametrize(("kind", "how"), [("registry", "full"), ("file", "once")])
async def test_a_disk_that_is_full_at_each_write_of_a_renewal(kind, how, tmp_path, instance, launcher):
    """Before the token is spent, that is an error and nothing is sent; after it, the program goes on with what it got."""
    calls = await list_calls(kind, True, tmp_path, instance, launcher)
    for number in (number for number, call in enumerate(calls, 1) if call in NEED_ROOM):
        trial = Trial(kind, tmp_path / "trial", instance, launcher)
        await trial.begin()
        failed = await trial.run(number=number, how=how)
        if failed.get("result") is not True:
            assert failed["error"] == "ConfigurationError", failed
            assert "No space left on device" in failed["text"], failed
            assert trial.sent_tokens() == (0, 0), failed
        await trial.check((number, failed))


_SMALL = """
mount -t tmpfs -o size=16k,mode=700 none "$1" || exit 77
cp "$2" "$1/tokens.json"; chmod 600 "$1/tokens.json"
dd if=/dev/zero of="$1/full" bs=512 2>/dev/null
shift 2
"$@"; code=$?
rm -f "$FULL"; echo again; "$@"
exit $code
"""


async def test_a_small_disk_that_is_full(tmp_path, instance, monkeypatch):
    """A file system of its own: the token is not spent, and the call works as soon as there is room."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    place = Place("file", tmp_path, instance)
    await place.begin()
    disk, copy = tmp_path / "disk", tmp_path / "copy.json"
    disk.mkdir()
    copy.write_text(place.path.read_text())
    user = place.credentials
    job = {"kind": "file", "path": str(disk / "tokens.json"), "url": instance.url, "how": "none"}
    job |= {"client_id": user.client_id, "client_secret": user.appsecret}
    program = [sys.executable, "-c", _CALL, json.dumps(job)]
    monkeypatch.setenv("FULL", str(disk / "full"))
    command = [
        "unshare",
        "--map-root-user",
        "--mount",
        "sh",
        "-c",
        _SMALL,
        "sh",
        str(disk),
        str(copy),
        *program,
    ]
    try:
        process = await asyncio.create_subprocess_exec(
            *command, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
    except OSError:
        pytest.skip("there is no unshare here")
    output, errors = await process.communicate()
    if process.returncode == 77 or b"unshare" in errors:
        pytest.skip("this user may not mount file systems of its own")
    first, second = output.decode().split("again\n")
    assert "ConfigurationError" in first, (output, errors)
    assert "No space left on device" in first
    assert second == "True\n", (output, errors)
    assert instance.token_requests == instance.refreshes == 1


_CALL = """
import json, sys
from tests.faults.token_program import work
try:
    print(work(json.loads(sys.argv[1])))
except Exception as error:
    print(type(error).__name__, error)
"""
