"""``Code``: an ``IntEnum`` for which a code that it does not know is no error."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any

import cattrs
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zeyos_async.codes import FLAG, Code, names_of


class Status(Code):
    """A coded field."""

    OPEN = 0
    SHUT = 1


CODES = st.integers() | st.sampled_from(list(Status))


@given(CODES)
def test_every_integer_is_a_code(number: int) -> None:
    """Known or not, a code is an instance that behaves as its number."""
    code = Status(number)
    assert isinstance(code, Status)
    assert code == number
    assert hash(code) == hash(int(number))
    assert code.value == int(number)
    assert f"{code}" == str(int(number))
    assert not code < number
    assert code + 1 == number + 1
    assert {code: "found"}[Status(number)] == "found"
    assert code.is_known is (number in (0, 1))


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@given(number=CODES)
def test_codes_pickle(protocol: int, number: int) -> None:
    """A pickled code is the same member, or an equal one if it is unknown."""
    code = Status(number)
    back = pickle.loads(pickle.dumps(code, protocol))
    assert back == code
    assert type(back) is Status
    assert not code.is_known or back is code


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy])
def test_codes_copy(copied: Callable[[Status], Status]) -> None:
    """Copies are equal, members stay themselves."""
    assert copied(Status(99)) == 99
    assert copied(Status.OPEN) is Status.OPEN


@pytest.mark.parametrize("value", ["1", "OPEN", 1.5, None, b"\0", [0]])
def test_what_is_no_code(value: Any) -> None:
    """Anything but a whole number is refused."""
    with pytest.raises(ValueError, match="not a valid Status"):
        Status(value)


@pytest.mark.parametrize(
    ("code", "text"),
    [
        (Status.OPEN, "<Status.OPEN: 0>"),
        (Status(99), "<Status: 99, not a known code>"),
        (Status(-1), "<Status: -1, not a known code>"),
    ],
)
def test_repr_of_a_code(code: Status, text: str) -> None:
    """The repr says when a code is unknown."""
    assert repr(code) == text


def test_unknown_codes_leave_nothing_behind() -> None:
    """A stream of strange codes does not grow the class."""
    before = (len(Status), len(Status._value2member_map_), len(Status.__members__))
    assert [Status(number) for number in range(1000, 2000)]
    assert (len(Status), len(Status._value2member_map_), len(Status.__members__)) == before


@given(st.lists(CODES | st.none()))
def test_msgspec_reads_and_writes_codes(numbers: list[int | None]) -> None:
    """The decoder of pages keeps unknown codes; the encoder writes numbers."""
    wire = msgspec.json.encode(
        [None if number is None else int(number) for number in numbers if _fits(number)]
    )
    codes = msgspec.json.decode(wire, type=list[Status | None])
    assert all(code is None or isinstance(code, Status) for code in codes)
    assert msgspec.json.encode(codes) == wire


def _fits(number: int | None) -> bool:
    return number is None or abs(number) < 2**63


def test_msgspec_refuses_text() -> None:
    """Text is no code for the strict decoder."""
    with pytest.raises(msgspec.ValidationError, match="Expected `int`"):
        msgspec.json.decode(b'["1"]', type=list[Status])


@given(CODES)
def test_cattrs_reads_and_writes_codes(number: int) -> None:
    """So does the careful way of decoding."""
    code = cattrs.structure(int(number), Status)
    assert isinstance(code, Status)
    assert cattrs.unstructure(code) == number


def test_names_of_codes() -> None:
    """The table of a coded field: every member, and codes that are allowed without a name."""
    assert names_of(Status) == {0: "OPEN", 1: "SHUT"}
    assert names_of(Status, 5) == {0: "OPEN", 1: "SHUT", 5: ""}
    assert dict(FLAG) == {0: "", 1: ""}
