"""Write conditions in Python: ``F.visibility == 0``, ``Account.f.lastname.ilike("%gmbh%")``.

``F`` takes any name and checks nothing before the request is compiled; the typed classes are what a
generated ``Account.f`` is made of, checked by the type checker and at run time. Everything of our own on a field
is either an operator or starts with an underscore, since the attributes of a field are names of the API.
"""

from __future__ import annotations

import keyword
from collections.abc import Iterable, Iterator
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Any, ClassVar, Final, Generic, NoReturn, TypeVar

import msgspec

from ..errors import FilterError, InvalidCondition, UnknownField
from ..schema import Entity, Field, Kind, resolve
from .expression import (
    And,
    Comparison,
    Expression,
    Not,
    Op,
    Or,
    Order,
    Scalar,
    check_path,
    check_pattern,
    describe,
    literal,
    plain,
    plain_list,
    shorten,
)
from .like import escape

__all__ = [
    "AnyField",
    "BooleanField",
    "CodeField",
    "ExtdataField",
    "F",
    "FieldNamespace",
    "FieldRef",
    "JsonField",
    "NumberField",
    "ReferenceField",
    "TextField",
    "TimeField",
    "as_condition",
]

V = TypeVar("V")
"""What a field may be compared with."""
N = TypeVar("N", int, float, Decimal, int | float, int | float | Decimal)
C = TypeVar("C", bound=int)

_EQ, _NE, _LT, _LE, _GT, _GE = Op.EQ, Op.NE, Op.LT, Op.LE, Op.GT, Op.GE
_IS_NULL, _IS_NOT_NULL = Op.IS_NULL, Op.IS_NOT_NULL


class FieldRef(msgspec.Struct, Generic[V], frozen=True, eq=False, gc=False):
    """A field to write conditions with. Operators give conditions; nothing is compared here.

    ``field == None`` and ``field != None`` test for NULL. ``field != 5`` is SQL's: rows whose field is
    NULL are not selected by it; say ``(field != 5) | field.is_null()`` where they should be.
    """

    _path: str
    _entity: Entity | None = None
    _field: Field | None = None

    _exact: ClassVar[frozenset[type]] = frozenset({str, int, bool})
    """Types whose values are kept as they are."""
    _accepted: ClassVar[frozenset[type]] = frozenset({bool, int, float, Decimal, str, datetime})
    """Types that values may have once they are plain."""
    _wanted: ClassVar[str] = "a value"

    def __eq__(self, value: V | None) -> Comparison:  # type: ignore[override]
        if type(value) in self._exact:
            return Comparison(self._path, _EQ, value)
        if value is None:
            return Comparison(self._path, _IS_NULL)
        return Comparison(self._path, _EQ, self._take(value))

    def __ne__(self, value: V | None) -> Comparison:  # type: ignore[override]
        if type(value) in self._exact:
            return Comparison(self._path, _NE, value)
        if value is None:
            return Comparison(self._path, _IS_NOT_NULL)
        return Comparison(self._path, _NE, self._take(value))

    def __lt__(self, value: V) -> Comparison:
        return Comparison(self._path, _LT, value if type(value) in self._exact else self._take(value))

    def __le__(self, value: V) -> Comparison:
        return Comparison(self._path, _LE, value if type(value) in self._exact else self._take(value))

    def __gt__(self, value: V) -> Comparison:
        return Comparison(self._path, _GT, value if type(value) in self._exact else self._take(value))

    def __ge__(self, value: V) -> Comparison:
        return Comparison(self._path, _GE, value if type(value) in self._exact else self._take(value))

    __hash__ = object.__hash__

    def in_(self, values: Iterable[V | None]) -> Expression:
        """Equal to one of the values. No values: false. ``None`` among them: NULL is selected too.

        Args:
            values: Any iterable but text; a generator is read to its end.

        Raises:
            InvalidCondition: It is text, no iterable, or holds something that can't be compared with.
        """
        kept, null = self._take_list(values)
        found = Comparison(self._path, Op.IN, kept)
        return found | self.is_null() if null else found

    def not_in(self, values: Iterable[V | None]) -> Expression:
        """Equal to none of the values: the opposite of ``in_``, so ``None`` among them leaves NULL out.

        Without ``None`` NULL is left out as well unless there are no values at all, which is true for
        every row: that is how SQL has it.

        Args:
            values: Any iterable but text; a generator is read to its end.

        Raises:
            InvalidCondition: It is text, no iterable, or holds something that can't be compared with.
        """
        kept, null = self._take_list(values)
        found = Comparison(self._path, Op.NOT_IN, kept)
        return found & self.is_not_null() if null else found

    def between(self, low: V, high: V) -> Expression:
        """From ``low`` to ``high``, both included."""
        return (self >= low) & (self <= high)

    def is_null(self) -> Comparison:
        """Has no value."""
        return Comparison(self._path, Op.IS_NULL)

    def is_not_null(self) -> Comparison:
        """Has a value."""
        return Comparison(self._path, Op.IS_NOT_NULL)

    def asc(self) -> Order:
        """Sort by this field, smallest first."""
        return Order(self._path)

    def desc(self) -> Order:
        """Sort by this field, largest first."""
        return Order(self._path, descending=True)

    def __and__(self, other: Expression | FieldRef[Any]) -> And:
        return self._flag() & as_condition(other)

    def __rand__(self, other: Expression | FieldRef[Any]) -> And:
        return as_condition(other) & self._flag()

    def __or__(self, other: Expression | FieldRef[Any]) -> Or:
        return self._flag() | as_condition(other)

    def __ror__(self, other: Expression | FieldRef[Any]) -> Or:
        return as_condition(other) | self._flag()

    def __invert__(self) -> Expression:
        return Not(self._flag())

    def __bool__(self) -> NoReturn:
        raise InvalidCondition(
            f"The field {self._path} has no truth value by itself: compare it, and combine conditions "
            "with &, | and ~ in place of and, or and not, with parentheses around each."
        )

    def __iter__(self) -> Iterator[Any]:
        raise InvalidCondition(
            f"The field {self._path} can't be iterated; `in` on a list is written .in_([…])."
        )

    def __contains__(self, item: object) -> bool:
        raise InvalidCondition(
            f"`{shorten(literal(item))} in field` can't become a filter; use {self._path}.contains(…) or .in_([…])."
        )

    def __repr__(self) -> str:
        return f"<field {self._path}>"

    def _flag(self) -> Comparison:
        """What the field alone means where a condition is expected."""
        return Comparison(self._path, _EQ, self._take(True))

    def _take(self, value: Any) -> Scalar:
        taken = plain(self._path, value)
        if type(taken) not in self._accepted:
            raise InvalidCondition(f"{self._path} takes {self._wanted}, not {describe(value)}.")
        return taken

    def _take_list(self, values: Iterable[V | None]) -> tuple[tuple[Scalar, ...], bool]:
        """The values but ``None``, and whether ``None`` was among them."""
        kept, null = plain_list(self._path, values)
        if not self._accepted.issuperset(map(type, kept)):
            for value in kept:
                self._take(value)
        return kept, null


