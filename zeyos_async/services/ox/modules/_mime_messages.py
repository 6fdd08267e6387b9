"""Messages in RFC 822, the form in which mails are sent; attachments are read while they are sent.

The standard library's ``EmailMessage`` holds a message whole, with its attachments in base64, which is a third more
than the files. Here it only makes the headers and the text; the boundaries and the base64 of the attachments are
written piece by piece. Its size is known beforehand if the sizes of all attachments are.
"""

from __future__ import annotations

import base64
import re
import secrets
from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from contextlib import aclosing
from email import policy
from email.header import Header
from email.message import EmailMessage, Message
from email.utils import format_datetime, localtime, make_msgid
from typing import Any, Final

import attrs

from ....errors import InvalidArgument, quote_value
from ....forms import Progress, Upload, UploadSource
from ....urls import check_text
from ._addresses import Addresses, format_header, parse_addresses

__all__ = ["MessageDraft", "compose_message", "encode_message", "make_upload"]

_POLICY: Final = policy.SMTP.clone(cte_type="7bit")  # lines end as on the wire; what is not ASCII is encoded
_LINE_BYTES: Final = 57
"""Bytes of one line of base64."""
_RECIPIENTS: Final = ("To", "Cc", "Bcc")
_RESERVED: Final = ("Cc", "Bcc", "Reply-To", "MIME-Version", "Content-Type", "Content-Transfer-Encoding")
_HEADER_NAME: Final = re.compile(r"[!-9;-~]+")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
_NESTED: Final = ("message/", "multipart/")


def encode_message(message: Message, *, to_send: bool) -> bytes:
    """Encode a message of the standard library's as it is sent.

    Raises:
        InvalidArgument: It has no form in RFC 822, or it has no recipient and needs one.
    """
    if to_send and not any(message.get(name) for name in _RECIPIENTS):
        raise InvalidArgument("the message has no recipients: set its header To, Cc or Bcc")
    wire = message.policy.clone(linesep="\r\n")
    try:
        return message.as_bytes(policy=wire)
    except (UnicodeError, LookupError, TypeError, ValueError) as error:
        raise InvalidArgument(f"the message has no form in RFC 822: {error}") from error


@attrs.frozen(kw_only=True)
class MessageDraft:
    """A message to be sent, with its attachments not read yet.

    Attributes:
        headers: Name → value, as it is sent.
        text: The plain text, or ``None``.
        html: The same as a web page, or ``None``.
        attachments: The files.
    """

    headers: Mapping[str, str]
    text: str | None = None
    html: str | None = None
    attachments: tuple[Upload, ...] = ()


def compose_message(
    *,
    sender: Addresses | None,
    to: Addresses | None,
    cc: Addresses | None,
    bcc: Addresses | None,
    reply_to: Addresses | None,
    subject: str,
    text: str | None,
    html: str | None,
    attachments: Sequence[Upload | UploadSource],
    headers: Mapping[str, str] | None,
) -> MessageDraft:
    """Compose a message of its parts.

    Raises:
        InvalidArgument: There is no recipient, or something can't stand in a message.
    """
    addresses = {"From": (sender, "sender"), "To": (to, "to"), "Cc": (cc, "cc"), "Bcc": (bcc, "bcc")}
    addresses["Reply-To"] = (reply_to, "reply_to")
    pairs_by_header = {
        name: (parse_addresses(value, label), label) for name, (value, label) in addresses.items()
    }
    if len(pairs_by_header["From"][0]) != 1:
        raise InvalidArgument("a mail needs one sender: sender='Jane Doe <jane@example.com>'")
    if not any(pairs_by_header[name][0] for name in _RECIPIENTS):
        raise InvalidArgument("a mail needs a recipient: to=, cc= or bcc=")
    written = {name: format_header(pairs, label) for name, (pairs, label) in pairs_by_header.items() if pairs}
    written["Subject"] = _format_value("subject", subject, "Subject")
    written["Date"] = format_datetime(localtime())
    # Without a domain, the standard library would tell the recipients the name of this machine.
    written["Message-ID"] = make_msgid(domain=written["From"].rstrip(">").rpartition("@")[2])
    return MessageDraft(
        headers=written | _check_headers(written, headers or {}),
        text=text,
        html=html,
        attachments=tuple(Upload.of(item, filename="attachment") for item in _check_attachments(attachments)),
    )


def _check_headers(written: Mapping[str, str], headers: Mapping[str, str]) -> dict[str, str]:
    reserved = {name.lower() for name in (*written, *_RESERVED)}
    for name in headers:
        if not isinstance(name, str) or not _HEADER_NAME.fullmatch(name):
            raise InvalidArgument(f"headers: {quote_value(name)} is no name of a header")
        if name.lower() in reserved:
            raise InvalidArgument(f"headers: {name} is made of the other arguments; use them")
    return {name: _format_value("headers", value, name) for name, value in headers.items()}


