"""The perpetuals of USD-M and COIN-M with their filters, as Binance lists them."""

from __future__ import annotations

from typing import Any, Final

from exchange.gateway.binance.calls import Call, Route
from exchange.gateway.binance.market.exchange_info import (
    PLACES_E4,
    lot_filters,
    price_filter,
    status_of,
    venue_say,
)
from exchange.gateway.binance.streams.payloads import Numbers
from exchange.gateway.binance.symbols import pair_of
from matching.instrument import Instrument, amount_text, fixed_text
from matching.limits import MULTIPLIER_ONE_E4, SCALE
from risk.money import E12
from risk.parameters import PerpParameters

NEVER_MS: Final = 4_133_404_800_000  # When a perpetual is delivered.
ORDER_TYPES: Final = (
    "LIMIT",
    "MARKET",
    "STOP",
    "STOP_MARKET",
    "TAKE_PROFIT",
    "TAKE_PROFIT_MARKET",
    "TRAILING_STOP_MARKET",
)
TIMES_IN_FORCE: Final = ("GTC", "IOC", "FOK", "GTX", "GTD")
E12_IN_E4: Final = E12 // MULTIPLIER_ONE_E4
EQUAL_QTY_PLACES: Final = 4


async def exchange_info(call: Call) -> dict[str, Any]:
    """The limits of the door, what counts as margin, and every perpetual."""
    perps = {perp.symbol: perp for perp in call.doors.engine.venue.perps}
    said = {
        **venue_say(call),
        "symbols": [
            _contract_say(call, contract, perps[contract.symbol])
            for contract in call.dialect.symbols.all(call.product)
        ],
    }
    if call.product == "um":
        said |= {"futuresType": "U_MARGINED", "assets": _assets(call)}
    return said


def _assets(call: Call) -> list[dict[str, Any]]:
    """What counts in multi-asset mode, and how much of it may be owed before it is converted."""
    venue = call.doors.engine.venue
    threshold = f"-{amount_text(venue.convert_above_minor)}"
    return [
        {
            "asset": asset.asset,
            "marginAvailable": asset.perp_ratio_e12 > 0,
            "autoAssetExchange": threshold if asset.asset == venue.quote else "0",
        }
        for asset in venue.assets
        if asset.perp_ratio_e12
    ]


def _contract_say(call: Call, contract: Instrument, perp: PerpParameters) -> dict[str, Any]:
    is_coin = contract.kind == "inverse"
    said = {
        "symbol": Numbers(contract).name,
        "pair": pair_of(contract),
        "contractType": "PERPETUAL",
        "deliveryDate": NEVER_MS,
        "onboardDate": call.doors.engine.venue.start_ms,
        "contractStatus" if is_coin else "status": status_of(call, contract),
        "maintMarginPercent": _percent(perp.brackets[0].mmr_e12),
        "requiredMarginPercent": _percent(E12 // perp.leverage_max),
        "baseAsset": contract.base,
        "quoteAsset": contract.quote,
        "marginAsset": contract.settle,
        "pricePrecision": contract.price_places,
        "quantityPrecision": contract.qty_places,
        "baseAssetPrecision": SCALE,
        "quotePrecision": SCALE,
        "underlyingType": "COIN",
        "underlyingSubType": [],
        "settlePlan": 0,
        "triggerProtect": fixed_text(perp.price_protect_e12 // E12_IN_E4, PLACES_E4),
        "liquidationFee": fixed_text(perp.liquidation_fee_e12 // (E12 // 10**6), 6),
        # No order takes above or below the entry band (S12).
        "marketTakeBound": fixed_text(perp.entry_limit_e12 // E12_IN_E4, PLACES_E4),
        "filters": filters(contract, perp),
        "orderTypes": list(ORDER_TYPES),
        "timeInForce": list(TIMES_IN_FORCE),
    }
    if is_coin:
        said["contractSize"] = int(contract.multiplier)
        said["equalQtyPrecision"] = EQUAL_QTY_PLACES
    return said


def _percent(ratio_e12: int) -> str:
    return fixed_text(ratio_e12 // (E12 // 10**6), 4)


def filters(contract: Instrument, perp: PerpParameters) -> list[dict[str, Any]]:
    """Every filter of a contract. The entry band (S12) is told by its outer bound."""
    band_e4 = perp.entry_limit_e12 // E12_IN_E4
    said = [
        price_filter(contract),
        *lot_filters(contract),
        {"filterType": "MAX_NUM_ORDERS", "limit": contract.orders_max},
        {"filterType": "MAX_NUM_ALGO_ORDERS", "limit": contract.algo_orders_max},
    ]
    if contract.kind != "inverse":
        least = amount_text(contract.notional_min_minor)
        said.append({"filterType": "MIN_NOTIONAL", "notional": least})
    said.append(
        {
            "filterType": "PERCENT_PRICE",
            "multiplierUp": fixed_text(MULTIPLIER_ONE_E4 + band_e4, PLACES_E4),
            "multiplierDown": fixed_text(MULTIPLIER_ONE_E4 - band_e4, PLACES_E4),
            "multiplierDecimal": str(PLACES_E4),
        }
    )
    return said


ROUTES = (
    Route(verb="GET", path="/fapi/v1/exchangeInfo", handler=exchange_info),
    Route(verb="GET", path="/dapi/v1/exchangeInfo", handler=exchange_info),
)
