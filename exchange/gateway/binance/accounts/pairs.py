"""What may be traded and borrowed on margin: pairs, assets, and their index prices."""

from __future__ import annotations

from typing import Any, Final

from exchange.gateway.binance.accounts.amounts import eight, known_asset
from exchange.gateway.binance.accounts.refusals import NO_PRICE_INDEX, REFUSALS
from exchange.gateway.binance.accounts.wallets import pair_of
from exchange.gateway.binance.calls import Call, Route
from exchange.gateway.binance.errors import refused
from exchange.gateway.binance.symbols import name_of
from matching.instrument import Instrument
from risk.parameters import AssetParameters

SHUT: Final = frozenset({"halt", "cancel_only"})  # States that take no orders.


async def all_pairs(call: Call) -> list[dict[str, Any]]:
    """Every pair that is traded on cross margin: all of them."""
    pairs = call.dialect.symbols.all("spot")
    wanted = call.named()
    return [cross_pair(call, each) for each in pairs if wanted in (None, each)]


async def one_pair(call: Call) -> dict[str, Any]:
    """One cross margin pair."""
    return cross_pair(call, call.instrument())


async def isolated_pairs(call: Call) -> list[dict[str, Any]]:
    """Every pair that has isolated margin."""
    spots = call.doors.engine.risk.spots
    pairs = call.dialect.symbols.all("spot")
    wanted = call.named()
    return [
        pair_say(call, each)
        for each in pairs
        if spots[each.symbol].isolated and wanted in (None, each)
    ]


async def isolated_pair(call: Call) -> dict[str, Any]:
    """One isolated margin pair."""
    return pair_say(call, pair_of(call))


def cross_pair(call: Call, instrument: Instrument) -> dict[str, Any]:
    """A pair with its number among the venue's pairs, which never changes."""
    number = call.dialect.symbols.all("spot").index(instrument) + 1
    return {"id": number, **pair_say(call, instrument)}


def pair_say(call: Call, instrument: Instrument) -> dict[str, Any]:
    """A pair as both lists tell it."""
    trades = call.doors.board.states[instrument.symbol] not in SHUT
    return {
        "symbol": name_of(instrument),
        "base": instrument.base,
        "quote": instrument.quote,
        "isMarginTrade": True,
        "isBuyAllowed": trades,
        "isSellAllowed": trades,
    }


async def all_assets(call: Call) -> list[dict[str, Any]]:
    """Every asset of the venue, and whether it can be borrowed and be collateral."""
    assets = call.doors.engine.venue.assets
    wanted = known_asset(call, call.params.get("asset")) if call.params.has("asset") else None
    return [asset_say(each) for each in assets if wanted in (None, each)]


async def one_asset(call: Call) -> dict[str, Any]:
    """One asset."""
    return asset_say(known_asset(call, call.params.need("asset")))


def asset_say(asset: AssetParameters) -> dict[str, Any]:
    """An asset of cross margin; any amount may be borrowed and repaid."""
    return {
        "assetName": asset.asset,
        "assetFullName": asset.asset,
        "isBorrowable": is_borrowable(asset),
        "isMortgageable": any(tier.ratio_e12 for tier in asset.collateral),
        "userMinBorrow": eight(0),
        "userMinRepay": eight(0),
    }


def is_borrowable(asset: AssetParameters) -> bool:
    """Whether the venue lends it at all."""
    return asset.pool_capital_minor > 0 and asset.borrow_limit_minor > 0


async def price_index(call: Call) -> dict[str, Any]:
    """The index of a pair, by which margin is valued; -3042 before its first."""
    instrument = call.instrument()
    index_e8 = call.doors.engine.risk.indexes[instrument.symbol].index_e8
    if index_e8 is None:
        raise refused(NO_PRICE_INDEX)
    return {"calcTime": call.now_ms, "price": eight(index_e8), "symbol": name_of(instrument)}


def _keyed(path: str, handler: Any, weight: int) -> Route:
    route = f"/sapi/v1/margin/{path}"
    return Route(
        verb="GET", path=route, handler=handler, weight=weight, security="K", refusals=REFUSALS
    )


ROUTES = (
    _keyed("allPairs", all_pairs, 1),
    _keyed("pair", one_pair, 10),
    _keyed("isolated/allPairs", isolated_pairs, 10),
    _keyed("isolated/pair", isolated_pair, 10),
    _keyed("allAssets", all_assets, 1),
    _keyed("asset", one_asset, 10),
    _keyed("priceIndex", price_index, 10),
)
