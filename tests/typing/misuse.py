"""Mistakes that the type checkers should find, one on each line that is marked.

The test takes the ``type: ignore`` comments away and expects errors on exactly the marked lines.
"""

# ruff: noqa: B018, F401
from __future__ import annotations

from datetime import UTC, datetime

from zeyos_async import OpenXchange
from zeyos_async.ox import ContactData, MailDate, TaskData  # type: ignore[attr-defined]  # error: no such name
from zeyos_async.services.octaved._generated import FlowResources
from zeyos_async.services.ox._generated import OxModules
from zeyos_async.services.zeyos._generated.client_attributes import Entities
from zeyos_async.zeyos import Account, AccountType, Acount, Contact, Ticket  # type: ignore[attr-defined]  # error: no such name


async def reading(zeyos: Entities) -> None:
    """Names that do not exist, and values that may be missing."""
    account = await zeyos.accounts.get(7)
    account.surname  # type: ignore[attr-defined]  # error: no such field
    account.lastname.upper()  # type: ignore[union-attr]  # error: may be None
    await zeyos.acounts.get(7)  # type: ignore[attr-defined]  # error: no such entity
    await zeyos.accounts.get("7")  # type: ignore[call-overload]  # error: an ID is a number


async def writing(zeyos: Entities) -> None:
    """Writes that the API does not offer, or would refuse."""
    await zeyos.users.create(name="max")  # type: ignore[attr-defined]  # error: users are read-only
    await zeyos.users.delete(1)  # type: ignore[attr-defined]  # error: users are read-only
    await zeyos.accounts.create(lastname="Doe")  # type: ignore[call-overload]  # error: currency is missing
    await zeyos.accounts.create(currency="EUR", surname="Doe")  # type: ignore[call-overload]  # error: no such field
    await zeyos.accounts.create(currency="EUR", ID=7)  # type: ignore[call-overload]  # error: the server's to choose
    await zeyos.accounts.create(currency=5)  # type: ignore[call-overload]  # error: wrong type
    await zeyos.accounts.create(currency="EUR", tags="new")  # type: ignore[call-overload]  # error: a list is wanted
    await zeyos.accounts.create(Contact(lastname="Doe"))  # type: ignore[call-overload]  # error: another entity
    await zeyos.accounts.update(7, surname="Doe")  # type: ignore[call-arg]  # error: no such field
    await zeyos.accounts.update(7, lastname=None)  # type: ignore[arg-type]  # error: can't be empty
    await zeyos.accounts.update(7, creationdate="today")  # type: ignore[arg-type]  # error: wrong type
    await zeyos.likes.create(record=1, tags=["a"])  # type: ignore[call-overload]  # error: likes have no tags


def conditions(zeyos: Entities) -> None:
    """Comparisons that can't hold, and fields that don't exist."""
    f = zeyos.accounts.f
    Account.f.surname  # type: ignore[attr-defined]  # error: no such field
    zeyos.accounts.where(Account.f.lastname == 5)  # type: ignore[arg-type]  # error: text and number
    zeyos.accounts.where(f.contact.town == "Berlin")  # type: ignore[attr-defined]  # error: no such field of a contact
    zeyos.accounts.where(f.contact == "Berlin")  # type: ignore[arg-type]  # error: an ID is a number
    zeyos.accounts.where(f.lastmodified > "today")  # type: ignore[operator]  # error: time and text
    f.ID.like("7%")  # type: ignore[attr-defined]  # error: not on numbers
    f.lastname.in_([1, 2])  # type: ignore[list-item]  # error: text and numbers
    zeyos.accounts.where(f.type == "CUSTOMER")  # type: ignore[arg-type]  # error: a code, not its name
    Ticket(status="OPEN")  # type: ignore[arg-type]  # error: a code, not its name
    Account(type=AccountType.CUSTOMER, creationdate=datetime.now(UTC), lastname=5)  # type: ignore[arg-type]  # error: wrong type


async def flow(flow: FlowResources) -> None:
    """Octaved Flow."""
    task = await flow.tasks.get("…")
    task.nmae  # type: ignore[attr-defined]  # error: no such field
    await flow.tasks.create(name="x")  # type: ignore[call-arg]  # error: parentNodeId is missing
    await flow.tasks.patch("…", status="done")  # type: ignore[arg-type]  # error: no such status
    await flow.tasks.patch("…", parentNodeId="…")  # type: ignore[call-arg]  # error: only in a create
    await flow.billings.delete("…")  # type: ignore[attr-defined]  # error: the API does not offer it
    flow.tasks.f.customerId  # type: ignore[attr-defined]  # error: tasks do not know this ident


async def open_xchange(ox: OxModules, contact: ContactData, task: TaskData) -> None:
    """Modules, operations, arguments, fields and results that are not there, or not so."""
    ox.contatcs  # type: ignore[attr-defined]  # error: no such module
    await ox.contacts.create({})  # type: ignore[attr-defined]  # error: it is called new
    await ox.contacts.all()  # type: ignore[call-arg]  # error: folder is missing
    await ox.contacts.all(folder=25)  # type: ignore[arg-type]  # error: IDs of folders are text
    await ox.contacts.all(folder="25", colums=["id"])  # type: ignore[call-arg]  # error: no such argument
    await ox.contacts.all(folder="25", order="up")  # type: ignore[arg-type]  # error: asc or desc
    await ox.contacts.get(task)  # type: ignore[arg-type]  # error: another kind of record
    await ox.contacts.get("3")  # type: ignore[arg-type]  # error: id= is a keyword
    await ox.contacts.new({"lastname": "Doe"})  # type: ignore[arg-type]  # error: no such field
    await ox.contacts.new({"birthday": "1970-01-01"})  # type: ignore[arg-type]  # error: a date is wanted
    await ox.contacts.update(contact, {"lastname": "Doe"})  # type: ignore[arg-type]  # error: no such field
    await ox.tasks.updates(folder="7")  # type: ignore[call-arg]  # error: since when?
    await ox.tasks.delete(["7"])  # type: ignore[list-item]  # error: an ID alone is no reference
    ox.contacts.get.later(id=3, folder="25")  # type: ignore[arg-type]  # error: IDs are text
    contact.email4  # type: ignore[attr-defined]  # error: no such field
    contact.last_name.upper()  # type: ignore[union-attr]  # error: may be None
    ox.mail.attachment.later(folder="x", id="1")  # type: ignore[attr-defined]  # error: a download is no part of a batch
    await ox.chronos.updates(folder="x", since="yesterday")  # type: ignore[arg-type]  # error: an instant is wanted
    await ox.infostore.new_with_file({})  # type: ignore[call-arg]  # error: file is missing
    await ox.login.login({"name": "jane", "passwort": "x"})  # type: ignore[typeddict-unknown-key]  # error: no such field


async def open_xchange_for_people(ox: OpenXchange, contact: ContactData) -> None:
    """Beyond the document's operations."""
    ox.contacts.query(folders="25").town  # type: ignore[attr-defined]  # error: a query has no such thing
    ox.tasks.query()  # type: ignore[call-arg]  # error: of which folder?
    await ox.mail.move(contact, to="default0/Trash")  # type: ignore[arg-type]  # error: no mail
    await ox.mail.send(too="a@b.c")  # type: ignore[call-arg]  # error: no such argument
    ox.chronos.query(start="today", end=0)  # type: ignore[arg-type]  # error: moments are wanted
    await ox.multiple(ox.contacts.get(contact))  # type: ignore[call-overload]  # error: a call that is sent already
