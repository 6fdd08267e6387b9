"""Two small entities that refer to each other, for the tests of filters."""

from __future__ import annotations

from zeyos_async.schema import Entity, Field, Kind

CONTACTS = Entity(
    name="contacts",
    singular="Contact",
    fields={
        field.name: field
        for field in (
            Field("ID", Kind.INTEGER),
            Field("city", Kind.TEXT),
            Field("country", Kind.TEXT),
            Field("lastmodified", Kind.TIME),
            Field("owner", Kind.INTEGER, target="accounts"),
        )
    },
    extdata=True,
)
ACCOUNTS = Entity(
    name="accounts",
    singular="Account",
    fields={
        field.name: field
        for field in (
            Field("ID", Kind.INTEGER),
            Field("lastname", Kind.TEXT),
            Field("visibility", Kind.INTEGER, codes={0: "REGULAR", 1: "ARCHIVED", 2: "DELETED", 3: ""}),
            Field("contact", Kind.INTEGER, target="contacts"),
            Field("lastmodified", Kind.TIME),
            Field("amount", Kind.NUMBER),
            Field("count", Kind.INTEGER),
            Field("locked", Kind.BOOLEAN),
            Field("meta", Kind.JSON),
            Field("binfile", Kind.BINARY),
            Field("from", Kind.TEXT, attribute="from_"),
        )
    },
    extdata=True,
    related=lambda name: {"contacts": CONTACTS, "accounts": ACCOUNTS}[name],
)
