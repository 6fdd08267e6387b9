"""From a request to its answer: who calls, what, with which right, and what the modules say to it."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Mapping
from typing import Any, Final

from ..answers import Answer, Incoming
from .envelope import answer_error, answer_oauth_refusal, answer_page, answer_reply
from .handlers import OxCall, OxReply, find_handler
from .input_checks import OxJournal, check_shape, note_unknown_input
from .jobs import Jobs, build_job_reply
from .refusals import ERROR, PERMISSION_DENIED, OAuthRefusal, OxError, PageRefusal
from .requests import ROOT, ParsedRequest, find_operation, parse_query, read_body, read_params
from .sample_replies import build_sample_reply
from .server_options import OxServerOptions
from .sessions import OxSession, SessionStore, missing_session
from .state import OxUser, ServerState

__all__ = ["Dispatcher"]

_READS_SESSION_ITSELF: Final = frozenset(
    {("login", "logout"), ("logout", "GET /logout"), ("login", "redirect")}
)
_WITHOUT_SECOND_FACTOR: Final = frozenset({"login", "logout", "multifactor/device", "multifactor/provider"})
_BY_PUBLIC_COOKIE: Final = frozenset({"file", "image"})
_NO_PASSWORD_IN_URL: Final = frozenset({"login"})


class Dispatcher:
    """Answers requests.

    Args:
        state: What the server remembers.
        sessions: Who is logged in.
        jobs: What is put off.
        journal: Where strange parameters are noted.
    """

    def __init__(self, state: ServerState, sessions: SessionStore, jobs: Jobs, journal: OxJournal) -> None:
        self._state = state
        self._sessions = sessions
        self._jobs = jobs
        self._journal = journal
        self._arrivals: deque[float] = deque()

    def answer(self, incoming: Incoming, server_options: OxServerOptions) -> Answer:
        """Answer one request."""
        asked: ParsedRequest | None = None
        try:
            self._check_rate(server_options)
            self._jobs.run_due()
            asked = self._parse(incoming, server_options)
            reply = self._perform_for_caller(asked, incoming, server_options)
        except OxError as error:
            return answer_error(error, asked, incoming, server_options)
        except PageRefusal as refusal:
            return answer_page(refusal)
        except OAuthRefusal as refusal:
            return answer_oauth_refusal(refusal)
        return answer_reply(reply, asked, server_options, incoming.number)

    def _check_rate(self, server_options: OxServerOptions) -> None:
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

    def _parse(self, incoming: Incoming, server_options: OxServerOptions) -> ParsedRequest:
        if not incoming.path.startswith(f"{ROOT}/"):
            raise PageRefusal(404, f"there is nothing at {incoming.path}")
        query = parse_query(incoming)
        path = incoming.path.removeprefix(ROOT)
        operation, inside = find_operation(incoming.method, path, query, server_options)
        try:
            body, parts = read_body(operation, incoming, server_options)
        except OxError as error:
            if operation.module == "multiple":
                raise PageRefusal(400, error.text) from error
            raise
        return ParsedRequest(operation=operation, query={**query, **inside}, body=body, parts=parts)

    def _perform_for_caller(
        self, asked: ParsedRequest, incoming: Incoming, server_options: OxServerOptions
    ) -> OxReply:
        operation = asked.operation
        session, user = self._find_caller(asked, incoming, server_options)
        if operation.module in _NO_PASSWORD_IN_URL and "password" in asked.query:
            raise OxError("SVL-0030", "the password must not be part of the address", status=400)
        return self.perform(asked, incoming, server_options, session=session, user=user)

    def perform(
        self,
        asked: ParsedRequest,
        incoming: Incoming,
        server_options: OxServerOptions,
        *,
        session: OxSession | None,
        user: OxUser | None,
    ) -> OxReply:
        """Carry out an operation for somebody.

        Raises:
            OxError: It is refused.
        """
        operation = asked.operation
        if (
            session is not None
            and session.needs_second_factor
            and operation.module not in _WITHOUT_SECOND_FACTOR
        ):
            raise _second_factor_needed()
        params, extra = read_params(operation, asked.query)
        check_shape(operation, asked.body)
        note_unknown_input(self._journal, operation, extra, asked.body, number=incoming.number)
        call = OxCall(
            operation=operation,
            state=self._state,
            sessions=self._sessions,
            jobs=self._jobs,
            dispatcher=self,
            server_options=server_options,
            request=incoming,
            params=params,
            extra=extra,
            body=asked.body,
            parts=asked.parts,
            session=session,
            caller=user,
        )
        if server_options.job_seconds > 0 and params.get("allow_enqueue") and user is not None:
            return self._enqueue(call, asked.query, user)
        return self._run_handler(call)

    def _run_handler(self, call: OxCall) -> OxReply:
        """What the module says; nonsense that it does not notice is an error of the server, and counted."""
        try:
            handler = find_handler(call.operation)
            return build_sample_reply(call) if handler is None else handler(call)
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
            self._journal.counts["internal error"] += 1
            text = f"{call.operation} could not be carried out: {error!r}"
            raise OxError("EMU-0500", text, category=ERROR) from error

    def _enqueue(self, call: OxCall, query: Mapping[str, str], user: OxUser) -> OxReply:
        operation = call.operation
        asked = {name: value for name, value in query.items() if name != "session"}
        what = json.dumps([str(operation), asked, _describe_body(call.body)], sort_keys=True)
        seconds = call.server_options.job_seconds
        job = self._jobs.enqueue(
            operation.module,
            operation.action,
            user=user.id,
            seconds=seconds,
            signature=what,
            run=lambda: self._run_handler(call),
        )
        return build_job_reply(job)

    def _find_caller(
        self, asked: ParsedRequest, incoming: Incoming, server_options: OxServerOptions
    ) -> tuple[OxSession | None, OxUser | None]:
        """The session and the user of a request; nobody where nobody is needed."""
        operation = asked.operation
        key = asked.query.get("session")
        if not operation.session or (operation.module, operation.name) in _READS_SESSION_ITSELF:
            return None, None
        if key:
            session = self._sessions.find(key, incoming, server_options)
            return session, session.user
        if "Authorization" in incoming.headers:
            return None, self._sessions.find_user_of_token(incoming, operation)
        public = (
            self._sessions.find_by_public_cookie(incoming) if operation.module in _BY_PUBLIC_COOKIE else None
        )
        if public is None:
            raise missing_session()
        return public, public.user


def _describe_body(body: Any) -> Any:
    return len(body) if isinstance(body, bytes) else body


def _second_factor_needed() -> OxError:
    return OxError("MFA-0001", "a second factor is needed", category=PERMISSION_DENIED, status=403)