class _TextOperators(FieldRef[V], frozen=True, eq=False, gc=False):
    """The conditions on text."""

    def like(self, pattern: str) -> Comparison:
        """Matches the pattern: ``%`` is any text, ``_`` any character, a backslash takes them literally."""
        return self._match(Op.LIKE, pattern)

    def ilike(self, pattern: str) -> Comparison:
        """As :meth:`like`, without regard to case."""
        return self._match(Op.ILIKE, pattern)

    def not_like(self, pattern: str) -> Comparison:
        """Has a value that doesn't match the pattern."""
        return self._match(Op.NOT_LIKE, pattern)

    def not_ilike(self, pattern: str) -> Comparison:
        """As :meth:`not_like`, without regard to case."""
        return self._match(Op.NOT_ILIKE, pattern)

    def matches(self, regex: str, *, ignore_case: bool = False) -> Comparison:
        """The regular expression is found somewhere in the text. The dialect is the server's."""
        return self._match(Op.IMATCHES if ignore_case else Op.MATCHES, regex)

    def not_matches(self, regex: str, *, ignore_case: bool = False) -> Comparison:
        """Has a value in which the regular expression is found nowhere."""
        return self._match(Op.NOT_IMATCHES if ignore_case else Op.NOT_MATCHES, regex)

    def contains(self, text: str, *, ignore_case: bool = False) -> Comparison:
        """Has this text in it, taken literally."""
        return self._literal("%", text, "%", ignore_case)

    def startswith(self, text: str, *, ignore_case: bool = False) -> Comparison:
        """Starts with this text, taken literally."""
        return self._literal("", text, "%", ignore_case)

    def endswith(self, text: str, *, ignore_case: bool = False) -> Comparison:
        """Ends with this text, taken literally."""
        return self._literal("%", text, "", ignore_case)

    def _match(self, op: Op, pattern: str) -> Comparison:
        return Comparison(self._path, op, check_pattern(self._path, op, pattern))

    def _literal(self, before: str, text: str, after: str, ignore_case: bool) -> Comparison:
        op = Op.ILIKE if ignore_case else Op.LIKE
        return Comparison(
            self._path, op, before + escape(check_pattern(self._path, Op.MATCHES, text)) + after
        )


