"""What is sent by a create, a put or a patch: the caller's values, checked against the document."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from ...errors import InvalidArgument, UnknownField
from ...schema import Field, Kind
from ..base.values import encode, to_wire
from .tables import Schema

__all__ = ["ID", "check_locations", "prepare"]

ID: Final = re.compile("[0-9A-F]{32}")
_STORE: Final = "keyValueStore"
_MOST_KEYS: Final = 20
_LARGEST_VALUE: Final = 20 * 1024
_TRIO: Final = ("definesOwnResponsible", "responsibleGroups", "responsibleUsers")


def prepare(schema: Schema, values: Mapping[str, Any], *, create: bool) -> dict[str, Any]:
    """The body of a create (or put) or of a patch.

    Args:
        schema: What is written.
        values: Field → value.
        create: Whether required fields must be there.

    Returns:
        The body's values.

    Raises:
        UnknownField: The resource has no such field.
        InvalidArgument: A value does not fit its field, a required one is missing, or ones that go together are
            not together.
    """
    body = {name: _value(schema, name, value, create=create) for name, value in values.items()}
    if create:
        _check_whole(schema, body)
    else:
        _check_patch(schema, body)
    return body


def _value(schema: Schema, name: str, value: Any, *, create: bool) -> Any:
    where = f"{schema.entity.singular}.{name}"
    field = schema.writes.get(name)
    if field is None:
        if name in schema.entity.fields:
            raise InvalidArgument(f"{where} is set by the server and can't be written")
        raise UnknownField(name, schema.entity.name, schema.writes)
    if not create and name in schema.fixed:
        raise InvalidArgument(f"{where} can only be given when the record is created, not in a patch")
    if value is None:
        if not field.nullable:
            raise InvalidArgument(f"{where} can't be empty (None); leave it out to keep or default it")
        return None
    if field.kind is Kind.ARRAY:
        return _array(where, field, value)
    return _object(where, name, value) if field.kind is Kind.JSON else to_wire(where, field, value)


def _array(where: str, field: Field, value: Any) -> list[Any]:
    if isinstance(value, str | bytes | Mapping) or not isinstance(value, Iterable):
        raise InvalidArgument(f"{where} takes a list, not {value!r:.60}")
    items = sorted(value) if isinstance(value, set | frozenset) else list(value)
    wrong = [item for item in items if not (isinstance(item, str) and ID.fullmatch(item))]
    if field.pattern is not None and wrong:
        raise InvalidArgument(f"{where} takes IDs of 32 upper-case hexadecimal digits, not {wrong[0]!r:.60}")
    if field.name == "locations" and not all(isinstance(item, Mapping) for item in items):
        raise InvalidArgument(f"{where} takes locations, which are dicts, not {items!r:.60}")
    return items


def _object(where: str, name: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
        raise InvalidArgument(f"{where} takes a dict with text keys, not {value!r:.60}")
    if name == _STORE:
        _check_store(where, value)
    return dict(value)


def _check_store(where: str, values: Mapping[str, Any]) -> None:
    """At most 20 properties, each of at most 20 KiB as JSON."""
    if len(values) > _MOST_KEYS:
        raise InvalidArgument(f"{where} takes at most {_MOST_KEYS} properties, not {len(values)}")
    for key, value in values.items():
        size = len(encode(value, what=f"{where}[{key!r:.60}]"))
        if size > _LARGEST_VALUE:
            raise InvalidArgument(f"{where}[{key!r:.60}] takes at most 20 KiB as JSON, not {size:,} bytes")


def _check_whole(schema: Schema, body: Mapping[str, Any]) -> None:
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
    given = [name for name in _TRIO if name in body]
    # Inheriting needs no lists; in all other cases the server empties the list that is left out.
    if given and len(given) < len(_TRIO) and body.get(_TRIO[0]) is not False:
        missing = [name for name in _TRIO if name not in body]
        raise InvalidArgument(
            f"{schema.entity.singular}: {', '.join(_TRIO)} go together, since the server empties a list that is left "
            f"out: give {' and '.join(missing)} too"
        )
    for place, location in enumerate(body.get("locations", ())):
        if location.get("id") is None and location.get("number") is None:
            raise InvalidArgument(f"locations[{place}] needs its id or its number in a patch")


def check_locations(stored: Iterable[Any] | None, given: Iterable[Mapping[str, Any]]) -> None:
    """Refuse a patch that would delete locations, which is what leaving them out means.

    Args:
        stored: The customer's locations.
        given: Those of the patch.

    Raises:
        InvalidArgument: One of the stored ones is missing; the message names it.
    """
    ids, numbers = ({location.get(key) for location in given} - {None} for key in ("id", "number"))
    lost = [
        location
        for location in stored or ()
        if isinstance(location, Mapping)
        and location.get("id") not in ids
        and (location.get("number") is None or location.get("number") not in numbers)
    ]
    if lost:
        names = ", ".join(repr(one.get("number") or one.get("id")) for one in lost)
        raise InvalidArgument(
            f"locations must be complete: the customer has {names} too, which would be deleted. Give all of them, or "
            "say delete_locations=True"
        )
