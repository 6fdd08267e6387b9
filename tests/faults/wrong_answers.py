"""Answers that are wrong in a way that a client can notice: other IDs, no IDs, rows twice, nothing, odd statuses.

What looks right is left out, as no client can tell it: an empty list of rows, the ID of another record in answer to
a create, a 204 to a delete that the server never got.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from typing import Any, Final

import attrs

from zeyos_async.testing.proxy import (
    Passage,
    ProxyFault,
    answered,
    closing_bytes,
    edited,
    emptied,
    half_an_answer,
    late_status,
    one_more_answer,
    weak_validator,
)

__all__ = ["WRONG_ANSWERS", "Reading", "draw_wrong_answer", "rows_of"]

_EMPTY: Final = (b"", b"{}", b"null", b'""', b" ")
_NO_IDS: Final = (None, "", True, 1.5, [], {})
_BEYOND_NUMBERS: Final = (0, -5, "x y")
_STATUSES: Final = (202, 206, 300, 304, 399, 408, 504)
_MAX_LATE: Final = 0.005


@attrs.frozen(kw_only=True)
class Reading:
    """What the faults have to know of an API.

    Attributes:
        id_keys: The names under which a record's ID stands.
        is_create: Whether a request creates.
        takes_any_text: Whether any text and any whole number may be an ID.
        takes_any_success: Whether any 2xx is right for a request, whatever it says.
        empty: More bodies that hold nothing.
    """

    id_keys: tuple[str, ...]
    is_create: Callable[[Passage], bool]
    takes_any_text: bool = True
    takes_any_success: Callable[[Passage], bool] = lambda passage: passage.method == "DELETE"
    empty: tuple[bytes, ...] = ()


def draw_wrong_answer(draw: random.Random, passage: Passage, reading: Reading) -> ProxyFault:
    """Draw a fault that suits a request."""
    makers = [make for make, _ in WRONG_ANSWERS.values()]
    return draw.choices(makers, [weight for _, weight in WRONG_ANSWERS.values()])[0](draw, passage, reading)


def _after(draw: random.Random) -> float:
    return draw.choice([0.0, 0.0, 0.0005, 0.002])


def _draw_status(draw: random.Random, passage: Passage, reading: Reading) -> ProxyFault:
    act = draw.random() < 0.5
    # The server acts before it says 408, which means that it did not get the request: of a write that is a lie.
    status = draw.choice([status for status in _STATUSES if not (act and status == 408)])
    if status < 300 and not act and reading.takes_any_success(passage):
        status = 504
    return answered(status, act=act, late=draw.choice([0.0, draw.uniform(0.0005, _MAX_LATE)]))


def _draw_ids(draw: random.Random, passage: Passage, reading: Reading) -> ProxyFault:
    if reading.is_create(passage):
        bad = draw.choice(_NO_IDS if reading.takes_any_text else (*_NO_IDS, *_BEYOND_NUMBERS))
        return edited(lambda value: _change_ids(value, reading.id_keys, lambda _: bad), name="no ID")
    return edited(lambda value: _change_ids(value, reading.id_keys, _other_id), name="the ID of another")


def _draw_rows(draw: random.Random, passage: Passage, reading: Reading) -> ProxyFault:
    return edited(_repeat_row, name="a row twice")


def _change_ids(value: Any, keys: tuple[str, ...], change: Callable[[Any], Any]) -> Any:
    """Change the ID of a record; lists of rows stay, as other rows look as right as these."""
    if not isinstance(value, dict) or rows_of(value) is not None:
        return value
    return {
        key: (
            [change(item) for item in item_or_items]
            if key in keys and isinstance(item_or_items, list)
            else change(item_or_items)
            if key in keys
            else _change_ids(item_or_items, keys, change)
        )
        for key, item_or_items in value.items()
    }


def _other_id(value: Any) -> Any:
    """Return an ID of the same form that is another one."""
    if isinstance(value, int):
        return value + 1
    text = str(value)
    return text[:-1] + ("1" if text[-1:] != "1" else "2")


def _repeat_row(value: Any) -> Any:
    rows = rows_of(value)
    if rows:
        rows.append(rows[0])
    return value


def rows_of(value: Any) -> list[Any] | None:
    """Return the list of rows that an answer holds, wherever the API has it."""
    while isinstance(value, dict) and "data" in value:
        value = value["data"]
    is_rows = isinstance(value, list) and (not value or isinstance(value[0], (dict, list, str)))
    return value if is_rows else None


Maker = Callable[[random.Random, Passage, Reading], ProxyFault]

WRONG_ANSWERS: Final[Mapping[str, tuple[Maker, int]]] = {
    "one more answer": (lambda draw, *_: one_more_answer(_after(draw)), 3),
    "half an answer": (lambda draw, *_: half_an_answer(draw.uniform(0.01, 0.99), _after(draw)), 2),
    "late status": (lambda draw, *_: late_status(draw.choice([408, 204, 504, 200]), _after(draw)), 3),
    "closing bytes": (
        lambda draw, *_: closing_bytes(draw.choice([b"\0", b"x", b"\r\n", b"}"]), _after(draw)),
        2,
    ),
    "odd status": (_draw_status, 3),
    "IDs": (_draw_ids, 3),
    "rows": (_draw_rows, 1),
    "nothing": (
        lambda draw, passage, reading: emptied(draw.choice([*_EMPTY, *reading.empty])),
        3,
    ),
    "weak validator": (lambda draw, *_: weak_validator(), 2),
}
"""Kind of wrong answer → how to draw one, and how often."""
