"""Definitions of models, and records as the forms in which ``get`` and the writes answer them."""

from __future__ import annotations

import enum
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias, cast

import attrs

from ...errors import InvalidArgument, ServerError, UnknownField, quote_value, suggest
from .names import to_name_characters
from .values import PASSWORD, TEXT, UNCHANGED, RecordId, field_value, record_id, text_of

__all__ = ["Definition", "FieldDefinition", "Form", "read_form"]

_EnumClass: TypeAlias = "type[enum.Enum]"


@attrs.frozen(kw_only=True)
class FieldDefinition:
    """A field of a model, as the server describes it.

    Attributes:
        name: The API's name.
        title: The name that people see.
        type: The type code; 1 is text, 2 a whole number, others are not documented.
        subtype: The subtype code; 1 is an enumeration, 5 a password, 8 the ID.
        required: Whether a record must have a value.
        default: The value of a new record, or ``None``.
        disabled: Whether it can't be written.
        choices: Key → text of an enumeration, else empty.
        info: The server's further text about it, or ``""``.
    """

    name: str
    title: str = ""
    type: int | None = None
    subtype: int | None = None
    required: bool = False
    default: Any = None
    disabled: bool = False
    choices: Mapping[RecordId, str] = attrs.field(factory=dict)
    info: str = ""

    @property
    def is_password(self) -> bool:
        """Whether it is a password, whose value is never shown."""
        return self.type == TEXT and self.subtype == PASSWORD

    def enum(self) -> _EnumClass:
        """Return an enumeration of its choices: ``definition["intStatus"].enum().AKTIV``.

        Raises:
            InvalidArgument: The field is none with choices.
        """
        if not self.choices:
            raise InvalidArgument(f"{self.name} is no enumeration")
        members = enum_members(self.choices)
        base = enum.IntEnum if all(isinstance(key, int) for _, key in members) else enum.Enum
        return cast("_EnumClass", cast("Any", base)(self.name, members))

    def key_of(self, value: Any) -> Any:
        """Return the key of a choice that is given by its text; anything else as it is.

        Raises:
            InvalidArgument: It is neither a key nor a text of the enumeration.
        """
        plain = value.value if isinstance(value, enum.Enum) else value
        if not self.choices or plain is None:
            return plain
        if isinstance(plain, str | int) and plain in self.choices:
            return plain
        for key, text in self.choices.items():
            if plain in (text, str(key)):
                return key
        texts = list(self.choices.values())
        hint = suggest(str(plain), texts)
        raise InvalidArgument(
            f"{self.name} has no choice {value!r}.{hint} It has: {', '.join(map(repr, texts))}"
        )


def enum_members(choices: Mapping[RecordId, str]) -> list[tuple[str, RecordId]]:
    """Name the choices of an enumeration, with names that Python takes and that differ."""
    members: dict[str, RecordId] = {}
    for key, text in choices.items():
        suffix = to_name_characters(str(key)).strip("_")
        name = to_name_characters(text.upper()).strip("_") or f"KEY_{suffix}".strip("_")
        name = name if name.isidentifier() else f"_{name}"
        if name in members and suffix:
            name = f"{name}_{suffix}"
        free, number = name, 2
        while free in members:
            free, number = f"{name}_{number}", number + 1
        members[free] = key
    return list(members.items())


@attrs.frozen(kw_only=True)
class Definition(Mapping[str, FieldDefinition]):
    """The fields of a model, by name, in the server's order.

    Attributes:
        model: The model's name.
        fields: Name → definition.
        can_save_new: Whether the user may create records.
    """

    model: str
    fields: Mapping[str, FieldDefinition]
    can_save_new: bool = True

    def __getitem__(self, name: str) -> FieldDefinition:
        if name not in self.fields:
            raise UnknownField(name, self.model, self.fields)
        return self.fields[name]

    def __contains__(self, name: object) -> bool:
        return name in self.fields

    def __iter__(self) -> Iterator[str]:
        return iter(self.fields)

    def __len__(self) -> int:
        return len(self.fields)

    def check(self, changes: Mapping[str, Any]) -> dict[str, Any]:
        """Return the changes with choices as their keys.

        Raises:
            UnknownField: The model lacks a field.
            InvalidArgument: A field can't be written, or has no such choice.
        """
        checked = {}
        for name, value in changes.items():
            field = self[name]
            if field.disabled:
                raise InvalidArgument(f"{self.model}.{name} can't be written")
            checked[name] = field.key_of(value)
        return checked


