"""Tests of the command: mistakes in one line, and nothing left behind whatever happens."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import socket
import tempfile
from pathlib import Path
from typing import Any

import pytest

from clients.api import Papertape
from clients.errors import PapertapeError
from clients.january import command
from clients.january.command import main, market_of, moment, plan_of
from clients.january.people import Trader, four_traders
from clients.january.server import Server
from clients.january.tape import Tape
from tests.clients.january.recorded import flat, ms_of, write_tape

MINUTE_MS = 60_000


@pytest.fixture
def tape(tmp_path: Path) -> Path:
    """Two hours of candles, from half past ten to half past midnight."""
    return write_tape(tmp_path / "t.csv", "2024-04-30 22:30:00", 120, flat)


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where throw-away folders are made, to see whether they go."""
    folder = tmp_path / "tmp"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def said(capfd: pytest.CaptureFixture[str]) -> str:
    """The one line on stderr that is no milestone of the run."""
    out, err = capfd.readouterr()
    assert out == ""
    return err.splitlines()[-1]


ONE_MINUTE = ["--begin", "2024-04-30T23:00", "--end", "2024-04-30T23:01"]


def test_a_tape_that_is_not_there_is_named(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["nowhere.csv"]) == 2
    assert said(capfd) == "january: nowhere.csv: No such file or directory"


