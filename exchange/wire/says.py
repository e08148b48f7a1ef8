"""What the exchange answers: orders, balances, positions, markets, audits."""

from __future__ import annotations

from typing import Any

import msgspec


class Say(msgspec.Struct):
    """What the exchange sends."""


class ErrorSay(Say):
    """Why a request was refused: a code for programs, a sentence for people, numbers."""

    code: str
    message: str
    details: dict[str, Any] = {}


class OrderSay(Say):
    """An order as it stands."""

    order_id: int
    client_id: str
    symbol: str
    side: str
    type: str
    tif: str
    price: str | None
    qty: str | None
    quote_qty: str | None
    filled_qty: str
    filled_quote: str
    average_price: str | None
    prevented_qty: str
    open_qty: str
    status: str  # pending_trigger, new, partially_filled; filled, cancelled, expired, rejected ...
    wallet: str
    post_only: bool
    reduce_only: bool
    side_effect: str
    forced: bool
    expire_ms: int | None
    placed_ms: int
    updated_ms: int
    reason: str | None  # The code of an error, where one ended the order.
    trigger_price: str | None = None
    trigger: str | None = None  # last or mark
    close_position: bool = False
    price_protect: bool = False
    triggered_ms: int | None = None  # When its trigger was reached.
    position_side: str | None = None  # Of a perpetual: both; in hedge mode long or short.
    trailing_bps: int | None = None
    activation_price: str | None = None  # Where a trailing_stop begins to follow the price.
    iceberg_qty: str | None = None  # How much of it the book shows at a time.
    list_id: int | None = None  # Of the list it is a leg of.


class FillSay(Say):
    """One side of a trade, for its owner; also what `order.place` lists as `fills`."""

    trade_id: int
    symbol: str
    order_id: int
    client_id: str
    side: str
    price: str
    qty: str
    quote: str
    maker: bool
    fee: str  # Negative: a rebate.
    fee_asset: str
    realised: str | None  # Of a perpetual, in its settle asset, before the fee.
    wallet: str
    time: int
    why: str = ""  # "fill/<SYMBOL>:<trade_id>", to be asked with `why`.
    position_side: str | None = None  # Of a perpetual: both; in hedge mode long or short.
    realised_asset: str | None = None


class PlacedSay(Say):
    """What became of an order at once."""

    order: OrderSay
    fills: list[FillSay]
    repeated: bool = False  # The client id was known: this is what it did the first time.


class BatchItemSay(Say, omit_defaults=True):
    """What became of one wish among several: `ok` with a result, or an error.

    The result of a cancellation is the order as it ended, without fills.
    """

    ok: bool
    result: PlacedSay | None = None
    error: ErrorSay | None = None


class ReplacedSay(Say):
    """What became of both halves of a replacement; at least one of them was done."""

    cancel: BatchItemSay
    place: BatchItemSay


class CountdownSay(Say):
    """When orders will be cancelled, in wall time; None: no longer."""

    symbol: str | None
    countdown_ms: int
    at_ms: int | None


class BalanceSay(Say):
    """A balance; `net` is what is left after the loan and its interest."""

    wallet: str
    asset: str
    total: str
    free: str
    locked: str
    borrowed: str
    interest: str
    net: str
    max_sellable: str | None = None  # Of a coin in `spot`: the whole lots an order can sell.
    value: str | None = None  # `total` in the quote at the index; not told on every change.


class LoanSay(Say):
    """A loan: what is owed now and what it costs."""

    wallet: str
    asset: str
    principal: str
    interest: str
    hourly_rate: str
    loan_id: int = 0
    borrowed: str = "0"  # By this request.
    repaid_principal: str = "0"
    repaid_interest: str = "0"


class LimitsSay(Say):
    """How much of an asset a wallet may still borrow, and how much of it may leave the wallet."""

    wallet: str
    asset: str
    max_borrow: str
    max_transfer_out: str
    pool_available: str  # What the asset's lending pool holds, for everybody.
    hourly_rate: str


