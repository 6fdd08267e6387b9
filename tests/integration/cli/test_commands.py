"""The commands against a server: data on standard output, words on standard error, exit codes."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from zeyos_async.testing.faults import html_page, server_error

Run = Callable[..., Any]


def rows_of(emulator: Any, entity: str = "accounts") -> list[dict[str, Any]]:
    return emulator.rows(entity)


def test_count(run: Run, emulator: Any) -> None:
    """A number and nothing else."""
    assert run("count", "accounts").out == "1500\n"
    some = [row for row in rows_of(emulator) if 7 < row["ID"] <= 30]
    done = run("count", "accounts", "--where", "ID <= 30", "--where", "ID > 7", "--json")
    assert json.loads(done.out) == {"count": len(some)}


def test_sum(run: Run, emulator: Any) -> None:
    """The field of every row added up."""
    total = sum(row["ID"] for row in rows_of(emulator))
    assert run("sum", "accounts", "ID").out == f"{total}\n"
    assert json.loads(run("sum", "accounts", "ID", "--json").out) == {"sum": total}


def test_list_shows_fifty_rows_and_says_that_there_are_more(run: Run) -> None:
    """Codes by name and times in UTC; the word about more is not in the data."""
    done = run("list", "accounts")
    lines = done.out.splitlines()
    assert len(lines) == 51
    assert lines[0].split("\t")[:3] == ["ID", "lastname", "firstname"]
    assert done.err == "50 of 1,500 rows; --limit N shows more\n"
    assert "PROSPECT" in done.out
    assert lines[1].endswith("Z")


def test_list_with_a_limit_of_more_than_a_page(run: Run) -> None:
    """A limit is one of rows; 10,001 of them take two requests."""
    done = run("list", "accounts", "--limit", "10001", "--select", "ID")
    assert (len(done.out.splitlines()), done.err) == (1501, "")


def test_list_without_rows_says_so(run: Run) -> None:
    """The table has its head all the same."""
    done = run("list", "accounts", "--where", "ID < 0", "--select", "ID,n=lastname")
    assert (done.out, done.err) == ("ID\tn\n", "no rows\n")


def test_list_as_json(run: Run, emulator: Any) -> None:
    """All rows, as the API has the values; an array or a line each; no rows are an empty array."""
    expected = [
        {"n": row["lastname"], "at": row["lastmodified"], "type": row["type"]} for row in rows_of(emulator)
    ]
    select = ("--select", "n=lastname,at=lastmodified,type")
    assert json.loads(run("list", "accounts", "--json", *select).out) == expected
    assert [
        json.loads(line) for line in run("list", "accounts", "--jsonl", *select).out.splitlines()
    ] == expected
    assert json.loads(run("list", "accounts", "--json", "--where", "ID < 0").out) == []
    first = json.loads(run("list", "accounts", "--json", "--times", "iso", "--limit", "1", *select).out)[0]
    assert first["at"].endswith("Z")


def test_list_sorted_searched_and_from_an_offset(run: Run, emulator: Any) -> None:
    """The options of a query."""
    ids = [row["ID"] for row in rows_of(emulator)]
    done = run(
        "list", "accounts", "--select", "ID", "--order-by=-ID", "--offset", "3", "--limit", "2", "--jsonl"
    )
    assert [json.loads(line)["ID"] for line in done.out.splitlines()] == ids[::-1][3:5]
    done = run("list", "accounts", "--select", "currency", "--distinct", "--jsonl")
    assert len(done.out.splitlines()) == len({row["currency"] for row in rows_of(emulator)})
    assert len(run("list", "accounts", "--search", "CleanTexx", "--limit", "3").out.splitlines()) == 4


def test_get(run: Run, emulator: Any) -> None:
    """A line for each field, or an object as the API has it."""
    row = rows_of(emulator)[0]
    done = run("get", "accounts", str(row["ID"]))
    assert f"currency\t{row['currency']}\n" in done.out
    values = json.loads(run("get", "accounts", str(row["ID"]), "--json", "--extdata", "--tags").out)
    assert values.items() >= {key: row[key] for key in ("ID", "lastname", "lastmodified", "type")}.items()
    assert isinstance(values["extdata"], dict)
    assert isinstance(values["tags"], list)


def test_get_of_a_record_that_is_not_there(run: Run) -> None:
    """Exit code 4."""
    done = run("get", "accounts", "99999999")
    assert (done.code, done.out) == (4, "")
    assert "404" in done.err


def test_describe_and_resources_need_no_server(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """They read the tables."""
    monkeypatch.setenv("ZEYOS_BASE_URL", "http://127.0.0.1:9/none")
    described = run("describe", "tickets")
    assert "status\tinteger\tnot null\t\t0=NOTSTARTED 1=AWAITINGACCEPTANCE" in described.out
    assert described.err.startswith("Ticket: create, delete")
    fields = {f["name"]: f for f in json.loads(run("describe", "tickets", "--json").out)["fields"]}
    assert fields["account"]["target"] == "accounts"
    assert fields["status"]["codes"]["4"] == "ACTIVE"
    assert len(run("resources").out.splitlines()) == 65
    assert (
        "create"
        not in {r["name"]: r for r in json.loads(run("resources", "--json").out)}["users"]["operations"]
    )


@pytest.mark.parametrize("name", ["a.jsonl", "a.csv", "a.csv.gz"])
def test_export_to_a_file(run: Run, tmp_path: Path, name: str) -> None:
    """Nothing on standard output; one line about it on standard error unless it is to be quiet."""
    path = tmp_path / name
    done = run("export", "accounts", "-o", str(path))
    assert (done.code, done.out) == (0, "")
    assert done.err.startswith(f"1,500 accounts → {path}, ")
    assert path.exists()
    assert run("export", "accounts", "-o", str(path), "--quiet").err == ""


def test_export_to_standard_output(run: Run, emulator: Any) -> None:
    """JSON lines unless --format says otherwise."""
    expected = [row["ID"] for row in rows_of(emulator)]
    assert [json.loads(line)["ID"] for line in run("export", "accounts").out.splitlines()] == expected
    options = ("--format", "csv", "--delimiter", "\\t", "--times", "iso", "--spreadsheet-safe", "-q")
    table = list(
        csv.DictReader(run("export", "accounts", *options).out.splitlines(keepends=True), delimiter="\t")
    )
    assert [int(row["ID"]) for row in table] == expected


def test_a_log_in_by_password(run: Run, emulator: Any, tmp_path: Path) -> None:
    """With the secrets in files."""
    for name in ("password", "appsecret"):
        (tmp_path / name).write_text(getattr(emulator.credentials, name) + "\n")
    options = (
        *("--user", emulator.credentials.name),
        *("--password-file", str(tmp_path / "password")),
        *("--appsecret-file", str(tmp_path / "appsecret")),
    )
    assert run("count", "accounts", *options).out == "1500\n"
    (tmp_path / "password").write_text("wrong")
    done = run("count", "accounts", *options)
    assert done.code == 3
    assert "the log-in of" in done.err
    assert "wrong" not in done.err


@pytest.mark.parametrize(
    ("argv", "code", "message"),
    [
        ("count accounts --token wrong", 3, "401 Unauthorized"),
        ("count accounts --url http://127.0.0.1:9/demo --timeout 0.5", 1, "127.0.0.1"),
        ("count accounts --where lastnam=='x'", 2, "Did you mean 'lastname'"),
        ("count accounts --where lastname='x'", 2, "A comparison is written with =="),
        ("count accounts --where lastmodified>datetime('2026-01-01')", 2, "has no timezone"),
        ("list accounts --select ID,twon=contact.ctiy", 2, "Did you mean 'city'"),
        ("list accounts --order-by nothing", 2, "no field 'nothing'"),
        ("sum accounts lastname", 2, "only numbers"),
        ("export accounts -o x.parquet", 2, "formats are jsonl"),
        ("export accounts -o /", 2, "is a folder"),
        ("export accounts -o /nowhere/a.csv", 1, "/nowhere/a.csv: No such file or directory"),
        ("export accounts -o /dev/full --format csv", 1, "/dev/full: No space left on device"),
        ("get binfiles 1 --expand ID", 2, "only composite fields"),
    ],
)
def test_an_error_is_one_line_with_its_exit_code(run: Run, argv: str, code: int, message: str) -> None:
    """And has its exit code; nothing is on standard output, and no traceback anywhere."""
    done = run(*argv.split())
    assert (done.code, done.out) == (code, "")
    assert message in done.err
    assert "Traceback" not in done.err
    assert done.err.startswith("Error: ")


def test_an_instance_that_is_not_there(run: Run, emulator: Any) -> None:
    """A list that is not found is a wrong address."""
    done = run("list", "accounts", "--url", f"{emulator.url}x")
    assert done.code == 4
    assert "Is the instance's URL right?" in done.err


def test_a_server_that_answers_html(run: Run, emulator: Any, tmp_path: Path) -> None:
    """It is not an instance, or a proxy is in between."""
    emulator.faults.add(html_page(200))
    done = run("export", "accounts", "-o", str(tmp_path / "a.csv"))
    assert done.code == 1
    assert "HTML" in done.err
    assert list(tmp_path.iterdir()) == []


def test_doctor_says_what_works(run: Run, emulator: Any) -> None:
    """Where it connects to, with which credential, and what comes of it."""
    done = run("doctor")
    assert done.code == 0
    lines = done.out.splitlines()
    assert lines[0].split() == ["ok", "url", emulator.url, "(from", "ZEYOS_BASE_URL)"]
    assert "a token from ZEYOS_TOKEN" in lines[1]
    assert all(line.startswith("ok") for line in lines)
    assert "1,500 accounts" in done.out


@pytest.mark.parametrize(
    ("argv", "code", "message"),
    [
        ("--token wrong", 3, "401"),
        ("--url https://cloud.zeyos.com", 2, "does not name an instance"),
        ("--url http://127.0.0.1:9/x --timeout 0.5", 1, "127.0.0.1"),
        ("--user max", 2, "no password"),
    ],
)
def test_doctor_says_what_does_not_work(run: Run, argv: str, code: int, message: str) -> None:
    """And ends with the exit code that a command would have."""
    done = run("doctor", *argv.split())
    assert done.code == code
    assert done.out.splitlines()[-1].startswith("FAIL")
    assert message in done.out


def test_doctor_tells_a_clock_that_is_off_and_rights_that_lack(run: Run, emulator: Any) -> None:
    """As data, too."""
    emulator.faults.add(server_error(403), path="*/accounts")
    findings = json.loads(run("doctor", "--json").out)
    assert [f["ok"] for f in findings] == [True, True, True, True, False]


def test_verbose_logs_and_quiet_is_the_default(run: Run, emulator: Any) -> None:
    """A retry is not worth a word, unless asked for."""
    emulator.faults.add(server_error(503), at=0)
    assert run("count", "accounts").err == ""