class AnyField(_TextOperators[Any], frozen=True, eq=False, gc=False):
    """A field of unknown type; its attributes are the fields that it leads to."""

    def __getattr__(self, name: str) -> AnyField:
        return AnyField(f"{self._path}.{_api_name(name)}", self._entity)

    def __getitem__(self, path: str) -> AnyField:
        return AnyField(f"{self._path}.{check_path(path)}", self._entity)


class TextField(_TextOperators[str], frozen=True, eq=False, gc=False):
    """A field of text."""

    _exact: ClassVar[frozenset[type]] = frozenset({str})
    _accepted: ClassVar[frozenset[type]] = frozenset({str})
    _wanted: ClassVar[str] = "text"


class NumberField(FieldRef[N], frozen=True, eq=False, gc=False):
    """A field of whole or decimal numbers."""

    _exact: ClassVar[frozenset[type]] = frozenset({int})
    _accepted: ClassVar[frozenset[type]] = frozenset({bool, int, float, Decimal})
    _wanted: ClassVar[str] = "a number"


class TimeField(FieldRef[datetime | int], frozen=True, eq=False, gc=False):
    """A moment: aware ``datetime``; a plain ``int`` is taken as Unix seconds."""

    _exact: ClassVar[frozenset[type]] = frozenset({int})
    _accepted: ClassVar[frozenset[type]] = frozenset({int, datetime})
    _wanted: ClassVar[str] = "an aware datetime (or Unix seconds)"


class CodeField(FieldRef[C | int], Generic[C], frozen=True, eq=False, gc=False):
    """A coded field: members of its ``IntEnum``, or the codes themselves."""

    _exact: ClassVar[frozenset[type]] = frozenset({int})
    _accepted: ClassVar[frozenset[type]] = frozenset({bool, int})
    _wanted: ClassVar[str] = "one of its codes (an IntEnum member or an int)"


class BooleanField(FieldRef[bool], frozen=True, eq=False, gc=False):
    """True or false."""

    _exact: ClassVar[frozenset[type]] = frozenset({bool})
    _accepted: ClassVar[frozenset[type]] = frozenset({bool, int})
    _wanted: ClassVar[str] = "True or False"


class JsonField(FieldRef[Any], frozen=True, eq=False, gc=False):
    """A field that may hold anything; few servers can do more with it than test it for NULL."""


class ExtdataField(JsonField, frozen=True, eq=False, gc=False):
    """The user-defined fields: ``f.extdata.nickname``, ``f.extdata["odd name"]``."""

    def __getattr__(self, name: str) -> AnyField:
        return AnyField(f"{self._path}.{_api_name(name)}", self._entity)

    def __getitem__(self, name: str) -> AnyField:
        return AnyField(f"{self._path}.{check_path(name)}", self._entity)


class ReferenceField(FieldRef[int], frozen=True, eq=False, gc=False):
    """The ID of another record, which leads to that record's fields: ``Account.f.contact.city``."""

    _exact: ClassVar[frozenset[type]] = frozenset({int})
    _accepted: ClassVar[frozenset[type]] = frozenset({int})
    _wanted: ClassVar[str] = "the ID of a record"

    def __getitem__(self, path: str) -> FieldRef[Any]:
        return self._fields()[path]

    def __dir__(self) -> list[str]:
        return [*object.__dir__(self), *(dir(self._fields()) if "." not in self._path else ())]

    def _fields(self) -> FieldNamespace:
        entity, field = self._entity, self._field
        if entity is None or entity.related is None or field is None or field.target is None:
            raise FilterError(f"What {self._path} refers to is not known here.")
        if "." in self._path:
            raise FilterError(f"{self._path} is as far as a path may lead: it follows one reference.")
        return _namespace(entity.related(field.target), f"{self._path}.")

    if not TYPE_CHECKING:  # generated classes name the fields, so that a typo is a type error

        def __getattr__(self, name: str) -> FieldRef[Any]:
            _api_name(name)
            try:
                return getattr(self._fields(), name)
            except UnknownField:
                raise
            except FilterError as error:
                raise UnknownField(f"{self._path}.{name}", str(error)) from error


