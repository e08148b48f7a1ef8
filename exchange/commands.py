"""All that may be asked of the engine: frozen records in the imperative, kept in the journal.

Numbers are integers: prices in ticks, quantities in lots, money in minor units (10^-8 of the
asset), index prices in 10^-8 quote, times in epoch milliseconds of exchange time. The sequencer
fills in `seq` and `time_ms`, once; nothing else ever does. Fields are only appended, never moved:
a journal is read for as long as the project lives.
"""

from __future__ import annotations

import msgspec

from matching.types import OrderType, SelfTrade, Side, TimeInForce, TriggerSource

ANSWER_FIRST_RESULT = 0  # A client id seen before answers the first result (the native door).
REFUSE_IF_OPEN = 1  # A client id is refused only while its order is open.

STOP_ON_FAILURE = 0  # Where the old order cannot be cancelled, no new one is placed;
ALLOW_FAILURE = 1  # or it is placed all the same.

NO_SIDE_EFFECT = 0
BORROW = 1
REPAY = 2
BORROW_AND_REPAY = 3


class Command(msgspec.Struct, frozen=True, array_like=True, tag_field="command", tag=0, gc=False):
    """What every command carries: its number and its moment, both given by the sequencer."""

    seq: int = 0
    time_ms: int = 0


class Tick(Command, frozen=True, tag=1):
    """Nothing but the time: samples, marks, funding and interest fall due on it."""


class Continue(Command, frozen=True, tag=2):
    """Do one bounded slice of the work that is pending: settlements, liquidations, scans."""


class OpenAccount(Command, frozen=True, tag=3):
    """Open an account; the engine gives the id. `kind` is "user" or "agent"."""

    kind: str = "user"
    label: str = ""


class Deposit(Command, frozen=True, tag=4):
    """Put fictional money into a wallet: the faucet, and the refill of house agents."""

    account_id: int = 0
    wallet: str = ""
    asset: str = ""
    amount_minor: int = 0
    client_id: str = ""


class Transfer(Command, frozen=True, tag=5):
    """Move money between two wallets of one account; checked against margin."""

    account_id: int = 0
    source: str = ""
    target: str = ""
    asset: str = ""
    amount_minor: int = 0
    client_id: str = ""


