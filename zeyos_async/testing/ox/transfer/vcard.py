"""Contacts as vCards, version 3.0; 2.1 is read too."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from .content_lines import Component, ContentLine, escape_text, fold_lines, read_components, split_value

__all__ = ["read_vcards", "write_vcards"]

_NAME_FIELDS: Final = ("last_name", "first_name", "second_name", "title", "suffix")
_ADDRESS_PARTS: Final = ("street", "city", "state", "postal_code", "country")
_ADDRESS_TYPES: Final = {"HOME": "home", "WORK": "business"}
_TEXT_FIELDS: Final = {
    "NICKNAME": "nickname",
    "NOTE": "note",
    "TITLE": "position",
    "ROLE": "profession",
    "URL": "url",
    "UID": "uid",
}
_PHONES: Final = {
    "telephone_business1": "WORK,VOICE", "telephone_home1": "HOME,VOICE", "cellular_telephone1": "CELL,VOICE",
    "fax_business": "WORK,FAX", "fax_home": "HOME,FAX", "telephone_other": "VOICE",
}  # fmt: skip
_DATES: Final = {"BDAY": "birthday"}

Contact = dict[str, Any]


def write_vcards(contacts: Iterable[Mapping[str, Any]]) -> bytes:
    """Write a card for each contact."""
    return b"".join(fold_lines(_write_card(contact)) for contact in contacts)


def read_vcards(content: bytes) -> list[Contact]:
    """Return the contacts of all cards.

    Raises:
        ValueError: There is no card.
    """
    return [_read_contact(card) for card in read_components(content, "VCARD")]


def _write_card(contact: Mapping[str, Any]) -> Iterator[str]:
    yield from ("BEGIN:VCARD", "VERSION:3.0", "PRODID:-//emulator//EN")
    yield f"FN:{escape_text(str(contact.get('display_name') or contact.get('last_name') or ''))}"
    yield "N:" + ";".join(escape_text(str(contact.get(name) or "")) for name in _NAME_FIELDS)
    if contact.get("company") or contact.get("department"):
        yield "ORG:" + ";".join(
            escape_text(str(contact.get(name) or "")) for name in ("company", "department")
        )
    for name, field in _TEXT_FIELDS.items():
        if contact.get(field):
            yield f"{name}:{escape_text(str(contact[field]))}"
    for number in (1, 2, 3):
        if contact.get(f"email{number}"):
            yield f"EMAIL;TYPE=INTERNET{',PREF' if number == 1 else ''}:{escape_text(contact[f'email{number}'])}"
    for field, kind in _PHONES.items():
        if contact.get(field):
            yield f"TEL;TYPE={kind}:{escape_text(str(contact[field]))}"
    yield from _write_addresses(contact)
    for name, field in _DATES.items():
        if contact.get(field) is not None:
            yield f"{name};VALUE=DATE:{datetime.fromtimestamp(contact[field] / 1000, UTC):%Y%m%d}"
    yield "END:VCARD"


def _write_addresses(contact: Mapping[str, Any]) -> Iterator[str]:
    for kind, place in _ADDRESS_TYPES.items():
        values = [escape_text(str(contact.get(f"{part}_{place}") or "")) for part in _ADDRESS_PARTS]
        if any(values):
            yield f"ADR;TYPE={kind}:;;{';'.join(values)}"


def _read_contact(card: Component) -> Contact:
    contact: Contact = {}
    if (name := card.get("N")) is not None:
        contact |= zip(_NAME_FIELDS, split_value(name.value), strict=False)
    contact["display_name"] = card.text("FN")
    if (company := card.get("ORG")) is not None:
        contact |= zip(("company", "department"), split_value(company.value), strict=False)
    contact |= {field: card.text(title) for title, field in _TEXT_FIELDS.items()}
    contact |= {f"email{number}": one.text for number, one in enumerate(card.all("EMAIL")[:3], 1)}
    for phone in card.all("TEL"):
        # The first number of a kind wins: a contact has one field for each.
        contact.setdefault(_phone_field(phone), phone.text)
    for address in card.all("ADR"):
        place = "home" if "HOME" in _read_types(address) else "business"
        names = (f"{part}_{place}" for part in _ADDRESS_PARTS)
        contact |= zip(names, split_value(address.value)[2:], strict=False)
    for title, field in _DATES.items():
        if text := card.text(title):
            contact[field] = _parse_day(text)
    return {name: value for name, value in contact.items() if value not in ("", None)}


def _read_types(line: ContentLine) -> set[str]:
    # Version 2.1 writes ``TEL;CELL:`` where 3.0 writes ``TEL;TYPE=CELL:``.
    bare = {name for name, value in line.params.items() if not value}
    return bare | set(line.params.get("TYPE", "").upper().split(","))


def _phone_field(phone: ContentLine) -> str:
    kinds = _read_types(phone)
    if "CELL" in kinds:
        return "cellular_telephone1"
    if "FAX" in kinds:
        return "fax_home" if "HOME" in kinds else "fax_business"
    if "HOME" in kinds:
        return "telephone_home1"
    return "telephone_business1" if "WORK" in kinds else "telephone_other"


def _parse_day(text: str) -> int:
    digits = text.partition("T")[0].replace("-", "")
    return int(datetime.strptime(digits, "%Y%m%d").replace(tzinfo=UTC).timestamp() * 1000)
