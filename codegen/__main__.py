"""``python -m codegen`` writes the generated modules; ``--check`` says whether they are up to date.

A generator is a module with ``render() -> dict[str, str]``: path from the project root → source, broken into lines as
it comes to hand; ``ruff`` lays it out afterwards, all files at once. To add a generator, name it in ``GENERATORS``.

The facts of a vendor's documents are read once, by the ``…_extract`` modules, into ``specs/``, and committed; the
documents themselves are not needed here. So the same commit always renders the same files, and ``--check`` can hold
them: a file is right if it equals what is rendered now, missing if it is not there, and left over if it lies in a
``_generated`` folder and no generator writes it. Files elsewhere (``zeyos_async/zeyos.py``, the tests' table of
operations) are compared in the same way, but one that is no longer written has to be deleted by hand.
"""

from __future__ import annotations

import argparse
import difflib
import importlib
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

import attrs

from .formatting import format_sources

GENERATORS: Final = (
    "codegen.octaved",
    "codegen.ox",
    "codegen.ox_emulator",
    "codegen.zeyos",
    "codegen.zeyos_database",
)
ROOT: Final = Path(__file__).resolve().parent.parent
_DIFF_LINES: Final = 12


@attrs.frozen
class Drift:
    """Differences between the files on disk and what the generators write.

    Attributes:
        missing: Paths that should exist and do not.
        changed: Paths whose text differs → the first lines of the difference.
        leftover: Files in a ``_generated`` folder that no generator writes.
    """

    missing: tuple[str, ...] = ()
    changed: Mapping[str, str] = attrs.field(factory=dict)
    leftover: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.missing or self.changed or self.leftover)

    def __str__(self) -> str:
        lines = [f"missing: {path}" for path in self.missing]
        lines += [f"leftover (no generator writes it): {path}" for path in self.leftover]
        lines += [f"differs: {path}\n{diff}" for path, diff in self.changed.items()]
        return "\n".join(lines)


def render_all(generators: Iterable[str] = GENERATORS) -> dict[str, str]:
    """Return what every generator writes, together, laid out by ``ruff``.

    Raises:
        ValueError: Two generators write the same path.
    """
    files: dict[str, str] = {}
    for name in generators:
        rendered: dict[str, str] = importlib.import_module(name).render()
        # The later one would win unseen, and `--check` would agree with it.
        if twice := files.keys() & rendered.keys():
            raise ValueError(f"{name} writes what another generator writes too: {sorted(twice)}")
        files |= rendered
    return format_sources(dict(sorted(files.items())))


def find_drift(files: Mapping[str, str], root: Path = ROOT) -> Drift:
    """Compare what should be on disk with what is."""
    missing, changed = [], {}
    for path, text in files.items():
        file = root / path
        if not file.is_file():
            missing.append(path)
        elif (old := file.read_text(encoding="utf-8")) != text:
            changed[path] = _first_differences(old, text)
    return Drift(tuple(missing), changed, _leftovers(files, root))


def write_files(files: Mapping[str, str], root: Path = ROOT) -> list[str]:
    """Write the files that differ, remove the leftovers, and return the paths that were touched."""
    drift = find_drift(files, root)
    for path in (*drift.missing, *drift.changed):
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        # One kind of newline, so that every system commits the same files.
        file.write_text(files[path], encoding="utf-8", newline="\n")
    for path in drift.leftover:
        (root / path).unlink()
    return sorted((*drift.missing, *drift.changed, *drift.leftover))


def _leftovers(files: Mapping[str, str], root: Path) -> tuple[str, ...]:
    """Return the files in ``_generated`` folders that no generator writes."""
    paths = (
        file.relative_to(root).as_posix()
        for folder in sorted((root / "zeyos_async").rglob("_generated"))
        for file in sorted(folder.rglob("*"))
        if file.is_file() and "__pycache__" not in file.parts
    )
    return tuple(path for path in paths if path not in files)


def _first_differences(old: str, new: str) -> str:
    diff = list(
        difflib.unified_diff(old.splitlines(), new.splitlines(), "on disk", "generated", lineterm="", n=0)
    )
    rest = len(diff) - _DIFF_LINES
    return "\n".join(f"  {line}" for line in diff[:_DIFF_LINES]) + (
        f"\n  … {rest} more lines" if rest > 0 else ""
    )


def main(arguments: list[str] | None = None) -> int:
    """Run the command, and return the exit status: 1 if ``--check`` finds drift."""
    parser = argparse.ArgumentParser(
        prog="python -m codegen", description=__doc__.splitlines()[0] if __doc__ else ""
    )
    parser.add_argument("--check", action="store_true", help="compare only; fail if something differs")
    options = parser.parse_args(arguments)
    files = render_all()
    if not options.check:
        touched = write_files(files)
        print(f"{len(files)} files, {len(touched)} changed", *touched, sep="\n  ")
        return 0
    if drift := find_drift(files):
        print(drift, "Run `python -m codegen` and commit the result.", sep="\n", file=sys.stderr)
        return 1
    print(f"{len(files)} generated files are up to date")
    return 0


if __name__ == "__main__":
    sys.exit(main())
