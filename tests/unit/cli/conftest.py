"""A machine for each test: nobody has signed in there."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest


class Machine:
    """A home, and a project folder in it that is the current one."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.project = home / "project"
        self.config = home / ".config" / "zeyos"
        self.project.mkdir()

    @property
    def registry(self) -> Path:
        """The file of the profiles."""
        return self.config / "profiles.json"

    def write(self, path: Path, values: Any) -> None:
        """Write JSON, or a text, as the vendor's tool would."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(values if isinstance(values, str) else json.dumps(values))

    def profiles(self, active: str | None = None, /, **profiles: Any) -> None:
        """These profiles, and no others."""
        self.write(self.registry, {"active": active, "profiles": profiles})

    def read(self) -> Any:
        """What the file of the profiles holds."""
        return json.loads(self.registry.read_text())


@pytest.fixture
def machine(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """The current user is at it, with an empty environment."""
    machine = Machine(tmp_path_factory.mktemp("home"))
    for name in [name for name in os.environ if name.startswith("ZEYOS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(machine.home))
    monkeypatch.chdir(machine.project)
    return machine


@pytest.fixture(autouse=True)
def _nobody_is_signed_in(machine: Machine) -> None:
    """Whoever runs the tests may be signed in somewhere, which is no business of theirs."""
