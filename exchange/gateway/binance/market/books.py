"""Depth, and the best bid and offer, as Binance tells them."""

from __future__ import annotations

from typing import Any, Final

from exchange.gateway.binance.calls import Call, Route
from exchange.gateway.binance.market.choosing import chosen, said_of, weight_of
from exchange.gateway.binance.params import Params
from exchange.gateway.binance.streams.payloads import Numbers
from exchange.gateway.binance.symbols import pair_of
from exchange.views.depth import Levels
from matching.instrument import Instrument
from matching.limits import DEPTH_LEVELS_MAX

SPOT_LIMIT: Final = 100
FUTURES_LIMIT: Final = 500
FUTURES_LIMIT_MAX: Final = 1_000

SPOT_WEIGHTS: Final = ((100, 5), (500, 25), (1_000, 50))  # Up to so many levels; else 250.
FUTURES_WEIGHTS: Final = ((50, 2), (100, 5), (500, 10))  # Else 20.


async def depth(call: Call) -> dict[str, Any]:
    """A book, best levels first; of futures with its time, which is that of the last change."""
    instrument = call.instrument()
    board = call.doors.board
    is_spot = call.product == "spot"
    most = DEPTH_LEVELS_MAX if is_spot else FUTURES_LIMIT_MAX
    levels = call.params.limit(SPOT_LIMIT if is_spot else FUTURES_LIMIT, most)
    book = board.depth.snapshot(instrument.symbol, levels)
    numbers = Numbers(instrument)
    said: dict[str, Any] = {"lastUpdateId": book.last_id}
    if not is_spot:
        said |= {"E": board.time_ms, "T": board.time_ms}
    if call.product == "cm":
        said |= {"symbol": numbers.name, "pair": pair_of(instrument)}
    return said | {"bids": _levels(numbers, book.bids), "asks": _levels(numbers, book.asks)}


def _levels(numbers: Numbers, levels: Levels) -> list[list[str]]:
    return [[numbers.price(ticks), numbers.qty(lots)] for ticks, lots in levels]


def book_ticker_say(call: Call, instrument: Instrument) -> dict[str, Any]:
    """The best of both sides; zeros where a side is empty."""
    board = call.doors.board
    numbers = Numbers(instrument)
    bbo = board.depth.bbo(instrument.symbol)
    said: dict[str, Any] = {"symbol": numbers.name}
    if call.product == "cm":
        said["pair"] = pair_of(instrument)
    said |= {
        "bidPrice": numbers.price(bbo.bid_ticks),
        "bidQty": numbers.qty(bbo.bid_lots),
        "askPrice": numbers.price(bbo.ask_ticks),
        "askQty": numbers.qty(bbo.ask_lots),
    }
    if call.product != "spot":
        said |= {"time": board.time_ms, "lastUpdateId": board.depth.last_id(instrument.symbol)}
    return said


async def book_ticker(call: Call) -> Any:
    """The best bid and offer of one symbol, of some, or of all."""
    return said_of(call, chosen(call), book_ticker_say)


def spot_weight(params: Params) -> int:
    """By how deep the book is asked for."""
    limit = params.limit(SPOT_LIMIT, DEPTH_LEVELS_MAX)
    return next((weight for most, weight in SPOT_WEIGHTS if limit <= most), 250)


def futures_weight(params: Params) -> int:
    """By how deep the book is asked for."""
    limit = params.limit(FUTURES_LIMIT, FUTURES_LIMIT_MAX)
    return next((weight for most, weight in FUTURES_WEIGHTS if limit <= most), 20)


_BEST = "ticker/bookTicker"
ROUTES = (
    Route(verb="GET", path="/api/v3/depth", handler=depth, weight=spot_weight, method="depth"),
    Route(verb="GET", path="/fapi/v1/depth", handler=depth, weight=futures_weight, method="depth"),
    Route(verb="GET", path="/dapi/v1/depth", handler=depth, weight=futures_weight, method="depth"),
    *(
        Route(
            verb="GET",
            path=f"/{api}/{_BEST}",
            handler=book_ticker,
            weight=weight_of(*weights),
            method="ticker.book",
        )
        for api, weights in (("api/v3", (2, 4)), ("fapi/v1", (2, 5)), ("dapi/v1", (2, 5)))
    ),
)
