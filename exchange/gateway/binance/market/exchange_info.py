"""The pairs of spot with every filter their orders meet, as Binance lists them (S9)."""

from __future__ import annotations

from typing import Any, Final

from exchange.gateway.binance.calls import Call, Route
from exchange.gateway.binance.errors import BAD_COMBINATION, MANDATORY, refused
from exchange.gateway.binance.market.choosing import chosen
from exchange.gateway.binance.streams.payloads import Numbers
from matching.instrument import Instrument, amount_text, fixed_text
from matching.limits import MULTIPLIER_MAX_E4, ORDER_LISTS_PER_ACCOUNT_SYMBOL_MAX, SCALE

PERMISSIONS: Final = ("SPOT", "MARGIN")
ORDER_TYPES: Final = (
    "LIMIT",
    "LIMIT_MAKER",
    "MARKET",
    "STOP_LOSS",
    "STOP_LOSS_LIMIT",
    "TAKE_PROFIT",
    "TAKE_PROFIT_LIMIT",
)
SELF_TRADES: Final = ("NONE", "EXPIRE_TAKER", "EXPIRE_MAKER", "EXPIRE_BOTH", "DECREMENT")
SELF_TRADE: Final = "EXPIRE_MAKER"
STATUSES: Final = {"trading": "TRADING", "halt": "HALT", "pre_open": "BREAK"}
STATUS: Final = "TRADING"  # What is restricted still trades.
PLACES_E4: Final = 4


async def exchange_info(call: Call) -> dict[str, Any]:
    """The limits of the door, and all pairs or those that are asked for."""
    params = call.params
    if params.has("permissions") and (params.has("symbol") or params.has("symbols")):
        raise refused(BAD_COMBINATION)
    pairs = chosen(call).instruments
    if params.has("permissions"):
        wanted = _permissions(call)
        pairs = pairs if wanted & set(PERMISSIONS) else []
    said = [_pair_say(call, pair) for pair in pairs]
    if params.has("symbolStatus"):
        status = params.choice("symbolStatus", (*STATUSES.values(), STATUS))
        said = [pair for pair in said if pair["status"] == status]
    if not params.flag("showPermissionSets", True):
        for pair in said:
            del pair["permissionSets"]
    return {**venue_say(call), "symbols": said}


def venue_say(call: Call) -> dict[str, Any]:
    """What the answers of all products begin with."""
    rules = call.dialect.limits[call.api].rules
    return {
        "timezone": "UTC",
        "serverTime": call.wall_ms,
        "rateLimits": [rule.say() for rule in rules],
        "exchangeFilters": [],
    }


def _permissions(call: Call) -> set[str]:
    """`permissions`, one word or a list of them."""
    text = call.params.get("permissions")
    names = call.params.array("permissions") if text.startswith("[") else [text]
    if not names or not all(isinstance(name, str) for name in names):
        raise refused(MANDATORY, "permissions")
    return {name.upper() for name in names}


def status_of(call: Call, instrument: Instrument) -> str:
    """Whether a symbol trades."""
    return STATUSES.get(call.doors.board.states[instrument.symbol], STATUS)


def _pair_say(call: Call, pair: Instrument) -> dict[str, Any]:
    return {
        "symbol": Numbers(pair).name,
        "status": status_of(call, pair),
        "baseAsset": pair.base,
        "baseAssetPrecision": SCALE,
        "quoteAsset": pair.quote,
        "quotePrecision": SCALE,
        "quoteAssetPrecision": SCALE,
        "baseCommissionPrecision": SCALE,
        "quoteCommissionPrecision": SCALE,
        "orderTypes": list(ORDER_TYPES),
        "icebergAllowed": True,
        "ocoAllowed": True,
        "otoAllowed": True,
        "opoAllowed": False,
        "quoteOrderQtyMarketAllowed": True,
        "allowTrailingStop": True,
        "cancelReplaceAllowed": True,
        "amendAllowed": True,
        "pegInstructionsAllowed": False,
        "isSpotTradingAllowed": True,
        "isMarginTradingAllowed": True,
        "filters": filters(pair),
        "permissions": [],
        "permissionSets": [list(PERMISSIONS)],
        "defaultSelfTradePreventionMode": SELF_TRADE,
        "allowedSelfTradePreventionModes": list(SELF_TRADES),
    }


