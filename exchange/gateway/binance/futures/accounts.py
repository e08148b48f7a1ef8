"""A futures account: its assets, its positions, and the sums over them."""

from __future__ import annotations

from typing import Any

from exchange.gateway.binance.calls import Call
from exchange.gateway.binance.futures.order_shapes import POSITION_SIDE_WORDS
from exchange.gateway.binance.futures.positions import Row, rows
from exchange.gateway.binance.futures.wallets import Figures, amount, figures
from exchange.gateway.binance.symbols import name_of
from risk.account import PERP
from risk.perp_report import collateral_report
from risk.tiers import tier_of

ALIAS_LETTERS = "SgsRfAuXmWoCiKtB"  # An alias is four of them a byte of the account's number.


def alias(account_id: int) -> str:
    """The name an account goes by in its balances: always the same letters."""
    return "".join(ALIAS_LETTERS[int(digit, 16)] for digit in f"{account_id:04x}")


async def account_v3(call: Call) -> dict[str, Any]:
    """Sums, assets, and the positions that are held or ordered."""
    used = [_position_v3(call, row) for row in rows(call) if row.is_used]
    return _totals(call) | {
        "assets": [_asset(call, each) for each in figures(call)],
        "positions": used,
    }


async def account_v2(call: Call) -> dict[str, Any]:
    """Permissions, sums, assets, and every contract's position."""
    positions = [_position_v2(call, row) for row in rows(call, both=True)]
    return (
        _permissions(call)
        | {"multiAssetsMargin": call.account.multi_asset, "tradeGroupId": -1}
        | _totals(call)
        | {"assets": [_asset(call, each) for each in figures(call)], "positions": positions}
    )


async def account_coin(call: Call) -> dict[str, Any]:
    """Permissions, coins, and every contract's position."""
    return _permissions(call) | {
        "assets": [_asset(call, each) for each in figures(call)],
        "positions": [_position_coin(call, row) for row in rows(call, both=True)],
    }


async def balance(call: Call) -> list[dict[str, Any]]:
    """The assets of USD-M, in short."""
    return [
        {
            "accountAlias": alias(call.account.id),
            "asset": each.asset,
            "balance": amount(each.wallet),
            "crossWalletBalance": amount(each.cross_wallet),
            "crossUnPnl": amount(each.cross_unrealised),
            "availableBalance": amount(each.available),
            "maxWithdrawAmount": amount(each.withdrawable),
            "marginAvailable": True,
            "updateTime": call.now_ms,
        }
        for each in figures(call)
    ]


async def balance_coin(call: Call) -> list[dict[str, Any]]:
    """The coins of COIN-M, in short."""
    return [
        {
            "accountAlias": alias(call.account.id),
            "asset": each.asset,
            "balance": amount(each.wallet),
            "withdrawAvailable": amount(each.withdrawable),
            "crossWalletBalance": amount(each.cross_wallet),
            "crossUnPnl": amount(each.cross_unrealised),
            "availableBalance": amount(each.available),
            "updateTime": call.now_ms,
        }
        for each in figures(call)
    ]


async def config(call: Call) -> dict[str, Any]:
    """Permissions and modes of the account."""
    return _permissions(call) | {
        "dualSidePosition": call.account.hedge,
        "multiAssetsMargin": call.account.multi_asset,
        "tradeGroupId": -1,
    }


def _permissions(call: Call) -> dict[str, Any]:
    free = not any(scope.startswith(PERP) for scope in call.account.liquidating)
    return {
        "feeTier": tier_of(call.doors.engine.risk, call.account, "perp"),
        "canTrade": free,
        "canDeposit": True,
        "canWithdraw": free,
        "updateTime": call.now_ms,
    }


def _totals(call: Call) -> dict[str, Any]:
    """Sums in the venue's quote, in which USD-M contracts are settled.

    In multi-asset mode other collateral counts at its index, and to the margin balance at what
    the venue lends on it.
    """
    found = figures(call)
    own, others = found[0], 0
    weighed = 0
    for each in collateral_report(call.doors.engine.risk, call.account, PERP):
        if each.asset != own.asset:
            others += each.minor * each.price_e8 // 10**8
            weighed += each.value_e16 // 10**8
    return {
        "totalInitialMargin": amount(own.initial),
        "totalMaintMargin": amount(own.maintenance),
        "totalWalletBalance": amount(own.wallet + others),
        "totalUnrealizedProfit": amount(own.unrealised),
        "totalMarginBalance": amount(own.margin_balance + weighed),
        "totalPositionInitialMargin": amount(own.position_initial),
        "totalOpenOrderInitialMargin": amount(own.order_initial),
        "totalCrossWalletBalance": amount(own.cross_wallet + others),
        "totalCrossUnPnl": amount(own.cross_unrealised),
        "availableBalance": amount(own.available),
        "maxWithdrawAmount": amount(own.withdrawable),
    }


def _asset(call: Call, each: Figures) -> dict[str, Any]:
    said: dict[str, Any] = {
        "asset": each.asset,
        "walletBalance": amount(each.wallet),
        "unrealizedProfit": amount(each.unrealised),
        "marginBalance": amount(each.margin_balance),
        "maintMargin": amount(each.maintenance),
        "initialMargin": amount(each.initial),
        "positionInitialMargin": amount(each.position_initial),
        "openOrderInitialMargin": amount(each.order_initial),
        "crossWalletBalance": amount(each.cross_wallet),
        "crossUnPnl": amount(each.cross_unrealised),
        "availableBalance": amount(each.available),
        "maxWithdrawAmount": amount(each.withdrawable),
        "updateTime": call.now_ms,
    }
    if call.product == "um":
        said["marginAvailable"] = True
    return said


def _position(call: Call, row: Row) -> dict[str, Any]:
    instrument = row.contract.instrument
    return {
        "symbol": name_of(instrument),
        "positionSide": POSITION_SIDE_WORDS[row.position_side],
        "positionAmt": instrument.qty_text(row.lots),
        "unrealizedProfit": amount(row.unrealised),
        "initialMargin": amount(row.position_initial + row.order_initial),
        "maintMargin": amount(row.maintenance),
        "isolatedWallet": amount(row.margin),
        "updateTime": call.now_ms,
    }


def _position_v3(call: Call, row: Row) -> dict[str, Any]:
    margin = row.margin + row.unrealised if row.isolated else 0
    return _position(call, row) | {
        "isolatedMargin": amount(margin),
        "notional": amount(row.notional),
    }


def _full(call: Call, row: Row) -> dict[str, Any]:
    return _position(call, row) | {
        "positionInitialMargin": amount(row.position_initial),
        "openOrderInitialMargin": amount(row.order_initial),
        "leverage": str(row.leverage),
        "isolated": row.isolated,
        "entryPrice": amount(row.entry_e8),
        "breakEvenPrice": amount(row.break_even_e8),
    }


def _position_v2(call: Call, row: Row) -> dict[str, Any]:
    return _full(call, row) | {
        "maxNotional": amount(row.cap),
        "notional": amount(row.notional),
        "bidNotional": amount(row.sums.buy_minor),
        "askNotional": amount(row.sums.sell_minor),
    }


def _position_coin(call: Call, row: Row) -> dict[str, Any]:
    return _full(call, row) | {
        "maxQty": amount(row.cap),
        "notionalValue": amount(row.notional),
    }