class FieldNamespace:
    """The fields of an entity as attributes: what ``Account.f`` is.

    ``namespace.lastname`` and ``namespace["contact.city"]`` give fields, iteration gives the entity's own fields,
    ``"lastname" in namespace`` tells whether there is one.

    Args:
        entity: Whose fields.
        prefix: What their paths start with, such as ``"contact."``.
    """

    def __init__(self, entity: Entity, prefix: str = "") -> None:
        self._entity = entity
        self._prefix = prefix
        self._by_attribute = {field.attr: field.name for field in entity}

    if not TYPE_CHECKING:  # generated subclasses name the fields, so that a typo is a type error

        def __getattr__(self, name: str) -> FieldRef[Any]:
            if name.startswith("_"):
                raise AttributeError(name)
            field = self[self._by_attribute.get(name, name)]
            self.__dict__[name] = field  # found without this method the next time
            return field

    def __getitem__(self, path: str) -> FieldRef[Any]:
        entity, prefix = self._entity, self._prefix
        if path == "extdata" and entity.extdata and path not in entity.fields:
            return ExtdataField(prefix + path, entity)
        if prefix and "." in path and not path.startswith("extdata."):
            raise UnknownField(prefix + path, entity.name)
        field = resolve(entity, path)
        head, _, rest = path.partition(".")
        if not rest or head == "extdata" or entity.related is None:
            return _class_of(field, path)(prefix + path, entity, field)
        through = entity.field(head).target
        return _class_of(field, path)(prefix + path, entity.related(through) if through else None, field)

    def __iter__(self) -> Iterator[FieldRef[Any]]:
        return (self[field.name] for field in self._entity)

    def __contains__(self, path: object) -> bool:
        try:
            return isinstance(path, str) and bool(self[path]._path)
        except UnknownField:
            return False

    def __dir__(self) -> list[str]:
        extra = ["extdata"] if self._entity.extdata else []
        return sorted({*object.__dir__(self), *self._by_attribute, *extra})

    def __repr__(self) -> str:
        return f"<fields of {self._prefix}{self._entity.name}>"


class _AnyFields:
    """``F``: ``F.lastname``, ``F.contact.country``, ``F["any.path"]``. A keyword gets an underscore: ``F.from_``."""

    def __getattr__(self, name: str) -> AnyField:
        field = AnyField(_api_name(name))
        if len(self.__dict__) < _REMEMBERED:
            self.__dict__[name] = field  # found without this method the next time
        return field

    def __getitem__(self, path: str) -> AnyField:
        return AnyField(check_path(path))

    def __reduce__(self) -> str:
        return "F"

    def __repr__(self) -> str:
        return "F"


_REMEMBERED: Final = 1024
"""How many fields ``F`` remembers: enough for what stands in code, a bound for names that come from elsewhere."""

F: Final = _AnyFields()
"""Fields of any name and type, checked when the request is compiled."""


def as_condition(value: Any) -> Expression:
    """A condition itself, or what a field alone means as one.

    Raises:
        InvalidCondition: It is something else.
    """
    if isinstance(value, Expression):
        return value
    if isinstance(value, FieldRef):
        return value._flag()
    raise InvalidCondition(
        f"{describe(value)} is no condition: & and | bind tighter than ==, "
        "so put parentheses around each condition, as in (F.a == 1) & (F.b == 2)."
    )


def _api_name(name: str) -> str:
    """The API's name for a Python attribute; a name of Python's own protocols is never a field."""
    if name.startswith("_"):
        raise AttributeError(
            f"A field name that starts with an underscore is written in brackets: [{name!r}]."
        )
    return name[:-1] if name.endswith("_") and keyword.iskeyword(name[:-1]) else name


@lru_cache(maxsize=512)
def _namespace(entity: Entity, prefix: str) -> FieldNamespace:
    return FieldNamespace(entity, prefix)


_CLASSES: Final[dict[Kind, type[FieldRef[Any]]]] = {
    Kind.INTEGER: NumberField,
    Kind.NUMBER: NumberField,
    Kind.TEXT: TextField,
    Kind.BOOLEAN: BooleanField,
    Kind.TIME: TimeField,
    Kind.CLOCK: NumberField,
    Kind.DATE: TextField,
    Kind.JSON: JsonField,
    Kind.ARRAY: JsonField,
    Kind.BINARY: JsonField,
}


def _class_of(field: Field, path: str) -> type[FieldRef[Any]]:
    if "extdata." in path:
        return AnyField
    if field.codes is not None:
        return CodeField
    return ReferenceField if field.target is not None else _CLASSES[field.kind]
