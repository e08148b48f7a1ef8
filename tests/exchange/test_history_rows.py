"""Tests of the history's rows: whose, which, and that a replay writes them as the first time."""

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from exchange.commands import AmendOrder, CancelOrder, Deposit, Exit, OpenAccount, Tick
from exchange.events import (
    Answered,
    AnyEvent,
    Filled,
    FundingCharged,
    FundingFixed,
    InterestCharged,
    LedgerPosted,
    LiquidationEnded,
    LiquidationStarted,
    LiquidationStepped,
    LoanChanged,
    MarginCalled,
    OrderChanged,
)
from exchange.history_rows import HistoryRows, NamedRow
from exchange.recovery import recover
from exchange.storage.history import History
from exchange.storage.rows import CandleRow, LiquidationRow
from exchange.views.board import Board
from matching.reasons import Reason
from matching.types import Side
from tests.exchange.events_by_hand import INSTRUMENTS, event, group
from tests.exchange.tapes import (
    START_MS,
    USER,
    Tape,
    an_hour_at_the_market,
    order,
    venue,
)

MINUTE_MS = 60_000


class Written:
    """Takes the rows, and keeps them by table."""

    def __init__(self) -> None:
        self.rows: list[tuple[str, Any]] = []
        self.seqs: list[int] = []

    def submit(self, seq: int, rows: Sequence[NamedRow]) -> None:
        self.rows += rows
        self.seqs.append(seq)

    def of(self, table: str) -> list[Any]:
        return [row for name, row in self.rows if name == table]


class Scene:
    """A tape whose events go to the board and into rows."""

    def __init__(self, directory: Path) -> None:
        self.tape = Tape(directory)
        self.board = Board(self.tape.engine.instruments)
        self.written = Written()
        accounts = self.tape.engine.risk.accounts
        self.rows = HistoryRows(
            self.written, self.board, lambda number: accounts[number].kind == "user", START_MS
        )

    def do(self, *wishes: Any, ms: int = 0) -> list[list[AnyEvent]]:
        groups = self.tape.do(*wishes, ms=ms)
        self.tell(groups)
        return groups

    def tell(self, groups: Sequence[list[AnyEvent]]) -> None:
        self.board.on_group(groups)
        self.rows.on_group(groups)


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path)


def played(scene: Scene) -> Scene:
    scene.tape.do = _telling(scene, scene.tape.do)  # type: ignore[method-assign]
    an_hour_at_the_market(scene.tape)
    scene.tape.close()
    return scene


def _telling(scene: Scene, do: Any) -> Any:
    def done(*wishes: Any, ms: int = 0) -> list[list[AnyEvent]]:
        groups: list[list[AnyEvent]] = do(*wishes, ms=ms)
        scene.tell(groups)
        return groups

    return done


def test_an_order_s_last_row_is_its_end(scene: Scene) -> None:
    written = played(scene).written
    last = {row.order_id: row for row in written.of("orders")}
    # Five buys of 100 lots at 49,000 to 49,004; 150 were sold into the best two.
    assert [(row.price_ticks, row.filled_lots, row.is_open) for row in last.values()][:5] == [
        (4_900_000, 0, True),
        (4_900_100, 0, True),
        (4_900_200, 0, True),
        (4_900_300, 50, True),
        (4_900_400, 100, False),
    ]
    sold = last[6]
    assert (sold.side, sold.lots, sold.filled_lots, sold.is_open) == (Side.SELL, 150, 150, False)
    # 100 lots at 49,004 and 50 at 49,003, in ticks of 0.01.
    assert sold.filled_units == 100 * 4_900_400 + 50 * 4_900_300


def test_a_list_s_row_names_its_legs_as_they_ended(scene: Scene) -> None:
    scene.do(OpenAccount(label="user"))
    deposit = Deposit(account_id=USER, wallet="spot", asset="USDT", amount_minor=10**13)
    exits = {"take_profit": Exit(5_500_000), "stop_loss": Exit(4_500_000)}
    scene.do(deposit, structs.replace(order("49000", 100), **exits))
    (row,) = scene.written.of("order_lists")
    assert (row.account_id, row.is_open, row.bracket, row.legs) == (
        *(USER, True, True),
        '[[1,"",1],[0,"",0],[0,"",0]]',
    )
    assert row.time_ms == scene.written.of("orders")[-1].time_ms
    assert scene.written.of("orders")[-1].list_id == row.list_id
    scene.do(CancelOrder(account_id=USER, order_id=1))
    last = scene.written.of("order_lists")[-1]
    assert (last.is_open, last.legs) == (False, '[[1,"",4],[0,"",4],[0,"",4]]')


