# cython: overflowcheck=True
"""What a taker would meet on the other side, seen before it is placed and without touching it."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator

from matching.types import Level, Order, SelfTrade, Side


def reach_of(taker: Order, key: int, worst_ticks: int) -> int:
    """The key of the worst price a taker accepts: its own, or the execution range's bound."""
    if not worst_ticks:
        return key
    return min(key, worst_ticks if taker.side is Side.BUY else -worst_ticks)


def prospect(
    levels: Iterable[Level], taker: Order, reach: int, fills_max: int
) -> Iterator[tuple[int, int]]:
    """(ticks, lots) of each fill that placing the order would make, in order.

    `levels` are those of the other side, best first; `reach` is the key of the worst price the
    taker accepts.  It must foretell exactly what the book does: fills, preventions (S8), whole
    lots by amount (S3), and no more than `fills_max` of them.
    """
    wanted, units, room = taker.open_lots, taker.quote_units, fills_max
    for level in levels:
        if level.key + reach < 0:
            return
        if taker.quote_units:
            wanted = units // level.price_ticks
        for maker, shown in _slices(level, taker):
            if not wanted or not room:
                return
            room -= 1
            lots = min(shown, wanted)
            if not taker.stp or maker.account_id != taker.account_id:
                yield level.price_ticks, lots
            elif taker.stp is SelfTrade.EXPIRE_MAKER:
                continue  # It will be gone by then: neither filled nor paid for.
            elif taker.stp is not SelfTrade.DECREMENT or lots == wanted:
                return  # The taker ends here.
            wanted -= lots
            units -= lots * level.price_ticks
            if lots < shown:
                return  # What is left of this level ends the order, by amount too.


def _slices(level: Level, taker: Order) -> Iterator[tuple[Order, int]]:
    """(maker, lots on view) in the order they are met: an iceberg's next slice comes last (S6).

    An iceberg of the taker's own that expires does so whole.
    """
    expiring = taker.account_id if taker.stp is SelfTrade.EXPIRE_MAKER else None
    behind: deque[tuple[Order, int]] = deque()
    for maker in level.orders():
        yield maker, maker.open_lots - maker.hidden_lots
        if maker.hidden_lots and maker.account_id != expiring:
            behind.append((maker, maker.hidden_lots))
    while behind:
        maker, hidden = behind.popleft()
        shown = min(maker.iceberg_lots, hidden)
        yield maker, shown
        if hidden > shown:
            behind.append((maker, hidden - shown))
