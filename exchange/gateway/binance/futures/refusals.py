"""What the engine's reasons are called on futures, and the refusals only futures have."""

from __future__ import annotations

from typing import Final

from exchange.gateway.binance.errors import BAD_COMBINATION, Refusal
from matching.reasons import Reason

UNKNOWN_ORDER: Final[Refusal] = (-2011, "Unknown order sent.")
NO_SUCH_ORDER: Final[Refusal] = (-2013, "Order does not exist.")
BAD_CALLBACK: Final[Refusal] = (-2007, "Invalid callBack rate.")
PRICE_NOT_POSITIVE: Final[Refusal] = (-4001, "Price less than 0.")
PRICE_TOO_HIGH: Final[Refusal] = (-4002, "Price greater than max price.")
QTY_NOT_POSITIVE: Final[Refusal] = (-4003, "Quantity less than zero.")
QTY_TOO_SMALL: Final[Refusal] = (-4004, "Quantity less than min quantity.")
QTY_TOO_LARGE: Final[Refusal] = (-4005, "Quantity greater than max quantity.")
PRICE_TOO_LOW: Final[Refusal] = (-4013, "Price less than min price.")
OFF_TICK: Final[Refusal] = (-4014, "Price not increased by tick size.")
BAD_CLIENT_ID: Final[Refusal] = (-4015, "Client order id is not valid.")
PRICE_TOO_FAR: Final[Refusal] = (-4016, "Limit price can't be that far from the mark price.")
OFF_STEP: Final[Refusal] = (-4023, "Quantity not increased by step size.")
BAD_LEVERAGE: Final[Refusal] = (-4028, "Leverage {} is not valid")
LEVERAGE_REDUCED: Final[Refusal] = (
    -4161,
    "Leverage reduction is not supported in Isolated Margin Mode with open positions.",
)
SAME_MARGIN_TYPE: Final[Refusal] = (-4046, "No need to change margin type.")
AMOUNT_NOT_POSITIVE: Final[Refusal] = (-4055, "Amount must be positive.")
SAME_POSITION_SIDE: Final[Refusal] = (-4059, "No need to change position side.")
BATCH_SIZE: Final[Refusal] = (-4082, "Invalid number of batch place orders.")
USE_ALGO: Final[Refusal] = (
    -4120,
    "Order type not supported for this endpoint. Please use the Algo Order API endpoints instead.",
)
BAD_CLOSE: Final[Refusal] = (
    -4136,
    "Target strategy invalid for orderType {},closePosition true",
)
CLOSE_TAKES_NO_QTY: Final[Refusal] = (-4137, "Quantity must be zero with closePosition equals true")
SAME_ASSET_MODE: Final[Refusal] = (
    -4171,
    "Adjusted asset mode is currently set and does not need to be adjusted repeatedly",
)
FOK_REJECTED: Final[Refusal] = (
    -5021,
    "Due to the order could not be filled immediately, the FOK order has been rejected. "
    "The order will not be recorded in the order history",
)
GTX_REJECTED: Final[Refusal] = (
    -5022,
    "Due to the order could not be executed as maker, the Post Only order will be rejected. "
    "The order will not be recorded in the order history",
)
LIMIT_ONLY: Final[Refusal] = (-5025, "Only limit order is supported.")
PRICE_MATCH_TYPE: Final[Refusal] = (-5038, "Price match only supports order type: LIMIT")
BAD_STP: Final[Refusal] = (-5039, "Invalid self trade prevention mode.")
BAD_DATE: Final[Refusal] = (
    -5040,
    "The goodTillDate timestamp must be greater than the current time plus 600 seconds and "
    "smaller than 253402300799000",
)
NO_DEPTH: Final[Refusal] = (-5041, "No depth matches this BBO order.")

