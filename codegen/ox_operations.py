"""The operations of Open-Xchange's HTTP API: from the catalogue and our corrections to methods.

The catalogue has a row for each operation: method, path, parameters, body, response. It does not say what a caller
needs to know: which parameters are columns, whether a response is one record or rows of columns or nothing, whether
the call may be repeated. ``_OperationReader`` decides that for one row, in this order: what the overlay says of the
operation, what it says of the module, what follows from the types of the row. An operation that none of these decides
gives plain JSON, which is always true, if less handy.

The reader never guesses a name: two methods of one name, and an operation without an action, are errors until the
overlay names them. Left out are ``timezone`` and ``plainJson``, which the library sends by itself.
"""

from __future__ import annotations

import json
import keyword
import re
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import attrs

from .corrections import OVERLAYS
from .ox_extract import OPERATIONS
from .ox_schemas import ENVELOPE, Schemas

OVERLAY: Final = OVERLAYS / "ox.toml"

_KINDS: Final = {"string": "text", "integer": "integer", "long": "integer", "boolean": "boolean"}
_VALUES: Final = {"string": "text", "integer": "integer", "long": "integer", "boolean": "boolean"}
_ARRAY: Final = re.compile(r"array\[(.*)\]")
_FILES: Final = ("application/octet-stream", "application/zip")


@attrs.frozen(kw_only=True)
class ParamFacts:
    """One parameter; as the library's ``Param``, with the document's default for the docstring."""

    name: str
    attribute: str
    kind: str
    required: bool = False
    choices: tuple[str, ...] = ()
    sent: str = ""
    in_path: bool = False
    many: bool = False
    explicit: bool = False
    default: str = ""


@attrs.frozen(kw_only=True)
class BodyFacts:
    """A body; as the library's ``Body``."""

    shape: str
    record: str = ""
    kind: str = "any"
    required: bool = True
    wrap: str = ""
    outer: str = ""
    part: str = ""
    file: str = ""
    file_required: bool = True
    media_type: str = ""


@attrs.frozen(kw_only=True)
class OxOperationFacts:
    """One operation; as the library's ``Spec``, with what it does in our words."""

    id: str
    module: str
    name: str
    action: str
    method: str
    path: str
    fixed: tuple[tuple[str, str], ...]
    params: tuple[ParamFacts, ...]
    body: BodyFacts | None
    returns: str
    record: str = ""
    kind: str = "any"
    key: str = ""
    target: str = ""
    columns: str = ""
    safety: str = "ONCE"
    batchable: bool = True
    session: bool = True
    oauth: bool = True
    scopes: tuple[str, ...] = ()
    html: bool = False
    bare: bool = False
    may_be_missing: bool = False
    may_be_empty: bool = False
    deprecated: bool = False
    registered: bool = True
    since: str = ""
    summary: str = ""


def load_overlay(path: Path = OVERLAY) -> dict[str, Any]:
    """Read our corrections; a part that the file lacks is empty.

    Raises:
        ValueError: The file has a part that no generator reads, such as a misspelt one.
    """
    parts: dict[str, Any] = {name: {} for name in _PARTS}
    parts |= {name: [] for name in _LISTS}
    read = tomllib.loads(path.read_text("utf-8"))
    if unknown := read.keys() - parts.keys():
        raise ValueError(f"{path.name}: nobody reads {sorted(unknown)}")
    return parts | read


_PARTS: Final = [
    "names",
    "renamed",
    "schemas",
    "models",
    "kinds",
    "codes",
    "inline",
    "returns",
    "answers",
    "bodies",
    "params",
    "targets",
    "columns",
    "says",
    "safety",
    "enums",
    "groups",
    "glossary",
    "fixed",
    "public",
    "modules",
    "records",
]
_LISTS: Final = ("costly",)


def load_operations(overlay: Mapping[str, Any], schemas: Schemas) -> list[OxOperationFacts]:
    """Read every operation of the catalogue, in its order.

    Raises:
        ValueError: Two methods of a module have one name, or the overlay names what does not exist.
    """
    rows: list[dict[str, Any]] = json.loads(OPERATIONS.read_text("utf-8"))
    operations = [_OperationReader(overlay, schemas, row).operation() for row in rows]
    names = [f"{one.module}.{one.name}" for one in operations]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ValueError(f"two methods of one name: {twice}; name them apart in the overlay")
    for part in ("returns", "bodies", "targets", "columns", "says", "params", "fixed"):
        depth = 2 if part == "params" else 1
        if unknown := [
            name
            for name in overlay[part]
            if name.count(".") == depth and ".".join(name.split(".")[:2]) not in names
        ]:
            raise ValueError(f"the overlay's {part} are about what does not exist: {unknown}")
    named = {name for listed in overlay["answers"].values() for name in listed}
    if unknown := sorted(named - set(names)):
        raise ValueError(f"the overlay's answers are about what does not exist: {unknown}")
    return operations


