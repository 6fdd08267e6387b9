"""Every operation of the document, called over a real socket: what arrives is what the document says.

What is expected is read from the catalogue of facts, never from the generated tables, so that an error
of the generator shows. The calls' arguments are made from the methods' own tables.
"""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from email.parser import BytesParser
from email.policy import HTTP
from typing import Any, Final
from urllib.parse import parse_qsl, unquote

import pytest
import pytest_asyncio

from codegen.ox_extract import COLUMNS, OPERATIONS, SCHEMAS
from zeyos_async import OpenXchange
from zeyos_async.errors import ZeyosAsyncError
from zeyos_async.services.ox._generated import MODULES, make_module, record_class
from zeyos_async.services.ox.operation import DownloadOperation, Operation
from zeyos_async.services.ox.rows import Rows, Updates
from zeyos_async.services.ox.spec import BodyShape, Param, ResultShape, Spec
from zeyos_async.services.ox.values import WireKind
from zeyos_async.testing import emulate_ox
from zeyos_async.testing.journal import Entry
from zeyos_async.testing.ox.emulator import OxEmulator
from zeyos_async.wire import Response

FACTS: Final[list[dict[str, Any]]] = json.loads(OPERATIONS.read_text("utf-8"))
SCHEMA_FACTS: Final[dict[str, Any]] = json.loads(SCHEMAS.read_text("utf-8"))
NUMBERS: Final = {
    number for rows in json.loads(COLUMNS.read_text("utf-8"))["columns"].values() for number, *_ in rows
}
MOMENT: Final = datetime(2027, 1, 2, 3, 4, 5, 678000, tzinfo=UTC)
DAY: Final = 86_400_000
OURS: Final = frozenset({"action", "session", "timezone", "force_json_response", "plainJson"})
"""What goes along with a call besides the document's parameters."""

PLAIN: Final = frozenset({"string", "integer", "long", "boolean", "number", "object", "array[string]"})

NOT_AS_DECLARED: Final = {
    # operation → why its body is not what the facts declare
    "autologin": "a GET without a body: it needs cookies",
}
JSON_IN_TRUTH: Final = {
    # declared as URL-encoded, and described as a JSON object or array
    "getThreadReferences",
    "subscribe",
    "unsubscribe",
    "clearFoldersSynced",
    "investigateContactHaloWithBody",
}


def key_of(facts: Mapping[str, Any]) -> tuple[Any, ...]:
    """What tells one operation from another."""
    fixed = {name: value for name, value in (facts.get("fixed_query") or {}).items() if name != "binary"}
    return (
        facts["module"],
        facts["method"],
        facts["path"].lstrip("/"),
        facts.get("action") or "",
        tuple(sorted(fixed.items())),
    )


def key_of_spec(spec: Spec) -> tuple[Any, ...]:
    """The same of a method's table."""
    fixed = tuple(sorted((name, value) for name, value in spec.fixed if name != "binary"))
    return (spec.module, spec.method, spec.path, spec.action, fixed)


def all_methods() -> dict[tuple[Any, ...], tuple[str, str]]:
    """Every method of every module by its key."""
    methods: dict[tuple[Any, ...], tuple[str, str]] = {}
    for module in MODULES:
        for name, declared in vars(type(make_module(module, None))).items():  # type: ignore[arg-type]
            if isinstance(declared, Operation | DownloadOperation) and declared.spec is not None:
                assert key_of_spec(declared.spec) not in methods, declared.spec.operation
                methods[key_of_spec(declared.spec)] = (module, name)
    return methods


METHODS: Final = all_methods()


def test_every_operation_of_the_document_is_a_method() -> None:
    """The catalogue has 429 operations, and each has one method, and each method one operation."""
    assert len(FACTS) == 429
    assert {key_of(facts) for facts in FACTS} == METHODS.keys()


# -- arguments -------------------------------------------------------------------------------------


def argument(spec: Spec, param: Param) -> Any:
    """A value that fits a parameter."""
    if param.choices:
        return param.choices[0]
    if param.kind in (WireKind.COLUMNS, WireKind.FIELDS, WireKind.SORT, WireKind.SORT_FIELD) and spec.columns:
        model = record_class(spec.columns).__schema__
        names = [field.attr for field in model.default_columns]
        return names[0] if param.kind in (WireKind.SORT, WireKind.SORT_FIELD) else names[:2]
    plain: Any = {
        WireKind.INTEGER: 7,
        WireKind.BOOLEAN: True,
        WireKind.STAMP: MOMENT,
        WireKind.DATE_OR_TIME: MOMENT,
        WireKind.UTC_TEXT: MOMENT,
    }.get(param.kind, "x y")
    return [plain, plain] if param.many else plain


