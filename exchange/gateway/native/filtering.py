"""The filters of an instrument as a native message says them (S9)."""

from __future__ import annotations

from typing import Final

from matching.instrument import Instrument, amount_text, fixed_text
from matching.limits import ORDER_LISTS_PER_ACCOUNT_SYMBOL_MAX

_PLACES_E4: Final = 4


def filters_say(instrument: Instrument) -> dict[str, str | int]:
    """Bounds by name, as docs/filters.md has them; what does not bind is left out."""
    said: dict[str, str | int] = {
        "price_min": instrument.price_text(instrument.ticks_min),
        "price_max": instrument.price_text(instrument.ticks_max),
        "notional_max": amount_text(instrument.notional_max_minor),
        "orders_max": instrument.orders_max,
        "algo_orders_max": instrument.algo_orders_max,
        "icebergs_max": instrument.icebergs_max,
        "iceberg_parts_max": instrument.iceberg_parts_max,
        "order_lists_max": ORDER_LISTS_PER_ACCOUNT_SYMBOL_MAX,
        "trailing_bps_min": instrument.trailing_bps_min,
        "trailing_bps_max": instrument.trailing_bps_max,
    }
    multipliers = {
        "bid_up": instrument.bid_up_e4,
        "bid_down": instrument.bid_down_e4,
        "ask_up": instrument.ask_up_e4,
        "ask_down": instrument.ask_down_e4,
        "execution_up": instrument.execution_up_e4,
        "execution_down": instrument.execution_down_e4,
    }
    said |= {name: fixed_text(e4, _PLACES_E4) for name, e4 in multipliers.items() if e4}
    amounts = {
        "position_max": instrument.base_minor(instrument.position_lots_max),
        "base_order_max": instrument.base_order_max_minor,
        "quote_order_max": instrument.quote_order_max_minor,
    }
    said |= {name: amount_text(most) for name, most in amounts.items() if most}
    return said | ({"amends_max": instrument.amends_max} if instrument.amends_max else {})
