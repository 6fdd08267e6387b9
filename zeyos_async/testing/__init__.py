"""Emulators of the APIs: for the tests of your code, for trying things out, and for our own tests.

    async with emulate_zeyos(rows={"accounts": 10_000}, seed=1) as emulator:
        async with Zeyos(emulator.url, auth=emulator.auth()) as zeyos: ...

Names are loaded on first use; importing this package loads no web server.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from ..deprecated import renamed

if TYPE_CHECKING:
    from .faults import Fault, FaultPlan
    from .general.emulator import GeneralEmulator, emulate_general, serve_general
    from .general.server_options import GeneralServerOptions
    from .general.tokens import GeneralCredentials
    from .journal import Journal
    from .octaved.emulator import OctavedEmulator, emulate_octaved, serve_octaved
    from .octaved.server_options import OctavedServerOptions
    from .ox.emulator import OxEmulator, emulate_ox, serve_ox
    from .ox.input_checks import OxJournal
    from .ox.server_options import OxServerOptions
    from .ox.state import OxUser
    from .zeyos.emulator import ZeyosEmulator, emulate_zeyos
    from .zeyos.process import EmulatorProcess, emulate_zeyos_process, serve_zeyos
    from .zeyos.server_options import ZeyosServerOptions
    from .zeyos.tokens import Credentials

    Behaviour = ZeyosServerOptions
    GeneralBehaviour = GeneralServerOptions
    OctavedBehaviour = OctavedServerOptions
    OxBehaviour = OxServerOptions

__all__ = [
    "Credentials",
    "EmulatorProcess",
    "Fault",
    "FaultPlan",
    "GeneralCredentials",
    "GeneralEmulator",
    "GeneralServerOptions",
    "Journal",
    "OctavedEmulator",
    "OctavedServerOptions",
    "OxEmulator",
    "OxJournal",
    "OxServerOptions",
    "OxUser",
    "ZeyosEmulator",
    "ZeyosServerOptions",
    "emulate_general",
    "emulate_octaved",
    "emulate_ox",
    "emulate_zeyos",
    "emulate_zeyos_process",
    "serve_general",
    "serve_octaved",
    "serve_ox",
    "serve_zeyos",
]

# Importing an emulator loads a web server; a program's tests should not pay for those they don't use.
_MODULES = {
    "ZeyosServerOptions": ".zeyos.server_options",
    "Credentials": ".zeyos.tokens",
    "EmulatorProcess": ".zeyos.process",
    "Fault": ".faults",
    "FaultPlan": ".faults",
    "GeneralServerOptions": ".general.server_options",
    "GeneralCredentials": ".general.tokens",
    "GeneralEmulator": ".general.emulator",
    "Journal": ".journal",
    "OctavedServerOptions": ".octaved.server_options",
    "OctavedEmulator": ".octaved.emulator",
    "OxServerOptions": ".ox.server_options",
    "OxEmulator": ".ox.emulator",
    "OxJournal": ".ox.input_checks",
    "OxUser": ".ox.state",
    "ZeyosEmulator": ".zeyos.emulator",
    "emulate_general": ".general.emulator",
    "emulate_octaved": ".octaved.emulator",
    "emulate_ox": ".ox.emulator",
    "emulate_zeyos": ".zeyos.emulator",
    "emulate_zeyos_process": ".zeyos.process",
    "serve_general": ".general.emulator",
    "serve_octaved": ".octaved.emulator",
    "serve_ox": ".ox.emulator",
    "serve_zeyos": ".zeyos.process",
}

_OLD_NAMES = {
    "Behaviour": "ZeyosServerOptions",
    "GeneralBehaviour": "GeneralServerOptions",
    "OctavedBehaviour": "OctavedServerOptions",
    "OxBehaviour": "OxServerOptions",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        name = renamed(__name__, _OLD_NAMES)(name)
    return getattr(importlib.import_module(_MODULES[name], __name__), name)


def __dir__() -> list[str]:
    return sorted(__all__)
