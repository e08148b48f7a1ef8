"""Prices and volumes of a day, of a trading day and of rolling windows; last and mean prices."""

from __future__ import annotations

import re
from typing import Any, Final

from exchange.gateway.binance.calls import Call, Route, Weight
from exchange.gateway.binance.errors import BAD_VALUE, refused
from exchange.gateway.binance.market.choosing import chosen, said_of, weight_of
from exchange.gateway.binance.params import Params
from exchange.gateway.binance.streams.payloads import NO_TRADE, Numbers
from exchange.gateway.binance.streams.windows import (
    AVERAGE_MINUTES,
    PERCENT_E3,
    begins_ms,
    mean_price_e8,
    whole_of,
)
from exchange.gateway.binance.symbols import pair_of
from exchange.gateway.past import candles_of
from exchange.views.candles import MINUTE_MS, Candle
from matching.instrument import Instrument, fixed_text
from risk.money import half_even_div
from risk.parameters import DAY_MS, HOUR_MS

MINI: Final = (
    *("symbol", "openPrice", "highPrice", "lowPrice", "lastPrice", "volume", "quoteVolume"),
    *("openTime", "closeTime", "firstId", "lastId", "count"),
)
NEVER: Final = Candle(0, 0, 0, 0, 0)

_WINDOW: Final = re.compile(r"([1-9]\d?)([mhd])")
_UNITS: Final = {"m": (MINUTE_MS, 59), "h": (HOUR_MS, 23), "d": (DAY_MS, 7)}


def statistics(
    call: Call, instrument: Instrument, bar: Candle, span: tuple[int, int]
) -> dict[str, Any]:
    """What every ticker tells of a stretch of time; `bar` is all that was traded in it."""
    numbers = Numbers(instrument)
    moved = bar.close - bar.open
    last = call.doors.board.trades.last(instrument.symbol)
    last_id = last.trade_id if last is not None and bar.trades else NO_TRADE
    said: dict[str, Any] = {"symbol": numbers.name}
    if call.product == "cm":
        said["pair"] = pair_of(instrument)
    percent_e3 = half_even_div(moved * PERCENT_E3, bar.open) if bar.open else 0
    return said | {
        "priceChange": numbers.price(moved),
        "priceChangePercent": fixed_text(percent_e3, 3),
        "weightedAvgPrice": numbers.price_e8(numbers.mean_e8(bar.units, bar.lots)),
        "openPrice": numbers.price(bar.open),
        "highPrice": numbers.price(bar.high),
        "lowPrice": numbers.price(bar.low),
        "lastPrice": numbers.price(bar.close),
        "volume": numbers.qty(bar.lots),
        _turnover(call): numbers.turnover(bar.units, bar.lots),
        "openTime": span[0],
        "closeTime": span[1],
        "firstId": last_id - bar.trades + 1 if bar.trades else NO_TRADE,
        "lastId": last_id,
        "count": bar.trades,
    }


def _turnover(call: Call) -> str:
    return "baseVolume" if call.product == "cm" else "quoteVolume"


def day_say(call: Call, instrument: Instrument) -> dict[str, Any]:
    """Twenty-four hours; of spot with the best prices beside them."""
    board = call.doors.board
    ticker = board.tickers.get(instrument.symbol)
    bar = NEVER
    if ticker.last is not None:
        bar = Candle(
            0,
            ticker.open or 0,
            ticker.high or 0,
            ticker.low or 0,
            ticker.last,
            ticker.lots,
            ticker.units,
            ticker.trades,
        )
    said = statistics(call, instrument, bar, (call.now_ms - DAY_MS, call.now_ms))
    numbers = Numbers(instrument)
    last = board.trades.last(instrument.symbol)
    said["lastQty"] = numbers.qty(last.lots if last is not None else 0)
    if call.product == "spot":
        bbo = ticker.bbo
        said |= {
            "prevClosePrice": numbers.price(bar.open),
            "bidPrice": numbers.price(bbo.bid_ticks),
            "bidQty": numbers.qty(bbo.bid_lots),
            "askPrice": numbers.price(bbo.ask_ticks),
            "askQty": numbers.qty(bbo.ask_lots),
        }
    return said


async def day_ticker(call: Call) -> Any:
    """Twenty-four hours of one symbol, of some, or of all."""
    shown = _shape(call)
    return said_of(call, chosen(call), lambda call, one: shown(day_say(call, one)))


def _shape(call: Call) -> Any:
    """What leaves out of a ticker all that `type=MINI` does not want."""
    is_mini = call.params.choice("type", ("FULL", "MINI"), "FULL") == "MINI"
    return lambda said: {name: said[name] for name in MINI} if is_mini else said


