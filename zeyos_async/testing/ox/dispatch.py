"""From a request to its answer: who calls, what, with which right, and what the modules say to it."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Mapping
from typing import Any, Final

from ..answers import Answer, Incoming
from .envelope import answer_error, answer_flat, answer_page, answer_reply
from .handlers import Call, Reply, handler_of
from .input_checks import OxJournal, check_shape, note_unknown_input
from .jobs import Jobs, enqueued
from .refusals import ERROR, PERMISSION_DENIED, FlatRefusal, OxError, PageRefusal
from .requests import ROOT, Asked, find_operation, query_of, read_body, read_params
from .sample_replies import generic_reply
from .server_options import OxServerOptions
from .sessions import OxSession, Sessions, no_session
from .state import OxUser, ServerState

__all__ = ["Dispatcher"]

_OWN_SESSION: Final = frozenset({("login", "logout"), ("logout", "GET /logout"), ("login", "redirect")})
_WITHOUT_FACTOR: Final = frozenset({"login", "logout", "multifactor/device", "multifactor/provider"})
_PUBLIC: Final = frozenset({"file", "image"})
_URL_PASSWORD: Final = frozenset({"login"})


class Dispatcher:
    """Answers requests.

    Args:
        state: What the server remembers.
        sessions: Who is logged in.
        jobs: What is put off.
        journal: Where strange parameters are noted.
    """

    def __init__(self, state: ServerState, sessions: Sessions, jobs: Jobs, journal: OxJournal) -> None:
        self._state = state
        self._sessions = sessions
        self._jobs = jobs
        self._journal = journal
        self._arrivals: deque[float] = deque()

    def answer(self, incoming: Incoming, server_options: OxServerOptions) -> Answer:
        """Answer one request."""
        asked: Asked | None = None
        try:
            self._limit(server_options)
            self._jobs.advance()
            asked = self._read(incoming, server_options)
            reply = self._act(asked, incoming, server_options)
        except OxError as error:
            return answer_error(error, asked, incoming, server_options)
        except PageRefusal as refusal:
            return answer_page(refusal)
        except FlatRefusal as refusal:
            return answer_flat(refusal)
        return answer_reply(reply, asked, server_options, incoming.number)

    def _limit(self, server_options: OxServerOptions) -> None:
        now = self._state.clock.now()
        while self._arrivals and self._arrivals[0] <= now - server_options.rate_window:
            self._arrivals.popleft()
        too_many = server_options.rate_limit is not None and len(self._arrivals) >= server_options.rate_limit
        if server_options.rate_limited or too_many:
            oldest = self._arrivals[0] if self._arrivals else now
            wait = max(1, round(oldest + server_options.rate_window - now)) if too_many else 1
            raise PageRefusal(429, "Too Many Requests", plain=True, retry_after=wait)
        self._arrivals.append(now)
        if self._journal.open_requests > server_options.max_concurrent:
            raise OxError("SVL-0019", "too many requests at once", category=PERMISSION_DENIED, status=403)

    def _read(self, incoming: Incoming, server_options: OxServerOptions) -> Asked:
        if not incoming.path.startswith(f"{ROOT}/"):
            raise PageRefusal(404, f"there is nothing at {incoming.path}")
        query = query_of(incoming)
        path = incoming.path.removeprefix(ROOT)
        operation, inside = find_operation(incoming.method, path, query, server_options)
        try:
            body, parts = read_body(operation, incoming, server_options)
        except OxError as error:
            if operation.module == "multiple":
                raise PageRefusal(400, error.text) from error
            raise
        return Asked(operation=operation, query={**query, **inside}, body=body, parts=parts)

    def _act(self, asked: Asked, incoming: Incoming, server_options: OxServerOptions) -> Reply:
        operation = asked.operation
        session, user = self._who(asked, incoming, server_options)
        if operation.module in _URL_PASSWORD and "password" in asked.query:
            raise OxError("SVL-0030", "the password must not be part of the address", status=400)
        return self.perform(asked, incoming, server_options, session=session, user=user)

    def perform(
        self,
        asked: Asked,
        incoming: Incoming,
        server_options: OxServerOptions,
        *,
        session: OxSession | None,
        user: OxUser | None,
    ) -> Reply:
        """Carry out an operation for somebody.

        Raises:
            OxError: It is refused.
        """
        operation = asked.operation
        if session is not None and session.pending and operation.module not in _WITHOUT_FACTOR:
            raise _no_second_factor()
        params, extra = read_params(operation, asked.query)
        check_shape(operation, asked.body)
        note_unknown_input(self._journal, operation, extra, asked.body, number=incoming.number)
        call = Call(
            operation=operation,
            state=self._state,
            sessions=self._sessions,
            jobs=self._jobs,
            dispatcher=self,
            server_options=server_options,
            incoming=incoming,
            params=params,
            extra=extra,
            body=asked.body,
            parts=asked.parts,
            session=session,
            caller=user,
        )
        if server_options.job_seconds > 0 and params.get("allow_enqueue") and user is not None:
            return self._put_off(call, asked.query, user)
        return self._carry_out(call)

    def _carry_out(self, call: Call) -> Reply:
        """What the module says; nonsense that it does not notice is an error of the server, and counted."""
        try:
            handler = handler_of(call.operation)
            return generic_reply(call) if handler is None else handler(call)
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
            self._journal.counts["internal error"] += 1
            text = f"{call.operation} could not be carried out: {error!r}"
            raise OxError("EMU-0500", text, category=ERROR) from error

    def _put_off(self, call: Call, query: Mapping[str, str], user: OxUser) -> Reply:
        operation = call.operation
        asked = {name: value for name, value in query.items() if name != "session"}
        what = json.dumps([str(operation), asked, _plain(call.body)], sort_keys=True)
        seconds = call.server_options.job_seconds
        job = self._jobs.enqueue(
            operation.module,
            operation.action,
            user=user.id,
            seconds=seconds,
            what=what,
            run=lambda: self._carry_out(call),
        )
        return enqueued(job)

    def _who(
        self, asked: Asked, incoming: Incoming, server_options: OxServerOptions
    ) -> tuple[OxSession | None, OxUser | None]:
        """The session and the user of a request; nobody where nobody is needed."""
        operation = asked.operation
        key = asked.query.get("session")
        if not operation.session or (operation.module, operation.name) in _OWN_SESSION:
            return None, None
        if key:
            session = self._sessions.find(key, incoming, server_options)
            return session, session.user
        if "Authorization" in incoming.headers:
            return None, self._sessions.user_of_token(incoming, operation)
        public = self._sessions.by_public_cookie(incoming) if operation.module in _PUBLIC else None
        if public is None:
            raise no_session()
        return public, public.user


def _plain(body: Any) -> Any:
    return len(body) if isinstance(body, bytes) else body


def _no_second_factor() -> OxError:
    return OxError("MFA-0001", "a second factor is needed", category=PERMISSION_DENIED, status=403)
