# cython: overflowcheck=True
"""The words of a market: side, order, fill, and the life an order leads."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import IntEnum
from typing import Any, Final

import msgspec

from matching.reasons import Reason


class Word(IntEnum):
    """One of a few words, hashed as its number: an enumeration's own hash costs a slow call."""

    __hash__ = int.__hash__


class Side(Word):
    """Which side of the book an order belongs to."""

    BUY = 0
    SELL = 1

    @property
    def opposite(self) -> Side:
        """The side this one trades with."""
        return Side.SELL if self is Side.BUY else Side.BUY


class TimeInForce(Word):
    """How long an order waits for what it could not get at once (MECHANICS S2)."""

    GTC = 0  # Good till cancelled.
    IOC = 1  # Immediate or cancel: the remainder expires.
    FOK = 2  # Fill or kill: all at once, or nothing at all.
    GTD = 3  # Good till date: expires at `expire_ms`.


class OrderType(Word):
    """What kind of price an order names, and whether it waits for another price first (S4)."""

    LIMIT = 0
    MARKET = 1
    STOP = 2  # A market order once the price has gone against its owner,
    STOP_LIMIT = 3  # or a limit order then.
    TAKE_PROFIT = 4  # The same once the price has gone its owner's way.
    TAKE_PROFIT_LIMIT = 5
    TRAILING_STOP = 6  # A market order once the price has turned back by `trailing_bps`.


MARKET_TYPES: Final = frozenset(
    {OrderType.MARKET, OrderType.STOP, OrderType.TAKE_PROFIT, OrderType.TRAILING_STOP}
)
STOP_TYPES: Final = frozenset({OrderType.STOP, OrderType.STOP_LIMIT})
TRIGGER_TYPES: Final = STOP_TYPES | {
    OrderType.TAKE_PROFIT,
    OrderType.TAKE_PROFIT_LIMIT,
    OrderType.TRAILING_STOP,
}


class TriggerSource(Word):
    """Which price wakes an order that waits (P16)."""

    LAST = 0  # Each trade's price.
    MARK = 1


class SelfTrade(Word):
    """What happens when an account would trade with itself; the taker's mode decides (S8)."""

    NONE = 0
    EXPIRE_TAKER = 1
    EXPIRE_MAKER = 2
    EXPIRE_BOTH = 3
    DECREMENT = 4  # Both lose the overlap, and the smaller expires.


class TradingState(Word):
    """What an instrument's book admits (S13); `filters` draws the consequences."""

    TRADING = 0
    HALT = 1
    CANCEL_ONLY = 2
    LIMIT_ONLY = 3
    POST_ONLY = 4
    PRE_OPEN = 5  # Before an auction: orders may only be cancelled.
    AUCTION = 6  # Limit orders are collected and do not match until it ends (S14).


class Status(Word):
    """Where an order stands in its life."""

    NEW = 0
    PARTIALLY_FILLED = 1
    FILLED = 2
    CANCELLED = 3
    EXPIRED = 4
    EXPIRED_IN_MATCH = 5  # Self-trade prevention ended it.
    REJECTED = 6
    PENDING_TRIGGER = 7  # Off the book until a price reaches its trigger.


class Happening(Word):
    """What may befall an order."""

    PART_FILL = 0
    LAST_FILL = 1
    CANCEL = 2
    EXPIRE = 3
    PREVENT = 4  # Self-trade prevention took what was left of it.
    REJECT = 5
    TRIGGER = 6  # A price reached its trigger: from now on it is an ordinary order.


