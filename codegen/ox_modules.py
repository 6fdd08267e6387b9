"""Renders the modules of Open-Xchange: one class each, whose methods are declarations and rows of data."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from typing import Final

from . import layout
from .ox_operations import BodyFacts, OperationFacts, ParamFacts
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


def class_name(module: str, taken: Container[str]) -> str:
    """``chronos/itip`` → ``ChronosItip``; ``LoginModule`` where a record has the name."""
    name = "".join(part[:1].upper() + part[1:] for part in re.split(r"\W+", module))
    return f"{name}Module" if name in taken else name


def render_module(
    module: str,
    operations: Sequence[OperationFacts],
    below: Mapping[str, str],
    homes: Mapping[str, str],
    glossary: Mapping[str, str],
    says: str,
    header: str,
) -> str:
    """The file of one module.

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
    return layout.document([*_opening(module, homes, header, body, below), *body])


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
    wanted = [name for name in ours if name in needed]
    yield from layout.call(f"from {PACKAGE}.operation import (", wanted, ")", bare=True)
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
    imports += [(name, [class_name_of(name)]) for name in below.values()]
    for home, names in sorted(imports):
        lines += layout.call(f"from .{home} import (", names, ")", bare=True, width=layout.WIDTH - 4)
    if lines:
        yield from ("", "if TYPE_CHECKING:")
        yield from (f"    {line}".rstrip() for line in lines)


def class_name_of(attribute: str) -> str:
    """``chronos_itip`` → ``ChronosItip``."""
    return class_name(attribute.strip("_").replace("_", "/"), ())


def _class(
    name: str,
    operations: Sequence[OperationFacts],
    below: Mapping[str, str],
    glossary: Mapping[str, str],
    says: str,
) -> Iterator[str]:
    yield from ("", "", f"class {name}(Module):", f'    """{says}"""')
    for attribute, other in below.items():
        yield from ("", "    @property", f"    def {attribute}(self) -> {class_name_of(other)}:")
        yield f'        """The operations of ``{other}``; the same object as ``{other}`` of the client."""'
        yield f'        found: {class_name_of(other)} = self._caller.module("{other}")'
        yield "        return found"
    for operation in operations:
        yield ""
        yield from _method(operation, glossary)


def _method(operation: OperationFacts, glossary: Mapping[str, str]) -> Iterator[str]:
    decorator = "download" if operation.returns == "download" else "operation"
    yield f"    @{decorator}("
    yield "        Spec("
    yield from _packed(_spec(operation), indent=12)
    yield "        )"
    yield "    )"
    arguments = ["self", *_positional(operation)]
    if len(arguments) > 1:
        arguments.append("/")
    named = list(_named(operation))
    if named:
        arguments += ["*", *named]
    head = f"async def {operation.name}("
    yield from layout.call(head, arguments, f") -> {return_type(operation)}:", indent=4)
    yield from (f"        {line}".rstrip() for line in _docstring(operation, glossary))


# -- the row ---------------------------------------------------------------------------------------


def _spec(operation: OperationFacts) -> Iterator[str]:
    for name in ("module", "name", "action", "method", "path"):
        if value := getattr(operation, name):
            yield f"{name}={layout.text(value)}"
    if operation.fixed:
        yield f"fixed={layout.sequence(operation.fixed)}"
    if operation.params:
        yield from _lines("params=(", [_param(param) for param in operation.params], ")")
    if operation.body is not None:
        yield f"body={_body(operation.body)}"
    if operation.returns != "nothing":
        yield f"returns=ResultShape.{operation.returns.upper()}"
    for name in ("record", "key", "target", "columns"):
        if value := getattr(operation, name):
            yield f"{name}={layout.text(value)}"
    if operation.kind != "any":
        yield f"kind=WireKind.{operation.kind.upper()}"
    yield f"safety=Safety.{operation.safety}"
    yield from (
        f"{name}=False"
        for name in ("batchable", "session", "oauth", "registered")
        if not getattr(operation, name)
    )
    if operation.scopes:
        yield f"scopes={layout.sequence(operation.scopes)}"
    yield from (f"{name}=True" for name in ("html", "deprecated") if getattr(operation, name))
    if operation.since:
        yield f"since={layout.text(operation.since)}"


def _lines(head: str, items: Sequence[str], tail: str) -> Iterator[str]:
    """One argument, on one line if it fits, else on several that read as one."""
    joined = head + ", ".join(items) + ("," if len(items) == 1 else "") + tail
    if len(joined) + 12 <= layout.WIDTH:
        yield joined
        return
    yield "\n".join([head, *(f"                {item}," for item in items), f"            {tail}"])


def _param(param: ParamFacts) -> str:
    parts = [layout.text(param.name)]
    if param.kind != "text":
        parts.append(f"WireKind.{param.kind.upper()}")
    parts += [f"{name}=True" for name in ("required", "in_path", "many", "explicit") if getattr(param, name)]
    if param.attribute != param.name:
        parts.append(f"attribute={layout.text(param.attribute)}")
    if param.choices and not param.in_path:
        parts.append(f"choices={layout.sequence(param.choices)}")
    if param.sent:
        parts.append(f"sent={layout.text(param.sent)}")
    return f"Param({', '.join(parts)})"