def test_a_tape_that_does_not_cover_the_month_says_what_it_covers(
    tape: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main([str(tape)]) == 2
    assert said(capfd) == (
        f"january: {tape} covers 2024-04-30 22:30:00 to 2024-05-01 00:30:00 UTC, not 2022-01-01 "
        "00:00:00 to 2022-02-01 00:00:00: choose --begin and --end within it"
    )


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["--begin", "2024-05-01", "--end", "2024-05-01"], "--end (2024-05-01 00:00:00) must lie"),
        ([*ONE_MINUTE, "--speed", "0"], "--speed lies between 0 and 1000000"),
        ([*ONE_MINUTE, "--agent-step-ms", "70000"], "--agent-step-ms lies between 100 and 60000"),
        ([*ONE_MINUTE, "--seed", "-1"], "--seed is not negative"),
    ],
)
def test_a_mistake_of_use_is_one_line(
    tape: Path, arguments: list[str], why: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main([str(tape), *arguments]) == 2
    _, err = capfd.readouterr()
    assert why in err
    assert err.count("\n") == 1


def test_what_is_kept_is_never_mixed_with_what_is_there(
    tape: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "kept").mkdir()
    assert main([str(tape), *ONE_MINUTE, "--keep", str(tmp_path / "kept")]) == 2
    assert "wants a new folder" in said(capfd)


def test_a_taken_port_is_one_line_and_leaves_nothing(
    tape: Path, temporary: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main([str(tape), *ONE_MINUTE, "--port", str(port)]) == 1
    assert said(capfd).startswith(f"january: cannot listen on 127.0.0.1:{port}")
    assert list(temporary.iterdir()) == []


def test_a_trader_that_cannot_enter_leaves_no_exchange_behind(
    tape: Path,
    temporary: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    urls: list[str] = []

    async def greedy(client: Papertape) -> Any:
        urls.append(client.url)
        return await client.place("BTC-USDT", "buy", "1000")

    monkeypatch.setattr(command, "four_traders", lambda: [Trader("greedy", "wants all", greedy)])
    assert main([str(tape), *ONE_MINUTE]) == 1
    last = said(capfd)
    assert last.startswith("january: greedy could not take its position: ")
    port = int(urls[0].rpartition(":")[2])
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port))
    assert list(temporary.iterdir()) == []


def test_an_exchange_that_dies_under_way_is_told_in_a_line(
    tape: Path,
    temporary: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    def kill() -> None:
        (lock,) = temporary.glob("*/data/lock")
        os.kill(int(lock.read_text("utf-8")), signal.SIGKILL)

    async def murderous(client: Papertape) -> Any:
        kill()
        raise PapertapeError("UNREACHABLE", "nobody answers")

    monkeypatch.setattr(command, "four_traders", lambda: [Trader("one", "", murderous)])
    assert main([str(tape), *ONE_MINUTE]) == 1
    assert said(capfd).startswith("january: the exchange ended with code -9; its log ends: ")
    assert list(temporary.iterdir()) == []


def test_json_is_one_object_with_everything(
    tape: Path,
    temporary: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(command, "four_traders", lambda: [four_traders()[-1]])
    assert main([str(tape), *ONE_MINUTE, "--json"]) == 0
    out, err = capfd.readouterr()
    told = json.loads(out)
    assert told["reached"] == told["end"] == ms_of("2024-04-30 23:01:00")
    assert [fate["name"] for fate in told["fates"]] == ["holder"]
    assert told["problems"] == []
    assert told["audits"] >= 1
    assert told["verified"]["ok"]
    assert "the exchange is open at http://127.0.0.1:" in err
    assert list(temporary.iterdir()) == []


def test_what_is_kept_can_be_verified_later(
    tape: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(command, "four_traders", lambda: [four_traders()[-1]])
    kept = tmp_path / "kept" / "run"
    assert main([str(tape), *ONE_MINUTE, "--keep", str(kept), "--no-verify"]) == 0
    out, _ = capfd.readouterr()
    assert "audit: clean throughout" in out
    assert "verify" not in out
    assert (kept / "server.log").read_text("utf-8")
    assert list((kept / "data" / "journal").iterdir())


def test_an_interrupted_verification_still_tells_what_is_known(
    tape: Path,
    temporary: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    async def interrupted(self: Server) -> dict[str, Any]:
        os.kill(os.getpid(), signal.SIGINT)
        await asyncio.get_running_loop().create_future()
        return {}

    monkeypatch.setattr(command, "four_traders", lambda: [four_traders()[-1]])
    monkeypatch.setattr(Server, "verify", interrupted)
    assert main([str(tape), *ONE_MINUTE, "--json"]) == 130
    out, err = capfd.readouterr()
    told = json.loads(out)
    assert told["verified"] is None
    assert [fate["name"] for fate in told["fates"]] == ["holder"]
    assert err.splitlines()[-1] == "january: interrupted: the journal is not verified"
    assert list(temporary.iterdir()) == []


def test_the_help_teaches(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(["--help"])
    assert left.value.code == 0
    out = capsys.readouterr().out
    for word in ("examples:", "--kill", "Ctrl-C", "klines", "exit code", "lock-step"):
        assert word in out


def test_moments_are_utc_unless_they_say_else() -> None:
    assert moment("2024-05-01") == ms_of("2024-05-01 00:00:00")
    assert moment("2024-05-01T01:30+01:00") == ms_of("2024-05-01 00:30:00")
    with pytest.raises(argparse.ArgumentTypeError, match="not 'May'"):
        moment("May")


@pytest.mark.parametrize(
    ("begin", "opens"),
    [
        # An hour before, even where the tape begins much earlier,
        ("2024-05-01 00:00:00", "2024-04-30 23:00:00"),
        # with the tape, where that leaves ten minutes or more,
        ("2024-04-30 22:40:00", "2024-04-30 22:30:00"),
        # or else an hour before, at the tape's first price.
        ("2024-04-30 22:30:00", "2024-04-30 21:30:00"),
    ],
)
def test_the_market_opens_before_the_traders_come(tape: Path, begin: str, opens: str) -> None:
    args = argparse.Namespace(
        begin=ms_of(begin),
        end=ms_of(begin) + MINUTE_MS,
        speed=None,
        kill=False,
        agent_step_ms=60_000,
        seed=3,
        port=0,
    )
    read = Tape(tape)
    market = market_of(args, read, plan_of(args, read))
    assert market.start_ms == ms_of(opens)
    assert market.seed == 3
