"""Whether a book is sound: its levels are sorted and sum up, its queues are in order (I6, I7)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

from matching.ladder import NOTHING, Ladder
from matching.types import Level, Order, Side, TimeInForce


def check_orders(
    orders: Mapping[int, Order], expiries: Sequence[tuple[int, int]], next_expiry: tuple[int, int]
) -> None:
    """Assert that the dates, (ms, order id) in order, and the next of them are those of the orders.

    (0, 0) is no next.
    """
    dated = sorted((o.expire_ms, i) for i, o in orders.items() if o.tif is TimeInForce.GTD)
    assert dated == list(expiries)
    assert next_expiry == (dated[0] if dated else (0, 0))


def check_levels(
    orders: Mapping[int, Order],
    levels: Mapping[int, Level],
    bids: Ladder,
    asks: Ladder,
    collecting: bool,
) -> None:
    """Assert I6, and I7 for every order that rests; `bids` and `asks` are its two sides."""
    assert collecting or bids.best + asks.best < 0, "crossed"
    found = 0
    for side, ladder in ((Side.BUY, bids), (Side.SELL, asks)):
        keys = ladder.keys
        assert ladder.best == (keys[-1] if keys else NOTHING), (ladder.best, keys)
        assert all(low < high for low, high in pairwise(keys)), keys
        for key in keys:
            level = levels[key]
            assert (key > 0) is (side is Side.BUY)
            assert level.key == key
            assert level.price_ticks == abs(key)
            found += _check_queue(orders, level, side)
    assert found == len(orders), (found, len(orders))
    assert len(levels) == len(bids.keys) + len(asks.keys)


def _check_queue(orders: Mapping[int, Order], level: Level, side: Side) -> int:
    """Assert that a level's orders belong there and add up; return how many there are."""
    total = hidden = count = rank = 0
    before = None
    for order in level.orders():
        assert order.prev is before, order
        assert order.level is level, order
        assert order.side is side, order
        assert order.price_ticks == level.price_ticks, order
        assert orders.get(order.order_id) is order, order
        assert order.rank > rank, order
        _check_order(order)
        total += order.open_lots
        hidden += order.hidden_lots
        count += 1
        before, rank = order, order.rank
    assert level.last is before
    assert total == level.lots > 0, (total, level.lots)
    assert hidden == level.hidden_lots, (hidden, level.hidden_lots)
    return count


def _check_order(order: Order) -> None:
    """Assert that a resting order is open, whole, and shows what its kind shows."""
    assert order.is_open, order
    assert order.closed_lots == 0, order
    assert 0 <= order.hidden_lots < order.open_lots, order
    if order.iceberg_lots:
        assert order.open_lots - order.hidden_lots <= order.iceberg_lots, order
    else:
        assert not order.hidden_lots, order