# A status that is absent is a bug in the caller: let the KeyError crash.
NEXT: Final[dict[Happening, dict[Status, Status]]] = {
    Happening.PART_FILL: {
        Status.NEW: Status.PARTIALLY_FILLED,
        Status.PARTIALLY_FILLED: Status.PARTIALLY_FILLED,
    },
    Happening.LAST_FILL: {
        Status.NEW: Status.FILLED,
        Status.PARTIALLY_FILLED: Status.FILLED,
    },
    Happening.CANCEL: {
        Status.NEW: Status.CANCELLED,
        Status.PARTIALLY_FILLED: Status.CANCELLED,
        Status.PENDING_TRIGGER: Status.CANCELLED,
    },
    Happening.EXPIRE: {
        Status.NEW: Status.EXPIRED,
        Status.PARTIALLY_FILLED: Status.EXPIRED,
        Status.PENDING_TRIGGER: Status.EXPIRED,
    },
    Happening.PREVENT: {
        Status.NEW: Status.EXPIRED_IN_MATCH,
        Status.PARTIALLY_FILLED: Status.EXPIRED_IN_MATCH,
    },
    Happening.REJECT: {Status.NEW: Status.REJECTED},
    Happening.TRIGGER: {Status.PENDING_TRIGGER: Status.NEW},
}

_NEW: Final = Status.NEW  # A plain name is read several times faster than a member.
_ASLEEP: Final = Status.PENDING_TRIGGER
OPEN_STATUSES: Final = frozenset({Status.NEW, Status.PARTIALLY_FILLED, Status.PENDING_TRIGGER})


class Entry:
    """What a book reads and writes of an order, and the place it holds in its queue.

    `price_ticks` is 0 for every kind of market order.  `lots` is the original quantity, or 0 for a
    market order by amount, which carries `quote_units` (ticks x lots to spend or to raise) instead.
    `filled_units` is the sum of ticks x lots over its fills.  An iceberg shows `iceberg_lots` at a
    time (0: all); `hidden_lots` of its open lots are not on view yet (S6).  `rank` grows with each
    order that comes to rest on a book: among equal prices the smaller one is served first.
    """

    __slots__ = (
        "account_id",
        "expire_ms",
        "filled_lots",
        "filled_units",
        "hidden_lots",
        "iceberg_lots",
        "level",
        "lots",
        "next",
        "open_lots",
        "order_id",
        "post_only",
        "prev",
        "prevented_lots",
        "price_ticks",
        "quote_units",
        "rank",
        "reason",
        "side",
        "status",
        "stp",
        "tif",
    )

    order_id: int
    account_id: int
    side: Side
    price_ticks: int
    lots: int
    quote_units: int
    open_lots: int
    filled_lots: int
    filled_units: int
    prevented_lots: int
    tif: TimeInForce
    post_only: bool
    stp: SelfTrade
    expire_ms: int
    status: Status
    reason: Reason | None
    iceberg_lots: int
    hidden_lots: int
    rank: int
    prev: Order | None  # None at either end of a queue, and off the book.
    next: Order | None
    level: Level | None

    def begin(
        self,
        order_id: int,
        account_id: int,
        side: Side,
        price_ticks: int,
        lots: int,
        tif: TimeInForce,
        stp: SelfTrade,
    ) -> None:
        """Set every field, before anything else is done; those not named are as in most orders."""
        self.order_id = order_id
        self.account_id = account_id
        self.side = side
        self.price_ticks = price_ticks
        self.lots = self.open_lots = lots
        self.tif = tif
        self.stp = stp
        self.filled_lots = self.filled_units = self.prevented_lots = 0
        self.quote_units = self.expire_ms = self.iceberg_lots = self.hidden_lots = self.rank = 0
        self.post_only = False
        self.status = _NEW
        self.reason = self.level = self.prev = self.next = None

    @property
    def closed_lots(self) -> int:
        """Lots that left unexecuted, by cancellation, expiry or refusal (I7).

        lots == filled + prevented + open + closed.  A market order by amount names no lots,
        so nothing of it can be closed.
        """
        if not self.lots:
            return 0
        return self.lots - self.filled_lots - self.prevented_lots - self.open_lots

    @property
    def is_open(self) -> bool:
        """Whether more may befall it."""
        return self.status in OPEN_STATUSES

    def __repr__(self) -> str:
        return (
            f"<Order {self.order_id} {self.status.name} {self.side.name} {self.open_lots} of"
            f" {self.lots} at {self.price_ticks} for account {self.account_id}>"
        )


