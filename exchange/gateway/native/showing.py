"""What the board shows, as native messages: books, tickers, candles, marks, the venue's status."""

from __future__ import annotations

from exchange.gateway.native.translate import (
    index_say,
    level_texts,
    mark_say,
)
from exchange.views.board import Board
from exchange.views.candles import Candle
from exchange.wire import (
    BboSay,
    BookSay,
    CandleSay,
    MarkSay,
    TickerSay,
)
from exchange.wire.stream import ENV, StatusSay
from matching.instrument import Instrument, amount_text, fixed_text
from risk.money import half_even_div

_PERCENT_E2 = 10_000  # A change in percent is told to two places.


def book_say(board: Board, symbol: str, levels: int) -> BookSay:
    """The best levels of a book."""
    instrument = board.instruments[symbol]
    last_id, bids, asks = board.depth.snapshot(symbol, levels)
    return BookSay(symbol, last_id, level_texts(instrument, bids), level_texts(instrument, asks))


def bbo_say(board: Board, symbol: str) -> BboSay:
    """Best bid and offer."""
    instrument = board.instruments[symbol]
    bbo = board.depth.bbo(symbol)
    return BboSay(
        symbol,
        _price(instrument, bbo.bid_ticks),
        instrument.qty_text(bbo.bid_lots) if bbo.bid_lots else None,
        _price(instrument, bbo.ask_ticks),
        instrument.qty_text(bbo.ask_lots) if bbo.ask_lots else None,
    )


def ticker_say(board: Board, symbol: str) -> TickerSay:
    """Twenty-four hours in one line; volumes of base and quote."""
    instrument = board.instruments[symbol]
    ticker = board.tickers.get(symbol)
    change = percent = None
    if ticker.last is not None and ticker.open is not None:
        ticks = ticker.last - ticker.open
        change = instrument.price_text(ticks)
        percent = fixed_text(half_even_div(ticks * _PERCENT_E2, ticker.open), 2)
    return TickerSay(
        symbol,
        _price(instrument, ticker.last),
        _price(instrument, ticker.open),
        _price(instrument, ticker.high),
        _price(instrument, ticker.low),
        change,
        percent,
        instrument.qty_text(ticker.lots),
        amount_text(instrument.quote_minor(ticker.units, ticker.lots)),
        ticker.trades,
        _price(instrument, ticker.bbo.bid_ticks),
        _price(instrument, ticker.bbo.ask_ticks),
        board.time_ms,
    )


def candle_say(instrument: Instrument, interval: str, candle: Candle, closed: bool) -> CandleSay:
    """One candle; volumes of base and quote."""
    return CandleSay(
        candle.open_ms,
        interval,
        instrument.price_text(candle.open),
        instrument.price_text(candle.high),
        instrument.price_text(candle.low),
        instrument.price_text(candle.close),
        instrument.qty_text(candle.lots),
        amount_text(instrument.quote_minor(candle.units, candle.lots)),
        candle.trades,
        closed,
        candle.synthetic,
    )


def current_mark_say(board: Board, symbol: str) -> MarkSay:
    """Index and mark as they stand; of a spot pair the index alone."""
    marked = board.marks.mark(symbol)
    if marked is not None:
        return mark_say(marked, board.instruments[symbol], board.marks.open_lots(symbol))
    indexed = board.marks.index(symbol)
    if indexed is not None:
        return index_say(indexed)
    return MarkSay(symbol, None, None, None, None, None, board.time_ms)


def status_say(board: Board) -> StatusSay:
    """The trading state of every symbol."""
    return StatusSay(ENV, "snapshot", symbols=dict(board.states))


def _price(instrument: Instrument, ticks: int | None) -> str | None:
    return instrument.price_text(ticks) if ticks else None
