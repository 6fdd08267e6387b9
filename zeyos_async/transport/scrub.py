"""What of the HTTP client's errors may be seen.

They hold headers and proxies, the frames of their tracebacks hold bodies, and their texts hold URLs, in
whose queries sessions travel. Tools that report errors show all of that.
"""

from __future__ import annotations

import re
from typing import Final

__all__ = ["remove_urls", "scrub_cause"]

_URL: Final = re.compile(r"\w+://\S+")


def scrub_cause(cause: BaseException) -> BaseException | None:
    """What may stand behind our error: the cause, or what caused it, without their tracebacks."""
    if hasattr(cause, "request_info"):
        return None
    shown = getattr(cause, "certificate_error", None) or getattr(cause, "os_error", None) or cause
    if _URL.search(str(shown)):
        shown = shown.__cause__
    behind: BaseException | None = shown
    seen: set[int] = set()
    while behind is not None and id(behind) not in seen:
        seen.add(id(behind))
        behind.__traceback__ = None
        behind = behind.__cause__ or behind.__context__
    return shown


def remove_urls(text: str) -> str:
    """A text without the URLs in it."""
    return _URL.sub("the server", text)