class Order(Entry):
    """One order: what its book knows of it, and what risk and the venue around it do.

    `wallet`, `hold_minor`, `hold_ticks` (the price at which a market buy on spot holds money while
    it sleeps), `side_effect`, `auto_repay_at_cancel`, `leverage`, `forced`, `leg` and
    `filled_minor` (what the fills of a contract came to in its settle asset) belong to the risk
    engine, as does `counted_lots`: what of a contract's order counts in its account's open orders.
    `trigger_ticks` (0: none), its source `trigger`, `close_position` and `price_protect` are
    those of an order that waits for a price; `triggered_ms` is when that came.  With
    `trailing_bps` the trigger only starts it to follow the price (S4).
    `list_id` is the list it is a leg of (0: none), and `covered_minor` what of its need the other
    leg of its OCO holds (S5).  `amends` is how often it was changed in place (S7).
    """

    __slots__ = (
        "amends",
        "auto_repay_at_cancel",
        "client_id",
        "close_position",
        "counted_lots",
        "covered_minor",
        "filled_minor",
        "forced",
        "hold_minor",
        "hold_ticks",
        "leg",
        "leverage",
        "list_id",
        "price_protect",
        "reduce_only",
        "side_effect",
        "symbol",
        "time_ms",
        "trailing_bps",
        "trigger",
        "trigger_ticks",
        "triggered_ms",
        "type",
        "wallet",
    )

    symbol: str
    type: OrderType
    reduce_only: bool
    client_id: str
    time_ms: int
    wallet: str
    hold_minor: int
    side_effect: int
    leverage: int
    forced: bool
    leg: str
    filled_minor: int
    trigger_ticks: int
    trigger: TriggerSource
    close_position: bool
    price_protect: bool
    triggered_ms: int
    auto_repay_at_cancel: bool
    trailing_bps: int
    hold_ticks: int
    list_id: int
    covered_minor: int
    amends: int
    counted_lots: int

    def __init__(  # noqa: PLR0913, PLR0917 - an order is what it is made of.
        self,
        order_id: int,
        account_id: int,
        symbol: str,
        side: Side,
        type: OrderType,
        price_ticks: int,
        lots: int,
        tif: TimeInForce = TimeInForce.GTC,
        stp: SelfTrade = SelfTrade.EXPIRE_MAKER,
        quote_units: int = 0,
        post_only: bool = False,
        reduce_only: bool = False,
        expire_ms: int = 0,
        client_id: str = "",
        time_ms: int = 0,
        wallet: str = "spot",
        hold_minor: int = 0,
        side_effect: int = 0,
        leverage: int = 0,
        forced: bool = False,
        leg: str = "",
        trigger_ticks: int = 0,
        trigger: TriggerSource = TriggerSource.LAST,
        close_position: bool = False,
        price_protect: bool = False,
        triggered_ms: int = 0,
        auto_repay_at_cancel: bool = True,
        trailing_bps: int = 0,
        iceberg_lots: int = 0,
    ) -> None:
        self.begin(order_id, account_id, side, price_ticks, lots, tif, stp)
        self.quote_units, self.expire_ms = quote_units, expire_ms
        self.post_only, self.iceberg_lots = post_only, iceberg_lots
        self.symbol, self.type, self.reduce_only = symbol, type, reduce_only
        self.client_id, self.time_ms = client_id, time_ms
        self.wallet, self.hold_minor, self.side_effect = wallet, hold_minor, side_effect
        self.leverage, self.forced = leverage, forced
        self.auto_repay_at_cancel = auto_repay_at_cancel
        self.leg = leg or symbol  # Of the position it changes.
        self.trigger_ticks, self.trigger, self.triggered_ms = trigger_ticks, trigger, triggered_ms
        self.close_position, self.price_protect = close_position, price_protect
        self.trailing_bps = trailing_bps
        self.filled_minor = self.hold_ticks = self.covered_minor = self.list_id = 0
        self.amends = self.counted_lots = 0

    @property
    def is_asleep(self) -> bool:
        """Whether it still waits for its trigger, off the book."""
        return self.status is _ASLEEP

    @property
    def rises(self) -> bool:
        """Whether its trigger is reached from below: a buy stop's or a sell take-profit's.

        A trailing stop begins to follow like a take-profit: once the price has gone its way.
        """
        return (self.type in STOP_TYPES) is (self.side is Side.BUY)

    def state(self) -> list[object]:
        """Every field but the links and the rank, as plain values in the order of `_KEPT`."""
        fields: list[object] = [getattr(self, name) for name in _KEPT]
        return [int(field) if isinstance(field, IntEnum) else field for field in fields]

    @classmethod
    def restore(cls, fields: Sequence[Any]) -> Order:
        """The open order, not yet on a book, of which `state` gave these fields."""
        order = cls(0, 0, "", Side.BUY, OrderType.LIMIT, 0, 0)
        for name, field in zip(_KEPT, fields, strict=True):
            word = _WORDS.get(name)
            setattr(order, name, word(field) if word else field)
        return order


