"""Who may import whom. The table below is the architecture; the rest of the file reads the imports.

Imports are read from the source with ``ast``, whether they stand at the top of a module or in a
function. Those that only a type checker sees (``if TYPE_CHECKING:``) are held to a table of their own:
they cost nothing and can't make a circle, yet a core that names one API's types knows that API.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Final

import attrs
import pytest

ROOT: Final = Path(__file__).resolve().parent.parent
PACKAGE: Final = "zeyos_async"

# -- the table -------------------------------------------------------------------------------------

GROUND: Final = "deprecated errors json_text wire urls schema"
CORE: Final = (
    f"{GROUND} secrets records codes forms filters pagination policy codec auth session services.base"
)

MAY_IMPORT: Final[dict[str, str]] = {
    # unit (a module or folder, the longest match counts)   what it may import, itself apart
    "deprecated": "",
    "errors": "",
    "json_text": "",
    "wire": "errors json_text",
    "urls": "errors wire",
    "schema": "errors",
    "secrets": "errors",
    "codes": "errors",
    "part_files": "",
    "forms": "errors urls wire",
    "records": "schema",
    "filters": GROUND,
    "pagination": GROUND,
    "policy": GROUND,
    "codec": GROUND,
    "auth": "deprecated errors json_text urls wire secrets forms",
    "transport": "errors json_text urls wire secrets",
    "session": f"{GROUND} secrets auth policy transport codec",
    "services": "",
    "services.registry": "errors",
    "services.base": f"{GROUND} records session filters pagination codec",
    "services.zeyos": f"{CORE} filters.compilers.zeyos services.zeyos._generated",
    "services.zeyos._generated": "errors schema codes records",
    "services.general": f"{CORE} filters.compilers.general",
    "services.octaved": f"{CORE} filters.compilers.octaved services.octaved._generated",
    "services.octaved._generated": "errors schema codes records services.octaved.tables",
    "services.ox": f"{CORE} forms part_files filters.compilers.ox services.ox._generated",
    "services.ox._generated": "errors wire schema codes records services.ox.operation services.ox.records services.ox.tables services.ox.values",
    "ox": "deprecated errors services.ox",
    "zeyos": "errors services.zeyos._generated",
    "general": "services.general",
    "octaved": "errors services.octaved._generated services.octaved.paths",
    "telemetry": "errors wire session.hooks",
    "export": f"{GROUND} records codes codec part_files services.base",  # codec: pages go to files without records
    "sync": f"{GROUND} records codes services.base",
    "distributed": "errors export sync",
    "testing": "deprecated services.zeyos._generated testing.contract",
    "testing.pytest_plugin": "services.registry",
    # The contract is no part of an emulator: it drives clients, which it gets from the registry.
    "testing.contract": "errors policy session transport wire services.registry testing.answers testing.faults",
    "cli": "*",
    "__main__": "cli",
    "__init__": "",
}
"""Folders that are not in the list may import nothing of ours."""

LAZILY: Final[dict[str, str]] = {
    # only inside functions: loaded when it is used
    "errors": "deprecated",
    "records": "filters",
    "testing": "auth",
    "__init__": "errors",
}

FOR_TYPES: Final[dict[str, str]] = {
    # only under TYPE_CHECKING
    "services.base": "auth",
    "services.zeyos._generated": "filters services.zeyos.readable services.zeyos.writable",
    "services.octaved._generated": "filters services.octaved.resources",
    "services.ox._generated": "services.ox.answers",
    "__init__": "errors filters policy services.base services.general services.octaved services.ox services.zeyos session",
}

NOT_EVEN: Final[dict[str, str]] = {
    # parts of what the table above allows
    "services.base": "filters.compilers",
}

OUTSIDE: Final[dict[str, str]] = {
    # distribution: who may import it. The standard library is free for all.
    "attrs": "*",
    "yarl": "*",
    "multidict": "*",
    "msgspec": "*",
    "cattrs": "codec",
    "aiohttp": "transport.aiohttp transport.connections testing",
    "isal": "transport export testing",
    "opentelemetry": "telemetry",
    "brotli": "transport",
    "backports": "transport",
    "compression": "transport",  # the standard library's from 3.14 on
    "orjson": "testing",
    "filelock": "auth.stores.file_locks",
    "platformdirs": "auth.stores.keyring auth.stores.file_base",
    "keyring": "auth.stores.keyring",
    "pytest": "testing.pytest_plugin testing.contract",
    "pytest_asyncio": "testing.pytest_plugin testing.contract",
    "click": "cli",
    "rich": "cli",
}

LOADS_BY_NAME: Final = frozenset(
    {
        "__init__",
        "auth",
        "cli",
        "filters",
        "ox",
        "services.octaved._generated",
        "services.registry",
        "services.ox",
        "services.ox._generated",
        "services.zeyos._generated",
        "testing",
    }
)
"""Units that load modules by name (``import_module``), to be light; nobody else may hide an import so."""


# -- reading ---------------------------------------------------------------------------------------


@attrs.frozen
class Import:
    """One import statement's target.

    Attributes:
        source: The importing module below the package: ``"session.session"``.
        target: What is imported: ``"zeyos_async.errors"`` or ``"aiohttp.web"``.
        line: Where.
        lazy: Whether it stands in a function.
        typing: Whether only type checkers see it.
    """

    source: str
    target: str
    line: int
    lazy: bool = False
    typing: bool = False


def module_name(file: Path, package: Path) -> str:
    """The module below the package: ``"auth"`` for ``auth/__init__.py``, ``"__init__"`` for the top."""
    parts = list(file.relative_to(package).with_suffix("").parts)
    return ".".join(parts if len(parts) == 1 or parts[-1] != "__init__" else parts[:-1])


def imports_of(file: Path, package: Path) -> Iterator[Import]:
    """Every import of a file, with relative ones made absolute."""
    source = module_name(file, package)
    folder = (package.name, *file.relative_to(package).parent.parts)

    def visit(node: ast.AST, lazy: bool, typing: bool) -> Iterator[Import]:
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(source, alias.name, node.lineno, lazy, typing)
        elif isinstance(node, ast.ImportFrom):
            for target in _targets(node, folder, package):
                yield Import(source, target, node.lineno, lazy, typing)
        elif isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
            for branch, for_types in ((node.body, True), (node.orelse, typing)):
                for statement in branch:
                    yield from visit(statement, lazy, for_types)
        else:
            inside = lazy or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
            for child in ast.iter_child_nodes(node):
                yield from visit(child, inside, typing)

    yield from visit(ast.parse(file.read_text("utf-8"), str(file)), False, False)


def _targets(node: ast.ImportFrom, folder: tuple[str, ...], package: Path) -> Iterator[str]:
    """``from .a import b`` is an import of ``a.b`` where that is a module, of ``a`` where it is not."""
    base = folder[: len(folder) - node.level + 1] if node.level else ()
    module = ".".join([*base, *([node.module] if node.module else [])])
    where = package.parent.joinpath(*module.split("."))
    for alias in node.names:
        below = where / alias.name
        is_module = below.is_dir() or below.with_suffix(".py").is_file()
        yield f"{module}.{alias.name}" if is_module else module


def sources(package: Path) -> list[Path]:
    """The package's files."""
    return sorted(file for file in package.rglob("*.py") if "__pycache__" not in file.parts)


