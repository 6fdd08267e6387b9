"""Mails as they go over the wire: read back by the standard library, they say what was written."""

from __future__ import annotations

from collections.abc import AsyncIterator
from email import message_from_bytes, policy
from email.message import EmailMessage, Message
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zeyos_async.errors import InvalidArgument
from zeyos_async.forms import Upload
from zeyos_async.services.ox.modules._mime_messages import compose_message, encode_message, make_upload


def draft(**changes: Any) -> Any:
    """A message of a few usual arguments."""
    usual: dict[str, Any] = {
        "sender": "Jane Doe <jane@example.com>", "to": "max@example.com", "cc": None, "bcc": None, "reply_to": None,
        "subject": "Report", "text": "Here it is.\n", "html": None, "attachments": [], "headers": None,
    }  # fmt: skip
    return compose_message(**{**usual, **changes})


async def sent(**changes: Any) -> tuple[bytes, Upload]:
    """The bytes of such a message, whose announced length is right."""
    upload = await make_upload(draft(**changes))
    data = b"".join([chunk async for chunk in upload.chunks()])
    if (size := await upload.measure()) is not None:
        assert size == len(data)
    assert all(len(line) <= 998 and b"\n" not in line for line in data.split(b"\r\n"))
    return data, upload


def read(data: bytes) -> EmailMessage:
    """The message, as a receiver has it."""
    message = message_from_bytes(data, policy=policy.default)
    assert isinstance(message, EmailMessage)
    assert not message.defects
    return message


def text_of(part: Any) -> str:
    """Its text, whose lines end as mail has it on the way."""
    return str(part.get_content()).replace("\r\n", "\n")


async def test_a_plain_mail_is_one_part() -> None:
    """Headers, an empty line, the text."""
    message = read((await sent(cc="c@d.de", bcc="e@f.de", reply_to="r@s.de", headers={"X-Ticket": "7"}))[0])
    assert (message["From"], message["To"]) == ("Jane Doe <jane@example.com>", "max@example.com")
    assert (message["Cc"], message["Bcc"], message["Reply-To"]) == ("c@d.de", "e@f.de", "r@s.de")
    assert (message["Subject"], message["X-Ticket"]) == ("Report", "7")
    assert message["Message-ID"].endswith("@example.com>")
    assert message["Date"].datetime.utcoffset() is not None
    assert message["MIME-Version"] == "1.0"
    assert (message.get_content_type(), text_of(message)) == ("text/plain", "Here it is.\n")


@pytest.mark.parametrize("attachments", [[], [b"abc"]])
@pytest.mark.parametrize(
    ("text", "html", "kinds"),
    [
        ("Ä\n", None, ["text/plain"]),
        (None, "<p>Ä</p>\n", ["text/html"]),
        ("Ä\n", "<p>Ä</p>\n", ["text/plain", "text/html"]),
        (None, None, ["text/plain"]),
    ],
)
async def test_texts_and_pages_are_alternatives(
    text: str | None, html: str | None, kinds: list[str], attachments: list[bytes]
) -> None:
    """What is given is there, with attachments beside it."""
    message = read((await sent(text=text, html=html, attachments=attachments))[0])
    parts = [part for part in message.walk() if part.get_content_maintype() == "text"]
    assert [part.get_content_type() for part in parts] == kinds
    assert [text_of(part) for part in parts] == [
        content for content in (text, html) if content
    ] or text is html is None
    assert len(list(message.iter_attachments())) == len(attachments)


