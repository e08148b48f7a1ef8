"""Whether the venue works, and what an account and the key it is asked with may do."""

from __future__ import annotations

from typing import Any

from exchange.gateway.binance.calls import Call, Route
from exchange.gateway.binance.errors import KEY_REJECTED, refused


async def system_status(call: Call) -> dict[str, Any]:
    """Normal while the exchange trades, else under maintenance."""
    trades = call.doors.health()["status"] == "ok"
    return {"status": 0, "msg": "normal"} if trades else {"status": 1, "msg": "system_maintenance"}


async def account_status(call: Call) -> dict[str, Any]:
    """An account is normal: nobody is ever locked out, not even while being liquidated."""
    assert call.account, "a key speaks for an account"
    return {"data": "Normal"}


async def restrictions(call: Call) -> dict[str, Any]:
    """What the key may do; it trades every product or none, and nothing can be withdrawn."""
    key = call.doors.keys.get(call.caller.key)
    if key is None:
        raise refused(KEY_REJECTED)
    trade, transfer = "trade" in key.permissions, "transfer" in key.permissions
    said = {
        "ipRestrict": bool(key.ips),
        "createTime": key.created_ms,
        "enableReading": "read" in key.permissions,
        "enableSpotAndMarginTrading": trade,
        "enableMargin": trade and transfer,  # Borrowing moves money.
        "enableFutures": trade,
        "permitsUniversalTransfer": transfer,
        "enableInternalTransfer": False,
        "enableWithdrawals": False,
        "enableVanillaOptions": False,
        "enablePortfolioMarginTrading": False,
        "enableFixApiTrade": False,
        "enableFixReadOnly": False,
    }
    if key.expires_ms is not None:
        said["tradingAuthorityExpirationTime"] = key.expires_ms
    return said


def _signed(path: str, handler: Any) -> Route:
    return Route(verb="GET", path=f"/sapi/v1/account/{path}", handler=handler, security="U")


ROUTES = (
    Route(verb="GET", path="/sapi/v1/system/status", handler=system_status),
    _signed("status", account_status),
    _signed("apiRestrictions", restrictions),
)
