"""Modules of Open-Xchange that have more than the documented calls: queries, searches, uploads, composing.

Files with a leading underscore are helpers; each other file holds the module of its name.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from .._generated import OxModules, make_module
from ..operation import Caller, Module

if TYPE_CHECKING:
    from .addressbooks import Addressbooks
    from .attachment import Attachment
    from .calendar import Calendar
    from .chronos import Chronos
    from .chronos_itip import ChronosItip
    from .contacts import Contacts
    from .folders import Folders
    from .group import Group
    from .import_ import Import
    from .infostore import Infostore
    from .mail import Mail
    from .mail_compose import MailCompose
    from .reminder import Reminder
    from .resource import Resource
    from .tasks import Tasks
    from .user import User

__all__ = ["EXTENDED", "ExtendedModules", "load_module"]

EXTENDED: Final[dict[str, str]] = {
    "addressbooks": "Addressbooks",
    "attachment": "Attachment",
    "calendar": "Calendar",
    "chronos": "Chronos",
    "chronos_itip": "ChronosItip",
    "contacts": "Contacts",
    "folders": "Folders",
    "group": "Group",
    "import_": "Import",
    "infostore": "Infostore",
    "mail": "Mail",
    "mail_compose": "MailCompose",
    "reminder": "Reminder",
    "resource": "Resource",
    "tasks": "Tasks",
    "user": "User",
}
"""Attribute of the client → class in the file of that name here, which extends the generated one."""


def load_module(name: str, caller: Caller) -> Module:
    """Load the module of a name, and bind it to what sends its calls.

    Raises:
        InvalidArgument: There is no such module.
    """
    attribute = name.replace("/", "_").lower()
    if attribute not in EXTENDED:
        return make_module(name, caller)
    module: Any = getattr(import_module(f".{attribute}", __name__), EXTENDED[attribute])(caller)
    return module  # type: ignore[no-any-return]


class ExtendedModules(OxModules):
    """An attribute for each module, with the types of those that have more than the documented calls."""

    if TYPE_CHECKING:

        @property
        def addressbooks(self) -> Addressbooks:
            """``addressbooks``."""
            ...

        @property
        def attachment(self) -> Attachment:
            """``attachment``."""
            ...

        @property
        def calendar(self) -> Calendar:
            """``calendar``."""
            ...

        @property
        def chronos(self) -> Chronos:
            """``chronos``."""
            ...

        @property
        def chronos_itip(self) -> ChronosItip:
            """``chronos_itip``."""
            ...

        @property
        def contacts(self) -> Contacts:
            """``contacts``."""
            ...

        @property
        def folders(self) -> Folders:
            """``folders``."""
            ...

        @property
        def group(self) -> Group:
            """``group``."""
            ...

        @property
        def import_(self) -> Import:
            """``import_``."""
            ...

        @property
        def infostore(self) -> Infostore:
            """``infostore``."""
            ...

        @property
        def mail(self) -> Mail:
            """``mail``."""
            ...

        @property
        def mail_compose(self) -> MailCompose:
            """``mail_compose``."""
            ...

        @property
        def reminder(self) -> Reminder:
            """``reminder``."""
            ...

        @property
        def resource(self) -> Resource:
            """``resource``."""
            ...

        @property
        def tasks(self) -> Tasks:
            """``tasks``."""
            ...

        @property
        def user(self) -> User:
            """``user``."""
            ...
