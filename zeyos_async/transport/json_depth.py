"""The depth of JSON, measured for interpreters whose recursion limit was raised.

Decoders of JSON recurse, and end with ``RecursionError`` at the interpreter's limit: with the usual one
that is bound enough. A program that raises the limit (to read deep structures of its own) also takes
away what keeps a hostile answer from overflowing the stack, which ends the process. Then, and only
then, the depth is measured here before anything decodes: it costs as much as decoding does.
"""

from __future__ import annotations

import re
import sys
from itertools import accumulate
from typing import Final

__all__ = ["MAX_DEPTH", "is_too_deep"]

MAX_DEPTH: Final = 5_000
"""Nesting up to which decoding is safe on the stack of any thread."""

_STRINGS: Final = re.compile(rb'"(?:[^"\\]|\\.)*"?', re.DOTALL)
_NO_BRACKETS: Final = bytes(set(range(256)) - set(b"[]{}"))
_STEPS: Final = {ord("["): 1, ord("{"): 1, ord("]"): -1, ord("}"): -1}


def is_too_deep(body: bytes) -> bool:
    """Return whether a body is nested so deeply that reading it as JSON could end the process."""
    if len(body) <= MAX_DEPTH or sys.getrecursionlimit() <= MAX_DEPTH:
        return False
    return measure_depth(body) > MAX_DEPTH


def measure_depth(body: bytes) -> int:
    """Return how many arrays and objects are open at most; brackets in strings don't count."""
    brackets = _STRINGS.sub(b"", body).translate(None, _NO_BRACKETS)
    return max(accumulate(map(_STEPS.__getitem__, brackets)), default=0)