def in_python(spec: Spec) -> dict[str, Any]:
    """Arguments by name, all that there are."""
    arguments = {param.attr: argument(spec, param) for param in spec.params}
    if spec.body is not None and spec.body.has_file:
        arguments["file"] = b"content"
    if spec.body is not None and spec.body.has_files:
        arguments["files"] = [b"content"]
    return arguments


def sample(type_: str, depth: int = 3) -> Any:
    """A value of a type of the facts."""
    if match := re.fullmatch(r"array\[(.*)\]", type_):
        return [sample(match.group(1), depth)]
    if type_ in ("string", "binary"):
        return "text"
    if type_ in ("integer", "long"):
        return 400 * DAY
    if type_ in ("boolean", "number"):
        return True if type_ == "boolean" else 1.5
    if type_ in SCHEMA_FACTS and SCHEMA_FACTS[type_]["fields"] and depth:
        return sample_object(SCHEMA_FACTS[type_]["fields"], depth - 1)
    return {"any": "thing"}


def sample_object(fields: list[dict[str, Any]], depth: int) -> dict[str, Any]:
    """An object with every field that is described."""
    values: dict[str, Any] = {}
    for field in fields:
        if field.get("read_only") and field["name"] in ("parameters", "associations"):
            continue
        if field.get("fields"):
            if depth:
                inner = sample_object(field["fields"], depth - 1)
                values[field["name"]] = [inner] if field["type"].startswith("array") else inner
            continue
        if depth or field["type"] in PLAIN:
            values[field["name"]] = sample(field["type"], depth)
    return values


def body_argument(facts: Mapping[str, Any], spec: Spec) -> Any:
    """A value for the body: of the facts where they describe it, of the table of the part where not."""
    assert spec.body is not None
    if spec.body.shape is BodyShape.RAW:
        return b"content"
    if spec.body.shape is BodyShape.PARTS:
        plain: Any = {"title": "text"} if spec.body.record in ("InfoItemData",) else {}
        return [plain] if "{n}" in spec.body.part else plain
    return sample(facts["body"]["schema_ref"])


def positional(facts: Mapping[str, Any], spec: Spec) -> list[Any]:
    """The positional arguments: nothing of a record, and the body."""
    if spec.body is None or (spec.body.shape is BodyShape.PARTS and not spec.body.part):
        return []
    return [body_argument(facts, spec)]


# -- what is expected ------------------------------------------------------------------------------


def expected_value(param: Mapping[str, Any], sent: str) -> bool:
    """Whether a value is of the type that the facts declare for a parameter."""
    type_ = param["type"]
    if type_ == "boolean":
        return sent in ("true", "false")
    if type_ in ("integer", "long"):
        return re.fullmatch(r"-?\d+", sent) is not None
    if param["name"] == "columns" and re.fullmatch(r"[\d,]+", sent):
        return all(int(number) in NUMBERS for number in sent.split(","))
    if param.get("enum") and param["in"] == "query":
        return sent in [*map(str, param["enum"]), "false"]
    return sent != ""


def check_query(facts: Mapping[str, Any], entry: Entry) -> None:
    """Action and parameters are the document's, each once, and none is made up."""
    pairs = parse_qsl(entry.query, keep_blank_values=True)
    query = dict(pairs)
    assert len(query) == len(pairs), f"twice: {pairs}"
    assert query.get("action", "") == (facts.get("action") or "")
    documented = {param["name"]: param for param in facts["params"] if param["in"] == "query"}
    fixed: dict[str, str] = facts.get("fixed_query") or {}
    assert query.keys() - OURS == (documented.keys() | fixed.keys()) - OURS
    for name, value in query.items():
        if name in documented and name not in OURS:
            assert expected_value(documented[name], value), (name, value)
    assert all(query[name] == value for name, value in fixed.items())
    has_session = facts.get("security") and facts["module"] != "login"
    assert query.get("timezone") == ("UTC" if has_session else None)


def check_path(facts: Mapping[str, Any], entry: Entry) -> None:
    """The path below the base is the document's, with its parameters filled in."""
    pattern = re.escape("/ajax" + facts["path"])
    pattern = re.sub(r"\\\{(\w+)\\\}", r".+", pattern)
    assert re.fullmatch(pattern, unquote(entry.path)), entry.path


