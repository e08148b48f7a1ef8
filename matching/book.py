# cython: overflowcheck=True
"""One instrument's limit order book, in strict price-time priority.

A book is a plain value: it is told things, and answers.  It opens no socket, reads no clock and
draws no random number, so the same calls always leave the same book.

Both sides share one path by way of *keys*: the key of a bid is its price, that of an ask is minus
its price.  A greater key is a better price on either side, and an order of key `k` trades with
the best key `b` of the other side exactly when `k + b >= 0`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, TypeAlias, TypedDict

from sortedcontainers import SortedList

from matching.ladder import NOTHING, Ladder
from matching.limits import FILLS_PER_COMMAND_MAX, PRICE_TICKS_MAX
from matching.prevention import losses
from matching.prospect import prospect, reach_of
from matching.reasons import Reason
from matching.soundness import check_levels, check_orders
from matching.types import (
    NEXT,
    Fill,
    Happening,
    Level,
    Order,
    Prevention,
    SelfTrade,
    Side,
    Status,
    TimeInForce,
)

Happened: TypeAlias = list[Fill | Prevention]


class BookState(TypedDict):
    """A book as plain lists: what to keep of each order, in priority, and keys not yet told of."""

    orders: list[list[object]]
    touched: list[int]
    collecting: bool


# An enumeration's members cost a slow look-up where the loops are hot; plain names do not.
_BUY: Final = Side.BUY
_SELL: Final = Side.SELL
_GTC: Final = TimeInForce.GTC
_FOK: Final = TimeInForce.FOK
_GTD: Final = TimeInForce.GTD
_NEW: Final = Status.NEW
_EXPIRED_IN_MATCH: Final = Status.EXPIRED_IN_MATCH
_CANCEL: Final = Happening.CANCEL
_EXPIRE: Final = Happening.EXPIRE
_FOK_UNFILLABLE: Final = Reason.FOK_UNFILLABLE
_NO_LIQUIDITY: Final = Reason.NO_LIQUIDITY
_NO_PREVENTION: Final = SelfTrade.NONE
# A fill or a cancellation leaves an open order alike whether it has filled before or not.
_PARTIALLY_FILLED: Final = NEXT[Happening.PART_FILL][Status.NEW]
_FILLED: Final = NEXT[Happening.LAST_FILL][Status.NEW]
_CANCELLED: Final = NEXT[_CANCEL][Status.NEW]
_NOBODY: Final = -1  # No account has this id.


class Book:
    """Resting orders of one instrument; see the module for what a key is."""

    __slots__ = (
        "_asks",
        "_bids",
        "_expiries",
        "_levels",
        "_ranks",
        "_touched",
        "collecting",
        "next_expiry_id",
        "next_expiry_ms",
        "orders",
    )

    def __init__(self) -> None:
        self.orders: dict[int, Order] = {}
        self.collecting = False  # For an auction: nothing matches, and sides may cross (S14).
        self._levels: dict[int, Level] = {}
        self._bids, self._asks = Ladder(), Ladder()
        self._ranks = 0  # How many orders have come to rest so far.
        self._touched: set[int] = set()  # Keys whose total may differ from what was last told.
        self._expiries: SortedList[tuple[int, int]] = SortedList()  # (expire_ms, order_id)
        self.next_expiry_ms = 0  # When the next good-till-date order falls due, or 0,
        self.next_expiry_id = 0  # and which one it is.

    # What may be asked.

    @property
    def best_bid_ticks(self) -> int:
        """The highest price bid, or 0."""
        return self._bids.best if self._bids.keys else 0

    @property
    def best_ask_ticks(self) -> int:
        """The lowest price asked, or 0."""
        return -self._asks.best if self._asks.keys else 0

    def levels(self, side: Side, count: int) -> list[tuple[int, int]]:
        """The best prices of a side and the lots on view there, best first."""
        best = self._best(side, count)
        return [(level.price_ticks, level.lots - level.hidden_lots) for level in best]

    def whole_levels(self, side: Side) -> list[tuple[int, int]]:
        """Every price of a side and all lots that rest there, hidden ones too, best first."""
        return [(level.price_ticks, level.lots) for level in self._best(side, len(self._levels))]

    def _best(self, side: Side, count: int) -> list[Level]:
        ladder = self._bids if side is _BUY else self._asks
        return [self._levels[key] for key in ladder.top(count)]

    def first(self, side: Side) -> Order | None:
        """The order of a side that is served first."""
        best = self._best(side, 1)
        return best[0].first if best else None

    def queue(self, side: Side, price_ticks: int) -> list[Order]:
        """The orders that rest at a price, first in line first."""
        level = self._levels.get(price_ticks if side is _BUY else -price_ticks)
        return list(level.orders()) if level else []

    def fillable_lots(
        self, order: Order, worst_ticks: int = 0, fills_max: int = FILLS_PER_COMMAND_MAX
    ) -> int:
        """How many lots `place` would fill at once; the book is not touched."""
        return self.cost_of_market(order, worst_ticks, fills_max)[0]

    def cost_of_market(
        self, order: Order, worst_ticks: int = 0, fills_max: int = FILLS_PER_COMMAND_MAX
    ) -> tuple[int, int]:
        """(lots, ticks x lots) of the fills `place` would make: what a market buy locks (S11)."""
        lots_sum = units_sum = 0
        for price_ticks, lots in self.prospective_fills(order, worst_ticks, fills_max):
            lots_sum += lots
            units_sum += price_ticks * lots
        return lots_sum, units_sum

    def prospective_fills(
        self, order: Order, worst_ticks: int = 0, fills_max: int = FILLS_PER_COMMAND_MAX
    ) -> Iterator[tuple[int, int]]:
        """(ticks, lots) of each fill `place` would make, in order; the book is not touched."""
        is_buy = order.side is _BUY
        key = (order.price_ticks or PRICE_TICKS_MAX) if is_buy else -order.price_ticks
        opposite = self._asks if is_buy else self._bids
        if self.collecting:
            return iter(())
        levels = (self._levels[level_key] for level_key in reversed(opposite.keys))
        return prospect(levels, order, reach_of(order, key, worst_ticks), fills_max)

    # What may be told.

    def place(
        self, order: Order, worst_ticks: int = 0, fills_max: int = FILLS_PER_COMMAND_MAX
    ) -> Happened:
        """Match a new order, and let what remains rest or expire (S1-S3, S8, S12b).

        `worst_ticks` bounds the prices it may execute at (0: no bound); a match beyond it expires
        the order, as does a match beyond `fills_max` fills and preventions.  The order's status
        and reason tell what became of it.
        """
        assert order.status is _NEW or order.status is _PARTIALLY_FILLED, order  # If restored.
        assert order.open_lots or order.quote_units, order
        price_ticks, tif = order.price_ticks, order.tif
        if order.side is _BUY:
            opposite = self._asks
            key = price_ticks or PRICE_TICKS_MAX  # A market order buys at any price,
        else:
            opposite = self._bids
            key = -price_ticks  # and sells at any, for no bid's key is below zero.
        happened: Happened = []
        if opposite.best + key >= 0 and not self.collecting:
            self._take(order, opposite, key, worst_ticks, fills_max, happened)
            if order.status is not _NEW and order.status is not _PARTIALLY_FILLED:
                return happened
        if not price_ticks or (tif is not _GTC and tif is not _GTD):
            _end(order, _EXPIRE, _FOK_UNFILLABLE if tif is _FOK else _NO_LIQUIDITY)
            return happened
        known = self.orders.setdefault(order.order_id, order)
        assert known is order, order
        level = self._levels.get(key)
        if level is None:
            level = self._open(key, price_ticks)
        last = level.last
        if last is None:
            level.first = order
        else:
            last.next = order
            order.prev = last
        level.last = order
        level.lots += order.open_lots
        order.level = level
        order.rank = self._ranks = self._ranks + 1
        if order.iceberg_lots:
            level.hide(order)
        if not level.touched:
            self._touch(level)
        if tif is _GTD:
            self._expiries.add((order.expire_ms, order.order_id))
            self.next_expiry_ms, self.next_expiry_id = self._expiries[0]
        return happened

    def cancel(
        self, order_id: int, happening: Happening = _CANCEL, reason: Reason | None = None
    ) -> Order | None:
        """Take a resting order, cancelled or expired, off the book; None if it is not there."""
        order = self.orders.pop(order_id, None)
        if order is None:
            return None
        level = order.level
        assert level is not None
        self._unlink(order, level)
        level.lots -= order.open_lots
        if not level.touched:
            self._touch(level)
        if not level.lots:
            self._close(level)
        order.open_lots = 0
        order.status = _CANCELLED if happening is _CANCEL else NEXT[happening][order.status]
        order.reason = reason
        return order

    def reduce(self, order_id: int, lots: int) -> Order | Reason:
        """Lower an order's quantity to `lots` in all; it keeps its place in the queue (S7)."""
        order = self.orders.get(order_id)
        if order is None:
            return Reason.UNKNOWN_ORDER
        if lots >= order.lots:
            return Reason.AMEND_NOT_REDUCING
        less = order.lots - lots
        if less >= order.open_lots:
            return Reason.AMEND_BELOW_FILLED
        level = order.level
        assert level is not None
        unseen = min(less, order.hidden_lots)  # What an iceberg shows is reduced last.
        order.hidden_lots -= unseen
        level.hidden_lots -= unseen
        order.lots = lots
        order.open_lots -= less
        level.lots -= less
        self._touch(level)
        return order

    def lessen(self, order: Order, lots: int) -> None:
        """Take all lots off a resting order, or some of those on view, to whatever end.

        Without any left it is off the book.
        """
        level = order.level
        assert level is not None
        level.lots -= lots
        order.open_lots -= lots
        self._touch(level)
        if not order.open_lots:
            del self.orders[order.order_id]
            self._unlink(order, level)
        elif order.open_lots <= order.hidden_lots:
            self._show_next(order, level)
        if not level.lots:
            self._close(level)

    def take_changes(self) -> list[tuple[Side, int, int]]:
        """(side, ticks, lots) of each level touched since the last call, a bid before an ask.

        Each side comes best first; no lots means that the level is gone.
        """
        changes: list[tuple[Side, int, int]] = []
        levels = self._levels
        for key in sorted(self._touched, reverse=True):
            level = levels.get(key)
            lots = 0
            if level is not None:
                lots = level.lots - level.hidden_lots
                level.touched = False
            changes.append((_BUY, key, lots) if key > 0 else (_SELL, -key, lots))
        self._touched.clear()
        return changes

    # Taking.

    def _take(
        self,
        taker: Order,
        opposite: Ladder,
        key: int,
        worst_ticks: int,
        fills_max: int,
        happened: Happened,
    ) -> None:
        """Trade with the other side, whose best price the taker reaches.

        A taker that is open then has more lots to buy or sell than the other side could give.
        """
        if taker.post_only:
            _end(taker, Happening.REJECT, Reason.WOULD_TAKE)
            return
        wanted = taker.open_lots
        if taker.tif is _FOK and self.fillable_lots(taker, worst_ticks, fills_max) < wanted:
            _end(taker, _EXPIRE, _FOK_UNFILLABLE)
            return
        reach = reach_of(taker, key, worst_ticks) if worst_ticks else key
        if taker.quote_units:
            self._sweep_amount(taker, opposite, reach, fills_max, happened)
        else:
            while wanted and opposite.best + reach >= 0 and len(happened) < fills_max:
                wanted = self._take_level(opposite, taker, wanted, fills_max, happened)
            taker.open_lots = wanted
            if not wanted and taker.status is _NEW:
                taker.status = _FILLED
        if taker.status is not _NEW:
            return
        if taker.filled_lots:
            taker.status = _PARTIALLY_FILLED
        if opposite.best + key >= 0:  # Something stopped it short of its price.
            full = len(happened) >= fills_max
            _end(taker, _EXPIRE, Reason.FILLS_LIMIT if full else Reason.EXECUTION_PRICE_RANGE)

    def _sweep_amount(
        self, taker: Order, opposite: Ladder, reach: int, fills_max: int, happened: Happened
    ) -> None:
        """Take levels until the next whole lot would overspend a market order's amount (S3)."""
        units = taker.quote_units
        price_ticks = 0
        while opposite.best + reach >= 0 and len(happened) < fills_max:
            price_ticks = abs(opposite.best)
            affordable = units // price_ticks
            if not affordable:
                break
            unwanted = self._take_level(opposite, taker, affordable, fills_max, happened)
            units -= (affordable - unwanted) * price_ticks
            if taker.status is _EXPIRED_IN_MATCH:
                return
        if opposite.best != NOTHING:
            price_ticks = abs(opposite.best)
        if units < price_ticks and taker.filled_lots:
            taker.status = _FILLED
        elif units < price_ticks:
            _end(taker, _EXPIRE, Reason.AMOUNT_BELOW_ONE_LOT)

    def _take_level(
        self, opposite: Ladder, taker: Order, wanted: int, fills_max: int, happened: Happened
    ) -> int:
        """Trade with the best level, front of the queue first; return the lots still wanted."""
        level = self._levels[opposite.best]
        price_ticks = level.price_ticks
        own = _NOBODY if taker.stp is _NO_PREVENTION else taker.account_id
        room = fills_max - len(happened)
        taken = 0
        maker = level.first
        while wanted and room and maker is not None:
            room -= 1
            if maker.account_id == own:
                wanted = self._prevent(maker, taker, wanted, happened)
            else:
                lots = maker.open_lots - maker.hidden_lots
                if lots > wanted:
                    lots = wanted
                    maker.status = _PARTIALLY_FILLED
                elif maker.hidden_lots:
                    maker.status = _PARTIALLY_FILLED
                    self._show_next(maker, level)
                else:
                    maker.status = _FILLED
                    del self.orders[maker.order_id]
                    self._unlink(maker, level)
                maker.open_lots -= lots
                maker.filled_lots += lots
                maker.filled_units += price_ticks * lots
                wanted -= lots
                taken += lots
                happened.append(Fill(maker, taker, price_ticks, lots))
            maker = level.first
        taker.filled_lots += taken
        taker.filled_units += price_ticks * taken
        level.lots -= taken
        if not level.touched:
            self._touch(level)
        if not level.lots:
            self._close(level)
        return wanted

    def _prevent(self, maker: Order, taker: Order, wanted: int, happened: Happened) -> int:
        """Keep an account from trading with itself (S8); return the lots the taker still wants."""
        overlap = min(maker.open_lots - maker.hidden_lots, wanted)
        maker_lots, taker_lots = losses(taker.stp, overlap, maker.open_lots, wanted)
        level = maker.level
        assert level is not None
        level.lots -= maker_lots
        maker.open_lots -= maker_lots
        maker.prevented_lots += maker_lots
        wanted -= taker_lots
        if not maker.open_lots:
            del self.orders[maker.order_id]
            self._unlink(maker, level)
            _end(maker, Happening.PREVENT, Reason.SELF_TRADE)
        elif maker.open_lots <= maker.hidden_lots:
            self._show_next(maker, level)
        if taker.quote_units:
            taker_lots = 0
        taker.prevented_lots += taker_lots
        if not wanted:
            _end(taker, Happening.PREVENT, Reason.SELF_TRADE)
        expired = (not maker.open_lots, not wanted)
        happened.append(
            Prevention(maker, taker, level.price_ticks, overlap, maker_lots, taker_lots, *expired)
        )
        return wanted

    # Resting.

    def _open(self, key: int, price_ticks: int) -> Level:
        """A level where there was none."""
        level = self._levels[key] = Level(key, price_ticks)
        (self._bids if key > 0 else self._asks).add(key)
        return level

    def _unlink(self, order: Order, level: Level) -> None:
        """Take an order, no longer in `orders`, out of its queue; its level's lots stay."""
        before, after = order.prev, order.next
        if before is None:
            level.first = after
        else:
            before.next = after
            order.prev = None
        if after is None:
            level.last = before
        else:
            after.prev = before
            order.next = None
        if order.hidden_lots:
            level.hidden_lots -= order.hidden_lots
            order.hidden_lots = 0
        order.level = None
        if order.tif is _GTD:
            self._expiries.remove((order.expire_ms, order.order_id))
            following = self._expiries[0] if self._expiries else (0, 0)
            self.next_expiry_ms, self.next_expiry_id = following

    def _touch(self, level: Level) -> None:
        """Remember that a level may differ from what was last told of it."""
        level.touched = True
        self._touched.add(level.key)

    def _show_next(self, order: Order, level: Level) -> None:
        """An iceberg's slice is consumed: the next one comes to rest as a new order would (S6)."""
        self._ranks += 1
        level.show_next(order, self._ranks)

    def _close(self, level: Level) -> None:
        """Remove a level where nothing rests any more."""
        key = level.key
        (self._bids if key > 0 else self._asks).remove(key)
        del self._levels[key]

    # Keeping.

    def state(self) -> BookState:
        """All there is to know; a book restored from it answers as this one does."""
        orders: list[list[object]] = []
        for ladder in (self._bids, self._asks):
            for key in reversed(ladder.keys):
                orders += [order.state() for order in self._levels[key].orders()]
        return {"orders": orders, "touched": sorted(self._touched), "collecting": self.collecting}

    @classmethod
    def restore(cls, state: BookState) -> Book:
        """The book of which `state` was told."""
        book = cls()
        book.collecting = True  # Nothing matches.
        for fields in state["orders"]:
            book.place(Order.restore(fields))
        book._touched = set(state["touched"])
        for level in book._levels.values():
            level.touched = level.key in book._touched
        book.collecting = state["collecting"]
        return book

    def check(self) -> None:
        """Assert I6, and I7 for every order that rests."""
        dated = list(self._expiries)
        check_orders(self.orders, dated, (self.next_expiry_ms, self.next_expiry_id))
        check_levels(self.orders, self._levels, self._bids, self._asks, self.collecting)


def _end(order: Order, happening: Happening, reason: Reason) -> None:
    """Close an order that is off the book, and say why."""
    order.open_lots = 0
    order.status = NEXT[happening][order.status]
    order.reason = reason