def _format_value(label: str, value: str, header: str) -> str:
    """Format a text as the value of a header, in as many lines as it needs."""
    if not isinstance(value, str) or _CONTROL.search(value):
        raise InvalidArgument(f"{label}: {quote_value(value)} can't be the value of the header {header}")
    check_text(value, f"{label}: the header {header}")
    charset = "ascii" if value.isascii() else "utf-8"
    return Header(str.__str__(value), charset, header_name=header).encode(linesep="\r\n")


def _check_attachments(attachments: Any) -> Iterable[Any]:
    if isinstance(attachments, list | tuple):
        return attachments
    raise InvalidArgument(f"attachments takes a list of files, not {quote_value(attachments)}")


# -- as bytes --------------------------------------------------------------------------------------


@attrs.frozen(kw_only=True)
class _MessageUpload(Upload):
    """A message that can be sent again as long as its attachments can be read again."""

    attachments: tuple[Upload, ...] = ()

    @property
    def replayable(self) -> bool:
        """Whether it can be sent again from its first byte."""
        return all(upload.replayable for upload in self.attachments)


async def make_upload(draft: MessageDraft, *, on_progress: Progress | None = None) -> Upload:
    """Make a body of the message, which is encoded while it is sent.

    Raises:
        InvalidArgument: A header can't be one, or a file can't be read.
    """
    boundary = secrets.token_hex(16)
    heads = [_encode_part_headers(upload) for upload in draft.attachments]
    body, size = _encode_beginning(draft, boundary), None
    sizes = [await upload.measure() for upload in draft.attachments]
    if None not in sizes:
        size = len(body) + sum(_measure_base64(measured) for measured in sizes if measured is not None)
        size += sum(len(_open_part(boundary, head)) for head in heads) + len(_close_message(boundary)) * bool(
            heads
        )

    async def pieces() -> AsyncGenerator[bytes, None]:
        yield body
        for head, upload in zip(heads, draft.attachments, strict=True):
            yield _open_part(boundary, head)
            async with aclosing(_encode_base64(upload)) as lines:
                async for line in lines:
                    yield line
        if heads:
            yield _close_message(boundary)

    return _MessageUpload(
        pieces,
        content_type="message/rfc822",
        size=size,
        on_progress=on_progress,
        attachments=draft.attachments,
    )


def _encode_beginning(draft: MessageDraft, boundary: str) -> bytes:
    """Encode the headers and the text: all of the message, if it has no attachments."""
    lines = [f"{name}: {value}\r\n" for name, value in draft.headers.items()]
    content = EmailMessage(_POLICY)
    try:
        _set_content(content, draft)
        if draft.attachments:
            lines += [
                f'MIME-Version: 1.0\r\nContent-Type: multipart/mixed;\r\n boundary="{boundary}"\r\n\r\n'
            ]
            lines += [f"--{boundary}\r\n"]
            del content["MIME-Version"]  # the whole message has this header, a part has none
        return "".join(lines).encode("ascii") + content.as_bytes()
    except (UnicodeError, ValueError, TypeError, LookupError) as error:
        raise InvalidArgument(f"the mail has no form in RFC 822: {error}") from error


def _set_content(message: EmailMessage, draft: MessageDraft) -> None:
    if draft.html is None:
        message.set_content(draft.text or "")
        return
    if draft.text is None:
        message.set_content(draft.html, subtype="html")
        return
    message.set_content(draft.text)
    message.add_alternative(draft.html, subtype="html")


def _encode_part_headers(upload: Upload) -> bytes:
    part = EmailMessage(_POLICY)
    kind = upload.media_type
    # RFC 2046 forbids base64 for a message within a message, so it goes as a file of any type.
    kind = "application/octet-stream" if kind.startswith(_NESTED) else kind
    try:
        part["Content-Type"] = kind
        part["Content-Transfer-Encoding"] = "base64"
        part.add_header("Content-Disposition", "attachment", filename=upload.name or "attachment")
        return b"".join(_POLICY.fold_binary(name, value) for name, value in part.items()) + b"\r\n"
    except (UnicodeError, ValueError, LookupError) as error:
        raise InvalidArgument(f"attachments: {upload.name!r} can't be attached: {error}") from error


def _open_part(boundary: str, head: bytes) -> bytes:
    return f"\r\n--{boundary}\r\n".encode() + head


def _close_message(boundary: str) -> bytes:
    return f"\r\n--{boundary}--\r\n".encode()


def _measure_base64(size: int) -> int:
    """Return how many bytes a file of this size has in lines of base64, with the ends of the lines."""
    lines, remainder = divmod(size, _LINE_BYTES)
    return lines * (_LINE_BYTES // 3 * 4 + 2) + ((remainder + 2) // 3 * 4 + 2 if remainder else 0)


async def _encode_base64(upload: Upload) -> AsyncGenerator[bytes, None]:
    """Yield the bytes of a file as base64, in whole lines."""
    pending = b""
    async with aclosing(upload.chunks()) as chunks:
        async for chunk in chunks:
            pending += chunk
            complete = len(pending) // _LINE_BYTES * _LINE_BYTES
            if complete:
                yield base64.encodebytes(pending[:complete]).replace(b"\n", b"\r\n")
                pending = pending[complete:]
    if pending:
        yield base64.encodebytes(pending).replace(b"\n", b"\r\n")
