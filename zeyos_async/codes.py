"""The base of coded fields: an ``IntEnum`` that keeps the codes it does not know.

A server may store codes that its documents do not name: a newer release, a custom build. Such a
code is data and no error, so it becomes a member of its own that is not kept anywhere::

    >>> class Status(Code):
    ...     OPEN = 0
    >>> Status(99)
    <Status: 99, not a known code>
    >>> Status(99) == 99
    True
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

__all__ = ["FLAG", "Code", "names_of"]

FLAG: Final[Mapping[int, str]] = MappingProxyType({0: "", 1: ""})
"""The codes of a field that is off or on; they have no names."""


class Code(enum.IntEnum):
    """An ``IntEnum`` for which every integer is a value.

    Members compare, hash, sort and pickle like their integers. A code without a name compares equal to
    any other of the same class and number, but is a new object each time, so a stream of strange codes
    costs no memory.
    """

    @classmethod
    def _missing_(cls, value: object) -> Code | None:
        if type(value) is not int:
            return None
        # Not registered with the class: a stream of strange codes would fill its table of members.
        member = int.__new__(cls, value)
        member._name_ = f"UNKNOWN_{value}"
        member._value_ = value
        return member

    @property
    def is_known(self) -> bool:
        """Whether the code has a name of its own."""
        return self._value_ in type(self)._value2member_map_

    def __repr__(self) -> str:
        if self.is_known:
            return super().__repr__()
        return f"<{type(self).__name__}: {self._value_}, not a known code>"

    def __reduce_ex__(self, protocol: Any) -> tuple[Any, ...]:  # IntEnum's own needs a member of that name
        return type(self), (self._value_,)


def names_of(codes: type[Code], *unnamed: int) -> dict[int, str]:
    """Return code → name of every member, and ``""`` for allowed codes that have no name."""
    return {member.value: member.name for member in codes} | dict.fromkeys(unnamed, "")