@lru_cache
def read(package: Path) -> list[Import]:
    """Every import of the package."""
    return [statement for file in sources(package) for statement in imports_of(file, package)]


# -- judging ---------------------------------------------------------------------------------------


def within(module: str, units: str) -> bool:
    """Whether a module is one of these units, or lies in one."""
    return units == "*" or any(module == unit or module.startswith(f"{unit}.") for unit in units.split())


def unit_of(module: str) -> str:
    """The row of the table that a module belongs to."""
    units = [unit for unit in MAY_IMPORT if within(module, unit)]
    return max(units, key=len) if units else module


def allowed(statement: Import) -> bool:
    """Whether the table allows an import."""
    head, _, inner = statement.target.partition(".")
    if head == PACKAGE:
        return _allowed_inside(statement, inner or "__init__")
    if head == "__future__" or head in sys.stdlib_module_names:
        return True
    return head in OUTSIDE and within(statement.source, OUTSIDE[head])


def _allowed_inside(statement: Import, target: str) -> bool:
    unit = unit_of(statement.source)
    if unit == unit_of(target):
        return True
    if within(target, NOT_EVEN.get(unit, "")):
        return False
    if target == "cli" or target.startswith("cli."):
        return unit in ("cli", "__main__")
    rows = [MAY_IMPORT.get(unit, "")]
    rows += [LAZILY.get(unit, "")] if statement.lazy or statement.typing else []
    rows += [FOR_TYPES.get(unit, "")] if statement.typing else []
    return any(within(target, row) for row in rows)


