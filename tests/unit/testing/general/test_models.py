"""What a field reads, shows and objects to, without any socket."""

from __future__ import annotations

from typing import Any

import pytest

from zeyos_async.testing.general.emulator import GeneralEmulator
from zeyos_async.testing.general.models import MODELS, ORDER, SUBACCOUNT

FIELDS = ORDER.by_name | SUBACCOUNT.by_name


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("age", "27", 27),
        ("age", "-1", -1),
        ("age", "", None),
        ("lastname", "", ""),
        ("lastname", None, None),
        ("decTotal", "1.50", 1.5),
        ("datOrdered", "2024-02-29", "2024-02-29"),
        ("intState", "9", 9),
    ],
)
def test_values_that_are_read(name: str, text: Any, value: Any) -> None:
    """Texts become what is stored; empty numbers are NULL."""
    assert FIELDS[name].read(text) == value


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("age", "1.5"),
        ("age", "x"),
        ("age", " 1"),
        ("decTotal", "1,5"),
        ("datOrdered", "1.2.2024"),
        ("intState", "3"),
    ],
)
def test_values_that_are_none(name: str, text: str) -> None:
    """They are told of in the language of the document's examples."""
    with pytest.raises(ValueError, match=r"^Wert "):
        FIELDS[name].read(text)


@pytest.mark.parametrize(
    ("name", "value", "form_text", "displayed"),
    [
        ("intID", 542, "542", ""),
        ("strPass", "x", "%%unchanged%%", "********"),
        ("intStatus", 1, "1", "Aktiv"),
        ("intStatus", 5, "5", "5"),
        ("decTotal", 1.5, "1.5", "1.5"),
        ("age", None, None, ""),
    ],
)
def test_what_forms_show(name: str, value: Any, form_text: Any, displayed: str) -> None:
    """Values are texts; an enumeration displays its word."""
    assert (FIELDS[name].to_form_text(value), FIELDS[name].to_display_text(value)) == (form_text, displayed)


def test_the_models_hold_together() -> None:
    """The first field is the ID, and what a model names is one of its fields."""
    for model in MODELS:
        assert model.fields[0].is_identity
        assert {*model.columns, model.title} <= model.by_name.keys()


def test_an_emulator_that_is_not_started_says_so() -> None:
    """There is no address before; a field that a model lacks is told of at once."""
    with pytest.raises(RuntimeError, match="not started"):
        _ = GeneralEmulator().url
    with pytest.raises(KeyError):
        GeneralEmulator().insert("User", nope=1)


@pytest.mark.parametrize("general_emulator_options", [{"rows": {"Order": 3}}])
async def test_the_general_emulator_fixture(
    general_emulator: GeneralEmulator, general_emulator_options: dict[str, Any]
) -> None:
    """A started emulator for each test, with the options that the test chooses."""
    assert general_emulator.url.startswith("http://127.0.0.1:")
    assert len(general_emulator.rows("Order")) == 3


async def test_its_credentials_open_it(general_emulator: GeneralEmulator) -> None:
    """By name and password, and by a token."""
    from zeyos_async import GeneralApi

    for auth in (
        general_emulator.auth(),
        general_emulator.auth(kind="token"),
        general_emulator.auth(longlife=True),
    ):
        async with GeneralApi(general_emulator.url, auth=auth) as api:
            assert await api.rights()
