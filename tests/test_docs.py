"""Every example of README.md and docs/ is run, and every link leads somewhere.

How an example is run depends on what it is; nothing is left out:

* ```` ```python ```` blocks of a page run one after the other as one program, on an event loop, so that
  ``await`` may stand at the top. ``zeyos`` is a client of ``emulator``, which is fresh for each page.
  ``https://cloud.zeyos.com/demo`` stands for the emulator's address.
* A block that calls ``asyncio.run`` is a program: it runs by itself, in an interpreter of its own.
* A block that defines ``test_…`` is a test file: pytest runs it.
* A ```` ```text ```` block right below one of these is what it prints.
* In ```` ```console ```` blocks, the lines ``$ zeyos-async … --emulate …`` are run by a shell, and must end well.
"""

from __future__ import annotations

import ast
import asyncio
import contextlib
import inspect
import io
import os
import re
import subprocess
import sys
import textwrap
import types
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final

import attrs
import pytest
import pytest_asyncio

from zeyos_async import Zeyos
from zeyos_async.testing import Credentials, ZeyosEmulator, emulate_zeyos

ROOT: Final = Path(__file__).resolve().parent.parent
PAGES: Final = [ROOT / "README.md", ROOT / "SECURITY.md", *sorted((ROOT / "docs").glob("*.md"))]
ADDRESS: Final = "https://cloud.zeyos.com/demo"
USER: Final = Credentials(name="max", password="secret", identifier="erp-sync", appsecret="0a1b2c3d4e5f")
ROWS: Final = {"accounts": 600, "contacts": 300, "tickets": 60}
FENCE: Final = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
ASYNC: Final = ("asyncio_mode=auto", "asyncio_default_fixture_loop_scope=function")
PYTEST: Final = ["-m", "pytest", "-q", "-p", "no:cacheprovider", *(f"-o{option}" for option in ASYNC)]
LINK: Final = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")


@attrs.frozen
class Block:
    """One fenced block of a page."""

    page: Path
    line: int
    language: str
    text: str
    prints: str | None = None

    def __str__(self) -> str:
        return f"{self.page.name}:{self.line}"


def blocks(page: Path) -> list[Block]:
    """The fenced blocks of a page; one of text right below an example is what that prints."""
    source = page.read_text("utf-8")
    fenced: list[Block] = []
    end = -1
    for match in FENCE.finditer(source):
        block = Block(page, source.count("\n", 0, match.start()) + 1, match[1], match[2])
        if (
            block.language == "text"
            and fenced
            and fenced[-1].language == "python"
            and not source[end : match.start()].strip()
        ):
            fenced[-1] = attrs.evolve(fenced[-1], prints=block.text)
        fenced.append(block)
        end = match.end()
    return fenced


def named(pages: list[Path]) -> list[Any]:
    """The pages as parameters of a test."""
    return [pytest.param(page, id=page.relative_to(ROOT).as_posix()) for page in pages]


def has_examples(page: Path) -> bool:
    """Whether there is Python on the page."""
    return any(block.language == "python" for block in blocks(page))


@pytest_asyncio.fixture
async def emulator() -> AsyncIterator[ZeyosEmulator]:
    """The instance that the examples talk to."""
    async with emulate_zeyos(rows=ROWS, seed=1, credentials=USER) as running:
        yield running


