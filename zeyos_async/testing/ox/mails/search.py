"""Search for messages by terms."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Any, Final

from ..handlers import OxCall
from ..search_terms import SearchGrammar, SearchOperand, compile_filter
from .parsing import to_plain_text
from .rendering import build_mail_row
from .store import StoredMail

__all__ = ["search_mails"]

_ADDRESSES: Final = frozenset({"from", "to", "cc", "bcc"})
_GRAMMAR: Final = SearchGrammar.with_operators(
    [
        *_ADDRESSES,
        "subject",
        "received_date",
        "sent_date",
        "size",
        "flags",
        "content",
        "content_type",
        "disp",
        "priority",
    ],
    kinds=frozenset({"field", "attachment", "header"}),
    code="MSG-0080",
)


def search_mails(call: OxCall, body: Any, mails: Iterable[StoredMail]) -> list[StoredMail]:
    """Return the messages that match the term of a body; all, where there is no term.

    Raises:
        OxError: The term makes no sense.
    """
    term = compile_filter(body, _GRAMMAR)
    return [mail for mail in mails if term is None or term(partial(_operand_values, call, mail))]


def _operand_values(call: OxCall, mail: StoredMail, operand: SearchOperand) -> list[Any]:
    if operand.kind == "header":
        return [mail.headers.text(operand.name)]
    if operand.kind == "attachment":
        return [part.filename for part in mail.parts if not part.is_body]
    return _field_values(call, mail, operand.name)


def _field_values(call: OxCall, mail: StoredMail, name: str) -> list[Any]:
    if name == "content":
        return [to_plain_text(part).strip() for part in mail.parts if part.is_body]
    if name == "disp":
        return [part.disposition for part in mail.parts]
    value = build_mail_row(mail)[name]
    if name in _ADDRESSES:
        return [text for person, address in value for text in (address, person, f"{person} <{address}>")]
    if name.endswith("_date") and value is not None:
        return [call.shift.to_wire(value)]
    return [value]
