"""The tree of folders: what each user finds there, and who may do what in a folder."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from .handlers import Call
from .refusals import denied, not_found
from .seeding import Rows, fills
from .state import OxUser, Row, ServerState

__all__ = [
    "ALL_USERS",
    "FULL",
    "READ_ONLY",
    "bits_of",
    "can",
    "children",
    "default_folder",
    "folder_key",
    "folders_of",
    "own_bits",
    "plain_id",
    "usable_folder",
    "visible_folder",
]

ALL_USERS: Final = 0
"""The group of everybody."""

FULL: Final = 64 | 64 << 7 | 64 << 14 | 64 << 21 | 1 << 28
READ_ONLY: Final = 1 | 2 << 7
_SEE: Final = 1
_OFFSETS: Final = {"folder": 0, "read": 7, "write": 14, "delete": 21}
_COMPOSITES: Final = ("con://0/", "cal://0/")

_ROOTS: Final = (
    ("1", "Private folders", "system", 1),
    ("2", "Public folders", "system", 2),
    ("3", "Shared folders", "system", 3),
    ("9", "Drive", "infostore", 2),
)
_PUBLIC: Final = (
    ("6", "2", "Global address book", "contacts", 2),
    ("15", "9", "Public files", "infostore", 2),
    ("60", "2", "Company calendar", "calendar", 2),
)
_PRIVATE: Final = (
    ("7", "1", "Tasks", "tasks", 1),
    ("21", "1", "Calendar", "calendar", 2),
    ("25", "1", "Contacts", "contacts", 3),
    ("26", "25", "Collected addresses", "contacts", 0),
    ("30", "9", "My files", "infostore", 8),
    ("31", "30", "Documents", "infostore", 0),
    ("32", "30", "Pictures", "infostore", 0),
    ("33", "9", "Trash", "infostore", 12),
)
_MAIL: Final = (
    ("default0", "1", "Mail", 0),
    ("default0/INBOX", "default0", "Inbox", 7),
    ("default0/Drafts", "default0", "Drafts", 9),
    ("default0/Sent", "default0", "Sent", 10),
    ("default0/Spam", "default0", "Spam", 11),
    ("default0/Trash", "default0", "Trash", 12),
    ("default0/Archive", "default0", "Archive", 0),
)
_TRASH: Final = 16
_PER_USER: Final = 100


def folder_key(number: str, place: int) -> str:
    """The id of a private folder of the n-th user: the first has those above, the others 100 more each."""
    return str(int(number) + _PER_USER * place)


def default_folder(state: ServerState, user: OxUser, module: str) -> str:
    """The id of a user's own folder for a module.

    Raises:
        KeyError: There is none.
    """
    numbers = {"tasks": "7", "calendar": "21", "contacts": "25", "infostore": "30"}
    return folder_key(numbers[module], list(state.users).index(user.id))


def bits_of(*, folder: int = 0, read: int = 0, write: int = 0, delete: int = 0, admin: bool = False) -> int:
    """The number of a set of permissions."""
    return folder | read << 7 | write << 14 | delete << 21 | int(admin) << 28


@fills("folders", few=0, order=0)
def _fill(state: ServerState, rows: Rows) -> None:
    """The folders that everybody has; given rows are private folders of the first user."""
    first = next(iter(state.users))
    for key, title, module, kind in _ROOTS:
        everybody = [_permission(ALL_USERS, READ_ONLY, group=True)]
        _add(state, key, "0", title, module, kind=5, owner=0, permissions=everybody, standard=True)
        state.table("folders").rows[key]["type"] = kind if module == "infostore" else 5
    for key, parent, title, module, _ in _PUBLIC:
        writable = bits_of(folder=2, read=2, write=1, delete=1) if key != "6" else READ_ONLY
        permissions = [_permission(ALL_USERS, writable, group=True)]
        _add(state, key, parent, title, module, kind=2, owner=0, permissions=permissions, standard=True)
    for place, user in enumerate(state.users.values()):
        _fill_private(state, place, user)
        _fill_mail(state, user)
    given: Sequence[Any] = (
        [{"title": f"Folder {number}"} for number in range(rows)] if isinstance(rows, int) else rows
    )
    for values in given:
        row = {"module": "contacts", "type": 1, "subscribed": True, **values}
        row.setdefault("folder_id", "1")
        row["permissions"] = [_permission(first, FULL)]
        state.table("folders").insert({**row, "_owner": first}, by=first, key=values.get("id"))


def _fill_private(state: ServerState, place: int, user: OxUser) -> None:
    private = {key for key, *_ in _PRIVATE}
    for key, parent, title, module, standard in _PRIVATE:
        above = folder_key(parent, place) if parent in private else parent
        own = [_permission(user.id, FULL)]
        if title == "Calendar":
            own.append(_permission(ALL_USERS, READ_ONLY, group=True))
        number = folder_key(key, place)
        kind = _TRASH if standard == 12 else 1
        _add(
            state,
            number,
            above,
            title,
            module,
            kind=kind,
            owner=user.id,
            permissions=own,
            standard=bool(standard),
        )
        state.table("folders").rows[number]["standard_folder_type"] = standard


def _fill_mail(state: ServerState, user: OxUser) -> None:
    table = state.table(f"mail folders of {user.id}")
    for key, parent, title, standard in _MAIL:
        row = _described(
            title, "mail", kind=7, permissions=[_permission(user.id, FULL)], standard=bool(standard)
        )
        row |= {"folder_id": parent, "_owner": user.id, "standard_folder_type": standard, "capabilities": 31}
        table.insert(row, by=user.id, key=key)


def _add(
    state: ServerState, key: str, parent: str, title: str, module: str, *, owner: int, **about: Any
) -> None:
    row = _described(title, module, **about) | {"folder_id": parent, "_owner": owner}
    state.table("folders").insert(row, by=owner, key=key)


def _described(title: str, module: str, *, kind: int, permissions: list[Row], standard: bool = False) -> Row:
    return {
        "title": title,
        "module": module,
        "type": kind,
        "permissions": permissions,
        "standard_folder": standard,
        "standard_folder_type": 0,
        "subscribed": True,
        "subscr_subflds": True,
        "supported_capabilities": ["permissions", "subscription"],
        "account_id": f"{module}://0",
    }


def _permission(entity: int, bits: int, *, group: bool = False) -> Row:
    return {"entity": entity, "bits": bits, "group": group, "identifier": f"{entity}:0"}


def folders_of(call: Call) -> Iterator[Row]:
    """Every folder that the user can see, those of mail too."""
    for row in call.table("folders"):
        if own_bits(row, call.user) & 127 >= _SEE:
            yield row
    yield from call.table(f"mail folders of {call.user.id}")


def children(call: Call, parent: str) -> list[Row]:
    """What a folder holds; shared ones are below ``3``."""
    return [row for row in folders_of(call) if _parent(row, call.user) == parent]


def _parent(row: Row, user: OxUser) -> str:
    foreign = row["_owner"] not in (0, user.id)
    return "3" if foreign else str(row["folder_id"])


def own_bits(row: Row, user: OxUser) -> int:
    """The permissions that a user has in a folder."""
    mine = [
        each.get("bits", 0)
        for each in row.get("permissions", ())
        if each.get("entity") == (ALL_USERS if each.get("group") else user.id)
    ]
    return max(mine, default=0)


def can(row: Row, user: OxUser, what: str) -> int:
    """How far a right goes: ``folder read write delete``; 0 is not at all, 1 own objects, 2 all."""
    return own_bits(row, user) >> _OFFSETS[what] & 127


def plain_id(folder: str) -> str:
    """A folder's id without the provider and account that some modules put in front."""
    for prefix in _COMPOSITES:
        if folder.startswith(prefix):
            return folder.removeprefix(prefix)
    return folder


def visible_folder(call: Call, folder: Any) -> Row:
    """A folder that the user can see.

    Raises:
        OxError: ``FLD-0008`` or ``FLD-0003``.
    """
    key = plain_id(str(folder))
    mail = call.table(f"mail folders of {call.user.id}").find(key)
    row = mail or call.table("folders").find(key)
    if row is None:
        raise not_found("FLD-0008", f"folder {folder}")
    if own_bits(row, call.user) & 127 < _SEE:
        raise denied("FLD-0003", f"see folder {folder}")
    return row


def usable_folder(
    call: Call, folder: Any, module: str, *, right: str = "read", code: str = "FLD-0003"
) -> Row:
    """A folder of a module in which the user has a right.

    Raises:
        OxError: There is none, it is of another module, or the right is missing.
    """
    row = visible_folder(call, folder)
    if row["module"] != module:
        raise denied(code, f"keep {module} in folder {folder}, which is for {row['module']}")
    least = 2 if right == "folder" else 1
    if can(row, call.user, right) < least:
        raise denied(code, f"{right} in folder {folder}")
    return row
