"""What traders of futures do, period by period: open interest, who holds it, who took from books.

Top traders are the fifth of a contract's holders whose positions are the largest.

Open interest and accounts are stamped with the moment they were seen at, the end of a period;
what takers bought and sold with the period's beginning. Only periods that are over are told.
"""

from __future__ import annotations

from typing import Any, Final

from exchange.gateway.binance.calls import Call, Route
from exchange.gateway.binance.errors import BAD_VALUE, MANDATORY, refused
from exchange.gateway.binance.streams.payloads import Numbers
from exchange.gateway.binance.symbols import pair_of
from exchange.gateway.past import candles_of
from exchange.views.candles import Candle
from exchange.wire import INTERVALS_MS
from matching.instrument import Instrument, fixed_text
from matching.limits import SCALE
from risk.money import half_even_div

PERIODS: Final = ("5m", "15m", "30m", "1h", "2h", "4h", "6h", "12h", "1d")
LIMIT: Final = 30
LIMIT_MAX: Final = 500
RATIO_PLACES: Final = 4
E8: Final = 10**SCALE


def _contract(call: Call) -> Instrument:
    """The contract that `symbol` names on USD-M, or `pair` and `contractType` on COIN-M."""
    params, symbols = call.params, call.dialect.symbols
    if not params.has("pair"):
        return symbols.of("um", params.need("symbol"))
    if params.need("contractType").upper() not in {"PERPETUAL", "ALL"}:
        raise refused(BAD_VALUE, "contractType")
    return symbols.of_pair("cm", params.get("pair"))


async def _periods(
    call: Call, symbol: str, *kinds: str, by_end: bool = False
) -> list[list[Candle]]:
    """The candles of each kind in the periods that are asked for, and over.

    They are asked for by when they begin, or by when they end.
    """
    params = call.params
    period = params.need("period")
    if period not in PERIODS:
        raise refused(MANDATORY, "period")
    start_ms, end_ms = params.integer("startTime"), params.integer("endTime")
    limit, long_ms = params.limit(LIMIT, LIMIT_MAX), INTERVALS_MS[period]
    if by_end:
        start_ms = None if start_ms is None else start_ms - long_ms
        end_ms = None if end_ms is None else end_ms - long_ms
    last_ms = call.now_ms - long_ms
    end_ms = last_ms if end_ms is None else min(end_ms, last_ms)
    if end_ms < max(start_ms or 0, 0):
        return [[] for _ in kinds]
    return [
        await candles_of(call.doors, symbol, period, start_ms, end_ms, limit, kind)
        for kind in kinds
    ]


def _named(instrument: Instrument) -> dict[str, Any]:
    if instrument.kind == "inverse":
        return {"pair": pair_of(instrument), "contractType": "PERPETUAL"}
    return {"symbol": Numbers(instrument).name}


async def open_interest_hist(call: Call) -> list[dict[str, Any]]:
    """Open interest at the ends of periods, oldest first, and what it was worth by mark."""
    instrument = _contract(call)
    found, marks = await _periods(call, instrument.symbol, "interest", "mark", by_end=True)
    numbers, long_ms = Numbers(instrument), INTERVALS_MS[call.params.get("period")]
    marks_e8 = {candle.open_ms: candle.close for candle in marks}
    return [
        {
            **_named(instrument),
            "sumOpenInterest": numbers.qty(candle.close),
            "sumOpenInterestValue": worth(instrument, candle.close, marks_e8[candle.open_ms]),
            "timestamp": candle.open_ms + long_ms,
        }
        for candle in found
        if candle.open_ms in marks_e8
    ]


def worth(instrument: Instrument, lots: int, mark_e8: int) -> str:
    """What so many lots are worth at a mark: in quote, or on COIN-M in coins."""
    if instrument.kind == "inverse":
        coins_minor = half_even_div(lots * instrument.face_minor * E8, mark_e8)
        return fixed_text(coins_minor, SCALE)
    return fixed_text(half_even_div(lots * instrument.lot_minor * mark_e8, E8), SCALE)


