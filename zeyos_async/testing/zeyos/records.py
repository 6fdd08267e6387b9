"""One record: get, create, update, delete, with its entity tag and its pseudo fields."""

from __future__ import annotations

import base64
import binascii
import email.utils
import hashlib
import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import unquote_to_bytes

import attrs

from .output import show_record
from .refusals import bad_request
from .server_options import ZeyosServerOptions
from .store import Store
from .table_definitions import Column, Table
from .values import compact, stored

__all__ = ["Record", "Records"]

_DATA_URI: Final = re.compile(r"data:([a-zA-Z0-9.+-]+/[^;,\s]+)?((?:;[^;,]*)*),(.*)", re.DOTALL)
_TAG_KEYS: Final = ("tags", "+tags", "-tags")


@attrs.frozen
class Record:
    """A stored row with what its HTTP headers say.

    Attributes:
        row: Columns, hidden ones included, as they are stored.
        etag: The entity tag, in its quotes; a function of the row, its extension data and its tags.
        last_modified: The ``Last-Modified`` header, or ``""`` where the time is no HTTP date.
    """

    row: dict[str, Any]
    etag: str
    last_modified: str

    @property
    def headers(self) -> dict[str, str]:
        """``ETag`` and ``Last-Modified``."""
        headers = {"ETag": self.etag}
        return headers | ({"Last-Modified": self.last_modified} if self.last_modified else {})

    @property
    def modified(self) -> int | None:
        """Unix seconds of the last change, for the entities that keep it."""
        value = self.row.get("lastmodified")
        return value if isinstance(value, int) else None


@attrs.frozen
class _Change:
    """A write's body, read: columns, file contents by column, extension data, tags."""

    columns: dict[str, Any]
    files: dict[str, tuple[bytes, str]]
    extdata: dict[str, Any]
    tags: dict[str, list[str]]


