"""A book plain enough to be right at a glance: the reference that a flow's digest comes from.

It shares nothing with the book it judges: a side is its prices in order, each a queue of
quantities by order id, first come first.
"""

from __future__ import annotations

from typing import Final

from sortedcontainers import SortedDict

BUY: Final = 0
SELL: Final = 1
_MASK_64: Final = (1 << 64) - 1


class PlainBook:
    """Matches by price, then time, and folds each fill into the digest of the standard flow."""

    def __init__(self) -> None:
        self.sides: tuple[SortedDict[int, dict[int, int]], ...] = (SortedDict(), SortedDict())
        self.placed: dict[int, tuple[int, int]] = {}  # Of what rests: side and price.
        self.trades = self.qty = self.notional_mod64 = self.trade_hash = 0

    def best(self, side: int) -> int | None:
        """The best price of a side."""
        prices = self.sides[side]
        if not prices:
            return None
        return int(prices.peekitem(-1 if side == BUY else 0)[0])

    def take(self, order_id: int, side: int, price: int | None, qty: int) -> tuple[int, list[int]]:
        """Match an order, at any price where it names none: what is left, and the makers filled.

        What is left does not rest by itself.
        """
        filled: list[int] = []
        other = 1 - side
        while qty:
            best = self.best(other)
            if best is None or (price is not None and self._beyond(side, best, price)):
                break
            queue = self.sides[other][best]
            maker_id, there = next(iter(queue.items()))
            lots = min(there, qty)
            qty -= lots
            self._fold(maker_id, order_id, best, lots)
            if lots == there:
                filled.append(maker_id)
                self.remove(maker_id)
            else:
                queue[maker_id] = there - lots
        return qty, filled

    def rest(self, order_id: int, side: int, price: int, qty: int) -> None:
        """Put an order at the end of its price's queue."""
        self.sides[side].setdefault(price, {})[order_id] = qty
        self.placed[order_id] = (side, price)

    def remove(self, order_id: int) -> bool:
        """Take an order off the book; whether it was there."""
        found = self.placed.pop(order_id, None)
        if found is None:
            return False
        side, price = found
        queue = self.sides[side][price]
        del queue[order_id]
        if not queue:
            del self.sides[side][price]
        return True

    @property
    def levels(self) -> int:
        """How many prices have orders, on both sides."""
        return len(self.sides[BUY]) + len(self.sides[SELL])

    def digest(self) -> dict[str, int]:
        """What was traded, in which order, and what is left."""
        lots = (lots for side in self.sides for queue in side.values() for lots in queue.values())
        return {
            "trades": self.trades,
            "qty": self.qty,
            "notional_mod64": self.notional_mod64,
            "resting": len(self.placed),
            "resting_qty": sum(lots),
            "bid_levels": len(self.sides[BUY]),
            "ask_levels": len(self.sides[SELL]),
            "trade_hash": self.trade_hash,
        }

    @staticmethod
    def _beyond(side: int, best: int, price: int) -> bool:
        return best > price if side == BUY else best < price

    def _fold(self, maker_id: int, taker_id: int, price: int, lots: int) -> None:
        self.trades += 1
        self.qty += lots
        self.notional_mod64 = (self.notional_mod64 + price * lots) & _MASK_64
        of_fill = maker_id * 31 + taker_id * 17 + price * 7 + lots
        self.trade_hash = (self.trade_hash * 1000003 + of_fill) & _MASK_64
