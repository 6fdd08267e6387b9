"""A field alone is a condition only where it is one of true and false, or coded 0 and 1."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from zeyos_async import GeneralApi, Zeyos
from zeyos_async.auth import BearerToken
from zeyos_async.errors import FilterError, FilterSyntaxError, InvalidCondition, UnsupportedFilter
from zeyos_async.filters import (
    Condition,
    F,
    FieldRef,
    condition,
    evaluate,
    from_octaved,
    normalize,
    parse,
    to_general,
    to_octaved,
    to_ox,
    to_zeyos,
)
from zeyos_async.octaved import Task
from zeyos_async.zeyos import Account, Ticket

ACCOUNTS = Account.__entity__
FLAGS = ["locked", "excludetax"]
OTHERS = ["contact", "ID", "visibility", "type", "lastname", "lastmodified", "contact.city", "extdata.vip"]


@pytest.mark.parametrize("name", FLAGS)
@pytest.mark.parametrize(
    "make", [lambda name: F[name], lambda name: Account.f[name], parse], ids=["F", "typed", "text"]
)
def test_a_flag_alone_is_a_condition(make: Callable[[str], Any], name: str) -> None:
    """In every way to write it, alone, negated and combined."""
    bare: Condition = make(name)
    assert to_zeyos(condition(bare), ACCOUNTS) == {name: 1}
    assert to_zeyos(~condition(bare), ACCOUNTS) == {name: {"!=": 1}}
    assert to_zeyos(condition(bare) & (F.ID > 5), ACCOUNTS) == {name: 1, "ID": {">": 5}}


@pytest.mark.parametrize("name", OTHERS)
@pytest.mark.parametrize("make", [lambda name: F[name], parse], ids=["F", "text"])
@pytest.mark.parametrize(
    "use",
    [
        lambda bare: bare,
        lambda bare: ~bare,
        lambda bare: bare & (F.ID > 5),
        lambda bare: ~((F.ID > 5) | bare),
    ],
)
def test_any_other_field_alone_is_refused(
    use: Callable[[Any], Any], make: Callable[[str], Any], name: str
) -> None:
    """``where(F.contact)`` must not mean ``contact == 1``, wherever it stands."""
    with pytest.raises(InvalidCondition, match=f"{name} alone is no condition"):
        normalize(condition(use(condition(make(name)))), ACCOUNTS)


@pytest.mark.parametrize("name", [name for name in OTHERS if name != "extdata.vip"])
def test_a_typed_field_alone_is_refused_where_it_is_written(name: str) -> None:
    """Its kind is known there."""
    field: FieldRef[Any] = Account.f[name]
    for use in (
        lambda: condition(field),
        lambda: ~field,
        lambda: field & (F.ID > 5),
        lambda: (F.ID > 5) | field,
    ):
        with pytest.raises(InvalidCondition, match=f"{name} alone is no condition"):
            use()


async def test_where_takes_a_flag_and_refuses_other_fields() -> None:
    """In queries; nothing is sent."""
    async with Zeyos("http://127.0.0.1:9/demo", auth=BearerToken("token-1")) as zeyos:
        query = zeyos.accounts.where(F.locked, Account.f.excludetax, "ID > 5")
        request = next(iter(query.explain()))
        assert request.json["filters"] == {"locked": 1, "excludetax": 1, "ID": {">": 5}}
        for bare in (F.contact, "contact", "ID > 5 and contact", ~F.contact):
            with pytest.raises(FilterError, match="contact alone"):
                zeyos.accounts.where(bare)
    async with GeneralApi("http://127.0.0.1:9") as api:
        for bare in (F.age, "age"):
            with pytest.raises(FilterError, match="age"):
                api.model("M").where(bare)


def test_what_is_compared_with_true_stays_a_comparison() -> None:
    """Only the field alone is refused, and the ID of a record, which is neither true nor false."""
    assert to_zeyos(F.visibility == True, ACCOUNTS) == {"visibility": 1}  # noqa: E712
    with pytest.raises(InvalidCondition, match="contact"):
        to_zeyos(F.contact == True, ACCOUNTS)  # noqa: E712
    assert to_zeyos(F["extdata.vip"] == True, ACCOUNTS) == {"extdata.vip": True}  # noqa: E712
    assert evaluate(condition(F.contact), {"contact": 5}) is False


def test_a_field_alone_in_the_other_apis() -> None:
    """Octaved has flags; nothing tells which fields of a General API or of Open-Xchange's contacts are."""
    assert to_octaved(condition(F.isArchived), Task.__entity__) == {"ident": "isArchived"}
    assert from_octaved({"ident": "isArchived"}, Task.__entity__) == condition(F.isArchived)
    for refused in (
        lambda: to_general(condition(F.age)),
        lambda: to_ox(condition(F.private_flag), "contacts"),
    ):
        with pytest.raises((InvalidCondition, UnsupportedFilter)):
            refused()


def test_the_error_of_a_text_has_the_position_of_its_syntax_only() -> None:
    """A text is parsed before it is known what it is about."""
    parse("contact")
    with pytest.raises(FilterSyntaxError):
        parse("contact and")
    with pytest.raises(InvalidCondition, match="such as"):
        normalize(parse("name"), Ticket.__entity__)
