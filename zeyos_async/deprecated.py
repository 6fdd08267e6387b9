"""Old public names that go on working for one minor version, with a warning that says the new one.

A name that users may have written down is not simply taken away. Each helper below keeps one kind of name alive: a
module's (:func:`renamed`), a keyword (:func:`renamed_arguments`), a field of a value (:func:`renamed_fields`), a method
that subclasses override (:func:`adopt_overrides` with :func:`overridable`). CHANGELOG.md says how to move; the warning
says in which version the old name ends.
"""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable, Mapping
from typing import Any, Final, ParamSpec, TypeVar

__all__ = [
    "adopt_overrides",
    "overridable",
    "renamed",
    "renamed_arguments",
    "renamed_attribute",
    "renamed_fields",
    "warn_renamed",
]

P = ParamSpec("P")
T = TypeVar("T")

_LAST: Final = "0.3"
"""The version in which the old names are gone."""


def warn_renamed(old: str, new: str, *, stacklevel: int = 3) -> None:
    """Warn that a name has a new one.

    Args:
        old: What the caller wrote.
        new: What to write.
        stacklevel: Which frame is to blame; 3 is the caller of the function that calls this one.
    """
    text = f"{old} is now called {new}; the old name will be gone in zeyos-async {_LAST}"
    warnings.warn(text, DeprecationWarning, stacklevel=stacklevel)


def renamed(module: str, names: Mapping[str, str]) -> Callable[[str], str]:
    """Return a function that finds the new name of a module's old one, for the module's ``__getattr__``.

    Args:
        module: The module's ``__name__``.
        names: Old name → new name.

    Returns:
        A function that warns and returns the new name, and raises ``AttributeError`` for any other.
    """

    def new_name(name: str) -> str:
        if name not in names:
            raise AttributeError(f"module {module!r} has no attribute {name!r}")
        warn_renamed(f"{module}.{name}", names[name], stacklevel=4)
        return names[name]

    return new_name


def renamed_arguments(**names: str) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Let a function take keywords by their old names.

    Args:
        names: Old keyword → new keyword.
    """

    def decorate(function: Callable[P, T]) -> Callable[P, T]:
        @functools.wraps(function)
        def call(*args: P.args, **kwargs: P.kwargs) -> T:
            if not names.keys().isdisjoint(kwargs):
                for old in names.keys() & kwargs.keys():
                    warn_renamed(f"{function.__qualname__}({old}=…)", f"{names[old]}=")
                    kwargs[names[old]] = kwargs.pop(old)
            return function(*args, **kwargs)

        return call

    return decorate


def renamed_attribute(old: str, new: str) -> Any:
    """Return a property that reads and sets an attribute by its old name.

    Args:
        old: The name of the property.
        new: The attribute that it stands for.
    """

    def read(self: Any) -> Any:
        warn_renamed(f"{type(self).__name__}.{old}", new)
        return getattr(self, new)

    def write(self: Any, value: Any) -> None:
        warn_renamed(f"{type(self).__name__}.{old}", new)
        setattr(self, new, value)

    return property(read, write, doc=f"The old name of ``{new}``.")


def renamed_fields(**names: str) -> Callable[[type[T]], type[T]]:
    """Let a class of values take its fields by their old names, and give them by these.

    Args:
        names: Old name → new name.
    """

    def decorate(cls: type[T]) -> type[T]:
        constructor = cls.__init__

        @functools.wraps(constructor)
        def init(self: T, *args: Any, **kwargs: Any) -> None:
            for old in names.keys() & kwargs.keys():
                warn_renamed(f"{cls.__name__}({old}=…)", f"{names[old]}=")
                kwargs[names[old]] = kwargs.pop(
                    old
                )  # also where attrs.evolve() adds the field's present value
            constructor(self, *args, **kwargs)

        setattr(cls, "__init__", init)  # noqa: B010 - a plain assignment is one that type checkers refuse
        for old, new in names.items():
            setattr(cls, old, renamed_attribute(old, new))
        return cls

    return decorate


def adopt_overrides(cls: type, names: Mapping[str, str]) -> None:
    """Make methods that a subclass overrides by their old names override the new ones; for ``__init_subclass__``.

    Args:
        cls: The new subclass.
        names: Old name → new name.
    """
    for old, new in names.items():
        if old in vars(cls) and new not in vars(cls):
            warn_renamed(f"{cls.__name__}.{old}", new, stacklevel=5)  # abc makes the class
            setattr(cls, new, vars(cls)[old])


def overridable(old: str, new: str) -> Any:
    """Return a property under a method's old name that gives what the method is now, as calls by the old name mean it.

    An override by the old name may call ``super()`` by the old name. What it means is the next class's method: the
    override itself would call itself without end.

    Args:
        old: The name of the property.
        new: The method or attribute that it stands for.
    """

    def read(self: Any) -> Any:
        warn_renamed(f"{type(self).__name__}.{old}", new)
        for cls in type(self).__mro__:
            own = vars(cls).get(new)
            if own is not None and own is not vars(cls).get(old):
                return own.__get__(self, type(self)) if hasattr(own, "__get__") else own
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {new!r}")

    return property(read, doc=f"The old name of ``{new}``.")
