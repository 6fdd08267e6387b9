"""The modules of Open-Xchange that commands can list, as data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import attrs

__all__ = ["OX_LISTINGS", "OxListing"]


@attrs.frozen(kw_only=True)
class OxListing:
    """The way in which commands list one module of Open-Xchange.

    Attributes:
        columns: The columns of a table.
        folder_setting: The setting that holds the folder to list by default; ``""`` if none is needed.
        folder_format: The form of the module's folder IDs, where that differs from the setting.
        lists_subfolders: Whether it lists folders, so that ``--folder`` is the one above them.
        has_period: Whether it is listed by a period.
        list_options: Options of its query.
        get_options: Options of ``get`` that keep the object unchanged (reading a mail would mark it as read).
        gets_by_folder: Whether ``get`` takes a folder.
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
