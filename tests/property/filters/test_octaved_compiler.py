"""What is sent to Octaved Flow finds the objects that the condition selects."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zeyos_async.errors import UnsupportedFilter
from zeyos_async.filters import (
    Comparison,
    Constant,
    Expression,
    Op,
    compare,
    evaluate,
    from_octaved,
    normalize,
    simplify,
    to_octaved,
)
from zeyos_async.schema import Entity, Field, Kind

from .filter_strategies import thorough

IDENTS = Entity(
    "things",
    "Thing",
    {
        field.name: field
        for field in (
            Field("name", Kind.TEXT, min_length=1),
            Field("status", Kind.TEXT, choices=("open", "done")),
            Field("isArchived", Kind.BOOLEAN),
            Field("isLocked", Kind.BOOLEAN, choices=("0", "1")),
        )
    },
)

NAMES = st.one_of(
    st.sampled_from(["a", "A", "1", "0", " ", "ä☃", '"', "null"]), st.text(min_size=1, max_size=3)
)
SENDABLE = NAMES.filter(lambda text: "\0" not in text and not any("\ud800" <= c <= "\udfff" for c in text))
FLAGS = st.booleans()
ROWS = st.fixed_dictionaries(
    {"name": SENDABLE, "status": st.sampled_from(["open", "done"]), "isArchived": FLAGS, "isLocked": FLAGS}
)


def comparisons_of(path: str, values: st.SearchStrategy[Any]) -> st.SearchStrategy[Expression]:
    """Equalities and lists of one ident."""
    return st.one_of(
        st.builds(compare, st.just(path), st.sampled_from([Op.EQ, Op.NE]), values),
        st.builds(compare, st.just(path), st.sampled_from([Op.IN, Op.NOT_IN]), st.lists(values, max_size=3)),
    )


LEAVES = st.one_of(
    comparisons_of("name", SENDABLE),
    comparisons_of("status", st.sampled_from(["open", "done"])),
    comparisons_of("isArchived", FLAGS),
    comparisons_of("isLocked", FLAGS),
)
CONDITIONS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.builds(lambda a, b: a & b, inner, inner),
        st.builds(lambda a, b: a | b, inner, inner),
        st.builds(lambda a: ~a, inner),
    ),
    max_leaves=8,
)


def serve(node: dict[str, Any], row: dict[str, Any]) -> bool:
    """The tree as the document explains it, in a reading of its own."""
    if "and" in node:
        return all(serve(part, row) for part in node["and"])
    if "or" in node:
        return any(serve(part, row) for part in node["or"])
    if "not" in node:
        return not serve(node["not"], row)
    if node["ident"] == "isArchived":
        assert "value" not in node
        return bool(row["isArchived"])
    if node["ident"] == "isLocked":
        return {"0": False, "1": True}[node["value"]] is row["isLocked"]
    return bool(row[node["ident"]] == node["value"])


def compiled(expr: Expression) -> Any:
    """The tree after the wire, or the constant that a client need not send."""
    bound = normalize(expr, IDENTS)
    if isinstance(bound, Constant):
        with pytest.raises(UnsupportedFilter):
            to_octaved(expr, IDENTS)
        return bound
    return msgspec.json.decode(msgspec.json.encode(to_octaved(expr, IDENTS)))


@given(CONDITIONS, ROWS)
@thorough
def test_to_octaved_finds_the_same_objects(expr: Expression, row: dict[str, Any]) -> None:
    """As a server reads it, and as we read it back."""
    tree = compiled(expr)
    selected = evaluate(expr, row) is True
    if isinstance(tree, Constant):
        assert tree.value is selected
        return
    assert serve(tree, row) is selected
    assert (evaluate(from_octaved(tree, IDENTS), row) is True) is selected


@given(CONDITIONS)
@thorough
def test_to_octaved_and_from_octaved_settle(expr: Expression) -> None:
    """Reading and compiling settle: the second tree is the first."""
    tree = compiled(expr)
    if not isinstance(tree, Constant):
        again = to_octaved(from_octaved(tree, IDENTS), IDENTS)
        assert to_octaved(from_octaved(again, IDENTS), IDENTS) == again


@given(CONDITIONS)
@thorough
def test_to_octaved_uses_the_documents_nodes_only(expr: Expression) -> None:
    """``and`` and ``or`` of at least one, ``not`` of one, an ident with a text or nothing."""
    tree = compiled(expr)
    pending = [] if isinstance(tree, Constant) else [tree]
    while pending:
        node = pending.pop()
        assert set(node) in ({"and"}, {"or"}, {"not"}, {"ident"}, {"ident", "value"})
        assert isinstance(node.get("value", ""), str)
        lists = node.get("and", node.get("or", [node["not"]] if "not" in node else []))
        assert lists or "ident" in node
        pending += lists


@given(st.sampled_from([Op.LT, Op.LE, Op.GT, Op.GE, Op.LIKE, Op.ILIKE, Op.MATCHES, Op.NOT_LIKE]), CONDITIONS)
@thorough
def test_to_octaved_refuses_other_operators_wherever_they_stand(op: Op, around: Expression) -> None:
    """Nothing is dropped: the whole search is refused, with the part that can't be said."""
    odd = Comparison("name", op, "zzz")
    expr = simplify(around & odd)
    if odd in getattr(expr, "items", (expr,)):
        with pytest.raises(UnsupportedFilter, match="zzz"):
            to_octaved(expr, IDENTS)
