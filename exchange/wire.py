"""The native messages: the public contract, as records that check themselves.

Prices, quantities and amounts are decimal strings, times epoch milliseconds, ids integers, enums
lower case except the time in force. Unknown fields are refused by name. The same records are the
REST bodies, the WebSocket results and the schemas of /openapi.json and /asyncapi.json.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec

ClientId = Annotated[str, msgspec.Meta(max_length=36, pattern=r"^[.A-Za-z0-9:/_-]*$")]
Text = Annotated[str, msgspec.Meta(max_length=40)]
Symbol = Annotated[str, msgspec.Meta(max_length=24)]
Wallet = Annotated[str, msgspec.Meta(max_length=40)]
Asset = Annotated[str, msgspec.Meta(max_length=12)]
Millis = Annotated[int, msgspec.Meta(ge=0, le=1 << 53)]
Id = Annotated[int, msgspec.Meta(ge=1, le=1 << 53)]

SideName = Literal["buy", "sell"]
TypeName = Literal["limit", "market"]
TifName = Literal["GTC", "IOC", "FOK", "GTD"]
StpName = Literal["none", "expire_taker", "expire_maker", "expire_both", "decrement"]
MarginName = Literal["cash", "cross", "isolated"]
SideEffectName = Literal["none", "borrow", "repay", "borrow_repay"]


class Ask(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """What a client sends."""


class Say(msgspec.Struct):
    """What the exchange sends."""


# -- asked -------------------------------------------------------------------------------------


class OrderAsk(Ask):
    """Place an order. A limit needs `qty` and `price`; a market `qty` or `quote_qty`."""

    symbol: Symbol
    side: SideName
    type: TypeName
    qty: Text | None = None
    quote_qty: Text | None = None
    price: Text | None = None
    tif: TifName | None = None
    expire_ms: Millis | None = None
    post_only: bool = False
    reduce_only: bool = False
    stp: StpName = "expire_maker"
    margin: MarginName | None = None
    side_effect: SideEffectName = "none"
    leverage: Annotated[int, msgspec.Meta(ge=1, le=125)] | None = None
    client_id: ClientId = ""


class BatchAsk(Ask):
    """Place up to twenty orders, each judged by itself, in their order."""

    orders: Annotated[list[OrderAsk], msgspec.Meta(min_length=1, max_length=20)]


class OrderKey(Ask):
    """Name an order: by `order_id`, or by the `client_id` it was placed with."""

    order_id: Id | None = None
    client_id: ClientId = ""


class AmendAsk(OrderKey):
    """Change an open order; only less quantity at the same price keeps its place."""

    qty: Text | None = None
    price: Text | None = None


class CancelAllAsk(Ask):
    """Cancel every order, or those on one symbol."""

    symbol: Symbol | None = None


class OrderListAsk(Ask):
    """List orders: the open ones, or with `status` "all" the history too, newest first."""

    symbol: Symbol | None = None
    status: Literal["open", "all"] = "open"
    limit: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 100
    before_id: Id | None = None


class FaucetAsk(Ask):
    """Fictional money into a wallet."""

    wallet: Wallet
    asset: Asset
    amount: Text
    client_id: ClientId = ""


class TransferAsk(Ask, rename={"source": "from", "target": "to"}):
    """Move money between two wallets of the account."""

    source: Wallet
    target: Wallet
    asset: Asset
    amount: Text
    client_id: ClientId = ""


class LoanAsk(Ask):
    """Borrow into the `margin` wallet or an `isolated:<SYMBOL>` one."""

    wallet: Wallet
    asset: Asset
    amount: Text
    client_id: ClientId = ""


class RepayAsk(Ask):
    """Repay a loan, interest first; without `amount`, all of it."""

    wallet: Wallet
    asset: Asset
    amount: Text | None = None
    client_id: ClientId = ""


class LeverageAsk(Ask):
    """Set the leverage of a perpetual."""

    symbol: Symbol
    leverage: Annotated[int, msgspec.Meta(ge=1, le=125)]


class MarginModeAsk(Ask):
    """Set cross or isolated margin of a perpetual; only while flat, without orders on it."""

    symbol: Symbol
    mode: Literal["cross", "isolated"]


class MarginLeverageAsk(Ask):
    """Set the leverage of the cross margin account."""

    leverage: Literal[3, 5]


class PositionMarginAsk(Ask):
    """Add margin to an isolated position; a negative amount takes some out."""

    symbol: Symbol
    amount: Text
    client_id: ClientId = ""


class SettingsAsk(Ask):
    """Change one or more settings in one request, in the order of the fields."""

    margin_mode: MarginModeAsk | None = None
    leverage: LeverageAsk | None = None
    margin_leverage: MarginLeverageAsk | None = None
    position_margin: PositionMarginAsk | None = None


class AccountAsk(Ask):
    """Open an account with an API key of its own."""

    label: Annotated[str, msgspec.Meta(max_length=60)] = ""


class KeyAsk(Ask):
    """Make another key for the account."""

    permissions: list[Literal["read", "trade", "transfer"]] = msgspec.field(
        default_factory=lambda: ["read", "trade", "transfer"]
    )
    public_key: Annotated[str, msgspec.Meta(max_length=2000)] | None = None
    ips: list[Annotated[str, msgspec.Meta(max_length=45)]] = []
    expires_ms: Millis | None = None
    label: Annotated[str, msgspec.Meta(max_length=60)] = ""


class IndexAsk(Ask):
    """An administrator's index price."""

    price: Text


