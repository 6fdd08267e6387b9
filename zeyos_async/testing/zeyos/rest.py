"""``/api/v1``: the lists and the records of every entity."""

from __future__ import annotations

import email.utils
import re
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any, Final

from ..answers import Answer, ReceivedRequest, make_json_answer
from ..server import compress
from .forms import read_body, read_names, read_query
from .listing import answer_list, plan_list
from .records import Record, Records
from .refusals import Refusal, bad_request
from .server_options import ZeyosServerOptions
from .store import Store
from .table_definitions import Table
from .tokens import Identity, TokenBook
from .values import flag, stored

__all__ = ["RestApi"]

_LIST_METHODS: Final = {"POST": "list", "PUT": "create"}
_RECORD_METHODS: Final = {"GET": "get", "HEAD": "exists", "PATCH": "update", "DELETE": "delete"}
_RECORD_PATH: Final = re.compile(r"/([a-z0-9]+)/([0-9]{1,18})")
_LIST_PATH: Final = re.compile(r"/([a-z0-9]+)/?")
_CACHE_BYTES: Final = 512 * 1024 * 1024


class RestApi:
    """The data API."""

    def __init__(
        self, store: Store, records: Records, tokens: TokenBook, now: Callable[[], float], *, instance: str
    ) -> None:
        self._store = store
        self._records = records
        self._tokens = tokens
        self._now = now
        self._instance = instance
        self._cache: OrderedDict[tuple[Any, ...], Answer] = OrderedDict()
        self._cached_bytes = 0
        self._cached_version = -1

    def answer(self, request: ReceivedRequest, path: str, server_options: ZeyosServerOptions) -> Answer:
        """Answer a request below ``/api/v1``.

        Raises:
            Refusal: What the API refuses.
        """
        if path in ("/config", "/settings"):
            return self._answer_instance(request, path)
        table, record_id = self._target(path)
        methods = _LIST_METHODS if record_id is None else _RECORD_METHODS
        offered = {verb: name for verb, name in methods.items() if name in table.methods}
        if not offered:
            raise Refusal(404, "Not Found")
        if request.method not in offered:
            raise Refusal(405, "Method Not Allowed", headers={"Allow": ", ".join(offered)})
        identity = self._identify(request)
        if record_id is None:
            if request.method == "PUT":
                return self._create(request, table, identity, server_options)
            return self._list(request, table, identity, server_options)
        handler = {"GET": self._get, "HEAD": self._head, "PATCH": self._patch, "DELETE": self._delete}
        return handler[request.method](request, table, record_id, server_options)

    def _target(self, path: str) -> tuple[Table, int | None]:
        match = _RECORD_PATH.fullmatch(path) or _LIST_PATH.fullmatch(path)
        table = self._store.tables.get(match.group(1)) if match else None
        if match is None or table is None:
            raise Refusal(404, "Not Found")
        return table, int(match.group(2)) if match.re is _RECORD_PATH else None

    def _identify(self, request: ReceivedRequest) -> Identity:
        identity = self._tokens.identify(request)
        if identity.application is None:
            # A log-in without the application's key is good for the authentication API alone.
            raise self._tokens.unauthorized()
        return identity

    def _answer_instance(self, request: ReceivedRequest, path: str) -> Answer:
        if request.method != "GET":
            raise Refusal(405, "Method Not Allowed", headers={"Allow": "GET"})
        self._identify(request)
        if path == "/config":
            return make_json_answer(
                {"currency": "EUR", "country": "DE", "timezone": "Europe/Berlin", "lang": "en_US"}
            )
        return make_json_answer({"theme": "light", "pagesize": 50})

    def _list(
        self, request: ReceivedRequest, table: Table, identity: Identity, server_options: ZeyosServerOptions
    ) -> Answer:
        kind = request.headers.get("Content-Type", "")
        gzip = "gzip" in request.headers.get("Accept-Encoding", "")
        key = (table.name, request.body, kind, gzip, identity.credentials.admin, server_options.key())
        # Who reads the same pages again and again would otherwise measure the emulator, not the client.
        cached = self._cached_answer(key)
        if cached is not None:
            return cached
        listing = plan_list(read_body(kind, request.body), table, dict(self._store.tables), server_options)
        if listing.export and not identity.credentials.admin:
            raise Refusal(403, "Forbidden: Lacking access permission")
        content_type, body = answer_list(listing, table, self._store, server_options)
        gzipped = compress(body) if gzip else None
        return self._cache_answer(
            key, Answer(headers={"Content-Type": content_type}, body=body, gzipped=gzipped)
        )

    def _cached_answer(self, key: tuple[Any, ...]) -> Answer | None:
        """Return the page in its final form, if it was served since the last write."""
        if self._cached_version != self._store.version:
            self._cache.clear()
            self._cached_bytes = 0
            self._cached_version = self._store.version
        if key in self._cache:
            self._cache.move_to_end(key)
        return self._cache.get(key)

    def _cache_answer(self, key: tuple[Any, ...], answer: Answer) -> Answer:
        self._cache[key] = answer
        self._cached_bytes += _size(answer)
        while self._cached_bytes > _CACHE_BYTES:
            self._cached_bytes -= _size(self._cache.popitem(last=False)[1])
        return answer

    def _create(
        self, request: ReceivedRequest, table: Table, identity: Identity, server_options: ZeyosServerOptions
    ) -> Answer:
        body = _body(request)
        # The server chooses IDs; one of the client's is refused even where it is free.
        if body.get("ID") is not None:
            raise Refusal(409, "Conflict: ID Present")
        user = identity.credentials.user
        record_id = self._records.create(table, body, user=user, now=int(self._now()))
        record = self._find_record(table, record_id)
        location = f"/{self._instance}/api/v1/{table.name}/{record_id}"
        presented = self._records.show(record, table, server_options, expand=[])
        return make_json_answer(
            presented, status=201, headers=record.headers | {"Content-Location": location}
        )

    def _get(
        self, request: ReceivedRequest, table: Table, record_id: int, server_options: ZeyosServerOptions
    ) -> Answer:
        query = read_query(request.query)
        if unknown := sorted(query.keys() - set(table.options)):
            raise bad_request(f"Unknown parameter {unknown[0]}")
        options = {name: flag(name, query.get(name)) for name in ("extdata", "tags")}
        expand = read_names(query["expand"]) if "expand" in query else []
        record = self._find_record(table, record_id)
        if _is_unchanged(request.headers, record):
            return Answer(status=304, headers=record.headers)
        presented = self._records.show(record, table, server_options, expand=expand, **options)
        return make_json_answer(presented, headers=record.headers)

    def _head(
        self, request: ReceivedRequest, table: Table, record_id: int, server_options: ZeyosServerOptions
    ) -> Answer:
        record = self._find_record(table, record_id)
        status = 304 if _is_unchanged(request.headers, record) else 204
        return Answer(status=status, headers=record.headers)

    def _patch(
        self, request: ReceivedRequest, table: Table, record_id: int, server_options: ZeyosServerOptions
    ) -> Answer:
        body = _body(request)
        if body.get("ID") is not None and stored(table.by_name["ID"], body["ID"]) != record_id:
            raise Refusal(409, "Conflict: Non-matching ID")
        record = self._records.find(table, record_id)
        # The documents have no 410 for a read or a delete of such an ID, which is 404 there.
        if record is None and self._store.was_used(table.name, record_id):
            raise Refusal(410, "Gone")
        self._require_match(request.headers, self._find_record(table, record_id))
        self._records.update(table, record_id, body, now=int(self._now()))
        record = self._find_record(table, record_id)
        return make_json_answer(
            self._records.show(record, table, server_options, expand=[]), headers=record.headers
        )

    def _delete(
        self, request: ReceivedRequest, table: Table, record_id: int, server_options: ZeyosServerOptions
    ) -> Answer:
        self._require_match(request.headers, self._find_record(table, record_id))
        self._records.delete(table, record_id)
        return Answer(status=204)

    def _find_record(self, table: Table, record_id: int) -> Record:
        record = self._records.find(table, record_id)
        if record is None:
            raise Refusal(404, "Not Found")
        return record

    def _require_match(self, headers: Mapping[str, str], record: Record) -> None:
        if "If-Match" in headers:
            tags = _entity_tags(headers["If-Match"])
            matching = "*" in tags or record.etag in tags
        else:
            matching = _is_modified_after(headers.get("If-Unmodified-Since"), record) is not True
        if not matching:
            raise Refusal(412, "Precondition Failed: Non-matching ETag")


def _size(answer: Answer) -> int:
    return len(answer.body) + len(answer.gzipped or b"") + 1024


def _body(request: ReceivedRequest) -> dict[str, Any]:
    return read_body(request.headers.get("Content-Type", ""), request.body)


def _entity_tags(header: str) -> list[str]:
    return [tag.strip() for tag in header.split(",")]


def _is_unchanged(headers: Mapping[str, str], record: Record) -> bool:
    """Return whether a read's conditions say that the client has the record already."""
    if "If-None-Match" in headers:
        tags = [tag.removeprefix("W/") for tag in _entity_tags(headers["If-None-Match"])]
        return "*" in tags or record.etag in tags
    return _is_modified_after(headers.get("If-Modified-Since"), record) is False


def _is_modified_after(date: str | None, record: Record) -> bool | None:
    """Return whether the record changed after an HTTP date; ``None`` where that can't be told.

    HTTP asks to ignore a condition whose date is none.
    """
    if date is None or record.modified is None:
        return None
    try:
        return record.modified > email.utils.parsedate_to_datetime(date).timestamp()
    except ValueError:
        return None
