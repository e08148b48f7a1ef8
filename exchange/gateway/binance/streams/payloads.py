"""What each stream says, as the records of Binance: numbers are text, times milliseconds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from exchange.events import DepthChanged, Liquidated, Marked, Traded
from exchange.gateway.binance.intervals import close_ms
from exchange.gateway.binance.symbols import name_of, pair_of
from exchange.views.candles import Candle
from exchange.views.depth import Bbo, Levels, Snapshot
from exchange.views.tickers import Ticker
from matching.instrument import Instrument, fixed_text
from matching.limits import SCALE
from matching.types import Side
from risk.money import half_even_div
from risk.parameters import DAY_MS

Payload = dict[str, Any]

ONE_E8: Final = 10**SCALE
NO_TRADE: Final = -1  # The id of a trade that there is not,
NO_TRADES: Final = (NO_TRADE, NO_TRADE)  # as of a candle's first and last where it has none.
_PERCENT_E3: Final = 100_000  # Changes in percent have three places.


class Numbers:
    """An instrument's numbers as text: eight places on spot, those of tick and lot on futures."""

    __slots__ = ("_spot", "instrument", "name")

    def __init__(self, instrument: Instrument) -> None:
        self.instrument = instrument
        self.name = name_of(instrument)
        self._spot = instrument.kind == "spot"

    def price(self, ticks: int) -> str:
        """A price."""
        if self._spot:
            return fixed_text(ticks * self.instrument.tick_e8, SCALE)
        return self.instrument.price_text(ticks)

    def price_e8(self, e8: int) -> str:
        """A price that stands on no tick, such as a mark or a mean."""
        return fixed_text(e8, SCALE)

    def qty(self, lots: int) -> str:
        """A quantity; contracts on COIN-M."""
        if self._spot:
            return fixed_text(lots * self.instrument.lot_minor, SCALE)
        return self.instrument.qty_text(lots)

    def turnover(self, units: int, lots: int) -> str:
        """What so many lots came to: in the quote; on COIN-M in the base, at their mean price."""
        instrument = self.instrument
        if instrument.kind != "inverse":
            return fixed_text(instrument.quote_minor(units, lots), SCALE)
        if not units:
            return fixed_text(0, SCALE)
        cost_e16 = lots * lots * instrument.face_minor * ONE_E8
        return fixed_text(half_even_div(cost_e16, units * instrument.tick_e8), SCALE)

    def mean_e8(self, units: int, lots: int) -> int:
        """The mean price of so many lots, weighted by them; 0 of none."""
        return half_even_div(units * self.instrument.tick_e8, lots) if lots else 0


def trade(numbers: Numbers, event: Traded) -> Payload:
    """One trade."""
    said: Payload = {
        "e": "trade",
        "E": event.time_ms,
        "s": numbers.name,
        "t": event.trade_id,
        "p": numbers.price(event.price_ticks),
        "q": numbers.qty(event.lots),
        "T": event.time_ms,
        "m": event.taker_side is Side.SELL,
    }
    return {**said, "M": True} if _is_spot(numbers) else {**said, "X": "MARKET"}


def agg_trade(numbers: Numbers, trades: Sequence[Traded]) -> Payload:
    """The fills of one taker's order at one price, under the id of the first."""
    first, last = trades[0], trades[-1]
    said: Payload = {
        "e": "aggTrade",
        "E": last.time_ms,
        "s": numbers.name,
        "a": first.trade_id,
        "p": numbers.price(first.price_ticks),
        "q": numbers.qty(sum(each.lots for each in trades)),
        "f": first.trade_id,
        "l": last.trade_id,
        "T": last.time_ms,
        "m": first.taker_side is Side.SELL,
    }
    return {**said, "M": True} if _is_spot(numbers) else said


def kline(
    numbers: Numbers,
    interval: str,
    candle: Candle,
    ids: tuple[int, int],
    *,
    closed: bool,
    time_ms: int,
    continuous: bool = False,
) -> Payload:
    """One candle, and the ids of its first and last trade.

    `continuous` names it after its pair, as the perpetual's.
    """
    bar: Payload = {
        "t": candle.open_ms,
        "T": close_ms(interval, candle.open_ms),
        "s": numbers.name,
        "i": interval,
        "f": ids[0],
        "L": ids[1],
        "o": numbers.price(candle.open),
        "c": numbers.price(candle.close),
        "h": numbers.price(candle.high),
        "l": numbers.price(candle.low),
        "v": numbers.qty(candle.lots),
        "n": candle.trades,
        "x": closed,
        "q": numbers.turnover(candle.units, candle.lots),
        "V": numbers.qty(candle.taker_lots),
        "Q": numbers.turnover(candle.taker_units, candle.taker_lots),
        "B": "0",
    }
    if not continuous:
        return {"e": "kline", "E": time_ms, "s": numbers.name, "k": bar}
    del bar["s"]
    return {
        "e": "continuous_kline",
        "E": time_ms,
        "ps": pair_of(numbers.instrument),
        "ct": "PERPETUAL",
        "k": bar,
    }


