"""The commands on the other APIs: what each of them allows, and a clear word where it does not."""

from __future__ import annotations

import contextlib
import csv
import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from zeyos_async.cli import main
from zeyos_async.cli.apis import ApiOptions, open_reader
from zeyos_async.cli.connect import ConnectionOptions
from zeyos_async.cli.query_options import QueryOptions
from zeyos_async.errors import FilterError
from zeyos_async.testing import emulate_ox

COMMAND: Final = (sys.executable, "-m", "zeyos_async")
OCTAVED: Final = ("--api", "octaved", "--emulate", "--seed", "1")
OX: Final = ("--api", "ox", "--emulate", "--seed", "1")
APRIL: Final = ("--from", "2020-04-01", "--to", "2020-05-01")
LATER: Final = ("--from", "2024-04-01", "--to", "2024-05-01T00:00+02:00")
GENERAL: Final = ("--api", "general", "--emulate", "--seed", "1")


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], home: Path) -> Callable[..., tuple[int, str, str]]:
    """Runs a command line in this process: code, standard output, standard error."""

    def call(*argv: str) -> tuple[int, str, str]:
        capsys.readouterr()
        code = main(argv)
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return call


Run = Callable[..., tuple[int, str, str]]


# -- Octaved Flow ----------------------------------------------------------------------------------


def test_customers_of_octaved_flow(run: Run) -> None:
    """The one list of everything that it has."""
    code, out, _ = run("list", "customers", *OCTAVED, "--rows", "customers=60")
    assert (code, len(out.splitlines())) == (0, 51)
    assert out.startswith("id\t")
    _, out, err = run(
        "list", "customers", *OCTAVED, "--rows", "customers=60", "--offset", "2", "--limit", "3"
    )
    assert (len(out.splitlines()), err) == (4, "")
    assert run("count", "customers", *OCTAVED, "--rows", "customers=60")[1] == "60\n"


def timeless(row: dict[str, Any]) -> dict[str, Any]:
    """A row without the times of its emulator, which is a new one for each command."""
    return {
        key: value for key, value in row.items() if key not in ("createdOn", "lastChanged", "lastChangedOn")
    }


def test_searches_of_octaved_flow(run: Run) -> None:
    """By a condition; the same rows as a table, as JSON, and counted."""
    where = ("tasks", *OCTAVED, "--where", "status == 'open' and ~isArchived")
    code, out, err = run("list", *where, "--jsonl")
    assert (code, err) == (0, "")
    rows = [json.loads(line) for line in out.splitlines()]
    assert rows
    assert {row["status"] for row in rows} == {"open"}
    assert all(isinstance(row["createdOn"], int) for row in rows)
    assert [timeless(row) for row in json.loads(run("list", *where, "--json")[1])] == [*map(timeless, rows)]
    assert run("count", *where)[1] == f"{len(rows)}\n"
    _, out, _ = run("list", *where, "--select", "id,title=name")
    assert [line.split("\t") for line in out.splitlines()] == [
        ["id", "title"],
        *([row["id"], row["name"]] for row in rows),
    ]
    assert [timeless(json.loads(line)) for line in run("export", *where, "-q")[1].splitlines()] == [
        *map(timeless, rows)
    ]
    code, out, _ = run("export", *where, "-q", "--format", "csv", "--select", "id,title=name")
    assert (code, out.splitlines()[0]) == (0, '"id","title"')
    assert len(out.splitlines()) == len(rows) + 1
    code, out, _ = run("get", "tasks", rows[0]["id"], *OCTAVED, "--json")
    assert timeless(json.loads(out)) == timeless(rows[0])


def test_a_resource_may_be_written_with_a_dash(run: Run) -> None:
    """As it is in addresses."""
    assert run("count", "work-packages", *OCTAVED, "--where", "~isArchived")[0] == 0


# -- the General API -------------------------------------------------------------------------------


def test_lists_of_the_general_api(run: Run) -> None:
    """All pages, with the columns that the server shows or those that are chosen."""
    rows = ("Subaccount", *GENERAL, "--rows", "Subaccount=1200")
    code, out, err = run("list", *rows)
    assert (code, out.splitlines()[0]) == (0, "intID\tstrLogin\tintStatus")
    assert err == "50 of 1,200 rows; --limit N shows more\n"
    _, out, _ = run("list", *rows, "--jsonl", "--select", "number=intID,age")
    assert len(out.splitlines()) == 1200
    assert list(json.loads(out.splitlines()[0])) == ["number", "age"]
    assert run("count", *rows)[1] == "1200\n"
    grown = int(run("count", *rows, "--where", "age >= 27")[1])
    assert 0 < grown < 1200


