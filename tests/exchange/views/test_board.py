"""A group of events reaches every view."""

from __future__ import annotations

from exchange.events import (
    DepthChanged,
    FundingFixed,
    IndexPriced,
    InterestFixed,
    Marked,
    OrderChanged,
    PositionChanged,
    SymbolStateChanged,
    Traded,
)
from exchange.views.board import Board
from matching.types import Order, OrderType, Side
from tests.exchange.events_by_hand import (
    EVENT_KINDS,
    INSTRUMENTS,
    MINUTE_MS,
    PERP,
    SPOT,
    START_MS,
    event,
    group,
)


def test_a_group_reaches_every_view() -> None:
    board = Board(INSTRUMENTS)
    board.on_group(
        group(
            event(DepthChanged, bids=[(5_000_000, 3)]),
            event(Traded),
            event(OrderChanged, time_ms=START_MS + 1),
            event(PositionChanged, lots=4),
            event(Marked),
            event(IndexPriced),
            event(FundingFixed),
            event(InterestFixed),
            event(SymbolStateChanged, state="halt"),
        )
    )
    assert board.depth.bbo(SPOT.symbol).bid_lots == 3
    assert board.trades.last(SPOT.symbol) is not None
    assert board.candles.last_ticks(SPOT.symbol) == 5_000_000
    assert board.tickers.get(SPOT.symbol).trades == 1
    order = Order(7, 100, SPOT.symbol, Side.BUY, OrderType.LIMIT, 1, 1)
    assert board.orders.updated_ms(order) == START_MS + 1
    assert board.marks.open_lots(PERP.symbol) == 4
    assert board.marks.mark(PERP.symbol) is not None
    assert board.marks.index(SPOT.symbol) is not None
    assert len(board.marks.fundings(PERP.symbol, 9)) == 1
    assert board.rates_e12 == {"BTC": 3_000_000}
    assert board.states == {SPOT.symbol: "halt", PERP.symbol: "trading"}


def test_the_board_knows_how_far_it_has_read() -> None:
    board = Board(INSTRUMENTS)
    board.on_group(group(event(Traded, seq=8)) + group(event(Marked, seq=9, time_ms=START_MS + 5)))
    assert (board.seq, board.time_ms) == (9, START_MS + 5)


def test_the_time_of_any_event_closes_candles() -> None:
    board = Board(INSTRUMENTS)
    board.on_group(group(event(Traded)))
    board.on_group(group(event(Marked, time_ms=START_MS + MINUTE_MS)))
    assert len(board.candles.get(SPOT.symbol, "1m")) == 2


def test_there_is_no_event_it_stumbles_over() -> None:
    board = Board(INSTRUMENTS)
    board.on_group(group(*[event(kind) for kind in EVENT_KINDS]))
    assert board.seq == 1


def test_open_interest_has_candles_and_the_premium_of_whom_it_is_asked_for() -> None:
    board = Board(INSTRUMENTS)
    board.on_group(group(event(PositionChanged, lots=4)))
    (interest,) = board.price_candles["interest"].get(PERP.symbol, "1m")
    assert interest.close == 4
    board.on_group(group(event(Marked)))
    assert board.price_candles["premium"].get(PERP.symbol, "1m") == []
