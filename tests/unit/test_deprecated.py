"""Old public names go on working, and say the new ones."""

from __future__ import annotations

import importlib
import inspect
from typing import Any

import attrs
import pytest
from yarl import URL

from zeyos_async import deprecated
from zeyos_async.auth import AuthBackend, AuthContext, Credential
from zeyos_async.pagination import Paging
from zeyos_async.policy import Hedge, Retry
from zeyos_async.wire import Request, Response, Safety

CONTEXT = AuthContext(base_url=URL("https://erp.example.com/demo"))
CREDENTIAL = Credential(secret="s")
REQUEST = Request(method="GET", url=URL("https://erp.example.com/demo"), safety=Safety.READ)
RESPONSE = Response(status=200, headers={}, body=b"")

MODULE_NAMES = [
    ("errors", "Unfinished", "PartialFailure"),
    ("errors", "SecondFactorNeeded", "SecondFactorRequired"),
    ("services.ox.errors", "OxSecondFactorNeeded", "OxSecondFactorRequired"),
    ("ox", "OxSecondFactorNeeded", "OxSecondFactorRequired"),
    ("filters", "bind", "normalize"),
    ("testing.proxy", "Mishap", "ProxyFault"),
    ("testing", "Behaviour", "ZeyosServerOptions"),
    ("testing", "GeneralBehaviour", "GeneralServerOptions"),
    ("testing", "OctavedBehaviour", "OctavedServerOptions"),
    ("testing", "OxBehaviour", "OxServerOptions"),
]


@pytest.mark.parametrize(("module", "old", "new"), MODULE_NAMES)
def test_names_of_modules(module: str, old: str, new: str):
    """The old one is the same object, with a warning that blames the caller."""
    home = importlib.import_module(f"zeyos_async.{module}")
    with pytest.warns(DeprecationWarning, match=rf"{old} is now called {new}") as caught:
        value = getattr(home, old)
    assert value is getattr(home, new)
    assert caught[0].filename == __file__
    assert old not in home.__all__


@pytest.mark.parametrize(
    ("cls", "old", "new", "value"),
    [
        (Retry, "longest", "max_retry_after", 7.0),
        (Retry, "reserve", "budget", 3.0),
        (Retry, "earn", "refill", 0.25),
        (Hedge, "share", "max_share", 0.1),
        (Hedge, "least", "min_delay", 0.5),
        (Hedge, "learn", "min_answers", 7),
        (Paging, "fair", "yield_often", True),
    ],
)
def test_fields_of_values(cls: Any, old: str, new: str, value: object):
    """They can be given and read by their old names."""
    with pytest.warns(DeprecationWarning, match=rf"{old}=…\) is now called {new}="):
        instance = cls(**{old: value})
    assert instance == cls(**{new: value})
    with pytest.warns(DeprecationWarning, match=f"{cls.__name__}.{old} is now called {new}"):
        assert getattr(instance, old) == value
    with pytest.warns(DeprecationWarning, match="is now called"):
        assert attrs.evolve(cls(), **{old: value}) == instance
    assert old not in {field.name for field in attrs.fields(cls)}


def test_the_signature_is_that_of_the_new_names():
    """Editors and help() don't show the old ones."""
    assert "max_retry_after" in inspect.signature(Retry).parameters
    assert "longest" not in inspect.signature(Retry).parameters


def test_a_backend_that_overrides_old_names():
    """Its methods are called by the session under their new names."""
    with pytest.warns(DeprecationWarning, match="is now called") as caught:

        class Old(AuthBackend):
            def obtain(self, context: AuthContext, rejected: Credential | None) -> Credential:
                return CREDENTIAL

            @property
            def advice(self) -> str:
                return "Look here"

            def answered(
                self, request: Request, response: Response, sent: Credential, current: Credential
            ) -> Credential | None:
                assert super().answered(request, response, sent, current) is None  # type: ignore[misc]
                return Credential(secret="t")

            def farewell(self, context: AuthContext, credential: Credential) -> Request | None:
                return REQUEST

    assert {str(warning.message).split()[0] for warning in caught} == {
        "Old.advice",
        "Old.answered",
        "Old.farewell",
    }
    assert all(warning.filename == __file__ for warning in caught)
    backend = Old()
    assert backend.hint == "Look here"
    assert backend.revocation_request(CONTEXT, CREDENTIAL) is REQUEST
    with pytest.warns(DeprecationWarning, match="Old.answered is now called on_response"):
        assert backend.on_response(REQUEST, RESPONSE, CREDENTIAL, CREDENTIAL) == Credential(secret="t")


def test_callers_of_a_backends_old_names():
    """They get what the new names give."""

    class New(AuthBackend):
        def obtain(self, context: AuthContext, rejected: Credential | None) -> Credential:
            return CREDENTIAL

        def revocation_request(self, context: AuthContext, credential: Credential) -> Request | None:
            return REQUEST

    backend: Any = New()
    with pytest.warns(DeprecationWarning, match="New.farewell is now called revocation_request"):
        assert backend.farewell(CONTEXT, CREDENTIAL) is REQUEST
    with pytest.warns(DeprecationWarning, match=r"New\.advice is now called hint"):
        assert backend.advice == ""
    with pytest.warns(DeprecationWarning, match="New.answered is now called on_response"):
        assert backend.answered(REQUEST, RESPONSE, CREDENTIAL, CREDENTIAL) is None


async def test_paging_by_the_old_name():
    """``fair=`` of a query."""
    from zeyos_async import Zeyos
    from zeyos_async.auth import NoAuth

    async with Zeyos("https://erp.example.com/demo", auth=NoAuth()) as zeyos:
        with pytest.warns(DeprecationWarning, match="yield_often"):
            old = zeyos.accounts.query().paging(fair=True)  # type: ignore[call-arg]
        assert old.explain() == zeyos.accounts.query().paging(yield_often=True).explain()


@pytest.mark.parametrize("api", ["zeyos", "general", "octaved", "ox"])
async def test_emulators_by_the_old_names(api: str):
    """``behaviour=`` and ``emulator.behaviour``."""
    testing: Any = importlib.import_module("zeyos_async.testing")
    options = {
        "zeyos": testing.ZeyosServerOptions,
        "general": testing.GeneralServerOptions,
        "octaved": testing.OctavedServerOptions,
        "ox": testing.OxServerOptions,
    }[api]()
    with pytest.warns(DeprecationWarning, match="server_options"):
        opening = getattr(testing, f"emulate_{api}")(behaviour=options)
    async with opening as emulator:
        assert emulator.server_options is options
        with pytest.warns(DeprecationWarning, match="server_options"):
            assert emulator.behaviour is options
        with pytest.warns(DeprecationWarning, match="server_options"):
            emulator.behaviour = options


def test_a_name_that_never_was():
    """It is an AttributeError as ever."""
    with pytest.raises(AttributeError, match="has no attribute 'Nothing'"):
        deprecated.renamed("zeyos_async.errors", {"Unfinished": "PartialFailure"})("Nothing")