def _body(body: BodyFacts) -> str:
    parts = [f"BodyShape.{body.shape.upper()}"]
    parts[0] = f"shape={parts[0]}"
    parts += [
        f"{name}={layout.text(value)}"
        for name in ("record", "wrap", "outer", "part", "file", "media_type")
        if (value := getattr(body, name))
    ]
    if body.kind != "any":
        parts.append(f"kind=WireKind.{body.kind.upper()}")
    parts += [f"{name}=False" for name in ("required", "file_required") if not getattr(body, name)]
    return f"Body({', '.join(parts)})"


def _packed(items: Iterable[str], *, indent: int) -> Iterator[str]:
    """The items, as many on a line as fit; one of several lines stands alone."""
    margin, line = " " * indent, ""
    for item in items:
        if line and ("\n" in item or len(margin) + len(line) + len(item) + 2 > layout.WIDTH):
            yield margin + line
            line = ""
        line = f"{line} {item}," if line else f"{item},"
        if "\n" in item:
            yield margin + line
            line = ""
    yield from ([margin + line] if line else [])


# -- the signature ---------------------------------------------------------------------------------


def _positional(operation: OperationFacts) -> Iterator[str]:
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
    """The type of a body's argument."""
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


def _named(operation: OperationFacts) -> Iterator[str]:
    """Arguments by name: those that are needed first."""
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


def _is_needed(operation: OperationFacts, param: ParamFacts) -> bool:
    if not param.required or param.sent or param.kind in ("columns", "fields"):
        return False
    if operation.target and param.name in _TAKEN and param.attribute != "since" and not param.explicit:
        return False
    refs = operation.body is not None and operation.body.shape == "records"
    return not (refs and param.name == "timestamp")


def param_type(param: ParamFacts) -> str:
    """The type of a parameter's argument."""
    plain = _TYPES[param.kind]
    if param.name == "order":
        return 'Literal["asc", "desc"]'
    if param.choices and param.kind == "text" and not param.in_path:
        return f"Literal[{', '.join(layout.text(choice) for choice in param.choices)}]"
    return f"Sequence[{plain}] | {plain}" if param.many else plain


def return_type(operation: OperationFacts) -> str:
    """What a method returns."""
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


def _docstring(operation: OperationFacts, glossary: Mapping[str, str]) -> Iterator[str]:
    if not operation.says:
        raise ValueError(f"the overlay does not say what {operation.module}.{operation.name} does")
    first, *more = textwrap.wrap(f'"""{operation.says}', _WIDTH - 8)
    yield first
    yield from more
    yield from ("", _route(operation))
    notes = list(_notes(operation))
    yield from (("", *notes) if notes else ())
    arguments = list(_arguments(operation, glossary))
    yield from (("", "Args:", *arguments) if arguments else ())
    yield '"""'
    yield "..."


def _route(operation: OperationFacts) -> str:
    action = f"?action={operation.action}" if operation.action else ""
    since = f"; since {operation.since}" if operation.since else ""
    return f"``{operation.method} {operation.path}{action}``{since}."


def _notes(operation: OperationFacts) -> Iterator[str]:
    if operation.deprecated:
        yield "Deprecated: the document advises against it."
    if not operation.registered:
        yield 'Version 8.19 of the server does not have it, and answers "unknown action".'


def _arguments(operation: OperationFacts, glossary: Mapping[str, str]) -> Iterator[str]:
    texts = dict(_positional_texts(operation))
    for param in operation.params:
        text = glossary.get(f"{operation.module}.{operation.name}.{param.name}") or glossary.get(param.name)
        if text is None:
            raise ValueError(f"the glossary does not say what {param.name} is ({operation.module})")
        default = f" ({param.default} if left out)" if param.default and not param.required else ""
        texts[param.attribute] = f"{text}{default}"
    if operation.body is not None and operation.body.file:
        several = "{n}" in operation.body.file
        texts["files" if several else "file"] = (
            "What is uploaded: bytes, a path, a stream or an ``Upload``"
            + ("; one or several" if several else "")
        )
    for name, text in texts.items():
        yield from textwrap.wrap(
            f"{name}: {text}.", _WIDTH - 8, initial_indent="    ", subsequent_indent="        "
        )


def _positional_texts(operation: OperationFacts) -> Iterator[tuple[str, str]]:
    names = [argument.partition(":")[0] for argument in _positional(operation)]
    if names == ["record"]:
        yield "record", "What it is about, in place of its ID and folder"
    elif names == ["record", "body"]:
        yield (
            "record",
            "What it is about: ID, folder and time stamp are taken of it. Or the body, if these are named",
        )
        yield "body", "What is sent; of a record that is changed, the changes, where ``None`` deletes a value"
    elif names == ["body"] and operation.body is not None:
        yield "body", _BODY_TEXTS[operation.body.shape]


_BODY_TEXTS: Final = {
    "record": "What is sent: a record, or a dict of its fields",
    "records": "Which ones: records, ``(folder, id)`` pairs, or dicts",
    "values": "A list of values, such as IDs",
    "json": "What is sent, as JSON values",
    "form": "The fields of the form",
    "parts": "What goes along with the file: a record, or a dict of its fields",
    "raw": "What is sent: bytes, a path, a stream or an ``Upload``",
}


def specs(operations: Iterable[OperationFacts]) -> dict[str, list[OperationFacts]]:
    """Module → its operations, in the catalogue's order."""
    found: dict[str, list[OperationFacts]] = {}
    for operation in operations:
        found.setdefault(operation.module, []).append(operation)
    return found
