"""The actions ``get``, ``create``, ``update`` and ``delete``: records as forms."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .models import UNCHANGED, Field, Model, Value
from .refusals import BAD_REQUEST, FIELD_ERRORS, NO_IDS, UNKNOWN_ID, GeneralRefusal
from .server_options import GeneralServerOptions
from .store import Row, Store

__all__ = ["Forms"]


class Forms:
    """The actions on single records, over a store.

    Args:
        store: The records.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    def get(
        self, model: Model, properties: Mapping[str, Any], server_options: GeneralServerOptions
    ) -> dict[str, Any]:
        """Return the form of the records, or of a new one where ``ids`` is empty.

        Raises:
            GeneralRefusal: There is no such record, or ``ids`` is missing.
        """
        ids = self._read_ids(model, properties)
        if len(ids) > 1 and server_options.multiple_get == "refused":
            raise GeneralRefusal(BAD_REQUEST, "get takes one id at a time")
        return self.form(model, ids)

    def create(self, model: Model, properties: Mapping[str, Any]) -> list[int]:
        """Store a new record and return its ID in a list.

        Raises:
            GeneralRefusal: 113 with a message per field, or the request is not as the document has it.
        """
        if properties.get("ids", []) != []:
            raise GeneralRefusal(BAD_REQUEST, "create takes no ids")
        data = _data(properties)
        if data.get(model.identity.name) not in (None, "", "0"):
            raise _field_errors("create", {model.identity.name: "Wert wird vergeben"})
        written = {name: value for name, value in data.items() if name != model.identity.name}
        values = self._read_values(model, written, [], "create")
        defaults = {field.name: field.default for field in model.fields[1:]}
        objections = self._find_objections(model, defaults | values, [])
        if objections:
            raise _field_errors("create", objections)
        return [self._store.insert(model, values)]

    def update(
        self, model: Model, properties: Mapping[str, Any], server_options: GeneralServerOptions
    ) -> list[int]:
        """Change records and return their IDs.

        Raises:
            GeneralRefusal: 113 with a message per field, or the request is not as the document has it.
        """
        ids = self._read_ids(model, properties, minimum=1)
        changes = self._read_values(model, _data(properties), ids, "update")
        required = {
            field.name: None for field in model.fields[1:] if field.required and not field.is_password
        }
        checked = changes if server_options.partial_updates else required | changes
        objections = self._find_objections(model, checked, ids)
        if objections:
            raise _field_errors("update", objections)
        for record in ids:
            self._store.update(model, record, changes)
        return ids

    def delete(self, model: Model, properties: Mapping[str, Any]) -> None:
        """Remove records.

        Raises:
            GeneralRefusal: There is no such record, or ``ids`` is missing or empty.
        """
        for record in self._read_ids(model, properties, minimum=1):
            self._store.delete(model, record)

    def form(self, model: Model, ids: list[int]) -> dict[str, Any]:
        """Return the fields with the values that these records share; without records, the definition."""
        rows = [row for row in (self._store.row(model, record) for record in ids) if row is not None]
        title = rows[0].get(model.title) if len(rows) == 1 else None
        changeable = "update" in model.actions if rows else "create" in model.actions
        return {
            "fields": [_render_field(field, rows) for field in model.fields],
            "caption": f"{model.caption or model.name}: {title or ''}".rstrip(": "),
            "groups": [],
            "subgroups": [],
            "ids": ids,
            "canDelete": "delete" in model.actions,
            "canSave": changeable,
            "canSaveNew": "create" in model.actions,
        }

    def _read_ids(self, model: Model, properties: Mapping[str, Any], *, minimum: int = 0) -> list[int]:
        ids = properties.get("ids")
        if not isinstance(ids, list) or len(ids) < minimum:
            raise GeneralRefusal(NO_IDS, "ids missing")
        read = [_record_id(one) for one in ids]
        for record in read:
            if self._store.row(model, record) is None:
                raise GeneralRefusal(UNKNOWN_ID, f"{model.name} {record} not found")
        # An ID that is sent twice is one record, and must not be deleted twice.
        return list(dict.fromkeys(read))

    def _read_values(
        self, model: Model, data: Mapping[str, Any], ids: list[int], action: str
    ) -> dict[str, Value]:
        values: dict[str, Value] = {}
        wrong: dict[str, str] = {}
        for name, value in data.items():
            field = model.by_name.get(name)
            try:
                if field is None:
                    raise ValueError("Unbekanntes Feld")
                values |= _read_value(field, value, ids)
            except ValueError as error:
                wrong[name] = str(error)
        if wrong:
            raise _field_errors(action, wrong)
        return values

    def _find_objections(self, model: Model, values: Mapping[str, Value], ids: list[int]) -> dict[str, str]:
        fields = model.by_name
        objections = {name: fields[name].find_objection(value) for name, value in values.items()}
        if model.unique and values.get(model.unique) is not None and self._is_taken(model, values, ids):
            objections[model.unique] = "Wert ist bereits vergeben"
        return {name: text for name, text in objections.items() if text}

    def _is_taken(self, model: Model, values: Mapping[str, Value], ids: list[int]) -> bool:
        key, value = model.identity.name, values[model.unique]
        others = (row for row in self._store.rows(model) if row[key] not in ids)
        # One value for several records would be shared by them, whatever the others have.
        return len(ids) > 1 or any(row[model.unique] == value for row in others)


def _record_id(value: Any) -> int:
    text = str(value)
    if isinstance(value, bool) or not isinstance(value, int | str) or not (text.isascii() and text.isdigit()):
        raise GeneralRefusal(BAD_REQUEST, f"{value!r} is no id")
    return int(text)


def _data(properties: Mapping[str, Any]) -> dict[str, Any]:
    data = properties.get("data")
    if not isinstance(data, dict):
        raise GeneralRefusal(BAD_REQUEST, "data must be an object")
    return data


def _read_value(field: Field, value: Any, ids: list[int]) -> dict[str, Value]:
    """Return the change that a value makes: none for a password that stays, and for the record's own ID."""
    if value is not None and not isinstance(value, str):
        raise ValueError("Wert muss ein Text sein")
    if field.is_password and value == UNCHANGED:
        if not ids:
            raise ValueError("Wert muss angegeben werden")
        return {}
    if field.is_identity:
        if [value] != [str(record) for record in ids]:
            raise ValueError("Wert kann nicht geändert werden")
        return {}
    if field.disabled:
        raise ValueError("Wert kann nicht geändert werden")
    return {field.name: field.read(value)}


def _field_errors(action: str, messages: dict[str, str]) -> GeneralRefusal:
    text = f"{action.capitalize()} error, see error message. Field specific messages see response.data"
    return GeneralRefusal(FIELD_ERRORS, text, fields=messages)


def _render_field(field: Field, rows: list[Row]) -> dict[str, Any]:
    values = [row[field.name] for row in rows] or [field.default]
    value = values[0] if all(one == values[0] for one in values) else None
    # A definition has no password to keep unchanged.
    form_text = None if field.is_password and not rows else field.to_form_text(value)
    return {
        "fieldname": field.name,
        "displayname": field.title,
        "type": field.type,
        "subtype": field.subtype,
        "required": field.required,
        "defaultvalue": None if field.default is None else str(field.default),
        "disabled": field.disabled,
        "infotext": False,
        "value": form_text,
        "displayvalue": field.to_display_text(value) if form_text is not None else "",
        "listkeys": list(field.choices),
        "listvalues": list(field.choices.values()),
    }
