"""Envelopes: replies and refusals as HTTP answers.

The server has one shape for almost everything, ``{"data": …, "timestamp": …}``, and several exceptions that clients
trip over; each of them is here and nowhere else:

* An error is the same object with ``error``, ``code`` and ``category`` and has status 200. A *warning* has these
  fields too, beside ``data``: only the category (13) tells them apart.
* ``warnings`` is an object for one warning and an array for several, as the server does it.
* The answer to an upload is a page of HTML that calls back with the envelope as its argument, for browsers that post
  into a frame. ``plainJson`` switches the page off; ``force_json_response`` does so for successes only.
* A failed download is an envelope if the client accepts JSON, and else a page with a status of its own.
* OAuth errors have no envelope.

Some operations answer without an envelope (``bare_json``) or not in JSON at all (``answer``); their replies pass
through unchanged.
"""

from __future__ import annotations

import html
import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

import attrs

from ..answers import Answer, ReceivedRequest, make_json_answer, make_text_answer
from .handlers import NO_DATA, OxReply
from .refusals import CATEGORIES, ERROR, WARNING, OAuthRefusal, OxError, PageRefusal
from .requests import ParsedRequest
from .server_options import OxServerOptions

__all__ = [
    "answer_error",
    "answer_oauth_refusal",
    "answer_page",
    "answer_reply",
    "build_envelope",
    "build_error_fields",
]

_PAGE: Final = (
    '<!DOCTYPE HTML PUBLIC "-//W3C//DTD HTML 4.01//EN" "http://www.w3.org/TR/html4/strict.dtd">'
    '<html><head><META http-equiv="Content-Type" content="text/html; charset=UTF-8">'
    '<script type="text/javascript">(parent["callback_{name}"] || window.opener && '
    'window.opener["callback_{name}"])({value})</script></head></html>'
)
_JSON_TYPES: Final = ("application/json", "text/javascript", "*/*", "application/*")


def build_error_fields(error: OxError, server_options: OxServerOptions, number: int) -> dict[str, Any]:
    """Build the fields of an error in the envelope."""
    name = CATEGORIES.get(error.category, CATEGORIES[ERROR])
    fields: dict[str, Any] = {
        "error": error.text,
        "error_params": [str(param) for param in error.params],
        "categories": [name] if server_options.categories == "array" else name,
        "category": error.category,
        "code": error.code,
        "error_id": f"1000001-{number}",
        "error_desc": error.text,
    }
    if error.truncated:
        fields["truncated"] = [{"id": column, "max_size": limit} for column, limit in error.truncated]
    return fields


def build_envelope(reply: OxReply, server_options: OxServerOptions, number: int) -> Any:
    """Build the envelope of a success; a warning is copied into the fields of an error."""
    if reply.bare_json is not NO_DATA:
        return reply.bare_json
    envelope: dict[str, Any] = dict(reply.envelope_fields)
    if reply.data is not NO_DATA:
        envelope["data"] = reply.data
    if reply.timestamp is not None:
        envelope["timestamp"] = reply.timestamp
    warnings = [*reply.warnings, *_build_warnings(server_options)]
    if warnings:
        rendered = [build_error_fields(warning, server_options, number) for warning in warnings]
        # As on the server: a client that only looks for ``error`` takes a warning for one.
        envelope |= rendered[0]
        envelope["warnings"] = rendered[0] if len(rendered) == 1 else rendered
    return envelope


def _build_warnings(server_options: OxServerOptions) -> Sequence[OxError]:
    return [
        OxError(f"EMU-09{number:02}", f"warning {number}: 100 %s", category=WARNING, params=("nothing",))
        for number in range(server_options.warnings)
    ]


def answer_reply(
    reply: OxReply, parsed_request: ParsedRequest, server_options: OxServerOptions, number: int
) -> Answer:
    """Build the answer of a success."""
    if reply.answer is not None:
        return attrs.evolve(reply.answer, cookies=(*reply.answer.cookies, *reply.cookies))
    envelope = build_envelope(reply, server_options, number)
    plain = ("plainJson", "force_json_response")
    answer = _wrap_in_page(envelope, parsed_request, plain) or make_json_answer(envelope)
    headers = {**answer.headers, **reply.headers}
    return attrs.evolve(answer, status=reply.status, headers=headers, cookies=reply.cookies)


def answer_error(
    error: OxError,
    parsed_request: ParsedRequest | None,
    request: ReceivedRequest,
    server_options: OxServerOptions,
) -> Answer:
    """Build the answer of an error: an envelope in a 200, a page around it, or an error page."""
    envelope = build_error_fields(error, server_options, request.number)
    if parsed_request is None:
        return make_json_answer(envelope)
    if parsed_request.operation.is_download and not _accepts_json(request):
        return answer_page(PageRefusal(error.status, error.text))
    plain = ("plainJson", "force_json_response") if server_options.force_json_errors else ("plainJson",)
    return _wrap_in_page(envelope, parsed_request, plain) or make_json_answer(envelope)


def _wrap_in_page(envelope: Any, parsed_request: ParsedRequest, plain: Sequence[str]) -> Answer | None:
    """Build the page that an upload's answer is wrapped in; ``None`` if the client wants plain JSON."""
    if not parsed_request.is_multipart or any(
        parsed_request.query.get(callback) == "true" for callback in plain
    ):
        return None
    callback = "import" if parsed_request.operation.module == "import" else parsed_request.operation.action
    # A script must not contain its own end tag: a title with "</script>" would cut the page.
    value = json.dumps(envelope, ensure_ascii=False).replace("</", "<\\/")
    page = _PAGE.replace("{name}", callback).replace("{value}", value)
    return Answer(headers={"Content-Type": "text/html; charset=UTF-8"}, body=page.encode())


def _accepts_json(request: ReceivedRequest) -> bool:
    accepted = request.headers.get("Accept", "*/*").lower()
    return any(kind in accepted for kind in _JSON_TYPES)


def answer_page(refusal: PageRefusal) -> Answer:
    """Build an error page."""
    headers = {} if refusal.retry_after is None else {"Retry-After": str(refusal.retry_after)}
    if refusal.plain:
        return make_text_answer(refusal.status, refusal.text, headers)
    text = html.escape(refusal.text)
    page = f"<html><head><title>{refusal.status}</title></head><body><h1>{refusal.status}</h1>{text}</body></html>"
    kind = {"Content-Type": "text/html; charset=UTF-8"}
    return Answer(status=refusal.status, headers=kind | headers, body=page.encode())


def answer_oauth_refusal(refusal: OAuthRefusal) -> Answer:
    """Build an error of OAuth: a flat one, or an empty 401 where there is no token."""
    challenge: Mapping[str, str] = {"WWW-Authenticate": "Bearer"} if refusal.status == 401 else {}
    if not refusal.error:
        return Answer(status=refusal.status, headers=challenge)
    value = {"error": refusal.error, "error_description": refusal.description}
    if refusal.scope:
        value["scope"] = refusal.scope
    return make_json_answer(value, status=refusal.status, headers=challenge)
