"""Mails as they are sent: RFC 822 messages, whose attachments are read while they are sent."""

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

from ....errors import InvalidArgument
from ....forms import Progress, Upload, UploadSource
from ._addresses import Addresses, header_of, pairs_of

__all__ = ["Draft", "message_bytes", "message_of", "upload_of"]

_POLICY: Final = policy.SMTP.clone(cte_type="7bit")  # lines end as on the wire; what is not ASCII is encoded
_LINE: Final = 57
"""Bytes of one line of base64."""
_RECIPIENTS: Final = ("To", "Cc", "Bcc")
_OURS: Final = ("Cc", "Bcc", "Reply-To", "MIME-Version", "Content-Type", "Content-Transfer-Encoding")
_HEADER: Final = re.compile(r"[!-9;-~]+")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
_NESTED: Final = ("message/", "multipart/")


def message_bytes(message: Message, *, to_send: bool) -> bytes:
    """A message of the standard library's as it is sent.

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
class Draft:
    """A message to be sent, with its attachments not read yet.

    Attributes:
        headers: Name → value, as it is sent.
        text: The plain text, or ``None``.
        html: The same as a web page, or ``None``.
        attachments: What goes along.
    """

    headers: Mapping[str, str]
    text: str | None = None
    html: str | None = None
    attachments: tuple[Upload, ...] = ()


def message_of(
    *,
    sender: Addresses,
    to: Addresses | None,
    cc: Addresses | None,
    bcc: Addresses | None,
    reply_to: Addresses | None,
    subject: str,
    text: str | None,
    html: str | None,
    attachments: Sequence[Upload | UploadSource],
    headers: Mapping[str, str] | None,
) -> Draft:
    """A message of what somebody wants to say.

    Raises:
        InvalidArgument: There is no recipient, or something can't stand in a message.
    """
    given = {"From": (sender, "sender"), "To": (to, "to"), "Cc": (cc, "cc"), "Bcc": (bcc, "bcc")}
    given["Reply-To"] = (reply_to, "reply_to")
    found = {name: (pairs_of(value, what), what) for name, (value, what) in given.items()}
    if len(found["From"][0]) != 1:
        raise InvalidArgument("a mail needs one sender: sender='Jane Doe <jane@example.com>'")
    if not any(found[name][0] for name in _RECIPIENTS):
        raise InvalidArgument("a mail needs a recipient: to=, cc= or bcc=")
    made = {name: header_of(pairs, what) for name, (pairs, what) in found.items() if pairs}
    made["Subject"] = _value("subject", subject, "Subject")
    made["Date"] = format_datetime(localtime())
    # The sender's domain, as the name of this machine is nobody's business.
    made["Message-ID"] = make_msgid(domain=made["From"].rstrip(">").rpartition("@")[2])
    return Draft(
        headers=made | _more(made, headers or {}),
        text=text,
        html=html,
        attachments=tuple(Upload.of(each, filename="attachment") for each in _listed(attachments)),
    )


def _more(made: Mapping[str, str], more: Mapping[str, str]) -> dict[str, str]:
    taken = {name.lower() for name in (*made, *_OURS)}
    for name in more:
        if not isinstance(name, str) or not _HEADER.fullmatch(name):
            raise InvalidArgument(f"headers: {name!r:.60} is no name of a header")
        if name.lower() in taken:
            raise InvalidArgument(f"headers: {name} is made of the other arguments; use them")
    return {name: _value("headers", value, name) for name, value in more.items()}


def _value(what: str, value: str, header: str) -> str:
    """A text as the value of a header, in as many lines as it needs."""
    if not isinstance(value, str) or _CONTROL.search(value):
        raise InvalidArgument(f"{what}: {value!r:.60} can't be the value of the header {header}")
    charset = "ascii" if value.isascii() else "utf-8"
    return Header(value, charset, header_name=header).encode(linesep="\r\n")


def _listed(attachments: Any) -> Iterable[Any]:
    if isinstance(attachments, list | tuple):
        return attachments
    raise InvalidArgument(f"attachments takes a list of files, not {attachments!r:.60}")


# -- as bytes --------------------------------------------------------------------------------------


@attrs.frozen(kw_only=True)
class _Message(Upload):
    """A message that can be sent again as long as its attachments can be read again."""

    attachments: tuple[Upload, ...] = ()

    @property
    def replayable(self) -> bool:
        """Whether it can be sent from its first byte."""
        return all(upload.replayable for upload in self.attachments)


async def upload_of(draft: Draft, *, on_progress: Progress | None = None) -> Upload:
    """The message as a body that is made while it is sent.

    Raises:
        InvalidArgument: A header can't be one, or a file can't be read.
    """
    boundary = secrets.token_hex(16)
    heads = [_attachment_head(upload) for upload in draft.attachments]
    body, size = _beginning(draft, boundary), None
    sizes = [await upload.measure() for upload in draft.attachments]
    if None not in sizes:
        size = len(body) + sum(_encoded_size(each) for each in sizes if each is not None)
        size += sum(len(_opened(boundary, head)) for head in heads) + len(_end(boundary)) * bool(heads)

    async def pieces() -> AsyncGenerator[bytes, None]:
        yield body
        for head, upload in zip(heads, draft.attachments, strict=True):
            yield _opened(boundary, head)
            async with aclosing(_encoded(upload)) as lines:
                async for line in lines:
                    yield line
        if heads:
            yield _end(boundary)

    return _Message(
        pieces,
        content_type="message/rfc822",
        size=size,
        on_progress=on_progress,
        attachments=draft.attachments,
    )


def _beginning(draft: Draft, boundary: str) -> bytes:
    """The headers and what is to be read; all of the message, if it has no attachments."""
    lines = [f"{name}: {value}\r\n" for name, value in draft.headers.items()]
    content = EmailMessage(_POLICY)
    try:
        _fill(content, draft)
        if draft.attachments:
            lines += [
                f'MIME-Version: 1.0\r\nContent-Type: multipart/mixed;\r\n boundary="{boundary}"\r\n\r\n'
            ]
            lines += [f"--{boundary}\r\n"]
            del content["MIME-Version"]  # it is there for the whole
        return "".join(lines).encode("ascii") + content.as_bytes()
    except (UnicodeError, ValueError, TypeError, LookupError) as error:
        raise InvalidArgument(f"the mail has no form in RFC 822: {error}") from error


def _fill(message: EmailMessage, draft: Draft) -> None:
    if draft.html is None:
        message.set_content(draft.text or "")
        return
    if draft.text is None:
        message.set_content(draft.html, subtype="html")
        return
    message.set_content(draft.text)
    message.add_alternative(draft.html, subtype="html")


def _attachment_head(upload: Upload) -> bytes:
    part = EmailMessage(_POLICY)
    kind = upload.media_type
    # A message within a message must not be encoded, so that it goes as a file like any other.
    kind = "application/octet-stream" if kind.startswith(_NESTED) else kind
    try:
        part["Content-Type"] = kind
        part["Content-Transfer-Encoding"] = "base64"
        part.add_header("Content-Disposition", "attachment", filename=upload.name or "attachment")
        return b"".join(_POLICY.fold_binary(name, value) for name, value in part.items()) + b"\r\n"
    except (UnicodeError, ValueError, LookupError) as error:
        raise InvalidArgument(f"attachments: {upload.name!r} can't be attached: {error}") from error


def _opened(boundary: str, head: bytes) -> bytes:
    return f"\r\n--{boundary}\r\n".encode() + head


def _end(boundary: str) -> bytes:
    return f"\r\n--{boundary}--\r\n".encode()


def _encoded_size(size: int) -> int:
    """Bytes of base64 in lines, each with its end."""
    lines, rest = divmod(size, _LINE)
    return lines * (_LINE // 3 * 4 + 2) + ((rest + 2) // 3 * 4 + 2 if rest else 0)


async def _encoded(upload: Upload) -> AsyncGenerator[bytes, None]:
    """Its bytes as base64, in whole lines."""
    kept = b""
    async with aclosing(upload.chunks()) as chunks:
        async for chunk in chunks:
            kept += chunk
            whole = len(kept) // _LINE * _LINE
            if whole:
                yield base64.encodebytes(kept[:whole]).replace(b"\n", b"\r\n")
                kept = kept[whole:]
    if kept:
        yield base64.encodebytes(kept).replace(b"\n", b"\r\n")