def to_snake_case(name: str) -> str:
    """Return a name as Python writes it: ``rangeStart`` → ``range_start``, ``from`` → ``from_``."""
    spaced = re.sub(r"UIDs\b", "Uids", name)
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", spaced)
    plain = re.sub(r"\W+", "_", spaced).lower()
    return f"{plain}_" if keyword.iskeyword(plain) else plain


class _OperationReader:
    """The reading of one row of the catalogue, as the overlay corrects it."""

    def __init__(self, overlay: Mapping[str, Any], schemas: Schemas, row: Mapping[str, Any]) -> None:
        self._overlay = overlay
        self._schemas = schemas
        self._row = row
        self._id = f"{row['module']}:{row['operation_id']}"
        named = overlay["names"]
        self.name = (
            named.get(self._id) or named.get(row["operation_id"]) or to_snake_case(row.get("action") or "")
        )
        if not self.name:
            raise ValueError(f"{self._id}: {row['method']} {row['path']} needs a name in the overlay")
        self.full = f"{row['module']}.{self.name}"

    def operation(self) -> OxOperationFacts:
        row = self._row
        security = row.get("security") or []
        shape = self._returns()
        body = self._body()
        scopes = row.get("oauth_scopes") or ()
        return OxOperationFacts(
            id=row["operation_id"],
            module=row["module"],
            name=self.name,
            action=row.get("action") or "",
            method=row["method"],
            path=row["path"].lstrip("/"),
            fixed=tuple((row.get("fixed_query") or self._overlay["fixed"].get(self.full) or {}).items()),
            params=tuple(self._params()),
            body=body,
            target=self._target(),
            columns=self._columns(),
            safety=self._safety(),
            batchable=self._batchable(shape["returns"], body),
            session=bool(security),
            oauth="oauth" in security,
            scopes=tuple(scopes),
            html=bool((row.get("response") or {}).get("html_wrapped_json")),
            bare=self._is_bare(),
            may_be_missing=self.full in self._overlay["answers"].get("missing", ()),
            may_be_empty=self.full in self._overlay["answers"].get("empty", ()),
            deprecated=bool(row.get("deprecated")),
            registered=row.get("registered_in_8_19") is not False,
            since=row.get("since") or "",
            summary=self._overlay["says"].get(self.full, ""),
            **shape,
        )

    # -- parameters --------------------------------------------------------------------------------

    def _params(self) -> Iterable[ParamFacts]:
        for param in self._row["params"]:
            if param["name"] in ("timezone", "plainJson"):
                continue  # sent always, by the library itself
            yield self._param(param)

    def _param(self, raw: Mapping[str, Any]) -> ParamFacts:
        changes = dict(self._overlay["params"].get(raw["name"], {}))
        changes |= self._overlay["params"].get(f"{self.full}.{raw['name']}", {})
        kind = changes.get("kind") or self._param_kind(raw)
        choices = tuple(raw.get("enum", ())) if kind == "text" else ()
        return ParamFacts(
            name=raw["name"],
            attribute=self._attribute(raw["name"], changes),
            kind=kind,
            required=bool(raw.get("required")) and not changes.get("optional", False),
            choices=tuple(changes.get("choices", choices)),
            sent=changes.get("sent", ""),
            in_path=raw["in"] == "path",
            many=changes.get("many", raw["type"] == "array[string]"),
            explicit=changes.get("explicit", False),
            default=str(raw["default"]) if raw.get("default") not in (None, "") else "",
        )

    def _attribute(self, name: str, changes: Mapping[str, Any]) -> str:
        if name == "timestamp" and self._row.get("action") == "updates":
            return "since"  # not the last change of one object, but where the last answer ended
        return str(changes.get("attribute", to_snake_case(name)))

    def _param_kind(self, raw: Mapping[str, Any]) -> str:
        if raw["name"] == "columns" and self._columns():
            return "fields" if self._schemas[self._columns()].named else "columns"
        if raw["name"] == "fields":
            return "fields" if self._columns() else "text"
        if raw["name"] == "sort" and self._columns():
            return "sort_field" if self._schemas[self._columns()].named else "sort"
        return _KINDS.get(raw["type"], "text")

    def _columns(self) -> str:
        schemas_by_name = self._overlay["columns"]
        names = {param["name"] for param in self._row["params"]}
        if not names & {"columns", "fields", "sort"}:
            return ""
        return str(schemas_by_name.get(self.full, schemas_by_name.get(self._row["module"], "")))

    def _target(self) -> str:
        targets = self._overlay["targets"]
        if self.full in targets:
            return str(targets[self.full])
        names = {param["name"] for param in self._row["params"] if param["in"] == "query"}
        return str(targets.get(self._row["module"], "")) if "id" in names else ""

    # -- body --------------------------------------------------------------------------------------

    def _body(self) -> BodyFacts | None:
        raw = self._row.get("body")
        override = self._overlay["bodies"].get(self.full)
        if override is not None:
            return BodyFacts(**override) if override else None
        if raw is None:
            return None
        content, ref = raw["content_type"] or "application/json", raw["schema_ref"]
        required = bool(raw["required"])
        if content == "multipart/form-data":
            return self._parts(ref)
        if content == "application/octet-stream":
            return BodyFacts(shape="raw", required=required)
        if content == "application/x-www-form-urlencoded" and self._row["method"] == "POST":
            return BodyFacts(shape="form", record=self._schemas.name(ref))
        return self._json(ref, required)

    def _parts(self, ref: str) -> BodyFacts:
        names = {field["name"]: field for field in self._schemas.raw_fields(ref)}
        file = next((name for name, field in names.items() if field["type"] == "binary"), "")
        return BodyFacts(
            shape="parts",
            part=next((name for name in names if name.lower().startswith("json")), ""),
            file=file,
            file_required=bool(file) and bool(names[file].get("required")),
        )

    def _json(self, ref: str, required: bool) -> BodyFacts:
        if match := _ARRAY.fullmatch(ref):
            if match.group(1) in _VALUES:
                return BodyFacts(shape="values", kind=_VALUES[match.group(1)], required=required)
            if match.group(1) in self._schemas:
                return BodyFacts(
                    shape="records", record=self._schemas.name(match.group(1)), required=required
                )
        elif ref in self._schemas and self._schemas.raw_fields(ref):
            return BodyFacts(shape="record", record=self._schemas.name(ref), required=required)
        return BodyFacts(shape="json", required=required)

    # -- result ------------------------------------------------------------------------------------

    def _returns(self) -> dict[str, str]:
        if override := self._overlay["returns"].get(self.full):
            return dict(override)
        response = self._row.get("response") or {}
        if response.get("schema_ref") == "binary" or response.get("content_type") in _FILES:
            return {"returns": "download"}
        if response.get("content_type") is None:
            return {"returns": "nothing"}
        if (action := self._row.get("action")) == "updates" and self._columns():
            return {"returns": "updates", "record": self._columns()}
        data = response.get("data_type")
        if data is None:
            return self._whole(response["schema_ref"])
        if data.startswith("array") and self._columns() and self._has_columns():
            return {"returns": "rows", "record": self._columns()}
        return self._typed(data, response["schema_ref"], action or "")

    def _has_columns(self) -> bool:
        return any(param["name"] == "columns" for param in self._row["params"])

    def _typed(self, data: str, ref: str, action: str) -> dict[str, str]:
        if data in _VALUES:
            return {"returns": "value", "kind": _VALUES[data]}
        if match := _ARRAY.fullmatch(data):
            inner = match.group(1)
            if inner in _VALUES:
                return {"returns": "values", "kind": _VALUES[inner]}
            if inner in self._schemas and inner != "object":
                return {"returns": "rows", "record": self._schemas.name(inner)}
            return self._of_inline(ref, "rows")
        if data in self._schemas and data != "object":
            return {"returns": "record", "record": self._schemas.name(data)}
        return self._of_inline(ref, "record")

    def _of_inline(self, ref: str, shape: str) -> dict[str, str]:
        """Return the result of a response that describes its object in place: a schema of its own, if it has fields."""
        fields = next((f.get("fields") for f in self._schemas.raw_fields(ref) if f["name"] == "data"), None)
        if not fields:
            return {"returns": "json"}
        record = self._schemas.parse_type(ref, {"name": "data", "fields": fields}, "object")[1]
        return {"returns": shape, "record": record}

    def _whole(self, ref: str) -> dict[str, str]:
        """Return the result of a response without ``data``: no envelope, or the payload lies beside the envelope's fields."""
        if ref == "CommonResponse":
            return {"returns": "nothing"}
        if ref == "array[string]":
            return {"returns": "values", "kind": "text"}
        if ref in self._schemas:
            fields = [
                field["name"] for field in self._schemas.raw_fields(ref) if field["name"] not in ENVELOPE
            ]
            if fields == ["success"]:
                return {"returns": "value", "kind": "boolean", "key": "success"}
            if fields and "data" not in fields:
                return {"returns": "record", "record": self._schemas.name(ref)}
        return {"returns": "json"}

    def _is_bare(self) -> bool:
        """Return whether the document describes an answer without an envelope, or not at all."""
        response = self._row.get("response") or {}
        ref = str(response.get("schema_ref"))
        return self.full in self._overlay["answers"].get("bare", ()) or (
            response.get("content_type") == "application/json"
            and response.get("data_type") is None
            and ref not in self._schemas
        )

    # -- sending -----------------------------------------------------------------------------------

    def _safety(self) -> str:
        """Return how an operation may be repeated: GETs read and all else writes, unless the overlay says otherwise."""
        for safety in ("reads", "repeatable", "writes"):
            named: list[str] = self._overlay["safety"][safety]
            if self.full in named or f"*.{self.name}" in named:
                return {"reads": "READ", "repeatable": "REPEATABLE", "writes": "ONCE"}[safety]
        return "READ" if self._row["method"] == "GET" else "ONCE"

    def _batchable(self, returns: str, body: BodyFacts | None) -> bool:
        json_body = body is None or body.shape in ("record", "records", "values", "json")
        return (
            bool(self._row.get("action"))
            and json_body
            and returns not in ("download", "page")
            and self._row["module"] not in self._overlay["safety"]["alone"]
            and bool(self._row.get("security"))
        )
