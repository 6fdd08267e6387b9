"""The files that Drive begins with: several versions, awkward names, entries without a file."""

from __future__ import annotations

from typing import Any, Final

from ..files.access import drive, guess_type
from ..folder_tree import default_folder_id
from ..seeding import AWKWARD_TEXTS, SeedRows, seeds, exposes
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
def _fill(state: ServerState, rows: SeedRows) -> None:
    """Files of the first user; given ones may say ``folder_id``, ``filename``, ``content`` (bytes) and fields."""
    user = next(iter(state.users.values()))
    folder = default_folder_id(state, user, "infostore")
    given = map(_made, range(rows)) if isinstance(rows, int) else map(dict, rows)
    for values in given:
        values.setdefault("title", values.get("filename"))
        about = {name: value for name, value in values.items() if name not in _OWN_FIELDS}
        item = drive(state).insert(str(values.get("folder_id") or folder), about, by=user.id)
        contents = values.get("versions") or (
            [values["content"]] if values.get("content") is not None else []
        )
        filename = str(values.get("filename") or values.get("title") or "file")
        mimetype = str(values.get("file_mimetype") or guess_type(filename))
        for content in contents:
            drive(state).add_version(item, content, filename=filename, mimetype=mimetype)


@exposes("infostore")
def _show(state: ServerState) -> list[dict[str, Any]]:
    """Every file, with ``content`` where it has any."""
    items = drive(state).items()
    return [item.values() | {"content": item.current.content if item.current else None} for item in items]


def _made(place: int) -> dict[str, Any]:
    if place % 7 == 6:
        return {"title": "A bookmark", "url": "https://example.com/?a=1&b=%20"}
    stem, dot, ending = _NAMES[place % len(_NAMES)].rpartition(".")
    number = f" {place}" if place >= len(_NAMES) else ""
    filename = f"{stem}{number}{dot}{ending}" if dot else f"{ending}{number}"
    content = f"Content of file {place}: {AWKWARD_TEXTS[place % len(AWKWARD_TEXTS)]}\n".encode()
    return {
        "title": filename,
        "filename": filename,
        "description": AWKWARD_TEXTS[place % len(AWKWARD_TEXTS)] if place % 2 else None,
        "categories": "one,two" if place % 3 == 0 else None,
        "color_label": place % 4,
        "versions": [content * (1 + number) for number in range(1 + place % 3)],
    }
