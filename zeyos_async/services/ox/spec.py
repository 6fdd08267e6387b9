"""Operations of the document as data, and calls of them before anything is sent.

The generated modules are made of :class:`Spec` rows; ``binding`` makes a :class:`PreparedCall` of a row and
the caller's arguments. Nothing here does I/O.
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, Generic, TypeAlias, TypeVar

import attrs

from ...wire import Safety
from .answers import Envelope
from .rows import Result
from .values import WireKind, instant_from_wire

if TYPE_CHECKING:
    from ...forms import Upload, UploadSource
    from .answers import OxWarning

__all__ = [
    "Body",
    "BodyShape",
    "FileInput",
    "FormBody",
    "JsonBody",
    "Param",
    "PartsBody",
    "PreparedCall",
    "RawBody",
    "ResultShape",
    "Spec",
]

T = TypeVar("T")

FileInput: TypeAlias = "UploadSource | Upload"
"""The content of an upload: its bytes, a file's path, the bytes piece by piece, or an ``Upload``."""


class ResultShape(enum.Enum):
    """The shape of an answer's data, and so of what a call returns."""

    RECORD = "record"
    """One object: a record."""
    ROWS = "rows"
    """A list of arrays under the columns of the call, or of objects: ``Rows`` of records."""
    UPDATES = "updates"
    """What changed and what is gone, in one of three forms: ``Updates``."""
    GROUPED = "grouped"
    """An object of such lists: a mapping of name to ``Rows`` of records."""
    RESULTS = "results"
    """A list with a record for each thing that was to be done, and an error where one was not."""
    FAILURES = "left"
    """A list of what was *not* done: an empty one is no result, any other one an error."""
    VALUE = "value"
    """One plain value."""
    VALUES = "values"
    """A list of plain values: ``Rows`` of them."""
    NOTHING = "nothing"
    JSON = "json"
    """Whatever the server sends."""
    DOWNLOAD = "download"
    """A stream of bytes."""
    PAGE = "page"
    """A web page or a redirect, meant for a browser: the response itself."""


class BodyShape(enum.Enum):
    """The shape of the body of a call."""

    RECORD = "record"
    """One object with known fields."""
    RECORDS = "records"
    """A list of such objects; where they only name things, records and ``(folder, id)`` will do."""
    VALUES = "values"
    """A list of plain values, such as IDs."""
    JSON = "json"
    """Any JSON."""
    FORM = "form"
    """URL-encoded fields."""
    PARTS = "parts"
    """A form of several parts: JSON and files."""
    RAW = "raw"
    """The bytes of a file."""


@attrs.frozen
class Param:
    """One parameter in the query or the path.

    Attributes:
        name: As it is sent.
        kind: What its values are.
        required: Whether the server needs it.
        attribute: The Python name, where it differs.
        choices: The only texts that are allowed.
        sent: What is sent where nothing is given; ``""`` for nothing.
        in_path: Whether it stands in the path.
        many: Whether it takes a list, sent with commas.
        explicit: Whether it is never taken of the record that a call begins with: the folder to move it to, say.
    """

    name: str
    kind: WireKind = WireKind.TEXT
    required: bool = attrs.field(default=False, kw_only=True)
    attribute: str = attrs.field(default="", kw_only=True)
    choices: tuple[str, ...] = attrs.field(default=(), kw_only=True)
    sent: str = attrs.field(default="", kw_only=True)
    in_path: bool = attrs.field(default=False, kw_only=True)
    many: bool = attrs.field(default=False, kw_only=True)
    explicit: bool = attrs.field(default=False, kw_only=True)

    @property
    def attr(self) -> str:
        """The name of the argument."""
        return self.attribute or self.name


@attrs.frozen(kw_only=True)
class Body:
    """The description of what an operation sends besides its parameters.

    Attributes:
        shape: What it is made of.
        record: The schema of its object or objects.
        kind: What its plain values are.
        required: Whether the server needs it.
        wrap: The key under which the object or list is sent.
        outer: The schema of the object with that key, for a caller who gives the whole of it.
        part: Name of the part with the JSON.
        file: Name of the part with the file; ``{n}`` is the place of one of several.
        file_required: Whether a file must be given.
        media_type: Content type of raw bytes.
    """

    shape: BodyShape
    record: str = ""
    kind: WireKind = WireKind.ANY
    required: bool = True
    wrap: str = ""
    outer: str = ""
    part: str = ""
    file: str = ""
    file_required: bool = True
    media_type: str = "application/octet-stream"

    @property
    def has_file(self) -> bool:
        """Whether ``file=`` is an argument."""
        return bool(self.file) and "{n}" not in self.file

    @property
    def has_files(self) -> bool:
        """Whether ``files=`` is an argument."""
        return "{n}" in self.file


