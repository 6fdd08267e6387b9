"""The way of a request to its answer.

A request becomes an answer in one pass, without any waiting, so that two requests never interleave and a test sees
every state in between. The steps, each of which may refuse:

1. the rate limit, and the jobs whose time has come;
2. parsing: the documented operation, its parameters and its body (``requests.py``);
3. the caller: a session, a token of OAuth, the public cookie of images, or nobody where nobody is needed;
4. checks against the document, which are strict about shapes and lenient about unknown names (``input_checks.py``);
5. the handler of the module (``handlers.py``), or a sample of the documented shape where no module has one;
6. the envelope (``envelope.py``).

Refusals are exceptions, as they end the pass at any depth; each kind knows how it looks: ``OxError`` is an envelope
with status 200, ``PageRefusal`` an HTML page, ``OAuthRefusal`` a flat error with a status of its own. Any other
exception of a handler is a mistake of the emulator: it becomes ``EMU-0500`` and is counted, so that tests notice.
``perform`` is the part from step 4 on, which ``multiple`` calls for each of its items.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Mapping
from typing import Any, Final

from ..answers import Answer, ReceivedRequest
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

# These answer a lost session with a page, in their own way, and never with SES-0203.
_READS_SESSION_ITSELF: Final = frozenset(
    {("login", "logout"), ("logout", "GET /logout"), ("login", "redirect")}
)
# The only modules that a session without its second factor may call.
_WITHOUT_SECOND_FACTOR: Final = frozenset({"login", "logout", "multifactor/device", "multifactor/provider"})
# Images are loaded by ``<img src>``, whose address must not contain a session.
_BY_PUBLIC_COOKIE: Final = frozenset({"file", "image"})
_NO_PASSWORD_IN_URL: Final = frozenset({"login"})


class Dispatcher:
    """The answerer of requests.

    Args:
        state: The users and rows of the server.
        sessions: The open sessions.
        jobs: The calls that were put off.
        journal: The record of the requests, and of what no document names in them.
    """

    def __init__(self, state: ServerState, sessions: SessionStore, jobs: Jobs, journal: OxJournal) -> None:
        self._state = state
        self._sessions = sessions
        self._jobs = jobs
        self._journal = journal
        self._arrivals: deque[float] = deque()

    def answer(self, request: ReceivedRequest, server_options: OxServerOptions) -> Answer:
        """Answer one request."""
        parsed_request: ParsedRequest | None = None
        try:
            self._check_rate(server_options)
            # No task runs between requests: jobs that are due have to be done before anything looks at the
            # state.
            self._jobs.run_due()
            parsed_request = self._parse(request, server_options)
            reply = self._perform_for_caller(parsed_request, request, server_options)
        except OxError as error:
            return answer_error(error, parsed_request, request, server_options)
        except PageRefusal as refusal:
            return answer_page(refusal)
        except OAuthRefusal as refusal:
            return answer_oauth_refusal(refusal)
        return answer_reply(reply, parsed_request, server_options, request.number)

    def _check_rate(self, server_options: OxServerOptions) -> None:
        now = self._state.clock.now()
        while self._arrivals and self._arrivals[0] <= now - server_options.rate_window:
            self._arrivals.popleft()
        too_many = server_options.rate_limit is not None and len(self._arrivals) >= server_options.rate_limit
        if server_options.rate_limited or too_many:
            oldest = self._arrivals[0] if self._arrivals else now
            wait = max(1, round(oldest + server_options.rate_window - now)) if too_many else 1
            raise PageRefusal(429, "Too Many Requests", plain=True, retry_after=wait)
        # Only after the check: refused requests must not keep the limit up for ever.
        self._arrivals.append(now)
        if self._journal.open_requests > server_options.max_concurrent:
            raise OxError("SVL-0019", "too many requests at once", category=PERMISSION_DENIED, status=403)

    def _parse(self, request: ReceivedRequest, server_options: OxServerOptions) -> ParsedRequest:
        if not request.path.startswith(f"{ROOT}/"):
            raise PageRefusal(404, f"there is nothing at {request.path}")
        query = parse_query(request)
        path = request.path.removeprefix(ROOT)
        operation, path_params = find_operation(request.method, path, query, server_options)
        try:
            body, parts = read_body(operation, request, server_options)
        except OxError as error:
            # A batch has no envelope of its own to put an error into, so that the server answers with a page.
            if operation.module == "multiple":
                raise PageRefusal(400, error.text) from error
            raise
        return ParsedRequest(operation=operation, query={**query, **path_params}, body=body, parts=parts)

    def _perform_for_caller(
        self, parsed_request: ParsedRequest, request: ReceivedRequest, server_options: OxServerOptions
    ) -> OxReply:
        operation = parsed_request.operation
        session, user = self._find_caller(parsed_request, request, server_options)
        # Addresses end up in the logs of proxies and servers.
        if operation.module in _NO_PASSWORD_IN_URL and "password" in parsed_request.query:
            raise OxError("SVL-0030", "the password must not be part of the address", status=400)
        return self.perform(parsed_request, request, server_options, session=session, user=user)

    def perform(
        self,
        parsed_request: ParsedRequest,
        request: ReceivedRequest,
        server_options: OxServerOptions,
        *,
        session: OxSession | None,
        user: OxUser | None,
    ) -> OxReply:
        """Perform an operation for a user, with its parameters checked.

        Raises:
            OxError: It is refused.
        """
        operation = parsed_request.operation
        if (
            session is not None
            and session.needs_second_factor
            and operation.module not in _WITHOUT_SECOND_FACTOR
        ):
            raise _second_factor_needed()
        params, extra = read_params(operation, parsed_request.query)
        check_shape(operation, parsed_request.body)
        note_unknown_input(self._journal, operation, extra, parsed_request.body, number=request.number)
        call = OxCall(
            operation=operation,
            state=self._state,
            sessions=self._sessions,
            jobs=self._jobs,
            dispatcher=self,
            server_options=server_options,
            request=request,
            params=params,
            extra=extra,
            body=parsed_request.body,
            parts=parsed_request.parts,
            session=session,
            caller=user,
        )
        if server_options.job_seconds > 0 and params.get("allow_enqueue") and user is not None:
            return self._enqueue(call, parsed_request.query, user)
        return self._run_handler(call)

    def _run_handler(self, call: OxCall) -> OxReply:
        """Run the module's handler; an unexpected exception is an error of the server, and counted."""
        try:
            handler = find_handler(call.operation)
            return build_sample_reply(call) if handler is None else handler(call)
        # Not ``AssertionError``: that is a mistake of the emulator that a test has to see as it is.
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
            self._journal.counts["internal error"] += 1
            text = f"{call.operation} could not be carried out: {error!r}"
            raise OxError("EMU-0500", text, category=ERROR) from error

    def _enqueue(self, call: OxCall, query: Mapping[str, str], user: OxUser) -> OxReply:
        operation = call.operation
        # Another session of the same user must find the same job running.
        query_params = {name: value for name, value in query.items() if name != "session"}
        signature = json.dumps([str(operation), query_params, _describe_body(call.body)], sort_keys=True)
        seconds = call.server_options.job_seconds
        job = self._jobs.enqueue(
            operation.module,
            operation.action,
            user=user.id,
            seconds=seconds,
            signature=signature,
            run=lambda: self._run_handler(call),
        )
        return build_job_reply(job)

    def _find_caller(
        self, parsed_request: ParsedRequest, request: ReceivedRequest, server_options: OxServerOptions
    ) -> tuple[OxSession | None, OxUser | None]:
        """Return the session and the user of a request; ``None`` where none is needed."""
        operation = parsed_request.operation
        key = parsed_request.query.get("session")
        if not operation.session or (operation.module, operation.name) in _READS_SESSION_ITSELF:
            return None, None
        # A session wins over a token: a client that sends both would else act as two users.
        if key:
            session = self._sessions.find(key, request, server_options)
            return session, session.user
        if "Authorization" in request.headers:
            return None, self._sessions.find_user_of_token(request, operation)
        public = (
            self._sessions.find_by_public_cookie(request) if operation.module in _BY_PUBLIC_COOKIE else None
        )
        if public is None:
            raise missing_session()
        return public, public.user


def _describe_body(body: Any) -> Any:
    return len(body) if isinstance(body, bytes) else body


def _second_factor_needed() -> OxError:
    return OxError("MFA-0001", "a second factor is needed", category=PERMISSION_DENIED, status=403)
