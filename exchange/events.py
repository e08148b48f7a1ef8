"""All that may happen: frozen records in the past tense, folded into views, sessions and history.

Numbers are integers as in `exchange.commands`. An event with an `account_id` is private to that
account and carries `n`, its place in the account's own unbroken numbering (1, 2, 3 ...), by which
a reader resumes after a broken connection. The others are public or belong to the house.
"""

from __future__ import annotations

import msgspec

from matching.lists import LegStatus, ListKind, ListStatus
from matching.reasons import Reason
from matching.types import OrderType, SelfTrade, Side, Status, TimeInForce, TriggerSource
from risk.records import Parts, PositionParts


class Event(msgspec.Struct, array_like=True, tag_field="event", tag=0, gc=False):
    """What happened, at which command and when."""

    seq: int
    time_ms: int


# -- private: what one account is told ---------------------------------------------------------


class OrderChanged(Event, tag=1):
    """An order as it stands after `happening`: "accepted", "triggered", "filled", "amended",
    "cancelled", "expired" or "rejected"."""

    account_id: int
    n: int
    happening: str
    order_id: int
    symbol: str
    side: Side
    type: OrderType
    tif: TimeInForce
    price_ticks: int
    lots: int
    quote_minor: int
    filled_lots: int
    filled_units: int  # Sum of price_ticks x lots over the fills.
    prevented_lots: int
    open_lots: int
    status: Status
    wallet: str
    post_only: bool
    reduce_only: bool
    side_effect: int
    forced: bool  # Sent by the liquidation engine.
    expire_ms: int
    placed_ms: int
    client_id: str
    reason: Reason | None
    trigger_ticks: int = 0
    trigger: TriggerSource = TriggerSource.LAST
    close_position: bool = False
    price_protect: bool = False
    triggered_ms: int = 0  # When its trigger was reached; 0 before.
    position_side: int = 0  # In hedge mode 1 for the long leg, 2 for the short one.
    filled_minor: int = 0  # Of a contract: what its fills came to in the settle asset.
    trailing_bps: int = 0  # It follows the price, from where its trigger is reached or at once.
    iceberg_lots: int = 0  # How much of it is shown at a time; 0: all.
    list_id: int = 0  # Of the list it is a leg of.
    stp: SelfTrade = SelfTrade.EXPIRE_MAKER
    before: tuple[int, int, int] | None = None  # Of an amendment: id, ticks and lots until then.


class Filled(Event, tag=2):
    """One side of a trade, for its owner."""

    account_id: int
    n: int
    trade_id: int
    symbol: str
    order_id: int
    client_id: str
    side: Side
    price_ticks: int
    lots: int
    maker: bool
    fee_minor: int
    fee_asset: str
    realised_minor: int  # Of a perpetual: the profit this fill realised, before the fee.
    wallet: str
    rate_e12: int = 0  # Of the fee; a rebate's is negative.
    lots_before: int = 0  # Of a perpetual: the position the fill found, signed,
    cost_before_minor: int = 0  # and its cost.
    margin_before_minor: int = 0  # Of an isolated position: its margin, before
    margin_after_minor: int = 0  # and after.
    leverage: int = 0
    discount_e12: int = 0  # Of a fee in the discount asset: how much less it was,
    price_e8: int = 0  # what the asset received is worth at the index,
    paid_e8: int = 0  # and the discount asset.
    position_side: int = 0  # In hedge mode 1 for the long leg, 2 for the short one.


class LedgerPosted(Event, tag=3):
    """Money came into or left a wallet; `reason` is one of `risk.ledger.PostingReason`."""

    account_id: int
    n: int
    wallet: str
    asset: str
    change_minor: int
    balance_minor: int
    reason: str
    reference: int  # The order, trade or loan it came from; 0 where there is none.


class BalanceChanged(Event, tag=4):
    """A balance as it stands at the end of a command."""

    account_id: int
    n: int
    wallet: str
    asset: str
    total_minor: int
    locked_minor: int
    borrowed_minor: int
    interest_e18: int  # Interest owed, in 10^-18 of the asset.


class PositionChanged(Event, tag=5):
    """A perpetual position as it stands at the end of a command; `lots` is signed."""

    account_id: int
    n: int
    symbol: str
    lots: int
    cost_minor: int
    isolated: bool
    leverage: int
    margin_minor: int  # The isolated margin; 0 in cross mode.
    position_side: int = 0  # In hedge mode 1 for the long leg, 2 for the short one.


class LoanChanged(Event, tag=6):
    """A loan was taken or paid down: what was borrowed or repaid now, and what is left."""

    account_id: int
    n: int
    loan_id: int
    wallet: str
    asset: str
    borrowed_minor: int
    repaid_principal_minor: int
    repaid_interest_minor: int
    principal_minor: int
    interest_e18: int