def test_both_sides_of_a_trade_have_a_fill_and_the_public_one_trade(scene: Scene) -> None:
    written = played(scene).written
    spot = [row for row in written.of("fills") if row.symbol == "BTC-USDT"]
    assert sorted((row.trade_id, row.account_id, row.maker) for row in spot) == [
        (1, USER, True),
        (1, USER + 1, False),
        (2, USER, True),
        (2, USER + 1, False),
    ]
    assert [(row.symbol, row.trade_id, row.lots) for row in written.of("trades")] == [
        ("BTC-USDT", 1, 100),
        ("BTC-USDT", 2, 50),
        ("BTC-USDT-PERP", 1, 20),
    ]


def test_the_ledger_s_rows_add_up_to_the_balances(scene: Scene) -> None:
    written = played(scene).written
    sums: dict[tuple[int, str, str], int] = {}
    for row in written.of("ledger"):
        key = (row.account_id, row.wallet, row.asset)
        sums[key] = sums.get(key, 0) + row.change_minor
        assert row.balance_minor == sums[key]
    accounts = scene.tape.engine.risk.accounts
    assert sums
    for (account_id, wallet, asset), minor in sums.items():
        assert accounts[account_id].pockets[wallet, asset].minor == minor


def test_a_house_agent_s_orders_are_not_kept_but_its_trades_are(scene: Scene) -> None:
    scene.do(OpenAccount(kind="agent", label="maker"), OpenAccount(label="user"))
    scene.do(order("49000", 100), order("49100", 50, account_id=USER + 1))
    assert {row.account_id for row in scene.written.of("orders")} == {USER + 1}
    assert {row.account_id for row in scene.written.of("ledger")} == {USER + 1}


def test_a_candle_is_kept_once_it_is_over(scene: Scene) -> None:
    written = played(scene).written
    candles: list[CandleRow] = written.of("candles")
    keys = [(row.symbol, row.kind, row.interval_ms, row.open_ms) for row in candles]
    assert len(set(keys)) == len(keys)
    of_perp = {"mark", "index", "interest", "longs", "shorts"}
    of_perp |= {"top_longs", "top_shorts", "top_long_lots", "top_short_lots"}
    kinds = {"BTC-USDT": {"last"}, "BTC-USDT-PERP": {"last", *of_perp}}
    for symbol, told in kinds.items():
        assert {row.kind for row in candles if row.symbol == symbol} <= told
    assert of_perp <= {row.kind for row in candles}
    minutes = [row for row in candles if (row.symbol, row.interval_ms) == ("BTC-USDT", MINUTE_MS)]
    first_ms = START_MS - START_MS % MINUTE_MS
    assert [row.open_ms for row in minutes] == [
        first_ms + number * MINUTE_MS for number in range(len(minutes))
    ]
    # Four quarters of an hour went by, and something of a minute.
    assert len(minutes) == 60
    first, *still = minutes
    assert (first.open, first.high, first.low, first.close) == (
        4_900_400,
        4_900_400,
        4_900_300,
        4_900_300,
    )
    assert (first.lots, first.trades) == (150, 2)
    assert {(row.open, row.close, row.trades) for row in still} == {(4_900_300, 4_900_300, 0)}


def test_the_rows_of_every_group_are_handed_over_with_its_last_seq(scene: Scene) -> None:
    written = played(scene).written
    assert written.seqs == [seq for seq in sorted(scene.tape.digests) if seq > 1]


def test_no_group_no_rows(scene: Scene) -> None:
    scene.rows.on_group([])
    assert scene.written.seqs == []


