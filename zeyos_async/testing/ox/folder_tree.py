"""The tree of folders: the folders that each user has, and the rights in them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from .handlers import OxCall
from .refusals import not_found, permission_denied
from .seeding import SeedRows, seeds
from .state import OxUser, Row, ServerState

__all__ = [
    "ALL_USERS",
    "FULL_PERMISSIONS",
    "READ_PERMISSIONS",
    "child_folders",
    "default_folder_id",
    "find_usable_folder",
    "find_visible_folder",
    "own_permissions",
    "pack_permissions",
    "permission_level",
    "to_plain_id",
    "user_folder_id",
    "visible_folders",
]

ALL_USERS: Final = 0
"""The group of everybody."""

FULL_PERMISSIONS: Final = 64 | 64 << 7 | 64 << 14 | 64 << 21 | 1 << 28
READ_PERMISSIONS: Final = 1 | 2 << 7
_SEE_FOLDER: Final = 1
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
_IDS_PER_USER: Final = 100


def user_folder_id(number: str, place: int) -> str:
    """Return the id of a private folder of the n-th user: that of the first, and 100 more for each."""
    return str(int(number) + _IDS_PER_USER * place)


def default_folder_id(state: ServerState, user: OxUser, module: str) -> str:
    """Return the id of a user's own folder for a module.

    Raises:
        KeyError: There is none.
    """
    numbers = {"tasks": "7", "calendar": "21", "contacts": "25", "infostore": "30"}
    return user_folder_id(numbers[module], list(state.users).index(user.id))


def pack_permissions(
    *, folder: int = 0, read: int = 0, write: int = 0, delete: int = 0, admin: bool = False
) -> int:
    """Return the number of a set of permissions."""
    return folder | read << 7 | write << 14 | delete << 21 | int(admin) << 28


@seeds("folders", default_count=0, order=0)
def _seed_folders(state: ServerState, rows: SeedRows) -> None:
    """Make the folders that everybody has; explicit rows are private folders of the first user."""
    first = next(iter(state.users))
    for key, title, module, kind in _ROOTS:
        everybody = [_build_permission(ALL_USERS, READ_PERMISSIONS, group=True)]
        _add_folder(state, key, "0", title, module, kind=5, owner=0, permissions=everybody, standard=True)
        state.table("folders").rows[key]["type"] = kind if module == "infostore" else 5
    for key, parent, title, module, _ in _PUBLIC:
        writable = pack_permissions(folder=2, read=2, write=1, delete=1) if key != "6" else READ_PERMISSIONS
        permissions = [_build_permission(ALL_USERS, writable, group=True)]
        _add_folder(
            state, key, parent, title, module, kind=2, owner=0, permissions=permissions, standard=True
        )
    for place, user in enumerate(state.users.values()):
        _seed_private(state, place, user)
        _seed_mail(state, user)
    folders: Sequence[Any] = (
        [{"title": f"Folder {number}"} for number in range(rows)] if isinstance(rows, int) else rows
    )
    for values in folders:
        row = {"module": "contacts", "type": 1, "subscribed": True, **values}
        row.setdefault("folder_id", "1")
        row["permissions"] = [_build_permission(first, FULL_PERMISSIONS)]
        state.table("folders").insert({**row, "_owner": first}, by=first, key=values.get("id"))


def _seed_private(state: ServerState, place: int, user: OxUser) -> None:
    private = {key for key, *_ in _PRIVATE}
    for key, parent, title, module, standard in _PRIVATE:
        parent_id = user_folder_id(parent, place) if parent in private else parent
        permissions = [_build_permission(user.id, FULL_PERMISSIONS)]
        if title == "Calendar":
            permissions.append(_build_permission(ALL_USERS, READ_PERMISSIONS, group=True))
        number = user_folder_id(key, place)
        kind = _TRASH if standard == 12 else 1
        _add_folder(
            state,
            number,
            parent_id,
            title,
            module,
            kind=kind,
            owner=user.id,
            permissions=permissions,
            standard=bool(standard),
        )
        state.table("folders").rows[number]["standard_folder_type"] = standard


def _seed_mail(state: ServerState, user: OxUser) -> None:
    table = state.table(f"mail folders of {user.id}")
    for key, parent, title, standard in _MAIL:
        row = _build_folder(
            title,
            "mail",
            kind=7,
            permissions=[_build_permission(user.id, FULL_PERMISSIONS)],
            standard=bool(standard),
        )
        row |= {"folder_id": parent, "_owner": user.id, "standard_folder_type": standard, "capabilities": 31}
        table.insert(row, by=user.id, key=key)


def _add_folder(
    state: ServerState, key: str, parent: str, title: str, module: str, *, owner: int, **about: Any
) -> None:
    row = _build_folder(title, module, **about) | {"folder_id": parent, "_owner": owner}
    state.table("folders").insert(row, by=owner, key=key)


def _build_folder(
    title: str, module: str, *, kind: int, permissions: list[Row], standard: bool = False
) -> Row:
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


def _build_permission(entity: int, bits: int, *, group: bool = False) -> Row:
    return {"entity": entity, "bits": bits, "group": group, "identifier": f"{entity}:0"}


def visible_folders(call: OxCall) -> Iterator[Row]:
    """Yield every folder that the user can see, those of mail too."""
    for row in call.table("folders"):
        if own_permissions(row, call.user) & 127 >= _SEE_FOLDER:
            yield row
    # Mail folders have ids by path, which every user has: they need a table for each.
    yield from call.table(f"mail folders of {call.user.id}")


def child_folders(call: OxCall, parent: str) -> list[Row]:
    """Return the folders below one; shared ones are below ``3``."""
    return [row for row in visible_folders(call) if _shown_parent(row, call.user) == parent]


def _shown_parent(row: Row, user: OxUser) -> str:
    # What others share is below "3" for everybody but its owner.
    is_foreign = row["_owner"] not in (0, user.id)
    return "3" if is_foreign else str(row["folder_id"])


def own_permissions(row: Row, user: OxUser) -> int:
    """Return the permissions that a user has in a folder."""
    levels = [
        permission.get("bits", 0)
        for permission in row.get("permissions", ())
        if permission.get("entity") == (ALL_USERS if permission.get("group") else user.id)
    ]
    return max(levels, default=0)


def permission_level(row: Row, user: OxUser, right: str) -> int:
    """Return how far a right (``folder read write delete``) goes: 0 not at all, 1 own objects, 2 all."""
    return own_permissions(row, user) >> _OFFSETS[right] & 127


def to_plain_id(folder: str) -> str:
    """Return a folder's id without the provider and account that some modules put in front."""
    for prefix in _COMPOSITES:
        if folder.startswith(prefix):
            return folder.removeprefix(prefix)
    return folder


def find_visible_folder(call: OxCall, folder: Any) -> Row:
    """Return a folder that the user can see.

    Raises:
        OxError: ``FLD-0008`` or ``FLD-0003``.
    """
    key = to_plain_id(str(folder))
    mail = call.table(f"mail folders of {call.user.id}").find(key)
    row = mail or call.table("folders").find(key)
    if row is None:
        raise not_found("FLD-0008", f"folder {folder}")
    if own_permissions(row, call.user) & 127 < _SEE_FOLDER:
        raise permission_denied("FLD-0003", f"see folder {folder}")
    return row


def find_usable_folder(
    call: OxCall, folder: Any, module: str, *, right: str = "read", code: str = "FLD-0003"
) -> Row:
    """Return a folder of a module in which the user has a right.

    Raises:
        OxError: There is none, it is of another module, or the right is missing.
    """
    row = find_visible_folder(call, folder)
    if row["module"] != module:
        raise permission_denied(code, f"keep {module} in folder {folder}, which is for {row['module']}")
    # Level 1 of the right "folder" only lets a user see it; creating objects begins at 2.
    needed = 2 if right == "folder" else 1
    if permission_level(row, call.user, right) < needed:
        raise permission_denied(code, f"{right} in folder {folder}")
    return row
