"""Options for everything where documents and servers differ; by default as documented."""

from __future__ import annotations

from typing import Literal

import attrs

__all__ = ["OxServerOptions"]


@attrs.define(kw_only=True)
class OxServerOptions:
    """The behaviour of the emulated server; any of it may be a fault's quirk.

    Attributes:
        lenient_verbs: Whether any HTTP method will do, as on the real server.
        registered_only: Whether operations are unknown that are documented and that 8.19 does not have.
        categories: Whether an error's ``categories`` is a string or an array.
        warnings: The number of warnings that every success carries.
        force_json_errors: Whether ``force_json_response`` counts for errors too; 8.19 looks at ``plainJson`` only.
        session_lost: Every session counts as unknown.
        session_lifetime: Seconds that an idle session lives.
        long_lifetime: Seconds that a session lives whose user stays signed in.
        autologin: Whether sessions may be resumed by cookie.
        redirect: Whether ``login?action=redirect`` is switched on.
        client_ip: The address that requests come from; changing it is a change of network.
        ip_check: Whether a session is bound to the address.
        affinity: Whether a session is known to one of several servers only, which ``JSESSIONID`` leads to.
        rate_limited: Every request is answered with 429.
        rate_limit: The number of requests that are answered in ``rate_window``; ``None`` is any number.
        rate_window: Seconds.
        max_concurrent: The number of requests that may be open at once.
        max_upload: The largest body of a multipart request, in bytes.
        contacts_deliver_deleted: Whether ``contacts?action=updates`` without ``ignore`` delivers deletions, as the
            server does, or suppresses them, as in the documents.
        job_seconds: The duration of calls that may be enqueued; with 0 there are no jobs.
        multiple_order: Whether concurrent items of a ``multiple`` are carried out in another order.
        compose_code: The code for a wrong token of a composition space, by document or by server.
    """

    lenient_verbs: bool = False
    registered_only: bool = False
    categories: Literal["string", "array"] = "string"
    warnings: int = 0
    force_json_errors: bool = False
    session_lost: bool = False
    session_lifetime: float = 3600.0
    long_lifetime: float = 7 * 86_400.0
    autologin: bool = True
    redirect: bool = False
    client_ip: str = "127.0.0.1"
    ip_check: bool = True
    affinity: bool = False
    rate_limited: bool = False
    rate_limit: int | None = None
    rate_window: float = 300.0
    max_concurrent: int = 100
    max_upload: int = 64 * 1024 * 1024
    contacts_deliver_deleted: bool = False
    job_seconds: float = 0.0
    multiple_order: Literal["shuffled", "kept"] = "shuffled"
    compose_code: Literal["MSGCS-0010", "MSGCS-0028"] = "MSGCS-0010"