class ClockAsk(Ask):
    """Set the speed of exchange time, pause it, or step it while it stands."""

    speed: Annotated[float, msgspec.Meta(gt=0, le=1_000_000)] | None = None
    pause: bool | None = None
    step_ms: Annotated[int, msgspec.Meta(ge=1, le=86_400_000)] | None = None


class StateAsk(Ask):
    """Open, restrict or halt trading on a symbol."""

    state: Literal["trading", "halt", "cancel_only", "limit_only", "post_only"]


# -- said --------------------------------------------------------------------------------------


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
    status: str  # new, partially_filled, filled, cancelled, expired, expired_in_match, rejected
    wallet: str
    post_only: bool
    reduce_only: bool
    side_effect: str
    forced: bool
    expire_ms: int | None
    placed_ms: int
    updated_ms: int
    reason: str | None  # The code of an error, where one ended the order.


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
    fee: str
    fee_asset: str
    realised: str | None  # Of a perpetual, in its settle asset, before the fee.
    wallet: str
    time: int


class PlacedSay(Say):
    """What became of an order at once."""

    order: OrderSay
    fills: list[FillSay]
    repeated: bool = False  # The client id was known: this is what it did the first time.


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


class PositionSay(Say):
    """A perpetual position, at the mark."""

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


class InstrumentSay(Say):
    """One instrument and its rules."""

    symbol: str
    kind: str  # spot or linear
    base: str
    quote: str
    settle: str
    tick: str
    lot: str
    qty_min: str
    qty_max: str
    market_qty_max: str
    notional_min: str
    maker_fee: str
    taker_fee: str
    max_leverage: int
    margin: list[str]  # cash, cross, isolated
    state: str
    brackets: list[dict[str, Any]] = []
    funding_interval_ms: int | None = None


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


class PnlSay(Say):
    """Profit and loss since the account's epoch began, in USDT, split by what caused it."""

    price: str
    fees: str
    interest: str
    funding: str
    liquidation: str
    deposits: str
    equity: str


class PreviewSay(Say):
    """What an order would cost and risk, before it is sent; refused orders say why."""

    accepted: bool
    reason: str | None
    message: str | None
    fee: str | None
    fee_asset: str | None
    margin_required: str | None
    borrow: str | None
    borrow_asset: str | None
    liquidation_price: str | None
    margin_call_price: str | None
    interest_per_day: str | None
    next_funding: str | None


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


class AuditSay(Say):
    """What the auditor found at a command: per asset, all that exists against what came in."""

    ok: bool
    checked_at_seq: int
    assets: dict[str, dict[str, str]]
    problems: list[str]
    deficits: dict[str, str]
    digest: str | None = None


# -- WebSocket frames --------------------------------------------------------------------------


class Request(msgspec.Struct, forbid_unknown_fields=False):
    """`{"id": any, "op": "order.place", ...}`; the other fields belong to the op."""

    op: Annotated[str, msgspec.Meta(max_length=40)]
    id: str | int | float | None = None


class LoginAsk(Ask):
    """Sign timestamp and `GET/v1/ws`."""

    key: Annotated[str, msgspec.Meta(max_length=128)]
    timestamp: Millis
    signature: Annotated[str, msgspec.Meta(max_length=1024)]
    window: Annotated[int, msgspec.Meta(ge=1, le=60_000)] = 5_000


class SubscribeAsk(Ask):
    """Channels to hear, such as `book.BTC-USDT`, `candles.1m.BTC-USDT`, `orders`."""

    channels: Annotated[
        list[Annotated[str, msgspec.Meta(max_length=60)]],
        msgspec.Meta(min_length=1, max_length=200),
    ]


class ResumeAsk(Ask):
    """Deliver the private events after `last_seq`, each exactly once, in order."""

    last_seq: Annotated[int, msgspec.Meta(ge=0, le=1 << 53)]


class Reply(Say, omit_defaults=True):
    """The answer to a request."""

    id: str | int | float | None
    ok: bool
    result: Any = None
    error: ErrorSay | None = None


class Push(Say, omit_defaults=True):
    """A message of a channel. `prev` stands on numbered private channels only."""

    ch: str
    seq: int
    ts: int
    data: Any
    prev: int | None = None


PUBLIC_CHANNELS = ("book", "bbo", "trades", "candles", "ticker", "mark", "funding")
VENUE_CHANNELS = ("liquidations", "status")
PRIVATE_CHANNELS = ("orders", "fills", "balances", "positions", "ledger", "margin")
INTERVALS_MS = {
    "1m": 60_000,
    "3m": 180_000,
    "5m": 300_000,
    "15m": 900_000,
    "30m": 1_800_000,
    "1h": 3_600_000,
    "2h": 7_200_000,
    "4h": 14_400_000,
    "6h": 21_600_000,
    "8h": 28_800_000,
    "12h": 43_200_000,
    "1d": 86_400_000,
}
