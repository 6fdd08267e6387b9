"""The modules of Open-Xchange: one class each, whose methods are declarations and rows of data.

A method has no body: its decorator carries the row (``Spec``) by which the library sends the call, and its signature
and docstring are for people and type checkers. Three sources meet in it: the catalogue (names, parameters, shapes),
the overlay (our words, and what the catalogue can't tell), and rules that are decided here:

- What a call is about comes first and without a name: a record, or a body, or both (``_positional_arguments``).
- Parameters that a record carries by itself (ID, folder, time stamp) are never required by name (``_TAKEN``).
- A list of columns is never required: the library asks for the record class's own.
- A docstring has the route, what advises against the call, and a line for each argument out of the glossary; a
  parameter without an entry there is an error, so that none goes unexplained.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from typing import Final

from .ox_operations import BodyFacts, OxOperationFacts, ParamFacts
from .ox_types import PACKAGE

_TYPES: Final = {
    "text": "str",
    "integer": "int",
    "number": "float",
    "boolean": "bool",
    "stamp": "Instant | int",
    "date": "Day",
    "date_or_time": "Day | int",
    "utc_text": "Day | str",
    "columns": "Sequence[str | int]",
    "fields": "Sequence[str]",
    "sort": "str | int",
    "sort_field": "str",
    "any": "Any",
}
_VALUE: Final = {"text": "str", "integer": "int", "boolean": "bool", "stamp": "Instant | int", "any": "Any"}
_FLAGS: Final = ("html", "bare", "may_be_missing", "may_be_empty", "deprecated")
"""What few operations are, and is only written where it holds."""
_TAKEN: Final = frozenset(
    {
        "id",
        "folder",
        "folder_id",
        "folderId",
        "attached",
        "module",
        "timestamp",
        "recurrenceId",
        "recurrence_position",
    }
)
_NAME: Final = re.compile(r"\w+")
_WIDTH: Final = 108


def class_name(module: str, record_names: Container[str]) -> str:
    """Return a module's class: ``chronos/itip`` → ``ChronosItip``; ``LoginModule`` where a record has the name."""
    name = "".join(part[:1].upper() + part[1:] for part in re.split(r"\W+", module))
    return f"{name}Module" if name in record_names else name


def render_module(
    module: str,
    operations: Sequence[OxOperationFacts],
    below: Mapping[str, str],
    homes: Mapping[str, str],
    glossary: Mapping[str, str],
    says: str,
    header: str,
) -> str:
    """Render the file of one module.

    Args:
        module: Its path.
        operations: Its operations.
        below: Attribute → name, of the modules whose paths go on from here.
        homes: Schema → module of its class.
        glossary: Parameter → what it is.
        says: What it is about.
        header: The first lines.
    """
    body = list(_class(class_name(module, homes), operations, below, glossary, says))
    return "\n".join([*_opening(module, homes, header, body, below), *body])


def _opening(
    module: str, homes: Mapping[str, str], header: str, body: Sequence[str], below: Mapping[str, str]
) -> Iterator[str]:
    needed = frozenset(_NAME.findall("\n".join(line for line in body if '"""' not in line)))
    yield header
    yield "# ruff: noqa: PIE790"  # type checkers want the dots
    yield '# mypy: disable-error-code="empty-body"'
    yield f'"""``{module}``: its operations."""'
    yield from ("", "from __future__ import annotations", "")
    if "Literal" in needed or "Any" in needed:
        yield f"from typing import TYPE_CHECKING{''.join(f', {n}' for n in ('Any', 'Literal') if n in needed)}"
    else:
        yield "from typing import TYPE_CHECKING"
    yield ""
    ours = ["Body", "BodyShape", "Module", "Param", "ResultShape", "Spec", "download", "operation"]
    used = [name for name in ours if name in needed]
    yield f"from {PACKAGE}.operation import {', '.join(used)}"
    if "WireKind" in needed:
        yield f"from {PACKAGE}.values import WireKind"
    yield "from zeyos_async.wire import Safety"
    yield from _typing_imports(homes, needed, below)