async def test_attachments_have_their_names_types_and_bytes(tmp_path: Path) -> None:
    """Paths, bytes, streams; whatever lies in them, and whatever they are called."""
    path = tmp_path / "naïve ✓.txt"
    path.write_bytes(b"a\nb\r\nc")

    async def stream() -> AsyncIterator[bytes]:
        for start in range(0, 1000, 10):
            yield bytes(range(start % 246, start % 246 + 10))

    data, upload = await sent(
        attachments=[
            path,
            b"\x00" * 57,
            Upload(stream, filename="s.bin", size=1000),
            Upload(b"", filename="mail.eml"),
        ]
    )
    attachments = list(read(data).iter_attachments())
    assert [part.get_filename() for part in attachments] == ["naïve ✓.txt", "attachment", "s.bin", "mail.eml"]
    assert [part.get_content_type() for part in attachments] == [
        "text/plain",
        *["application/octet-stream"] * 3,
    ]
    assert [len(part.get_payload(decode=True)) for part in attachments] == [6, 57, 1000, 0]  # type: ignore[arg-type]
    assert attachments[0].get_payload(decode=True) == b"a\nb\r\nc"
    assert upload.replayable
    assert b"".join([chunk async for chunk in upload.chunks()]) == data  # sent again, it is the same


async def test_a_stream_of_unknown_length_is_sent_in_chunks_and_once() -> None:
    """Nobody knows its length before its end, and its bytes can't be had again."""

    async def stream() -> AsyncIterator[bytes]:
        yield b"x" * 100

    data, upload = await sent(attachments=[stream()])
    assert await upload.measure() is None
    assert not upload.replayable
    assert next(iter(read(data).iter_attachments())).get_content() == b"x" * 100


_TEXTS = st.text(st.characters(blacklist_categories=["Cc", "Cs", "Zl", "Zp"]), max_size=300)


@given(_TEXTS.filter(lambda text: text == " ".join(text.split())), st.binary(max_size=400))
async def test_messages_arrive_with_every_subject_and_attachment(subject: str, content: bytes) -> None:
    """Read back they are the same, however long the lines and whatever the letters."""
    message = read((await sent(subject=subject, attachments=[content]))[0])
    # What looks like an encoded word in plain ASCII is read as one, by everybody.
    assert "=?" in subject or message["Subject"] == subject
    assert next(iter(message.iter_attachments())).get_payload(decode=True) == content


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"to": None}, "recipient"),
        ({"to": "nobody"}, "to"),
        ({"sender": ""}, "sender"),
        ({"sender": "a@b.de, c@d.de"}, "one sender"),
        ({"subject": "x\r\nBcc: y@z.de"}, "Subject"),
        ({"subject": 7}, "Subject"),
        ({"headers": {"X-A": "b\nc"}}, "X-A"),
        ({"headers": {"X A": "b"}}, "X A"),
        ({"headers": {"X-A:": "b"}}, "X-A:"),
        ({"headers": {"subject": "b"}}, "subject"),
        ({"headers": {"Bcc": "b@c.de"}}, "Bcc"),
        ({"headers": {"Content-Type": "x/y"}}, "Content-Type"),
        ({"attachments": "report.pdf"}, "list of files"),
        ({"attachments": ["report.pdf"]}, "Path"),
    ],
)
def test_parts_that_no_mail_can_have_are_refused(changes: dict[str, Any], says: str) -> None:
    """Before anything is sent, and with what is wrong."""
    with pytest.raises(InvalidArgument, match=says):
        draft(**changes)


async def test_a_type_that_is_none_is_refused() -> None:
    """A type with a line break would be a header more."""
    with pytest.raises(InvalidArgument, match="attached"):
        await make_upload(draft(attachments=[Upload(b"", content_type="a/b\r\nX: y")]))


@pytest.mark.parametrize("kind", [EmailMessage, Message])
def test_a_message_of_the_standard_library_is_sent_as_it_is(kind: type[Message]) -> None:
    """Old and new ones, with the line ends of the wire."""
    message = kind()
    message["To"] = "max@example.com"
    message["Subject"] = "x"
    message.set_payload("a\nb\n")
    assert encode_message(message, to_send=True).endswith(b"\r\n\r\na\r\nb\r\n")
    del message["To"]
    with pytest.raises(InvalidArgument, match="recipients"):
        encode_message(message, to_send=True)
    assert b"Subject: x\r\n" in encode_message(message, to_send=False)
