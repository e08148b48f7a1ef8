"""Isolated margin accounts: one a pair, each with its own levels."""

from __future__ import annotations

from typing import Any

from exchange.gateway.binance.accounts.amounts import eight, rate_eight, worth_minor
from exchange.gateway.binance.accounts.margin import holding, level, level_status, worths
from exchange.gateway.binance.accounts.pairs import is_borrowable
from exchange.gateway.binance.accounts.refusals import (
    BAD_PAIR,
    ISOLATED_IN_USE,
    NO_ISOLATED_ACCOUNT,
    REFUSALS,
)
from exchange.gateway.binance.accounts.wallets import exists, pair_of, wallets_of
from exchange.gateway.binance.calls import Call, Route
from exchange.gateway.binance.errors import refused
from exchange.gateway.binance.symbols import name_of
from matching.instrument import Instrument
from risk.account import ISOLATED, Account, isolated_wallet
from risk.loan_tiers import levels
from risk.margin_report import margin_report
from risk.money import E8
from risk.state import RiskState


async def account(call: Call) -> dict[str, Any]:
    """The pairs named by `symbols`, or every one in use and then the worth of all in BTC."""
    holder, risk = call.account, call.doors.engine.risk
    if call.params.has("symbols"):
        named = [_pair(call, name) for name in call.params.get("symbols").split(",")]
        return {"assets": [_pair_say(risk, holder, each) for each in named]}
    wallets = _used(holder)
    reports = [margin_report(risk, holder, wallet) for wallet in wallets]
    pairs = [risk.instruments[wallet.removeprefix(ISOLATED)] for wallet in wallets]
    return {
        "assets": [_pair_say(risk, holder, each) for each in pairs],
        **worths(
            risk,
            sum(report.assets_e16 for report in reports),
            sum(report.debt_e16 for report in reports),
        ),
    }


def _pair(call: Call, name: str) -> Instrument:
    """A pair of a list; -1121 or -3028."""
    instrument = call.dialect.symbols.of("spot", name.strip())
    if not call.doors.engine.risk.spots[instrument.symbol].isolated:
        raise refused(BAD_PAIR)
    return instrument


def _pair_say(risk: RiskState, holder: Account, instrument: Instrument) -> dict[str, Any]:
    wallet = isolated_wallet(instrument.symbol)
    report = margin_report(risk, holder, wallet)
    bounds = levels(risk, holder, wallet)
    index_e8 = risk.indexes[instrument.symbol].index_e8
    return {
        "symbol": name_of(instrument),
        "baseAsset": _side(risk, holder, wallet, instrument.base),
        "quoteAsset": _side(risk, holder, wallet, instrument.quote),
        "isolatedCreated": exists(holder, wallet),
        "enabled": True,
        "marginLevel": level(report.level_e12),
        "marginLevelStatus": level_status(holder, wallet, report, bounds.transfer_e12),
        "marginRatio": eight(bounds.leverage * E8),
        "indexPrice": eight(index_e8 or 0),
        "liquidatePrice": eight(report.liquidation_price_e8 or 0),
        "liquidateRate": rate_eight(bounds.liquidation_e12),
        "tradeEnabled": wallet not in holder.liquidating,
    }


def _side(risk: RiskState, holder: Account, wallet: str, asset: str) -> dict[str, Any]:
    """One of a pair's two assets."""
    total = holder.minor(wallet, asset)
    loan = holder.loans.get((wallet, asset))
    net_minor = total - (loan.owed_minor if loan else 0)
    return {
        **holding(holder, wallet, asset),
        "netAssetOfBtc": eight(worth_minor(risk, net_minor * (risk.price_e8(asset) or 0))),
        "totalAsset": eight(total),
        "borrowEnabled": is_borrowable(risk.assets[asset]) and wallet not in holder.liquidating,
        "repayEnabled": wallet not in holder.liquidating,
    }


async def enable(call: Call) -> dict[str, Any]:
    """Every pair's account is there for whoever transfers into it: none is ever switched off."""
    assert call.account, "a key speaks for an account"
    return {"success": True, "symbol": name_of(pair_of(call))}


async def disable(call: Call) -> dict[str, Any]:
    """Give up a pair's account; it must be empty, so it is told of no more until the next transfer.

    -11001 where there is none, -1000 while something is in it, owed or ordered.
    """
    holder, instrument = call.account, pair_of(call)
    wallet = isolated_wallet(instrument.symbol)
    if not exists(holder, wallet):
        raise refused(NO_ISOLATED_ACCOUNT)
    if wallet in _used(holder):
        raise refused(ISOLATED_IN_USE)
    return {"success": True, "symbol": name_of(instrument)}


def _used(holder: Account) -> list[str]:
    """The isolated wallets in which something is held, owed or ordered: the others are given up."""
    ordered = {order.wallet for order in holder.orders.values()}
    held = {wallet for (wallet, asset) in holder.pockets if holder.minor(wallet, asset)}
    owed = {wallet for (wallet, _) in holder.loans}
    return [wallet for wallet in wallets_of(holder) if wallet in ordered | held | owed]


async def limit(call: Call) -> dict[str, int]:
    """How many pairs the account uses, of those there are."""
    spots = call.doors.engine.risk.spots.values()
    return {
        "enabledAccount": len(_used(call.account)),
        "maxAccount": sum(1 for each in spots if each.isolated),
    }


def _changing(verb: str, handler: Any) -> Route:
    return Route(
        verb=verb,
        path="/sapi/v1/margin/isolated/account",
        handler=handler,
        weight=300,
        security="T",
        by_account=True,
    )


ROUTES = (
    Route(
        verb="GET",
        path="/sapi/v1/margin/isolated/account",
        handler=account,
        weight=10,
        security="U",
        refusals=REFUSALS,
    ),
    _changing("POST", enable),
    _changing("DELETE", disable),
    Route(
        verb="GET",
        path="/sapi/v1/margin/isolated/accountLimit",
        handler=limit,
        security="U",
    ),
)
