"""What a strategy is: a pure object that hears what happens and answers with wishes.

It opens no socket, reads no clock and draws no random number it was not given, so the same events
always bring the same wishes.  The runner connects it to an exchange; a test just talks to it.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Literal, Protocol

import msgspec

from clients.channels import Event
from exchange.wire import FillSay, InstrumentSay, OrderSay

Side = Literal["buy", "sell"]
BASIS_POINTS = Decimal(10_000)

# -- what it hears -----------------------------------------------------------------------------


class Beat(msgspec.Struct, frozen=True):
    """A second of the bot's own time has passed, whatever the market did."""

    number: int


class Refused(msgspec.Struct, frozen=True):
    """The exchange said no to a wish; `code` is its reason."""

    wish: Wish
    code: str
    message: str


# -- what it wishes ----------------------------------------------------------------------------


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """An order: with a price a limit order, else a market order."""

    client_id: str
    symbol: str
    side: Side
    qty: Decimal
    price: Decimal | None = None
    tif: Literal["GTC", "IOC", "FOK"] | None = None
    post_only: bool = False
    reduce_only: bool = False
    leverage: int | None = None
    margin: Literal["cash", "cross", "isolated"] | None = None
    side_effect: Literal["none", "borrow", "repay", "borrow_repay"] = "none"


class Amend(msgspec.Struct, frozen=True):
    """Another price for an open order."""

    client_id: str
    price: Decimal


class Cancel(msgspec.Struct, frozen=True):
    """An open order no more."""

    client_id: str


class Transfer(msgspec.Struct, frozen=True):
    """Money from one wallet to another."""

    source: str
    target: str
    asset: str
    amount: Decimal


Wish = Place | Amend | Cancel | Transfer
Heard = Event | Beat


class Strategy(Protocol):
    """One strategy at work."""

    @property
    def channels(self) -> tuple[str, ...]:
        """What it wants to hear."""

    def hear(self, heard: Heard) -> list[Wish]:
        """Something happened: what to do about it, in this order."""

    def refused(self, refusal: Refused) -> None:
        """The exchange said no to a wish; what to do about it waits for the next event."""


# -- what strategies are built from ------------------------------------------------------------


class Rules(msgspec.Struct, frozen=True):
    """An instrument's rules, as numbers to reckon with."""

    symbol: str
    perpetual: bool
    base: str
    quote: str
    tick: Decimal
    lot: Decimal
    qty_min: Decimal
    notional_min: Decimal
    max_leverage: int

    @classmethod
    def of(cls, say: InstrumentSay) -> Rules:
        """The rules of an instrument of the wire."""
        return cls(
            say.symbol,
            say.kind != "spot",
            say.base,
            say.quote,
            Decimal(say.tick),
            Decimal(say.lot),
            Decimal(say.qty_min),
            Decimal(say.notional_min),
            say.max_leverage,
        )

    def price_below(self, price: Decimal) -> Decimal:
        """The highest price on a tick that is not above this one."""
        return (price / self.tick).to_integral_value(ROUND_FLOOR) * self.tick

    def price_above(self, price: Decimal) -> Decimal:
        """The lowest price on a tick that is not below this one."""
        return (price / self.tick).to_integral_value(ROUND_CEILING) * self.tick

    def qty_of(self, qty: Decimal) -> Decimal:
        """Whole lots, rounded down."""
        return (qty / self.lot).to_integral_value(ROUND_FLOOR) * self.lot

    def qty_for(self, quote: Decimal, price: Decimal) -> Decimal:
        """The whole lots that this much money buys, and never less than an order must be."""
        least = max(self.qty_min, self.notional_min / price)
        lots = (least / self.lot).to_integral_value(ROUND_CEILING) * self.lot
        return max(self.qty_of(quote / price), lots)


class OwnOrders:
    """The strategy's own open orders by client id, from the wish to the end.

    Ids are the prefix and a number, so that a runner can tell them from everybody else's.  The
    exchange tells of an order's fills before it tells how they left the order: who hears that an
    order is done has heard of all its fills.
    """

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self._numbered = 0
        self.asked: dict[str, Place] = {}  # Wished for; the exchange has not spoken yet.
        self.open: dict[str, OrderSay] = {}
        self._changing: set[str] = set()  # To be amended or cancelled; not heard of since.

    def place(self, **order: object) -> Place:
        """A new order with an id of its own."""
        self._numbered += 1
        client_id = f"{self._prefix}{self._numbered}"
        place = msgspec.convert({"client_id": client_id, **order}, Place)
        self.asked[client_id] = place
        return place

    def amend(self, order: OrderSay, price: Decimal) -> list[Wish]:
        """Another price for an open order, unless a change of it is under way already."""
        return self._change(Amend(order.client_id, price))

    def cancel(self, order: OrderSay) -> list[Wish]:
        """An open order no more, unless a change of it is under way already."""
        return self._change(Cancel(order.client_id))

    def _change(self, wish: Amend | Cancel) -> list[Wish]:
        if wish.client_id in self._changing:
            return []
        self._changing.add(wish.client_id)
        return [wish]

    def hear(self, heard: Heard) -> None:
        """Follow what became of the orders."""
        if isinstance(heard, Event) and heard.channel == "orders":
            order: OrderSay = heard.data
            if not order.client_id.startswith(self._prefix):
                return
            self.asked.pop(order.client_id, None)
            self._changing.discard(order.client_id)
            if order.status in ("new", "partially_filled", "pending_trigger"):
                self.open[order.client_id] = order
            else:
                self.open.pop(order.client_id, None)

    def refused(self, refusal: Refused) -> None:
        """Of what was refused nothing will be heard."""
        if isinstance(refusal.wish, Place):
            self.asked.pop(refusal.wish.client_id, None)
        elif isinstance(refusal.wish, Amend | Cancel):
            self._changing.discard(refusal.wish.client_id)

    def mine(self, client_id: str) -> bool:
        """Whether an order is one of these."""
        return client_id.startswith(self._prefix)

    def __iter__(self) -> Iterator[OrderSay]:
        return iter(self.open.values())

    @property
    def busy(self) -> bool:
        """Whether the exchange has yet to speak about one of them."""
        return bool(self.asked)


class Touch(msgspec.Struct):
    """The best prices of a symbol, from its `bbo` channel."""

    bid: Decimal | None = None
    ask: Decimal | None = None

    def hear(self, heard: Event) -> None:
        """Follow the channel."""
        self.bid = Decimal(heard.data.bid) if heard.data.bid else None
        self.ask = Decimal(heard.data.ask) if heard.data.ask else None

    @property
    def mid(self) -> Decimal | None:
        """Half-way between them, None while a side is empty."""
        return (self.bid + self.ask) / 2 if self.bid and self.ask else None


def gained(fill: FillSay, rules: Rules) -> Decimal:
    """What a fill changed the holding by: a buyer of spot pays his fee in what he bought."""
    change = signed(fill.side, Decimal(fill.qty))
    return change - Decimal(fill.fee) if fill.fee_asset == rules.base else change


def signed(side: str, qty: Decimal) -> Decimal:
    """A quantity with its sign: bought is positive."""
    return qty if side == "buy" else -qty


def against(side: Side) -> Side:
    """The other side."""
    return "sell" if side == "buy" else "buy"
