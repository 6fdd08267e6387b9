"""Stubs are made of what a server says, and nothing of it is run."""

from __future__ import annotations

import builtins
import enum
import typing
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zeyos_async.services.general.forms import Definition, FieldDefinition
from zeyos_async.services.general.stub import stub

_NAMES = st.one_of(
    st.text(min_size=1),
    st.sampled_from(
        [
            "x'), print('",
            "a b",
            "a_b",
            "a-b",
            "a_b_2",
            "class",
            "None",
            "column",
            "int",
            "str",
            "self",
            "_x",
            "x",
            "1",
            "__init__",
            "__slots__",
            "__class__",
            "²",
            "ﬁ",
            "fi",
            '"""',
            "\\",
            "�",
            "mro",
            "enum",
            "attrs",
            "_",
        ]
    ),
)
_CHOICES = st.dictionaries(st.one_of(st.integers(), st.text(min_size=1)), _NAMES, max_size=4)
_FIELDS = st.builds(
    FieldDefinition,
    name=_NAMES,
    title=st.text(),
    type=st.sampled_from([1, 2, 3, None]),
    subtype=st.sampled_from([0, 1, 8, None]),
    choices=st.one_of(st.just({}), _CHOICES),
)


def load(source: str) -> dict[str, Any]:
    """Import a stub, as its file would be."""
    module: dict[str, Any] = {"__name__": "stub"}
    exec(compile(source.encode(), "stub.py", "exec"), module)
    return module


def class_of(module: dict[str, Any]) -> Any:
    (cls,) = (value for value in module.values() if isinstance(value, type) and attrs.has(value))
    return cls


def define(*fields: FieldDefinition, model: str = "Thing") -> Definition:
    return Definition(model=model, fields={field.name: field for field in fields})


@given(model=_NAMES, fields=st.lists(_FIELDS, max_size=5, unique_by=lambda field: field.name))
def test_whatever_the_server_says_is_data(model: str, fields: list[FieldDefinition]) -> None:
    """Each field is there under a name of its own, and keeps its column; each choice keeps its key."""
    module = load(stub(define(*fields, model=model)))
    cls = class_of(module)
    cls()
    typing.get_type_hints(cls)
    columns = [next(iter(attribute.metadata.values())) for attribute in attrs.fields(cls)]
    assert columns == [field.name for field in fields]
    enums = [value for value in module.values() if isinstance(value, type) and issubclass(value, enum.Enum)]
    values = sorted(repr([member.value for member in one]) for one in enums)
    assert values == sorted(repr(list(field.choices)) for field in fields if field.choices)


@pytest.mark.parametrize(
    "text",
    [
        "x'), print('run",
        'x"), print("run',
        "x\nprint('run')",
        "x\r\nprint('run')\x0c",
        '"""\nprint("run")\n"""',
        "\\",
        "x\u2028print('run')",
    ],
)
def test_nothing_that_a_server_says_is_run(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a name, a title, a choice, a key or a model; today a field of such a name is a call."""
    ran: list[Any] = []
    monkeypatch.setattr(builtins, "print", lambda *args: ran.append(args))
    field = FieldDefinition(name=text, title=text, type=2, choices={text: text})
    load(stub(define(field, model=text)))
    assert not ran


def test_titles_do_not_turn_the_source_around() -> None:
    """A character that turns the direction of writing would show the line as another one."""
    source = stub(define(FieldDefinition(name="a\u202eb", title="x\u202ey", type=1)))
    assert "\u202e" not in source
    assert 'column("a\\u202eb", default=None)' in source


@pytest.mark.parametrize(
    ("kind", "subtype", "expected"),
    [
        (1, 0, "str | None"),
        (2, 8, "int | None"),
        (2, 1, "int | None"),
        (2, 0, "str | float | None"),
        (2, None, "str | float | None"),
        (7, 8, "str | float | None"),
    ],
)
def test_a_type_is_what_the_document_says(kind: int, subtype: int | None, expected: str) -> None:
    """Type 2 is documented for IDs and choices only; elsewhere it may be an amount."""
    assert f"    x: {expected} = column" in stub(
        define(FieldDefinition(name="x", type=kind, subtype=subtype))
    )
