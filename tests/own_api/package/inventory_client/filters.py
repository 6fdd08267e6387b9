"""Conditions of the API: ``{"name": "bolt", "stock": 3}``, equality alone and all of them together."""

from __future__ import annotations

from typing import Any

from zeyos_async.filters import And, Comparison, Expression, Op, normalize
from zeyos_async.filters.compilers.base import Compiler
from zeyos_async.schema import Entity, Field, Kind

ARTICLES = Entity(
    "articles",
    "Article",
    {
        "id": Field("id", Kind.INTEGER, nullable=False),
        "name": Field("name", Kind.TEXT),
        "stock": Field("stock", Kind.INTEGER),
    },
    frozenset({"list", "get", "create"}),
)


class _Compiler(Compiler[dict[str, Any]]):
    name = "Inventory"

    def compile_comparison(self, comparison: Comparison) -> dict[str, Any]:
        if comparison.op is not Op.EQ:
            raise self.unsupported(comparison, f"{comparison.op}", "compare with ==")
        return {comparison.path: comparison.value}

    def compile_and(self, expr: And) -> dict[str, Any]:
        tests = [self.compile(item) for item in expr.items]
        merged = {path: value for test in tests for path, value in test.items()}
        if len(merged) < len(tests):
            raise self.unsupported(expr, "two conditions of one field", "give one")
        return merged


def to_inventory(expr: Expression, entity: Entity | None = ARTICLES) -> dict[str, Any]:
    """Return the value of ``where``."""
    return _Compiler().compile(normalize(expr, entity))
