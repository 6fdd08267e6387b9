"""Errors become one line and an exit code."""

from __future__ import annotations

import subprocess
import sys

import click
import pytest

from zeyos_async import errors
from zeyos_async.cli import error_boundary, main
from zeyos_async.cli.output import Interrupted, JsonArray, NotSignedIn, PipeClosed, Terminated, red


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.ServerError("x", status=500), 1),
        (errors.NotSent("x"), 1),
        (errors.PageDrift("x"), 1),
        (OSError(28, "No space left on device"), 1),
        (ValueError("x"), 1),
        (errors.ConfigurationError("x"), 2),
        (errors.UnknownField("x", "accounts"), 2),
        (errors.InvalidArgument("x"), 2),
        (errors.NotAuthenticated("x", status=401), 3),
        (NotSignedIn("x"), 3),
        (errors.PermissionDenied("x", status=403), 3),
        (errors.NotFound("x", status=404), 4),
        (errors.Gone("x", status=410), 4),
        (Interrupted(), 130),
        (click.Abort(), 130),
        (PipeClosed(), 141),
        (Terminated(), 143),
    ],
)
def test_exit_codes(error: Exception, code: int) -> None:
    """As the help says them."""
    assert error_boundary.exit_code(error) == code


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (errors.ConfigurationError("what is wrong"), "Error: what is wrong"),
        (OSError(28, "No space left on device", "a.csv"), "Error: a.csv: No space left on device"),
        (Interrupted(), "Error: interrupted"),
        (
            KeyError("x"),
            "Error: KeyError: 'x'. This is a defect of zeyos-async; --verbose shows where it comes from",
        ),
    ],
)
def test_an_error_is_one_line_without_a_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], error: Exception, line: str
) -> None:
    """On standard error; standard output has data only."""

    def fail(*args: object, **options: object) -> None:
        raise error

    monkeypatch.setattr(error_boundary.app, "main", fail)
    assert main(["x"]) == error_boundary.exit_code(error)
    output = capsys.readouterr()
    assert (output.out, output.err) == ("", f"{line}\n")


def test_verbose_shows_where_an_error_comes_from(capsys: pytest.CaptureFixture[str]) -> None:
    """The traceback first, the line last."""
    assert main(["count", "accounts", "--url", "nonsense", "--token", "x", "--verbose"]) == 2
    output = capsys.readouterr().err
    assert output.startswith("Traceback")
    assert output.splitlines()[-1].startswith("Error: the URL of an instance is needed")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("lst accounts", "There is no command 'lst'. Did you mean 'list'?"),
        ("list", "Missing argument 'ENTITY'"),
        ("list acounts", "ZeyOS has no entity 'acounts'. Did you mean 'accounts'"),
        ("describe ticket", "Did you mean 'tickets'"),
        ("list accounts --limit 0", "'--limit': 0 is not in the range x>=1"),
        ("export accounts --page-size 10001", "'--page-size': 10001 is not in the range 1<=x<=10000"),
        ("get accounts zero", "'zero' is not a valid integer"),
        ("list accounts --rows accounts=5", "add --emulate"),
        ("list accounts --emulate --rows acounts=5", "Did you mean 'accounts'"),
        ("list accounts --emulate --url https://x/y", "leave out --url"),
        ("list accounts --wher x", "No such option"),
        ("emulate nope", "'nope' is not"),
        ("completion tcsh", "'tcsh' is not one of"),
    ],
)
def test_a_command_line_that_makes_no_sense(
    line: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line that says what is wrong; exit code 2."""
    assert main(line.split()) == 2
    output = capsys.readouterr()
    assert output.out == ""
    assert message in output.err
    assert output.err.count("\n") == 1


@pytest.mark.parametrize("argv", [[], ["profile"], ["general"]])
def test_without_a_command_there_is_help(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """And no error beside it."""
    assert main(argv) in (0, 2)
    output = capsys.readouterr()
    assert f"{output.out}{output.err}".startswith("Usage: zeyos-async")
    assert "Error" not in output.err


def test_help_and_version(capsys: pytest.CaptureFixture[str]) -> None:
    """Help goes to standard output."""
    assert main(["--help"]) == 0
    assert "Exit codes:" in capsys.readouterr().out
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("zeyos-async, version ")


@pytest.mark.parametrize(
    "command",
    [
        *("list", "get", "count", "sum", "export", "describe", "resources", "emulate", "doctor"),
        *("login", "logout", "whoami", "profile", "profile list", "profile add", "profile use"),
        *("profile remove", "general", "general stub"),
    ],
)
def test_every_command_has_its_help(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    """With -h too, and no option without a word about it."""
    assert main([*command.split(), "-h"]) == 0
    assert "\\b" not in capsys.readouterr().out


@pytest.mark.parametrize("missing", ["click", "rich"])
def test_a_missing_library_is_named_with_its_extra(missing: str) -> None:
    """In one line, in a process that does not have it."""
    code = f"import sys; sys.modules[{missing!r}] = None; from zeyos_async.cli import main; sys.exit(main(['resources']))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    if missing == "click":
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr == 'zeyos-async needs click: pip install "zeyos-async[cli]"\n'
    else:
        assert done.returncode == 0  # rich is for terminals only


def test_the_json_array_is_one_whatever_the_pages() -> None:
    """None, one, or several pages of lines."""
    import io
    import json

    for pages in ([], [b'{"a":1}\n'], [b'{"a":1}\n{"a":2}\n', b"", b'{"a":3}\n']):
        stream = io.BytesIO()
        array = JsonArray(stream)
        for page in pages:
            assert array.write(page) == len(page)
        array.end()
        assert json.loads(stream.getvalue()) == [
            json.loads(line) for page in pages for line in page.splitlines()
        ]


def test_no_colours_without_a_terminal() -> None:
    """Standard error of a test is none."""
    assert red("x") == "x"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts_call_the_command(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    """With click's own variable."""
    assert main(["completion", shell]) == 0
    assert "_ZEYOS_ASYNC_COMPLETE" in capsys.readouterr().out
