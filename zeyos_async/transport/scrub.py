"""Scrubbing of the HTTP client's errors, before they stand behind ours as causes.

They hold headers and proxies, the frames of their tracebacks hold bodies, and their texts hold URLs, in
whose queries sessions travel. Tools that report errors show all of that.
"""

from __future__ import annotations

import re
from typing import Final

__all__ = ["remove_urls", "scrub_cause"]

_URL: Final = re.compile(r"\w+://\S+")


def scrub_cause(cause: BaseException) -> BaseException | None:
    """Return what may be the cause of our error: this one or what caused it, without their tracebacks."""
    # Such an error holds the request with all its headers, wherever it is shown.
    if hasattr(cause, "request_info"):
        return None
    safe = getattr(cause, "certificate_error", None) or getattr(cause, "os_error", None) or cause
    if _URL.search(str(safe)):
        safe = safe.__cause__
    error: BaseException | None = safe
    visited: set[int] = set()  # chains of causes may be circles
    while error is not None and id(error) not in visited:
        visited.add(id(error))
        error.__traceback__ = None
        error = error.__cause__ or error.__context__
    return safe


def remove_urls(text: str) -> str:
    """Return a text with "the server" in place of each URL."""
    return _URL.sub("the server", text)
