"""What a client may send: REST bodies and the fields of WebSocket operations."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

# Up to the very end: a plain $ would let a line break follow.
ClientId = Annotated[str, msgspec.Meta(max_length=36, pattern=r"^[.A-Za-z0-9:/_-]*(?![\s\S])")]
Text = Annotated[str, msgspec.Meta(max_length=40)]
Symbol = Annotated[str, msgspec.Meta(max_length=24)]
Wallet = Annotated[str, msgspec.Meta(max_length=40)]
Asset = Annotated[str, msgspec.Meta(max_length=12)]
Millis = Annotated[int, msgspec.Meta(ge=0, le=1 << 53)]
Id = Annotated[int, msgspec.Meta(ge=1, le=(1 << 53) - 1)]

SideName = Literal["buy", "sell"]
TypeName = Literal[
    "limit",
    "market",
    "stop",
    "stop_limit",
    "take_profit",
    "take_profit_limit",
    "trailing_stop",
]
TriggerName = Literal["last", "mark"]
TifName = Literal["GTC", "IOC", "FOK", "GTD"]
StpName = Literal["none", "expire_taker", "expire_maker", "expire_both", "decrement"]
MarginName = Literal["cash", "cross", "isolated"]
PositionSideName = Literal["long", "short"]
SideEffectName = Literal["none", "borrow", "repay", "borrow_repay"]


class Ask(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """What a client sends."""


class ExitAsk(Ask):
    """What closes an order again, once `trigger` reaches `trigger_price`: at the market, or by a
    limit at `price`."""

    trigger_price: Text
    price: Text | None = None
    trigger: TriggerName = "last"


class OrderAsk(Ask):
    """Place an order. A limit needs `qty` and `price`; a market `qty` or `quote_qty`.

    Stops and take-profits need a `trigger_price` too, and sleep until `trigger` (the last trade,
    or a perpetual's mark) reaches it. `close_position` takes the place of their `qty`. With
    `trailing_bps` they follow the price instead, from where it reaches `trigger_price` or at
    once, and wake when it turns back that far. A trailing_stop does so at the market, from its
    `activation_price` on. In hedge mode an order on a perpetual names the leg it is of by
    `position_side`. Of a GTC limit with `iceberg_qty` the book shows so much at a time.
    `take_profit` and `stop_loss` close again what was filled of it; one ends the other.
    """

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
    auto_repay_at_cancel: bool = True
    leverage: Annotated[int, msgspec.Meta(ge=1, le=125)] | None = None
    client_id: ClientId = ""
    trigger_price: Text | None = None
    trigger: TriggerName | None = None
    close_position: bool = False
    price_protect: bool = False
    position_side: PositionSideName | None = None
    trailing_bps: Annotated[int, msgspec.Meta(ge=1, le=9_999)] | None = None
    activation_price: Text | None = None
    iceberg_qty: Text | None = None
    take_profit: ExitAsk | None = None
    stop_loss: ExitAsk | None = None


class OrderKey(Ask):
    """Name an order: by `order_id`, or by the `client_id` it was placed with."""

    order_id: Id | None = None
    client_id: ClientId = ""


class AmendAsk(OrderKey):
    """Change an open order; only less quantity at the same price keeps its place.

    A new `trigger_price` (of a trailing_stop its activation price) is for an order that still
    sleeps, and does not follow the price yet.
    """

    qty: Text | None = None
    price: Text | None = None
    trigger_price: Text | None = None


class BatchPlace(OrderAsk, tag_field="op", tag="order.place"):
    """An order to place; the `op` may be left out."""


class BatchAmend(AmendAsk, tag_field="op", tag="order.amend"):
    """A change to an order that is open when the batch arrives."""


class BatchCancel(OrderKey, tag_field="op", tag="order.cancel"):
    """An order to cancel."""


class BatchAsk(Ask):
    """Place, amend and cancel up to fifty orders, in their order, each judged by itself."""

    orders: Annotated[
        list[BatchPlace | BatchAmend | BatchCancel], msgspec.Meta(min_length=1, max_length=50)
    ]


class ReplaceAsk(Ask):
    """Cancel one order and place another, with nothing between.

    Where the old order cannot be cancelled (it was filled, say), `stop_on_failure` places no new
    one and `allow_failure` places it all the same. If the new order is refused, the old one stays
    cancelled.
    """

    cancel: OrderKey
    place: OrderAsk
    mode: Literal["stop_on_failure", "allow_failure"] = "stop_on_failure"


class PlaceListAsk(Ask):
    """Place orders that hang together, all on one symbol and wallet.

    An `oco` is a post-only limit (or a take-profit) and a stop of the same side and quantity: what
    befalls one ends the other. In an `oto` the second order is placed once the first is filled
    whole; in an `otoco` the first is followed by an oco.
    """

    kind: Literal["oco", "oto", "otoco"]
    orders: Annotated[list[OrderAsk], msgspec.Meta(min_length=2, max_length=3)]
    client_id: ClientId = ""


class ListKey(Ask):
    """Name a list: by `list_id`, or by the `client_id` it was placed with."""

    list_id: Id | None = None
    client_id: ClientId = ""


class CancelListAsk(ListKey):
    """Cancel the open orders of a list, and what waits for them."""


class ListsAsk(Ask):
    """Order lists: the open ones, or with `status` "all" the history too, newest first."""

    symbol: Symbol | None = None
    status: Literal["open", "all"] = "open"
    limit: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 100
    before_id: Id | None = None


class CancelAllAsk(Ask):
    """Cancel every order, or those on one symbol."""

    symbol: Symbol | None = None


class CancelAllAfterAsk(Ask):
    """Cancel every order, or those on one symbol, so many milliseconds of wall time from now.

    Asked again it counts anew, and with 0 no longer: a switch for programs that may die. One for
    a symbol and one for all stand side by side.
    """

    countdown_ms: Annotated[int, msgspec.Meta(ge=0, le=86_400_000)]
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


class DustAsk(Ask):
    """Sell to the house what is too little to sell on a book: some assets' dust, or all of it."""

    wallet: Literal["spot"] = "spot"
    assets: Annotated[list[Asset], msgspec.Meta(max_length=50)] = []
    client_id: ClientId = ""


class FeeDiscountAsk(Ask):
    """Pay spot fees in the venue's discount asset while there is enough of it, or no longer."""

    on: bool


class LeverageAsk(Ask):
    """Set the leverage of a perpetual."""

    symbol: Symbol
    leverage: Annotated[int, msgspec.Meta(ge=1, le=125)]


class MarginModeAsk(Ask):
    """Set cross or isolated margin of a perpetual; only while flat, without orders on it."""

    symbol: Symbol
    mode: Literal["cross", "isolated"]


class PositionModeAsk(Ask):
    """Hold long and short of a perpetual apart (hedge) or net them; only flat, without orders."""

    hedge: bool


class MultiAssetAsk(Ask):
    """Let several assets stand behind linear contracts, on cross margin; or the quote alone.

    Off only while the `perp` wallet holds nothing else and owes nothing.
    """

    on: bool


class MarginLeverageAsk(Ask):
    """Set the leverage of the cross margin account."""

    leverage: Literal[3, 5]


class PositionMarginAsk(Ask):
    """Add margin to an isolated position; a negative amount takes some out.

    The amount is of the asset the contract settles in; `position_side` names the leg in hedge mode.
    """

    symbol: Symbol
    amount: Text
    client_id: ClientId = ""
    position_side: PositionSideName | None = None


class SettingsAsk(Ask):
    """Change one or more settings in one request, in the order of the fields."""

    margin_mode: MarginModeAsk | None = None
    leverage: LeverageAsk | None = None
    margin_leverage: MarginLeverageAsk | None = None
    position_margin: PositionMarginAsk | None = None
    fee_discount: FeeDiscountAsk | None = None
    position_mode: PositionModeAsk | None = None
    multi_asset: MultiAssetAsk | None = None


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

    state: Literal[
        "trading", "halt", "cancel_only", "limit_only", "post_only", "pre_open", "auction"
    ]