ORDERS: Final[dict[Reason, Refusal]] = {
    Reason.UNKNOWN_ORDER: UNKNOWN_ORDER,
    Reason.DUPLICATE_ID: (-4116, "ClientOrderId is duplicated."),
    Reason.COMBINATION_NOT_ALLOWED: BAD_COMBINATION,
    Reason.INSUFFICIENT_MARGIN: (-2019, "Margin is insufficient."),
    Reason.INSUFFICIENT_BALANCE: (-2018, "Balance is insufficient."),
    Reason.NO_LIQUIDITY: (-2020, "Unable to fill."),
    Reason.WOULD_TRIGGER: (-2021, "Order would immediately trigger."),
    Reason.REDUCE_ONLY_WOULD_INCREASE: (-2022, "ReduceOnly Order is rejected."),
    Reason.ACCOUNT_LIQUIDATING: (-2023, "User in liquidation mode now."),
    Reason.MAX_ORDERS: (-2025, "Reach max open order limit."),
    Reason.MAX_ALGO_ORDERS: (-4045, "Reach max stop order limit."),
    Reason.BRACKET_EXCEEDED: (
        -2027,
        "Exceeded the maximum allowable position at current leverage.",
    ),
    Reason.TRAILING_DELTA: BAD_CALLBACK,
    Reason.PRICE_OUT_OF_RANGE: PRICE_TOO_HIGH,
    Reason.PRICE_NOT_ON_TICK: OFF_TICK,
    Reason.QTY_OUT_OF_RANGE: QTY_TOO_LARGE,
    Reason.MARKET_QTY_OUT_OF_RANGE: QTY_TOO_LARGE,
    Reason.QTY_NOT_ON_LOT: OFF_STEP,
    Reason.PERCENT_PRICE: PRICE_TOO_FAR,
    Reason.PRICE_BAND: PRICE_TOO_FAR,
    Reason.EXECUTION_PRICE_RANGE: (
        -4131,
        "The counterparty's best price does not meet the PERCENT_PRICE filter limit.",
    ),
    Reason.NOTIONAL_TOO_SMALL: (
        -4164,
        "Order's notional must be no smaller than {notional_min} (unless you choose reduce only).",
    ),
    Reason.NOTIONAL_TOO_LARGE: QTY_TOO_LARGE,
    Reason.SYMBOL_NOT_TRADING: (-4108, "Symbol is not in trading status."),
    Reason.NO_MARK_PRICE: (-4108, "Symbol is not in trading status."),
    Reason.POSITION_SIDE_MISMATCH: (
        -4061,
        "Order's position side does not match user's setting.",
    ),
    Reason.CLOSE_POSITION_WAITS: (
        -4130,
        "An open stop or take profit order with GTE and closePosition in the direction is "
        "existing.",
    ),
    Reason.CLOSE_POSITION_TAKES_NO_QTY: CLOSE_TAKES_NO_QTY,
    Reason.WOULD_TAKE: GTX_REJECTED,
    Reason.FOK_UNFILLABLE: FOK_REJECTED,
    Reason.MAX_AMENDS: (-5026, "Exceed maximum modify order limit."),
    Reason.NOTHING_TO_AMEND: (-5027, "No need to modify the order."),
    Reason.EXPIRY_IN_PAST: BAD_DATE,
    Reason.EXPIRY_MISSING: BAD_DATE,
}

SETTINGS: Final[dict[Reason, Refusal]] = {
    Reason.ACCOUNT_LIQUIDATING: (-2023, "User in liquidation mode now."),
    Reason.BRACKET_EXCEEDED: (
        -2028,
        "Leverage is smaller than permitted: insufficient margin balance.",
    ),
    Reason.INSUFFICIENT_MARGIN: (
        -2028,
        "Leverage is smaller than permitted: insufficient margin balance.",
    ),
    Reason.MULTI_ASSET_ON: (
        -4168,
        "Unable to adjust to isolated-margin mode under the Multi-Assets mode.",
    ),
    Reason.ISOLATED_MARGIN_SET: (
        -4167,
        "Unable to adjust to Multi-Assets mode with symbols of USDⓈ-M Futures under "
        "isolated-margin mode.",
    ),
    Reason.COLLATERAL_IN_WALLET: (
        -4169,
        "Unable to adjust Multi-Assets Mode with insufficient margin balance in USDⓈ-M Futures",
    ),
}

MARGIN_TYPE: Final[dict[Reason, Refusal]] = SETTINGS | {
    Reason.ORDERS_OPEN: (-4047, "Margin type cannot be changed if there exists open orders."),
    Reason.POSITION_OPEN: (-4048, "Margin type cannot be changed if there exists position."),
}

POSITION_MODE: Final[dict[Reason, Refusal]] = SETTINGS | {
    Reason.ORDERS_OPEN: (-4067, "Position side cannot be changed if there exists open orders."),
    Reason.POSITION_OPEN: (-4068, "Position side cannot be changed if there exists position."),
}

POSITION_MARGIN: Final[dict[Reason, Refusal]] = SETTINGS | {
    Reason.POSITION_NOT_ISOLATED: (-4049, "Add margin only support for isolated position."),
    Reason.INSUFFICIENT_MARGIN: (-4050, "Cross balance insufficient."),
    Reason.MARGIN_NOT_REMOVABLE: (-4051, "Isolated balance insufficient."),
    Reason.NO_POSITION: (-4054, "Cannot add position margin: position is 0."),
    Reason.AMOUNT_NOT_POSITIVE: AMOUNT_NOT_POSITIVE,
}
