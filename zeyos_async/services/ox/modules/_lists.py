"""Distribution lists: who is on one, as the API says it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from email.utils import parseaddr
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from ....errors import InvalidArgument

if TYPE_CHECKING:
    from .._generated.records_contacts import ContactData, DistributionListMember

__all__ = ["Member", "member_of", "members_of", "with_members", "without_members"]

Member: TypeAlias = "ContactData | DistributionListMember | Mapping[str, Any] | str"
"""Who can be put on a list: a contact, an address such as ``"Jane Doe <jane@example.com>"``, a member of a list."""

_ADDRESSES: Final = (1, 2, 3)
_SAME: Final = ("id", "folder_id", "mail_field")


def member_of(who: Member, *, address: int = 1) -> dict[str, Any]:
    """A member of a distribution list.

    Args:
        who: A contact, which the member then follows; or an address, which stands for itself.
        address: Which of a contact's addresses: 1, 2 or 3.

    Raises:
        InvalidArgument: It is no address, or the contact has none, or no ID.
    """
    if isinstance(who, str):
        return _from_text(who)
    if isinstance(who, Mapping):
        return dict(who)
    model = type(who).__model__
    if model.has("mail_field"):
        values = {name: getattr(who, name) for name in model.fields}
        return {name: value for name, value in values.items() if value is not None}
    return _from_contact(who, address)


def _from_text(text: str) -> dict[str, Any]:
    name, mail = parseaddr(text)
    local, at, host = mail.rpartition("@")
    if not (local and at and host):
        raise InvalidArgument(
            f"a member is a contact or an address like 'Jane Doe <jane@example.com>', not {text!r}"
        )
    return {"display_name": name or mail, "mail": mail, "mail_field": 0}


def _from_contact(contact: Any, address: int) -> dict[str, Any]:
    if address not in _ADDRESSES:
        raise InvalidArgument(f"address= is 1, 2 or 3: which of the contact's addresses; not {address!r}")
    mail = getattr(contact, f"email{address}", None)
    if not contact.id or not mail:
        what = f"no email{address}" if contact.id else "no id"
        raise InvalidArgument(
            f"the contact {contact.display_name or contact.id!r} has {what}, or it was not among the columns read"
        )
    found = {
        "id": contact.id,
        "folder_id": contact.folder_id,
        "display_name": contact.display_name or mail,
        "mail": mail,
        "mail_field": address,
    }
    return {name: value for name, value in found.items() if value is not None}


def members_of(who: Member | Iterable[Member], *, address: int = 1) -> list[dict[str, Any]]:
    """Members of a distribution list, of one or several."""
    single = isinstance(who, str | Mapping) or hasattr(who, "__model__")
    several: Iterable[Any] = (who,) if single else who  # type: ignore[assignment]
    return [member_of(each, address=address) for each in several]


def with_members(before: Sequence[Any] | None, added: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The members that a list has with some more; who is on it already is not put on it twice."""
    members = [member_of(each) for each in before or ()]
    for each in added:
        if not any(_is_same(each, known) for known in members):
            members.append(dict(each))
    return members


def without_members(before: Sequence[Any] | None, gone: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The members that a list has without some."""
    members = [member_of(each) for each in before or ()]
    return [each for each in members if not any(_is_same(each, one) for one in gone)]


def _is_same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """The same address of the same contact; of addresses that stand for themselves, the same address."""
    if one.get("id") and other.get("id"):
        return all(
            str(one.get(name)) == str(other.get(name)) for name in _SAME if name in one and name in other
        )
    return str(one.get("mail")).casefold() == str(other.get("mail")).casefold()
