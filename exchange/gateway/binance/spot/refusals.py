"""What the engine's reasons are called on spot and margin: a code, and the text bots match on."""

from __future__ import annotations

from typing import Final

from exchange.gateway.binance.errors import (
    BAD_COMBINATION,
    BAD_PRECISION,
    BAD_TIF,
    Refusal,
)
from matching.reasons import Reason

ILLEGAL_NUMBER: Final[Refusal] = (
    -1100,
    "Illegal characters found in parameter '{}'; legal range is "
    "'^([0-9]{{1,20}})(\\.[0-9]{{1,20}})?$'.",
)
ILLEGAL_ID: Final[Refusal] = (
    -1100,
    "Illegal characters found in parameter '{}'; legal range is '^[a-zA-Z0-9-_.:/]{{1,36}}$'.",
)
NO_NAME: Final[Refusal] = (
    -1102,
    "Param '{}' or '{}' must be sent, but both were empty/null!",
)
BAD_QUANTITY: Final[Refusal] = (-1013, "Invalid quantity.")
BAD_PRICE: Final[Refusal] = (-1013, "Invalid price.")
TOO_LONG_APART: Final[Refusal] = (-1127, "More than 24 hours between startTime and endTime.")
UNKNOWN_ORDER: Final[Refusal] = (-2011, "Unknown order sent.")
RESTRICTED: Final[Refusal] = (-2011, "Order was not canceled due to cancel restrictions.")
NO_SUCH_ORDER: Final[Refusal] = (-2013, "Order does not exist.")
NO_SUCH_LIST: Final[Refusal] = (-2013, "Order list does not exist.")
PARTLY_REPLACED: Final[Refusal] = (-2021, "Order cancel-replace partially failed.")
NOT_REPLACED: Final[Refusal] = (-2022, "Order cancel-replace failed.")
NOT_LESS: Final[Refusal] = (-2038, "Order amend (quantity increase) is not supported.")
NO_CHANGE: Final[Refusal] = (-2038, "The requested action would change no state; rejecting.")


def _filter(name: str) -> Refusal:
    return -1013, f"Filter failure: {name}"


def _rejected(text: str) -> Refusal:
    return -2010, text


REFUSALS: Final[dict[Reason, Refusal]] = {
    # Numbers and requests.
    Reason.AMOUNT_TOO_FINE: BAD_PRECISION,
    Reason.AMOUNT_NOT_POSITIVE: BAD_QUANTITY,
    Reason.AMOUNT_TOO_LARGE: _filter("LOT_SIZE"),
    Reason.DUPLICATE_ID: _rejected("Duplicate order sent."),
    # Filters.
    Reason.SYMBOL_NOT_TRADING: _rejected("Market is closed."),
    Reason.PRICE_MISSING: BAD_PRICE,
    Reason.PRICE_NOT_ALLOWED: BAD_COMBINATION,
    Reason.PRICE_NOT_ON_TICK: _filter("PRICE_FILTER"),
    Reason.PRICE_OUT_OF_RANGE: _filter("PRICE_FILTER"),
    Reason.QTY_MISSING: BAD_QUANTITY,
    Reason.QTY_NOT_ON_LOT: _filter("LOT_SIZE"),
    Reason.QTY_OUT_OF_RANGE: _filter("LOT_SIZE"),
    Reason.AMOUNT_BELOW_ONE_LOT: _filter("LOT_SIZE"),
    Reason.MARKET_QTY_OUT_OF_RANGE: _filter("MARKET_LOT_SIZE"),
    Reason.NOTIONAL_TOO_SMALL: _filter("NOTIONAL"),
    Reason.NOTIONAL_TOO_LARGE: _filter("NOTIONAL"),
    Reason.PERCENT_PRICE: _filter("PERCENT_PRICE_BY_SIDE"),
    Reason.ICEBERG_PARTS: _filter("ICEBERG_PARTS"),
    Reason.ICEBERG_NOT_GTC: BAD_TIF,
    Reason.TRAILING_DELTA: _filter("TRAILING_DELTA"),
    Reason.MAX_ORDERS: _filter("MAX_NUM_ORDERS"),
    Reason.MAX_ALGO_ORDERS: _filter("MAX_NUM_ALGO_ORDERS"),
    Reason.MAX_ICEBERGS: _filter("MAX_NUM_ICEBERG_ORDERS"),
    Reason.MAX_AMENDS: _filter("MAX_NUM_ORDER_AMENDS"),
    Reason.MAX_POSITION: _filter("MAX_POSITION"),
    Reason.MAX_ASSET: _filter("MAX_ASSET"),
    Reason.MAX_ORDER_LISTS: _filter("MAX_NUM_ORDER_LISTS"),
    # The book.
    Reason.WOULD_TAKE: _rejected("Order would immediately match and take."),
    Reason.BOOK_CROSSED: _rejected("Market is closed."),
    Reason.UNKNOWN_ORDER: UNKNOWN_ORDER,
    Reason.AMEND_NOT_REDUCING: NOT_LESS,
    Reason.AMEND_BELOW_FILLED: BAD_QUANTITY,
    Reason.NOTHING_TO_AMEND: NO_CHANGE,
    Reason.LIST_AMEND: NOT_LESS,
    # Stops and lists.
    Reason.TRIGGER_MISSING: BAD_COMBINATION,
    Reason.WOULD_TRIGGER: _rejected("Stop price would trigger immediately."),
    Reason.TRIGGER_NOT_ALLOWED: BAD_COMBINATION,
    Reason.LIST_PRICES_CROSSED: _rejected(
        "The relationship of the prices for the orders is not correct."
    ),
    Reason.LIST_SHAPE: BAD_COMBINATION,
    # Money.
    Reason.INSUFFICIENT_BALANCE: _rejected(
        "Account has insufficient balance for requested action."
    ),
    Reason.NO_INDEX_PRICE: _rejected("Market is closed."),
    # Margin.
    Reason.INSUFFICIENT_INVENTORY: (-3045, "The system doesn't have enough asset now."),
    Reason.BORROW_LIMIT: (-3006, "Your borrow amount has exceed maximum borrow amount."),
    Reason.COLLATERAL_TOO_LOW: (-3006, "Your borrow amount has exceed maximum borrow amount."),
    Reason.NOT_BORROWABLE: (-3012, "Borrow is banned for this asset."),
    Reason.SIDE_EFFECT_NOT_ALLOWED: BAD_COMBINATION,
    Reason.MARGIN_NOT_ALLOWED: (-3028, "This is not a valid margin pair."),
    Reason.UNKNOWN_WALLET: (-3028, "This is not a valid margin pair."),
    Reason.ASSET_NOT_IN_WALLET: (-3027, "This is not a valid margin asset."),
    Reason.ACCOUNT_LIQUIDATING: (
        -3023,
        "You can't transfer out/place order under current margin rate.",
    ),
}