def _typing_imports(
    homes: Mapping[str, str], needed: frozenset[str], below: Mapping[str, str]
) -> Iterator[str]:
    lines: list[str] = []
    if abc := [name for name in ("Iterable", "Mapping", "Sequence") if name in needed]:
        lines.append(f"from collections.abc import {', '.join(abc)}")
    lines += ["from datetime import date as Day"] if "Day" in needed else []
    lines += ["from datetime import datetime as Instant"] if "Instant" in needed else []
    operation = [name for name in ("FileInput", "Rows", "Updates") if name in needed]
    if operation:
        lines += ["", f"from {PACKAGE}.operation import {', '.join(operation)}"]
    if "OxRecord" in needed:
        lines += [f"from {PACKAGE}.records import OxRecord"]
    if "Response" in needed:
        lines += ["from zeyos_async.wire import Response"]
    elsewhere: dict[str, list[str]] = {}
    for one in sorted(needed):
        if home := homes.get(one) or homes.get(one.removesuffix("Fields"), ""):
            elsewhere.setdefault(home, []).append(one)
    lines += [""] if elsewhere or below else []
    imports = [(home, names) for home, names in sorted(elsewhere.items())]
    imports += [(name, [class_name_of_attribute(name)]) for name in below.values()]
    for home, names in sorted(imports):
        lines.append(f"from .{home} import {', '.join(names)}")
    if lines:
        yield from ("", "if TYPE_CHECKING:")
        yield from (f"    {line}".rstrip() for line in lines)


def class_name_of_attribute(attribute: str) -> str:
    """Return the class of a module by its attribute: ``chronos_itip`` → ``ChronosItip``."""
    return class_name(attribute.strip("_").replace("_", "/"), ())


def _class(
    name: str,
    operations: Sequence[OxOperationFacts],
    below: Mapping[str, str],
    glossary: Mapping[str, str],
    says: str,
) -> Iterator[str]:
    yield from ("", "", f"class {name}(Module):", f'    """{says}"""')
    for attribute, other in below.items():
        yield from ("", "    @property", f"    def {attribute}(self) -> {class_name_of_attribute(other)}:")
        yield f'        """The operations of ``{other}``; the same object as ``{other}`` of the client."""'
        yield f'        module: {class_name_of_attribute(other)} = self._caller.module("{other}")'
        yield "        return module"
    for operation in operations:
        yield ""
        yield from _method(operation, glossary)


def _method(operation: OxOperationFacts, glossary: Mapping[str, str]) -> Iterator[str]:
    decorator = "download" if operation.returns == "download" else "operation"
    yield f"    @{decorator}(Spec({', '.join(_spec(operation))}))"
    arguments = ["self", *_positional_arguments(operation)]
    if len(arguments) > 1:
        arguments.append("/")
    named = list(_keyword_arguments(operation))
    if named:
        arguments += ["*", *named]
    yield f"    async def {operation.name}({', '.join(arguments)}) -> {return_type(operation)}:"
    yield from (f"        {line}".rstrip() for line in _docstring(operation, glossary))


# -- the row ---------------------------------------------------------------------------------------


def _spec(operation: OxOperationFacts) -> Iterator[str]:
    for name in ("module", "name", "action", "method", "path"):
        if value := getattr(operation, name):
            yield f"{name}={value!r}"
    if operation.fixed:
        yield f"fixed={operation.fixed!r}"
    if operation.params:
        yield f"params=({' '.join(f'{_param(param)},' for param in operation.params)})"
    if operation.body is not None:
        yield f"body={_body(operation.body)}"
    if operation.returns != "nothing":
        yield f"returns=ResultShape.{operation.returns.upper()}"
    for name in ("record", "key", "target", "columns"):
        if value := getattr(operation, name):
            yield f"{name}={value!r}"
    if operation.kind != "any":
        yield f"kind=WireKind.{operation.kind.upper()}"
    yield f"safety=Safety.{operation.safety}"
    yield from (
        f"{name}=False"
        for name in ("batchable", "session", "oauth", "registered")
        if not getattr(operation, name)
    )
    if operation.scopes:
        yield f"scopes={operation.scopes!r}"
    yield from (f"{name}=True" for name in _FLAGS if getattr(operation, name))
    if operation.since:
        yield f"since={operation.since!r}"


