"""Mark and index prices, funding and open interest of perpetuals, as Binance tells them."""

from __future__ import annotations

from typing import Any, Final

from exchange.events import FundingFixed
from exchange.gateway.binance.calls import Call, Route
from exchange.gateway.binance.market.choosing import chosen, said_of, weight_of
from exchange.gateway.binance.streams.payloads import Numbers
from exchange.gateway.binance.symbols import pair_of
from exchange.gateway.past import fundings_of
from matching.instrument import Instrument, fixed_text
from matching.limits import SCALE
from risk.funding import RATE_HOURS
from risk.funding_ahead import funding_cap_e12
from risk.money import half_even_div
from risk.parameters import HOUR_MS, PerpParameters

LIMIT: Final = 100
LIMIT_MAX: Final = 1_000
RATE_PLACES: Final = 8
E12_IN_E8: Final = 10**4


def rate_say(rate_e12: int) -> str:
    """A rate with eight places."""
    return fixed_text(half_even_div(rate_e12, E12_IN_E8), RATE_PLACES)


def _perp(call: Call, instrument: Instrument) -> PerpParameters:
    venue = call.doors.engine.venue
    return next(perp for perp in venue.perps if perp.symbol == instrument.symbol)


def premium_say(call: Call, instrument: Instrument) -> dict[str, Any]:
    """Mark, index and the funding to come; prices are zeros before the first index."""
    marked = call.doors.board.marks.mark(instrument.symbol)
    perp = _perp(call, instrument)
    said: dict[str, Any] = {"symbol": Numbers(instrument).name}
    if call.product == "cm":
        said["pair"] = pair_of(instrument)
    mark_e8, index_e8 = (marked.mark_e8, marked.index_e8) if marked else (0, 0)
    return said | {
        "markPrice": fixed_text(mark_e8, SCALE),
        "indexPrice": fixed_text(index_e8, SCALE),
        # A perpetual is never settled: what it would be settled at is the index.
        "estimatedSettlePrice": fixed_text(index_e8, SCALE),
        "lastFundingRate": rate_say(marked.predicted_rate_e12 if marked else 0),
        "interestRate": rate_say(_interest_e12(perp)),
        "nextFundingTime": marked.next_funding_ms if marked else _next_ms(call, perp),
        "time": marked.time_ms if marked else call.now_ms,
    }


def _interest_e12(perp: PerpParameters) -> int:
    """What the interest of eight hours is for one interval."""
    return half_even_div(perp.interest_e12 * perp.interval_ms, RATE_HOURS * HOUR_MS)


def _next_ms(call: Call, perp: PerpParameters) -> int:
    return call.now_ms - call.now_ms % perp.interval_ms + perp.interval_ms


async def premium_index(call: Call) -> Any:
    """Mark, index and funding to come of one perpetual, or of all."""
    return said_of(call, chosen(call), premium_say)


async def funding_rates(call: Call) -> list[dict[str, Any]]:
    """Rates that were fixed, oldest first: from `startTime` the first ones, else the last."""
    params = call.params
    start_ms, end_ms = params.integer("startTime"), params.integer("endTime")
    limit = params.limit(LIMIT, LIMIT_MAX)
    named = chosen(call, named=call.product == "cm").instruments
    found: list[tuple[FundingFixed, Instrument]] = []
    for instrument in named:
        rates = await fundings_of(call.doors, instrument.symbol, limit, start_ms, end_ms)
        found += ((rate, instrument) for rate in rates)
    found.sort(key=lambda each: each[0].due_ms)
    found = found[:limit] if start_ms is not None else found[-limit:]
    return [
        {
            "symbol": Numbers(instrument).name,
            "fundingTime": rate.due_ms,
            "fundingRate": rate_say(rate.rate_e12),
            "markPrice": fixed_text(rate.mark_e8, SCALE),
        }
        for rate, instrument in found
    ]


def _funding_say(call: Call, instrument: Instrument) -> dict[str, Any]:
    """How high and how low one payment's rate may be, and how often it falls due."""
    perp = _perp(call, instrument)
    cap_e12 = funding_cap_e12(perp)
    return {
        "symbol": Numbers(instrument).name,
        "adjustedFundingRateCap": rate_say(cap_e12),
        "adjustedFundingRateFloor": rate_say(-cap_e12),
        "fundingIntervalHours": -(-perp.interval_ms // HOUR_MS),  # Clients divide by it.
        "disclaimer": False,
    }


async def funding_info(call: Call) -> list[dict[str, Any]]:
    """The terms of every perpetual's funding."""
    return [_funding_say(call, one) for one in call.dialect.symbols.all(call.product)]


async def open_interest(call: Call) -> dict[str, Any]:
    """All long positions of a perpetual, which are as many as all short ones."""
    instrument = call.instrument()
    numbers = Numbers(instrument)
    said: dict[str, Any] = {"symbol": numbers.name}
    if call.product == "cm":
        said |= {"pair": pair_of(instrument), "contractType": "PERPETUAL"}
    lots = call.doors.board.marks.open_lots(instrument.symbol)
    return said | {"openInterest": numbers.qty(lots), "time": call.now_ms}


ROUTES = (
    *(
        Route(verb="GET", path=f"/{api}/v1/{name}", handler=handler, weight=weight)
        for api in ("fapi", "dapi")
        for name, handler, weight in (
            ("premiumIndex", premium_index, weight_of(1, 10)),
            ("fundingRate", funding_rates, 1),
            ("fundingInfo", funding_info, 1),
            ("openInterest", open_interest, 1),
        )
    ),
)