class PositionSay(Say):
    """A perpetual position, at the mark; amounts are of `settle`, the asset it settles in."""

    symbol: str
    side: str  # long or short
    qty: str  # Positive.
    entry_price: str
    mark_price: str
    notional: str
    unrealised: str
    margin_mode: str
    leverage: int
    margin: str  # Isolated: what was put in; cross: its initial margin.
    maintenance: str
    liquidation_price: str | None
    bankruptcy_price: str | None
    position_side: str = "both"  # In hedge mode long or short.
    settle: str = "USDT"
    roe: str | None = None  # `unrealised` by the margin the position took at its entry.
    adl_rank: int | None = None  # 5: among the first fifth to be deleveraged; 1: the last.


class LoanTierSay(Say):
    """A loan tier of isolated margin: its levels hold while both debts stay within its limits."""

    leverage: int
    base_limit: str
    quote_limit: str
    initial_level: str
    call_level: str
    liquidation_level: str


class CollateralSay(Say):
    """An asset of a perpetual wallet in multi-asset mode; what it counts is in the quote."""

    asset: str
    total: str  # Negative: owed.
    price: str  # At the index,
    ratio: str  # of which so much counts; all of what is owed.
    value: str
    withdrawable: str


class MarginSay(Say):
    """The state of one margin scope: `margin`, `isolated:<SYMBOL>` or `perp`."""

    wallet: str
    assets: str  # In USDT at the index (perp: the margin balance).
    debt: str  # In USDT, with interest (perp: the maintenance margin).
    level: str  # assets / debt; "999" without debt.
    collateral_level: str | None
    call_level: str | None
    liquidation_level: str
    leverage: int | None
    available: str | None = None  # perp: free for new positions.
    withdrawable: str | None = None  # perp
    liquidation_price: str | None = None  # isolated spot margin
    state: str = "normal"  # normal, called, liquidating
    liquidation_prices: dict[str, str] = {}  # spot margin: of each asset, the others standing still
    call_prices: dict[str, str] = {}  # and where the margin call comes
    settle: str | None = None  # perp: the asset of `balance`, `available` and `withdrawable`
    balance: str | None = None  # perp: the margin balance
    initial_level: str | None = None  # spot margin: borrowing needs more than this
    loan_tier: LoanTierSay | None = None  # isolated spot margin: the tier of its present loans,
    next_loan_tier: LoanTierSay | None = None  # and the one of larger loans
    collateral: list[CollateralSay] = []  # perp, in multi-asset mode


class FeeTierSay(Say):
    """A fee tier: its rates, and the 30-day quote volume from which it holds (of an account: the
    volume it has). A negative maker rate is a rebate.
    """

    tier: int
    volume: str
    maker: str
    taker: str


class FeesSay(Say):
    """What trades cost on this venue: tiers by the quote volume of the thirty days before a day."""

    fee_asset: str  # Spot fees: received, quote or discount.
    discount_asset: str | None  # What they may be paid in, for less; None where in nothing else.
    discount: str
    dust_fee: str  # Of what converted dust is worth.
    spot: list[FeeTierSay]
    perp: list[FeeTierSay]


class AccountSay(Say):
    """Everything an account is and owns."""

    account_id: int
    env: str
    label: str
    epoch: int
    time: int
    balances: list[BalanceSay]
    loans: list[LoanSay]
    positions: list[PositionSay]
    margins: list[MarginSay]
    settings: dict[str, Any]
    last_seq: int  # Of the account's private events.
    fees: dict[str, FeeTierSay] = {}  # Of "spot" and of "perp", as they hold today.


class InstrumentSay(Say):
    """One instrument and its rules."""

    symbol: str
    kind: str  # spot, linear or inverse
    base: str
    quote: str
    settle: str
    tick: str
    lot: str
    qty_min: str
    qty_max: str
    market_qty_max: str
    notional_min: str
    maker_fee: str  # Of the first tier; an account's own are in `GET /v1/account`.
    taker_fee: str
    max_leverage: int
    margin: list[str]  # cash, cross, isolated
    state: str
    brackets: list[dict[str, Any]] = []
    funding_interval_ms: int | None = None
    multiplier: str | None = None  # Of a perpetual: what a quantity of 1 is,
    multiplier_asset: str | None = None  # of its base (linear) or its quote (inverse).
    filters: dict[str, str | int] = {}  # Every further bound of its orders; docs/filters.md.


