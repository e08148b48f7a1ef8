"""The spot account: its balances, and what its trades cost."""

from __future__ import annotations

from typing import Any, Final

from exchange.gateway.binance.accounts.amounts import eight, rate_eight
from exchange.gateway.binance.calls import Call, Route
from exchange.gateway.binance.symbols import name_of
from risk.account import SPOT, Account
from risk.fees import rates_e12
from risk.money import E12, half_even_div

BPS_E12: Final = E12 // 10_000  # One basis point of a rate.
NO_RATE: Final = eight(0)


async def account(call: Call) -> dict[str, Any]:
    """Everything of the spot wallet; each asset of the venue, or with `omitZeroBalances` those
    there is something of."""
    holder = call.account
    risk = call.doors.engine.risk
    rates = rates_e12(risk, holder, "spot")
    omits = call.params.flag("omitZeroBalances")
    return {
        "makerCommission": half_even_div(rates.maker_e12, BPS_E12),
        "takerCommission": half_even_div(rates.taker_e12, BPS_E12),
        "buyerCommission": 0,
        "sellerCommission": 0,
        "commissionRates": side_rates(rates.maker_e12, rates.taker_e12),
        "canTrade": True,
        "canWithdraw": False,
        "canDeposit": True,
        "brokered": False,
        "requireSelfTradePrevention": False,
        "preventSor": False,
        "updateTime": call.now_ms,
        "accountType": "SPOT",
        "balances": [
            balance(holder, asset)
            for asset in risk.assets
            if not omits or holder.minor(SPOT, asset)
        ],
        "permissions": ["SPOT", "MARGIN"],
        "uid": holder.id,
    }


def balance(account: Account, asset: str) -> dict[str, str]:
    """An asset of the spot wallet."""
    free = account.free(SPOT, asset)
    return {
        "asset": asset,
        "free": eight(free),
        "locked": eight(account.minor(SPOT, asset) - free),
    }


def side_rates(maker_e12: int, taker_e12: int) -> dict[str, str]:
    """Rates by role; none are charged for buying or selling as such."""
    return {
        "maker": rate_eight(maker_e12),
        "taker": rate_eight(taker_e12),
        "buyer": NO_RATE,
        "seller": NO_RATE,
    }


async def commission(call: Call) -> dict[str, Any]:
    """What the account pays for trades of a pair, and less of it in the discount asset."""
    instrument, holder = call.instrument(), call.account
    rates = rates_e12(call.doors.engine.risk, holder, "spot")
    return {
        "symbol": name_of(instrument),
        "standardCommission": side_rates(rates.maker_e12, rates.taker_e12),
        "specialCommission": side_rates(0, 0),
        "taxCommission": side_rates(0, 0),
        "discount": _discount(call),
    }


def commission_for_order(call: Call) -> dict[str, Any]:
    """The same of one order that is only tried."""
    rates = rates_e12(call.doors.engine.risk, call.account, "spot")
    standard = {"maker": rate_eight(rates.maker_e12), "taker": rate_eight(rates.taker_e12)}
    none = {"maker": NO_RATE, "taker": NO_RATE}
    return {
        "standardCommissionForOrder": standard,
        "specialCommissionForOrder": none,
        "taxCommissionForOrder": none,
        "discount": _discount(call),
    }


def _discount(call: Call) -> dict[str, Any]:
    """How much less is paid in the discount asset, and whether it is."""
    fees = call.doors.engine.risk.venue.fees
    offered = fees.asset == "discount"
    return {
        "enabledForAccount": offered and call.account.fee_discount,
        "enabledForSymbol": offered,
        "discountAsset": fees.discount_asset,
        "discount": rate_eight(E12 - fees.discount_e12),
    }


ROUTES = (
    Route(
        verb="GET",
        path="/api/v3/account",
        handler=account,
        weight=20,
        security="U",
        method="account.status",
    ),
    Route(
        verb="GET",
        path="/api/v3/account/commission",
        handler=commission,
        weight=20,
        security="U",
        method="account.commission",
    ),
)