class InterestCharged(Event, tag=7):
    """One hour of interest on one loan."""

    account_id: int
    n: int
    wallet: str
    asset: str
    principal_minor: int
    rate_e12: int
    charged_e18: int
    interest_e18: int  # Owed after the charge.
    due_ms: int  # The top of the hour (or the moment of borrowing) it fell due.


class FundingCharged(Event, tag=8):
    """One funding payment of one position; a negative flow was paid, a positive one received."""

    account_id: int
    n: int
    symbol: str
    lots: int
    mark_e8: int
    rate_e12: int
    flow_minor: int
    due_ms: int


class MarginCalled(Event, tag=9):
    """The scope's margin level fell to the call level (or, `cleared`, came back above it)."""

    account_id: int
    n: int
    scope: str  # "margin", "isolated:<SYMBOL>", "perp" or "perp/<SYMBOL>"
    level_e12: int
    call_level_e12: int
    add_minor: int  # Quote to add to come back to the call level.
    cleared: bool
    assets: Parts = ()
    debts: Parts = ()


class LiquidationStarted(Event, tag=10):
    """A scope fell to its liquidation level: the numbers that decided it."""

    account_id: int
    n: int
    scope: str
    symbol: str  # Empty for cross margin.
    assets_e16: int  # Assets (spot margin) or margin balance (perpetual), 10^-16 USDT.
    debt_e16: int  # Debt (spot margin) or maintenance margin (perpetual), 10^-16 USDT.
    level_e12: int
    mark_e8: int
    bound_e12: int = 0  # Of spot margin: the liquidation level. Of a perpetual there is none.
    assets: Parts = ()
    debts: Parts = ()
    positions: PositionParts = ()
    bankruptcy_ticks: int = 0  # Of the one perpetual position on the scope; 0 where there are more.
    fund_minor: int = 0  # What the fund of perpetuals could answer for, in the settle asset.


class LiquidationStepped(Event, tag=11):
    """One step of a liquidation: "sold", "bought", "repaid", "takeover" or "fee"; of perpetuals
    also "netted" (two legs against each other), "fund", "adl", "socialized" or "surplus"."""

    account_id: int
    n: int
    scope: str
    symbol: str
    step: str
    asset: str
    amount_minor: int
    lots: int
    price_ticks: int
    rate_e12: int = 0  # Of a fee: its rate,
    base_minor: int = 0  # and the amount it is charged on,
    left_minor: int = 0  # and what there was to take it from.
    bankruptcy_ticks: int = 0  # Of a perpetual: the worst price the step could have had,
    equity_minor: int = 0  # the scope's balance at the mark (after a fill, before a takeover),
    fund_minor: int = 0  # and what the fund could answer for, in the settle asset.


class LiquidationEnded(Event, tag=12):
    """A liquidation is over: "restored", "closed" or "bankrupt"."""

    account_id: int
    n: int
    scope: str
    result: str
    covered_minor: int  # What the insurance fund paid, in the settle asset.
    fund_minor: int = 0  # What the fund of perpetuals can answer for after it.


class SettingChanged(Event, tag=13):
    """A setting of an account: "leverage", "margin_mode", "margin_leverage", "position_mode",
    "multi_asset" or "fee_discount"."""

    account_id: int
    n: int
    symbol: str
    name: str
    value: str


class AccountOpened(Event, tag=14):
    """An account was opened, or (epoch above 1) reset."""

    account_id: int
    n: int
    kind: str
    label: str
    epoch: int


class Deleveraged(Event, tag=15):
    """The account was a counterparty of a liquidation that neither book nor fund could take: a
    position was reduced at the other's bankruptcy price, without fee (P14)."""

    account_id: int
    n: int
    symbol: str
    leg: str
    side: Side  # What the account did: a long sells.
    lots: int
    price_ticks: int
    rank: int  # Its place among the counterparties, from 1.
    score_e12: int  # Profit x leverage, by which they are ranked; rounded down.
    asset: str
    realised_minor: int
    lots_before: int = 0  # The position it found, signed,
    cost_before_minor: int = 0  # and its cost,
    mark_e8: int = 0  # the mark,
    equity_e16: int = 0  # and what stood behind the position.


class OrderListChanged(Event, tag=19):
    """A list as it stands now; a leg is (order id, 0 before it is placed; client id; status)."""

    account_id: int
    n: int
    list_id: int
    symbol: str
    kind: ListKind
    status: ListStatus
    client_id: str
    reason: Reason | None  # Why a leg could not be placed.
    legs: list[tuple[int, str, LegStatus]]
    placed_ms: int = 0
    bracket: bool = False  # What waits closes what the working order brings.