def check_body(facts: Mapping[str, Any], spec: Spec, entry: Entry) -> None:
    """The body has the document's kind, parts and content."""
    declared = facts.get("body")
    content = entry.headers.get("Content-Type", "")
    if declared is None or facts["operation_id"] in NOT_AS_DECLARED:
        assert entry.body == b""
        return
    kind = declared["content_type"] or "application/json"
    if facts["operation_id"] in JSON_IN_TRUTH:
        kind = "application/json"
    if kind == "multipart/form-data":
        check_parts(declared, content, entry.body)
    elif kind == "application/octet-stream":
        assert entry.body == b"content"
    elif kind == "application/x-www-form-urlencoded":
        assert content.startswith(kind)
        names = {field["name"] for field in SCHEMA_FACTS[declared["schema_ref"]]["fields"]}
        assert "/login" in entry.path or {name for name, _ in parse_qsl(entry.body.decode())} == names
    else:
        assert content.startswith("application/json"), content
        if "/multifactor" in entry.path:
            return  # it holds secrets, which the journal does not keep
        assert wrapped(entry.json) == wrapped(sample(declared["schema_ref"]))


def wrapped(value: Any) -> Any:
    """A body to be compared: some values go out as numbers or as text whatever the facts say of them."""
    return json.loads(json.dumps(value), parse_int=str, parse_float=str)


def check_parts(declared: Mapping[str, Any], content: str, body: bytes) -> None:
    """The parts have the document's names; those with a file have its bytes."""
    message = BytesParser(policy=HTTP).parsebytes(b"Content-Type: " + content.encode() + b"\r\n\r\n" + body)
    parts = {
        str(part.get_param("name", header="content-disposition")): part.get_payload(decode=True)
        for part in message.iter_parts()  # type: ignore[attr-defined]
    }
    fields = {field["name"]: field for field in SCHEMA_FACTS[declared["schema_ref"]]["fields"]}
    assert parts.keys() - {"file_0"} == fields.keys() - {"file_0"}
    assert all(parts[name] == b"content" for name, field in fields.items() if field["type"] == "binary")
    assert all(json.loads(parts[name]) is not None for name in fields if name.lower().startswith("json"))


# -- the calls -------------------------------------------------------------------------------------


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def emulator() -> AsyncIterator[OxEmulator]:
    """One server for all."""
    async with emulate_ox() as server:
        yield server


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("facts", FACTS, ids=lambda facts: f"{facts['module']}.{facts['operation_id']}")
async def test_a_call_arrives_as_the_document_says(facts: dict[str, Any], emulator: OxEmulator) -> None:
    """Method, path, action, parameters and body are those of the facts, whatever the server answers."""
    emulator.journal.reset()
    module, name = METHODS[key_of(facts)]
    async with OpenXchange(emulator.url, auth=emulator.auth()) as ox:
        bound = getattr(make_module(module, ox._caller), name)
        spec = bound.spec
        try:
            check_result(spec, await bound(*positional(facts, spec), **in_python(spec)))
        except ZeyosAsyncError:
            assert emulator.journal.requests, "nothing was sent"
            if not [entry for entry in emulator.journal.requests if is_the_call(facts, entry)]:
                raise
    entry = [entry for entry in emulator.journal.requests if is_the_call(facts, entry)][-1]
    assert entry.method == facts["method"]
    check_path(facts, entry)
    check_query(facts, entry)
    check_body(facts, spec, entry)


def check_result(spec: Spec, result: Any) -> None:
    """What the server answered is what the table promises."""
    expected = {
        ResultShape.RECORD: lambda: record_class(spec.record),
        ResultShape.ROWS: lambda: Rows,
        ResultShape.VALUES: lambda: Rows,
        ResultShape.UPDATES: lambda: Updates,
        ResultShape.DOWNLOAD: lambda: bytes,
        ResultShape.PAGE: lambda: Response,
    }.get(spec.returns, lambda: object)()
    assert isinstance(result, expected)
    if spec.returns in (ResultShape.ROWS, ResultShape.RESULTS):
        assert all(isinstance(item, record_class(spec.record)) for item in result)
    if spec.returns in (ResultShape.NOTHING, ResultShape.FAILURES):
        assert result is None


def is_the_call(facts: Mapping[str, Any], entry: Entry) -> bool:
    """Whether an entry is of the call, and not of a log-in before it."""
    action = dict(parse_qsl(entry.query)).get("action", "")
    if action != (facts.get("action") or ""):
        return False
    return re.match("/ajax" + re.sub(r"\\\{.*", "", re.escape(facts["path"])), entry.path) is not None
