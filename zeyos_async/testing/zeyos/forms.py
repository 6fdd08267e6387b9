"""Request bodies: JSON, and forms with PHP's brackets (``fields[]=ID&filters[visibility]=0``)."""

from __future__ import annotations

import re
from typing import Any, Final
from urllib.parse import parse_qsl

from .refusals import Refusal, bad_request
from .values import parse_json

__all__ = ["nested", "numbered", "read_body", "read_names", "read_query"]

_KEY: Final = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])*)")
_PART: Final = re.compile(r"\[([^\[\]]*)\]")


def read_body(content_type: str, body: bytes) -> dict[str, Any]:
    """Read the object that a body holds; no body is an empty object.

    Raises:
        Refusal: 400 for a malformed body, 415 for a type that the API does not take.
    """
    if not body:
        return {}
    kind = content_type.partition(";")[0].strip().lower()
    if kind == "application/x-www-form-urlencoded":
        return read_query(_text(body))
    if kind != "application/json":
        raise Refusal(415, f"Unsupported Media Type: {kind or 'no content type'}")
    value = parse_json(_text(body))
    # PHP has one type for lists and objects: an empty object is sent as [] by clients in PHP.
    if value == []:
        return {}
    if not isinstance(value, dict):
        raise bad_request("Invalid request body")
    return value


def _text(body: bytes) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError:
        raise bad_request("Invalid encoding of the request body") from None


def read_query(text: str) -> dict[str, Any]:
    """Read the nested object of a form or a query string."""
    try:
        pairs = parse_qsl(text, keep_blank_values=True, errors="strict")
    except (ValueError, UnicodeDecodeError):
        raise bad_request("Invalid form") from None
    return nested(pairs)


def nested(pairs: list[tuple[str, str]]) -> dict[str, Any]:
    """Put pairs with bracketed names together as PHP does; keys 0, 1, 2, … become a list.

    Raises:
        Refusal: 400 for a malformed name, or a name that is both a value and a container.
    """
    root: dict[str, Any] = {}
    for name, value in pairs:
        # OpenAPI's way to send an array, and its default: the key again for each item.
        name = "expand[]" if name == "expand" else name
        match = _KEY.fullmatch(name)
        if match is None:
            raise bad_request(f"Invalid form field {name}")
        _place(root, [match.group(1), *_PART.findall(match.group(2))], value)
    return {key: _listed(value) for key, value in root.items()}


def _place(root: dict[str, Any], keys: list[str], value: str) -> None:
    at = root
    for key in keys[:-1]:
        at = at.setdefault(key or str(len(at)), {})
        if not isinstance(at, dict):
            raise bad_request(f"Invalid form field {keys[0]}")
    at[keys[-1] or str(len(at))] = value


def _listed(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    items = {key: _listed(item) for key, item in value.items()}
    if list(items) == [str(index) for index in range(len(items))]:
        return list(items.values())
    return items


def numbered(value: Any) -> dict[str, Any]:
    """Return a container as an object: a list's items under their numbers, as PHP sees both.

    Text is read as JSON first, since the documents allow "array/json".

    Raises:
        Refusal: 400, if it is no container.
    """
    if isinstance(value, str) and value[:1] in ("[", "{"):
        value = parse_json(value)
    if isinstance(value, list):
        return {str(index): item for index, item in enumerate(value)}
    if not isinstance(value, dict):
        raise bad_request("Invalid parameter: an array or an object is needed")
    return value


def read_names(value: Any) -> list[str]:
    """Return names, however they were written: as JSON, with brackets, repeated, with commas.

    Raises:
        Refusal: 400, if they are no names.
    """
    names: list[str] = []
    for item in [value] if isinstance(value, str) else numbered(value).values():
        if not isinstance(item, str):
            raise bad_request("Invalid parameter: an array of names is needed")
        names += read_names(parse_json(item)) if item[:1] in ("[", "{") else item.split(",")
    return names
