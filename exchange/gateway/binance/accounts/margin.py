"""The cross margin account: what is in it, what is owed there, and how safe it is."""

from __future__ import annotations

from typing import Any, Final

from exchange.gateway.binance.accounts.amounts import (
    debt_worth_minor,
    eight,
    rate_eight,
    value_minor,
    worth_minor,
)
from exchange.gateway.binance.accounts.refusals import REFUSALS
from exchange.gateway.binance.calls import Call, Route
from risk.account import MARGIN, Account
from risk.margin_report import MarginReport, margin_report
from risk.money import E12
from risk.state import RiskState

NO_DEBT_E12: Final = 999 * E12  # The level of a wallet that owes nothing.


async def account(call: Call) -> dict[str, Any]:
    """The account's worth in BTC, its levels, and each asset of the venue."""
    holder, risk = call.account, call.doors.engine.risk
    report = margin_report(risk, holder, MARGIN)
    free_to_act = MARGIN not in holder.liquidating
    collateral_e12 = report.collateral_level_e12
    return {
        "created": True,
        "borrowEnabled": free_to_act,
        "tradeEnabled": free_to_act,
        "transferInEnabled": free_to_act,
        "transferOutEnabled": free_to_act,
        "accountType": "MARGIN_1",
        "marginLevel": level(report.level_e12),
        "collateralMarginLevel": level(collateral_e12),
        **worths(risk, report.assets_e16, report.debt_e16),
        "totalCollateralValueInUSDT": eight(value_minor(report.collateral_e16)),
        "totalOpenOrderLossInUSDT": eight(0),
        "userAssets": [holding(holder, MARGIN, asset) for asset in risk.assets],
    }


def level(level_e12: int | None) -> str:
    """A margin level; 999 without a debt."""
    return rate_eight(NO_DEBT_E12 if level_e12 is None else level_e12)


def worths(risk: RiskState, assets_e16: int, debt_e16: int) -> dict[str, str]:
    """Assets, debts, and the difference, in BTC at its index."""
    return {
        "totalAssetOfBtc": eight(worth_minor(risk, assets_e16)),
        "totalLiabilityOfBtc": eight(debt_worth_minor(risk, debt_e16)),
        "totalNetAssetOfBtc": eight(worth_minor(risk, assets_e16 - debt_e16)),
    }


def holding(account: Account, wallet: str, asset: str) -> dict[str, str]:
    """An asset of a margin wallet; interest is rounded up to what repaying it takes."""
    total, free = account.minor(wallet, asset), account.free(wallet, asset)
    loan = account.loans.get((wallet, asset))
    principal = loan.principal_minor if loan else 0
    owed = loan.owed_minor if loan else 0
    return {
        "asset": asset,
        "free": eight(free),
        "locked": eight(total - free),
        "borrowed": eight(principal),
        "interest": eight(owed - principal),
        "netAsset": eight(total - owed),
    }


def level_status(account: Account, wallet: str, report: MarginReport, safe_e12: int) -> str:
    """How safe a wallet is, by the levels at which it is called and liquidated."""
    if wallet in account.liquidating:
        return "FORCE_LIQUIDATION"
    level_e12 = report.level_e12
    if level_e12 is None or level_e12 > safe_e12:
        return "EXCESSIVE"
    if level_e12 <= report.liquidation_e12:
        return "PRE_LIQUIDATION"
    return "MARGIN_CALL" if level_e12 <= report.call_e12 else "NORMAL"


ROUTES = (
    Route(
        verb="GET",
        path="/sapi/v1/margin/account",
        handler=account,
        weight=10,
        security="U",
        refusals=REFUSALS,
    ),
)