class Records:
    """The records of all entities in a store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def find(self, table: Table, record: int) -> Record | None:
        """Return the record, or ``None``."""
        row = self._store.row(table.name, record)
        if row is None:
            return None
        # The tag covers what a client can see change: extension data and tags are not in the row.
        contents = [row, self._store.extdata(table.name, record), self._store.tags(table.name, record)]
        digest = hashlib.md5(compact(contents).encode(), usedforsecurity=False).hexdigest()
        return Record(row, f'"{digest}"', _http_date(row.get("lastmodified")))

    def show(
        self,
        record: Record,
        table: Table,
        server_options: ZeyosServerOptions,
        *,
        expand: list[str],
        extdata: bool = False,
        tags: bool = False,
    ) -> dict[str, Any]:
        """Return the record as the API shows it.

        Raises:
            Refusal: 400, if ``expand`` names what is no composite field.
        """
        for name in expand:
            if name not in table.visible or not table.visible[name].is_composite:
                raise bad_request("Invalid expand field")
        presented = show_record(record.row, table, self._store, server_options, expand=expand)
        record_id = record.row["ID"]
        if extdata:
            values: Any = self._store.extdata(table.name, record_id)
            presented["extdata"] = values if values or server_options.empty_extdata == "object" else []
        if tags:
            presented["tags"] = self._store.tags(table.name, record_id)
        return presented

    def create(
        self,
        table: Table,
        body: Mapping[str, Any],
        *,
        user: int | None,
        now: int,
        forced: Mapping[str, Any] | None = None,
    ) -> int:
        """Store a new record and return its ID; ``forced`` columns are kept as they are.

        Raises:
            Refusal: What the API or the database refuses.
        """
        change = _read_change(table, body)
        # A body may set the creator and the time of creation; the time of the change is the server's.
        columns = {"creator": user, "creationdate": now, **change.columns, "lastmodified": now}
        columns = {name: value for name, value in columns.items() if name in table.by_name}
        with self._store.transaction():
            columns |= {**self._keep_files(change, now=now), **(forced or {})}
            record = self._store.insert(table.name, columns)
            self._write_pseudo(table, record, change)
        return record

    def update(self, table: Table, record: int, body: Mapping[str, Any], *, now: int) -> None:
        """Change a record.

        Raises:
            Refusal: What the API or the database refuses.
        """
        change = _read_change(table, body)
        with self._store.transaction():
            columns = change.columns | self._keep_files(change, now=now)
            if "lastmodified" in table.by_name:
                columns["lastmodified"] = now
            self._store.update(table.name, record, columns)
            self._write_pseudo(table, record, change)

    def delete(self, table: Table, record: int) -> None:
        """Remove a record, and what refers to it where the database says so.

        Raises:
            Refusal: 409, if something refers to it that holds it.
        """
        with self._store.transaction():
            self._store.delete(table.name, record)

    def _keep_files(self, change: _Change, *, now: int) -> dict[str, int]:
        return {
            name: self.keep_file(content, kind, now=now) for name, (content, kind) in change.files.items()
        }

    def keep_file(self, content: bytes, kind: str, *, now: int) -> int:
        """Store a file within the current transaction and return its ID."""
        columns = self._store.tables["binfiles"].by_name
        digest = hashlib.md5(content, usedforsecurity=False).hexdigest()
        values = {"size": len(content), "hash": f"\\x{digest}", "mimetype": kind, "creationdate": now}
        values = {name: value for name, value in values.items() if name in columns}
        record = self._store.insert("binfiles", values)
        self._store.set_content(record, content)
        return record

    def _write_pseudo(self, table: Table, record: int, change: _Change) -> None:
        self._store.set_extdata(table.name, record, change.extdata)
        if not change.tags:
            return
        tags = set(change.tags["tags"] if "tags" in change.tags else self._store.tags(table.name, record))
        tags |= set(change.tags.get("+tags", ()))
        tags -= set(change.tags.get("-tags", ()))
        self._store.set_tags(table.name, record, tags)


def _http_date(seconds: Any) -> str:
    if not isinstance(seconds, int) or not 0 <= seconds < 253_402_300_800:
        return ""
    return email.utils.formatdate(seconds, usegmt=True)


def _read_change(table: Table, body: Mapping[str, Any]) -> _Change:
    change = _Change({}, {}, {}, {})
    for name, value in body.items():
        if name == "extdata" and "extdata" in table.writes:
            change.extdata.update(_extdata(value))
        elif name in _TAG_KEYS and "tags" in table.writes:
            change.tags[name] = _tags(value)
        elif name not in table.visible:
            raise bad_request("Invalid field")
        elif name != "ID":
            _read_column(table.visible[name], value, change)
    return change


def _read_column(column: Column, value: Any, change: _Change) -> None:
    if not column.binfile:
        change.columns[column.name] = stored(column, value)
    elif value is None:
        change.columns[column.name] = None
    elif isinstance(value, dict) and len(value) == 1 and value.keys() <= {"content", "uri"}:
        change.files[column.name] = _content(value)
    else:
        # The ID of a stored file can be read, never written.
        raise bad_request(f"Invalid content for {column.name}: one of content and uri is needed")


def _content(value: Mapping[str, Any]) -> tuple[bytes, str]:
    text = next(iter(value.values()))
    if not isinstance(text, str):
        raise bad_request("Invalid content")
    if "content" in value:
        return _base64(text), "application/octet-stream"
    match = _DATA_URI.fullmatch(text)
    if match is None:
        raise bad_request("Invalid data URI")
    kind, parameters, data = match.groups()
    content = _base64(data) if parameters.endswith(";base64") else unquote_to_bytes(data)
    return content, kind or "text/plain"


def _base64(text: str) -> bytes:
    try:
        return base64.b64decode(re.sub(r"\s", "", text), validate=True)
    except binascii.Error:
        raise bad_request("Invalid base64 content") from None


def _extdata(value: Any) -> dict[str, Any]:
    if value == []:
        return {}
    if not isinstance(value, dict):
        raise bad_request("Invalid extdata")
    for name, item in value.items():
        if not name or isinstance(item, bool) or not isinstance(item, str | int | float | None):
            raise bad_request("Invalid extdata")
        if isinstance(item, int) and abs(item) >= 2**63:
            raise bad_request("Invalid extdata")
    return value


def _tags(value: Any) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(tag, str) for tag in value):
        raise bad_request("Invalid tags")
    # The rule of the database's tag names.
    for tag in value:
        if not tag or re.search(r"^[ \t\v/]|[ \t\v/]\Z|[\r\n]|//", tag):
            raise bad_request("Invalid tags")
    return value
