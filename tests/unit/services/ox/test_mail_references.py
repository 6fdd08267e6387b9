"""What names a mail, and what a change of its flags makes of it."""

from __future__ import annotations

from typing import Any

import pytest

from zeyos_async.errors import InvalidArgument
from zeyos_async.ox import ContactData, MailData, MailDestinationData
from zeyos_async.services.ox.modules._mail_references import (
    MailFlag,
    check_flags,
    locate_mail,
    locate_mails,
    update_flags,
    update_location,
)

MAIL = MailData(id="17", folder_id="default0/INBOX")


@pytest.mark.parametrize(
    ("mail", "place"),
    [
        (MAIL, ("default0/INBOX", "17")),
        (MailDestinationData(folder_id="default0/Trash", id="3"), ("default0/Trash", "3")),
        (("default0/INBOX", "17"), ("default0/INBOX", "17")),
        ({"folder": "default0/INBOX", "id": 17}, ("default0/INBOX", "17")),
        ({"folder_id": "default0/INBOX", "id": "17"}, ("default0/INBOX", "17")),
        (
            MailData(id="1", folder_id="virtual/all", original_id="9", original_folder_id="default0/INBOX"),
            ("default0/INBOX", "9"),
        ),
        (
            MailData(
                id="1", folder_id="default0/virtual/all", original_id="9", original_folder_id="default0/A"
            ),
            ("default0/A", "9"),
        ),
        (
            MailData(id="1", folder_id="default0/A", original_id="9", original_folder_id="default0/B"),
            ("default0/A", "1"),
        ),
    ],
)
def test_a_mail_is_named_by_its_folder_and_its_id(mail: Any, place: tuple[str, str]) -> None:
    """Of what a virtual folder shows, by where it really is."""
    assert locate_mail(mail) == place


@pytest.mark.parametrize(
    "mail",
    [MailData(id="17"), MailData(folder_id="default0/INBOX"), ("", "17"), ("a", ""), ("a", "b", "c"), "17", 17, None,
     ContactData(id="3"), {}],
)  # fmt: skip
def test_values_that_name_no_mail_are_refused(mail: Any) -> None:
    """A record that was read without these columns, for instance."""
    with pytest.raises(InvalidArgument, match="mail"):
        locate_mail(mail)


def test_one_or_several_mails_are_told_apart() -> None:
    """A pair of texts is one mail; a list of pairs is several."""
    pair = ("default0/INBOX", "1")
    assert [place[1:] for place in locate_mails(pair)] == [pair]
    assert [place[1:] for place in locate_mails([pair, MAIL])] == [pair, ("default0/INBOX", "17")]
    assert [place[1:] for place in locate_mails(iter([pair]))] == [pair]
    assert locate_mails([]) == []
    for wrong in ("default0/INBOX", 7, None):
        with pytest.raises(InvalidArgument):
            locate_mails(wrong)


@pytest.mark.parametrize("value", [True, -1, "32", 1.0, None])
def test_values_that_are_no_flags_are_refused(value: Any) -> None:
    """A truth value is no flag."""
    with pytest.raises(InvalidArgument, match="set_flags"):
        check_flags(value, "set_flags")


def test_flags_are_the_documents_table() -> None:
    """8 is flagged and 16 recent, though the text has it otherwise."""
    assert (MailFlag.SEEN, MailFlag.FLAGGED, MailFlag.RECENT, MailFlag.FORWARDED) == (32, 8, 16, 256)
    assert check_flags(MailFlag.SEEN | MailFlag.FLAGGED, "flags") == 40


def test_a_record_follows_its_mail() -> None:
    """After a move it is where it is now, so that it can be moved again."""
    mail = MailData(id="17", folder_id="default0/A", original_id="17", original_folder_id="default0/A")
    update_location(mail, "default0/B", 4)
    assert (mail.folder_id, mail.id, mail.original_folder_id, mail.original_id) == ("default0/B", "4") * 2
    plain = MailData(id="17", folder_id="default0/A")
    update_location(plain, "default0/B", "5")
    assert (plain.folder_id, plain.id, plain.original_id) == ("default0/B", "5", None)
    update_location(("default0/A", "17"), "default0/B", "5")


def test_a_record_knows_its_new_flags_as_far_as_it_knew_the_old_ones() -> None:
    """What was not read stays unknown."""
    mail = MailData(id="17", folder_id="a", flags=8 | 32, user=["old", "both"], color_label=1)
    update_flags(
        mail,
        {"set_flags": 1, "clear_flags": 32, "set_user_flags": ["new", "both"], "clear_user_flags": ["old"]},
    )
    assert (mail.flags, mail.user, mail.color_label) == (9, ["both", "new"], 1)
    update_flags(mail, {"color_label": 5})
    assert mail.color_label == 5
    bare = MailData(id="17", folder_id="a")
    update_flags(bare, {"set_flags": 1, "color_label": 5, "set_user_flags": ["x"]})
    assert (bare.flags, bare.color_label, bare.user) == (None, None, None)
    update_flags(("a", "17"), {"set_flags": 1})