def mini_ticker(numbers: Numbers, ticker: Ticker, time_ms: int) -> Payload:
    """A day's prices and volumes; of a symbol that has traded."""
    assert ticker.last is not None, "only what has traded has a ticker"
    return {
        "e": "24hrMiniTicker",
        "E": time_ms,
        "s": numbers.name,
        **_pair(numbers),
        "c": numbers.price(ticker.last),
        "o": numbers.price(ticker.open or 0),
        "h": numbers.price(ticker.high or 0),
        "l": numbers.price(ticker.low or 0),
        "v": numbers.qty(ticker.lots),
        "q": numbers.turnover(ticker.units, ticker.lots),
    }


def day_ticker(numbers: Numbers, ticker: Ticker, last: Traded | None, time_ms: int) -> Payload:
    """A day in full; `last` is the last trade."""
    assert ticker.last is not None, "only what has traded has a ticker"
    assert ticker.open, "what has a last price has a first"
    moved = ticker.last - ticker.open
    said: Payload = {
        **mini_ticker(numbers, ticker, time_ms),
        "e": "24hrTicker",
        "p": numbers.price(moved),
        "P": fixed_text(half_even_div(moved * _PERCENT_E3, ticker.open), 3),
        "w": numbers.price_e8(numbers.mean_e8(ticker.units, ticker.lots)),
        "Q": numbers.qty(last.lots if last else 0),
        "O": max(0, time_ms - DAY_MS),
        "C": time_ms,
        "F": max(0, last.trade_id - ticker.trades + 1) if last else NO_TRADE,
        "L": last.trade_id if last else NO_TRADE,
        "n": ticker.trades,
    }
    if _is_spot(numbers):
        said["x"] = numbers.price(ticker.open)
        said |= _best(numbers, ticker.bbo)
    return said


def book_ticker(numbers: Numbers, bbo: Bbo, last_id: int, time_ms: int) -> Payload:
    """Best bid and offer; that of spot has no name and no time."""
    said = {"u": last_id, "s": numbers.name, **_pair(numbers), **_best(numbers, bbo)}
    if _is_spot(numbers):
        return said
    return {"e": "bookTicker", **said, "T": time_ms, "E": time_ms}


def depth(numbers: Numbers, change: DepthChanged) -> Payload:
    """What changed in a book, from `U` to `u`; a futures' also names the id before, `pu`."""
    said: Payload = {"e": "depthUpdate", "E": change.time_ms}
    if not _is_spot(numbers):
        said["T"] = change.time_ms
    said |= {"s": numbers.name, **_pair(numbers), "U": change.first_id, "u": change.last_id}
    if not _is_spot(numbers):
        said["pu"] = change.first_id - 1
    said["b"] = _levels(numbers, change.bids)
    said["a"] = _levels(numbers, change.asks)
    return said


def levels(numbers: Numbers, book: Snapshot, before_id: int, time_ms: int) -> Payload:
    """The best levels of a book; `before_id` is what this stream told last."""
    bids, asks = _levels(numbers, book.bids), _levels(numbers, book.asks)
    if _is_spot(numbers):
        return {"lastUpdateId": book.last_id, "bids": bids, "asks": asks}
    return {
        "e": "depthUpdate",
        "E": time_ms,
        "T": time_ms,
        "s": numbers.name,
        **_pair(numbers),
        "U": min(before_id + 1, book.last_id),
        "u": book.last_id,
        "pu": before_id,
        "b": bids,
        "a": asks,
    }


def mark_price(numbers: Numbers, event: Marked) -> Payload:
    """Mark, index and the funding to come; a perpetual never settles, so `P` is the index."""
    return {
        "e": "markPriceUpdate",
        "E": event.time_ms,
        "s": numbers.name,
        "p": numbers.price_e8(event.mark_e8),
        "i": numbers.price_e8(event.index_e8),
        "P": numbers.price_e8(event.index_e8),
        "r": fixed_text(half_even_div(event.predicted_rate_e12, 10_000), SCALE),
        "T": event.next_funding_ms,
    }


def index_price(numbers: Numbers, event: Marked) -> Payload:
    """The index of a COIN-M pair."""
    return {
        "e": "indexPriceUpdate",
        "E": event.time_ms,
        "i": pair_of(numbers.instrument),
        "p": numbers.price_e8(event.index_e8),
    }


def force_order(numbers: Numbers, event: Liquidated) -> Payload:
    """A forced trade, as the immediate order that it was."""
    price, qty = numbers.price(event.price_ticks), numbers.qty(event.lots)
    order = {
        "s": numbers.name,
        **_pair(numbers),
        "S": event.side.name,
        "o": "LIMIT",
        "f": "IOC",
        "q": qty,
        "p": price,
        "ap": price,
        "X": "FILLED",
        "l": qty,
        "z": qty,
        "T": event.time_ms,
    }
    return {"e": "forceOrder", "E": event.time_ms, "o": order}


def _is_spot(numbers: Numbers) -> bool:
    return numbers.instrument.kind == "spot"


def _pair(numbers: Numbers) -> Payload:
    """What COIN-M says besides the symbol."""
    instrument = numbers.instrument
    return {"ps": pair_of(instrument)} if instrument.kind == "inverse" else {}


def _best(numbers: Numbers, bbo: Bbo) -> Payload:
    return {
        "b": numbers.price(bbo.bid_ticks),
        "B": numbers.qty(bbo.bid_lots),
        "a": numbers.price(bbo.ask_ticks),
        "A": numbers.qty(bbo.ask_lots),
    }


def _levels(numbers: Numbers, found: Levels) -> list[list[str]]:
    return [[numbers.price(ticks), numbers.qty(lots)] for ticks, lots in found]
