"""The routes: the operation of each request, and the query parameters that it takes."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import parse_qsl

import attrs

from ..answers import Answer, ReceivedRequest, make_json_answer
from .body_checks import is_id
from .fields import SCHEMAS
from .output import find_planning_dates, find_responsible_users, show
from .refusals import Refusal, bad_request, not_found
from .search import find_ids
from .server_options import OctavedServerOptions
from .store import Row, Store
from .writes import create, patch

__all__ = ["Routes"]

_ON: Final = ("1",)
_BILLING_OPTIONS: Final[Mapping[str, tuple[str, ...]]] = {
    "withSums": _ON,
    "withTimeRecordIds": _ON,
    "withWorkPackageIds": _ON,
}
_ROLE_TYPES: Final = {
    "executing": "responsible",
    "projectManager": "projectManager",
    "supporting": "anyProjectRole",
}


@attrs.frozen
class Query:
    """A query string, checked: the ids, and the other parameters by name."""

    ids: list[str]
    values: dict[str, str]


def _read_query(text: str, allowed: Mapping[str, tuple[str, ...]], *, ids: bool = False) -> Query:
    pairs = parse_qsl(text, keep_blank_values=True)
    id_values = [value for name, value in pairs if name == "ids[]"]
    if id_values and not ids:
        raise bad_request("this route takes no ids[]")
    if wrong := [value for value in id_values if not is_id(value)]:
        raise bad_request(f"ids[] holds {wrong[0]!r}, which is not 32 hexadecimal digits in upper case")
    rest = {name: value for name, value in pairs if name != "ids[]"}
    for name, value in rest.items():
        if name not in allowed:
            raise bad_request(f"there is no query parameter {name!r}")
        if allowed[name] and value not in allowed[name]:
            raise bad_request(f"{name} must be {' or '.join(allowed[name])}")
    return Query(id_values, rest)


def _body(request: ReceivedRequest) -> Any:
    kind = request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise Refusal(415, "the body must be application/json")
    try:
        return json.loads(request.body)
    except ValueError as error:
        raise bad_request("the body is not JSON") from error


class Routes:
    """All routes of the document, over one store."""

    def __init__(self, store: Store, paths: Mapping[str, str]) -> None:
        self._store = store
        self._paths = dict(paths)
        parts = re.split(r"\{(?:nodeId|archive)\}", paths["archive"])
        before, between, after = (re.escape(part) for part in parts)
        self._archive = re.compile(f"{before}([^/]+){between}([^/]+){after}")

    def answer(self, request: ReceivedRequest, path: str, server_options: OctavedServerOptions) -> Answer:
        """Answer one request below the base URL.

        Raises:
            Refusal: What the document forbids.
        """
        if match := self._archive.fullmatch(path):
            return self._set_archived(request, match[1], match[2], server_options)
        if path in (self._paths["responsible_users"], self._paths["planning_dates"]):
            return self._answer_of_nodes(request, path == self._paths["planning_dates"])
        for resource in SCHEMAS:
            base = self._paths[resource]
            if path == base or path.startswith(f"{base}/"):
                return _ResourceRequest(self._store, resource, request, server_options).answer(
                    path[len(base) + 1 :]
                )
        raise not_found(f"there is no route {path}")

    def _set_archived(
        self, request: ReceivedRequest, key: str, archive: str, server_options: OctavedServerOptions
    ) -> Answer:
        if request.method not in ("POST", "PUT", "PATCH"):
            raise Refusal(405, f"{request.method} does not archive")
        if not is_id(key) or archive not in ("0", "1"):
            raise bad_request("archiving takes the id of a node, and 0 or 1")
        node_entry = self._store.node(key)
        if node_entry is None:
            raise not_found(f"there is no node {key}")
        for _, row in (node_entry, *self._store.descendants(key)):
            row["isArchived"] = archive == "1"
            self._store.touch(row)
        return Answer(status=server_options.archive_status)

    def _answer_of_nodes(self, request: ReceivedRequest, planning: bool) -> Answer:
        if request.method != "GET":
            raise Refusal(405, "only GET")
        names = dict.fromkeys(("responsible", "projectManager", "anyProjectRole"), _ON)
        filters: dict[str, tuple[str, ...]] = {**names, "roleId": (), "roleType": tuple(_ROLE_TYPES)}
        query = _read_query(request.query, {} if planning else filters, ids=True)
        if not query.ids:
            raise bad_request("ids[] is required")
        if planning:
            return make_json_answer(find_planning_dates(self._store, query.ids))
        values = dict(query.values)
        if "roleId" in values and not is_id(values["roleId"]):
            raise bad_request("roleId must be 32 hexadecimal digits in upper case")
        if "roleType" in values:
            values[_ROLE_TYPES[values.pop("roleType")]] = "1"
        return make_json_answer({key: find_responsible_users(self._store, key, values) for key in query.ids})


@attrs.frozen
class _ResourceRequest:
    """One request for one resource."""

    store: Store
    resource: str
    request: ReceivedRequest
    server_options: OctavedServerOptions

    def answer(self, rest: str) -> Answer:
        word, _, tail = rest.partition("/")
        method = self.request.method
        if not rest:
            return self._dispatch({"GET": ("list", self._list), "POST": ("create", self._create)})
        if word == "search":
            steps = {"GET": lambda: self._search_simple(tail)} if tail else {"POST": self._search_complex}
            return self._dispatch({verb: ("search", step) for verb, step in steps.items()})
        if tail:
            raise not_found(f"there is no route {self.request.path}")
        if not is_id(word):
            raise bad_request(f"{word!r} is not 32 hexadecimal digits in upper case")
        item = {"GET": self._get, "PUT": self._put, "PATCH": self._patch, "DELETE": self._delete}
        name = {"GET": "get", "PUT": "put", "PATCH": "patch", "DELETE": "delete"}.get(method, "")
        return self._dispatch({verb: (name, lambda s=step: s(word)) for verb, step in item.items()})

    def _dispatch(self, steps: Mapping[str, tuple[str, Any]]) -> Answer:
        name, step = steps.get(self.request.method, ("", None))
        if step is None or name not in SCHEMAS[self.resource].operations:
            raise Refusal(405, f"{self.request.method} is not offered here")
        answer: Answer = step()
        return answer

    @property
    def _options(self) -> Mapping[str, tuple[str, ...]]:
        return _BILLING_OPTIONS if self.resource == "billings" else {}

    def _show(self, row: Row, options: Mapping[str, str] | None = None) -> Row:
        return show(self.store, self.resource, row, options or {}, news=self.server_options.news)

    def _list(self) -> Answer:
        query = _read_query(self.request.query, self._options, ids=True)
        rows = self.store.rows[self.resource]
        # Customers alone may be listed without IDs.
        if not query.ids and self.resource != "customers":
            raise bad_request("ids[] is required")
        if self.server_options.missing == "refuse":
            for key in query.ids:
                self.store.find(self.resource, key)
        requested = dict.fromkeys(query.ids or rows)
        keys = (
            requested if self.server_options.order == "asked" else (key for key in rows if key in requested)
        )
        return make_json_answer([self._show(rows[key], query.values) for key in keys if key in rows])

    def _get(self, key: str) -> Answer:
        query = _read_query(self.request.query, self._options)
        return make_json_answer(self._show(self.store.find(self.resource, key), query.values))

    def _create(self) -> Answer:
        _read_query(self.request.query, {})
        row = create(self.store, self.resource, self.store.new_id(), _body(self.request))
        return make_json_answer({"id": row["id"]}, status=self.server_options.create_status)

    def _put(self, key: str) -> Answer:
        _read_query(self.request.query, {})
        row = create(self.store, self.resource, key, _body(self.request))
        return self._answer_write(self.server_options.put_status, row)

    def _patch(self, key: str) -> Answer:
        _read_query(self.request.query, {})
        row = patch(self.store, self.resource, key, _body(self.request))
        return self._answer_write(self.server_options.patch_status, row)

    def _delete(self, key: str) -> Answer:
        _read_query(self.request.query, {})
        row = self.store.find(self.resource, key)
        self.store.delete(self.resource, key)
        return self._answer_write(self.server_options.delete_status, row)

    def _answer_write(self, status: int, row: Row) -> Answer:
        if self.server_options.write_body == "none" or status == 204:
            return Answer(status=status)
        return make_json_answer(self._show(row), status=status)

    def _search_simple(self, tail: str) -> Answer:
        ident, _, value = tail.partition("/")
        return self._answer_search({"ident": ident, "value": value})

    def _search_complex(self) -> Answer:
        return self._answer_search(_body(self.request))

    def _answer_search(self, condition: Any) -> Answer:
        schema = SCHEMAS[self.resource]
        query = _read_query(self.request.query, {"yieldObjects": _ON} if schema.yields else {})
        keys = find_ids(self.store, self.resource, condition)
        if "yieldObjects" not in query.values:
            return make_json_answer(keys)
        return make_json_answer([self._show(self.store.rows[self.resource][key]) for key in keys])