async def account_ratio(call: Call) -> list[dict[str, Any]]:
    """How many accounts were long at the ends of periods, oldest first, and by how many short."""
    return await _long_by_short(call, "longs", "shorts", "Account")


async def top_account_ratio(call: Call) -> list[dict[str, Any]]:
    """How many of the top traders were long at the ends of periods, and by how many short."""
    return await _long_by_short(call, "top_longs", "top_shorts", "Account")


async def top_position_ratio(call: Call) -> list[dict[str, Any]]:
    """What the top traders were long at the ends of periods, by what they were short."""
    what = "Position" if call.params.has("pair") else "Account"  # As each product words it.
    return await _long_by_short(call, "top_long_lots", "top_short_lots", what)


async def _long_by_short(
    call: Call, longs_kind: str, shorts_kind: str, what: str
) -> list[dict[str, Any]]:
    """Two kinds at the ends of periods, oldest first: their shares, and the one by the other."""
    params, symbols = call.params, call.dialect.symbols
    by_pair = params.has("pair")
    instrument = symbols.of_pair("cm", params.get("pair")) if by_pair else _contract(call)
    long, short = await _periods(call, instrument.symbol, longs_kind, shorts_kind, by_end=True)
    named = {"pair": pair_of(instrument)} if by_pair else _named(instrument)
    long_ms = INTERVALS_MS[params.get("period")]
    return [
        {
            **named,
            f"long{what}": _ratio(longs.close, longs.close + shorts.close),
            f"short{what}": _ratio(shorts.close, longs.close + shorts.close),
            "longShortRatio": _ratio(longs.close, shorts.close),
            "timestamp": longs.open_ms + long_ms,
        }
        for longs, shorts in zip(long, short, strict=True)
    ]


async def taker_ratio(call: Call) -> list[dict[str, Any]]:
    """What takers bought and sold in periods of USD-M, oldest first, and the one by the other."""
    instrument = call.instrument()
    (found,) = await _periods(call, instrument.symbol, "last")
    numbers = Numbers(instrument)
    return [
        {
            "buySellRatio": _ratio(candle.taker_lots, candle.lots - candle.taker_lots),
            "buyVol": numbers.qty(candle.taker_lots),
            "sellVol": numbers.qty(candle.lots - candle.taker_lots),
            "timestamp": candle.open_ms,
        }
        for candle in found
    ]


def _ratio(one: int, other: int) -> str:
    """One by the other; 0 where there is no other."""
    places = 10**RATIO_PLACES
    return fixed_text(half_even_div(one * places, other) if other else 0, RATIO_PLACES)


async def taker_volumes(call: Call) -> list[dict[str, Any]]:
    """What takers bought and sold in periods of COIN-M, oldest first, in contracts and coins."""
    call.params.need("pair")
    instrument = _contract(call)
    (found,) = await _periods(call, instrument.symbol, "last")
    numbers = Numbers(instrument)
    said = []
    for candle in found:
        sold, sold_units = candle.lots - candle.taker_lots, candle.units - candle.taker_units
        said.append(
            {
                **_named(instrument),
                "takerBuyVol": numbers.qty(candle.taker_lots),
                "takerSellVol": numbers.qty(sold),
                "takerBuyVolValue": numbers.turnover(candle.taker_units, candle.taker_lots),
                "takerSellVolValue": numbers.turnover(sold_units, sold),
                "timestamp": candle.open_ms,
            }
        )
    return said


ROUTES = (
    Route(verb="GET", path="/futures/data/openInterestHist", handler=open_interest_hist),
    Route(verb="GET", path="/futures/data/globalLongShortAccountRatio", handler=account_ratio),
    Route(verb="GET", path="/futures/data/topLongShortAccountRatio", handler=top_account_ratio),
    Route(verb="GET", path="/futures/data/topLongShortPositionRatio", handler=top_position_ratio),
    Route(verb="GET", path="/futures/data/takerlongshortRatio", handler=taker_ratio),
    Route(verb="GET", path="/futures/data/takerBuySellVol", handler=taker_volumes),
)
