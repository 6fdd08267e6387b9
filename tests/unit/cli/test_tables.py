"""Tables fit the line."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zeyos_async.cli.apis.zeyos_columns import default_columns
from zeyos_async.cli.tables import fit_widths, print_table
from zeyos_async.schema import resolve
from zeyos_async.services.zeyos._generated import ENTITIES, entity


@pytest.mark.parametrize(
    ("natural", "available", "whole", "widths"),
    [
        ([5, 10], 80, (), [5, 10]),
        ([5, 30], 27, (), [5, 20]),
        ([30, 30], 42, (), [20, 20]),
        ([20, 30], 42, (0,), [20, 20]),
        ([30, 10, 30], 54, (), [20, 10, 20]),
        ([20, 20, 20], 30, (0, 1, 2), [20]),
        ([100], 40, (), [40]),
        ([100], 3, (), [6]),
    ],
)
def test_the_widest_columns_give_way(
    natural: list[int], available: int, whole: tuple[int, ...], widths: list[int]
) -> None:
    """Down to a few characters; then columns are left out from the right."""
    assert fit_widths(natural, available, uncut=whole) == widths


@given(
    st.lists(st.integers(0, 200), min_size=1, max_size=12), st.integers(6, 250), st.sets(st.integers(0, 11))
)
def test_a_table_fits_the_line(natural: list[int], available: int, whole: set[int]) -> None:
    """No column is wider than it likes, and no room is wasted while a column could use it."""
    widths = fit_widths(natural, available, uncut=sorted(whole))
    line = sum(widths) + 2 * (len(widths) - 1)
    assert all(width <= like for width, like in zip(widths, natural, strict=False))
    assert line <= available or len(widths) == 1
    if len(widths) == len(natural) and widths != natural:
        assert line >= available


@pytest.mark.parametrize("name", sorted(ENTITIES))
def test_every_entity_has_default_columns_that_exist(name: str) -> None:
    """From two on, as far as it has two fields, and not too many for a line."""
    table = entity(name)
    columns = default_columns(table)
    assert min(2, len(table.fields)) <= len(columns) <= 8
    for path in columns:
        resolve(table, path)


def test_without_a_terminal_cells_are_separated_by_tabs(capsys: pytest.CaptureFixture[str]) -> None:
    """And not cut off."""
    print_table(["a", "b"], [["x" * 300, ""], ["1", "2"]])
    assert capsys.readouterr().out == f"a\tb\n{'x' * 300}\t\n1\t2\n"
