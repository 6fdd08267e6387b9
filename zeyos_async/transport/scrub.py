"""What of the HTTP client's errors may be seen.

They hold headers and proxies, the frames of their tracebacks hold bodies, and their texts hold URLs, in
whose queries sessions travel. Tools that report errors show all of that.
"""

from __future__ import annotations

import re
from typing import Final

__all__ = ["showable", "without_links"]

_LINK: Final = re.compile(r"\w+://\S+")


def showable(cause: BaseException) -> BaseException | None:
    """What may stand behind our error: the cause, or what caused it, without their tracebacks."""
    if hasattr(cause, "request_info"):
        return None
    shown = getattr(cause, "certificate_error", None) or getattr(cause, "os_error", None) or cause
    if _LINK.search(str(shown)):
        shown = shown.__cause__
    behind: BaseException | None = shown
    seen: set[int] = set()
    while behind is not None and id(behind) not in seen:
        seen.add(id(behind))
        behind.__traceback__ = None
        behind = behind.__cause__ or behind.__context__
    return shown


def without_links(text: str) -> str:
    """A text without the URLs in it."""
    return _LINK.sub("the server", text)
