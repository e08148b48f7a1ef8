"""The filters of a venue that a configuration chooses: by instrument, and by asset (S9)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final

import msgspec

from matching.instrument import Instrument, minor
from matching.reasons import Reason
from risk.parameters import Venue

Count = Annotated[int, msgspec.Meta(ge=1)]


class Filters(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The bounds of one instrument's orders; what is left out stays the default venue's.

    Prices and quantities are decimal text on the tick and the lot, notionals amounts of the quote.
    """

    price_min: str = ""
    price_max: str = ""
    qty_min: str = ""
    qty_max: str = ""
    market_qty_max: str = ""  # MARKET_LOT_SIZE: of one market order.
    notional_min: str = ""
    notional_max: str = ""
    position_max: str = ""  # MAX_POSITION of a pair: of its base, held and bid for by one wallet.
    orders_max: Count | None = None  # Open at a time, on one account:
    algo_orders_max: Count | None = None  # of these, asleep until a price comes,
    icebergs_max: Count | None = None  # and icebergs.
    iceberg_parts_max: Count | None = None
    amends_max: Annotated[int, msgspec.Meta(ge=0)] | None = None  # Of one order, in place; 0: any.


# The key of the file, the field of the instrument, and what its text is a number of.
_TEXTS: Final = (
    ("price_min", "ticks_min", "tick"),
    ("price_max", "ticks_max", "tick"),
    ("qty_min", "lots_min", "lot"),
    ("qty_max", "lots_max", "lot"),
    ("market_qty_max", "market_lots_max", "lot"),
    ("notional_min", "notional_min_minor", "amount"),
    ("notional_max", "notional_max_minor", "amount"),
    ("position_max", "position_lots_max", "lot"),
)
_COUNTS: Final = (
    *("orders_max", "algo_orders_max", "icebergs_max", "iceberg_parts_max", "amends_max"),
)


def with_filters(
    venue: Venue, filters: Mapping[str, Filters], order_max: Mapping[str, str]
) -> Venue:
    """The venue with these choices; ValueError says which of them cannot be used.

    `order_max` is MAX_ASSET: what one order on a pair may move of an asset.
    """
    strangers = sorted(filters.keys() - {each.symbol for each in venue.instruments})
    if strangers:
        raise ValueError(f"no such instrument: {', '.join(strangers)} - at `$.filters`")
    strangers = sorted(order_max.keys() - {each.asset for each in venue.assets})
    if strangers:
        raise ValueError(f"no such asset: {', '.join(strangers)} - at `$.order_max`")
    most = {asset: _number(text, 1, f"$.order_max.{asset}") for asset, text in order_max.items()}
    return msgspec.structs.replace(
        venue,
        instruments=tuple(
            _changed(each, filters.get(each.symbol), most) for each in venue.instruments
        ),
    )


def _changed(instrument: Instrument, chosen: Filters | None, most: Mapping[str, int]) -> Instrument:
    changes: dict[str, Any] = {}
    if instrument.kind == "spot":
        assets = (("base_order_max_minor", instrument.base),)
        for name, asset in (*assets, ("quote_order_max_minor", instrument.quote)):
            if asset in most:
                changes[name] = most[asset]
    if chosen is not None:
        changes |= _of_instrument(instrument, chosen)
    return msgspec.structs.replace(instrument, **changes) if changes else instrument


def _of_instrument(instrument: Instrument, chosen: Filters) -> dict[str, int]:
    """The fields of the instrument that its filters change."""
    steps = {"tick": instrument.tick_e8, "lot": instrument.lot_minor, "amount": 1}
    where = f"$.filters.{instrument.symbol}"
    changes = {
        field: _number(getattr(chosen, key), steps[unit], f"{where}.{key}")
        for key, field, unit in _TEXTS
        if getattr(chosen, key)
    }
    counts = ((name, getattr(chosen, name)) for name in _COUNTS)
    return changes | {name: count for name, count in counts if count is not None}


def _number(text: str, step: int, where: str) -> int:
    """Decimal text in steps; ValueError names the key."""
    number = minor(text)
    if isinstance(number, Reason) or number <= 0 or number % step:
        raise ValueError(f"a positive number on the tick or the lot is needed - at `{where}`")
    return number // step
