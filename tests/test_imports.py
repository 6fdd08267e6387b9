"""What an import costs: counted in modules, and in time against aiohttp's own."""

from __future__ import annotations

import importlib
import json
import math
import os
import pkgutil
import statistics
import subprocess
import sys
import tempfile
from typing import Final

import pytest

import zeyos_async

PUBLIC_MODULES: Final = (
    "zeyos_async",
    "zeyos_async.auth",
    "zeyos_async.errors",
    "zeyos_async.export",
    "zeyos_async.filters",
    "zeyos_async.forms",
    "zeyos_async.general",
    "zeyos_async.octaved",
    "zeyos_async.ox",
    "zeyos_async.testing",
    "zeyos_async.zeyos",
)
HEAVY: Final = ("aiohttp", "cattrs", "click", "isal", "msgspec", "orjson", "pyarrow", "rich", "sqlite3")
FAST_ENOUGH: Final = 1.25
"""Most that an import may take, as a multiple of ``import aiohttp``."""


BYTE_CODE: Final = tempfile.TemporaryDirectory(prefix="byte-code-")
"""Where interpreters keep what they compiled, as they do for users, and where the environment forbids it, too."""


def _python(code: str) -> str:
    """What a fresh interpreter prints."""
    env = {**os.environ, "PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": BYTE_CODE.name}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False, env=env
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def _loaded_by(code: str) -> set[str]:
    return set(json.loads(_python(f"{code}\nimport json, sys\nprint(json.dumps(sorted(sys.modules)))")))


def _entity_modules(loaded: set[str]) -> set[str]:
    folder = "zeyos_async.services.zeyos._generated."
    light = {"client_attributes"}
    return {name for name in loaded if name.startswith(folder)} - {folder + name for name in light}


def test_importing_the_package_loads_nothing_else() -> None:
    """``import zeyos_async`` loads one module: names come when they are asked for."""
    loaded = _loaded_by("import zeyos_async")
    assert {name for name in loaded if name.startswith("zeyos_async")} == {"zeyos_async"}
    assert not loaded & set(HEAVY)


@pytest.mark.parametrize(
    ("code", "absent"),
    [
        ("from zeyos_async import F", ("aiohttp", "cattrs", "click", "rich", "sqlite3")),
        ("import zeyos_async.errors", HEAVY),
        ("import zeyos_async.auth", ("aiohttp", "cattrs", "click", "rich", "sqlite3")),
        ("import zeyos_async.zeyos", ("aiohttp", "cattrs", "click", "rich", "sqlite3")),
        ("import zeyos_async.ox", ("aiohttp", "cattrs", "click", "rich", "sqlite3")),
        ("import zeyos_async.testing", ("aiohttp.web", "cattrs", "click", "rich", "sqlite3")),
        (
            "from zeyos_async import Zeyos\nZeyos('https://zeyos.example/demo')",
            ("aiohttp.web", "click", "rich", "sqlite3", "pyarrow", "zeyos_async.testing", "zeyos_async.cli"),
        ),
    ],
    ids=lambda value: value.splitlines()[0] if isinstance(value, str) else "",
)
def test_imports_are_light(code: str, absent: tuple[str, ...]) -> None:
    """No import loads the command line, a server, a database, or an entity that nobody asked for."""
    loaded = _loaded_by(code)
    assert loaded & set(absent) == set()
    assert _entity_modules(loaded) == set()


def test_importing_one_record_class_loads_its_entity_alone() -> None:
    """A record class loads its own module: not those that its references lead to."""
    loaded = _loaded_by("from zeyos_async.zeyos import Account")
    assert {name.rpartition(".")[2] for name in _entity_modules(loaded)} == {"accounts"}


def _ox_modules(loaded: set[str]) -> set[str]:
    folder = "zeyos_async.services.ox._generated."
    return {name.removeprefix(folder) for name in loaded if name.startswith(folder)}


def test_open_xchange_loads_only_the_modules_that_are_used() -> None:
    """Neither other clients nor its own client load its modules and records; one module loads its own."""
    for code in (
        "import zeyos_async.ox",
        "from zeyos_async import Zeyos, Octaved, F",
        "import zeyos_async.auth",
    ):
        assert not _ox_modules(_loaded_by(code))
    client = "from zeyos_async import OpenXchange\nox = OpenXchange('https://ox.example.com/ajax')\n"
    assert not _ox_modules(_loaded_by(client))
    loaded = _ox_modules(_loaded_by(client + "prepared = ox.tasks.all.prepare(folder='7')"))
    assert loaded <= {"tasks", "records_tasks", "codes"}


