"""``mail/categories``: the tabs of the inbox."""

from __future__ import annotations

from collections import Counter
from typing import Final

from ..handlers import OxCall, OxReply, handles
from ..listing import read_objects
from ..mails.access import INBOX, find_mail, mailbox_of
from ..refusals import bad_value

__all__: list[str] = []

_CATEGORIES: Final = ("general", "social", "promotion", "forum", "update", "uc1", "uc2")


def _read_category(call: OxCall) -> str:
    name = call.text_param("category_id")
    if name not in _CATEGORIES:
        raise bad_value("category_id", name, f"it is one of {', '.join(_CATEGORIES)}")
    return "" if name == "general" else name


@handles("mail/categories", "move")
def _move(call: OxCall) -> OxReply:
    category = _read_category(call)
    for reference in read_objects(call.body, "folder_id", "id"):
        find_mail(call, str(reference["folder_id"]), str(reference["id"])).category = category
    return OxReply()


@handles("mail/categories", "train")
def _train(call: OxCall) -> OxReply:
    category, box = _read_category(call), mailbox_of(call.state, call.user)
    senders = [str(sender).lower() for sender in call.body_object().get("from") or ()]
    if call.flag_param("apply-for-future-ones", default=True):
        for sender in senders:
            box.train_category(sender, category)
    if call.flag_param("apply-for-existing"):
        for mail in box.mails(INBOX):
            if any(sender in (mail.headers.text("From") or "").lower() for sender in senders):
                mail.category = category
    return OxReply()


@handles("mail/categories", "unread")
def _unread(call: OxCall) -> OxReply:
    mails = mailbox_of(call.state, call.user).mails(INBOX)
    counts = Counter(mail.category or "general" for mail in mails if not mail.is_seen)
    names = [name for name in call.text_param("category_ids").split(",") if name] or _CATEGORIES
    return OxReply(data={name: counts[name] for name in names})
