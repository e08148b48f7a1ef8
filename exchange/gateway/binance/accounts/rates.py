"""What borrowing costs and how much is lent: rates, interest charged, limits and tiers.

Binance tells rates by the day: twenty-four hours of simple interest at the hourly one.
"""

from __future__ import annotations

from typing import Any, Final

from exchange.gateway.binance.accounts.amounts import (
    HOURS_IN_DAY,
    asset_named,
    asset_of,
    daily,
    eight,
    known_asset,
    rate_eight,
)
from exchange.gateway.binance.accounts.endpoints import reading
from exchange.gateway.binance.accounts.pages import page, span
from exchange.gateway.binance.accounts.pairs import is_borrowable
from exchange.gateway.binance.accounts.wallets import margin_wallet, pair_of, symbol_in
from exchange.gateway.binance.calls import Call, Route
from exchange.gateway.binance.errors import BAD_VALUE, refused
from exchange.gateway.binance.symbols import name_of
from exchange.storage.rows import InterestRow
from exchange.views.texts import interest_text, rate_text
from matching.instrument import Instrument
from risk.loans import pool_rate_e12
from risk.parameters import DAY_MS, HOUR_MS, CollateralTier
from risk.pool import inventory_minor, lent_minor, pool_minor

DAYS_IN_YEAR: Final = 365
ROWS: Final = 20
ROWS_MAX: Final = 100
ASSETS_MAX: Final = 20


async def interest_history(call: Call) -> dict[str, Any]:
    """Hours of interest that were charged, in cross margin or on `isolatedSymbol`."""
    wallet, asset, part = margin_wallet(call), asset_named(call), span(call)
    history, account_id = call.doors.history, call.account.id
    rows = await history.interest(account_id, wallet=wallet, asset=asset, part=part)
    loans = await history.loans(account_id, wallet=wallet, asset=asset, part=part)
    taken = {(row.seq, row.asset): row.n for row in loans if row.borrowed_minor}
    symbol = symbol_in(call, wallet)
    return page(call, [_charge(row, symbol, taken) for row in rows])


def _charge(row: InterestRow, symbol: str, taken: dict[tuple[int, str], int]) -> dict[str, Any]:
    """A charge, called by its event's number; that of borrowing follows the loan it is for."""
    n = taken.get((row.seq, row.asset))
    said = {
        "txId": row.n,
        "interestAccuredTime": row.time_ms,
        "asset": row.asset,
        "rawAsset": row.asset,
        "principal": eight(row.principal_minor),
        "interest": interest_text(row.interest_e18),
        "interestRate": daily(row.rate_e12),
        "type": "PERIODIC" if n is None or row.n < n else "ON_BORROW",
    }
    return {**said, "isolatedSymbol": symbol} if symbol else said