class Exit(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What closes an order's fills again: at the market (price 0) or by a limit, once a price
    reaches the trigger."""

    trigger_ticks: int = 0
    price_ticks: int = 0
    trigger: TriggerSource = TriggerSource.LAST


class PlaceOrder(Command, frozen=True, tag=6):
    """Place one order. `price_ticks` is 0 for a market order, `lots` for one by quote amount.

    Stops and take-profits name a trigger, and are limit or market orders once it is reached. With
    exits the order is a bracket: they are placed once it is over, for what was filled of it.
    """

    account_id: int = 0
    symbol: str = ""
    side: Side = Side.BUY
    type: OrderType = OrderType.LIMIT
    lots: int = 0
    quote_minor: int = 0
    price_ticks: int = 0
    tif: TimeInForce = TimeInForce.GTC
    expire_ms: int = 0
    post_only: bool = False
    reduce_only: bool = False
    stp: SelfTrade = SelfTrade.EXPIRE_MAKER
    wallet: str = "spot"  # "spot", "margin", "isolated:<SYMBOL>"; "perp" for a contract.
    side_effect: int = NO_SIDE_EFFECT
    leverage: int = 0  # 0 leaves the symbol's setting as it is.
    client_id: str = ""
    on_duplicate: int = ANSWER_FIRST_RESULT
    trigger_ticks: int = 0  # Of a stop or take-profit: it sleeps until `trigger` reaches this.
    trigger: TriggerSource = TriggerSource.LAST
    close_position: bool = False  # It takes no lots, but closes what is held when it wakes.
    price_protect: bool = False  # It sleeps on while last and mark lie too far apart.
    auto_repay_at_cancel: bool = True  # What it borrowed and did not use is repaid when it ends.
    position_side: int = 0  # Hedge mode: 1 is of the long leg, 2 of the short one.
    trailing_bps: int = 0  # It follows the price, from where the trigger is reached or at once.
    iceberg_lots: int = 0  # How much of it is shown at a time; 0: all.
    take_profit: Exit | None = None
    stop_loss: Exit | None = None


class CancelOrder(Command, frozen=True, tag=7):
    """Cancel a resting order by its id, or by the client id it was placed with; or a whole list."""

    account_id: int = 0
    order_id: int = 0
    client_id: str = ""
    list_id: int = 0  # Of the list whose open orders are cancelled, in the place of an order.


class CancelAll(Command, frozen=True, tag=8):
    """Cancel every order of an account, or those on one symbol, or on one wallet.

    With `countdown_ms` because the countdown to that moment ran out; nothing if it was set anew.
    """

    account_id: int = 0
    symbol: str = ""
    countdown_ms: int = 0
    wallet: str = ""


class AmendOrder(Command, frozen=True, tag=9):
    """Change price or quantity (0: as it was). Only a reduction keeps the place in the queue."""

    account_id: int = 0
    order_id: int = 0
    client_id: str = ""
    lots: int = 0  # The new total quantity, what was filled included.
    price_ticks: int = 0
    trigger_ticks: int = 0  # Of an order that still sleeps.


class Borrow(Command, frozen=True, tag=10):
    """Borrow an asset into a margin wallet."""

    account_id: int = 0
    wallet: str = ""
    asset: str = ""
    amount_minor: int = 0
    client_id: str = ""


class Repay(Command, frozen=True, tag=11):
    """Repay a loan, interest first. `amount_minor` 0 repays all that is owed."""

    account_id: int = 0
    wallet: str = ""
    asset: str = ""
    amount_minor: int = 0
    client_id: str = ""


class SetLeverage(Command, frozen=True, tag=12):
    """Set the leverage of a perpetual for an account."""

    account_id: int = 0
    symbol: str = ""
    leverage: int = 0


class SetMarginMode(Command, frozen=True, tag=13):
    """Set cross or isolated margin of a perpetual; only while flat and without orders on it."""

    account_id: int = 0
    symbol: str = ""
    isolated: bool = False


class SetMarginLeverage(Command, frozen=True, tag=14):
    """Set the leverage of the cross margin account: 3 or 5."""

    account_id: int = 0
    leverage: int = 0


class AdjustPositionMargin(Command, frozen=True, tag=15):
    """Add margin to an isolated position, or take out what it does not need (negative)."""

    account_id: int = 0
    symbol: str = ""
    amount_minor: int = 0
    client_id: str = ""
    position_side: int = 0  # Hedge mode: 1 is of the long leg, 2 of the short one.


class ResetAccount(Command, frozen=True, tag=16):
    """Start over: cancel, hand over positions, clear debts, fund afresh, raise the epoch."""

    account_id: int = 0
    client_id: str = ""


class FeedPrices(Command, frozen=True, tag=17):
    """Prices of one outside venue, by base asset, in 10^-8 USDT; they stand until `stale_ms`."""

    feed: str = ""
    prices_e8: dict[str, int] = {}
    stale_ms: int = 0


class SetIndexPrice(Command, frozen=True, tag=18):
    """An administrator's price: the index jumps to it within this command."""

    base: str = ""
    quote: str = ""
    price_e8: int = 0


class SetSymbolState(Command, frozen=True, tag=19):
    """Open, restrict or halt trading on a symbol (the names of `matching.types.TradingState`)."""

    symbol: str = ""
    state: str = ""


class SetFeeDiscount(Command, frozen=True, tag=22):
    """Pay spot fees in the discount asset, or no longer; where the venue has one."""

    account_id: int = 0
    on: bool = False


class ConvertDust(Command, frozen=True, tag=23):
    """Sell to the house what is too little to be sold on a book; no assets are all of them."""

    account_id: int = 0
    wallet: str = "spot"
    assets: list[str] = []
    client_id: str = ""


class SetPositionMode(Command, frozen=True, tag=20):
    """Hold long and short apart (hedge) or net them (one-way); only flat and without orders."""

    account_id: int = 0
    hedge: bool = False


class SetMultiAsset(Command, frozen=True, tag=21):
    """Let several assets stand behind linear contracts, on one wallet; or the quote alone."""

    account_id: int = 0
    on: bool = False


class CancelReplace(Command, frozen=True, tag=24):
    """Cancel an order and place another of the account, and let nothing come between (S7).

    If the new order is refused the cancellation stands. `client_id` is the new order's.
    """

    account_id: int = 0
    order_id: int = 0  # Of the order to cancel; or
    cancel_client_id: str = ""  # what it was placed with.
    mode: int = STOP_ON_FAILURE
    place: PlaceOrder = PlaceOrder()

    @property
    def client_id(self) -> str:
        """What makes a repetition of the whole harmless."""
        return self.place.client_id

    @property
    def on_duplicate(self) -> int:
        """What happens to a client id that was used before."""
        return self.place.on_duplicate


class SetCountdown(Command, frozen=True, tag=25):
    """Have an account's orders, or those on one symbol, cancelled at a moment, or (0) no longer.

    The moment is of the wall, which the door looks at: it sends a `CancelAll` then.
    """

    account_id: int = 0
    symbol: str = ""
    countdown_ms: int = 0  # Epoch milliseconds of wall time.


class PlaceList(Command, frozen=True, tag=26):
    """Place orders that hang together (S5; `kind` is a `matching.lists.ListKind`).

    An OCO is [limit or take-profit, stop]; before what waits for it comes the working order.
    """

    account_id: int = 0
    kind: int = 0
    orders: list[PlaceOrder] = []
    client_id: str = ""
    on_duplicate: int = ANSWER_FIRST_RESULT


AnyCommand = (
    Tick
    | Continue
    | OpenAccount
    | Deposit
    | Transfer
    | PlaceOrder
    | CancelOrder
    | CancelAll
    | AmendOrder
    | Borrow
    | Repay
    | SetLeverage
    | SetMarginMode
    | SetMarginLeverage
    | AdjustPositionMargin
    | ResetAccount
    | FeedPrices
    | SetIndexPrice
    | SetSymbolState
    | SetFeeDiscount
    | ConvertDust
    | SetPositionMode
    | SetMultiAsset
    | CancelReplace
    | SetCountdown
    | PlaceList
)
