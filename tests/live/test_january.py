"""A recorded day against the real exchange: fates, charges one by one, and the same after a kill.

The tape is flat until nine, falls from 50,000 to 42,000 by eleven, and is flat again. Three runs
of the real command live through it at once: two alike, and one that is killed in the middle.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from clients.january.tape import Tape
from exchange.recovery import SNAPSHOTS
from exchange.storage.snapshots import read_snapshot, snapshots_in
from tests.clients.january.recorded import flat, ms_of, write_tape

ENDS_WITHIN_S = 110
HOUR_MS = 3_600_000
BEGIN, END = "2024-04-30T23:30:00", "2024-05-01T16:30:00"
TOPS = [ms_of("2024-05-01 00:00:00") + hour * HOUR_MS for hour in range(17)]
FUNDINGS = [ms_of(f"2024-05-01 {hour}:00:00") for hour in ("00", "08", "16")]


def falling(moment: datetime) -> float:
    """Flat, from nine to eleven 8,000 down, flat."""
    since_nine = (moment - moment.replace(day=1, month=5, hour=9, minute=0)).total_seconds() / 3_600
    return flat(moment) - 4_000 * min(max(since_nine, 0.0), 2.0)


class Run(NamedTuple):
    """One run of the command: its folder, what it printed, and what it told as JSON if asked."""

    folder: Path
    out: str
    err: str


def january(*arguments: str | Path) -> list[str]:
    return [sys.executable, "-m", "clients.january.command", *map(str, arguments)]


@pytest.fixture(scope="module")
def tape(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("tape") / "day.csv"
    return write_tape(path, "2024-04-30 23:00:00", 18 * 60, falling)


@pytest.fixture(scope="module")
def runs(tape: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Run]:
    """The day in text, in JSON, and in text with a kill in the middle, at the same time."""
    folder = tmp_path_factory.mktemp("january")
    flags = {"text": ["--no-verify"], "json": ["--no-verify", "--json"], "killed": ["--kill"]}
    span = ("--begin", BEGIN, "--end", END)
    processes = {
        name: subprocess.Popen(
            january(tape, *span, "--keep", folder / name, *flags[name]),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for name in flags
    }
    done = {}
    try:
        for name, process in processes.items():
            out, err = process.communicate(timeout=ENDS_WITHIN_S)
            assert process.returncode == 0, err + out
            done[name] = Run(folder / name, out, err)
    finally:
        for process in processes.values():
            process.terminate()
            process.wait()
    return done


@pytest.fixture(scope="module")
def fates(runs: dict[str, Run]) -> dict[str, dict[str, Any]]:
    return {fate["name"]: fate for fate in json.loads(runs["json"].out)["fates"]}


def due(fate: dict[str, Any], kind: str) -> list[int]:
    return [charge["due"] for charge in fate["charges"] if charge["kind"] == kind]


def total(fate: dict[str, Any], kind: str) -> Decimal:
    charges = (charge for charge in fate["charges"] if charge["kind"] == kind)
    return sum((Decimal(charge["amount"]) for charge in charges), Decimal(0))


def rounded(amount: Decimal) -> Decimal:
    return amount.quantize(Decimal("0.01"))


def test_the_20x_long_is_liquidated_in_the_fall(
    fates: dict[str, dict[str, Any]], tape: Path
) -> None:
    fate = fates["perp-long"]
    (liquidation,) = fate["liquidations"]
    assert liquidation["scope"] == "perp/BTC-USDT-PERP"
    assert liquidation["result"] == "closed"
    # 5 % of margin less 0.4 % of maintenance and the fees: a fall of some 4.5 %, at 4,000 an hour
    # from 50,000, is through between 09:30 and 09:40.
    assert ms_of("2024-05-01 09:30:00") < liquidation["time"] < ms_of("2024-05-01 09:40:00")
    (sale,) = liquidation["sales"]
    assert sale["step"] == "sold"
    bar = Tape(tape).bar_at(sale["time"])
    assert bar is not None
    # The contract is sold where the tape is, within 0.5 % of its bar: that far may the book lie.
    assert Decimal(bar.low) * Decimal("0.995") < Decimal(sale["price"])
    assert Decimal(sale["price"]) < Decimal(bar.high) * Decimal("1.005")
    # All but what is left of the stake behind the liquidation fee is gone, and never more.
    assert Decimal(0) <= Decimal(fate["equity"]) < 100
    assert Decimal(fate["liquidation"]) < 0


def test_the_3x_long_is_called_and_lives(fates: dict[str, dict[str, Any]]) -> None:
    fate = fates["margin-long"]
    # 3,000 against 2,000 are a level of 1.5; a fall of 16 % makes it 1.26, between 1.3 and 1.1.
    first = fate["calls"][0]
    assert first["scope"] == "margin"
    # 1.3 are 13.3 % down, 6,667 of the 8,000: 1 h 40 min into the fall.
    assert ms_of("2024-05-01 10:35:00") < first["time"] < ms_of("2024-05-01 10:45:00")
    assert fate["liquidations"] == []
    # Of 3,000 about 16 % are lost, and fees and interest.
    assert Decimal(480) < Decimal(fate["equity"]) < Decimal(530)


def test_the_short_gains_and_the_holder_loses_what_the_price_does(
    fates: dict[str, dict[str, Any]],
) -> None:
    # 16 % of nearly 5,000, and of 1,000; neither is called.
    assert Decimal(770) < Decimal(fates["perp-short"]["price"]) < Decimal(820)
    assert Decimal(-170) < Decimal(fates["holder"]["price"]) < Decimal(-150)
    for name in ("perp-short", "holder"):
        assert fates[name]["calls"] == fates[name]["liquidations"] == []
    assert fates["holder"]["charges"] == []


def test_equity_is_the_stake_and_what_each_cause_did(fates: dict[str, dict[str, Any]]) -> None:
    for fate in fates.values():
        causes = ("price", "fees", "interest", "funding", "liquidation")
        parts = sum(Decimal(fate[cause]) for cause in causes)
        # Five sums to a cent are off by half a cent each at most, and the total by half of one.
        assert abs(1_000 + parts - Decimal(fate["equity"])) <= Decimal("0.03")


def test_interest_is_charged_at_once_and_at_every_top_of_the_hour(
    fates: dict[str, dict[str, Any]],
) -> None:
    fate = fates["margin-long"]
    assert due(fate, "interest") == [ms_of(BEGIN), *TOPS]
    # 2,000 at 0.001 % an hour.
    assert {charge["amount"] for charge in fate["charges"]} == {"-0.02"}
    # 18 charges of 0.02, and the ledger says the same.
    assert total(fate, "interest") == Decimal("-0.36") == Decimal(fate["interest"])


def test_funding_falls_due_every_eight_hours_for_who_still_holds(
    fates: dict[str, dict[str, Any]],
) -> None:
    assert due(fates["perp-short"], "funding") == FUNDINGS
    # Liquidated between the second and the third.
    assert due(fates["perp-long"], "funding") == FUNDINGS[:2]
    for name in ("perp-short", "perp-long"):
        assert rounded(total(fates[name], "funding")) == Decimal(fates[name]["funding"])
        assert due(fates[name], "interest") == []
    # What the longs pay the shorts get, each by its quantity; the rate is one.
    long, short = (fates[name]["charges"][0] for name in ("perp-long", "perp-short"))
    assert Decimal(long["amount"]) * Decimal(short["amount"]) < 0


def test_the_auditor_is_content_throughout(runs: dict[str, Run]) -> None:
    told = json.loads(runs["json"].out)
    assert told["problems"] == []
    assert told["audits"] >= 2
    for name in ("text", "killed"):
        assert "audit: clean throughout" in runs[name].out


def story(run: Run) -> str:
    """The table and the stories, without how often the auditor looked and what verify says."""
    return run.out.partition("\naudit: ")[0]


def test_the_same_seed_gives_the_same_report_byte_for_byte_with_a_kill_too(
    runs: dict[str, Run], fates: dict[str, dict[str, Any]]
) -> None:
    assert story(runs["text"]) == story(runs["killed"])
    assert "killed in the middle of a step and started again at" in runs["killed"].err
    for fate in fates.values():
        assert fate["equity"] in story(runs["text"])
    assert story(runs["text"]).count("margin call at") == len(
        [call for fate in fates.values() for call in fate["calls"] if not call["cleared"]]
    )


def test_replaying_the_killed_runs_journal_comes_to_the_state_it_ended_in(
    runs: dict[str, Run],
) -> None:
    data = runs["killed"].folder / "data"
    last = max(snapshots_in(data / SNAPSHOTS).items())[1]
    # The second run of the exchange stood on what the first had kept, and wrote down its state
    # when it stopped; verify has rebuilt that from the very first command.
    written = read_snapshot(last).digest.hex()
    assert f"verify: sound; {read_snapshot(last).seq} commands replayed in " in runs["killed"].out
    assert runs["killed"].out.rstrip().endswith(f"digest {written}")


# -- a month that is not lived to its end ------------------------------------------------------


@pytest.fixture
def temporary(tmp_path: Path) -> Iterator[Path]:
    """Where throw-away folders are made; they must be gone in the end."""
    folder = tmp_path / "tmp"
    folder.mkdir()
    yield folder
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("flags", [["--speed", "60"], []], ids=["free", "lock-step"])
def test_ctrl_c_stops_the_exchange_and_tells_what_is_known(
    tape: Path, temporary: Path, flags: list[str]
) -> None:
    process = subprocess.Popen(
        january(tape, "--begin", "2024-04-30T23:10", "--end", END, *flags),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": str(temporary)},
    )
    try:
        assert process.stderr is not None
        said = []
        for line in process.stderr:
            said.append(line)
            if "positions are open" in line:
                process.send_signal(signal.SIGINT)
                break
        out, err = process.communicate(timeout=ENDS_WITHIN_S)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 130, said
    assert "final equity" in out
    assert "holder: 1,000 USDT of BTC" in out
    assert "verify" not in out
    assert "january: stopped at 2024-0" in err
    assert "Traceback" not in err
    port = int(next(line for line in said if "is open at" in line).rpartition(":")[2])
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port))


def test_a_free_run_comes_to_the_same_end(tape: Path, temporary: Path) -> None:
    span = ("--begin", "2024-04-30T23:10", "--end", "2024-05-01T00:10")
    done = subprocess.run(
        january(tape, *span, "--speed", "3600", "--json"),
        capture_output=True,
        text=True,
        timeout=ENDS_WITHIN_S,
        check=False,
        env={**os.environ, "TMPDIR": str(temporary)},
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["reached"] == ms_of("2024-05-01 00:10:00")
    by_name = {fate["name"]: fate for fate in told["fates"]}
    # The charge of borrowing and the one at midnight, which is no later for being run through.
    at_once, midnight = due(by_name["margin-long"], "interest")
    assert at_once < midnight == TOPS[0]
    assert due(by_name["perp-short"], "funding") == FUNDINGS[:1]
    assert told["verified"]["ok"]
