"""What commands know of the modules of Open-Xchange, and how they read moments."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from typing import Any, Final

import attrs

from ..errors import InvalidArgument

__all__ = ["MODULES", "OxModule", "moment_of"]

_FORMS: Final = "write a day, as 2026-01-31, or a time with its offset, as 2026-01-31T09:00+01:00"
_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d")


@attrs.frozen(kw_only=True)
class OxModule:
    """A module that commands can list.

    Attributes:
        columns: Those of a table.
        default: The setting that holds the folder that is meant if nobody says; ``""`` if none is needed.
        form: How IDs of folders are written, where that differs from the setting.
        above: Whether the folder is what the listed ones are in.
        period: Whether it is listed by a period.
        lists: Options of its query.
        gets: Options of ``get`` that leave everything as it is.
        in_folder: Whether ``get`` takes a folder.
    """

    columns: tuple[str, ...]
    default: str = ""
    form: str = "{}"
    above: bool = False
    period: bool = False
    lists: Mapping[str, Any] = attrs.field(factory=dict)
    gets: Mapping[str, Any] = attrs.field(factory=dict)
    in_folder: bool = True


_PERSON: Final = (
    "id",
    "last_name",
    "first_name",
    "company",
    "email1",
    "cellular_telephone1",
    "last_modified",
)

MODULES: Final[Mapping[str, OxModule]] = {
    "addressbooks": OxModule(columns=_PERSON, default="folder/contacts", form="con://0/{}"),
    "calendar": OxModule(
        columns=("id", "start_date", "end_date", "title", "location"), period=True, default="folder/calendar"
    ),
    "chronos": OxModule(
        columns=("id", "startDate", "endDate", "summary", "location"),
        period=True,
        default="folder/calendar",
        form="cal://0/{}",
        lists={"expand": True},
    ),
    "contacts": OxModule(columns=_PERSON, default="folder/contacts"),
    "folders": OxModule(columns=("id", "title", "module", "type", "subfolders"), above=True, in_folder=False),
    "group": OxModule(columns=("id", "name", "display_name"), in_folder=False),
    "infostore": OxModule(
        columns=("id", "filename", "title", "file_size", "version", "last_modified"),
        default="folder/infostore",
    ),
    "mail": OxModule(
        columns=("id", "received_date", "from", "subject", "size", "flags"),
        default="mail/folder/inbox",
        gets={"unseen": True},
    ),
    "resource": OxModule(columns=("id", "name", "display_name", "mailaddress"), in_folder=False),
    "tasks": OxModule(
        columns=("id", "title", "status", "priority", "percent_completed", "end_time", "last_modified"),
        default="folder/tasks",
    ),
    "user": OxModule(columns=("id", "display_name", "email1", "timezone", "locale"), in_folder=False),
}
"""Name of an attribute of the client → how commands list it."""


def moment_of(text: str) -> datetime:
    """A moment from ``2026-01-31``, which is 00:00 UTC, or from ISO 8601 with an offset.

    Raises:
        InvalidArgument: The text is neither.
    """
    try:
        if _DAY.fullmatch(text):
            return datetime.combine(date.fromisoformat(text), time(), UTC)
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise InvalidArgument(f"{text!r}: {_FORMS}") from error
    if moment.tzinfo is None:
        raise InvalidArgument(f"{text!r}: {_FORMS}")
    return moment
