"""Recent trades, live and made up."""

from __future__ import annotations

from exchange.bounds import TRADES_KEPT
from exchange.events import Traded
from exchange.storage.rows import TradeRow
from exchange.views.trades import Trades, is_synthetic, trade_of_row
from matching.types import Side
from tests.exchange.events_by_hand import event

SYMBOL = "BTC-USDT"


def ids(trades: list[Traded]) -> list[int]:
    return [trade.trade_id for trade in trades]


def test_the_newest_trades_are_kept() -> None:
    trades = Trades([SYMBOL])
    for number in range(1, TRADES_KEPT + 11):
        trades.fold(event(Traded, trade_id=number))
    assert ids(trades.recent(SYMBOL, 3)) == [TRADES_KEPT + 8, TRADES_KEPT + 9, TRADES_KEPT + 10]
    assert len(trades.recent(SYMBOL, 10 * TRADES_KEPT)) == TRADES_KEPT
    last = trades.last(SYMBOL)
    assert last is not None
    assert last.trade_id == TRADES_KEPT + 10


def test_a_page_ends_before_the_id_it_is_asked_for() -> None:
    trades = Trades([SYMBOL])
    for number in range(1, 11):
        trades.fold(event(Traded, trade_id=number))
    assert ids(trades.recent(SYMBOL, 3, before_id=5)) == [2, 3, 4]
    assert ids(trades.recent(SYMBOL, 3, before_id=1)) == []


def test_history_lies_before_the_live_trades() -> None:
    trades = Trades([SYMBOL])
    assert trades.last(SYMBOL) is None
    trades.fold(event(Traded, trade_id=11))
    trades.preload(SYMBOL, [event(Traded, seq=0, trade_id=number) for number in (9, 10)])
    recent = trades.recent(SYMBOL, 10)
    assert ids(recent) == [9, 10, 11]
    assert [is_synthetic(trade) for trade in recent] == [True, True, False]


def test_a_trade_of_the_history_comes_back_as_it_was() -> None:
    row = TradeRow("BTC-USDT", 7, 5_000_000, 3, 1, 11, 12, 1_700_000_000_000, forced=True, seq=9)
    told = trade_of_row(row)
    assert (told.symbol, told.trade_id, told.price_ticks, told.lots) == (
        "BTC-USDT",
        7,
        5_000_000,
        3,
    )
    assert (told.taker_side, told.maker_order_id, told.taker_order_id) == (Side.SELL, 11, 12)
    assert (told.forced, told.seq, told.time_ms) == (True, 9, 1_700_000_000_000)
