"""Contacts, tasks and appointments in their folders: columns, rights, time stamps and conflicts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

import attrs

from .columns import RowColumn, RowModel
from .folder_tree import (
    find_usable_folder,
    find_visible_folder,
    permission_level,
    to_plain_id,
    visible_folders,
)
from .handlers import OxCall, OxReply
from .refusals import (
    OxError,
    bad_value,
    changed_meanwhile,
    missing_value,
    not_found,
    permission_denied,
    value_too_long,
)
from .state import Row

__all__ = ["ObjectKind", "newest_stamp", "read_sort", "sort_rows"]

_READ_ONLY: Final = frozenset(
    {"created_by", "creation_date", "last_modified", "last_modified_utc", "modified_by"}
)


def newest_stamp(call: OxCall, rows: Iterable[Row]) -> int:
    """Return the time stamp of a reply: the greatest of its rows, or the server's where there are none."""
    return max((row["last_modified"] for row in rows), default=call.state.last_stamp)


def read_sort(call: OxCall) -> tuple[str, bool]:
    """Return the column to sort by, and whether downwards; ``sort`` and ``order`` need each other.

    Raises:
        OxError: One comes without the other, or ``order`` is neither.
    """
    sort, order = call.text_param("sort"), call.text_param("order").lower()
    if bool(sort) != bool(order):
        raise missing_value("order" if sort else "sort")
    if order not in ("", "asc", "desc"):
        raise bad_value("order", order, "it is asc or desc")
    return sort, order == "desc"


def sort_rows(rows: Iterable[Row], column: RowColumn | None, *, descending: bool) -> list[Row]:
    """Sort rows by a column; those without a value come first, or last where it goes down."""
    ordered = list(rows)
    if column is not None:
        ordered.sort(key=lambda row: _sort_key(row.get(column.name)), reverse=descending)
    return ordered


def _sort_key(value: Any) -> tuple[int, float, str]:
    if value is None:
        return (0, 0.0, "")
    if isinstance(value, int | float):
        return (1, float(value), "")
    return (2, 0.0, str(value).casefold())


def _accept_row(call: OxCall, row: Row) -> None:
    """Check nothing, for kinds without rules of their own."""


