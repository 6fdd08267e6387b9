"""Switches for what the document of Octaved Flow leaves open."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

import attrs

__all__ = ["PATHS", "OctavedServerOptions"]

PATHS: Final[Mapping[str, str]] = {
    "customers": "/customers",
    "project_folders": "/project-folders",
    "projects": "/projects",
    "groups": "/groups",
    "work_packages": "/work-packages",
    "sub_work_packages": "/sub-work-packages",
    "tasks": "/tasks",
    "responsible_users": "/responsible-users",
    "planning_dates": "/planning-dates",
    "time_tracking_records": "/time-tracking-records",
    "billings": "/billings",
    "archive": "/nodes/{nodeId}/archive/{archive}",
}
"""Resource → path below the base URL; the document has none, so these follow its names."""


@attrs.frozen(kw_only=True)
class OctavedServerOptions:
    """Choices where the document is silent.

    Attributes:
        create_status: The status of a POST that creates; its body is ``{"id": …}``.
        put_status: The status of a PUT.
        patch_status: The status of a PATCH.
        delete_status: The status of a DELETE.
        archive_status: The status of archiving.
        write_body: ``"none"`` leaves the body of PUT, PATCH and DELETE empty, ``"object"`` sends the record.
        order: How ``ids[]`` are answered: as stored, or as asked for.
        missing: Whether unknown ``ids[]`` are left out, or refused with 404.
        news: A field that nobody knows yet in every record, as the document announces for v1.
    """

    create_status: int = 201
    put_status: int = 204
    patch_status: int = 204
    delete_status: int = 204
    archive_status: int = 204
    write_body: Literal["none", "object"] = "none"
    order: Literal["stored", "asked"] = "stored"
    missing: Literal["omit", "refuse"] = "omit"
    news: bool = False
