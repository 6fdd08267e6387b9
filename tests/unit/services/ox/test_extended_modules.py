"""The hand-written modules have all that the document has, and keep its arguments."""

from __future__ import annotations

import importlib
import inspect
from typing import Any

import pytest

from zeyos_async import OpenXchange
from zeyos_async.errors import InvalidArgument
from zeyos_async.services.ox._generated import MODULES, make_module
from zeyos_async.services.ox.modules import EXTENDED, load_module
from zeyos_async.services.ox.operation import BoundDownload, BoundOperation, DownloadOperation, Operation

CALLER: Any = object()
NOT_KEPT = {
    "body",  # positional: what it may be is wider in a hand-written method
    "record",
}


@pytest.mark.parametrize("name", EXTENDED)
def test_extended_modules_extend_the_generated_ones(name: str) -> None:
    """The class of the document is its base; each documented call is a call still, with the same options."""
    written = type(load_module(name, CALLER))
    documented = type(make_module(name, CALLER))
    assert name in MODULES
    assert issubclass(written, documented)
    calls = [
        key for key, value in vars(documented).items() if isinstance(value, Operation | DownloadOperation)
    ]
    module = load_module(name, CALLER)
    for call in calls:
        bound = getattr(module, call)
        assert isinstance(bound, BoundOperation | BoundDownload)
        assert bound.__doc__
        assert _options(documented, call) <= _options(written, call), call


def _options(cls: type, call: str) -> set[str]:
    return set(inspect.signature(getattr(cls, call).__wrapped__).parameters) - NOT_KEPT


def test_the_client_gives_extended_modules() -> None:
    """By attribute and by name, by the document's spelling too; always the same object."""
    ox = OpenXchange("https://ox.example.com/ajax")
    for name, cls in EXTENDED.items():
        assert type(getattr(ox, name)).__name__ == cls
        assert getattr(ox, name) is ox.module(name)
    assert type(load_module("chronos/itip", CALLER)).__name__ == "ChronosItip"
    assert ox.chronos.itip is ox.chronos_itip
    with pytest.raises(InvalidArgument, match="contacts"):
        ox.module("contatcs")


def test_public_names_are_found_in_their_modules() -> None:
    """Errors, results and helpers stand beside the record classes; each loads when it is asked for."""
    public: Any = importlib.import_module("zeyos_async.ox")

    for name in public.__all__:
        assert getattr(public, name).__name__ == name
    with pytest.raises(AttributeError, match="EventConflict"):
        public.EventConflit  # noqa: B018
