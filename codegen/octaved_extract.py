"""``python -m codegen.octaved_extract DOCUMENT`` reads the facts out of Octaved Flow's documentation text.

The text is a page printed without its layout: a parameter is a line with its name, then lines with its type, its
limits and its description. Some have no line with a name. The idea:
the JSON sample that follows has the same keys in the same order, so the reader walks along the sample's keys, and
takes the lines up to where the next key (or the type of an unnamed parameter) begins as those of the key.

What a record holds is read from the sample of a response, since the page has no schema of it: a field that a create
takes is as the create says, the others are judged by their sample's value and are read-only. Where the lines don't
fit the sample, the reader stops with an error: a new version of the page is looked at by a person, not guessed at.
Only facts are kept: names, types, limits, never sentences.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import attrs

from .octaved_facts import OctavedFacts, ResourceFacts, dump_facts
from .zeyos_facts import SPECS, FieldFacts

FACTS: Final = SPECS / "octaved" / "resources.json"
ID: Final = "^[0-9A-F]{32}$"

_SECTIONS: Final = {
    # heading → name, singular, plural
    "Customers": ("customers", "Customer", "Customers"),
    "Project folders": ("project_folders", "ProjectFolder", "ProjectFolders"),
    "Projects": ("projects", "Project", "Projects"),
    "Groups": ("groups", "Group", "Groups"),
    "Work packages": ("work_packages", "WorkPackage", "WorkPackages"),
    "Sub work packages": ("sub_work_packages", "SubWorkPackage", "SubWorkPackages"),
    "Tasks": ("tasks", "Task", "Tasks"),
    "Time tracking records": ("time_tracking_records", "TimeTrackingRecord", "TimeTrackingRecords"),
    "Billings REST": ("billings", "Billing", "Billings"),
}
_UNNAMED: Final = re.compile(r"null or |\(patch |Array of (objects|Customer)|object$|\w+ \(\w+\) or null$")
_VERBS: Final = re.compile(r"(Gets?|Creates?|Post|Put|Patch(?:es)?|Deletes?|Simple search|Complex search)\b")
_KEY: Final = re.compile(r'"(\w+)": (.*?),?$')


@attrs.frozen
class OperationText:
    """One operation's lines, and whether it is about one record by its ID."""

    verb: str
    lines: Sequence[str]

    @property
    def by_id(self) -> bool:
        """Whether the ID of a record is in the path."""
        return "path Parameters" in self.lines

    def between(self, start: str, end: str) -> list[str]:
        """Return the lines between the first that begins with ``start`` and the next that equals ``end``."""
        positions = [index for index, line in enumerate(self.lines) if line.startswith(start)]
        if not positions:
            return []
        rest = list(self.lines[positions[0] + 1 :])
        return rest[: rest.index(end)] if end in rest else rest

    def sample(self, kind: str) -> dict[str, str]:
        """Read the JSON sample of the request or the response: key → value as text."""
        lines = self.between(f"{kind} samples", "Response samples" if kind == "Request" else "")
        return {match[1]: match[2] for line in lines if (match := _KEY.search(line))}


def extract_facts(text: str) -> OctavedFacts:
    """Read the facts out of the text of the document.

    Raises:
        ValueError: The text is not laid out as expected.
    """
    # The text is a copy of a printed page: bullets and blank lines are layout.
    lines = [line.strip(" \t•") for line in text.splitlines() if line.strip()]
    return OctavedFacts(
        source=f"{lines[0]}, documentation text",
        resources=[_resource(heading, _operations(heading, lines)) for heading in _SECTIONS],
    )


def _operations(heading: str, lines: Sequence[str]) -> list[OperationText]:
    start = next(i for i, line in enumerate(lines) if line == heading and "outes for" in lines[i + 1])
    rest = lines[start + 2 :]
    end = next((i for i, line in enumerate(rest) if _section_ends_at(rest, i)), len(rest))
    operations: list[OperationText] = []
    begins = [i for i in range(end) if _operation_begins_at(rest[:end], i)]
    for position, begin in enumerate(begins):
        stop = begins[position + 1] if position + 1 < len(begins) else end
        operations.append(OperationText(rest[begin].split()[0], rest[begin:stop]))
    return operations


def _section_ends_at(lines: Sequence[str], index: int) -> bool:
    """Return whether the next section begins at this line; one of them has no introduction."""
    return lines[index] == "Responsible users" or "outes for" in "".join(lines[index + 1 : index + 2])


def _operation_begins_at(lines: Sequence[str], index: int) -> bool:
    """Return whether an operation begins at this line: a verb, and soon after it a heading of parameters."""
    if not _VERBS.match(lines[index]) or lines[index].endswith((".", "query")):
        return False
    following = lines[index + 1 : index + 10]
    return any(line.startswith(("path Param", "query Param", "Request Body")) for line in following)


def _resource(heading: str, operations: Sequence[OperationText]) -> ResourceFacts:
    name, singular, plural = _SECTIONS[heading]
    create = next(op for op in operations if _action(op) == "create")
    patch = next((op for op in operations if _action(op) == "patch"), None)
    search = next((op for op in operations if op.verb == "Simple"), None)
    writes = list(_body_fields(create))
    patched = {field.name for field in _body_fields(patch)} if patch else {field.name for field in writes}
    get = next(op for op in operations if _action(op) == "get")
    return ResourceFacts(
        name=name,
        singular=singular,
        plural=plural,
        operations=_actions(operations),
        record=list(_record_fields(get.sample("Response"), {field.name: field for field in writes})),
        writes=writes,
        fixed=[field.name for field in writes if field.name not in patched],
        idents=list(_idents(search)) if search else [],
        yields=search is not None and "yieldObjects" in search.lines,
    )


