"""Who is on a distribution list."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zeyos_async.errors import InvalidArgument
from zeyos_async.ox import ContactData, DistributionListMember
from zeyos_async.services.ox.modules._distribution_lists import (
    add_members,
    remove_members,
    to_member,
    to_members,
)

JANE = ContactData(
    id="7", folder_id="25", display_name="Jane Doe", email1="jane@example.com", email2="doe@example.com"
)
AS_JANE = {
    "id": "7",
    "folder_id": "25",
    "display_name": "Jane Doe",
    "mail": "jane@example.com",
    "mail_field": 1,
}

MEMBERS: list[tuple[Any, dict[str, Any]]] = [
    (JANE, AS_JANE),
    ("max@example.com", {"display_name": "max@example.com", "mail": "max@example.com", "mail_field": 0}),
    (
        "Max M. <max@example.com>",
        {"display_name": "Max M.", "mail": "max@example.com", "mail_field": 0},
    ),
    ({"mail": "a@b.c", "mail_field": 0}, {"mail": "a@b.c", "mail_field": 0}),
    (
        DistributionListMember(id="7", folder_id="25", mail="jane@example.com", mail_field=1),  # type: ignore[arg-type]
        {"id": "7", "folder_id": "25", "mail": "jane@example.com", "mail_field": 1},
    ),
]


@pytest.mark.parametrize(("who", "member"), MEMBERS, ids=str)
def test_members_are_made_of_contacts_and_addresses(who: Any, member: dict[str, Any]) -> None:
    """A contact is followed, an address stands for itself, members stay what they are."""
    assert to_member(who) == member
    assert to_members(who) == to_members([who]) == [member]


def test_members_follow_the_chosen_address_of_a_contact() -> None:
    """Which of the addresses the list follows."""
    assert to_member(JANE, address=2) == {**AS_JANE, "mail": "doe@example.com", "mail_field": 2}


@pytest.mark.parametrize(
    ("who", "address", "why"),
    [
        (JANE, 3, "no email3"),
        (JANE, 4, "1, 2 or 3"),
        (ContactData(email1="a@b.c"), 1, "no id"),
        ("Max", 1, "an address"),
        ("@example.com", 1, "an address"),
    ],
)
def test_contacts_without_the_address_are_refused(who: Any, address: int, why: str) -> None:
    """Who has no such address can't be on a list."""
    with pytest.raises(InvalidArgument, match=why):
        to_member(who, address=address)


ADDRESSES = st.lists(st.sampled_from(["a@b.c", "A@B.C", "d@e.f", "g@h.i"]), max_size=5)


@given(ADDRESSES, ADDRESSES)
def test_a_member_is_put_on_a_list_once(before: list[str], added: list[str]) -> None:
    """Whoever is put on a list is on it, nobody who is on it leaves it, and taking off is the opposite."""
    start = add_members(None, to_members(before))
    grown = add_members(start, to_members(added))
    mails = [member["mail"].casefold() for member in grown]
    assert len(mails) == len(set(mails))
    assert set(mails) == {mail.casefold() for mail in (*before, *added)}
    assert grown[: len(start)] == start
    remaining = remove_members(grown, to_members(added))
    assert {member["mail"].casefold() for member in remaining} == set(mails) - {
        mail.casefold() for mail in added
    }


def test_one_contact_with_two_addresses() -> None:
    """Two addresses of a contact are two members; a plain address that is there already is not another."""
    both = add_members([AS_JANE], [to_member(JANE, address=2), to_member("jane@example.com")])
    assert [member["mail_field"] for member in both] == [1, 2]
    assert remove_members(both, [AS_JANE]) == [to_member(JANE, address=2)]