async def rate_history(call: Call) -> list[dict[str, Any]]:
    """What borrowing cost, newest first: by day where the rate never changes.

    Of a rate that rises with what is lent only the present one is known.
    """
    asset = asset_of(call)
    now_ms = call.now_ms
    begin_ms = call.params.integer("startTime", 0) or 0
    end_ms = call.params.integer("endTime", now_ms) or 0
    stamps: list[int] = [now_ms // HOUR_MS * HOUR_MS]
    if known_asset(call, asset).curve is None:
        first_ms = call.doors.engine.venue.start_ms // DAY_MS * DAY_MS
        last_ms = min(end_ms, now_ms) // DAY_MS * DAY_MS
        stamps = list(range(last_ms, max(first_ms, begin_ms) - 1, -DAY_MS)[:ROWS_MAX])
    wanted = [stamp for stamp in stamps if begin_ms <= stamp <= end_ms]
    rate = daily(call.doors.desk.hourly_rate_e12(asset))
    return [
        {"asset": asset, "dailyInterestRate": rate, "timestamp": stamp, "vipLevel": 0}
        for stamp in wanted[: call.params.limit(ROWS, ROWS_MAX)]
    ]


async def next_rates(call: Call) -> list[dict[str, str]]:
    """What the next hour would cost each of `assets`, by what is lent now."""
    names = call.params.need("assets").split(",")
    call.params.flag("isIsolated")  # The pools lend to both at one rate.
    if len(names) > ASSETS_MAX:
        raise refused(BAD_VALUE, "assets")
    risk = call.doors.engine.risk
    found = [known_asset(call, name.strip()) for name in names]
    return [
        {
            "asset": each.asset,
            "nextHourlyInterestRate": rate_text(
                pool_rate_e12(each, lent_minor(risk, each.asset), pool_minor(risk, each.asset))
            ),
        }
        for each in found
    ]


async def inventory(call: Call) -> dict[str, Any]:
    """What the pools can still lend; cross and isolated margin borrow from the same."""
    call.params.need("type")
    call.params.choice("type", ("MARGIN", "ISOLATED"))
    risk = call.doors.engine.risk
    return {
        "assets": {asset: eight(inventory_minor(risk, asset)) for asset in risk.assets},
        "updateTime": call.now_ms,
    }


async def cross_data(call: Call) -> list[dict[str, Any]]:
    """What borrowing each asset, or `coin`, costs in cross margin, and its limit."""
    wanted = asset_named(call, "coin")
    return [
        _cross_coin(call, asset)
        for asset in call.doors.engine.risk.assets
        if wanted in (None, asset)
    ]


def _cross_coin(call: Call, asset: str) -> dict[str, Any]:
    parameters = known_asset(call, asset)
    hourly_e12 = call.doors.desk.hourly_rate_e12(asset)
    pairs = call.dialect.symbols.all("spot")
    return {
        "vipLevel": 0,
        "coin": asset,
        "transferIn": True,
        "borrowable": is_borrowable(parameters),
        "dailyInterest": daily(hourly_e12),
        "yearlyInterest": rate_text(hourly_e12 * HOURS_IN_DAY * DAYS_IN_YEAR),
        "borrowLimit": eight(parameters.borrow_limit_minor),
        "marginablePairs": [name_of(each) for each in pairs if asset in (each.base, each.quote)],
    }


async def collateral_ratios(call: Call) -> list[dict[str, Any]]:
    """What counts of assets as collateral, slab by slab; those that count alike together."""
    alike: dict[tuple[CollateralTier, ...], list[str]] = {}
    for each in call.doors.engine.venue.assets:
        alike.setdefault(each.collateral, []).append(each.asset)
    return [
        {"collaterals": _slabs(tiers), "assetNames": names}
        for tiers, names in alike.items()
        if tiers
    ]


def _slabs(tiers: tuple[CollateralTier, ...]) -> list[dict[str, str]]:
    """Each slab of value with the share of it that counts; the last may have no end."""
    said, floor_minor = [], 0
    for tier in tiers:
        slab = {"minUsdValue": eight(floor_minor), "discountRate": rate_eight(tier.ratio_e12)}
        if tier.cap_minor is not None:
            slab["maxUsdValue"] = eight(tier.cap_minor)
            floor_minor = tier.cap_minor
        said.append(slab)
    return said


async def isolated_data(call: Call) -> list[dict[str, Any]]:
    """Leverage, rates and limits of each isolated pair, or of `symbol`."""
    spots = call.doors.engine.risk.spots
    wanted = call.named()
    return [
        _isolated_pair(call, each)
        for each in call.dialect.symbols.all("spot")
        if spots[each.symbol].isolated and wanted in (None, each)
    ]


def _isolated_pair(call: Call, instrument: Instrument) -> dict[str, Any]:
    """A pair with the largest leverage of its tiers, and what its last one lends."""
    tiers = call.doors.engine.risk.spots[instrument.symbol].isolated
    limits = (
        (instrument.base, tiers[-1].base_limit_minor),
        (instrument.quote, tiers[-1].quote_limit_minor),
    )
    return {
        "vipLevel": 0,
        "symbol": name_of(instrument),
        "leverage": str(tiers[0].leverage),
        "data": [
            {
                "coin": asset,
                "dailyInterest": daily(call.doors.desk.hourly_rate_e12(asset)),
                "borrowLimit": eight(min(most, known_asset(call, asset).borrow_limit_minor)),
            }
            for asset, most in limits
        ],
    }


async def isolated_tiers(call: Call) -> list[dict[str, Any]]:
    """The loan tiers of a pair, or the one that `tier` numbers."""
    instrument, wanted = pair_of(call), call.params.integer("tier")
    tiers = call.doors.engine.risk.spots[instrument.symbol].isolated
    return [
        {
            "symbol": name_of(instrument),
            "tier": number,
            "effectiveMultiple": str(each.leverage),
            "initialRiskRatio": rate_eight(each.initial_e12),
            "liquidationRiskRatio": rate_eight(each.liquidation_e12),
            "baseAssetMaxBorrowable": eight(each.base_limit_minor),
            "quoteAssetMaxBorrowable": eight(each.quote_limit_minor),
        }
        for number, each in enumerate(tiers, 1)
        if wanted in (None, number)
    ]


ROUTES = (
    reading("margin/interestHistory", interest_history),
    reading("margin/interestRateHistory", rate_history),
    reading("margin/next-hourly-interest-rate", next_rates, 100),
    reading("margin/available-inventory", inventory, 50),
    reading("margin/crossMarginData", cross_data, 5),
    Route(
        verb="GET",
        path="/sapi/v1/margin/crossMarginCollateralRatio",
        handler=collateral_ratios,
        weight=100,
        security="K",
    ),
    reading("margin/isolatedMarginData", isolated_data, 10),
    reading("margin/isolatedMarginTier", isolated_tiers),
)
