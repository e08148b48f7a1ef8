"""What the engine's refusals are called by Binance where money is moved, lent or repaid."""

from __future__ import annotations

from typing import Final

from exchange.gateway.binance.errors import (
    BAD_COMBINATION,
    BAD_PRECISION,
    BAD_VALUE,
    UNKNOWN,
    Refusal,
)
from matching.reasons import Reason

BORROW_TOO_LARGE: Final[Refusal] = (
    -3006,
    "Your borrow amount has exceed maximum borrow amount.",
)
BORROW_BANNED: Final[Refusal] = (-3012, "Borrow is banned for this asset.")
REPAY_TOO_LARGE: Final[Refusal] = (-3015, "Repay amount exceeds borrow amount.")
TRANSFER_TOO_LARGE: Final[Refusal] = (-3020, "Transfer out amount exceeds max amount.")
MARGIN_RATE: Final[Refusal] = (
    -3023,
    "You can't transfer out/place order under current margin rate.",
)
BAD_ASSET: Final[Refusal] = (-3027, "Not a valid margin asset.")
BAD_PAIR: Final[Refusal] = (-3028, "Not a valid margin pair.")
NOT_ENOUGH: Final[Refusal] = (-3041, "Balance is not enough")
NO_PRICE_INDEX: Final[Refusal] = (-3042, "PriceIndex not available for this margin pair.")
POOL_EMPTY: Final[Refusal] = (-3045, "The system doesn't have enough asset now.")
NO_ISOLATED_ACCOUNT: Final[Refusal] = (-11001, "Isolated margin account does not exist.")
ISOLATED_IN_USE: Final[Refusal] = (
    UNKNOWN[0],  # Binance's own code for it is not documented.
    "Isolated margin account still has assets, debts or open orders.",
)

REFUSALS: Final[dict[Reason, Refusal]] = {
    Reason.AMOUNT_TOO_FINE: BAD_PRECISION,
    Reason.AMOUNT_NOT_POSITIVE: (BAD_VALUE[0], BAD_VALUE[1].format("amount")),
    Reason.AMOUNT_TOO_LARGE: (BAD_VALUE[0], BAD_VALUE[1].format("amount")),
    Reason.SAME_WALLET: BAD_COMBINATION,
    Reason.UNKNOWN_ASSET: BAD_ASSET,
    Reason.ASSET_NOT_IN_WALLET: BAD_ASSET,
    Reason.UNKNOWN_WALLET: BAD_ASSET,  # Of COIN-M: no contract settles in the asset.
    Reason.MARGIN_NOT_ALLOWED: BAD_PAIR,
    Reason.INSUFFICIENT_BALANCE: NOT_ENOUGH,
    Reason.TRANSFER_WOULD_BREACH_MARGIN: TRANSFER_TOO_LARGE,
    Reason.INSUFFICIENT_INVENTORY: POOL_EMPTY,
    Reason.BORROW_LIMIT: BORROW_TOO_LARGE,
    Reason.COLLATERAL_TOO_LOW: BORROW_TOO_LARGE,
    Reason.NOT_BORROWABLE: BORROW_BANNED,
    Reason.NOTHING_OWED: REPAY_TOO_LARGE,
    Reason.ACCOUNT_LIQUIDATING: MARGIN_RATE,
    Reason.NO_INDEX_PRICE: NO_PRICE_INDEX,
}