def _param(param: ParamFacts) -> str:
    parts = [repr(param.name)]
    if param.kind != "text":
        parts.append(f"WireKind.{param.kind.upper()}")
    parts += [f"{name}=True" for name in ("required", "in_path", "many", "explicit") if getattr(param, name)]
    if param.attribute != param.name:
        parts.append(f"attribute={param.attribute!r}")
    if param.choices and not param.in_path:
        parts.append(f"choices={param.choices!r}")
    if param.sent:
        parts.append(f"sent={param.sent!r}")
    return f"Param({', '.join(parts)})"


def _body(body: BodyFacts) -> str:
    parts = [f"BodyShape.{body.shape.upper()}"]
    parts[0] = f"shape={parts[0]}"
    parts += [
        f"{name}={value!r}"
        for name in ("record", "wrap", "outer", "part", "file", "media_type")
        if (value := getattr(body, name))
    ]
    if body.kind != "any":
        parts.append(f"kind=WireKind.{body.kind.upper()}")
    parts += [f"{name}=False" for name in ("required", "file_required") if not getattr(body, name)]
    return f"Body({', '.join(parts)})"


# -- the signature ---------------------------------------------------------------------------------


def _positional_arguments(operation: OxOperationFacts) -> Iterator[str]:
    body = operation.body
    has_body = body is not None and (body.shape != "parts" or bool(body.part))
    target = operation.target
    if target and not has_body:
        yield f"record: {target} | None = None"
        return
    if not has_body:
        return
    assert body is not None
    written = body_type(body)
    optional = "" if body.required else " = None"
    if not target:
        yield f"body: {written}{' | None' if optional and written != 'Any' else ''}{optional}"
        return
    first = [target] + [part for part in written.split(" | ") if part != target]
    yield f"record: {' | '.join(first) if written != 'Any' else 'Any'}"
    yield f"body: {written}{' | None' if written != 'Any' else ''} = None"


def body_type(body: BodyFacts) -> str:
    """Return the type of a body's argument."""
    whole = f" | {body.outer} | {body.outer}Fields" if body.outer else ""
    return f"{_inner_type(body)}{whole}"


def _inner_type(body: BodyFacts) -> str:
    if body.shape == "records":
        return f"Iterable[OxRecord | tuple[str, str] | {body.record}Fields] | OxRecord"
    if body.shape == "values":
        return f"Iterable[{_VALUE[body.kind]} | OxRecord] | {_VALUE[body.kind]}"
    if body.shape == "parts" and "{n}" in body.part:
        return f"Sequence[{body.record} | {body.record}Fields] | {body.record}"
    if body.shape == "form":
        return f"{body.record}Fields"
    if body.shape == "raw":
        return "FileInput"
    return f"{body.record} | {body.record}Fields" if body.record else "Any"


def _keyword_arguments(operation: OxOperationFacts) -> Iterator[str]:
    """Yield the arguments by name, the required ones first."""
    needed, rest = [], []
    for param in operation.params:
        type_ = param_type(param)
        if _is_needed(operation, param):
            needed.append(f"{param.attribute}: {type_}")
        else:
            rest.append(f"{param.attribute}: {type_ if type_ == 'Any' else f'{type_} | None'} = None")
    body = operation.body
    if body is not None and body.file:
        name, type_ = (
            ("files", "Sequence[FileInput] | FileInput") if "{n}" in body.file else ("file", "FileInput")
        )
        (needed if body.file_required else rest).append(
            f"{name}: {type_}" if body.file_required else f"{name}: {type_} | None = None"
        )
    yield from (*needed, *rest)


def _is_needed(operation: OxOperationFacts, param: ParamFacts) -> bool:
    if not param.required or param.sent or param.kind in ("columns", "fields"):
        return False
    if operation.target and param.name in _TAKEN and param.attribute != "since" and not param.explicit:
        return False
    refs = operation.body is not None and operation.body.shape == "records"
    return not (refs and param.name == "timestamp")


def param_type(param: ParamFacts) -> str:
    """Return the type of a parameter's argument."""
    plain = _TYPES[param.kind]
    if param.name == "order":
        return 'Literal["asc", "desc"]'
    if param.choices and param.kind == "text" and not param.in_path:
        return f"Literal[{', '.join(map(repr, param.choices))}]"
    return f"Sequence[{plain}] | {plain}" if param.many else plain


