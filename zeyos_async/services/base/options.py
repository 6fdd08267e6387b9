"""The options that all clients take."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, TypedDict

from ...errors import suggest

if TYPE_CHECKING:
    from ...session import Hooks, Limits, Retry, Session, Timeout

__all__ = ["ClientOptions", "check_option_names"]


class ClientOptions(TypedDict, total=False):
    """The options that all clients take by keyword; each may be left out.

    Attributes:
        session: A session to share between clients; it is not closed with this client. Without one the client
            makes its own, and closes it.
        timeout: Seconds for a call, waits and retries included, or a ``Timeout``; in place of the session's.
        retry: The failures that are tried again, and how often; in place of the session's.
        limits: The number of requests that run at once; in place of the session's.
        hooks: Called on requests, responses, retries and log-ins, after those of the session.
        allow_http: Whether a credential may go over ``http://`` to other machines than this one; by default only
            where ``ZEYOS_ALLOW_HTTP`` says so.

    Example:
        >>> options: ClientOptions = {"timeout": 30.0}
        >>> from zeyos_async import Zeyos
        >>> Zeyos("https://cloud.zeyos.com/demo", **options).base_url
        URL('https://cloud.zeyos.com/demo')
    """

    session: Session | None
    timeout: Timeout | float | None
    retry: Retry | None
    limits: Limits | None
    hooks: Sequence[Hooks]
    allow_http: bool | None


_NAMES: Final = tuple(ClientOptions.__annotations__)


def check_option_names(client: str, options: Mapping[str, Any], *, more: Sequence[str] = ()) -> None:
    """Refuse a keyword that is no option.

    Args:
        client: The client's name, for the message.
        options: The keywords.
        more: Keywords that this client has besides, to suggest them.

    Raises:
        TypeError: There is one, as for any other call in Python.
    """
    for name in options:
        if name not in _NAMES:
            raise TypeError(f"{client}() has no option {name!r}.{suggest(name, ('auth', *more, *_NAMES))}")
