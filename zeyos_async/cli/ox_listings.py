"""What commands know of the modules of Open-Xchange, and how they read moments."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from typing import Any, Final

import attrs

from ..errors import InvalidArgument

__all__ = ["OX_LISTINGS", "OxListing", "parse_time"]

_TIME_FORMS: Final = "write a day, as 2026-01-31, or a time with its offset, as 2026-01-31T09:00+01:00"
_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d")


@attrs.frozen(kw_only=True)
class OxListing:
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
    folder_setting: str = ""
    folder_format: str = "{}"
    lists_subfolders: bool = False
    has_period: bool = False
    list_options: Mapping[str, Any] = attrs.field(factory=dict)
    get_options: Mapping[str, Any] = attrs.field(factory=dict)
    gets_by_folder: bool = True


_PERSON_COLUMNS: Final = (
    "id",
    "last_name",
    "first_name",
    "company",
    "email1",
    "cellular_telephone1",
    "last_modified",
)

OX_LISTINGS: Final[Mapping[str, OxListing]] = {
    "addressbooks": OxListing(
        columns=_PERSON_COLUMNS, folder_setting="folder/contacts", folder_format="con://0/{}"
    ),
    "calendar": OxListing(
        columns=("id", "start_date", "end_date", "title", "location"),
        has_period=True,
        folder_setting="folder/calendar",
    ),
    "chronos": OxListing(
        columns=("id", "startDate", "endDate", "summary", "location"),
        has_period=True,
        folder_setting="folder/calendar",
        folder_format="cal://0/{}",
        list_options={"expand": True},
    ),
    "contacts": OxListing(columns=_PERSON_COLUMNS, folder_setting="folder/contacts"),
    "folders": OxListing(
        columns=("id", "title", "module", "type", "subfolders"), lists_subfolders=True, gets_by_folder=False
    ),
    "group": OxListing(columns=("id", "name", "display_name"), gets_by_folder=False),
    "infostore": OxListing(
        columns=("id", "filename", "title", "file_size", "version", "last_modified"),
        folder_setting="folder/infostore",
    ),
    "mail": OxListing(
        columns=("id", "received_date", "from", "subject", "size", "flags"),
        folder_setting="mail/folder/inbox",
        get_options={"unseen": True},
    ),
    "resource": OxListing(columns=("id", "name", "display_name", "mailaddress"), gets_by_folder=False),
    "tasks": OxListing(
        columns=("id", "title", "status", "priority", "percent_completed", "end_time", "last_modified"),
        folder_setting="folder/tasks",
    ),
    "user": OxListing(columns=("id", "display_name", "email1", "timezone", "locale"), gets_by_folder=False),
}
"""Name of an attribute of the client → how commands list it."""


def parse_time(text: str) -> datetime:
    """A moment from ``2026-01-31``, which is 00:00 UTC, or from ISO 8601 with an offset.

    Raises:
        InvalidArgument: The text is neither.
    """
    try:
        if _DAY.fullmatch(text):
            return datetime.combine(date.fromisoformat(text), time(), UTC)
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise InvalidArgument(f"{text!r}: {_TIME_FORMS}") from error
    if moment.tzinfo is None:
        raise InvalidArgument(f"{text!r}: {_TIME_FORMS}")
    return moment