@attrs.frozen(kw_only=True)
class ObjectKind:
    """A kind of object that is stored in folders.

    Attributes:
        table: The name of its table.
        module: The module that its folders belong to.
        model: Its columns.
        missing_code: The error for one that is not there.
        conflict_code: The error for one that was changed in the meantime.
        denied_code: The error for one that the user has no right to.
        limit_code: The error for a text that is too long.
        max_lengths: The texts that have a limit, and their limits.
        check: Raises for a row that makes no sense, and sets the fields that follow from others.
        show_folder: Returns the id of a folder as this module shows it.
        show_deleted: Returns the id of a deleted row as ``updates`` shows it.
    """

    table: str
    module: str
    model: RowModel
    missing_code: str
    conflict_code: str
    denied_code: str = "FLD-0003"
    limit_code: str = "EMU-0005"
    max_lengths: Mapping[str, int] = attrs.field(factory=dict)
    check: Callable[[OxCall, Row], None] = _accept_row
    show_folder: Callable[[str], str] = str
    show_deleted: Callable[[str], Any] = str

    def parse_columns(self, call: OxCall) -> list[RowColumn]:
        """Return the columns that the call names."""
        return self.model.parse_columns(call.text_param("columns"))

    def readable_rows(self, call: OxCall) -> list[Row]:
        """Return every row in every folder that the user may read."""
        folders = {
            row["id"]
            for row in visible_folders(call)
            if row["module"] == self.module and permission_level(row, call.user, "read")
        }
        return [
            row for row in call.table(self.table) if row["folder_id"] in folders and self.may_read(call, row)
        ]

    def may_read(self, call: OxCall, row: Row) -> bool:
        """Return whether the user may see a row: private ones are their author's."""
        folder = call.table("folders").find(row["folder_id"])
        if folder is None:
            return False
        is_own = row["created_by"] == call.user.id
        return is_own or (permission_level(folder, call.user, "read") > 1 and not row.get("private_flag"))

    def rows_in(self, call: OxCall, folder: str) -> list[Row]:
        """Return the rows of a folder that the user may read.

        Raises:
            OxError: There is no such folder, or no right to read it.
        """
        folder_row = find_usable_folder(call, folder, self.module, code=self.denied_code)
        return [row for row in call.table(self.table).rows_in(folder_row["id"]) if self.may_read(call, row)]

    def find(self, call: OxCall, key: Any, folder: Any) -> Row:
        """Return a row of a folder.

        Raises:
            OxError: There is none, or no right to read it.
        """
        folder_row = find_visible_folder(call, folder)
        row = call.table(self.table).find(key, folder_row["id"])
        if row is None:
            raise not_found(self.missing_code, f"object {key} in folder {folder}")
        if not self.may_read(call, row):
            raise permission_denied(self.denied_code, f"read object {key}")
        return row

    def build_list_reply(self, call: OxCall, rows: Sequence[Row]) -> OxReply:
        """Build a reply of rows as arrays, sorted as the call says."""
        columns = self.parse_columns(call)
        sort, descending = read_sort(call)
        column = self.model.find_column(sort) if sort else None
        ordered = sort_rows(rows, column, descending=descending)
        return OxReply(
            data=[self.to_cells(call, columns, row) for row in ordered], timestamp=newest_stamp(call, rows)
        )

    def to_cells(self, call: OxCall, columns: Sequence[RowColumn], row: Row) -> list[Any]:
        """Return a row as an array."""
        return self.model.to_cells(columns, self.with_shown_folder(row), call.shift)

    def with_shown_folder(self, row: Row) -> Row:
        """Return a row with its folder as this module shows it."""
        return {**row, "folder_id": self.show_folder(row["folder_id"])}

    def build_object_reply(self, call: OxCall, row: Row) -> OxReply:
        """Build a reply of a row as an object."""
        return OxReply(
            data=self.model.to_object(self.with_shown_folder(row), call.shift), timestamp=row["last_modified"]
        )

    def rows_of_body(self, call: OxCall) -> list[Row]:
        """Return the rows that a body of ids and folders names, without those that do not exist."""
        rows = []
        for item in call.body_array():
            key, folder = _read_reference(item)
            row = call.table(self.table).find(key, to_plain_id(folder))
            if row is not None and self.may_read(call, row):
                rows.append(row)
        return rows

    def create(self, call: OxCall, body: Mapping[str, Any]) -> Row:
        """Store a new row in the folder that its body names.

        Raises:
            OxError: It makes no sense, or there is no right to write there.
        """
        if not body.get("folder_id"):
            raise missing_value("folder_id")
        folder = find_usable_folder(
            call, body["folder_id"], self.module, right="folder", code=self.denied_code
        )
        values = self._read_values(call, body, None)
        # ``null`` in a new object is as good as absent.
        row = {name: value for name, value in values.items() if value is not None}
        row["folder_id"] = folder["id"]
        self.check(call, row)
        return call.table(self.table).insert(row, by=call.user.id)

    def update(self, call: OxCall, row: Row, body: Mapping[str, Any], *, timestamp: int) -> Row:
        """Change what a body names; ``None`` removes a field.

        Raises:
            OxError: The row is newer than ``timestamp``, or the change makes no sense.
        """
        self.check_right(call, row)
        self.check_unchanged(row, timestamp)
        values = self._read_values(call, body, row)
        if "folder_id" in values:
            target = find_usable_folder(
                call, values["folder_id"], self.module, right="folder", code=self.denied_code
            )
            values["folder_id"] = target["id"]
        merged = {**row, **values}
        self.check(call, merged)
        # ``check`` sets fields that follow from others, such as the two pairs of dates of a task.
        values |= {name: value for name, value in merged.items() if row.get(name) != value}
        return call.table(self.table).change(row, values, by=call.user.id)

    def check_right(self, call: OxCall, row: Row, right: str = "write") -> None:
        """Check that the user may change (or delete) a row.

        Raises:
            OxError: The right is missing.
        """
        folder = find_visible_folder(call, row["folder_id"])
        level = permission_level(folder, call.user, right)
        if level < 1 or (level == 1 and row["created_by"] != call.user.id):
            raise permission_denied(self.denied_code, f"{right} object {row['id']}")

    def check_unchanged(self, row: Row, timestamp: int) -> None:
        """Check that a row is not newer than a time stamp.

        Raises:
            OxError: It is: a conflict.
        """
        if row["last_modified"] > timestamp:
            raise changed_meanwhile(self.conflict_code, f"object {row['id']}")

    def delete(self, call: OxCall) -> tuple[list[Row], list[str]]:
        """Delete the rows that the body names; return them, and the ids of those that were not deleted."""
        deleted, failed_ids = [], []
        for item in call.body_array():
            key, folder = _read_reference(item)
            row = call.table(self.table).find(key, to_plain_id(folder))
            try:
                if row is None:
                    raise not_found(self.missing_code, f"object {key}")
                self.check_right(call, row, "delete")
                self.check_unchanged(row, call.number_param("timestamp"))
            except OxError:
                failed_ids.append(key)
                continue
            call.table(self.table).remove(row)
            deleted.append(row)
        return deleted, failed_ids

    def build_updates_reply(self, call: OxCall, folder: str | None, *, deliver_deleted: bool) -> OxReply:
        """Build a flat array of changed rows, with the bare ids of deleted ones unless they are ignored."""
        folder_id = (
            find_usable_folder(call, folder, self.module, code=self.denied_code)["id"] if folder else None
        )
        changed, tombstones = call.table(self.table).changes_since(call.number_param("timestamp"), folder_id)
        readable = [row for row in changed if self.may_read(call, row)]
        columns = self.parse_columns(call)
        sort, descending = read_sort(call)
        ordered = sort_rows(readable, self.model.find_column(sort) if sort else None, descending=descending)
        data: list[Any] = [self.to_cells(call, columns, row) for row in ordered]
        # Documents and server differ about the default; see ``contacts_deliver_deleted``.
        ignored = call.params.get("ignore", "" if deliver_deleted else "deleted")
        stamps = [row["last_modified"] for row in readable]
        if ignored != "deleted":
            data += [self.show_deleted(tombstone.id) for tombstone in tombstones]
            stamps += [tombstone.stamp for tombstone in tombstones]
        # Of the delivered rows only: suppressed deletions come again, once a client wants them.
        return OxReply(data=data, timestamp=max(stamps, default=call.number_param("timestamp")))

    def _read_values(self, call: OxCall, body: Mapping[str, Any], row: Row | None) -> Row:
        for name, limit in self.max_lengths.items():
            if len(str(body.get(name) or "")) > limit:
                raise value_too_long(self.limit_code, self.model.by_name[name].id or 0, name, limit)
        values = self.model.read_values(body, call.shift, row)
        return {name: value for name, value in values.items() if name not in _READ_ONLY and name != "id"}


def _read_reference(item: Any) -> tuple[str, str]:
    """Return the id and the folder of an entry of a body.

    Raises:
        OxError: It has not both.
    """
    if not isinstance(item, Mapping):
        raise bad_value("body", item, "it is an object with id and folder")
    for name in ("id", "folder"):
        if item.get(name) in (None, ""):
            raise missing_value(name)
    return str(item["id"]), str(item["folder"])