def price_say(call: Call, instrument: Instrument) -> dict[str, Any]:
    """The last price; 0 before the first trade."""
    numbers = Numbers(instrument)
    last = call.doors.board.candles.last_ticks(instrument.symbol)
    said: dict[str, Any] = {"symbol": numbers.name}
    if call.product == "cm":
        said["ps"] = pair_of(instrument)
    said["price"] = numbers.price(last or 0)
    return said if call.product == "spot" else {**said, "time": call.now_ms}


async def price_ticker(call: Call) -> Any:
    """The last price of one symbol, of some, or of all."""
    return said_of(call, chosen(call), price_say)


async def average_price(call: Call) -> dict[str, Any]:
    """The mean of the last five minutes' trades; the last price where there were none."""
    instrument = call.instrument()
    numbers = Numbers(instrument)
    last = call.doors.board.trades.last(instrument.symbol)
    return {
        "mins": AVERAGE_MINUTES,
        "price": numbers.price_e8(mean_price_e8(call.doors.board, numbers)),
        "closeTime": last.time_ms if last is not None else call.now_ms,
    }


async def rolling_ticker(call: Call) -> Any:
    """A window that ends now and begins at a minute: so many minutes, hours or days."""
    text = call.params.get("windowSize", "1d")
    window = _WINDOW.fullmatch(text)
    if window is None or int(window[1]) > _UNITS[window[2]][1]:
        raise refused(BAD_VALUE, "windowSize")
    long_ms = int(window[1]) * _UNITS[window[2]][0]
    return await _of_span(call, begins_ms(call.now_ms, long_ms), call.now_ms)


async def trading_day(call: Call) -> Any:
    """The day in UTC so far."""
    if call.params.get("timeZone", "0") not in {"0", "00:00", "0:00", "+0", "+00:00"}:
        raise refused(BAD_VALUE, "timeZone")  # Candles stand on the grid of UTC alone.
    open_ms = call.now_ms - call.now_ms % DAY_MS
    return await _of_span(call, open_ms, open_ms + DAY_MS - 1)


async def _of_span(call: Call, start_ms: int, end_ms: int) -> Any:
    shown, found = _shape(call), chosen(call, named=True)
    said = []
    for instrument in found.instruments:
        bar = await traded_between(call, instrument.symbol, start_ms)
        said.append(shown(statistics(call, instrument, bar, (start_ms, end_ms))))
    return said[0] if found.single else said


async def traded_between(call: Call, symbol: str, start_ms: int) -> Candle:
    """All that was traded since the minute at `start_ms`: its minutes up to a full hour, then
    hours."""
    hour_ms = -(-start_ms // HOUR_MS) * HOUR_MS
    bars: list[Candle] = []
    if start_ms < hour_ms:
        bars = await candles_of(call.doors, symbol, "1m", start_ms, hour_ms - 1, 60)
    bars += await candles_of(call.doors, symbol, "1h", hour_ms, None, 7 * 24)
    return whole_of(bars) or NEVER


def spot_day_weight(params: Params) -> int:
    """By how many symbols are asked for."""
    if params.has("symbol"):
        return 2
    if not params.has("symbols"):
        return 80
    return 2 if len(params.array("symbols")) <= 20 else 40  # noqa: PLR2004


def each_weight(params: Params) -> int:
    """Four for each symbol, and no more than two hundred."""
    return min(4 * max(1, len(params.array("symbols"))), 200)


def _of_futures(name: str, handler: Any, weight: Weight, method: str = "") -> tuple[Route, ...]:
    return tuple(
        Route(verb="GET", path=f"/{api}/{name}", handler=handler, weight=weight, method=method)
        for api in ("fapi", "dapi")
    )


_PRICE: Final = weight_of(1, 2)
ROUTES = (
    Route(
        verb="GET",
        path="/api/v3/ticker/24hr",
        handler=day_ticker,
        weight=spot_day_weight,
        method="ticker.24hr",
    ),
    Route(
        verb="GET",
        path="/api/v3/ticker/price",
        handler=price_ticker,
        weight=weight_of(2, 4),
        method="ticker.price",
    ),
    Route(verb="GET", path="/api/v3/avgPrice", handler=average_price, weight=2, method="avgPrice"),
    Route(
        verb="GET",
        path="/api/v3/ticker",
        handler=rolling_ticker,
        weight=each_weight,
        method="ticker",
    ),
    Route(
        verb="GET",
        path="/api/v3/ticker/tradingDay",
        handler=trading_day,
        weight=each_weight,
        method="ticker.tradingDay",
    ),
    *_of_futures("v1/ticker/24hr", day_ticker, weight_of(1, 40)),
    *_of_futures("v1/ticker/price", price_ticker, _PRICE, "ticker.price"),
    Route(verb="GET", path="/fapi/v2/ticker/price", handler=price_ticker, weight=_PRICE),
)
