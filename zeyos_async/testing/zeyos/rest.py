"""``/api/v1``: the lists and the records of every entity."""

from __future__ import annotations

import email.utils
import re
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any, Final

from ..answers import Answer, Incoming, json_answer
from ..server import compress
from .forms import numbered, read_body, read_query
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

    def answer(self, incoming: Incoming, path: str, server_options: ZeyosServerOptions) -> Answer:
        """Answer a request below ``/api/v1``.

        Raises:
            Refusal: What the API refuses.
        """
        if path in ("/config", "/settings"):
            return self._answer_instance(incoming, path)
        table, record = self._target(path)
        methods = _LIST_METHODS if record is None else _RECORD_METHODS
        offered = {verb: name for verb, name in methods.items() if name in table.methods}
        if not offered:
            raise Refusal(404, "Not Found")
        if incoming.method not in offered:
            raise Refusal(405, "Method Not Allowed", headers={"Allow": ", ".join(offered)})
        identity = self._identify(incoming)
        if record is None:
            if incoming.method == "PUT":
                return self._create(incoming, table, identity, server_options)
            return self._list(incoming, table, identity, server_options)
        handler = {"GET": self._get, "HEAD": self._head, "PATCH": self._patch, "DELETE": self._delete}
        return handler[incoming.method](incoming, table, record, server_options)

    def _target(self, path: str) -> tuple[Table, int | None]:
        match = _RECORD_PATH.fullmatch(path) or _LIST_PATH.fullmatch(path)
        table = self._store.tables.get(match.group(1)) if match else None
        if match is None or table is None:
            raise Refusal(404, "Not Found")
        return table, int(match.group(2)) if match.re is _RECORD_PATH else None

    def _identify(self, incoming: Incoming) -> Identity:
        identity = self._tokens.identify(incoming)
        if identity.application is None:
            # A log-in without the application's key is good for the authentication API alone.
            raise self._tokens.unauthorized()
        return identity

    def _answer_instance(self, incoming: Incoming, path: str) -> Answer:
        if incoming.method != "GET":
            raise Refusal(405, "Method Not Allowed", headers={"Allow": "GET"})
        self._identify(incoming)
        if path == "/config":
            return json_answer(
                {"currency": "EUR", "country": "DE", "timezone": "Europe/Berlin", "lang": "en_US"}
            )
        return json_answer({"theme": "light", "pagesize": 50})

    def _list(
        self, incoming: Incoming, table: Table, identity: Identity, server_options: ZeyosServerOptions
    ) -> Answer:
        kind = incoming.headers.get("Content-Type", "")
        gzip = "gzip" in incoming.headers.get("Accept-Encoding", "")
        key = (table.name, incoming.body, kind, gzip, identity.credentials.admin, server_options.key())
        kept = self._cached_answer(key)
        if kept is not None:
            return kept
        listing = plan_list(read_body(kind, incoming.body), table, dict(self._store.tables), server_options)
        if listing.export and not identity.credentials.admin:
            raise Refusal(403, "Forbidden: Lacking access permission")
        content_type, body = answer_list(listing, table, self._store, server_options)
        gzipped = compress(body) if gzip else None
        return self._cache_answer(
            key, Answer(headers={"Content-Type": content_type}, body=body, gzipped=gzipped)
        )

    def _cached_answer(self, key: tuple[Any, ...]) -> Answer | None:
        """The page in its final form, if it was served since the last write."""
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
        self, incoming: Incoming, table: Table, identity: Identity, server_options: ZeyosServerOptions
    ) -> Answer:
        body = _body(incoming)
        if body.get("ID") is not None:
            raise Refusal(409, "Conflict: ID Present")
        user = identity.credentials.user
        record = self._records.create(table, body, user=user, now=int(self._now()))
        found = self._find_record(table, record)
        location = f"/{self._instance}/api/v1/{table.name}/{record}"
        shown = self._records.show(found, table, server_options, expand=[])
        return json_answer(shown, status=201, headers=found.headers | {"Content-Location": location})

    def _get(
        self, incoming: Incoming, table: Table, record: int, server_options: ZeyosServerOptions
    ) -> Answer:
        query = read_query(incoming.query)
        if unknown := sorted(query.keys() - set(table.options)):
            raise bad_request(f"Unknown parameter {unknown[0]}")
        options = {name: flag(name, query.get(name)) for name in ("extdata", "tags")}
        expand = list(numbered(query["expand"]).values()) if "expand" in query else []
        found = self._find_record(table, record)
        if _is_unchanged(incoming.headers, found):
            return Answer(status=304, headers=found.headers)
        shown = self._records.show(found, table, server_options, expand=expand, **options)
        return json_answer(shown, headers=found.headers)

    def _head(
        self, incoming: Incoming, table: Table, record: int, server_options: ZeyosServerOptions
    ) -> Answer:
        found = self._find_record(table, record)
        status = 304 if _is_unchanged(incoming.headers, found) else 204
        return Answer(status=status, headers=found.headers)

    def _patch(
        self, incoming: Incoming, table: Table, record: int, server_options: ZeyosServerOptions
    ) -> Answer:
        body = _body(incoming)
        if body.get("ID") is not None and stored(table.by_name["ID"], body["ID"]) != record:
            raise Refusal(409, "Conflict: Non-matching ID")
        found = self._records.find(table, record)
        if found is None and self._store.was_used(table.name, record):
            raise Refusal(410, "Gone")
        self._require_match(incoming.headers, self._find_record(table, record))
        self._records.update(table, record, body, now=int(self._now()))
        found = self._find_record(table, record)
        return json_answer(self._records.show(found, table, server_options, expand=[]), headers=found.headers)

    def _delete(
        self, incoming: Incoming, table: Table, record: int, server_options: ZeyosServerOptions
    ) -> Answer:
        self._require_match(incoming.headers, self._find_record(table, record))
        self._records.delete(table, record)
        return Answer(status=204)

    def _find_record(self, table: Table, record: int) -> Record:
        found = self._records.find(table, record)
        if found is None:
            raise Refusal(404, "Not Found")
        return found

    def _require_match(self, headers: Mapping[str, str], found: Record) -> None:
        if "If-Match" in headers:
            tags = _entity_tags(headers["If-Match"])
            matching = "*" in tags or found.etag in tags
        else:
            matching = _is_modified_after(headers.get("If-Unmodified-Since"), found) is not True
        if not matching:
            raise Refusal(412, "Precondition Failed: Non-matching ETag")


def _size(answer: Answer) -> int:
    return len(answer.body) + len(answer.gzipped or b"") + 1024


def _body(incoming: Incoming) -> dict[str, Any]:
    return read_body(incoming.headers.get("Content-Type", ""), incoming.body)


def _entity_tags(header: str) -> list[str]:
    return [tag.strip() for tag in header.split(",")]


def _is_unchanged(headers: Mapping[str, str], found: Record) -> bool:
    """Whether a read's conditions say that the client has the record already."""
    if "If-None-Match" in headers:
        tags = [tag.removeprefix("W/") for tag in _entity_tags(headers["If-None-Match"])]
        return "*" in tags or found.etag in tags
    return _is_modified_after(headers.get("If-Modified-Since"), found) is False


def _is_modified_after(date: str | None, found: Record) -> bool | None:
    """Whether the record changed after an HTTP date; ``None`` where that can't be told.

    HTTP asks to ignore a condition whose date is none.
    """
    if date is None or found.modified is None:
        return None
    try:
        return found.modified > email.utils.parsedate_to_datetime(date).timestamp()
    except ValueError:
        return None