@pytest.mark.parametrize("name", PUBLIC_MODULES)
def test_public_names_are_there_and_sorted(name: str) -> None:
    """Each name of ``__all__`` can be had, is listed by ``dir()``, and stands once."""
    module = importlib.import_module(name)
    public = list(module.__all__)
    assert len(set(public)) == len(public)
    assert public == sorted(public, key=_as_ruff_sorts)
    for public_name in public:
        assert getattr(module, public_name) is not None
        assert public_name in dir(module)


def _as_ruff_sorts(name: str) -> tuple[int, str]:
    """CONSTANTS first, then Classes, then the rest."""
    kind = 0 if name.isupper() and len(name) > 1 else 1 if name[:1].isupper() else 2
    return kind, name


def test_names_of_the_top_level_are_sorted_plainly() -> None:
    """``zeyos_async.__all__`` is in the order of ``sorted()``."""
    assert zeyos_async.__all__ == sorted(zeyos_async.__all__)


@pytest.mark.parametrize(
    "name", ["auth", "errors", "export", "filters", "forms", "general", "octaved", "ox", "testing", "zeyos"]
)
def test_public_modules_are_attributes(name: str) -> None:
    """After ``import zeyos_async``, its modules can be had without another import."""
    printed = _python(f"import zeyos_async\nprint(zeyos_async.{name}.__name__)")
    assert printed.strip() == f"zeyos_async.{name}"


@pytest.mark.parametrize(
    ("wrong", "right"), [("Zeyoss", "Zeyos"), ("colunm", "column"), ("filter", "filters"), ("NotAName", "")]
)
def test_a_misspelt_name_gets_the_closest(wrong: str, right: str) -> None:
    """The error says what was asked for, and what there is."""
    with pytest.raises(AttributeError, match=f"no attribute '{wrong}'") as caught:
        getattr(zeyos_async, wrong)
    assert (f"Did you mean '{right}'" in str(caught.value)) is bool(right)


def test_the_version_has_one_home() -> None:
    """``__version__`` is the distribution's, and no other file of the package says one."""
    from importlib.metadata import version

    assert zeyos_async.__version__ == version("zeyos-async")


def test_every_module_can_be_imported_first() -> None:
    """No module depends on another one having been imported before it: there are no circles."""
    names = sorted(
        module.name
        for module in pkgutil.walk_packages(zeyos_async.__path__, "zeyos_async.")
        if "._generated." not in module.name and not module.name.endswith("__main__")
    )
    # One interpreter, emptied of our modules before each import: starting one for each takes a minute.
    printed = _python(
        "import importlib, sys\n"
        f"for name in {names}:\n"
        "    for loaded in [n for n in sys.modules if n.split('.')[0] == 'zeyos_async']:\n"
        "        del sys.modules[loaded]\n"
        "    importlib.import_module(name)\n"
    )
    assert printed == "", "a module prints when it is imported"


def _seconds(code: str) -> float:
    timed = f"import time\nbegan = time.process_time()\n{code}\nprint(time.process_time() - began)"
    return float(_python(timed))


@pytest.mark.parametrize("code", ["import zeyos_async", "from zeyos_async import F, Zeyos"])
def test_import_is_about_as_fast_as_that_of_aiohttp(code: str) -> None:
    """At most a quarter more CPU than ``import aiohttp``: the median of interleaved runs.

    The rounds are repeated a few times when they say no, since a busy machine can spoil one; code that is
    really slower spoils them all.
    """
    ratio = math.inf
    for _ in range(4):
        pairs = [(_seconds("import aiohttp"), _seconds(code)) for _ in range(5)]
        theirs, ours = (statistics.median(times) for times in zip(*pairs, strict=True))
        ratio = min(ratio, ours / theirs)
        if ratio <= FAST_ENOUGH:
            break
    assert ratio <= FAST_ENOUGH, f"{code!r} takes {ratio:.2f} times as long as 'import aiohttp'"