def price_filter(pair: Instrument) -> dict[str, Any]:
    """The grid and the bounds of prices."""
    numbers = Numbers(pair)
    return {
        "filterType": "PRICE_FILTER",
        "minPrice": numbers.price(pair.ticks_min),
        "maxPrice": numbers.price(pair.ticks_max),
        "tickSize": numbers.price(1),
    }


def lot_filters(pair: Instrument) -> list[dict[str, Any]]:
    """The grid and the bounds of quantities, of limit and of market orders."""
    numbers = Numbers(pair)
    market_lots_max = min(pair.market_lots_max, pair.lots_max)
    return [
        {
            "filterType": name,
            "minQty": numbers.qty(pair.lots_min),
            "maxQty": numbers.qty(lots_max),
            "stepSize": numbers.qty(1),
        }
        for name, lots_max in (("LOT_SIZE", pair.lots_max), ("MARKET_LOT_SIZE", market_lots_max))
    ]


def filters(pair: Instrument) -> list[dict[str, Any]]:
    """Every filter of a pair, in the order in which Binance tells them."""
    lot_size, market_lot_size = lot_filters(pair)
    said = [
        price_filter(pair),
        lot_size,
        {"filterType": "ICEBERG_PARTS", "limit": pair.iceberg_parts_max},
        market_lot_size,
        {
            "filterType": "TRAILING_DELTA",
            "minTrailingAboveDelta": pair.trailing_bps_min,
            "maxTrailingAboveDelta": pair.trailing_bps_max,
            "minTrailingBelowDelta": pair.trailing_bps_min,
            "maxTrailingBelowDelta": pair.trailing_bps_max,
        },
        {
            # The reference is the index; where there is none, the mean of the last minutes.
            "filterType": "PERCENT_PRICE_BY_SIDE",
            "bidMultiplierUp": _multiplier(pair.bid_up_e4),
            "bidMultiplierDown": fixed_text(pair.bid_down_e4, PLACES_E4),
            "askMultiplierUp": _multiplier(pair.ask_up_e4),
            "askMultiplierDown": fixed_text(pair.ask_down_e4, PLACES_E4),
            "avgPriceMins": 5,
        },
        {
            "filterType": "NOTIONAL",
            "minNotional": fixed_text(pair.notional_min_minor, SCALE),
            "applyMinToMarket": True,
            "maxNotional": fixed_text(pair.notional_max_minor, SCALE),
            "applyMaxToMarket": True,
            "avgPriceMins": 5,
        },
        {"filterType": "MAX_NUM_ORDERS", "maxNumOrders": pair.orders_max},
        {
            "filterType": "MAX_NUM_ORDER_LISTS",
            "maxNumOrderLists": ORDER_LISTS_PER_ACCOUNT_SYMBOL_MAX,
        },
        {"filterType": "MAX_NUM_ALGO_ORDERS", "maxNumAlgoOrders": pair.algo_orders_max},
        {"filterType": "MAX_NUM_ICEBERG_ORDERS", "maxNumIcebergOrders": pair.icebergs_max},
    ]
    if pair.amends_max:
        said.append({"filterType": "MAX_NUM_ORDER_AMENDS", "maxNumOrderAmends": pair.amends_max})
    if pair.position_lots_max:
        most = amount_text(pair.base_minor(pair.position_lots_max))
        said.append({"filterType": "MAX_POSITION", "maxPosition": most})
    return said


def _multiplier(up_e4: int) -> str:
    """A multiplier up; where none applies, the largest that any pair could have."""
    return fixed_text(up_e4 or MULTIPLIER_MAX_E4, PLACES_E4)


ROUTES = (
    Route(
        verb="GET",
        path="/api/v3/exchangeInfo",
        handler=exchange_info,
        weight=20,
        method="exchangeInfo",
    ),
)