@pytest.mark.parametrize("columns", [(), ("--select", "intID,strLogin,intStatus")])
def test_an_export_of_the_general_api(run: Run, tmp_path: Path, columns: tuple[str, ...]) -> None:
    """With a head, whether the columns were chosen or not."""
    path = tmp_path / "a.csv"
    code, _, err = run(
        "export", "Subaccount", *GENERAL, "--rows", "Subaccount=700", "-o", str(path), *columns
    )
    assert (code, err.startswith(f"700 Subaccount → {path}")) == (0, True)
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 700
    assert list(rows[0]) == ["intID", "strLogin", "intStatus"]
    assert rows[0]["intID"] == "542"


def test_a_record_of_the_general_api(run: Run) -> None:
    """As a form has it; a password is what it is on the wire."""
    values = json.loads(run("get", "Subaccount", "542", *GENERAL, "--json")[1])
    assert (values["ID"], values["strPass"], values["intStatus"]) == (542, "UNCHANGED", 1)


def test_a_stub_is_a_module_that_works(run: Run) -> None:
    """With a class that a query can fill."""
    code, out, _ = run("general", "stub", "Subaccount", "--emulate")
    assert code == 0
    namespace: dict[str, Any] = {"__name__": "stub"}
    exec(compile(out, "stub.py", "exec"), namespace)
    assert namespace["Subaccount"](intID=7).intID == 7
    assert namespace["SubaccountIntStatus"].AKTIV == 1


# -- Open-Xchange ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("module", "options"),
    [
        ("addressbooks", ()),
        ("calendar", APRIL),
        ("chronos", LATER),
        ("contacts", ("--where", "last_name.startswith('M')")),
        ("folders", ("--folder", "9")),
        ("group", ()),
        ("infostore", ()),
        ("mail", ()),
        ("resource", ()),
        ("tasks", ()),
        ("user", ()),
    ],
)
def test_modules_of_open_xchange(run: Run, module: str, options: tuple[str, ...]) -> None:
    """Of the user's own folder, as a table, as JSON, counted, and one by one."""
    code, out, err = run("list", module, *OX, *options)
    assert code == 0, err
    head, *lines = out.splitlines()
    assert (head.split("\t")[0], len(lines) > 0) == ("id", True)
    rows = json.loads(run("list", module, *OX, *options, "--json", "--select", "id")[1])
    assert [str(row["id"]) for row in rows] == [line.split("\t")[0] for line in lines]
    assert run("count", module, *OX, *options)[1] == f"{len(rows)}\n"
    code, out, err = run("get", module, str(rows[0]["id"]), *OX, "--json")
    assert code == 0, err
    assert str(json.loads(out)["id"]) == str(rows[0]["id"])


def test_values_of_open_xchange(run: Run) -> None:
    """For people: codes by name, addresses as they are written, days and times as what they are."""
    tasks = [line.split("\t") for line in run("list", "tasks", *OX)[1].splitlines()]
    assert tasks[0][2] == "status"
    assert {row[2] for row in tasks[1:]} >= {"NOT_STARTED", "IN_PROGRESS", "DONE"}
    assert {len(row[5]) for row in tasks[1:]} == {0, len("2020-04-08"), len("2020-04-08T12:00:00Z")}
    assert " <" in run("list", "mail", *OX, "--select", "from")[1]
    code, out, _ = run("get", "mail", "18", *OX)
    assert (code, "attachments" in out) == (0, True)


def test_a_condition_searches_the_same_folder(run: Run) -> None:
    """John's calendar, where Jane can see some of the same events, is not listed, with conditions or without."""
    everything = run("list", "chronos", *OX, *LATER, "--jsonl", "--select", "id,startDate,folder")[
        1
    ].splitlines()
    where = ("--where", "summary.contains('Rocket')")
    matches = run("list", "chronos", *OX, *LATER, *where, "--jsonl", "--select", "id,startDate,folder")[
        1
    ].splitlines()
    assert matches
    assert set(matches) < set(everything)
    assert {json.loads(line)["folder"] for line in everything} == {"cal://0/21"}


def test_a_mail_that_is_shown_stays_unread(run: Run, tmp_path: Path) -> None:
    """Looking at it from the command line is not reading it."""
    with emulated("ox", 3) as about:
        options = (
            "--api",
            "ox",
            "--url",
            about["url"],
            "--user",
            about["user"],
            "--password-file",
            "password",
        )
        Path("password").write_text(about["password"])
        before = run("list", "mail", *options, "--jsonl", "--select", "id,flags")[1]
        unread = next(row["id"] for row in map(json.loads, before.splitlines()) if not row["flags"] & 32)
        assert run("get", "mail", unread, *options)[0] == 0
        assert run("list", "mail", *options, "--jsonl", "--select", "id,flags")[1] == before


