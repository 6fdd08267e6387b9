"""Contacts as CSV: the document's column titles, and those of Outlook in English, French and German."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

__all__ = ["TITLES", "read_csv", "write_csv"]

_BYTE_ORDER_MARK: Final = "\ufeff"
_DATES: Final = frozenset({"birthday", "anniversary"})

TITLES: Final[Mapping[str, str]] = {
    "display_name": "Display name",
    "first_name": "Given name",
    "last_name": "Sur name",
    "second_name": "Middle name",
    "suffix": "Suffix",
    "title": "Title",
    "street_home": "Street home",
    "postal_code_home": "Postal code home",
    "city_home": "City home",
    "state_home": "State home",
    "country_home": "Country home",
    "birthday": "Birthday",
    "marital_status": "Marital status",
    "number_of_children": "Number of children",
    "profession": "Profession",
    "nickname": "Nickname",
    "spouse_name": "Spouse name",
    "anniversary": "Anniversary",
    "note": "Note",
    "department": "Department",
    "position": "Position",
    "employee_type": "Employee type",
    "room_number": "Room number",
    "street_business": "Street business",
    "postal_code_business": "Postal code business",
    "city_business": "City business",
    "state_business": "State business",
    "country_business": "Country business",
    "number_of_employees": "Number of employee",
    "sales_volume": "Sales volume",
    "tax_id": "Tax id",
    "commercial_register": "Commercial register",
    "branches": "Branches",
    "business_category": "Business category",
    "info": "Info",
    "manager_name": "Manager's name",
    "assistant_name": "Assistant's name",
    "street_other": "Street other",
    "city_other": "City other",
    "postal_code_other": "Postal code other",
    "country_other": "Country other",
    "telephone_business1": "Telephone business 1",
    "telephone_business2": "Telephone business 2",
    "fax_business": "FAX business",
    "telephone_callback": "Telephone callback",
    "telephone_car": "Telephone car",
    "telephone_company": "Telephone company",
    "telephone_home1": "Telephone home 1",
    "telephone_home2": "Telephone home 2",
    "fax_home": "FAX home",
    "cellular_telephone1": "Cellular telephone 1",
    "cellular_telephone2": "Cellular telephone 2",
    "telephone_other": "Telephone other",
    "fax_other": "FAX other",
    "email1": "Email 1",
    "email2": "Email 2",
    "email3": "Email 3",
    "url": "URL",
    "telephone_isdn": "Telephone ISDN",
    "telephone_pager": "Telephone pager",
    "telephone_primary": "Telephone primary",
    "telephone_radio": "Telephone radio",
    "telephone_telex": "Telephone telex",
    "telephone_ttytdd": "Telephone TTY/TDD",
    "instant_messenger1": "Instantmessenger 1",
    "instant_messenger2": "Instantmessenger 2",
    "telephone_ip": "Telephone IP",
    "telephone_assistant": "Telephone assistant",
    "company": "Company",
    "userfield01": "Dynamic Field 1",
    "userfield02": "Dynamic Field 2",
    "userfield03": "Dynamic Field 3",
    "userfield04": "Dynamic Field 4",
    "userfield05": "Dynamic Field 5",
    "userfield06": "Dynamic Field 6",
    "userfield07": "Dynamic Field 7",
    "userfield08": "Dynamic Field 8",
    "userfield09": "Dynamic Field 9",
    "userfield10": "Dynamic Field 10",
    "userfield11": "Dynamic Field 11",
    "userfield12": "Dynamic Field 12",
    "userfield13": "Dynamic Field 13",
    "userfield14": "Dynamic Field 14",
    "userfield15": "Dynamic Field 15",
    "userfield16": "Dynamic Field 16",
    "userfield17": "Dynamic Field 17",
    "userfield18": "Dynamic Field 18",
    "userfield19": "Dynamic Field 19",
    "userfield20": "Dynamic Field 20",
    "state_other": "State other",
}
"""Field of a contact → its title."""

_OUTLOOK: Final[Mapping[str, tuple[str, ...]]] = {
    "title": ("Title", "Titre", "Anrede"),
    "first_name": ("First Name", "Prénom", "Vorname"),
    "second_name": ("Middle Name", "Deuxième prénom", "Weitere Vornamen"),
    "last_name": ("Last Name", "Nom", "Nachname"),
    "company": ("Company", "Société", "Firma"),
    "department": ("Department", "Service", "Abteilung"),
    "position": ("Job Title", "Titre professionnel", "Position"),
    "email1": ("E-mail Address", "Adresse de messagerie", "E-Mail-Adresse"),
    "email2": ("E-mail 2 Address", "Adresse de messagerie 2", "E-Mail 2: Adresse"),
    "telephone_business1": ("Business Phone", "Téléphone (bureau)", "Telefon geschäftlich"),
    "telephone_home1": ("Home Phone", "Téléphone (domicile)", "Telefon privat"),
    "cellular_telephone1": ("Mobile Phone", "Tél. mobile", "Mobiltelefon"),
    "city_business": ("Business City", "Ville (bureau)", "Ort geschäftlich"),
    "city_home": ("Home City", "Ville (domicile)", "Ort privat"),
    "note": ("Notes", "Notes", "Notizen"),
}


def write_csv(rows: Iterable[Mapping[str, Any]], fields: Sequence[str] = ()) -> bytes:
    """Write contacts as CSV with the document's titles, in UTF-8."""
    names = [name for name in fields or TITLES if name in TITLES]
    out = io.StringIO(newline="")
    writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerow(TITLES[name] for name in names)
    writer.writerows([_write_cell(name, row.get(name)) for name in names] for row in rows)
    return out.getvalue().encode()


def read_csv(content: bytes, *, charset: str = "utf-8", outlook: bool = False) -> list[dict[str, Any]]:
    """Return the contacts of CSV with any delimiter.

    Raises:
        ValueError: It is none, or no title is known.
    """
    # Excel begins files with a byte order mark, which would become part of the first title.
    text = content.decode(charset).removeprefix(_BYTE_ORDER_MARK)
    first = text.partition("\n")[0]
    # Spreadsheets in Germany write semicolons.
    delimiter = max(",;\t", key=first.count)
    lines = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    by_title = _index_titles(outlook=outlook)
    fields_by_title = {
        title: by_title[title.strip().casefold()]
        for title in lines.fieldnames or ()
        if title.strip().casefold() in by_title
    }
    if not fields_by_title:
        raise ValueError(f"none of the titles {first!r} is known")
    try:
        return [
            _read_contact(
                {fields_by_title[title]: value for title, value in line.items() if title in fields_by_title}
            )
            for line in lines
        ]
    except csv.Error as error:
        raise ValueError(f"this is no CSV: {error}") from error


def _index_titles(*, outlook: bool) -> dict[str, str]:
    if outlook:
        return {title.casefold(): name for name, titles in _OUTLOOK.items() for title in titles}
    return {title.casefold(): name for name, title in TITLES.items()}


def _read_contact(values: Mapping[str, str | None]) -> dict[str, Any]:
    return {name: _read_cell(name, value) for name, value in values.items() if value}


def _read_cell(name: str, value: str) -> Any:
    if name not in _DATES:
        return value
    day = datetime.strptime(value.strip(), "%Y-%m-%d").replace(tzinfo=UTC)
    return int(day.timestamp() * 1000)


def _write_cell(name: str, value: Any) -> str:
    if value is None:
        return ""
    return f"{datetime.fromtimestamp(value / 1000, UTC):%Y-%m-%d}" if name in _DATES else str(value)
