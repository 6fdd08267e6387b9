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

from tests.faults.system_calls import CALLS, Launcher
from tests.integration.auth.places import Place

_ENOUGH = 200
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
        given = [t.text for t in self.place.instance.emulator.tokens._tokens.values() if t.kind == "refresh"]
        return any(token in text for token in given if token != self.first for text in texts)

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
            for words in ("began to renew tokens", "did not save the new ones", "sign in again", self.place.path.name):
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


@pytest.mark.parametrize(
    ("how", "kind", "state"),
    [
        ("kill", "file", True),
        ("half", "registry", True),
        ("half", "file", False),
        ("full", "registry", True),
        ("once", "file", True),
    ],
)
async def test_a_renewal_that_fails_at_each_call(how, kind, state, tmp_path, instance, launcher):
    """Whatever the call: nothing is half, what is in a file is used, and what is lost is said."""
    for number in range(1, _ENOUGH):
        trial = Trial(kind, tmp_path / "trial", instance, launcher, state=state)
        await trial.begin()
        import time as _t; _a=_t.time()
        failed = await trial.run(number=number, how=how)
        print(number, _t.time()-_a, failed.get('calls',[''])[-1])
        if how in ("full", "once"):
            assert failed["code"] == 0
            # Before the token is spent it is an error; afterwards the program goes on with what it has.
            assert failed.get("result") is True or failed["error"] == "ConfigurationError", failed
            assert failed.get("result") is True or trial.sent_tokens() == (0, 0), failed
        else:
            assert failed["code"] in (0, 9), failed
        await trial.check((number, failed))
        if failed["code"] == 0 and len(failed["calls"]) < number:
            break
    else:
        pytest.fail("it never came to its end")
    assert {"open", "write", "ftruncate", "fsync", "replace", "flock"} <= set(failed["calls"])
    assert set(failed["calls"]) <= {*CALLS, "flock"}