@pytest.mark.parametrize("where", ["", "status == 1"])
async def test_a_command_logs_out(where: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also after an error: a session that nobody uses would count for an hour."""
    monkeypatch.setenv("OX_PASSWORD", "secret")
    async with emulate_ox() as server:
        connection = ConnectionOptions(url=server.url, user="jane")
        with pytest.raises(FilterError) if where else contextlib.nullcontext():
            async with open_reader(connection, ApiOptions(api="ox"), "tasks") as rows:
                await rows.count(QueryOptions(where=(where,) if where else ()))
        last = server.journal.requests[-1]
        assert (last.path, last.status, "action=logout" in last.query) == ("/ajax/login", 200, True)


def test_an_export_of_open_xchange(run: Run, tmp_path: Path) -> None:
    """With all columns, times as they are asked for."""
    path = tmp_path / "contacts.csv"
    argv = ("export", "contacts", *OX, "--rows", "contacts=700", "-o", str(path), "--times", "iso")
    code, _, err = run(*argv)
    assert (code, err.startswith(f"700 contacts → {path}")) == (0, True), err
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["folder_id"] for row in rows} == {"25"}
    assert all(row["creation_date"].endswith("Z") for row in rows)


# -- what does not go ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("argv", "code", "message"),
    [
        (("list", "tasks", *OCTAVED), 2, "say which by --where"),
        (("list", "billings", *OCTAVED), 2, "no search for billings"),
        (("list", "tasks", *OCTAVED, "--where", "~isArchived", "--order-by", "name"), 2, "--order-by"),
        (("list", "tasks", *OCTAVED, "--where", "~isArchived", "--select", "nam"), 2, "Did you mean 'name'"),
        (("list", "tasks", *OCTAVED, "--where", "sttus == 'open'"), 2, "Did you mean 'status'"),
        (("get", "tasks", "x", *OCTAVED), 2, "32"),
        (("get", "tasks", "E9996334F8134DBCBE18948284698BB2", *OCTAVED), 4, "404"),
        (
            ("get", "tasks", "E9996334F8134DBCBE18948284698BB2", *OCTAVED, "--tags"),
            2,
            "--tags is about ZeyOS",
        ),
        (("list", "taks", *OCTAVED), 2, "Did you mean 'tasks'"),
        (("list", "tasks", *OCTAVED, "--rows", "taks=3"), 2, "Did you mean 'tasks'"),
        (("list", "tasks", "--api", "octaved"), 2, "OCTAVED_URL"),
        (("list", "tasks", "--api", "octaved", "--url", "https://x.example"), 3, "OCTAVED_API_KEY"),
        (("list", "tasks", "--api", "octaved", "--profile", "x"), 2, "--profile is not for --api octaved"),
        (("list", "Subaccount", *GENERAL, "--distinct"), 2, "no distinct()"),
        (("list", "Subaccount", *GENERAL, "--rows", "Nope=3"), 2, "there is no model 'Nope'"),
        (("list", "Nope", *GENERAL), 1, "unknown model Nope"),
        (("list", "x", "--api", "general"), 2, "GENERAL_API_URL"),
        (("list", "x", "--api", "general", "--url", "https://x.example"), 3, "--user NAME"),
        (
            ("list", "x", "--api", "general", "--url", "https://x.example", "--user", "max"),
            2,
            "--access-type",
        ),
        (("list", "x", *GENERAL, "--url", "https://x.example"), 2, "leave out --url"),
        (("list", "accounts", "--access-type", "1"), 2, "--access-type is for --api general"),
        (("list", "accounts", "--key-header", "X"), 2, "--key-header is for --api octaved"),
        (("list", "contcts", *OX), 2, "Did you mean 'contacts'"),
        (("list", "contacts", *OX, "--where", "lastname == 'x'"), 2, "Did you mean 'last_name'"),
        (("list", "contacts", *OX, "--select", "id,emal1"), 2, "Did you mean 'email1'"),
        (("list", "tasks", *OX, "--where", "status == 1"), 2, "can't be searched by conditions"),
        (("list", "tasks", *OX, "--order-by", "title,status"), 2, "order_by()"),
        (("list", "contacts", *OX, "--search", "x"), 2, "search()"),
        (("list", "contacts", *OX, *APRIL), 2, "contacts have no period"),
        (("list", "user", *OX, "--folder", "6"), 2, "are in no folder"),
        (("list", "chronos", *OX, "--from", "2026-01-31T09:00"), 2, "a time with its offset"),
        (("list", "chronos", *OX, "--to", "soon"), 2, "write a day"),
        (("list", "chronos", *OX, "--from", "2026-02-01", "--to", "2026-01-31"), 2, "is not after --from"),
        (("list", "contacts", *OX, "--folder", "999999"), 1, "FLD-0008"),
        (("list", "contacts", *OX, "--rows", "accounts=3"), 2, "no 'accounts' to fill"),
        (("get", "contacts", "1", *OX, "--tags"), 2, "--tags is about ZeyOS"),
        (("list", "contacts", "--api", "ox"), 2, "OX_BASE_URL"),
        (("list", "contacts", "--api", "ox", "--url", "https://x.example/ajax"), 3, "OX_USER"),
        (("list", "contacts", "--api", "ox", "--profile", "x"), 2, "--profile is not for --api ox"),
        (("list", "accounts", "--folder", "1"), 2, "--folder is for --api ox"),
        (("list", "accounts", "--from", "2026-01-31"), 2, "--from is for --api ox"),
        (("general", "stub", "Nope", "--emulate"), 1, "unknown model Nope"),
        (("emulate", "octaved", "--rows", "accounts=3"), 2, "no resource 'accounts'"),
        (("emulate", "general", "--rows", "accounts=3"), 2, "there is no model 'accounts'"),
    ],
)
def test_an_option_that_an_api_does_not_allow_is_an_error(
    run: Run, argv: tuple[str, ...], code: int, message: str
) -> None:
    """In a line, with nothing on standard output."""
    done, out, err = run(*argv)
    assert (done, out) == (code, ""), err
    assert message in err
    assert (err.startswith("Error: "), err.count("\n")) == (True, 1)


# -- over sockets ----------------------------------------------------------------------------------


@contextlib.contextmanager
def emulated(api: str, lines: int) -> Iterator[dict[str, str]]:
    """An emulator that the command serves, and what it says of itself."""
    argv = (*COMMAND, "emulate", api, "--port", "0")
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        yield dict(process.stdout.readline().split() for _ in range(lines))
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 130


@pytest.fixture
def served(request: pytest.FixtureRequest, home: Path) -> Iterator[dict[str, str]]:
    """An emulator that the command serves."""
    with emulated(*request.param) as about:
        yield about


@pytest.mark.parametrize("served", [("octaved", 3)], indirect=True)
def test_a_key_for_octaved_flow(run: Run, served: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """From the environment or a file; a wrong one is exit code 3."""
    monkeypatch.setenv("OCTAVED_URL", served["url"])
    monkeypatch.setenv("OCTAVED_API_KEY", served["key"])
    assert run("count", "customers", "--api", "octaved")[0] == 0
    wrong = Path("wrong")
    wrong.write_text("wrong-key")
    code, _, err = run("count", "customers", "--api", "octaved", "--token-file", str(wrong))
    assert (code, "wrong-key" in err) == (3, False)
    options = ("--key-header", served["key-header"])
    assert run("count", "customers", "--api", "octaved", *options)[0] == 0


@pytest.mark.parametrize("served", [("general", 4)], indirect=True)
def test_a_log_in_at_the_general_api(
    run: Run, served: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """By name and password; a wrong one is exit code 3."""
    monkeypatch.setenv("GENERAL_API_PASSWORD", served["password"])
    options = ("--url", served["url"], "--user", served["user"], "--access-type", served["access-type"])
    assert run("count", "Subaccount", "--api", "general", *options)[0] == 0
    assert run("general", "stub", "User", *options)[0] == 0
    monkeypatch.setenv("GENERAL_API_PASSWORD", "wrong-word")
    code, _, err = run("count", "Subaccount", "--api", "general", *options)
    assert (code, "wrong-word" in err) == (3, False), err


@pytest.mark.parametrize("served", [("ox", 3)], indirect=True)
def test_a_log_in_at_open_xchange(run: Run, served: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """By name and password, from options or the environment; a wrong one is exit code 3."""
    monkeypatch.setenv("OX_BASE_URL", served["url"])
    monkeypatch.setenv("OX_USER", served["user"])
    monkeypatch.setenv("OX_PASSWORD", served["password"])
    assert run("count", "contacts", "--api", "ox")[0] == 0
    monkeypatch.setenv("OX_PASSWORD", "wr0ng-word")
    code, _, err = run("count", "contacts", "--api", "ox")
    assert (code, "wr0ng-word" in err) == (3, False), err
    code, _, err = run("count", "contacts", "--api", "ox", "--url", served["url"].removesuffix("/ajax"))
    assert (code, "It often ends with /ajax" in err) == (4, True), err
    code, _, err = run("count", "contacts", "--api", "ox", "--token", "t0ken")
    assert (code, "t0ken" in err) == (3, False), err
