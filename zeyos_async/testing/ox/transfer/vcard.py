"""Contacts as vCards, version 3.0; 2.1 is read too."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from .content_lines import Component, Property, escape, fold, read_components, split_value

__all__ = ["read_vcards", "write_vcards"]

_NAME: Final = ("last_name", "first_name", "second_name", "title", "suffix")
_ADDRESS: Final = ("street", "city", "state", "postal_code", "country")
_PLACES: Final = {"HOME": "home", "WORK": "business"}
_PLAIN: Final = {
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
    """All contacts, one card each."""
    return b"".join(fold(_card(contact)) for contact in contacts)


def read_vcards(content: bytes) -> list[Contact]:
    """The contacts of all cards.

    Raises:
        ValueError: There is no card.
    """
    return [_contact(card) for card in read_components(content, "VCARD")]


def _card(contact: Mapping[str, Any]) -> Iterator[str]:
    yield from ("BEGIN:VCARD", "VERSION:3.0", "PRODID:-//emulator//EN")
    yield f"FN:{escape(str(contact.get('display_name') or contact.get('last_name') or ''))}"
    yield "N:" + ";".join(escape(str(contact.get(name) or "")) for name in _NAME)
    if contact.get("company") or contact.get("department"):
        yield "ORG:" + ";".join(escape(str(contact.get(name) or "")) for name in ("company", "department"))
    for name, field in _PLAIN.items():
        if contact.get(field):
            yield f"{name}:{escape(str(contact[field]))}"
    for number in (1, 2, 3):
        if contact.get(f"email{number}"):
            yield f"EMAIL;TYPE=INTERNET{',PREF' if number == 1 else ''}:{escape(contact[f'email{number}'])}"
    for field, kind in _PHONES.items():
        if contact.get(field):
            yield f"TEL;TYPE={kind}:{escape(str(contact[field]))}"
    yield from _addresses(contact)
    for name, field in _DATES.items():
        if contact.get(field) is not None:
            yield f"{name};VALUE=DATE:{datetime.fromtimestamp(contact[field] / 1000, UTC):%Y%m%d}"
    yield "END:VCARD"


def _addresses(contact: Mapping[str, Any]) -> Iterator[str]:
    for kind, place in _PLACES.items():
        values = [escape(str(contact.get(f"{part}_{place}") or "")) for part in _ADDRESS]
        if any(values):
            yield f"ADR;TYPE={kind}:;;{';'.join(values)}"


def _contact(card: Component) -> Contact:
    made: Contact = {}
    if (name := card.get("N")) is not None:
        made |= zip(_NAME, split_value(name.value), strict=False)
    made["display_name"] = card.text("FN")
    if (company := card.get("ORG")) is not None:
        made |= zip(("company", "department"), split_value(company.value), strict=False)
    made |= {field: card.text(title) for title, field in _PLAIN.items()}
    made |= {f"email{number}": one.text for number, one in enumerate(card.all("EMAIL")[:3], 1)}
    for phone in card.all("TEL"):
        made.setdefault(_phone(phone), phone.text)
    for address in card.all("ADR"):
        place = "home" if "HOME" in _types(address) else "business"
        names = (f"{part}_{place}" for part in _ADDRESS)
        made |= zip(names, split_value(address.value)[2:], strict=False)
    for title, field in _DATES.items():
        if text := card.text(title):
            made[field] = _day(text)
    return {name: value for name, value in made.items() if value not in ("", None)}


def _types(one: Property) -> set[str]:
    bare = {name for name, value in one.params.items() if not value}
    return bare | set(one.params.get("TYPE", "").upper().split(","))


def _phone(phone: Property) -> str:
    kinds = _types(phone)
    if "CELL" in kinds:
        return "cellular_telephone1"
    if "FAX" in kinds:
        return "fax_home" if "HOME" in kinds else "fax_business"
    if "HOME" in kinds:
        return "telephone_home1"
    return "telephone_business1" if "WORK" in kinds else "telephone_other"


def _day(text: str) -> int:
    digits = text.partition("T")[0].replace("-", "")
    return int(datetime.strptime(digits, "%Y%m%d").replace(tzinfo=UTC).timestamp() * 1000)
