"""Calls, replies, and the handlers of the modules, which turn the ones into the others.

    @handles("contacts", "get")
    def _get(call: OxCall) -> OxReply:
        return OxReply(data=…, timestamp=…)

Operations without an action are registered by verb and path: ``@handles("config", "GET /config/{path}")``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, TypeVar

import attrs

from ..answers import Answer
from .columns import TimeShift
from .documented_api import OPERATIONS, ApiOperation
from .form_data import FormPart
from .refusals import OxError, bad_value, missing_value
from .server_options import OxServerOptions
from .state import OxUser, RowTable, ServerState

if TYPE_CHECKING:
    from ..answers import ReceivedRequest
    from .dispatch import Dispatcher
    from .jobs import Jobs
    from .sessions import OxSession, SessionStore

__all__ = ["NO_DATA", "Handler", "OxCall", "OxReply", "find_handler", "handles"]

_T = TypeVar("_T")


class _NoData:
    def __repr__(self) -> str:
        return "NO_DATA"


NO_DATA: Final = _NoData()
"""The ``data`` of a reply without any; ``None`` would be sent as ``null``."""


@attrs.frozen(kw_only=True)
class OxReply:
    """A module's reply to a call, before it is put into an envelope.

    Attributes:
        data: For the envelope's ``data``.
        timestamp: For the envelope's ``timestamp``.
        warnings: Errors that did not stop the call.
        envelope_fields: More fields of the envelope (or all of them, as for a log-in).
        bare_json: The JSON value that is sent without any envelope.
        answer: The finished answer where it is no JSON.
        status: HTTP status.
        headers: More headers.
        cookies: Values of ``Set-Cookie``.
    """

    data: Any = NO_DATA
    timestamp: int | None = None
    warnings: Sequence[OxError] = ()
    envelope_fields: Mapping[str, Any] = attrs.field(factory=dict)
    bare_json: Any = NO_DATA
    answer: Answer | None = None
    status: int = 200
    headers: Mapping[str, str] = attrs.field(factory=dict)
    cookies: tuple[str, ...] = ()


@attrs.define(kw_only=True)
class OxCall:
    """One call of an operation, checked and parsed.

    Attributes:
        operation: The operation that is called.
        state: The users and rows of the server.
        sessions: The open sessions.
        jobs: The calls that were put off.
        dispatcher: Performs calls within calls, as ``multiple`` does.
        server_options: The behaviour of the server for this call.
        request: The request as it came; that of the batch for an item of ``multiple``.
        params: Parameters by name, of their documented types; a list of strings for ``array[string]``.
        extra: Parameters that the document does not name, as they came.
        body: The value of a JSON body, the fields of a form, or the bytes.
        parts: The parts of a multipart body.
        session: The session, where there is one.
        caller: The user, where one is known.
    """

    operation: ApiOperation
    state: ServerState
    sessions: SessionStore
    jobs: Jobs
    dispatcher: Dispatcher
    server_options: OxServerOptions
    request: ReceivedRequest
    params: dict[str, Any] = attrs.field(factory=dict)
    extra: dict[str, str] = attrs.field(factory=dict)
    body: Any = None
    parts: list[FormPart] = attrs.field(factory=list)
    session: OxSession | None = None
    caller: OxUser | None = None

    @property
    def user(self) -> OxUser:
        """The user who calls."""
        assert self.caller is not None, f"{self.operation} is called by nobody"
        return self.caller

    @cached_property
    def shift(self) -> TimeShift:
        """The difference between UTC and the times of this call, by its time zone."""
        # Some documents forget the parameter, and the server takes it all the same.
        zone = self.params.get("timezone") or self.extra.get("timezone")
        return TimeShift.from_zone_name(zone or (self.caller.zone if self.caller else "UTC"))

    def text_param(self, name: str, default: str = "") -> str:
        """Return a string parameter, or ``default`` where the request has none."""
        return str(self.params.get(name, default))

    def number_param(self, name: str, default: int = 0) -> int:
        """Return a number parameter, or ``default`` where the request has none."""
        return int(self.params.get(name, default))

    def flag_param(self, name: str, *, default: bool = False) -> bool:
        """Return a boolean parameter, or ``default`` where the request has none."""
        return bool(self.params.get(name, default))

    def table(self, name: str) -> RowTable:
        """Return the table of a name."""
        return self.state.table(name)

    def module_state(self, make: Callable[[ServerState, OxUser], _T]) -> _T:
        """Return the state that a module has for the user who calls."""
        return self.state.module_state(make, self.user)

    def body_object(self) -> dict[str, Any]:
        """Return the JSON body, which has to be an object.

        Raises:
            OxError: It is none.
        """
        if not isinstance(self.body, dict):
            raise bad_value("body", self.body, "it has to be a JSON object")
        return self.body

    def body_array(self) -> list[Any]:
        """Return the JSON body, which has to be an array.

        Raises:
            OxError: It is none.
        """
        if not isinstance(self.body, list):
            raise bad_value("body", self.body, "it has to be a JSON array")
        return self.body

    def find_part(self, name: str) -> FormPart:
        """Return the part of a multipart body that has a name.

        Raises:
            OxError: There is none of this name.
        """
        for part in self.parts:
            if part.name == name:
                return part
        raise missing_value(name)

    @property
    def files(self) -> list[FormPart]:
        """The parts of a multipart body that are files."""
        return [part for part in self.parts if part.filename is not None]


Handler = Callable[[OxCall], OxReply]

_HANDLERS: Final[dict[tuple[str, str, str], Handler]] = {}
_DOCUMENTED: Final = {(operation.module, operation.name) for operation in OPERATIONS}


def handles(module: str, *names: str, method: str = "") -> Callable[[Handler], Handler]:
    """Register a function as the handler of a module's actions.

    Args:
        module: Such as ``"contacts"``.
        names: Actions, or verb and path of operations without one.
        method: Only for this verb, where an action has several.

    Raises:
        ValueError: There is no such operation, or it has a function.
    """

    def register(handler: Handler) -> Handler:
        for name in names:
            key = (module, name, method)
            # A typo here would else leave an operation with a sample reply, and nobody would notice.
            if (module, name) not in _DOCUMENTED or key in _HANDLERS:
                raise ValueError(f"{module} {name} is unknown, or registered already")
            _HANDLERS[key] = handler
        return handler

    return register


def find_handler(operation: ApiOperation) -> Handler | None:
    """Return the function that is registered for an operation; ``None`` where there is none."""
    key = (operation.module, operation.name)
    # A handler for one verb wins over one for every verb of the action.
    return _HANDLERS.get((*key, operation.method)) or _HANDLERS.get((*key, ""))
