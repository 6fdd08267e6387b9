"""Paths of the routes. The document names resources and parameters, and no path: this is configuration."""

from __future__ import annotations

import attrs

from ...errors import ConfigurationError

__all__ = ["Paths"]


def _check_path(value: str) -> str:
    if not isinstance(value, str) or not value.strip("/"):
        raise ConfigurationError(
            f"a path below the base URL is needed, such as 'work-packages', not {value!r}"
        )
    return value.strip("/")


def _to_upper(value: str) -> str:
    return value.upper()


def _check_archive_path(value: str) -> str:
    if "{nodeId}" not in value or "{archive}" not in value:
        raise ConfigurationError(
            f"the path of archive needs {{nodeId}} and {{archive}}; {value!r} lacks them"
        )
    return _check_path(value)


@attrs.frozen(kw_only=True)
class Paths:
    """The paths of an installation, each below the base URL.

    A record's path is that of its resource, with the ID behind it; a search's is that of its resource, with
    ``search`` behind it, and for a simple search the ident and its value.

    Attributes:
        customers: Customers.
        project_folders: Project folders.
        projects: Projects.
        groups: Groups.
        work_packages: Work packages.
        sub_work_packages: Sub work packages.
        tasks: Tasks.
        time_tracking_records: Time tracking records.
        billings: Billings.
        responsible_users: The responsible users of nodes.
        planning_dates: The planning dates of nodes.
        search: The part of the path between a resource and a search.
        archive: Archiving a subtree, with ``{nodeId}`` and ``{archive}``.
        archive_method: The HTTP method of that.

    Raises:
        ConfigurationError: A path is empty, or that of ``archive`` lacks a parameter.
    """

    customers: str = attrs.field(default="customers", converter=_check_path)
    project_folders: str = attrs.field(default="project-folders", converter=_check_path)
    projects: str = attrs.field(default="projects", converter=_check_path)
    groups: str = attrs.field(default="groups", converter=_check_path)
    work_packages: str = attrs.field(default="work-packages", converter=_check_path)
    sub_work_packages: str = attrs.field(default="sub-work-packages", converter=_check_path)
    tasks: str = attrs.field(default="tasks", converter=_check_path)
    time_tracking_records: str = attrs.field(default="time-tracking-records", converter=_check_path)
    billings: str = attrs.field(default="billings", converter=_check_path)
    responsible_users: str = attrs.field(default="responsible-users", converter=_check_path)
    planning_dates: str = attrs.field(default="planning-dates", converter=_check_path)
    search: str = attrs.field(default="search", converter=_check_path)
    archive: str = attrs.field(default="nodes/{nodeId}/archive/{archive}", converter=_check_archive_path)
    archive_method: str = attrs.field(default="PATCH", converter=_to_upper)
