"""What an account may choose: fees in the discount asset, and the leverage of cross margin."""

from __future__ import annotations

from typing import Any

from exchange.commands import SetFeeDiscount, SetMarginLeverage
from exchange.gateway.binance.accounts.refusals import BORROW_TOO_LARGE, MARGIN_RATE
from exchange.gateway.binance.calls import Call, Route
from exchange.gateway.binance.errors import BAD_VALUE, refused
from matching.reasons import Reason
from risk.account import CROSS_LEVERAGES


async def burn(call: Call) -> dict[str, bool]:
    """Whether spot fees are paid in the discount asset; interest never is."""
    return {"spotBNBBurn": call.account.fee_discount, "interestBNBBurn": False}


async def set_burn(call: Call) -> dict[str, bool]:
    """Pay spot fees so by `spotBNBBurn`; -1130 where the venue takes them in something else."""
    account = call.account
    wanted = call.params.flag("spotBNBBurn", account.fee_discount)
    if call.params.flag("interestBNBBurn"):
        raise refused(BAD_VALUE, "interestBNBBurn")
    if wanted is not account.fee_discount:
        await call.submit(SetFeeDiscount(account_id=account.id, on=wanted))
    return {"spotBNBBurn": wanted, "interestBNBBurn": False}


async def set_leverage(call: Call) -> dict[str, bool]:
    """Cross margin at `maxLeverage`; -1130 for one there is none of, -3006 where debts forbid."""
    leverage = call.params.need_integer("maxLeverage")
    if leverage not in CROSS_LEVERAGES:
        raise refused(BAD_VALUE, "maxLeverage")
    await call.submit(SetMarginLeverage(account_id=call.account.id, leverage=leverage))
    return {"success": True}


def _said(verb: str, path: str, handler: Any, weight: int, *, changes: bool = True) -> Route:
    return Route(
        verb=verb,
        path=f"/sapi/v1/{path}",
        handler=handler,
        weight=weight,
        security="T" if changes else "U",
        by_account=weight > 1,
        refusals={
            Reason.MODE_NOT_ALLOWED: (BAD_VALUE[0], BAD_VALUE[1].format("spotBNBBurn")),
            Reason.COLLATERAL_TOO_LOW: BORROW_TOO_LARGE,
            Reason.ACCOUNT_LIQUIDATING: MARGIN_RATE,
        },
    )


ROUTES = (
    _said("GET", "bnbBurn", burn, 1, changes=False),
    _said("POST", "bnbBurn", set_burn, 1),
    _said("POST", "margin/max-leverage", set_leverage, 3_000),
)
