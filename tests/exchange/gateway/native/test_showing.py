"""What the board shows, as clients read it."""

from __future__ import annotations

from exchange.events import DepthChanged, IndexPriced, Marked, Traded
from exchange.gateway.native.showing import (
    bbo_say,
    book_say,
    candle_say,
    current_mark_say,
    status_say,
    ticker_say,
)
from exchange.views.board import Board
from exchange.wire import BboSay, BookSay, CandleSay, MarkSay, TickerSay
from tests.exchange.events_by_hand import INSTRUMENTS, MINUTE_MS, PERP, SPOT, START_MS, event, group


def a_board() -> Board:
    board = Board(INSTRUMENTS)
    board.on_group(
        group(
            event(DepthChanged, bids=[(4_999_000, 3), (4_998_000, 2)], asks=[(5_001_000, 1)]),
            event(Traded, price_ticks=4_000_000, lots=1_000),
            event(Traded, trade_id=2, price_ticks=5_000_000, lots=3_000),
        )
    )
    return board


def test_a_book_is_shown_best_first() -> None:
    board = a_board()
    assert book_say(board, "BTC-USDT", 1) == BookSay(
        "BTC-USDT", 1, [("49990.00", "0.00003")], [("50010.00", "0.00001")]
    )
    assert len(book_say(board, "BTC-USDT", 9).bids) == 2
    assert bbo_say(board, "BTC-USDT") == BboSay(
        "BTC-USDT", "49990.00", "0.00003", "50010.00", "0.00001"
    )
    assert bbo_say(board, PERP.symbol) == BboSay(PERP.symbol, None, None, None, None)


def test_a_ticker_tells_the_change_in_percent() -> None:
    # From 40000 to 50000: 10000, or 25 %. 0.01 x 40000 + 0.03 x 50000 = 1900 USDT.
    assert ticker_say(a_board(), "BTC-USDT") == TickerSay(
        symbol="BTC-USDT",
        last="50000.00",
        open="40000.00",
        high="50000.00",
        low="40000.00",
        change="10000.00",
        change_percent="25.00",
        volume="0.04000",
        quote_volume="1900",
        trades=2,
        bid="49990.00",
        ask="50010.00",
        time=START_MS,
    )


def test_a_ticker_without_a_trade_has_no_prices() -> None:
    say = ticker_say(a_board(), PERP.symbol)
    assert (say.last, say.open, say.change, say.change_percent) == (None, None, None, None)
    assert (say.volume, say.trades) == ("0.000", 0)


def test_a_candle_tells_its_volumes_and_whether_it_is_over() -> None:
    board = a_board()
    board.on_group(group(event(Marked, time_ms=START_MS + MINUTE_MS)))
    over, running = board.candles.get("BTC-USDT", "1m")
    pair = board.instruments["BTC-USDT"]
    assert candle_say(pair, "1m", over, closed=True) == CandleSay(
        open_time=START_MS,
        interval="1m",
        open="40000.00",
        high="50000.00",
        low="40000.00",
        close="50000.00",
        volume="0.04000",
        quote_volume="1900",
        trades=2,
        closed=True,
        synthetic=False,
    )
    said = candle_say(pair, "1m", running, closed=False)
    assert (said.closed, said.volume, said.close) == (False, "0.00000", "50000.00")


def test_a_mark_that_was_never_made_is_empty() -> None:
    board = a_board()
    nothing = MarkSay(PERP.symbol, None, None, None, None, None, START_MS)
    assert current_mark_say(board, PERP.symbol) == nothing
    board.on_group(group(event(Marked), event(IndexPriced)))
    assert current_mark_say(board, PERP.symbol).mark == "50000.5"
    assert current_mark_say(board, SPOT.symbol).index == "50000"


def test_the_status_lists_every_symbol() -> None:
    assert status_say(a_board()).symbols == {"BTC-USDT": "trading", "BTC-USDT-PERP": "trading"}
