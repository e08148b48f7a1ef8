"""Tests of the command: what it prints, what it returns, how it ends."""

import argparse
import asyncio
import io
import json
import signal
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from clients.errors import PapertapeError
from clients.load import command
from clients.load.command import HINTS, WORSE, has_colours, main
from clients.load.report import Report
from matching.reasons import Reason
from tests.clients.fake_exchange import FakeExchange, eventually
from tests.clients.load.test_options import parsed
from tests.clients.load.test_report import reported
from tests.clients.load.worlds import SYMBOLS, prompt, stalling, surly


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--url", "127.0.0.1:8080"], "http://"),
        (["--ws", "http://127.0.0.1:8080"], "ws://"),
        (["--key", "k"], "--secret"),
        (["--secret", "s"], "--key"),
        (["--slow-readers", "-1"], "--slow-readers"),
        (["--slow-readers", "1000"], "20000 slow readers"),
        (["--rate", "0"], "rate"),
        (["--mix", "eat=1"], "--mix"),
        (["--symbols", ","], "symbol"),
    ],
)
def test_options_that_cannot_be_are_refused_before_anything_is_asked(
    arguments: list[str], told: str, capsys: Any
) -> None:
    assert main(parsed(*arguments)) == 2
    assert told in capsys.readouterr().err


# -- reports that were kept --------------------------------------------------------------------


def kept(folder: Path, name: str, report: Report) -> str:
    file = folder / name
    file.write_bytes(msgspec.json.encode(report))
    return str(file)


async def test_two_reports_are_compared_without_a_run(tmp_path: Path, capsys: Any) -> None:
    old = kept(tmp_path, "old.json", await reported(prompt))
    new = kept(tmp_path, "new.json", await reported(stalling(2, 4)))
    assert main(parsed("--compare", old, new)) == WORSE
    told = capsys.readouterr().out
    assert "all p99, ms" in told
    assert "worse" in told
    assert "\x1b" not in told  # Colours are for terminals.
    assert "connections to" not in told  # And the report itself was told when it was new.
    assert main(parsed("--compare", old, old)) == 0
    assert "0 better, 0 worse" in capsys.readouterr().out


async def test_machines_get_the_comparison_within_the_report(tmp_path: Path, capsys: Any) -> None:
    old = kept(tmp_path, "old.json", await reported(prompt))
    assert main(parsed("--compare", old, old, "--json")) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["done"] == 1_000
    assert said["comparison"]["worse"] == 0
    # Which may itself be compared with later.
    (tmp_path / "said.json").write_text(json.dumps(said), "utf-8")
    assert main(parsed("--compare", old, str(tmp_path / "said.json"))) == 0


async def test_a_picture_is_drawn_of_a_kept_report(tmp_path: Path, capsys: Any) -> None:
    old = kept(tmp_path, "old.json", await reported(prompt))
    page = tmp_path / "page.html"
    assert main(parsed("--compare", old, old, "--plot", str(page))) == 0
    assert "<svg" in page.read_text("utf-8")
    assert main(parsed("--compare", old, old, "--plot", str(tmp_path / "no" / "page.html"))) == 1
    assert "No such file" in capsys.readouterr().err


def test_what_cannot_be_compared_is_refused_before_anything_is_asked(
    tmp_path: Path, capsys: Any
) -> None:
    other = tmp_path / "other.json"
    other.write_text("{}", "utf-8")
    for files, told in (
        ([str(tmp_path / "gone.json")], "No such file"),
        ([str(other)], "is no report of"),
        ([str(other)] * 3, "--compare takes"),
    ):
        assert main(parsed("--compare", *files)) == 2
        assert told in capsys.readouterr().err


async def test_a_report_of_nothing_but_silence_is_a_failure(tmp_path: Path, capsys: Any) -> None:
    report = await reported(surly)
    silent = msgspec.structs.replace(report, refused=0, unanswered=1_000)
    file = kept(tmp_path, "silent.json", silent)
    assert main(parsed("--compare", file, file)) == 1
    assert "nothing was answered" in capsys.readouterr().err


# -- terminals and errors ----------------------------------------------------------------------


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_colours_are_for_terminals_whose_user_has_not_said_no(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert has_colours(Terminal())
    assert not has_colours(io.StringIO())
    monkeypatch.setenv("NO_COLOR", "1")
    assert not has_colours(Terminal())


def test_hints_are_for_codes_there_are() -> None:
    assert HINTS.keys() - Reason.__members__ == {"UNREACHABLE", "TOO_MANY_CONNECTIONS"}


def test_a_refusal_is_told_with_what_to_do(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(args: argparse.Namespace) -> Report:
        raise PapertapeError("ADMIN_KEY_NEEDED", "this needs the admin key")

    monkeypatch.setattr(command, "_run", run)
    assert main(parsed()) == 1
    assert "give --admin-key" in capsys.readouterr().err


# -- how it ends -------------------------------------------------------------------------------


def test_nobody_there_is_said_in_a_line(unused_tcp_port: int, capsys: Any) -> None:
    assert main(parsed("--url", f"http://127.0.0.1:{unused_tcp_port}")) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert f"nobody answers at http://127.0.0.1:{unused_tcp_port}" in said.err
    assert "papertape serve" in said.err
    assert len(said.err.splitlines()) == 1


# Ctrl-C is for whoever has not been told to ignore it, as children of some test runners are.
_PROGRAM = """
import argparse, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
from clients.load.command import add_arguments, main
parser = argparse.ArgumentParser()
add_arguments(parser)
sys.exit(main(parser.parse_args()))
"""


async def program(venue: FakeExchange, *arguments: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", _PROGRAM, "--url", venue.url, "--connections", "2"),
        *("--symbols", ",".join(SYMBOLS), "--warm-up", "0", *arguments),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


@pytest.mark.skipif(sys.platform == "win32", reason="there, signals are another matter")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_ctrl_c_gives_the_report_so_far(venue: FakeExchange, number: int) -> None:
    process = await program(venue, "--seconds", "600", "--json")
    await eventually(lambda: venue.ops().count("order.place") > 20)
    process.send_signal(number)
    out, err = await process.communicate()
    assert process.returncode == 0, err
    report = json.loads(out)
    assert report["interrupted"] is True
    assert report["done"] > 0
    assert err == b""  # The progress bar is for terminals.


@pytest.mark.skipif(sys.platform == "win32", reason="there, signals are another matter")
async def test_if_nothing_was_answered_it_failed(venue: FakeExchange) -> None:
    venue.break_before_reply = ["order.place"] * 100  # On both connections, whichever comes.
    process = await program(venue, "--seconds", "1", "--mix", "place=1", "--rate", "100")
    out, err = await process.communicate()
    assert process.returncode == 1
    assert b"nothing was answered" in err
    assert b"note: every connection was lost" in out
    assert b"answered 0 (0.0/s)" in out
    assert b"connections lost: 1012 x2" in out


async def test_people_get_a_table(venue: FakeExchange) -> None:
    process = await program(venue, "--seconds", "0.3")
    out, err = await process.communicate()
    assert process.returncode == 0, err
    assert b"from the planned time" in out
    assert b"from sending" in out