def violations(package: Path) -> list[str]:
    """The imports that the table does not allow, as sentences."""
    return [
        f"{package.name}/{statement.source.replace('.', '/')}:{statement.line}: "
        f"{unit_of(statement.source)} may not import {statement.target}"
        + (" at the top of a module" if not statement.lazy and fits_lazily(statement) else "")
        for statement in read(package)
        if not allowed(statement)
    ]


def fits_lazily(statement: Import) -> bool:
    """Whether the import would be fine inside a function."""
    return within(statement.target.removeprefix(f"{PACKAGE}."), LAZILY.get(unit_of(statement.source), ""))


# -- the tests -------------------------------------------------------------------------------------

PACKAGE_DIR: Final = ROOT / PACKAGE


def test_imports_follow_the_table() -> None:
    """Nothing in the package imports what its row does not name."""
    assert violations(PACKAGE_DIR) == []


def test_every_row_of_the_table_is_used() -> None:
    """Each part of the package has a row, so that none is judged by accident."""
    units = {unit_of(module_name(file, PACKAGE_DIR)) for file in sources(PACKAGE_DIR)}
    assert units <= MAY_IMPORT.keys(), "add a row to MAY_IMPORT for each new part"


def test_only_two_files_import_the_http_client() -> None:
    """The client of aiohttp is imported where it is translated and where its connections are looked at."""
    importers = {
        statement.source for statement in read(PACKAGE_DIR) if statement.target.split(".")[0] == "aiohttp"
    }
    assert {name for name in importers if not name.startswith("testing.")} == {
        "transport.aiohttp",
        "transport.connections",
    }


def test_urls_are_made_in_one_place() -> None:
    """What a user gave goes into a URL by way of ``urls`` only, which refuses what can't be sent."""
    makers = {"joinpath", "with_query", "extend_query", "update_query"}
    for folder in ("auth", "services", "session", "transport", "forms"):
        for file in sources(PACKAGE_DIR / folder):
            for node in ast.walk(ast.parse(file.read_text("utf-8"))):
                is_maker = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
                assert not (is_maker and node.func.attr in makers), (
                    f"{file.name}:{node.lineno}: use zeyos_async.urls"
                )


def test_the_emulator_uses_no_http_client() -> None:
    """Of aiohttp, the emulator uses what serves: ``aiohttp.web`` and the parser below it."""
    serving = ("aiohttp.web", "aiohttp.web_protocol", "aiohttp.http_parser", "aiohttp.streams")
    used = {
        statement.target
        for statement in read(PACKAGE_DIR)
        if statement.source.startswith("testing") and statement.target.startswith("aiohttp")
    }
    assert used <= {"aiohttp", *serving}, f"{used - set(serving)} is no part of a server"
    for file in sources(PACKAGE_DIR / "testing"):
        names = {
            alias.name
            for node in ast.walk(ast.parse(file.read_text("utf-8")))
            if isinstance(node, ast.ImportFrom) and node.module == "aiohttp"
            for alias in node.names
        }
        assert names <= {"web"}, f"{file.name} imports {names} from aiohttp"


def test_the_emulator_shares_generated_tables_only() -> None:
    """A bug that client and emulator share would pass every test, so they share no code."""
    shared = {
        statement.target
        for statement in read(PACKAGE_DIR)
        if unit_of(statement.source) == "testing"
        and statement.target.startswith(PACKAGE)
        and not statement.target.startswith(f"{PACKAGE}.testing")
    }
    assert all(
        within(name.removeprefix(f"{PACKAGE}."), "services.zeyos._generated auth deprecated")
        for name in shared
    )


def test_modules_are_loaded_by_name_only_to_be_light() -> None:
    """``import_module`` hides an import from this file; a few modules use it to load names on demand."""
    units = {
        unit_of(module_name(file, PACKAGE_DIR))
        for file in sources(PACKAGE_DIR)
        if "import_module(" in (text := file.read_text("utf-8")) or "__import__(" in text
    }
    assert units <= LOADS_BY_NAME


