"""``filters`` of a list: read strictly, and applied to rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from .models import TEXT, Field, Model, Value
from .refusals import BAD_REQUEST, GeneralRefusal
from .store import Row

__all__ = ["Test", "read_filters"]

Test = Callable[[Row], bool]

_ALL_FIELDS: Final = "query"
_ORDERED: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "eql": lambda stored, value: stored == value,
    "lt": lambda stored, value: stored < value,
    "gt": lambda stored, value: stored > value,
    "lte": lambda stored, value: stored <= value,
    "gte": lambda stored, value: stored >= value,
}
_COMPARISONS: Final = (*_ORDERED, "like", "in", "is", "isnot")
_PROPERTIES: Final = {"fieldname", "comparison", "value"}


def read_filters(items: Any, model: Model) -> list[Test]:
    """Read the tests that a row must pass, all of them.

    Raises:
        GeneralRefusal: An item is not as the document has it.
    """
    if not isinstance(items, list):
        raise _bad_request("filters must be an array")
    return [_read_test(item, model) for item in items]


def _bad_request(text: str) -> GeneralRefusal:
    return GeneralRefusal(BAD_REQUEST, text)


def _read_test(item: Any, model: Model) -> Test:
    if not isinstance(item, dict) or not isinstance(item.get("fieldname"), str):
        raise _bad_request("a filter must be an object with a fieldname")
    # A misspelt property would leave the filter weaker than the client means.
    if unknown := sorted(item.keys() - _PROPERTIES):
        raise _bad_request(f"a filter has no property {unknown[0]}")
    comparison = item.get("comparison", "eql")
    if comparison not in _COMPARISONS:
        raise _bad_request(f"unknown comparison {comparison}")
    if comparison not in ("is", "isnot") and "value" not in item:
        raise _bad_request(f"comparison {comparison} needs a value")
    if item["fieldname"] == _ALL_FIELDS:
        return _test_all_fields(item, model)
    field = model.by_name.get(item["fieldname"])
    if field is None or field.is_password:
        raise _bad_request(f"unknown fieldname {item['fieldname']}")
    return _test_field(field, comparison, item.get("value"))


def _test_field(field: Field, comparison: str, value: Any) -> Test:
    name = field.name
    if comparison in ("is", "isnot"):
        is_null = comparison == "is"
        return lambda row: (row[name] is None) is is_null
    if comparison == "in":
        if not isinstance(value, list):
            raise _bad_request("comparison in needs an array of values")
        values = [_read_value(field, one) for one in value]
        return lambda row: row[name] is not None and row[name] in values
    if comparison == "like":
        return _test_contains([name], value)
    compare, operand = _ORDERED[comparison], _read_value(field, value)
    return lambda row: row[name] is not None and compare(row[name], operand)


def _test_all_fields(item: dict[str, Any], model: Model) -> Test:
    if item.get("comparison", "like") not in ("like", "eql"):
        raise _bad_request("fieldname query goes with comparison like")
    return _test_contains([field.name for field in model.fields if not field.is_password], item["value"])


def _test_contains(names: list[str], value: Any) -> Test:
    """Return a test for a part of a text, without case: in the document's example, Mandy contains ``man``."""
    if not isinstance(value, str | int | float) or isinstance(value, bool):
        raise _bad_request("comparison like needs a text")
    part = str(value).casefold()
    return lambda row: any(row[name] is not None and part in str(row[name]).casefold() for name in names)


def _read_value(field: Field, value: Any) -> Value:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise _bad_request(f"a value for {field.name} must be a text or a number")
    if field.type == TEXT:
        return str(value)
    try:
        read = field.read(value) if not field.choices else int(value)
    except ValueError as error:
        raise _bad_request(f"{field.name}: {error}") from error
    if read is None:
        raise _bad_request(f"{field.name}: an empty value")
    return read
