"""The files of a new Drive: several versions, awkward names, entries without a file."""

from __future__ import annotations

from typing import Any, Final

from ..files.access import drive_of, guess_type
from ..folder_tree import default_folder_id
from ..seeding import AWKWARD_TEXTS, SeedRows, exposes, seeds
from ..state import ServerState

__all__: list[str] = []

_OWN_FIELDS: Final = ("content", "folder_id", "filename", "file_mimetype", "versions")
_NAMES: Final = (
    "report.txt",
    "Übersicht 100%.csv",
    'a "quoted" name.txt',
    "日本語.txt",
    "image.png",
    "no ending",
)


@seeds("infostore", default_count=8)
def _seed(state: ServerState, rows: SeedRows) -> None:
    """Make files of the first user; explicit ones have ``folder_id``, ``filename`` or ``content``."""
    user = next(iter(state.users.values()))
    folder = default_folder_id(state, user, "infostore")
    values_of_files = map(_build_values, range(rows)) if isinstance(rows, int) else map(dict, rows)
    for values in values_of_files:
        values.setdefault("title", values.get("filename"))
        data = {name: value for name, value in values.items() if name not in _OWN_FIELDS}
        item = drive_of(state).insert(str(values.get("folder_id") or folder), data, by=user.id)
        contents = values.get("versions") or (
            [values["content"]] if values.get("content") is not None else []
        )
        filename = str(values.get("filename") or values.get("title") or "file")
        mimetype = str(values.get("file_mimetype") or guess_type(filename))
        for content in contents:
            drive_of(state).add_version(item, content, filename=filename, mimetype=mimetype)


@exposes("infostore")
def _list_files(state: ServerState) -> list[dict[str, Any]]:
    """Return every file, with ``content`` where it has any."""
    items = drive_of(state).items()
    return [item.values() | {"content": item.current.content if item.current else None} for item in items]


def _build_values(index: int) -> dict[str, Any]:
    if index % 7 == 6:
        return {"title": "A bookmark", "url": "https://example.com/?a=1&b=%20"}
    stem, dot, ending = _NAMES[index % len(_NAMES)].rpartition(".")
    number = f" {index}" if index >= len(_NAMES) else ""
    filename = f"{stem}{number}{dot}{ending}" if dot else f"{ending}{number}"
    content = f"Content of file {index}: {AWKWARD_TEXTS[index % len(AWKWARD_TEXTS)]}\n".encode()
    return {
        "title": filename,
        "filename": filename,
        "description": AWKWARD_TEXTS[index % len(AWKWARD_TEXTS)] if index % 2 else None,
        "categories": "one,two" if index % 3 == 0 else None,
        "color_label": index % 4,
        "versions": [content * (1 + number) for number in range(1 + index % 3)],
    }
