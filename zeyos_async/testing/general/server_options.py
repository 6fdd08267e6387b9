"""Switches for what the document leaves open; the defaults are the strictest reading."""

from __future__ import annotations

from typing import Literal

import attrs

__all__ = ["GeneralServerOptions"]


@attrs.define(kw_only=True)
class GeneralServerOptions:
    """The behaviour of the emulated API where the document is silent.

    Attributes:
        error_status: The HTTP status of an answer whose ``status`` is ``"Error"``.
        expired_code: The ``statuscode`` for a token that is unknown or over its time.
        login_code: The ``statuscode`` for a wrong name or password.
        expired: Every token counts as over its time.
        token_lifetime: Seconds that a token lives.
        longlife_lifetime: Seconds that a token lives that was asked for with ``longlife``.
        default_limit: How many rows a list without ``limit`` answers; ``None`` is all.
        clamp_limit: A ``limit`` above this is silently lowered to it.
        cell_types: Whether every cell of a list is a ``"string"``, or numbers come as numbers and say so.
        partial_updates: Whether an update may leave required fields out.
        multiple_get: What ``get`` answers for several IDs: the values that all share, or an error.
        unknown_properties: Whether a request with a property that nobody documents is refused.
        layouts: Which URLs are served: the endpoint itself, paths below it, or both.
    """

    error_status: int = 200
    expired_code: int = 107
    login_code: int = 106
    expired: bool = False
    token_lifetime: int = 3600
    longlife_lifetime: int = 30 * 86_400
    default_limit: int | None = None
    clamp_limit: int | None = None
    cell_types: Literal["string", "typed"] = "string"
    partial_updates: bool = True
    multiple_get: Literal["shared", "refused"] = "shared"
    unknown_properties: Literal["refused", "ignored"] = "refused"
    layouts: Literal["single", "paths", "both"] = "both"