def test_no_module_inside_imports_the_top_level() -> None:
    """The top level is for users; inside, names come from where they are defined."""
    assert [statement for statement in read(PACKAGE_DIR) if statement.target == PACKAGE] == []


def test_code_generation_is_not_imported_by_the_package() -> None:
    """``codegen`` is not shipped."""
    assert [statement for statement in read(PACKAGE_DIR) if statement.target.split(".")[0] == "codegen"] == []


# -- the tests of the tests ------------------------------------------------------------------------

VIOLATIONS = {
    "errors imports something": ("errors.py", "from . import wire"),
    "filters import a service": ("filters/builder.py", "from ..services.base import Query"),
    "policy imports filters, absolutely": ("policy/retry.py", "import zeyos_async.filters"),
    "a second importer of the http client": ("session/session.py", "import aiohttp"),
    "an http client in a function": ("auth/oauth.py", "def f():\n    from aiohttp import ClientSession"),
    "base knows an API's filters": (
        "services/base/query.py",
        "from ...filters.compilers.zeyos import to_zeyos",
    ),
    "base knows an API, for types": (
        "services/base/plan.py",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from ..zeyos.client import Zeyos",
    ),
    "one service imports another": ("services/zeyos/client.py", "from ..ox import client"),
    "an export knows an API": ("export/jsonl.py", "from ..services.zeyos.client import Zeyos"),
    "the emulator shares the compiler": ("testing/server.py", "def f():\n    from ..filters import to_zeyos"),
    "the emulator loads auth at once": ("testing/__init__.py", "from ..auth import PasswordLogin"),
    "a library imports the command line": ("export/csv.py", "def f():\n    from ..cli import main"),
    "a table with the library of a command": ("schema.py", "import rich"),
    "an unknown distribution": ("codec.py", "import pydantic"),
    "an unknown folder": ("helpers/misc.py", "from ..errors import suggest"),
    "a relative import of the top": ("auth/base.py", "from .. import Zeyos"),
    "an import in the else of TYPE_CHECKING": (
        "wire.py",
        "if TYPE_CHECKING:\n    pass\nelse:\n    from . import filters",
    ),
    "an import in a try": ("pagination/x.py", "try:\n    import rich\nexcept ImportError:\n    pass"),
}

FINE = {
    "errors": ("session/session.py", "from ..errors import NotSent"),
    "errors, as a module": ("auth/base.py", "from .. import errors"),
    "standard library": ("errors.py", "import difflib, asyncio.events"),
    "its own folder": ("filters/builder.py", "from .expression import And\nfrom . import parser"),
    "its own compiler": ("services/zeyos/lists.py", "from ...filters.compilers.zeyos import to_zeyos"),
    "types only": (
        "services/zeyos/_generated/accounts.py",
        "import typing\nif typing.TYPE_CHECKING:\n    from zeyos_async.filters.builder import TextField",
    ),
    "auth, late": ("testing/zeyos/emulator.py", "def auth():\n    from ...auth import PasswordLogin"),
    "the server": ("testing/server.py", "from aiohttp import web"),
    "the command line": (
        "cli/list.py",
        "import click, rich.table\nfrom ..services.zeyos.client import Zeyos",
    ),
}


def _tree(tmp_path: Path, file: str, text: str) -> Path:
    package = tmp_path / PACKAGE
    for name in (
        "errors.py",
        "wire.py",
        "filters/__init__.py",
        "filters/parser.py",
        "services/ox/client.py",
        file,
    ):
        path = package / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")
    (package / file).write_text(text)
    return package


@pytest.mark.parametrize("case", VIOLATIONS)
def test_violations_are_noticed(case: str, tmp_path: Path) -> None:
    """Each of these made-up trees breaks one rule, and is told of."""
    sentences = violations(_tree(tmp_path, *VIOLATIONS[case]))
    assert len(sentences) == 1, sentences
    assert "may not import" in sentences[0]


@pytest.mark.parametrize("case", FINE)
def test_allowed_imports_pass(case: str, tmp_path: Path) -> None:
    """What the table allows passes, however it is written."""
    assert violations(_tree(tmp_path, *FINE[case])) == []