@pytest.mark.parametrize("page", named([page for page in PAGES if has_examples(page)]))
async def test_the_examples_of_the_pages_run(
    page: Path, emulator: ZeyosEmulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page's examples, from top to bottom, do what the page says."""
    monkeypatch.chdir(tmp_path)
    module = types.ModuleType("example")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    async with Zeyos(emulator.url, auth=emulator.auth()) as zeyos:
        for block in blocks(page):
            if block.language == "python":
                vars(module).update(zeyos=zeyos, emulator=emulator)  # an example may have closed its own
                printed = await run(block, vars(module), emulator.url)
                assert block.prints is None or printed == block.prints, f"{block} prints something else"


async def run(block: Block, names: dict[str, Any], address: str) -> str:
    """Run a block in the way that its content asks for; returns what it printed."""
    text = block.text.replace(ADDRESS, address)
    if "asyncio.run(" in text:
        return await asyncio.to_thread(run_program, block, text, [])
    if re.search(r"^(async )?def test_", text, re.MULTILINE):
        return await asyncio.to_thread(run_program, block, text, PYTEST)
    lines = "\n" * block.line + text  # so that tracebacks show the line of the page
    code = compile(lines, str(block.page), "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        result = eval(code, names)
        if inspect.iscoroutine(result):
            await result
    return printed.getvalue()


def run_program(block: Block, text: str, prefix: list[str]) -> str:
    """Run a block as a file in another interpreter; returns what it printed."""
    file = Path.cwd() / f"test_example_{block.line}.py"
    file.write_text(text, "utf-8")
    done = subprocess.run(
        [sys.executable, "-W", "error", *prefix, str(file)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, f"{block} fails:\n{done.stdout}{done.stderr}"
    return done.stdout


UNTYPED: Final = frozenset(
    [
        "auth",
        "errors",
        "observability",
        "octaved",
        "openxchange-groupware",
        "openxchange-mail-and-files",
        "ox",
    ]
)
"""Pages whose snippets are not for a type checker: of records whose fields may be None, or wrong on purpose."""


def typed_sources(page: Path) -> dict[str, str]:
    """The programs of a page as files, and its snippets as the body of one function."""
    together = [
        "from zeyos_async import Zeyos; from zeyos_async.testing import ZeyosEmulator",
        "async def main(zeyos: Zeyos, emulator: ZeyosEmulator) -> None:",
    ]
    sources: dict[str, str] = {}
    for block in blocks(page):
        if block.language != "python":
            continue
        if "asyncio.run(" in block.text or re.search(r"^(async )?def test_", block.text, re.MULTILINE):
            sources[f"program_{page.stem.replace('-', '_')}_{block.line}.py"] = "\n" * block.line + block.text
        elif page.stem not in UNTYPED:  # on the line of the page, for the messages
            together += [""] * (block.line - len(together))
            together += textwrap.indent(block.text, "    ").splitlines()
    if len(together) > 2:
        sources[f"page_{page.stem.replace('-', '_')}.py"] = "\n".join(together) + "\n"
    return sources


def test_the_programs_of_the_pages_pass_a_strict_type_checker(tmp_path: Path) -> None:
    """A reader who copies one gets no complaint of their own checker."""
    pytest.importorskip("mypy")
    sources = {name: text for page in PAGES for name, text in typed_sources(page).items()}
    assert any(name.startswith("program_") for name in sources)
    for name, text in sources.items():
        (tmp_path / name).write_text(text, "utf-8")
    command = [
        sys.executable,
        "-m",
        "mypy",
        "--strict",
        "--no-pretty",
        "--cache-dir",
        str(ROOT / ".mypy_cache"),
        ".",
    ]
    environment = {"MYPYPATH": str(ROOT), "PATH": ""}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def commands() -> list[Any]:
    """The lines of console blocks that call our command on the embedded emulator."""
    return [
        pytest.param(line.removeprefix("$ "), id=f"{block}: {line}")
        for page in PAGES
        for block in blocks(page)
        if block.language == "console"
        for line in block.text.splitlines()
        if line.startswith("$ zeyos-async ") and "--emulate" in line
    ]


@pytest.mark.parametrize("line", commands())
def test_the_commands_of_the_pages_run(line: str, tmp_path: Path) -> None:
    """The command lines of the pages end well."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "COLUMNS": "100", "NO_COLOR": "1"}
    done = subprocess.run(
        line,
        shell=True,
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def anchors(page: Path) -> set[str]:
    """The anchors that a page's headings have."""
    outside = FENCE.sub("", page.read_text("utf-8"))
    heads = re.findall(r"^#+ +(.+)$", outside, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).strip().replace(" ", "-") for head in heads}


@pytest.mark.parametrize("page", named([*PAGES, ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md"]))
def test_the_links_of_the_pages_lead_somewhere(page: Path) -> None:
    """A link to a file of ours names one, and a heading in it."""
    for link in LINK.findall(FENCE.sub("", page.read_text("utf-8"))):
        if "://" in link:
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), f"{page.name} links to {link}"
        assert not anchor or anchor in anchors(target), f"{page.name} links to {link}: no such heading"


SOURCES = {"contract/test_contract.py": "zeyos_async/testing/contract/suite.py"}
"""Where tests are written that a file of ours only makes for each API."""


def test_every_promise_names_tests_that_exist() -> None:
    """In the tables of the reliability page, a file and a function of it stand in each line."""
    text = (ROOT / "docs" / "reliability.md").read_text("utf-8")
    part = text.partition("## What is promised")[2].partition("\n## ")[0]
    rows = [line for line in part.splitlines() if line.startswith("| ") and "tested in" not in line]
    assert len(rows) > 30
    for row in rows:
        names = re.findall(r"`([\w/]+\.py)::(\w+)(\*?)`", row)
        assert names or row.endswith("| the same |"), row
        for path, name, more in names:
            source = (ROOT / SOURCES.get(path, f"tests/{path}")).read_text("utf-8")
            assert f"def {name}{'' if more else '('}" in source, (path, name)


def test_every_page_is_in_the_index() -> None:
    """A reader finds each page from ``docs/index.md``."""
    index = (ROOT / "docs" / "index.md").read_text("utf-8")
    pages = {page.name for page in (ROOT / "docs").glob("*.md")} - {"index.md"}
    assert pages <= set(LINK.findall(index))


def test_an_example_that_raises_is_noticed(tmp_path: Path) -> None:
    """What these tests rest on: an example that raises is noticed, with the line of its page."""
    page = tmp_path / "page.md"
    page.write_text("# A page\n\n```python\nx = 1\nassert x == 2\n```\n")
    (block,) = blocks(page)
    with pytest.raises(AssertionError) as caught:
        asyncio.run(run(block, {}, ADDRESS))
    assert caught.traceback[-1].lineno == 4
    assert str(caught.traceback[-1].path).endswith("page.md")


def test_the_output_of_an_example_is_read_from_below_it(tmp_path: Path) -> None:
    """A block of text counts as output only right below its example."""
    page = tmp_path / "page.md"
    page.write_text(
        "```python\nprint(1)\n```\n\n```text\n1\n```\n\n```python\n2\n```\n\nProse.\n\n```text\n2\n```\n"
    )
    assert [block.prints for block in blocks(page) if block.language == "python"] == ["1\n", None]
