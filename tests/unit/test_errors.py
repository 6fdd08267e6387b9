"""The tree of errors: it is drawn as it is, and every error that leaves the library is in it."""

from __future__ import annotations

import importlib
import inspect
import pickle
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import attrs
import pytest

import zeyos_async
from zeyos_async import errors
from zeyos_async.errors import FolderUploadFailed, MultipleFailed, NotFound, ZeyosAsyncError
from zeyos_async.services.ox import errors as ox_errors

ROOT: Final = Path(__file__).resolve().parent.parent.parent
HOMES: Final = (errors.__name__, ox_errors.__name__)
"""The modules with the errors that leave the library."""

DOCUMENTED_ELSEWHERE: Final = {
    "AppointmentConflict": "its base, EventConflict",
    "EventConflict": "docs/ox.md",
    "EmptySearch": "its base, UnsupportedFilter: the condition can't hold, and nothing is sent",
    "PartlyImported": "docs/openxchange-mail-and-files.md",
}
"""Errors of Open-Xchange that stand beside the values that they hold → the page or the base that explains them."""

PRIVATE: Final = {
    "Interrupted": "Ctrl-C: ends the command with a status, and leaves no call",
    "PipeClosed": "ends the command quietly, and leaves no call",
    "Terminated": "SIGTERM: ends the command with a status, and leaves no call",
    "HungUp": "SIGHUP: ends the command with a status, and leaves no call",
    "_Interrupted": "ends a thread that waits for a reader of a pipe; the cancellation goes on",
    "ConnectionSpoiled": "sends the request over another connection; leaves no call",
    "_NaiveDatetime": "becomes a FilterSyntaxError with its position",
    "_ConnectionLost": "tells the transport that the client's connection is gone; becomes a TransportError",
    "CorruptBody": "becomes a ResponseTruncated",
    "TooLarge": "becomes a ResponseTooLarge",
    "UnknownEncoding": "becomes a ServerError",
}
"""Errors that never leave a public call → why."""

_LINE: Final = re.compile(r"^ *(?P<branches>(?:│ {2}|   )*(?:[├└]─ ))?(?P<name>[A-Z]\w+)(?: |$)")


def drawn_tree(text: str) -> dict[str, str]:
    """Class → the class that it is drawn under (``""`` for a root), from a drawing with ``├─``."""
    parents: dict[str, str] = {}
    path: list[str] = []
    for line in text.splitlines():
        match = _LINE.match(line)
        if match is None:
            continue
        depth = len(match["branches"] or "") // 3
        assert match["name"] not in parents, f"{match['name']} is drawn twice"
        parents[match["name"]] = path[depth - 1] if depth else ""
        path[depth:] = [match["name"]]
    return parents


def drawing_in(text: str) -> str:
    """The lines of a drawing, from its first line with the root on."""
    lines = text.splitlines()
    start = next(number for number, line in enumerate(lines) if line.strip() == "ZeyosAsyncError")
    drawing = [line for line in lines[start:] if re.match(r" *(│|├|└|Zeyos|PageDriftWarning)", line)]
    return inspect.cleandoc("\n".join(["", *drawing]))


def classes() -> dict[str, type[BaseException]]:
    """The exception classes that ``errors.py`` defines, by name."""
    return {
        name: value
        for name, value in vars(errors).items()
        if inspect.isclass(value) and issubclass(value, BaseException) and value.__module__ == errors.__name__
    }


def modules() -> Iterator[str]:
    """The names of all modules, but for the emulators and what is generated."""
    for module in pkgutil.walk_packages(zeyos_async.__path__, "zeyos_async."):
        if (
            ".testing" not in module.name
            and "._generated." not in module.name
            and "__main__" not in module.name
        ):
            yield module.name


def defined_errors() -> list[type[BaseException]]:
    """Every exception class of the library but warnings."""
    return [
        value
        for name in modules()
        for value in vars(importlib.import_module(name)).values()
        if inspect.isclass(value)
        and issubclass(value, BaseException)
        and not issubclass(value, Warning)
        and value.__module__ == name
    ]


