"""What a user writes, as the type checkers should understand it: no line may be an error."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, assert_type

from zeyos_async import GeneralApi, OpenXchange, Query
from zeyos_async.filters import Condition, F
from zeyos_async.general import Definition, Form, Listing, Row
from zeyos_async.octaved import Customer, Project, Task
from zeyos_async.ox import (
    Composition,
    ContactData,
    ContactUpdateData,
    EventData,
    FolderData,
    Job,
    MailData,
    MailDestinationData,
    TaskData,
    TaskStatus,
)
from zeyos_async.services.octaved._generated import FlowResources
from zeyos_async.services.ox._generated import OxModules
from zeyos_async.services.ox.operation import Download, Later, Result, Rows, Updates
from zeyos_async.services.zeyos._generated.client_attributes import Entities
from zeyos_async.zeyos import Account, AccountType, Contact, FeedServer, Ticket, TicketStatus, User


async def reading(zeyos: Entities) -> None:
    """Each resource gives records of its own class."""
    account = await zeyos.accounts.get(7, extdata=True, tags=True)
    assert_type(account, Account)
    assert_type(await zeyos.accounts.get(7, if_none_match=account), Account | None)
    assert_type(await zeyos.users.get(1), User)
    assert_type(await zeyos.users.exists(1), bool)
    assert_type(await zeyos.contacts.get_many([1, 2]), dict[int, Contact])
    async for ticket in zeyos.tickets.where(Ticket.f.status == TicketStatus.NOTSTARTED):
        assert_type(ticket, Ticket)


def values(account: Account, server: FeedServer) -> None:
    """Fields have the types that the server's values get."""
    assert_type(account.ID, int)
    _ = {account.ID: account}
    assert_type(account.lastname, str | None)
    assert_type(account.creationdate, datetime | None)
    assert_type(account.type, AccountType | None)
    assert_type(account.locked, int | None)
    assert_type(account.tags, list[str] | None)
    assert_type(account.extdata, dict[str, Any] | None)
    assert_type(account.etag, str | None)
    assert_type(server.etag_, str | None)
    account.lastname = "Doe"


async def writing(zeyos: Entities, pieces: AsyncIterator[bytes]) -> None:
    """Writes take what Python users have at hand."""
    created = await zeyos.accounts.create(
        currency="EUR",
        lastname="Doe",
        type=AccountType.CUSTOMER,
        visibility=0,
        locked=True,
        creationdate=datetime.now(UTC),
        assigneduser=None,
        tags=["new"],
        extdata={"nickname": "D"},
    )
    assert_type(created, Account)
    assert_type(await zeyos.accounts.create(Account(lastname="Doe", currency="EUR")), Account)
    assert_type(
        await zeyos.accounts.create(Account(currency="EUR"), lastname="Doe", add_tags=("a",)), Account
    )
    keyed = await zeyos.accounts.create(
        currency="EUR", customernum="K-1", reconcile=Account.f.customernum == "K-1"
    )
    assert_type(keyed, Account)
    await zeyos.accounts.create(Account(currency="EUR"), customernum="K-1", reconcile="customernum == 'K-1'")
    assert_type(await zeyos.accounts.update(created, lastname="Roe", remove_tags={"new"}), Account)
    await zeyos.accounts.update(7, if_match=None, contact=None)
    await zeyos.accounts.update(7, if_match='"etag"', contact=5)
    await zeyos.payments.create(amount=Decimal("9.99"), date=1700000000)
    await zeyos.files.create(record=1, binfile=b"content")
    await zeyos.files.create(record=1, binfile=Path("report.pdf"))
    await zeyos.files.create(record=1, binfile=pieces)
    await zeyos.accounts.delete(created)
    await zeyos.accounts.modify(7, lambda record: {"lastname": (record.lastname or "").upper()})


