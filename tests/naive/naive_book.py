"""The book once more, plainly: one list of orders in order of arrival, searched each time."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field, replace

from matching.types import Order, OrderType, SelfTrade, Side, TimeInForce

WAITING = (TimeInForce.GTC, TimeInForce.GTD)


@dataclass
class NaiveOrder:
    """What the twin knows of an order."""

    order_id: int
    account_id: int
    side: Side
    type: OrderType
    price_ticks: int
    lots: int
    tif: TimeInForce
    stp: SelfTrade
    post_only: bool
    quote_units: int
    expire_ms: int
    iceberg_lots: int
    open_lots: int = field(init=False)
    shown_lots: int = 0  # While it rests.
    filled_lots: int = 0
    filled_units: int = 0
    prevented_lots: int = 0
    status: str = "NEW"
    reason: str | None = None

    def __post_init__(self) -> None:
        self.open_lots = self.lots

    @classmethod
    def of(cls, order: Order) -> NaiveOrder:
        """The twin of an order that is about to be placed."""
        names = list(cls.__dataclass_fields__)[:12]
        return cls(**{name: getattr(order, name) for name in names})

    def end(self, status: str, reason: str | None) -> None:
        self.open_lots, self.status, self.reason = 0, status, reason


class NaiveBook:
    """Rules S1-S3, S6-S8 and S12b with no thought for speed."""

    def __init__(self) -> None:
        self.resting: list[NaiveOrder] = []  # In order of arrival, both sides mixed.

    def opposite(self, taker: NaiveOrder) -> list[NaiveOrder]:
        """The other side, best price first and then earliest first: a stable sort keeps time."""
        makers = [order for order in self.resting if order.side is not taker.side]
        return sorted(makers, key=lambda o: o.price_ticks * (-1 if o.side is Side.BUY else 1))

    def place(self, taker: NaiveOrder, worst_ticks: int, fills_max: int) -> list[tuple]:
        """What happens, as ("fill", maker, taker, ticks, lots) or ("prevent", ...)."""
        if taker.post_only and any(accepts(taker, maker) for maker in self.resting):
            taker.end("REJECTED", "WOULD_TAKE")
            return []
        if taker.tif is TimeInForce.FOK and not self.fills_whole(taker, worst_ticks, fills_max):
            taker.end("EXPIRED", "FOK_UNFILLABLE")
            return []
        happened: list[tuple] = []
        while taker.status in ("NEW", "PARTIALLY_FILLED"):
            if not self.step(taker, worst_ticks, fills_max, happened):
                break
        if taker.status in ("NEW", "PARTIALLY_FILLED"):
            if taker.price_ticks and taker.tif in WAITING:
                self.show(taker)
            else:
                taker.end("EXPIRED", "NO_LIQUIDITY")
        return happened

    def show(self, order: NaiveOrder) -> None:
        """Put what may be seen of an order behind all others."""
        order.shown_lots = min(order.open_lots, order.iceberg_lots or order.open_lots)
        self.resting.append(order)

    def consume(self, maker: NaiveOrder, lots: int) -> None:
        """Take lots off what is seen of a maker; without any left its next slice is shown."""
        maker.open_lots -= lots
        maker.shown_lots -= lots
        if maker.shown_lots <= 0:
            self.resting.remove(maker)
            if maker.open_lots:
                self.show(maker)

    def copy(self) -> NaiveBook:
        """A book of its own, with orders of its own, to try things on."""
        other = NaiveBook()
        other.resting = [copy.copy(order) for order in self.resting]
        return other

    def fills_whole(self, taker: NaiveOrder, worst_ticks: int, fills_max: int) -> bool:
        """Try it on a copy of everything."""
        trial = replace(taker, tif=TimeInForce.IOC)
        self.copy().place(trial, worst_ticks, fills_max)
        return trial.filled_lots == taker.lots

    def step(self, taker: NaiveOrder, worst: int, fills_max: int, happened: list[tuple]) -> bool:
        """Meet the best maker; whether there may be a next."""
        makers = [maker for maker in self.opposite(taker) if accepts(taker, maker)]
        if not makers:
            if taker.quote_units and taker.filled_lots and self.spent(taker, happened):
                taker.end("FILLED", None)
            return False
        maker = makers[0]
        wanted = taker.open_lots
        if taker.quote_units:
            wanted = (taker.quote_units - used(taker, happened)) // maker.price_ticks
        if taker.quote_units and not wanted:
            if taker.filled_lots:
                taker.end("FILLED", None)
            else:
                taker.end("EXPIRED", "AMOUNT_BELOW_ONE_LOT")
        elif len(happened) >= fills_max:
            taker.end("EXPIRED", "FILLS_LIMIT")
        elif beyond(taker, maker, worst):
            taker.end("EXPIRED", "EXECUTION_PRICE_RANGE")
        elif taker.stp is not SelfTrade.NONE and maker.account_id == taker.account_id:
            happened.append(self.prevent(taker, maker, wanted))
        else:
            happened.append(self.fill(taker, maker, min(wanted, maker.shown_lots)))
        return taker.status in ("NEW", "PARTIALLY_FILLED")

    def spent(self, taker: NaiveOrder, happened: list[tuple]) -> bool:
        """Whether the last price met could not be paid once more."""
        left = taker.quote_units - used(taker, happened)
        return bool(happened) and left < happened[-1][3]

    def fill(self, taker: NaiveOrder, maker: NaiveOrder, lots: int) -> tuple:
        for order in (maker, taker):
            order.filled_lots += lots
            order.filled_units += lots * maker.price_ticks
        self.consume(maker, lots)
        if not taker.quote_units:
            taker.open_lots -= lots
        for order in (maker, taker):
            done = not order.open_lots and not order.quote_units
            order.status = "FILLED" if done else "PARTIALLY_FILLED"
        return ("fill", maker.order_id, taker.order_id, maker.price_ticks, lots)

    def prevent(self, taker: NaiveOrder, maker: NaiveOrder, wanted: int) -> tuple:
        overlap = min(wanted, maker.shown_lots)
        maker_loses, taker_loses = {
            SelfTrade.EXPIRE_TAKER: (0, wanted),
            SelfTrade.EXPIRE_MAKER: (maker.open_lots, 0),
            SelfTrade.EXPIRE_BOTH: (maker.open_lots, wanted),
            SelfTrade.DECREMENT: (overlap, overlap),
        }[taker.stp]
        self.consume(maker, maker_loses)
        maker.prevented_lots += maker_loses
        if not maker.open_lots:
            maker.end("EXPIRED_IN_MATCH", "SELF_TRADE")
        taker_ends = taker_loses == wanted
        if not taker.quote_units:
            taker.open_lots -= taker_loses
            taker.prevented_lots += taker_loses
        if taker_ends:
            taker.end("EXPIRED_IN_MATCH", "SELF_TRADE")
        ended = (not maker.open_lots, taker_ends)
        names_lots = 0 if taker.quote_units else taker_loses
        losses = (overlap, maker_loses, names_lots)
        return ("prevent", maker.order_id, taker.order_id, maker.price_ticks, *losses, *ended)

    def find(self, order_id: int) -> NaiveOrder | None:
        return next((order for order in self.resting if order.order_id == order_id), None)

    def cancel(self, order_id: int) -> bool:
        order = self.find(order_id)
        if order is None:
            return False
        self.resting.remove(order)
        order.end("CANCELLED", "CANCELLED_BY_USER")
        return True

    def reduce(self, order_id: int, lots: int) -> str | None:
        """The name of the refusal, if any."""
        order = self.find(order_id)
        if order is None:
            return "UNKNOWN_ORDER"
        if lots >= order.lots:
            return "AMEND_NOT_REDUCING"
        if lots <= order.filled_lots + order.prevented_lots:
            return "AMEND_BELOW_FILLED"
        order.open_lots = lots - order.filled_lots - order.prevented_lots
        order.lots = lots
        order.shown_lots = min(order.shown_lots, order.open_lots)
        return None

    def expire_due(self, now_ms: int, limit: int) -> list[int]:
        dated = [order for order in self.resting if order.tif is TimeInForce.GTD]
        due = sorted((o.expire_ms, o.order_id) for o in dated if o.expire_ms <= now_ms)[:limit]
        for _, order_id in due:
            order = self.find(order_id)
            assert order is not None
            self.resting.remove(order)
            order.end("EXPIRED", "EXPIRED_BY_TIME")
        return [order_id for _, order_id in due]

    def queue(self, side: Side, ticks: int) -> list[int]:
        """The ids at a price, first in line first."""
        return [o.order_id for o in self.resting if (o.side, o.price_ticks) == (side, ticks)]

    def depth(self, side: Side) -> list[tuple[int, int]]:
        """(ticks, lots), best first."""
        totals: dict[int, int] = {}
        for order in self.resting:
            if order.side is side:
                totals[order.price_ticks] = totals.get(order.price_ticks, 0) + order.shown_lots
        return sorted(totals.items(), reverse=side is Side.BUY)


def accepts(taker: NaiveOrder, maker: NaiveOrder) -> bool:
    """Whether a maker's price is within the taker's own limit."""
    if maker.side is taker.side:
        return False
    if not taker.price_ticks:  # At the market.
        return True
    if taker.side is Side.BUY:
        return maker.price_ticks <= taker.price_ticks
    return maker.price_ticks >= taker.price_ticks


def beyond(taker: NaiveOrder, maker: NaiveOrder, worst_ticks: int) -> bool:
    """Whether a maker's price is outside the execution range (S12b)."""
    if not worst_ticks:
        return False
    if taker.side is Side.BUY:
        return maker.price_ticks > worst_ticks
    return maker.price_ticks < worst_ticks


def used(taker: NaiveOrder, happened: list[tuple]) -> int:
    """What a market order by amount has spent, or lost to decrements, in ticks x lots."""
    decremented = taker.stp is SelfTrade.DECREMENT
    met = [one for one in happened if one[0] == "fill" or decremented]
    return sum(ticks * lots for _, _, _, ticks, lots, *_ in met)