_LINKS: Final = frozenset({"level", "next", "prev", "rank"})
_ENDS: Final = frozenset({"reason"})  # An open order has none yet.
_KEPT: Final = tuple(
    name for name in sorted(Entry.__slots__ + Order.__slots__) if name not in _LINKS | _ENDS
)
_WORDS: Final[dict[str, type[IntEnum]]] = {
    "side": Side,
    "type": OrderType,
    "tif": TimeInForce,
    "stp": SelfTrade,
    "status": Status,
    "trigger": TriggerSource,
}


class Level:
    """One price and its queue, first come first served.

    `key` is the price for a bid and minus the price for an ask.  `lots` is what rests here in
    all, `hidden_lots` what of it icebergs do not show.  `touched` is whether its book has yet to
    tell what became of it.  Each order knows its neighbours; the queue begins with `first` and
    ends with `last`, both None before an order comes and after the last one has gone.
    """

    __slots__ = ("first", "hidden_lots", "key", "last", "lots", "price_ticks", "touched")

    def __init__(self, key: int, price_ticks: int) -> None:
        self.key: int = key
        self.price_ticks: int = price_ticks
        self.lots: int = 0
        self.hidden_lots: int = 0
        self.touched: bool = False
        self.first: Order | None = None
        self.last: Order | None = None

    def orders(self) -> Iterator[Order]:
        """The queue, first in line first; it must not change meanwhile."""
        order = self.first
        while order is not None:
            yield order
            order = order.next

    def hide(self, order: Order) -> None:
        """An iceberg comes to rest: only its first slice is on view (S6)."""
        if not order.hidden_lots:  # Else it is restored, and its slice may be part filled.
            order.hidden_lots = max(0, order.open_lots - order.iceberg_lots)
        self.hidden_lots += order.hidden_lots

    def show_next(self, order: Order, rank: int) -> None:
        """An iceberg's slice is consumed: its next one comes into view, last in the queue (S6)."""
        shown = min(order.iceberg_lots, order.hidden_lots)
        order.hidden_lots -= shown
        self.hidden_lots -= shown
        order.rank = rank
        before, after, last = order.prev, order.next, self.last
        if after is None or last is None:
            return  # It is the last one already.
        after.prev = before
        if before is None:
            self.first = after
        else:
            before.next = after
        order.prev, order.next = last, None
        last.next = self.last = order


class Fill(msgspec.Struct, frozen=True, gc=False):
    """A trade: at the maker's price, in lots, between two orders.

    In an auction it is at the auction's price, and both pay as takers (S14).
    """

    maker: Order
    taker: Order
    price_ticks: int
    lots: int
    auction: bool = False


class Prevention(msgspec.Struct, frozen=True, gc=False):
    """A trade of an account with itself that was prevented (S8).

    `lots` would have traded at `price_ticks`; `maker_lots` and `taker_lots` are what each order
    lost by it.  A market order by amount loses no lots, for it names none.
    """

    maker: Order
    taker: Order
    price_ticks: int
    lots: int
    maker_lots: int
    taker_lots: int
    maker_expired: bool
    taker_expired: bool
