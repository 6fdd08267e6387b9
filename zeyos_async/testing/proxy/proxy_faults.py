"""Faults of one request on its way: values, and the usual ones by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, Literal

import attrs

from .edits import Edit, edit_json, replace_body, weaken_validator
from .messages import Framing

__all__ = [
    "NO_FAULT",
    "ProxyFault",
    "answered",
    "closing_bytes",
    "dripping",
    "edited",
    "emptied",
    "half_an_answer",
    "html_page",
    "late_401",
    "late_delivery",
    "late_status",
    "lost_answer",
    "one_more_answer",
    "reset_after",
    "reset_before",
    "reset_in_answer",
    "reset_in_request",
    "silent",
    "truncated",
    "weak_validator",
]

End = Literal["", "close", "reset"]


@attrs.frozen(kw_only=True)
class ProxyFault:
    """One fault of one request.

    Attributes:
        name: What the log of the proxy calls it.
        forward: The part of the request's bytes that reaches the server: 1 is all, 0 none.
        late: Seconds after the client was cut off at which the whole request reaches the server all the same.
        answer: The bytes that are answered in place of what the server says.
        silence: Seconds in which nothing is answered, before anything is.
        deliver: The part of the answer's bytes, head included, that reaches the client.
        edit: What is changed of the server's answer, if anything (see ``edits``).
        framing: How the end of the answer's body is told; ``""`` leaves it to the server.
        drip: Bytes at a time, and seconds between them.
        idle: What comes on the client's connection while it is idle, as a function of the answer's bytes. Nothing comes
            if the next request is there already: HTTP/1.1 could not tell it from that request's answer.
        idle_after: Seconds between the answer and what comes after it.
        end: How the client's connection ends afterwards: not, by an orderly close, or by a reset.
    """

    name: str
    forward: float = 1.0
    late: float = 0.0
    answer: bytes | None = None
    silence: float = 0.0
    deliver: float = 1.0
    edit: Edit | None = None
    framing: Framing = ""
    drip: tuple[int, float] | None = None
    idle: Callable[[bytes], bytes] | None = None
    idle_after: float = 0.0
    end: End = ""


NO_FAULT: Final = ProxyFault(name="")


def reset_before() -> ProxyFault:
    """Reset the connection before the server gets anything."""
    return ProxyFault(name="reset before the request", forward=0.0, deliver=0.0, end="reset")


def reset_in_request(part: float = 0.5) -> ProxyFault:
    """Reset both connections when the server has a part of the request."""
    return ProxyFault(name="reset in the request", forward=part, deliver=0.0, end="reset")


def lost_answer(*, end: Literal["close", "reset"] = "close") -> ProxyFault:
    """Let the server act, and end the connection without an answer ("commit, then drop")."""
    return ProxyFault(name=f"answer lost by a {end}", deliver=0.0, end=end)


def late_delivery(seconds: float) -> ProxyFault:
    """Reset the connection, and let the request reach the server a while after that."""
    return ProxyFault(name="late delivery", late=seconds, deliver=0.0, end="reset")


def reset_in_answer(part: float = 0.5) -> ProxyFault:
    """Reset the connection within the answer."""
    return ProxyFault(name="reset in the answer", deliver=part, end="reset")


def truncated(framing: Framing = "length", part: float = 0.5) -> ProxyFault:
    """End the answer early, by an orderly close."""
    name = f"truncated ({framing or 'as it comes'})"
    return ProxyFault(name=name, framing=framing, deliver=part, end="close")


def reset_after() -> ProxyFault:
    """Give a whole answer, and reset the connection after it."""
    return ProxyFault(name="reset after the answer", end="reset")


def dripping(size: int = 64, seconds: float = 0.001) -> ProxyFault:
    """Give a right answer, in small pieces."""
    return ProxyFault(name="slow drip", drip=(size, seconds))


def silent(seconds: float) -> ProxyFault:
    """Let the server act, and give the answer after a long silence."""
    return ProxyFault(name="silence", silence=seconds)


def answered(
    status: int, *, act: bool = False, retry_after: int | None = None, late: float = 0.0
) -> ProxyFault:
    """Answer with another status than the server's own; with ``act``, the server gets the request all the same.

    Args:
        status: The status.
        act: Whether the server gets the request all the same.
        retry_after: Seconds that the answer asks to wait.
        late: Seconds in which nothing is answered before.
    """
    wait = "" if retry_after is None else f"Retry-After: {retry_after}\r\n"
    name = f"answered {status}{' late' if late else ''}{' after it acted' if act else ''}"
    answer = _message(status, "text/plain", "No luck today", wait)
    return ProxyFault(name=name, forward=float(act), answer=answer, silence=late)


def emptied(body: bytes = b"") -> ProxyFault:
    """Let the server act, and answer with its status and nothing: no body, or one that holds nothing."""
    return ProxyFault(name=f"emptied to {body.decode() or 'no body'}", edit=replace_body(body))


def edited(change: Callable[[Any], Any], *, name: str = "edited") -> ProxyFault:
    """Let the server act, and change the value of its answer in JSON."""
    return ProxyFault(name=name, edit=edit_json(change))


def weak_validator() -> ProxyFault:
    """Give a right answer with a weak ETag."""
    return ProxyFault(name="weak validator", edit=weaken_validator)


def one_more_answer(after: float = 0.0) -> ProxyFault:
    """Give a right answer, and the same once more while the connection is idle."""
    return ProxyFault(name="one more answer while idle", idle=bytes, idle_after=after)


def half_an_answer(part: float = 0.5, after: float = 0.0) -> ProxyFault:
    """Give a right answer, and a part of it once more while the connection is idle."""
    return ProxyFault(
        name="half an answer while idle",
        idle=lambda answer: answer[: max(1, int(len(answer) * part))],
        idle_after=after,
    )


def late_status(status: int = 408, after: float = 0.0) -> ProxyFault:
    """Give a right answer, and one more with this status while the connection is idle, as servers say 408."""
    unasked = _message(status, "text/plain", "Too late")
    return ProxyFault(name=f"{status} while idle", idle=lambda answer: unasked, idle_after=after)


def closing_bytes(data: bytes = b"\0", after: float = 0.0) -> ProxyFault:
    """Give a right answer, and end the idle connection with a last byte or two."""
    return ProxyFault(
        name="closing bytes while idle", idle=lambda answer: data, idle_after=after, end="close"
    )


def html_page(status: int = 502, *, act: bool = False) -> ProxyFault:
    """Answer with a web page; status 200 is a sign-in page."""
    page = f"<!DOCTYPE html><html><head><title>{status}</title></head><body>Sorry</body></html>"
    name = f"HTML page {status}{' after it acted' if act else ''}"
    return ProxyFault(name=name, forward=float(act), answer=_message(status, "text/html", page))


def late_401(seconds: float = 0.0) -> ProxyFault:
    """Answer 401 to a good credential, after a while; the server gets nothing."""
    challenge = 'WWW-Authenticate: Bearer realm="demo" error="invalid_token"\r\n'
    message = _message(401, "text/plain", "Unauthorized: Invalid token", challenge)
    return ProxyFault(name="late 401", forward=0.0, answer=message, silence=seconds)


def _message(status: int, kind: str, text: str, headers: str = "") -> bytes:
    # These have no body on the wire: its bytes would be taken for the next answer.
    body = b"" if status in (204, 304) else text.encode()
    head = f"HTTP/1.1 {status} Answer\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n{headers}\r\n"
    return head.encode() + body
