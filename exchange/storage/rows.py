"""The rows of the history: what each table holds, and by which ids a row is itself.

Rows are written again after a crash, so every table has a natural key and a row replaces its
earlier self. Numbers are integers as in the engine; enumerations are the engine's numbers. A
column marked Large may pass 2^63, which SQLite cannot hold, and is kept as text there. A `detail`
is JSON of what only `why` reads: the numbers by which something was decided.
"""

from __future__ import annotations

from typing import Annotated, NamedTuple

Large = Annotated[int, "kept as text past 64 bits"]


class OrderRow(NamedTuple):
    """An order as it stands. `filled_units` is the sum of ticks x lots over its fills, and
    `filled_minor` what those of a contract came to in its settle asset.

    `is_open` says that it may still trade: such a row is never pruned.
    """

    order_id: int
    account_id: int
    symbol: str
    side: int
    type: int
    price_ticks: int
    lots: int
    filled_lots: int
    filled_units: Large
    status: int
    client_id: str
    time_ms: int
    updated_ms: int
    reason: str | None
    wallet: str
    is_open: bool
    tif: int = 0
    quote_minor: Large = 0
    prevented_lots: int = 0
    post_only: bool = False
    reduce_only: bool = False
    side_effect: int = 0
    forced: bool = False
    expire_ms: int = 0
    seq: int = 0
    detail: str = ""
    trigger_ticks: int = 0
    trigger_source: int = 0
    close_position: bool = False
    price_protect: bool = False
    triggered_ms: int = 0
    position_side: int = 0
    filled_minor: Large = 0
    trailing_bps: int = 0
    iceberg_lots: int = 0
    list_id: int = 0
    stp: int = 2  # `matching.types.SelfTrade`.


class OrderListRow(NamedTuple):
    """An order list as it stands; `legs` is JSON of [order id (0 before it is placed), client id,
    status] of each leg. `is_open` says that something may still come of it."""

    list_id: int
    account_id: int
    symbol: str
    kind: int
    status: int
    client_id: str
    time_ms: int
    updated_ms: int
    reason: str | None
    legs: str
    is_open: bool
    bracket: bool = False
    seq: int = 0


class AmendmentRow(NamedTuple):
    """What an order's owner changed it to, and from what; `n` numbers the account's events.

    An order that was replaced goes on under another id: `before_id` is the one it had. The table
    fills in the id that the chain of orders began with, and the amendment's place in it.
    """

    account_id: int
    n: int
    symbol: str
    order_id: int
    before_id: int
    before_ticks: int
    ticks: int
    before_lots: int
    lots: int
    time_ms: int
    seq: int = 0
    first_id: int = 0
    place: int = 0


class FillRow(NamedTuple):
    """One side of a trade, for its owner; `n` is its number among the account's events."""

    trade_id: int
    symbol: str
    account_id: int
    order_id: int
    side: int
    price_ticks: int
    lots: int
    fee_minor: Large
    fee_asset: str
    maker: bool
    realised_minor: Large
    time_ms: int
    wallet: str = ""
    client_id: str = ""
    n: int = 0
    seq: int = 0
    detail: str = ""
    position_side: int = 0


class TradeRow(NamedTuple):
    """A public trade."""

    symbol: str
    trade_id: int
    price_ticks: int
    lots: int
    taker_side: int
    maker_order_id: int
    taker_order_id: int
    time_ms: int
    forced: bool = False
    synthetic: bool = False
    seq: int = 0


class LedgerRow(NamedTuple):
    """One posting to one wallet; `n` is its number among the account's events."""

    account_id: int
    n: int
    wallet: str
    asset: str
    change_minor: Large
    balance_minor: Large
    reason: str
    reference: int
    time_ms: int
    seq: int = 0


class CandleRow(NamedTuple):
    """A candle of trades ("last", in ticks), of "mark" and "index" (10^-8), "premium" (10^-12),
    open "interest" (lots), of the accounts that are long ("longs") and short ("shorts"), or of the
    top traders among them ("top_longs", "top_shorts") and their lots ("top_long_lots",
    "top_short_lots").

    `units` and `taker_units` are sums of ticks x lots; the taker's are of buying takers.
    """

    symbol: str
    interval_ms: int
    open_ms: int
    open: int
    high: int
    low: int
    close: int
    lots: int
    units: Large
    trades: int
    taker_lots: int = 0
    taker_units: Large = 0
    synthetic: bool = False
    kind: str = "last"


class FundingRow(NamedTuple):
    """The funding of a perpetual fixed at one boundary."""

    symbol: str
    time_ms: int
    rate_e12: int
    mark_e8: int
    synthetic: bool = False
    detail: str = ""


class FundingPaymentRow(NamedTuple):
    """What one position paid (negative) or received at one boundary."""

    account_id: int
    n: int
    symbol: str
    lots: int
    mark_e8: int
    rate_e12: int
    flow_minor: Large
    time_ms: int
    seq: int = 0


class InterestRow(NamedTuple):
    """One hour of interest on one loan: what was charged, and what is owed after it."""

    account_id: int
    n: int
    wallet: str
    asset: str
    time_ms: int
    principal_minor: Large
    rate_e12: int
    interest_e18: Large
    owed_e18: Large
    seq: int = 0


class LoanRow(NamedTuple):
    """A loan taken or paid down, and what is left of it."""

    account_id: int
    n: int
    loan_id: int
    wallet: str
    asset: str
    borrowed_minor: Large
    repaid_principal_minor: Large
    repaid_interest_minor: Large
    principal_minor: Large
    interest_e18: Large
    time_ms: int
    seq: int = 0


class LiquidationRow(NamedTuple):
    """One step of a liquidation: "started", what was done, or how it ended."""

    account_id: int
    n: int
    scope: str
    symbol: str
    step: str
    asset: str
    amount_minor: Large
    lots: int
    price_ticks: int
    level_e12: Large
    mark_e8: int
    time_ms: int
    seq: int = 0
    detail: str = ""


class CallRow(NamedTuple):
    """A margin call, or its end."""

    account_id: int
    n: int
    scope: str
    level_e12: Large
    call_level_e12: int
    add_minor: Large
    cleared: bool
    time_ms: int
    seq: int = 0
    detail: str = ""


class DeleverRow(NamedTuple):
    """A position that was reduced for somebody's bankruptcy; `detail` is the rest of the event."""

    account_id: int
    n: int
    symbol: str
    time_ms: int
    seq: int = 0
    detail: str = ""


class RejectRow(NamedTuple):
    """A command that was refused. Only the newest of an account are kept."""

    account_id: int
    seq: int
    time_ms: int
    reason: str
    detail: str = ""


class PnlRow(NamedTuple):
    """The sum of one kind of posting to one wallet."""

    wallet: str
    asset: str
    reason: str
    change_minor: int
