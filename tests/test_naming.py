"""The rules for words, held: names that a stranger can guess, and docstrings that begin with a verb.

``python tests/test_naming.py [PATH …]`` prints what breaks them.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).resolve().parent.parent
CODE: Final = ("zeyos_async", "codegen", "benchmarks")
TESTS: Final = ("tests",)

BARE: Final = frozenset(
    [
        "found",
        "given",
        "asked",
        "kept",
        "wanted",
        "known",
        "made",
        "said",
        "each",
        "told",
        "shown",
        "taken",
        "seen",
        "held",
        "left",
        "gone",
        "here",
        "there",
    ]
)
"""Participles and pronouns that say nothing about the value by themselves."""

API_WORDS: Final = {("zeyos_async/services/ox/modules/mail.py", "seen")}  # \\Seen is what mail calls the flag
"""Names that are the API's own, by file."""

QUESTION: Final = re.compile(r"(What|How|Who|Whom|Whose|Where|Which|When|Why|From)\b")
NOT_A_VERB: Final = re.compile(
    r"(The|A|An|All|Any|Each|Every|Both|Either|Some|Such|Many|Most|No|None|Nothing|One|Two|Three|It|Its|This|That|"
    r"These|Those|There|Here|They|Their|Our|Whether|If|As|At|By|For|In|Into|Of|On|Out|Over|To|With|Without|After|"
    r"Before|Between|Until|Because|And|But|Or|Not|Only|Also|Another|Other|Everything|Everyone|Something|"
    r"What|How|Who|Whom|Whose|Where|Which|When|Why|From|[A-Z][a-z]+(?<!s)(?<!u)(?<!i)s)\b(?!-)"
)
VERBS_IN_S: Final = re.compile(
    r"(Pass|Process|Compress|Decompress|Guess|Express|Address|Dismiss|Miss|Access|Toss)\b"
)
SUPERLATIVE: Final = re.compile(
    r"_?(MOST|LEAST|LONGEST|LARGEST|WIDEST|SHORTEST|SMALLEST|DEEPEST|HIGHEST)(_|$)"
)


def sources(*folders: str) -> list[Path]:
    """The files written by hand below these folders."""
    files = (file for folder in folders for file in sorted((ROOT / folder).rglob("*.py")))
    return [file for file in files if "_generated" not in file.parts and not is_generated(file)]


def is_generated(file: Path) -> bool:
    """Whether the first line says so."""
    return file.read_text(encoding="utf-8").startswith(("# Generated", '"""Generated'))


def names(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Parameters and variables, with their lines."""
    for node in ast.walk(tree):
        if isinstance(node, ast.arg):
            yield node.lineno, node.arg
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.lineno, node.id


def bad_names(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """What says nothing by itself, and bounds that are not called MAX or MIN."""
    for line, name in names(tree):
        if name in BARE:
            yield line, f"{name!r} says nothing about the value"
        if name.isupper() and SUPERLATIVE.match(name):
            yield line, f"{name!r}: bounds are called MAX_… and MIN_…"


def _is_property(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    return any("property" in ast.unparse(decorator) for decorator in node.decorator_list)


def bad_sentences(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Docstrings of modules and classes that ask, and those of functions that do not begin with a verb."""
    for node in ast.walk(tree):
        if not isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            continue
        text = ast.get_docstring(node)
        if not text:
            continue
        first = text.split("\n", 1)[0]
        is_function = isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and not _is_property(node)
        line = 1 if isinstance(node, ast.Module) else node.lineno
        if QUESTION.match(first):
            yield line, f"asks: {first!r}"
        elif is_function and NOT_A_VERB.match(first) and not VERBS_IN_S.match(first):
            yield line, f"begins with no verb: {first!r}"


def problems(file: Path) -> list[str]:
    """What breaks the rules in a file, a line each."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    is_test = (ROOT / "tests") in file.parents or file == ROOT / "zeyos_async/testing/contract/suite.py"
    rows = [*bad_names(tree), *(() if is_test else bad_sentences(tree))]
    api_words = tuple(f"{name!r} says" for path, name in API_WORDS if file == ROOT / path)
    rows = [(line, text) for line, text in rows if not (api_words and text.startswith(api_words))]
    return [f"{file.relative_to(ROOT)}:{line}: {text}" for line, text in sorted(rows)]


@pytest.mark.parametrize("folder", [*CODE, *TESTS])
def test_names_and_sentences(folder: str):
    """No name is a bare participle, no docstring asks, and those of functions begin with a verb."""
    assert [line for file in sources(folder) for line in problems(file)] == []


@pytest.mark.parametrize(
    "text",
    [
        "def f(given): ...",
        "found = 1",
        "for each in (): ...",
        "_MOST_ROWS = 1",
        '"""What a page is."""',
        'def f():\n    """The next page."""',
        'def f():\n    """Whether it is so."""',
        'def f():\n    """Returns the next page."""',
        'class A:\n    """How it is read."""',
    ],
)
def test_the_rules_find_what_breaks_them(text: str):
    """Each rule by an example."""
    tree = ast.parse(text)
    assert len([*bad_names(tree), *bad_sentences(tree)]) == 1


@pytest.mark.parametrize(
    "text",
    [
        "def f(values, ids_given): ...",
        "MAX_ROWS = 1",
        '"""Pages of rows."""',
        'def f():\n    """Return the next page."""',
        'def f():\n    """Pass it on."""',
        'class A:\n    @property\n    def p(self):\n        """The next page."""',
        'class A:\n    """A page."""',
    ],
)
def test_the_rules_let_the_rest_pass(text: str):
    """Each rule by what it allows."""
    tree = ast.parse(text)
    assert [*bad_names(tree), *bad_sentences(tree)] == []


if __name__ == "__main__":
    files = [Path(name).resolve() for name in sys.argv[1:]] or sources(*CODE, *TESTS)
    files = [inner for file in files for inner in (sorted(file.rglob("*.py")) if file.is_dir() else [file])]
    for row in (row for file in files if file in sources(*CODE, *TESTS) for row in problems(file)):
        print(row)
