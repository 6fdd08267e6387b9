"""``login``: every way to begin, resume and end a session."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from ...answers import Answer
from ..handlers import OxCall, OxReply, handles
from ..refusals import (
    CONFIGURATION,
    PERMISSION_DENIED,
    TRY_AGAIN,
    OxError,
    PageRefusal,
    missing_value,
    session_expired,
)
from ..requests import is_true
from ..sessions import OxSession
from ..state import OxUser

_UI_PATH = "/appsuite/"


def _read_form_field(call: OxCall, name: str) -> str:
    """Return a field of the form, which has to be there.

    Raises:
        OxError: It is missing.
    """
    value = (call.body or {}).get(name)
    if not value:
        raise missing_value(name)
    return str(value)


def _check_credentials(call: OxCall, name_field: str) -> OxUser:
    """Return the user whose name and password the form has.

    Raises:
        OxError: ``LGI-0006``.
    """
    name, password = _read_form_field(call, name_field), _read_form_field(call, "password")
    user = call.state.find_user(name)
    if user is None or user.password != password:
        raise OxError(
            "LGI-0006", "The user name or password is incorrect.", category=PERMISSION_DENIED, status=403
        )
    return user


def _begin_session(call: OxCall, user: OxUser) -> OxSession:
    form: dict[str, str] = call.body or {}
    stays = is_true(form.get("staySignedIn", "")) or is_true(form.get("autologin", ""))
    return call.sessions.begin(
        user, call.request, call.server_options, client=form.get("client", ""), stays_signed_in=stays
    )


def _describe_session(session: OxSession) -> dict[str, Any]:
    user = session.user
    fields = {
        "session": session.id,
        "user": user.name,
        "user_id": user.id,
        "context_id": user.context,
        "locale": user.locale,
    }
    return fields | ({"requires_multifactor": True} if session.needs_second_factor else {})


@handles("login", "login", "anonymous")
def _login(call: OxCall) -> OxReply:
    """Answer with the session at the top level, not in ``data``; the guest of a share is the last user."""
    if call.operation.action == "anonymous":
        user = list(call.state.users.values())[-1]
    else:
        user = _check_credentials(call, "name")
    session = _begin_session(call, user)
    return OxReply(
        envelope_fields=_describe_session(session), cookies=call.sessions.login_cookies(session, call.request)
    )


@handles("login", "formlogin")
def _form_login(call: OxCall) -> OxReply:
    session = _begin_session(call, _check_credentials(call, "login"))
    user = session.user
    fragment = {"session": session.id, "user": user.name, "user_id": user.id, "language": user.locale}
    target = f"{(call.body or {}).get('uiWebPath') or _UI_PATH}#{urlencode(fragment)}"
    cookies = call.sessions.login_cookies(session, call.request)
    return OxReply(answer=Answer(status=302, headers={"Location": target}), cookies=cookies)


@handles("login", "tokenLogin")
def _token_login(call: OxCall) -> OxReply:
    form: dict[str, str] = call.body or {}
    client_token = _read_form_field(call, "clientToken")
    session = _begin_session(call, _check_credentials(call, "login"))
    token = call.state.next_token()
    call.sessions.transfers[token] = (session, client_token)
    # Until both halves of the token come together, nobody may use the session.
    call.sessions.end(session)
    user = session.user
    jsession = f"{call.state.next_token()[:24]}.OX0"
    if not is_true(form.get("jsonResponse", "")):
        target = f"{form.get('uiWebPath') or _UI_PATH}#{urlencode({'serverToken': token})}"
        return OxReply(answer=Answer(status=302, headers={"Location": target}))
    fields = {"serverToken": token, "jsessionid": jsession, "user": user.name, "user_id": user.id}
    return OxReply(envelope_fields={**fields, "url": _UI_PATH, "context_id": user.context})


@handles("login", "tokens")
def _exchange_tokens(call: OxCall) -> OxReply:
    """Answer with the session of a token log-in; here, for once, in ``data``."""
    transfer = call.sessions.transfers.pop(_read_form_field(call, "serverToken"), None)
    if transfer is None:
        raise OxError("SES-0210", "there is no such server token", category=TRY_AGAIN, status=403)
    session, client_token = transfer
    if client_token != _read_form_field(call, "clientToken"):
        raise OxError("SES-0211", "this is not the client's token", category=TRY_AGAIN, status=403)
    session.client = _read_form_field(call, "client")
    session.user_agent = call.request.headers.get("User-Agent", "")
    call.sessions.open_sessions[session.id] = session
    return OxReply(
        data=_describe_session(session), cookies=call.sessions.login_cookies(session, call.request)
    )


@handles("token", "acquireToken")
def _acquire_token(call: OxCall) -> OxReply:
    if call.session is None:
        raise session_expired("a token of OAuth is no session")
    token = call.state.next_token()
    call.sessions.transfers[token] = (call.session, "")
    return OxReply(data={"token": token})


@handles("login", "redeemToken")
def _redeem_token(call: OxCall) -> OxReply:
    transfer = call.sessions.transfers.pop(_read_form_field(call, "token"), None)
    _read_form_field(call, "secret")
    if transfer is None:
        raise OxError("SES-0210", "there is no such token", category=TRY_AGAIN, status=403)
    client = _read_form_field(call, "client")
    session = call.sessions.begin(transfer[0].user, call.request, call.server_options, client=client)
    return OxReply(
        envelope_fields=_describe_session(session), cookies=call.sessions.login_cookies(session, call.request)
    )


@handles("login", "autologin")
def _resume_session(call: OxCall) -> OxReply:
    if not call.server_options.autologin:
        raise OxError("SVL-0015", "autologin is switched off", category=CONFIGURATION, status=403)
    client = call.text_param("client") or str((call.body or {}).get("client", ""))
    session = call.sessions.find_by_cookies(call.request, call.server_options, client=client)
    if session is None:
        raise OxError("SVL-0003", "there is no session to resume", category=PERMISSION_DENIED, status=403)
    return OxReply(
        envelope_fields=_describe_session(session), cookies=call.sessions.login_cookies(session, call.request)
    )


def _require_session(call: OxCall) -> OxSession:
    if call.session is None:
        raise session_expired("no session")
    return call.session


@handles("login", "store")
def _store_cookie(call: OxCall) -> OxReply:
    """Do nothing since 7.10.3, and tell that it is deprecated."""
    return OxReply(answer=Answer(status=200, headers={"Deprecation": "true"}))


@handles("login", "refreshSecret")
def _refresh_secret(call: OxCall) -> OxReply:
    session = _require_session(call)
    session.secret = call.state.next_token()
    return OxReply(cookies=call.sessions.login_cookies(session, call.request))


@handles("login", "changeip")
def _change_ip(call: OxCall) -> OxReply:
    _require_session(call).ip = call.text_param("clientIP")
    return OxReply(data="1")


@handles("login", "redirect")
def _redirect(call: OxCall) -> OxReply:
    """Redirect to the user interface; switched off by default, as on the real server."""
    if not call.server_options.redirect:
        raise PageRefusal(400, "this is switched off")
    transfer = call.sessions.transfers.pop(call.text_param("random"), None)
    if transfer is None:
        raise PageRefusal(403, "there is no such log-in")
    target = f"{call.text_param('uiWebPath') or _UI_PATH}#{urlencode({'session': transfer[0].id})}"
    return OxReply(answer=Answer(status=302, headers={"Location": target}))


@handles("login", "logout")
@handles("logout", "GET /logout")
def _logout(call: OxCall) -> OxReply:
    """End the session, with an empty answer or an error page: never JSON."""
    key = call.extra.get("session") or call.params.get("session")
    if not key:
        raise PageRefusal(400, "the session is missing")
    try:
        session = call.sessions.find(key, call.request, call.server_options)
    except OxError as error:
        raise PageRefusal(403, error.text) from error
    call.sessions.end(session)
    cookies = call.sessions.expired_cookies(session, call.request)
    return OxReply(answer=Answer(status=200), cookies=cookies)


@handles("login", "samlLogin")
def _saml_login(call: OxCall) -> OxReply:
    transfer = call.sessions.transfers.pop(call.text_param("token"), None)
    if transfer is None:
        raise PageRefusal(403, "there is no such token")
    target = f"{call.text_param('loginPath') or _UI_PATH}#{urlencode({'session': transfer[0].id})}"
    cookies = call.sessions.login_cookies(transfer[0], call.request)
    return OxReply(answer=Answer(status=302, headers={"Location": target}), cookies=cookies)


@handles("login", "samlLogout")
def _saml_logout(call: OxCall) -> OxReply:
    session = _require_session(call)
    call.sessions.end(session)
    cookies = call.sessions.expired_cookies(session, call.request)
    return OxReply(answer=Answer(status=302, headers={"Location": _UI_PATH}), cookies=cookies)