class InstrumentsSay(Say):
    """The venue's instruments and what its assets cost to borrow."""

    env: str
    instruments: list[InstrumentSay]
    assets: list[dict[str, Any]]


class BookSay(Say):
    """Depth: `bids` and `asks` are [price, qty], best first; `last_id` numbers its last change."""

    symbol: str
    last_id: int
    bids: list[tuple[str, str]]
    asks: list[tuple[str, str]]


class BookDiffSay(Say):
    """Changed levels (a quantity of "0" removes one); `first_id` follows the last `last_id`."""

    symbol: str
    first_id: int
    last_id: int
    bids: list[tuple[str, str]]
    asks: list[tuple[str, str]]


class BboSay(Say):
    """Best bid and offer; None where a side is empty."""

    symbol: str
    bid: str | None
    bid_qty: str | None
    ask: str | None
    ask_qty: str | None


class TradeSay(Say):
    """A public trade."""

    trade_id: int
    symbol: str
    price: str
    qty: str
    taker_side: str
    time: int
    forced: bool = False
    synthetic: bool = False


class CandleSay(Say):
    """One candle; `closed` is False for the one still being drawn."""

    open_time: int
    interval: str
    open: str
    high: str
    low: str
    close: str
    volume: str
    quote_volume: str
    trades: int
    closed: bool
    synthetic: bool = False


class TickerSay(Say):
    """Twenty-four hours in one line."""

    symbol: str
    last: str | None
    open: str | None
    high: str | None
    low: str | None
    change: str | None
    change_percent: str | None
    volume: str
    quote_volume: str
    trades: int
    bid: str | None
    ask: str | None
    time: int


class MarkSay(Say):
    """Index, mark and the funding to come of a perpetual (a spot pair has the index alone)."""

    symbol: str
    index: str | None
    mark: str | None
    predicted_rate: str | None
    next_funding: int | None
    open_interest: str | None
    time: int


class FundingSay(Say):
    """One fixed funding rate."""

    symbol: str
    time: int
    rate: str
    mark: str
    synthetic: bool = False


class LedgerSay(Say):
    """One posting of the ledger."""

    wallet: str
    asset: str
    change: str
    balance: str
    reason: str
    reference: int
    time: int


class ContractPnlSay(Say):
    """Profit and loss of the perpetuals that settle in one asset, in that asset, to its unit."""

    asset: str
    realised: str  # By trades and deleveragings, before fees.
    unrealised: str  # At the marks.
    fees: str
    interest: str
    funding: str
    liquidation: str


class PnlSay(Say):
    """Profit and loss since the account's epoch began, in USDT, split by what caused it."""

    price: str
    fees: str
    interest: str
    funding: str
    liquidation: str
    deposits: str
    equity: str
    perpetuals: list[ContractPnlSay] = []


class AccountOpenedSay(Say):
    """A new account and its first key; the secret is shown this once."""

    account_id: int
    api_key: str
    api_secret: str
    wallets: dict[str, dict[str, str]]
    env: str


class KeySay(Say):
    """An API key; the secret only when it was just made."""

    api_key: str
    account_id: int
    permissions: list[str]
    label: str
    created_ms: int
    expires_ms: int | None
    ips: list[str]
    kind: str  # hmac, ed25519 or rsa
    api_secret: str | None = None


class TimeSay(Say):
    """Both clocks, in epoch milliseconds, and how fast exchange time runs."""

    exchange_time: int
    wall_time: int
    speed: float | str
    paused: bool
    env: str


class ViolationSay(Say):
    """An invariant that was found broken behind a command."""

    invariant: str
    says: str
    found_at_seq: int


class AuditSay(Say):
    """What the auditor found at a command: per asset, all that exists against what came in.

    `checked` names, per invariant, the command behind which all of it was last looked at;
    `deficits` are funds below zero and debts nobody paid, which are no fault.
    """

    ok: bool
    checked_at_seq: int
    assets: dict[str, dict[str, str]]
    violations: list[ViolationSay]
    checked: dict[str, int]
    deficits: dict[str, str]
    pending_instants: int
