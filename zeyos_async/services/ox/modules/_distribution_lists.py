"""Members of distribution lists, as the API has them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from email.utils import parseaddr
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from ....errors import InvalidArgument

if TYPE_CHECKING:
    from .._generated.records_contacts import ContactData, DistributionListMember

__all__ = ["Member", "add_members", "remove_members", "to_member", "to_members"]

Member: TypeAlias = "ContactData | DistributionListMember | Mapping[str, Any] | str"
"""A possible member of a list: a contact, an address such as ``"Jane Doe <jane@example.com>"``, a member of a list."""

_ADDRESS_NUMBERS: Final = (1, 2, 3)
_IDENTITY: Final = ("id", "folder_id", "mail_field")


def to_member(member: Member, *, address: int = 1) -> dict[str, Any]:
    """Return the member of a distribution list for a contact or an address.

    Args:
        member: A contact, which the member then follows; or an address, which stands for itself.
        address: Which of a contact's addresses: 1, 2 or 3.

    Raises:
        InvalidArgument: It is no address, or the contact has none, or no ID.
    """
    if isinstance(member, str):
        return _parse_member(member)
    if isinstance(member, Mapping):
        return dict(member)
    schema = type(member).__schema__
    if schema.has("mail_field"):
        values = {name: getattr(member, name) for name in schema.fields}
        return {name: value for name, value in values.items() if value is not None}
    return _contact_to_member(member, address)


def _parse_member(text: str) -> dict[str, Any]:
    name, mail = parseaddr(text)
    local, at, host = mail.rpartition("@")
    if not (local and at and host):
        raise InvalidArgument(
            f"a member is a contact or an address like 'Jane Doe <jane@example.com>', not {text!r}"
        )
    return {"display_name": name or mail, "mail": mail, "mail_field": 0}


def _contact_to_member(contact: Any, address: int) -> dict[str, Any]:
    if address not in _ADDRESS_NUMBERS:
        raise InvalidArgument(f"address= is 1, 2 or 3: which of the contact's addresses; not {address!r}")
    mail = getattr(contact, f"email{address}", None)
    if not contact.id or not mail:
        label = f"no email{address}" if contact.id else "no id"
        raise InvalidArgument(
            f"the contact {contact.display_name or contact.id!r} has {label}, or it was not among the columns read"
        )
    values = {
        "id": contact.id,
        "folder_id": contact.folder_id,
        "display_name": contact.display_name or mail,
        "mail": mail,
        "mail_field": address,
    }
    return {name: value for name, value in values.items() if value is not None}


def to_members(members: Member | Iterable[Member], *, address: int = 1) -> list[dict[str, Any]]:
    """Return the members of a distribution list for one or several contacts or addresses."""
    single = isinstance(members, str | Mapping) or hasattr(members, "__schema__")
    several: Iterable[Any] = (members,) if single else members  # type: ignore[assignment]
    return [to_member(item, address=address) for item in several]


def add_members(current: Sequence[Any] | None, added: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the members of a list together with new ones; nobody is on it twice."""
    members = [to_member(member) for member in current or ()]
    for member in added:
        if not any(_is_same(member, existing) for existing in members):
            members.append(dict(member))
    return members


def remove_members(
    current: Sequence[Any] | None, removed: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """Return the members of a list without some of them."""
    members = [to_member(member) for member in current or ()]
    return [member for member in members if not any(_is_same(member, item) for item in removed)]


def _is_same(first: Mapping[str, Any], second: Mapping[str, Any]) -> bool:
    """Return whether two members are the same address of the same contact, or the same address by itself."""
    if first.get("id") and second.get("id"):
        return all(
            str(first.get(name)) == str(second.get(name))
            for name in _IDENTITY
            if name in first and name in second
        )
    return str(first.get("mail")).casefold() == str(second.get("mail")).casefold()
