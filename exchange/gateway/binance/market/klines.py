"""Candles as Binance tells them, also of intervals longer than a day, folded from days."""

from __future__ import annotations

from typing import Any, Final, Literal, NamedTuple

from exchange.gateway.binance.calls import Call, Route
from exchange.gateway.binance.errors import BAD_INTERVAL, BAD_VALUE, refused
from exchange.gateway.binance.intervals import (
    FOLDED,
    SECOND,
    close_ms,
    fold_days,
    has_candles,
    slot_ms,
    slot_of,
)
from exchange.gateway.binance.market.marks import rate_say
from exchange.gateway.binance.params import Params
from exchange.gateway.binance.streams.payloads import Numbers
from exchange.gateway.past import candles_of
from exchange.views.candles import Candle
from matching.instrument import Instrument, fixed_text
from matching.limits import SCALE
from risk.parameters import DAY_MS

SPOT_LIMIT_MAX: Final = 1_000
FUTURES_LIMIT_MAX: Final = 1_500
LIMIT: Final = 500
DAYS_AT_ONCE: Final = 1_500
FUTURES_WEIGHTS: Final = ((100, 1), (500, 2), (1_000, 5))  # Fewer than so many; else ten.


Kind = Literal["last", "mark", "index", "premium"]


class Line(NamedTuple):
    """Which candles: those of a symbol's trades, or of a perpetual's mark, index or premium."""

    symbol: str
    interval: str
    kind: Kind = "last"


async def found_candles(call: Call, line: Line) -> list[Candle]:
    """The candles asked for, oldest first: from `startTime` the first ones, else the last.

    Both bounds are inclusive, and are of the moments at which candles open.
    """
    symbol, interval, kind = line
    start_ms, end_ms = call.params.integer("startTime"), call.params.integer("endTime")
    most = SPOT_LIMIT_MAX if call.product == "spot" else FUTURES_LIMIT_MAX
    limit = call.params.limit(LIMIT, most)
    now_ms = call.now_ms
    end_ms = now_ms if end_ms is None else min(end_ms, now_ms)
    if end_ms < max(start_ms or 0, 0):
        return []
    if interval == SECOND:
        return call.dialect.hub.seconds.get(symbol, start_ms, end_ms, limit, now_ms)
    if interval not in FOLDED:
        return await candles_of(call.doors, symbol, interval, start_ms, end_ms, limit, kind)
    last = slot_of(interval, end_ms)
    if start_ms is None:
        first = max(last - limit + 1, 0)
    else:
        first = slot_of(interval, start_ms)
        first += slot_ms(interval, first) < start_ms
    return await _folded(call, line, (first, last), limit)


async def _folded(call: Call, line: Line, slots: tuple[int, int], limit: int) -> list[Candle]:
    """The first candles of those numbers, from the days they are made of."""
    symbol, interval, kind = line
    folded: list[Candle] = []
    start_ms, end_ms = slot_ms(interval, slots[0]), slot_ms(interval, slots[1] + 1) - 1
    while True:
        days = await candles_of(call.doors, symbol, "1d", start_ms, end_ms, DAYS_AT_ONCE, kind)
        fold_days(interval, days, folded)
        if len(days) < DAYS_AT_ONCE or len(folded) > limit:
            return folded[:limit]
        start_ms = days[-1].open_ms + DAY_MS


def row(numbers: Numbers, interval: str, candle: Candle) -> list[Any]:
    """A candle as twelve values."""
    return [
        candle.open_ms,
        numbers.price(candle.open),
        numbers.price(candle.high),
        numbers.price(candle.low),
        numbers.price(candle.close),
        numbers.qty(candle.lots),
        close_ms(interval, candle.open_ms),
        numbers.turnover(candle.units, candle.lots),
        candle.trades,
        numbers.qty(candle.taker_lots),
        numbers.turnover(candle.taker_units, candle.taker_lots),
        "0",
    ]


def interval_of(call: Call) -> str:
    """The interval that is asked for; -1120 for one that is not kept."""
    interval = call.params.need("interval")
    if not has_candles(interval, call.product):
        raise refused(BAD_INTERVAL)
    return interval


async def _klines(call: Call, instrument: Instrument) -> list[list[Any]]:
    params = call.params
    interval = interval_of(call)
    if params.get("timeZone", "0") not in {"0", "00:00", "0:00", "+0", "+00:00"}:
        raise refused(BAD_VALUE, "timeZone")  # Candles stand on the grid of UTC alone.
    found = await found_candles(call, Line(instrument.symbol, interval))
    numbers = Numbers(instrument)
    return [row(numbers, interval, candle) for candle in found]


async def klines(call: Call) -> list[list[Any]]:
    """Candles of a symbol. `uiKlines`, meant for charts, are the same."""
    return await _klines(call, call.instrument())


async def continuous_klines(call: Call) -> list[list[Any]]:
    """Candles of a pair's perpetual."""
    pair = call.params.need("pair")
    if call.params.need("contractType").upper() != "PERPETUAL":
        raise refused(BAD_VALUE, "contractType")
    return await _klines(call, call.dialect.symbols.of_pair(call.product, pair))


async def _price_klines(call: Call, instrument: Instrument, kind: Kind) -> list[list[Any]]:
    interval = interval_of(call)
    found = await found_candles(call, Line(instrument.symbol, interval, kind))
    return [price_row(interval, candle, kind) for candle in found]


def price_row(interval: str, candle: Candle, kind: Kind) -> list[Any]:
    """A candle of a price that nobody trades at (10^-8), or of a premium (10^-12).

    It has no volume, and a count of its moments.
    """
    prices = (candle.open, candle.high, candle.low, candle.close)
    closes_ms = close_ms(interval, candle.open_ms)
    told = [rate_say(price) if kind == "premium" else fixed_text(price, SCALE) for price in prices]
    return [candle.open_ms, *told, "0", closes_ms, "0", candle.trades, "0", "0", "0"]


async def mark_klines(call: Call) -> list[list[Any]]:
    """Candles of a perpetual's mark."""
    return await _price_klines(call, call.instrument(), "mark")


async def index_klines(call: Call) -> list[list[Any]]:
    """Candles of a pair's index."""
    pair = call.dialect.symbols.of_pair(call.product, call.params.need("pair"))
    return await _price_klines(call, pair, "index")


async def premium_klines(call: Call) -> list[list[Any]]:
    """Candles of the premium that funding is made of."""
    return await _price_klines(call, call.instrument(), "premium")


def futures_weight(params: Params) -> int:
    """By how many candles are asked for."""
    limit = params.limit(LIMIT, FUTURES_LIMIT_MAX)
    return next((weight for below, weight in FUTURES_WEIGHTS if limit < below), 10)


ROUTES = (
    Route(verb="GET", path="/api/v3/klines", handler=klines, weight=2, method="klines"),
    Route(verb="GET", path="/api/v3/uiKlines", handler=klines, weight=2, method="uiKlines"),
    *(
        Route(verb="GET", path=f"/{api}/v1/{name}", handler=handler, weight=futures_weight)
        for api in ("fapi", "dapi")
        for name, handler in (
            ("klines", klines),
            ("continuousKlines", continuous_klines),
            ("markPriceKlines", mark_klines),
            ("indexPriceKlines", index_klines),
            ("premiumIndexKlines", premium_klines),
        )
    ),
)