@pytest.mark.parametrize(
    "text",
    [errors.__doc__ or "", (ROOT / "docs" / "errors.md").read_text("utf-8")],
    ids=["the module's docstring", "docs/errors.md"],
)
def test_drawn_tree_is_the_tree_of_the_classes(text: str) -> None:
    """Each class stands once, under its first base, and none is missing."""
    actual = {name: cls.__bases__[0].__name__ for name, cls in classes().items()}
    expected = {name: base if base in actual else "" for name, base in actual.items()}
    assert drawn_tree(drawing_in(text)) == expected


def test_also_of_the_drawing_names_the_other_bases() -> None:
    """A class that is caught by another name as well says so in the docstring's tree."""
    drawing = re.sub(r"\n[ │]+(?=an?\b|InvalidArgument)", " ", errors.__doc__ or "")
    lines = {match["name"]: line for line in drawing.splitlines() if (match := _LINE.match(line))}
    for name, cls in classes().items():
        for base in cls.__bases__[1:]:
            assert base.__name__ in lines[name], f"{name} is also a {base.__name__}"


def test_public_names_are_all_classes() -> None:
    """Whoever imports ``*`` gets each class."""
    assert classes().keys() <= set(errors.__all__)


def test_every_error_is_in_the_tree_or_never_leaves() -> None:
    """What a public call raises is a ZeyosAsyncError, and stands where users look for errors."""
    outside = {cls.__name__ for cls in defined_errors() if cls.__module__ not in HOMES}
    assert outside == DOCUMENTED_ELSEWHERE.keys() | PRIVATE.keys()
    for cls in defined_errors():
        assert issubclass(cls, ZeyosAsyncError) is (cls.__name__ not in PRIVATE), cls


def test_errors_of_open_xchange_are_drawn() -> None:
    """Each class of ``services/ox/errors.py`` stands in the tree of its docstring."""
    defined = {cls.__name__ for cls in defined_errors() if cls.__module__ == ox_errors.__name__}
    assert defined == set(re.findall(r"\bOx[A-Z]\w+(?= )", ox_errors.__doc__ or ""))


@pytest.mark.parametrize("name", DOCUMENTED_ELSEWHERE)
def test_documented_errors_have_their_page(name: str) -> None:
    """The page that explains an error names it; a subclass without a page is explained with its base."""
    where = DOCUMENTED_ELSEWHERE[name]
    if where.startswith("docs/"):
        assert name in (ROOT / where).read_text("utf-8")
    else:
        (cls,) = [cls for cls in defined_errors() if cls.__name__ == name]
        assert cls.__bases__[0].__name__ in where


def test_moved_errors_keep_their_old_homes() -> None:
    """Names that were imported from where they were raised are the same classes."""
    for module, name in (
        ("codec", "DecodeFailed"),
        ("cli.output", "NotSignedIn"),
        ("services.ox.multiple", "MultipleFailed"),
        ("services.ox.modules._upload_folder", "FolderUploadFailed"),
        ("ox", "MultipleFailed"),
        ("ox", "FolderUploadFailed"),
    ):
        assert getattr(importlib.import_module(f"zeyos_async.{module}"), name) is getattr(errors, name)


@attrs.frozen
class Upload:
    """What the error of a folder reads of an upload."""

    files: dict[str, str]
    failed: dict[str, Exception]


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (
            MultipleFailed([1, NotFound("gone"), 2, NotFound("no")]),
            "2 of 4 calls failed, the first with: gone",
        ),
        (
            FolderUploadFailed(Upload({"a": "1"}, {"b/c": NotFound("gone")})),
            "1 of 2 files were not uploaded, the first of them b/c: gone",
        ),
    ],
)
def test_errors_of_many_calls_count_and_pickle(error: ZeyosAsyncError, says: str) -> None:
    """The message has the number and the first failure; processes can hand the error on."""
    assert str(error) == says
    assert str(pickle.loads(pickle.dumps(error))) == says
