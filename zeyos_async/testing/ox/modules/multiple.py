"""``multiple``: several calls in one."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from ..envelope import build_envelope, build_error_fields
from ..handlers import OxCall, OxReply, handles
from ..refusals import OxError, PageRefusal
from ..requests import ParsedRequest, find_operation

__all__: list[str] = []

_BATCH_SIZE: Final = 5
_SERIAL_MODULES: Final = frozenset({"drive", "mail", "templating"})
_SERIAL_WRITES: Final = frozenset({"calendar", "contacts", "folders", "tasks"})
_WRITE_ACTIONS: Final = frozenset({"delete", "new", "update"})
_ITEM_FIELDS: Final = frozenset({"action", "data", "module"})
_REFUSED_MODULES: Final = frozenset({"login", "multiple"})


@handles("multiple", "PUT /multiple")
def _multiple(call: OxCall) -> OxReply:
    """Answer with a bare array of envelopes in the order of the items, which are carried out in another."""
    items = call.body
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise PageRefusal(400, "the body is no array of objects")
    for item in items:
        if not item.get("module"):
            raise OxError("EMU-0006", "an item has no module", params=("module",), status=400)
    answers: dict[int, Any] = dict.fromkeys(range(len(items)))
    for index in _iterate_order(call, items):
        answers[index] = _answer_item(call, items[index])
    return OxReply(bare_json=list(answers.values()))


def _iterate_order(call: OxCall, items: Sequence[Mapping[str, Any]]) -> Iterator[int]:
    """Yield the order of the items: five at a time, in no order; but serial ones keep their own."""
    for start in range(0, len(items), _BATCH_SIZE):
        places = list(range(start, min(start + _BATCH_SIZE, len(items))))
        # Clients that rely on the order of independent items work in tests and fail on the server.
        if call.server_options.multiple_order == "shuffled":
            unordered = [place for place in places if not _is_serial(items[place])]
            shuffled = iter(call.state.random.sample(unordered, len(unordered)))
            places = [place if _is_serial(items[place]) else next(shuffled) for place in places]
        yield from places


def _is_serial(item: Mapping[str, Any]) -> bool:
    module = item["module"]
    return module in _SERIAL_MODULES or (module in _SERIAL_WRITES and item.get("action") in _WRITE_ACTIONS)


def _answer_item(call: OxCall, item: Mapping[str, Any]) -> Any:
    number = call.request.number
    try:
        reply = _perform_item(call, item)
    except OxError as error:
        return build_error_fields(error, call.server_options, number)
    except PageRefusal as refusal:
        return build_error_fields(OxError("EMU-0007", refusal.text), call.server_options, number)
    return build_envelope(reply, call.server_options, number)


def _perform_item(call: OxCall, item: Mapping[str, Any]) -> OxReply:
    query = {name: _as_text(value) for name, value in item.items() if name not in _ITEM_FIELDS}
    query["action"] = _as_text(item.get("action", ""))
    body = item.get("data")
    methods = ("PUT", "GET", "POST", "DELETE", "PATCH")
    documented = _find_documented(f"/{item['module']}", query, methods, call)
    if documented.operation.module in _REFUSED_MODULES or documented.operation.body == "multipart":
        raise OxError("EMU-0008", f"{documented.operation} can't be part of multiple", status=400)
    if documented.operation.body_required and body is None:
        raise OxError("SVL-0002", "Missing the following request parameter: data", params=("data",))
    parsed_request = ParsedRequest(
        operation=documented.operation, query={**query, **documented.query}, body=body
    )
    reply = call.dispatcher.perform(
        parsed_request, call.request, call.server_options, session=call.session, user=call.caller
    )
    if reply.answer is not None:
        raise OxError("EMU-0008", f"{documented.operation} answers no JSON, so it can't be part of multiple")
    return reply


def _find_documented(
    path: str, query: Mapping[str, str], methods: Sequence[str], call: OxCall
) -> ParsedRequest:
    """Find the operation of an item, which has no verb: the first one that is documented with some verb."""
    last_error: OxError | None = None
    for method in methods:
        try:
            operation, path_params = find_operation(method, path, query, call.server_options)
        except OxError as error:
            last_error = error
        else:
            if operation.body != "multipart":
                return ParsedRequest(operation=operation, query=path_params)
            last_error = OxError("EMU-0008", f"{operation} can't be part of multiple", status=400)
    assert last_error is not None, path
    raise last_error


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