EVENTS: list[tuple[AnyEvent, str, dict[str, Any]]] = [
    (
        LoanChanged(9, 5, USER, 3, 1, "margin", "USDT", 100, 0, 0, 100, 10**20),
        "loans",
        {"loan_id": 1, "borrowed_minor": 100, "principal_minor": 100, "interest_e18": 10**20},
    ),
    (
        InterestCharged(9, 5, USER, 4, "margin", "USDT", 100, 7, 70, 170, 3_600_000),
        "interest",
        {"time_ms": 3_600_000, "interest_e18": 70, "owed_e18": 170, "rate_e12": 7},
    ),
    (
        FundingCharged(9, 5, USER, 5, "BTC-USDT-PERP", -3, 50, 7, -21, 28_800_000),
        "funding_payments",
        {"time_ms": 28_800_000, "lots": -3, "flow_minor": -21, "n": 5},
    ),
    (
        FundingFixed(9, 5, "BTC-USDT-PERP", 28_800_000, 7, 50),
        "funding",
        {"time_ms": 28_800_000, "rate_e12": 7, "mark_e8": 50, "synthetic": False},
    ),
]


@pytest.mark.parametrize(("event", "table", "columns"), EVENTS)
def test_a_charge_is_kept_at_the_moment_it_fell_due(
    scene: Scene, event: AnyEvent, table: str, columns: dict[str, Any]
) -> None:
    scene.do(OpenAccount())
    scene.rows.on_group([[event, Answered(9, 5, None, 0, {}, False)]])
    (row,) = scene.written.of(table)
    assert {name: getattr(row, name) for name in columns} == columns


def test_a_liquidation_is_kept_from_its_beginning_to_its_end(scene: Scene) -> None:
    scene.do(OpenAccount())
    symbol = "BTC-USDT-PERP"
    events: list[AnyEvent] = [
        LiquidationStarted(9, 5, USER, 3, "perp", symbol, 10, 12, 10**12, 50),
        LiquidationStepped(9, 5, USER, 4, "perp", symbol, "sold", "USDT", 7, 20, 500_000),
        LiquidationEnded(9, 5, USER, 5, "perp", "bankrupt", 99),
        Answered(9, 5, None, 0, {}, False),
    ]
    scene.rows.on_group([events])
    rows: list[LiquidationRow] = scene.written.of("liquidations")
    assert [(row.n, row.step) for row in rows] == [(3, "started"), (4, "sold"), (5, "bankrupt")]
    assert (rows[0].level_e12, rows[0].mark_e8) == (10**12, 50)
    assert (rows[1].amount_minor, rows[1].lots, rows[1].price_ticks) == (7, 20, 500_000)
    assert rows[2].amount_minor == 99


def test_a_refusal_is_kept_for_the_customer_who_asked(scene: Scene) -> None:
    scene.do(OpenAccount())
    told: dict[str, str | int] = {"rule": "S11", "need_minor": 10**30}
    answers = [
        Answered(9, 5, Reason.INSUFFICIENT_BALANCE, 0, told, False, USER),
        Answered(10, 5, Reason.UNKNOWN_ORDER, 0, {}, False, USER),
        Answered(11, 5, Reason.UNKNOWN_ACCOUNT, 0, {}, False, 999),
        Answered(12, 5, Reason.UNKNOWN_SYMBOL, 0, {}, False),
    ]
    scene.rows.on_group([[answer] for answer in answers])
    first, second = scene.written.of("rejects")
    assert (first.account_id, first.seq, first.reason) == (USER, 9, "INSUFFICIENT_BALANCE")
    assert json.loads(first.detail) == told
    assert (second.seq, second.detail) == (10, "")


def test_a_call_is_kept_with_its_parts(scene: Scene) -> None:
    scene.do(OpenAccount())
    assets, debts = (("BTC", 5, 10**12),), (("USDT", 10**20, 10**8),)
    call = MarginCalled(9, 5, USER, 3, "margin", 12, 13, 7, False, assets, debts)
    scene.rows.on_group([[call, Answered(9, 5, None, 0, {}, False)]])
    (row,) = scene.written.of("calls")
    assert (row.n, row.level_e12, row.add_minor, row.cleared) == (3, 12, 7, False)
    assert json.loads(row.detail) == [[["BTC", 5, 10**12]], [["USDT", 10**20, 10**8]]]


