"""Switches for what the documents leave open; the defaults are the strictest reading."""

from __future__ import annotations

from typing import Literal

import attrs

__all__ = ["ZeyosServerOptions"]


@attrs.define(kw_only=True)
class ZeyosServerOptions:
    """The behaviour of the emulated API where the documents are silent or contradict each other.

    Attributes:
        count_form: What a count answers: ``{"count": 5}``, ``{"count": "5"}``, ``5`` or ``"5"``.
        filter_parameter: What the formal parameter ``filter`` does: nothing (the rows come unfiltered,
            as the vendor says of some filters), the same as ``filters``, or a 400.
        ignore_filters: ``filters`` does nothing either.
        unknown_parameters: Whether a list's body with a key that nobody documents is refused.
        json_form: What an unexpanded JSON field shows: its text, or the value itself.
        empty_extdata: What ``extdata`` shows of a record without any: ``{}``, or PHP's ``[]``.
        largest_page: Lists that would answer more rows than this answer 500.
        clamp_limit: A ``limit`` above this is silently lowered to it.
        token_lifetime: Seconds that a log-in's token lives, where the log-in does not say.
        access_lifetime: Seconds that an OAuth2 access token lives.
        single_tokens: Which sign-ins end the earlier tokens of the same user, application and type, as the
            database's unique key on ``tokens`` has it: those of OAuth2, all with an application, or none.
    """

    count_form: Literal["object", "object_text", "number", "text"] = "object"
    filter_parameter: Literal["ignored", "honoured", "refused"] = "ignored"
    ignore_filters: bool = False
    unknown_parameters: Literal["refused", "ignored"] = "refused"
    json_form: Literal["text", "native"] = "text"
    empty_extdata: Literal["object", "array"] = "object"
    largest_page: int | None = None
    clamp_limit: int | None = None
    token_lifetime: int = 100 * 86_400
    access_lifetime: int = 3600
    single_tokens: Literal["oauth2", "all", "none"] = "oauth2"

    def key(self) -> tuple[object, ...]:
        """Return a hashable value of all options: the answer to the same list depends on them."""
        return attrs.astuple(self)
