"""Bodies of creates, puts and patches: the caller's values, checked against the document."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from ...errors import InvalidArgument, UnknownField, quote_value
from ...schema import Field, Kind
from ..base.values import encode_json, to_wire
from .tables import Schema

__all__ = ["ID_PATTERN", "check_locations", "has_values", "prepare_body"]

ID_PATTERN: Final = re.compile("[0-9A-F]{32}")
_STORE: Final = "keyValueStore"
_MAX_STORE_KEYS: Final = 20
_MAX_STORE_VALUE: Final = 20 * 1024
_RESPONSIBLE_FIELDS: Final = ("definesOwnResponsible", "responsibleGroups", "responsibleUsers")


def prepare_body(schema: Schema, values: Mapping[str, Any], *, create: bool) -> dict[str, Any]:
    """Return the body of a create (or put) or of a patch.

    Args:
        schema: The resource that is written.
        values: Field → value.
        create: Whether it is a create, which needs the required fields.

    Returns:
        The body's values.

    Raises:
        UnknownField: The resource has no such field.
        InvalidArgument: A value does not fit its field, a required one is missing, or ones that go together are
            not together.
    """
    body = {name: _field_value(schema, name, value, create=create) for name, value in values.items()}
    if create:
        _check_required(schema, body)
    else:
        _check_patch(schema, body)
    return body


def _field_value(schema: Schema, name: str, value: Any, *, create: bool) -> Any:
    label = f"{schema.entity.singular}.{name}"
    field = schema.writes.get(name)
    if field is None:
        if name in schema.entity.fields:
            raise InvalidArgument(f"{label} is set by the server and can't be written")
        raise UnknownField(name, schema.entity.name, schema.writes)
    if not create and name in schema.fixed:
        raise InvalidArgument(f"{label} can only be given when the record is created, not in a patch")
    if value is None:
        if not field.nullable:
            raise InvalidArgument(f"{label} can't be empty (None); leave it out to keep or default it")
        return None
    if field.kind is Kind.ARRAY:
        return _check_array(label, field, value)
    return _check_object(label, name, value) if field.kind is Kind.JSON else to_wire(label, field, value)


def _check_array(label: str, field: Field, value: Any) -> list[Any]:
    if isinstance(value, str | bytes | Mapping) or not isinstance(value, Iterable):
        raise InvalidArgument(f"{label} takes a list, not {quote_value(value)}")
    items = sorted(value) if isinstance(value, set | frozenset) else list(value)
    no_ids = [item for item in items if not (isinstance(item, str) and ID_PATTERN.fullmatch(item))]
    if field.pattern is not None and no_ids:
        raise InvalidArgument(
            f"{label} takes IDs of 32 upper-case hexadecimal digits, not {quote_value(no_ids[0])}"
        )
    if field.name == "locations" and not all(isinstance(item, Mapping) for item in items):
        raise InvalidArgument(f"{label} takes locations, which are dicts, not {quote_value(items)}")
    return items


def _check_object(label: str, name: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
        raise InvalidArgument(f"{label} takes a dict with text keys, not {quote_value(value)}")
    if name == _STORE:
        _check_store(label, value)
    return dict(value)


def _check_store(label: str, values: Mapping[str, Any]) -> None:
    """Refuse more than 20 properties, or one of more than 20 KiB as JSON."""
    if len(values) > _MAX_STORE_KEYS:
        raise InvalidArgument(f"{label} takes at most {_MAX_STORE_KEYS} properties, not {len(values)}")
    for key, value in values.items():
        size = len(encode_json(value, operation=f"{label}[{quote_value(key)}]"))
        if size > _MAX_STORE_VALUE:
            raise InvalidArgument(
                f"{label}[{quote_value(key)}] takes at most 20 KiB as JSON, not {size:,} bytes"
            )


def _check_required(schema: Schema, body: Mapping[str, Any]) -> None:
    missing = [
        field.name for field in schema.writes.values() if field.required and body.get(field.name) is None
    ]
    if missing:
        raise InvalidArgument(
            f"{schema.entity.singular} can't be created without {' and '.join(missing)}; "
            "the server has no default for it"
        )


def _check_patch(schema: Schema, body: Mapping[str, Any]) -> None:
    if not body:
        raise InvalidArgument(f"{schema.entity.name}: nothing to change was given")
    missing = [name for name in _RESPONSIBLE_FIELDS if name not in body]
    # Inheriting needs no lists; in all other cases the server empties the list that is left out.
    if 0 < len(missing) < len(_RESPONSIBLE_FIELDS) and body.get("definesOwnResponsible") is not False:
        raise InvalidArgument(
            f"{schema.entity.singular}: {', '.join(_RESPONSIBLE_FIELDS)} go together, since the server empties a list that is left "
            f"out: give {' and '.join(missing)} too"
        )
    for index, location in enumerate(body.get("locations", ())):
        # A location with neither would be created, and the one that it was meant to change be deleted.
        if location.get("id") is None and _is_empty(location.get("number")):
            raise InvalidArgument(f"locations[{index}] needs its id or its number in a patch")


def check_locations(stored: Iterable[Any] | None, patched: Iterable[Mapping[str, Any]]) -> None:
    """Refuse a patch that would delete locations: the server deletes those that a patch leaves out.

    Args:
        stored: The customer's locations.
        patched: The locations of the patch.

    Raises:
        InvalidArgument: One of the stored ones is missing; the message names it.
    """
    unused = list(patched)
    missing = []
    for item in stored or ():
        location: Mapping[str, Any] = (
            item if isinstance(item, Mapping) else {}
        )  # unreadable: nothing can mean it
        # One to one: two locations of one number, or of none, are not both meant by a single location of the patch.
        match = _find_location(location, unused)
        if match is None:
            missing.append(location)
        else:
            unused.remove(match)
    if missing:
        labels = [location.get("number") or location.get("id") for location in missing]
        names = ", ".join("one without number and id" if not label else repr(label) for label in labels)
        raise InvalidArgument(
            f"locations must be complete: the customer has {names} too, which would be deleted. Give all of them, or "
            "say delete_locations=True"
        )


def _find_location(
    location: Mapping[str, Any], patched: Iterable[Mapping[str, Any]]
) -> Mapping[str, Any] | None:
    """Return the location of a patch that means a stored one: by its ID, or else by a number that is not empty."""
    by_id = [item for item in patched if item.get("id") is not None]
    number = location.get("number")
    same_id = [item for item in by_id if item["id"] == location.get("id")]
    if same_id or _is_empty(number):
        return next(iter(same_id), None)
    without_id = (item for item in patched if item.get("id") is None)
    return next((item for item in without_id if str(item.get("number")) == str(number)), None)


def _is_empty(value: Any) -> bool:
    return value is None or not str(value).strip()


def has_values(stored: Any, body: Mapping[str, Any]) -> bool:
    """Return whether a stored record shows all the values of a write; a value that is not shown can't be told."""
    if not isinstance(stored, Mapping):
        return False
    return all(_is_same(value, stored.get(name)) for name, value in body.items())


def _is_same(sent: Any, stored: Any) -> bool:
    if isinstance(sent, Mapping):  # the server may add keys of its own, as a location's id
        return isinstance(stored, Mapping) and all(
            _is_same(value, stored.get(key)) for key, value in sent.items()
        )
    if isinstance(sent, list):
        return (
            isinstance(stored, list)
            and len(sent) == len(stored)
            and all(_is_same(*pair) for pair in zip(sent, stored, strict=True))
        )
    if isinstance(sent, str) and isinstance(stored, str):
        return sent.strip() == stored.strip()  # servers trim texts
    return bool(sent == stored)
