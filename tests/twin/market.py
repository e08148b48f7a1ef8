"""The two instruments that twin and engine trade: their bounds, and the engine's venue of them."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace

import msgspec

from risk.money import E12
from risk.parameters import Venue
from tests.story import flat_fees, small_venue

E8 = 10**8
E4 = 10**4
TICK_E8 = 100 * E8  # 100 USDT: few ticks lie between the bands, so orders meet.
LOT_MINOR = 10**5  # 0.001 BTC.
UNIT_MINOR = 10**7  # 0.1 USDT in one tick x one lot.
FEE_E4 = 10  # What a trade on spot costs each side: 0.1 % of what it receives.
GRID_MS = 1_000
PAIR = "BTC-USDT"
PERP = "BTC-USDT-PERP"
NEVER_MS = 10**12  # Longer than any story: no sample is taken, no funding falls due.


@dataclass(frozen=True)
class Bounds:
    """What the filters of an instrument keep its orders to, in ticks, lots and minor units."""

    ticks_min: int = 300
    ticks_max: int = 800
    lots_min: int = 1
    lots_max: int = 40
    market_lots_max: int = 25
    notional_min_minor: int = 60 * E8  # More than one lot at most prices,
    notional_max_minor: int = 1_900 * E8  # and less than forty.
    bid_up_e4: int = 12_000
    bid_down_e4: int = 8_500
    ask_up_e4: int = 13_000
    ask_down_e4: int = 8_000
    execution_up_e4: int = 10_200
    execution_down_e4: int = 9_800
    iceberg_parts_max: int = 4
    orders_max: int = 9
    algo_orders_max: int = 4
    icebergs_max: int = 2
    amends_max: int = 2
    base_order_max_minor: int = 36 * LOT_MINOR
    quote_order_max_minor: int = 1_780 * E8
    breaker_move_bps: int = 400
    breaker_auction_ms: int = 3_000
    trailing_bps_min: int = 10
    trailing_bps_max: int = 2_000


ENTRY_E4 = 200  # A contract's orders stay within two percent of its index.
PROTECT_E4 = 100  # Protected triggers need last and mark within one percent.
SPOT_BOUNDS = Bounds()
PERP_BOUNDS = Bounds(
    bid_up_e4=0,
    bid_down_e4=0,
    ask_up_e4=0,
    ask_down_e4=0,
    execution_up_e4=0,
    execution_down_e4=0,
    base_order_max_minor=0,
    quote_order_max_minor=0,
    breaker_move_bps=200,
)
BOUNDS = {PAIR: SPOT_BOUNDS, PERP: PERP_BOUNDS}
# Where one order can meet more others than a command may fill.
CROWDED = {
    symbol: replace(
        each,
        lots_max=5_000,
        market_lots_max=5_000,
        notional_min_minor=0,
        notional_max_minor=10**9 * E8,
        base_order_max_minor=0,
        quote_order_max_minor=0,
        orders_max=200,
        algo_orders_max=20,
        icebergs_max=200,
        iceberg_parts_max=10,
    )
    for symbol, each in BOUNDS.items()
}


def venue_of(bounds: dict[str, Bounds]) -> Venue:
    """The engine's venue; nothing but an administrator or the feed moves index and mark."""
    venue = small_venue(symbols=(PAIR, PERP), grid_ms=GRID_MS, sample_ms=NEVER_MS, fees=flat_fees())
    instruments = tuple(
        msgspec.structs.replace(each, tick="100", lot="0.001", **asdict(bounds[each.symbol]))
        for each in venue.instruments
    )
    perps = tuple(
        msgspec.structs.replace(
            each,
            interval_ms=NEVER_MS,
            entry_band_e12=E12 * ENTRY_E4 // E4,
            price_protect_e12=E12 * PROTECT_E4 // E4,
        )
        for each in venue.perps
    )
    return msgspec.structs.replace(venue, instruments=instruments, perps=perps)
