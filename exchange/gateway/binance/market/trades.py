"""Public trades, one by one and by taker, as Binance tells them.

An aggregate is what one taker's order traded at one price and moment; its id is that of its
first trade, as in the streams.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from exchange.events import Traded
from exchange.gateway.binance.calls import Call, Route
from exchange.gateway.binance.errors import BAD_COMBINATION, refused
from exchange.gateway.binance.streams.payloads import Numbers
from exchange.gateway.past import id_at, last_trades, trades_from
from matching.types import Side

LIMIT: Final = 500
LIMIT_MAX: Final = 1_000
TRADES_AT_ONCE: Final = 1_000

Aggregates = list[list[Traded]]


async def recent_trades(call: Call) -> list[dict[str, Any]]:
    """The last trades, oldest first."""
    instrument = call.instrument()
    limit = call.params.limit(LIMIT, LIMIT_MAX)
    found = await last_trades(call.doors, instrument.symbol, limit)
    return [_trade_say(Numbers(instrument), trade) for trade in found]


async def historical_trades(call: Call) -> list[dict[str, Any]]:
    """Trades from an id on, or the last ones."""
    instrument = call.instrument()
    from_id = call.params.integer("fromId")
    limit = call.params.limit(LIMIT, LIMIT_MAX)
    if from_id is None:
        found = await last_trades(call.doors, instrument.symbol, limit)
    else:
        found = await trades_from(call.doors, instrument.symbol, from_id, limit)
    return [_trade_say(Numbers(instrument), trade) for trade in found]


def _trade_say(numbers: Numbers, trade: Traded) -> dict[str, Any]:
    instrument = numbers.instrument
    turnover = "baseQty" if instrument.kind == "inverse" else "quoteQty"
    said = {
        "id": trade.trade_id,
        "price": numbers.price(trade.price_ticks),
        "qty": numbers.qty(trade.lots),
        turnover: numbers.turnover(trade.price_ticks * trade.lots, trade.lots),
        "time": trade.time_ms,
        "isBuyerMaker": trade.taker_side is Side.SELL,
    }
    return {**said, "isBestMatch": True} if instrument.kind == "spot" else said


async def agg_trades(call: Call) -> list[dict[str, Any]]:
    """Aggregates from an id or a moment on, or the last ones (before `endTime`, if it is sent)."""
    instrument, params = call.instrument(), call.params
    from_id, start_ms = params.integer("fromId"), params.integer("startTime")
    end_ms, limit = params.integer("endTime"), params.limit(LIMIT, LIMIT_MAX)
    if from_id is not None and (start_ms is not None or end_ms is not None):
        raise refused(BAD_COMBINATION)
    if start_ms is not None:
        from_id = await id_at(call.doors, instrument.symbol, start_ms)
    before_id = None
    if end_ms is not None:
        before_id = await id_at(call.doors, instrument.symbol, end_ms + 1)
    if from_id is None:
        found = await _last(call, instrument.symbol, before_id, limit)
    else:
        found = await _first(call, instrument.symbol, from_id, before_id, limit)
    return [_aggregate_say(Numbers(instrument), trades) for trades in found]


async def _first(
    call: Call, symbol: str, from_id: int, before_id: int | None, limit: int
) -> Aggregates:
    """The first aggregates whose ids are from `from_id` to below `before_id`."""
    found: Aggregates = []
    next_id = from_id - 1  # The trade before tells whether `from_id` begins an aggregate.
    while len(found) <= limit + 1:
        page = await trades_from(call.doors, symbol, next_id, TRADES_AT_ONCE)
        gather(found, page)
        if len(page) < TRADES_AT_ONCE:
            break
        next_id = page[-1].trade_id + 1
    within = [
        trades
        for trades in found
        if trades[0].trade_id >= from_id and (before_id is None or trades[0].trade_id < before_id)
    ]
    return within[:limit]


async def _last(call: Call, symbol: str, before_id: int | None, limit: int) -> Aggregates:
    """The last aggregates below `before_id`."""
    trades: list[Traded] = []
    while True:
        page = await last_trades(call.doors, symbol, TRADES_AT_ONCE, before_id)
        trades[:0] = page
        found: Aggregates = []
        gather(found, trades)
        if len(found) > limit or len(page) < TRADES_AT_ONCE:
            return found[-limit:]
        before_id = page[0].trade_id


def gather(found: Aggregates, trades: Iterable[Traded]) -> None:
    """Add trades, which follow each other, to the last aggregate or as new ones.

    Trades that no command made know no taker: each stands alone.
    """
    for trade in trades:
        last = found[-1][-1] if found else None
        if last is not None and trade.taker_order_id and _taken(trade) == _taken(last):
            found[-1].append(trade)
        else:
            found.append([trade])


def _taken(trade: Traded) -> tuple[int, int, int]:
    return trade.taker_order_id, trade.price_ticks, trade.time_ms


def _aggregate_say(numbers: Numbers, trades: list[Traded]) -> dict[str, Any]:
    first = trades[0]
    said = {
        "a": first.trade_id,
        "p": numbers.price(first.price_ticks),
        "q": numbers.qty(sum(trade.lots for trade in trades)),
        "f": first.trade_id,
        "l": trades[-1].trade_id,
        "T": first.time_ms,
        "m": first.taker_side is Side.SELL,
    }
    return {**said, "M": True} if numbers.instrument.kind == "spot" else said


ROUTES = (
    Route(
        verb="GET", path="/api/v3/trades", handler=recent_trades, weight=25, method="trades.recent"
    ),
    Route(
        verb="GET",
        path="/api/v3/historicalTrades",
        handler=historical_trades,
        weight=25,
        method="trades.historical",
    ),
    Route(
        verb="GET",
        path="/api/v3/aggTrades",
        handler=agg_trades,
        weight=4,
        method="trades.aggregate",
    ),
    *(
        route
        for api in ("fapi", "dapi")
        for route in (
            Route(verb="GET", path=f"/{api}/v1/trades", handler=recent_trades, weight=5),
            Route(
                verb="GET",
                path=f"/{api}/v1/historicalTrades",
                handler=historical_trades,
                weight=20,
                security="K",
            ),
            Route(verb="GET", path=f"/{api}/v1/aggTrades", handler=agg_trades, weight=20),
        )
    ),
)