@attrs.frozen(kw_only=True)
class Spec:
    """One operation of the document.

    Attributes:
        module: The module's path: ``"mail/compose"``.
        name: The method's name: ``"advanced_search"``.
        action: The parameter ``action``; ``""`` where verb and path decide.
        method: HTTP method.
        path: Below the base URL, with ``{name}`` for parameters in the path.
        fixed: Parameters that are always sent.
        params: The parameters.
        body: What is sent besides, if anything.
        returns: What comes back.
        record: The class of the records that come back.
        kind: What the plain values that come back are.
        key: The key of the data's object under which the result lies, or ``""``.
        target: The class of the record that a call may begin with; its ID, folder and time stamp are taken.
        columns: The class whose columns (or fields) can be requested.
        safety: What may be repeated.
        batchable: Whether it may be part of a ``multiple``.
        session: Whether it needs a session (or a token): the time zone goes along with it.
        oauth: Whether a token with the scopes will do for a session.
        scopes: The scopes of the token, any of which will do if there are several.
        html: Whether the answer is JSON in a web page.
        bare: Whether the answer may be the data alone, without an envelope: a list, a text, a number.
        may_be_missing: Whether an answer without data is a good one. That of an operation that returns nothing always is.
        may_be_empty: Whether an empty object in ``data`` is a good answer, where a record is promised.
        deprecated: Whether the document advises against it.
        registered: Whether version 8.19 of the server has it.
        since: The version that brought it, if the document tells.
    """

    module: str
    name: str
    action: str = ""
    method: str
    path: str
    fixed: tuple[tuple[str, str], ...] = ()
    params: tuple[Param, ...] = ()
    body: Body | None = None
    returns: ResultShape = ResultShape.NOTHING
    record: str = ""
    kind: WireKind = WireKind.ANY
    key: str = ""
    target: str = ""
    columns: str = ""
    safety: Safety = Safety.ONCE
    batchable: bool = True
    session: bool = True
    oauth: bool = True
    scopes: tuple[str, ...] = ()
    html: bool = False
    bare: bool = False
    may_be_missing: bool = False
    may_be_empty: bool = False
    deprecated: bool = False
    registered: bool = True
    since: str = ""

    @property
    def operation(self) -> str:
        """The operation's name, for errors and hooks: ``"contacts.all"``."""
        return f"{self.module}.{self.name}"

    @property
    def creates(self) -> bool:
        """Whether it makes something new, whose ID the answer has to name."""
        return self.safety is Safety.ONCE and (self.name.startswith("new") or self.name in _CREATING)

    @property
    def good_statuses(self) -> frozenset[int]:
        """The HTTP statuses of its good answers. A 202 is one only if it names the job that goes on with the work."""
        return _GOOD_STATUSES.get(self.returns, _OK)


_CREATING: Final = frozenset({"copy", "copy_with_file", "create", "save_as", "save_attachment", "upload"})
_OK: Final = frozenset({200})
_GOOD_STATUSES: Final = {
    ResultShape.NOTHING: frozenset({200, 204}),
    ResultShape.PAGE: frozenset({200, 301, 302, 303, 307, 308}),
    # A download adds 206 and 304, where its headers ask for a part, or for a file that is another one by now.
}


@attrs.frozen
class JsonBody:
    """A body of JSON; ``value`` may be any JSON value, ``None`` included. It may hold a password and is not shown."""

    value: Any = attrs.field(repr=False)


@attrs.frozen
class FormBody:
    """A body of URL-encoded fields. They may hold a password and are not shown."""

    fields: tuple[tuple[str, str], ...] = attrs.field(repr=False)


@attrs.frozen
class PartsBody:
    """A body of several parts.

    Attributes:
        json: Name → JSON value, of the parts with JSON.
        files: Name of the part and what it holds, in order.
    """

    json: tuple[tuple[str, Any], ...] = attrs.field(repr=False)
    files: tuple[tuple[str, FileInput], ...]


@attrs.frozen
class RawBody:
    """A body that is the bytes of a file."""

    content: FileInput
    media_type: str = "application/octet-stream"


@attrs.frozen(kw_only=True, repr=False)
class PreparedCall(Generic[T]):
    """One call, before anything is sent.

    Attributes:
        spec: The operation.
        query: Parameters as they are sent, ``action`` and ``timezone`` included, the session not.
        path: Below the base URL, each part quoted: ``"mail/compose/abc/send"``.
        body: What is sent besides.
        read: From an answer without an error to the result; raises ``DecodeFailed`` if it makes no sense, and
            the error that an answer stands for which lists what was not done.
        on_response: Called with the envelope after ``read``: brings the caller's record up to date.
    """

    spec: Spec
    query: tuple[tuple[str, str], ...]
    path: str
    body: JsonBody | FormBody | PartsBody | RawBody | None = None
    read: Callable[[Envelope], T]
    on_response: Callable[[Envelope], None] | None = None

    def __repr__(self) -> str:
        return f"<Prepared {self.operation}>"  # the rest may hold secrets

    @property
    def operation(self) -> str:
        """The operation's name: ``"contacts.all"``."""
        return self.spec.operation

    def finish(self, envelope: Envelope) -> Result[T]:
        """Return the result of an answer without an error.

        Raises:
            DecodeFailed: The answer makes no sense.
            NotDeleted: It lists what was not deleted.
        """
        value = self.read(envelope)
        if self.on_response is not None:
            self.on_response(envelope)
        warnings: tuple[OxWarning, ...] = envelope.warnings
        return Result(data=value, timestamp=instant_from_wire(envelope.timestamp), warnings=warnings)
