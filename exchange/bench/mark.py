"""What a mark tick costs by the number of positions that it might hurt: `bench mark`.

A tick is a new mark of one contract: index, mark, and the look for scopes whose bound it reached.
"""

from __future__ import annotations

import json
import sys
import time
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Callable, Mapping
from statistics import median
from typing import Any, Final

from exchange.bench.crowd import CROSS, PRICES_E8, Crowd
from exchange.bench.measure import calibration_per_s, collector_at_rest, peak_rss_mb
from exchange.build import running
from exchange.cli.output import table
from exchange.commands import CancelOrder, Continue, PlaceOrder, Tick
from exchange.engine import Engine
from matching.types import Side
from risk.account import PERP
from risk.grid import refresh
from risk.ledger import FIRST_ACCOUNT

POSITIONS: Final = "1000,100000,1000000"
FUNDING_POSITIONS: Final = 100_000
TICKS: Final = 2_000
ROUNDS: Final = 20
NEAR: Final = 10  # Accounts in reach of the last tick.
CHECKED_MAX: Final = 10_000  # Positions up to which every invariant is checked.
INTERRUPTED_CODE: Final = 130


def positions_list(text: str) -> list[int]:
    """Numbers of positions, told with commas."""
    try:
        found = [int(word) for word in text.split(",")]
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is no list of numbers") from None
    if min(found) < 1:
        raise ArgumentTypeError("there must be a position at least")
    return found


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the options of `bench mark`."""
    parser.add_argument(
        "--positions",
        type=positions_list,
        help=f"how many, with commas (default {POSITIONS}; with --funding {FUNDING_POSITIONS})",
    )
    parser.add_argument(
        "--funding", action="store_true", help="settle funding and interest instead, in slices"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object and no more")


def main(args: Namespace) -> int:
    """Run and print; Ctrl-C leaves the rows that are done."""
    usual = [FUNDING_POSITIONS] if args.funding else positions_list(POSITIONS)
    report = run(args.positions or usual, settling_row if args.funding else mark_row)
    if args.json:
        print(json.dumps(report))
    else:
        print(_text(report["funding" if args.funding else "mark"]))
    return INTERRUPTED_CODE if report["interrupted"] else 0


def run(positions: list[int], measure_row: Callable[[int], dict[str, Any]]) -> dict[str, Any]:
    """One row for each number of positions, smallest first."""
    calibration = calibration_per_s()
    started = time.perf_counter()
    rows: list[dict[str, Any]] = []
    interrupted = False
    try:
        for count in sorted(positions):
            if sys.stderr.isatty():
                print(f"\r{count} positions ...   ", end="", file=sys.stderr)
            rows.append(measure_row(count))
    except KeyboardInterrupt:
        interrupted = True
    if sys.stderr.isatty():
        print(file=sys.stderr)
    commands = sum(row["commands"] for row in rows)
    seconds = sum(row["seconds"] for row in rows)
    return {
        "bench": "mark",
        "build": running(),
        "commands": commands,
        "seconds": round(seconds, 6),
        "rate_per_s": round(commands / seconds) if seconds else 0,
        "with_setting_up_s": round(time.perf_counter() - started, 3),
        "peak_rss_mb": round(peak_rss_mb(), 1),
        "calibration_per_s": round(calibration),
        "funding" if measure_row is settling_row else "mark": rows,
        "interrupted": interrupted,
    }


# -- one mark tick -----------------------------------------------------------------------------


def mark_row(positions: int) -> dict[str, Any]:
    """Ticks that come near nobody, the whole grid point of one, and one with a few in reach."""
    crowd = Crowd(positions, near=NEAR)
    if positions <= CHECKED_MAX:
        crowd.engine.check()
    with collector_at_rest():
        marks_us = _refreshes_us(crowd)
        grid_us, seconds = _grid_points_us(crowd)
        fired, reach_us = _in_reach_us(crowd)
    if positions <= CHECKED_MAX:
        crowd.engine.check()
    return {
        "accounts": crowd.accounts,
        "positions": crowd.positions,
        "us_per_tick": round(marks_us, 3),
        "us_per_grid_point": round(grid_us, 3),
        "in_reach": fired,
        "us_with_some_in_reach": round(reach_us, 3),
        "commands": TICKS + 1,
        "seconds": round(seconds, 6),
    }


def _wandering(step: int) -> dict[str, int]:
    """Prices that change at every step and stay within a thousandth of where they began."""
    away = step % 40 - 20
    return {base: price_e8 + price_e8 * away // 20_000 for base, price_e8 in PRICES_E8.items()}


def _refreshes_us(crowd: Crowd) -> float:
    """Microseconds of one new mark: the engine's refresh of both contracts, halved.

    The median of rounds, for the machine may be busy with something else meanwhile.
    """
    engine = crowd.engine
    risk = engine.risk
    crowd.finish()
    rounds = []
    for number in range(ROUNDS):
        spent = 0.0
        for step in range(TICKS // ROUNDS):
            for symbol, index in risk.indexes.items():
                base = engine.instruments[symbol].base
                price_e8 = _wandering(number + step)[base]
                index.print("reference", price_e8, crowd.time_ms + 10**9)
            started = time.perf_counter()
            refresh(risk, engine.books, engine.last_trade, crowd.time_ms)
            spent += time.perf_counter() - started
            assert len(risk.records) >= len(risk.marks), "every mark moved"
            risk.records.clear()
        rounds.append(spent / (TICKS // ROUNDS) / len(risk.marks))
    assert not risk.watch.due, "nobody was near"
    return median(rounds) * 1e6


def _grid_points_us(crowd: Crowd) -> tuple[float, float]:
    """(microseconds of a whole command that runs one grid point, the median; seconds of all)."""
    took = []
    for step in range(TICKS):
        crowd.second(_wandering(step))
        command = crowd.made(Tick)
        started = time.perf_counter()
        crowd.engine.apply(command)
        took.append(time.perf_counter() - started)
        assert not crowd.engine.pending_work, "nobody was near"
    return median(took) * 1e6, sum(took)


def _in_reach_us(crowd: Crowd) -> tuple[int, float]:
    """(accounts liquidated by a fall of 0.7 %, microseconds of the tick and all it led to)."""
    engine = crowd.engine
    before = len(engine.risk.accounts)
    jump = {base: price_e8 * 993 // 1_000 for base, price_e8 in PRICES_E8.items()}
    crowd.second(jump)
    told = []
    started = time.perf_counter()
    told += engine.apply(crowd.made(Tick))
    while engine.pending_work:
        told += engine.apply(crowd.made(Continue))
    spent = time.perf_counter() - started
    assert len(engine.risk.accounts) == before
    fallen = sum(type(event).__name__ == "LiquidationStarted" for event in told)
    return fallen, spent * 1e6


# -- funding and interest ----------------------------------------------------------------------


def settling_row(positions: int) -> dict[str, Any]:
    """An hour ends: funding and interest for everybody in slices, orders between the slices."""
    crowd = Crowd(positions, loans=True)
    engine = crowd.engine
    crowd.second(PRICES_E8)
    crowd.do(Tick)
    crowd.finish()
    crowd.time_ms = engine.risk.marks[CROSS].next_funding_ms
    with collector_at_rest():
        waits = _waits_s(crowd)
    if positions <= CHECKED_MAX:
        engine.check()
    waits.sort()
    return {
        "accounts": crowd.accounts,
        "positions": crowd.positions,
        "loans": sum(len(each.loans) for each in engine.risk.accounts.values()),
        "orders": len(waits),
        "longest_wait_ms": round(waits[-1] * 1e3, 3),
        "median_wait_ms": round(median(waits) * 1e3, 3),
        "commands": 2 * len(waits),
        "seconds": round(sum(waits), 6),
    }


def _waits_s(crowd: Crowd) -> list[float]:
    """How long each order took that came just as a slice of the pending work began.

    It waits for that slice, and its own command does another one before it is obeyed.
    """
    engine = crowd.engine
    crowd_orders = _orders(crowd.engine)
    waits = []
    first = True
    while first or engine.pending_work:
        slice_ = crowd.made(Tick if first else Continue)
        kind, fields = next(crowd_orders)
        first = False
        started = time.perf_counter()
        engine.apply(slice_)
        engine.apply(crowd.made(kind, **fields))
        waits.append(time.perf_counter() - started)
    return waits


def _orders(engine: Engine) -> Any:
    """Orders of one account after another, each cancelled by the next command."""
    account_id = FIRST_ACCOUNT
    instrument = engine.instruments[CROSS]
    price_ticks = PRICES_E8["BTC"] // instrument.tick_e8 * 99 // 100
    while True:
        yield (
            PlaceOrder,
            {
                "account_id": account_id,
                "symbol": CROSS,
                "side": Side.BUY,
                "lots": 1,
                "price_ticks": price_ticks,
                "wallet": PERP,
                "client_id": f"in between {engine.seq}",
            },
        )
        order_id = next(iter(engine.books[CROSS].orders), 0)
        yield CancelOrder, {"account_id": account_id, "order_id": order_id}
        account_id += 1


def _text(rows: list[Mapping[str, Any]]) -> str:
    """The rows for a reader."""
    if not rows:
        return "nothing was measured"
    names = [name for name in rows[0] if name not in ("commands", "seconds")]
    return table(
        [name.replace("_", " ") for name in names],
        [[str(row[name]) for name in names] for row in rows],
        left=0,
    )