def return_type(operation: OxOperationFacts) -> str:
    """Return the type of a method's result."""
    record = operation.record
    return {
        "record": record,
        "rows": f"Rows[{record}]",
        "results": f"Rows[{record}]",
        "grouped": f"Mapping[str, Rows[{record}]]",
        "updates": f"Updates[{record}]",
        "value": _VALUE.get(operation.kind, "Any"),
        "values": f"Rows[{_VALUE.get(operation.kind, 'Any')}]",
        "failures": "None",
        "nothing": "None",
        "json": "Any",
        "download": "bytes",
        "page": "Response",
    }[operation.returns]


# -- the docstring ---------------------------------------------------------------------------------


def _docstring(operation: OxOperationFacts, glossary: Mapping[str, str]) -> Iterator[str]:
    if not operation.summary:
        raise ValueError(f"the overlay does not say what {operation.module}.{operation.name} does")
    first, *more = textwrap.wrap(f'"""{operation.summary}', _WIDTH - 8)
    yield first
    yield from more
    yield from ("", _route(operation))
    notes = list(_notes(operation))
    yield from (("", *notes) if notes else ())
    arguments = list(_arguments(operation, glossary))
    yield from (("", "Args:", *arguments) if arguments else ())
    yield '"""'
    yield "..."


def _route(operation: OxOperationFacts) -> str:
    action = f"?action={operation.action}" if operation.action else ""
    since = f"; since {operation.since}" if operation.since else ""
    return f"``{operation.method} {operation.path}{action}``{since}."


def _notes(operation: OxOperationFacts) -> Iterator[str]:
    if operation.deprecated:
        yield "Deprecated: the document advises against it."
    if not operation.registered:
        yield 'Version 8.19 of the server does not have it, and answers "unknown action".'


def _arguments(operation: OxOperationFacts, glossary: Mapping[str, str]) -> Iterator[str]:
    texts = dict(_positional_texts(operation))
    for param in operation.params:
        text = glossary.get(f"{operation.module}.{operation.name}.{param.name}") or glossary.get(param.name)
        if text is None:
            raise ValueError(f"the glossary does not say what {param.name} is ({operation.module})")
        default = f" ({param.default} if left out)" if param.default and not param.required else ""
        texts[param.attribute] = f"{text}{default}"
    if operation.body is not None and operation.body.file:
        several = "{n}" in operation.body.file
        texts["files" if several else "file"] = "The upload: bytes, a path, a stream or an ``Upload``" + (
            "; one or several" if several else ""
        )
    for name, text in texts.items():
        yield from textwrap.wrap(
            f"{name}: {text}.", _WIDTH - 8, initial_indent="    ", subsequent_indent="        "
        )


def _positional_texts(operation: OxOperationFacts) -> Iterator[tuple[str, str]]:
    names = [argument.partition(":")[0] for argument in _positional_arguments(operation)]
    if names == ["record"]:
        yield "record", "The object that the call is about, in place of its ID and folder"
    elif names == ["record", "body"]:
        yield (
            "record",
            "The object that the call is about, which gives ID, folder and time stamp; or the body, if these are named",
        )
        yield "body", "The content; of a record that is changed, the changes, where ``None`` deletes a value"
    elif names == ["body"] and operation.body is not None:
        yield "body", _BODY_TEXTS[operation.body.shape]


_BODY_TEXTS: Final = {
    "record": "The content: a record, or a dict of its fields",
    "records": "The objects that the call is about: records, ``(folder, id)`` pairs, or dicts",
    "values": "A list of values, such as IDs",
    "json": "The content, as JSON values",
    "form": "The fields of the form",
    "parts": "The description of the file: a record, or a dict of its fields",
    "raw": "The content: bytes, a path, a stream or an ``Upload``",
}


def group_by_module(operations: Iterable[OxOperationFacts]) -> dict[str, list[OxOperationFacts]]:
    """Return module → its operations, in the catalogue's order."""
    modules: dict[str, list[OxOperationFacts]] = {}
    for operation in operations:
        modules.setdefault(operation.module, []).append(operation)
    return modules