def conditions(zeyos: Entities) -> None:
    """Fields know what they may be compared with, and where a reference leads."""
    f = zeyos.accounts.f
    zeyos.accounts.where(
        Account.f.lastname == "Doe",
        f.lastname.ilike("%gmbh%"),
        f.contact.country.in_(["DE", "AT"]),
        f.contact == 5,
        f.contact.is_null(),
        (f.lastmodified > datetime.now(UTC)) | (f.contact.lastmodified > 1700000000),
        f.type == AccountType.CUSTOMER,
        f.type.in_([AccountType.CUSTOMER, 2]),
        f.locked == True,  # noqa: E712
        f.assigneduser.name == "Max",
        f.extdata.nickname == "D",
        f.description.is_not_null(),
    )
    zeyos.files.where(zeyos.files.f.binfile.size > 1000)
    bare_or_not: list[Condition] = [F.locked, f.locked, f["locked"], ~F.locked, "locked", f.ID > 5]
    zeyos.accounts.where(*bare_or_not)
    zeyos.accounts.where(F.locked).where(f.locked, F.locked & f.excludetax)
    zeyos.accounts.query().order_by(f.lastname.asc(), f.ID.desc())


async def flow(flow: FlowResources) -> None:
    """Octaved Flow: typed records, writes and search idents."""
    project = await flow.projects.get("E9996334F8134DBCBE18948284698BB2")
    assert_type(project, Project)
    assert_type(await flow.tasks.get_many(["E9996334F8134DBCBE18948284698BB2"]), dict[str, Task])
    assert_type(
        await flow.tasks.search_ids(Task.f.childrenOf == (project.id or ""), ~flow.tasks.f.isArchived),
        list[str],
    )
    async for task in flow.tasks.search((F.name == "Briefing") | F.isArchived):
        assert_type(task, Task)
    assert_type(await flow.customers.all(), list[Customer])
    flow.tasks.search(F.isArchived, Task.f.isArchived, "isArchived")
    assert_type(
        await flow.tasks.create(parentNodeId="…", name="Briefing", status="open", plannedTime=Decimal(2)), str
    )
    await flow.customers.patch("…", locations=[{"id": "…"}], delete_locations=True)
    await flow.time_tracking_records.put(
        "…", user="…", workTimeStart=datetime.fromisoformat("2020-04-04T14:40")
    )
    await flow.billings.get("…", sums=True)


async def general(api: GeneralApi) -> None:
    """The General API: rows of lists, records as forms, what a model says of itself."""
    model = api.model("Subaccount")
    async for row in model.where(F.age >= 27, F.lastname.contains("man")).order_by("-age").limit(5):
        assert_type(row, Row)
    assert_type(await model.query().select("age").first(), dict[str, Any] | None)
    assert_type(await model.list(limit=1, sort="desc"), Listing)
    assert_type(await model.get(542), Form)
    assert_type(await model.get_many([542, "543"]), dict[int | str, Form])
    assert_type(await model.definition(), Definition)
    assert_type(await model.create(strLogin="x", intStatus=1), Form)
    assert_type(await model.update([542, 543], {"strLogin": "x"}), Form)
    model.where(F.active, "active", F.active & (F.age > 5))
    await model.list(filters=F.active == 1)
    assert_type(await api.rights(), dict[str, tuple[str, ...]])