class FeeTierChanged(Event, tag=16):
    """An account came into another fee tier at the start of a day; its rates from then on."""

    account_id: int
    n: int
    kind: str  # "spot" or "perp"
    tier: int  # 0 is the first.
    maker_e12: int  # Negative: a rebate.
    taker_e12: int
    volume_minor: int  # Quote volume of the thirty days before.


class CollateralConverted(Event, tag=18):
    """An asset of a multi-asset wallet paid for what the wallet owes (P18); `cause` is "threshold",
    "liquidation" or "reset"."""

    account_id: int
    n: int
    wallet: str
    asset: str
    amount_minor: int
    price_e8: int  # The index it was taken at,
    ratio_e12: int  # what of it counted until then,
    fee_e12: int  # and what the house kept of its worth.
    paid_asset: str
    paid_minor: int
    balance_minor: int  # Of the paid asset on the wallet, after it.
    cause: str


# -- public: what everybody is told ------------------------------------------------------------


class Traded(Event, tag=20):
    """A trade on a book."""

    symbol: str
    trade_id: int
    price_ticks: int
    lots: int
    taker_side: Side
    maker_order_id: int
    taker_order_id: int
    forced: bool


class DepthChanged(Event, tag=21):
    """The levels a command touched, with their new totals (0: the level is gone)."""

    symbol: str
    first_id: int
    last_id: int
    bids: list[tuple[int, int]]
    asks: list[tuple[int, int]]


class Marked(Event, tag=22):
    """Index and mark of a perpetual at a grid point, and the funding that would be charged."""

    symbol: str
    index_e8: int
    mark_e8: int
    predicted_rate_e12: int
    next_funding_ms: int


class IndexPriced(Event, tag=23):
    """The index price of a spot pair's base in its quote, when it changed."""

    symbol: str
    index_e8: int


class FundingFixed(Event, tag=24):
    """The funding of a perpetual at one boundary: what every position settles at."""

    symbol: str
    due_ms: int
    rate_e12: int
    mark_e8: int
    average_e12: int = 0  # Of the interval's premium samples,
    samples: int = 0  # which were so many.
    interest_e12: int = 0  # The terms are for eight hours.
    clamp_e12: int = 0
    cap_e12: int = 0
    interval_ms: int = 0


class InterestFixed(Event, tag=25):
    """The hourly rates at one top of the hour, by asset."""

    due_ms: int
    rates_e12: dict[str, int]


class Liquidated(Event, tag=26):
    """A forced trade, without the name of its owner."""

    symbol: str
    side: Side
    lots: int
    price_ticks: int


class SymbolStateChanged(Event, tag=27):
    """Trading on a symbol was opened, restricted or halted."""

    symbol: str
    state: str


class AuctionUncrossed(Event, tag=32):
    """A book opened by an auction: all that traded, at one price, and what was left over there."""

    symbol: str
    price_ticks: int
    lots: int
    imbalance_lots: int  # Demand less supply at the price.


class AuctionIndicated(Event, tag=33):
    """Where a book that collects would trade if it opened now; no lots: nothing crosses."""

    symbol: str
    price_ticks: int
    lots: int
    imbalance_lots: int


class FundCovered(Event, tag=28):
    """The insurance fund paid for a bankruptcy; a negative balance is a deficit."""

    fund: str  # "insurance", "margin_insurance" or "socialized_loss"
    asset: str
    paid_minor: int
    balance_minor: int


class LoanWrittenOff(Event, tag=31):
    """A lending pool lost a loan that nobody will repay, and all it lost of the asset so far."""

    asset: str
    principal_minor: int
    interest_e18: int  # What was owed of interest, 10^-18 of the asset.
    lost_minor: int


# -- the answer to the command itself: always the last event -----------------------------------


class Answered(Event, tag=40):
    """The end of a command: done (`reason` is None) or refused, and what it made."""

    reason: Reason | None
    result_id: int  # The order, loan or account it made; for a known client id, the first one.
    details: dict[str, str | int]
    repeated: bool  # The client id was known: nothing happened now.
    asker_id: int = 0  # The account that asked; 0 where none did.


PrivateEvent = (
    OrderChanged
    | Filled
    | LedgerPosted
    | BalanceChanged
    | PositionChanged
    | LoanChanged
    | InterestCharged
    | FundingCharged
    | MarginCalled
    | LiquidationStarted
    | LiquidationStepped
    | LiquidationEnded
    | SettingChanged
    | AccountOpened
    | Deleveraged
    | FeeTierChanged
    | CollateralConverted
    | OrderListChanged
)
PublicEvent = (
    Traded
    | DepthChanged
    | Marked
    | IndexPriced
    | FundingFixed
    | InterestFixed
    | Liquidated
    | SymbolStateChanged
    | FundCovered
    | LoanWrittenOff
    | AuctionUncrossed
    | AuctionIndicated
)
AnyEvent = PrivateEvent | PublicEvent | Answered