@attrs.frozen(kw_only=True, repr=False)
class Form(Mapping[str, Any]):
    """One record (or what several have in common), with its model's definition.

    A mapping from field to value: ``form["intStatus"]`` is ``1``. Passwords read as ``UNCHANGED``.

    Attributes:
        definition: The fields.
        ids: The IDs of the records.
        display: Field → the text that people see: ``form.display["intStatus"]`` is ``"Aktiv"``.
        caption: What people call the record.
        can_save: Whether the user may change it.
        can_delete: Whether the user may delete it.
        extra: The other values of the server's response.
    """

    definition: Definition
    ids: tuple[RecordId, ...] = ()
    _values: Mapping[str, Any] = attrs.field(factory=dict, alias="values")
    display: Mapping[str, str] = attrs.field(factory=dict)
    caption: str = ""
    can_save: bool = True
    can_delete: bool = True
    extra: Mapping[str, Any] = attrs.field(factory=dict)

    @property
    def id(self) -> RecordId:
        """The ID of the one record.

        Raises:
            InvalidArgument: It is the form of no record, or of several.
        """
        if len(self.ids) != 1:
            raise InvalidArgument(f"this form of {self.definition.model} is that of {len(self.ids)} records")
        return self.ids[0]

    def __getitem__(self, name: str) -> Any:
        if name not in self._values:
            raise UnknownField(name, self.definition.model, self._values)
        return self._values[name]

    def __contains__(self, name: object) -> bool:
        return name in self._values

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        values = ", ".join(f"{name}={value!r}" for name, value in self._values.items() if value is not None)
        return f"<Form {self.definition.model} {list(self.ids)} {values}>"


def to_data(changes: Mapping[str, Any]) -> dict[str, str | None]:
    """Return the ``data`` of a write: values as texts, without the passwords that stay unchanged.

    Raises:
        InvalidArgument: A value has no text, or nothing is left.
    """
    texts = {name: text_of(name, value) for name, value in changes.items() if value is not UNCHANGED}
    # The mark may also come as a text, from a form that went through JSON: sent, it would be the new password.
    texts = {name: text for name, text in texts.items() if text != UNCHANGED.value}
    if not texts:
        raise InvalidArgument("there is nothing to write: give at least one field")
    return texts


def read_form(model: str, data: Any) -> Form:
    """Return the form in a response's ``data``.

    Raises:
        ServerError: There is none.
    """
    if not isinstance(data, Mapping) or not isinstance(data.get("fields"), list):
        raise ServerError(f"{model}: a form was asked for, and {quote_value(data, 80)} came")
    items = [item for item in data["fields"] if isinstance(item, Mapping) and item.get("fieldname")]
    fields = {str(item["fieldname"]): _read_definition(item) for item in items}
    definition = Definition(model=model, fields=fields, can_save_new=bool(data.get("canSaveNew", True)))
    ids = _read_ids(model, data.get("ids") or ())
    own_names = {"fields", "ids", "caption", "canSave", "canDelete", "canSaveNew"}
    return Form(
        definition=definition,
        ids=ids,
        values={str(item["fieldname"]): _read_value(item) for item in items} if ids else {},
        display={str(item["fieldname"]): str(item.get("displayvalue") or "") for item in items}
        if ids
        else {},
        caption=str(data.get("caption") or ""),
        can_save=bool(data.get("canSave", True)),
        can_delete=bool(data.get("canDelete", True)),
        extra={name: value for name, value in data.items() if name not in own_names},
    )


def _read_ids(model: str, value: Any) -> tuple[RecordId, ...]:
    try:
        return tuple(record_id(item) for item in value)
    except (TypeError, InvalidArgument) as error:
        raise ServerError(f"{model}: a form with the ids {quote_value(value, 80)} came") from error


def _read_value(item: Mapping[str, Any]) -> Any:
    value = item.get("value")
    if value == "" and value in _read_choices(item):
        return value  # the key of a choice, and not the lack of one
    return field_value(value, item.get("type"), item.get("subtype"))


def _read_definition(item: Mapping[str, Any]) -> FieldDefinition:
    kind, subtype = item.get("type"), item.get("subtype")
    return FieldDefinition(
        name=str(item["fieldname"]),
        title=str(item.get("displayname") or ""),
        type=kind,
        subtype=subtype,
        required=bool(item.get("required")),
        default=field_value(item.get("defaultvalue"), kind, subtype),
        disabled=bool(item.get("disabled")),
        choices=_read_choices(item),
        info=item["infotext"] if isinstance(item.get("infotext"), str) else "",
    )


def _read_choices(item: Mapping[str, Any]) -> dict[RecordId, str]:
    """Return key → text. Keys are as values of the field are, so that they can be compared with these."""
    keys, texts = item.get("listkeys"), item.get("listvalues")
    if not isinstance(keys, Sequence) or not isinstance(texts, Sequence):
        return {}
    usable = [
        (key, text)
        for key, text in zip(keys, texts, strict=False)
        if isinstance(key, int | str) and not isinstance(key, bool)
    ]
    kind = item.get("type")
    return {key if key == "" else field_value(key, kind, None): str(text) for key, text in usable}