async def open_xchange(ox: OxModules) -> None:
    """Every operation is typed: arguments, bodies, what it returns, and the forms it can be called in."""
    contact = await ox.contacts.get(id="3", folder="25")
    assert_type(contact, ContactData)
    assert_type(await ox.contacts.get(contact), ContactData)
    assert_type(contact.birthday, date | None)
    assert_type(contact.folder, str | None)
    contact.folder = "26"
    assert_type(
        await ox.contacts.all(folder="25", columns=["id", "first_name", 555], sort="last_name"),
        Rows[ContactData],
    )
    assert_type(await ox.contacts.new({"last_name": "Doe", "folder_id": "25"}), ContactUpdateData)
    assert_type(await ox.contacts.new(ContactData(last_name="Doe")), ContactUpdateData)
    await ox.contacts.update(contact, {"birthday": None, "distribution_list": [{"mail": "a@b.c"}]})
    await ox.contacts.update({"last_name": "Doe"}, id="3", folder="25", timestamp=datetime.now(UTC))
    await ox.contacts.delete([contact, ("25", "4"), {"id": "5", "folder": "25"}], timestamp=0)
    delta = await ox.tasks.updates(folder="7", since=0)
    assert_type(delta, Updates[TaskData])
    assert_type(delta.changed, Rows[TaskData])
    assert_type(
        await ox.tasks.updates(folder="7", since=delta.timestamp or 0, ignore="deleted"), Updates[TaskData]
    )
    await ox.tasks.update(delta.changed[0], {"status": TaskStatus.DONE, "start_time": date(2027, 1, 2)})
    assert_type(delta.changed[0].status, TaskStatus | None)
    later = ox.tasks.get.later(id="4", folder="7")
    assert_type(later, Later[TaskData])
    assert_type(await ox.tasks.get.result(id="4", folder="7"), Result[TaskData])
    assert_type((await ox.tasks.all.result(folder="7")).data, Rows[TaskData])
    event = await ox.chronos.get(id="5", folder="cal://0/31", recurrence_id=datetime.now(UTC))
    assert_type(event, EventData)
    assert_type(
        await ox.chronos.itip.accept({"com.openexchange.mail.conversion.mailid": "17"}), Rows[EventData]
    )
    assert_type(await ox.chronos_itip.accept({}), Rows[EventData])
    await ox.mail.update({"set_flags": 32}, folder="default0/INBOX", id="17")
    async with ox.mail.attachment(folder="default0/INBOX", id="17", attachment="2") as body:
        assert_type(body, Download)
        async for piece in body:
            assert_type(piece, bytes)
    assert_type(await ox.mail.attachment(folder="default0/INBOX", id="17", attachment="2"), bytes)
    assert_type(await ox.folders.get(id="1"), FolderData)
    assert_type(await ox.system.ping(), bool)
    await ox.import_.vcard(file=Path("a.vcf"), folder="25")
    await ox.infostore.new_with_file({"folder_id": "9"}, file=b"x")
    for mail in await ox.mail.all(folder="default0/INBOX", columns=["id", "X-Spam"], headers=["From"]):
        assert_type(mail, MailData)


async def open_xchange_for_people(ox: OpenXchange, contact: ContactData) -> None:
    """Beyond the document's operations: queries, searches, mails, files, events, several calls at once."""
    assert_type(ox.contacts.query(folder="25"), Query[ContactData])
    async for task in ox.tasks.query(folder="7").limit(3):
        assert_type(task, TaskData)
    assert_type(ox.contacts.where(F.last_name == "Doe").select("id"), Query[dict[str, Any]])
    ox.mail.where(F.seen, "size > 5", folder="default0/INBOX")
    assert_type(await ox.contacts.search(F.last_name == "Doe", columns=["id"]), Rows[ContactData])
    assert_type(await ox.contacts.search({"pattern": "D*"}, folder="25"), Rows[ContactData])
    sent = await ox.mail.send(
        to=["a@b.c", ("Jane", "j@b.c")], subject="x", text="y", attachments=[Path("a.pdf")]
    )
    assert_type(await ox.mail.move(sent, to="default0/Trash"), MailDestinationData)
    await ox.mail.update({"color_label": 1}, folder="default0/INBOX", whole_folder=True)
    async with ox.mail.compose.draft(to="a@b.c", subject="x") as draft:
        assert_type(draft, Composition)
        await draft.send()
    assert_type(await ox.infostore.upload(b"x", folder="30", filename="x.txt"), str)
    assert_type(await ox.infostore.document(id="30/1", folder="30"), bytes)
    assert_type(await ox.infostore.document(id="30/1", folder="30").save("x"), Path)
    event = await ox.chronos.create({"summary": "Plan", "startDate": date(2027, 1, 2)}, folder="cal://0/21")
    assert_type(event, EventData)
    one, two = await ox.multiple(
        ox.contacts.get.later(contact), ox.tasks.get.later(id="4", folder="7"), return_exceptions=False
    )
    assert_type((one, two), tuple[ContactData, TaskData])
    assert_type(await ox.start(ox.folders.delete.later(["26"], allow_enqueue=True)), Job[None] | Result[None])
    assert_type(ox.contacts.source(folder="25").by_id, bool)