async def test_a_replay_writes_what_a_crash_took_and_nothing_twice(tmp_path: Path) -> None:
    scene = Scene(tmp_path / "data")
    played(scene)
    history = History.open(tmp_path / "history.db")
    for lost in (True, False):
        engine_time_ms = START_MS
        board = Board(scene.tape.engine.instruments)
        rows = HistoryRows(history, board, lambda number: True, engine_time_ms)
        told: list[Any] = [board.on_group, rows.on_group]
        if lost:
            # The process died before the last three groups reached the history.
            reached = sorted(scene.tape.digests)[-4]

            def until(groups: Sequence[list[AnyEvent]], then: Any = rows.on_group) -> None:
                if groups[-1][-1].seq <= reached:  # noqa: B023 - Called before it changes.
                    then(groups)

            told[1] = until
        recovered = recover(tmp_path / "data", venue, told)
        recovered.journal.close()
        await history.caught_up()
        await asyncio.to_thread(history.close)
        history = History.open(tmp_path / "history.db")
    assert history.reached_seq == scene.tape.engine.seq
    for account_id in (USER, USER + 1):
        kept = await history.ledger(account_id)
        assert kept == [row for row in scene.written.of("ledger") if row.account_id == account_id]
        orders = {row.order_id: row for row in scene.written.of("orders")}
        mine = [row for row in orders.values() if row.account_id == account_id]
        assert await history.orders(account_id) == mine
    candles = await history.candles("BTC-USDT", MINUTE_MS)
    assert len(candles) == 60
    await asyncio.to_thread(history.close)


def test_s7_an_amendment_is_kept_beside_the_order_it_made(scene: Scene) -> None:
    """100 lots at 49,000 are cut to 60, and moved to 49,001 as a new order."""
    scene.do(OpenAccount(label="user"))
    deposit = Deposit(account_id=USER, wallet="spot", asset="USDT", amount_minor=10**13)
    scene.do(deposit, order("49000", 100), AmendOrder(account_id=USER, order_id=1, lots=60))
    scene.do(AmendOrder(account_id=USER, order_id=1, price_ticks=4_900_100))
    scene.do(CancelOrder(account_id=USER, order_id=2))
    cut, moved = scene.written.of("amendments")
    assert (cut.account_id, cut.order_id, cut.before_id) == (USER, 1, 1)
    assert (cut.before_lots, cut.lots, cut.before_ticks, cut.ticks) == (
        *(100, 60, 4_900_000, 4_900_000),
    )
    assert (moved.order_id, moved.before_id) == (2, 1)
    assert (moved.before_lots, moved.lots, moved.before_ticks, moved.ticks) == (
        *(60, 60, 4_900_000, 4_900_100),
    )
    kept = {row.updated_ms for row in scene.written.of("orders") if row.seq == moved.seq}
    assert kept == {moved.time_ms}


async def test_time_alone_closes_candles(scene: Scene) -> None:
    played(scene)
    before = len(scene.written.of("candles"))
    scene.tape.journal = _NoDisk()  # type: ignore[assignment]
    scene.tape.do(Tick(), ms=MINUTE_MS)
    assert len(scene.written.of("candles")) > before


class _NoDisk:
    def append_and_sync(self, first_seq: int, count: int, payload: bytes) -> None:
        """Nothing to keep."""


@pytest.mark.parametrize(
    ("kind", "table", "renamed"),
    [
        (
            OrderChanged,
            "orders",
            {"time_ms": "placed_ms", "updated_ms": "time_ms", "trigger_source": "trigger"},
        ),
        (Filled, "fills", {}),
        (LedgerPosted, "ledger", {}),
    ],
)
def test_each_column_of_the_rows_made_by_place_has_its_own_field(
    kind: type, table: str, renamed: dict[str, str]
) -> None:
    told = event(kind)
    plain = [name for name in told.__struct_fields__ if type(getattr(told, name)) is int]
    # Numbers that are like no other, so that no field can stand for another.
    told = structs.replace(told, **{name: 1_000 + at for at, name in enumerate(plain)})
    written = Written()
    HistoryRows(written, Board(INSTRUMENTS), lambda account_id: True, START_MS).on_group(
        group(told)
    )
    (row,) = written.of(table)
    derived = {"detail", "is_open", "reason"} if kind is OrderChanged else {"detail"}
    for name in row._fields:
        if name not in derived:
            assert getattr(row, name) == getattr(told, renamed.get(name, name)), name
