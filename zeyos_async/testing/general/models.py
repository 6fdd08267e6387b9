"""The models that the emulator offers: their fields, with the rules for what may be written.

Type 1 is text and type 2 a whole number; subtype 1 is an enumeration, 5 a password, 8 the ID. Those
are in the document. Types 3 (decimal) and 4 (date) are this emulator's, since the real ones are unknown.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

import attrs

__all__ = ["MODELS", "PASSWORD_MASK", "UNCHANGED", "Field", "Model", "Value"]

Value = str | int | float | None

TEXT, WHOLE, DECIMAL, DATE = 1, 2, 3, 4
ENUMERATION, PASSWORD, IDENTITY = 1, 5, 8
UNCHANGED: Final = "%%unchanged%%"
PASSWORD_MASK: Final = "********"

_WHOLE: Final = re.compile(r"-?[0-9]{1,18}")
_DECIMAL: Final = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,6})?")
_DATE: Final = re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])")


@attrs.frozen(kw_only=True)
class Field:
    """One field of a model.

    Attributes:
        name: Its name, such as ``"strLogin"``.
        title: The name that people see.
        type: Type code (see the module).
        subtype: Subtype code.
        required: Whether a record must have a value.
        default: The value of a new record.
        disabled: Whether it can't be written.
        choices: For an enumeration, the text of each key.
        min_length: The least characters of a text.
        max_length: The most characters of a text.
        needs_special: Whether a text must hold a character that is neither letter nor digit.
    """

    name: str
    title: str
    type: int = TEXT
    subtype: int = 0
    required: bool = False
    default: Value = None
    disabled: bool = False
    choices: Mapping[int, str] = attrs.field(factory=dict)
    min_length: int = 0
    max_length: int = 255
    needs_special: bool = False

    @property
    def is_identity(self) -> bool:
        """Whether it is the record's ID."""
        return self.subtype == IDENTITY and self.type == WHOLE

    @property
    def is_password(self) -> bool:
        """Whether its value is never shown."""
        return self.subtype == PASSWORD and self.type == TEXT

    def read(self, text: Value) -> Value:
        """Return a value as it is stored.

        Raises:
            ValueError: It is no value of this field; the message is for people.
        """
        # Forms send all values as text; an empty one is NULL, except where text is what is stored.
        if text is None or (text == "" and self.type != TEXT):
            return None
        written = str(text)
        if self.type == WHOLE:
            return self._require_choice(int(_require_match(_WHOLE, written, "eine ganze Zahl")))
        if self.type == DECIMAL:
            return float(_require_match(_DECIMAL, written, "eine Zahl"))
        return _require_match(_DATE, written, "ein Datum") if self.type == DATE else written

    def _require_choice(self, key: int) -> int:
        if self.choices and key not in self.choices:
            raise ValueError("Wert ist nicht in der Liste")
        return key

    def find_objection(self, value: Value) -> str:
        """Return the reason for which a value may not be stored, or ``""``."""
        if value is None or value == "":
            return "Wert muss angegeben werden" if self.required else ""
        if self.type != TEXT:
            return ""
        length = len(str(value))
        if length < self.min_length:
            return f"Wert muss mindestens {self.min_length} Zeichen lang sein"
        if length > self.max_length:
            return f"Wert darf höchstens {self.max_length} Zeichen lang sein"
        if self.needs_special and str(value).isalnum():
            return "Wert muss Sonderzeichen beinhalten"
        return ""

    def to_form_text(self, value: Value) -> str | None:
        """Return a value as forms have it: text, or null."""
        if self.is_password:
            return UNCHANGED
        return None if value is None else _text(value)

    def to_display_text(self, value: Value) -> str:
        """Return a value as people see it."""
        if self.is_identity or value is None:
            return ""
        if self.is_password:
            return PASSWORD_MASK
        return self.choices.get(value, str(value)) if isinstance(value, int) else _text(value)


def _require_match(pattern: re.Pattern[str], text: str, description: str) -> str:
    if not pattern.fullmatch(text):
        raise ValueError(f"Wert muss {description} sein")
    return text


def _text(value: Value) -> str:
    return f"{value:g}" if isinstance(value, float) and abs(value) < 1e5 else str(value)


@attrs.frozen(kw_only=True)
class Model:
    """One kind of record.

    Attributes:
        name: Its name in requests.
        fields: The first is the ID.
        columns: What a list shows unless it is asked for others.
        actions: What the user has the right to.
        caption: What it is called before a record's title.
        title: The field that is a record's title.
        unique: A field whose values differ, or ``""``.
    """

    name: str
    fields: tuple[Field, ...]
    columns: tuple[str, ...]
    actions: tuple[str, ...] = ("get", "list", "update", "create", "delete")
    caption: str = ""
    title: str = ""
    unique: str = ""

    @property
    def identity(self) -> Field:
        """The field that holds the ID."""
        return self.fields[0]

    @property
    def by_name(self) -> dict[str, Field]:
        """The fields by their names."""
        return {field.name: field for field in self.fields}


def _identity() -> Field:
    return Field(name="intID", title="ID", type=WHOLE, subtype=IDENTITY, required=True)


_STATUS = Field(
    name="intStatus", title="Status", type=WHOLE, subtype=ENUMERATION, choices={0: "Inaktiv", 1: "Aktiv"}
)
_LOGIN = Field(name="strLogin", title="Nutzername", required=True, min_length=3)
_PASSWORD = Field(
    name="strPass", title="Passwort", subtype=PASSWORD, required=True, min_length=6, needs_special=True
)

SUBACCOUNT: Final = Model(
    name="Subaccount",
    caption="User",
    title="strLogin",
    unique="strLogin",
    columns=("intID", "strLogin", "intStatus"),
    fields=(
        _identity(),
        _LOGIN,
        _PASSWORD,
        _STATUS,
        Field(name="lastname", title="Nachname"),
        Field(name="age", title="Alter", type=WHOLE),
    ),
)

USER: Final = Model(
    name="User",
    caption="User",
    title="strLogin",
    columns=("intID", "strLogin"),
    actions=("get", "list", "update"),
    fields=(_identity(), attrs.evolve(_LOGIN, disabled=True), Field(name="strMail", title="E-Mail")),
)

ORDER: Final = Model(
    name="Order",
    caption="Bestellung",
    title="strNumber",
    columns=("intID", "strNumber", "intState", "decTotal"),
    fields=(
        _identity(),
        Field(name="strNumber", title="Nummer", required=True, max_length=20),
        Field(
            name="intState",
            title="Stand",
            type=WHOLE,
            subtype=ENUMERATION,
            default=1,
            choices={1: "Offen", 2: "Versandt", 9: "Storniert"},
        ),
        Field(name="decTotal", title="Summe", type=DECIMAL),
        Field(name="datOrdered", title="Bestellt am", type=DATE),
        Field(name="strNote", title="Bemerkung", max_length=4000),
    ),
)

MODELS: Final = (SUBACCOUNT, USER, ORDER)