def _action(operation: OperationText) -> str:
    if operation.verb in ("Gets", "Get"):
        return "get" if operation.by_id else "get_many"
    if operation.verb in ("Creates", "Create", "Post", "Put"):
        return "put" if operation.by_id else "create"
    return {"Patches": "patch", "Patch": "patch", "Deletes": "delete", "Delete": "delete"}.get(
        operation.verb, "search"
    )


def _actions(operations: Sequence[OperationText]) -> list[str]:
    actions = {_action(operation) for operation in operations}
    listing = next(op for op in operations if _action(op) == "get_many")
    if "required" not in listing.lines:  # without IDs, it gets all
        actions.add("all")
    order = ("get", "get_many", "all", "create", "put", "patch", "delete", "search")
    return [action for action in order if action in actions]


def _body_fields(operation: OperationText) -> Iterator[FieldFacts]:
    """Yield the fields of a body: the schema's entries, named by the sample's keys."""
    lines = operation.between("Request Body schema", "Responses")[1:]
    keys = list(operation.sample("Request"))
    for place, key in enumerate(keys):
        # A parameter with a name of its own; the others are known by their types alone.
        if lines and lines[0] == key:
            lines = lines[1:]
        elif not lines or not _UNNAMED.match(lines[0]):
            raise ValueError(f"{operation.lines[0]}: {key} was expected where {lines[:1]} is")
        following = keys[place + 1] if place + 1 < len(keys) else ""
        length = next((i for i, line in enumerate(lines) if i and _starts_field(line, following)), len(lines))
        yield _field(key, lines[:length])
        lines = lines[length:]


def _starts_field(line: str, key: str) -> bool:
    return line == key or _UNNAMED.match(line) is not None


def _field(name: str, lines: Sequence[str]) -> FieldFacts:
    about = "\n".join(lines)
    type_ = next(line for line in lines if line not in ("required", "Deprecated"))
    length = re.search(r"<= (\d+) characters", type_)
    return FieldFacts(
        name=name,
        kind=_kind(type_),
        nullable="null or" in type_ or "or null" in type_,
        required="required" in lines,
        choices=_choices(about),
        max_length=int(length[1]) if length else None,
        min_length=1 if "non-empty" in type_ else None,
        pattern=_pattern(type_),
    )


def _kind(type_: str) -> str:
    table = {
        "boolean": "boolean",
        "integer": "integer",
        "unix": "time",
        "date ": "date",
        "decimal": "number",
        "Array": "array",
        "object": "json",
        "(patch": "json",
    }
    return next((kind for start, kind in table.items() if type_.startswith(start)), "text")


def _choices(about: str) -> list[str]:
    match = re.search(r"^Enum: (.*)$", about, re.MULTILINE)
    return re.findall(r'"([^"]*)"', match[1]) if match else []


def _pattern(type_: str) -> str | None:
    if "uuid" in type_:
        return ID
    match = re.search(r"\^[^\s\]]*(?:\][^\s\]]*)*?\$|\^20\S+", type_)
    return match[0] if match else None


def _record_fields(sample: dict[str, str], writes: dict[str, FieldFacts]) -> Iterator[FieldFacts]:
    for name, value in sample.items():
        if name in writes:
            yield attrs.evolve(writes[name], required=False)
        else:
            yield FieldFacts(name=name, kind=_kind_of(value), read_only=True, pattern=_pattern_of(value))


def _kind_of(value: str) -> str:
    forms = (
        (r"true|false", "boolean"),
        (r"\[.*", "array"),
        (r"\{.*", "json"),
        (r"\d{10}", "time"),
        (r"\d+", "integer"),
        (r"\d+\.\d+", "number"),
        (r'"\d{4}-\d\d-\d\d"', "date"),
    )
    return next((kind for form, kind in forms if re.fullmatch(form, value)), "text")


def _pattern_of(value: str) -> str | None:
    return ID if re.fullmatch(r'"[0-9A-F]{32}"', value) else None


def _idents(operation: OperationText) -> Iterator[FieldFacts]:
    lines = operation.between("Request Body schema: Supported search idents", "Responses")[1:]
    starts = [
        i
        for i in range(len(lines) - 1)
        if re.fullmatch(r"[a-z]\w+", lines[i]) and re.match(r"(string|any)\b", lines[i + 1])
    ]
    for place, start in enumerate(starts):
        end = starts[place + 1] if place + 1 < len(starts) else len(lines)
        field = _field(lines[start], lines[start + 1 : end])
        bare = 'Value: ""' in lines[start:end] or lines[start + 1] == "any"
        flag = bare or field.choices == ["0", "1"]
        yield attrs.evolve(field, kind="boolean") if flag else field


def main(arguments: list[str]) -> int:
    """Run the command."""
    FACTS.parent.mkdir(parents=True, exist_ok=True)
    facts = extract_facts(Path(arguments[0]).read_text(encoding="utf-8"))
    FACTS.write_text(dump_facts(facts), encoding="utf-8", newline="\n")
    print(f"{len(facts.resources)} resources in {FACTS}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
