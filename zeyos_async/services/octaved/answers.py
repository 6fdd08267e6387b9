"""The good answers of Octaved Flow, by operation; all else is a failure.

The document names no statuses. So reads take 200 alone, and writes any status that says success.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from ..base.answers import ANY_2XX, GoodAnswer, build_answer_check, refuse_other_record

__all__ = ["GOOD_ANSWERS", "check_answer"]

_READ: Final = GoodAnswer(statuses=frozenset({200}))
_WRITE: Final = GoodAnswer(statuses=ANY_2XX, refuse_body=refuse_other_record("id"))
_NODE_WRITE: Final = GoodAnswer(statuses=ANY_2XX, refuse_body=refuse_other_record())

GOOD_ANSWERS: Final[Mapping[str, GoodAnswer]] = {
    **dict.fromkeys(("get", "get_many", "all", "search", "search_objects"), _READ),
    "create": GoodAnswer(statuses=ANY_2XX),  # the ID in its body tells
    **dict.fromkeys(("put", "patch", "delete"), _WRITE),
    **dict.fromkeys(("archive", "unarchive"), _NODE_WRITE),
}

check_answer: Final = build_answer_check(GOOD_ANSWERS)
