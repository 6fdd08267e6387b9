"""The good answers of ZeyOS, by operation; all else is a failure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from ..base.answers import GoodAnswer, build_answer_check, refuse_other_record

__all__ = ["GOOD_ANSWERS", "check_answer"]

_OK: Final = frozenset({200})
_OK_OR_EMPTY: Final = frozenset({200, 204})

GOOD_ANSWERS: Final[Mapping[str, GoodAnswer]] = {
    # action       statuses, and what is looked at here; rows, counts and records are looked at by their readers
    "list": GoodAnswer(statuses=_OK),
    "count": GoodAnswer(statuses=_OK),
    "get": GoodAnswer(statuses=_OK, conditional=True),
    "exists": GoodAnswer(statuses=_OK_OR_EMPTY, conditional=True),
    "create": GoodAnswer(statuses=frozenset({200, 201})),
    "update": GoodAnswer(statuses=_OK),
    "delete": GoodAnswer(statuses=_OK_OR_EMPTY, refuse_body=refuse_other_record("ID")),
}

check_answer: Final = build_answer_check(GOOD_ANSWERS)
