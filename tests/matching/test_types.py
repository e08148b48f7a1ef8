"""Tests of the words of a market, and of the life of an order."""

import pytest

from matching.types import (
    NEXT,
    OPEN_STATUSES,
    Entry,
    Happening,
    Order,
    OrderType,
    SelfTrade,
    Side,
    Status,
    TradingState,
)
from tests.matching.stories import BUY, FOK, GTD, SELL, limit, market


def test_each_side_trades_with_the_other() -> None:
    assert Side.BUY.opposite is Side.SELL
    assert Side.SELL.opposite is Side.BUY


def test_the_numbers_of_the_words_do_not_change() -> None:
    # Journals and snapshots keep them.
    assert [int(side) for side in (BUY, SELL)] == [0, 1]
    assert [int(tif) for tif in (FOK, GTD)] == [2, 3]
    assert [mode.name for mode in SelfTrade] == [
        "NONE",
        "EXPIRE_TAKER",
        "EXPIRE_MAKER",
        "EXPIRE_BOTH",
        "DECREMENT",
    ]
    assert [status.name for status in Status] == [
        "NEW",
        "PARTIALLY_FILLED",
        "FILLED",
        "CANCELLED",
        "EXPIRED",
        "EXPIRED_IN_MATCH",
        "REJECTED",
        "PENDING_TRIGGER",
    ]
    assert [kind.name for kind in OrderType] == [
        "LIMIT",
        "MARKET",
        "STOP",
        "STOP_LIMIT",
        "TAKE_PROFIT",
        "TAKE_PROFIT_LIMIT",
        "TRAILING_STOP",
    ]
    assert [state.name for state in TradingState] == [
        "TRADING",
        "HALT",
        "CANCEL_ONLY",
        "LIMIT_ONLY",
        "POST_ONLY",
        "PRE_OPEN",
        "AUCTION",
    ]


def test_nothing_befalls_an_order_that_is_done() -> None:
    for happening in Happening:
        assert NEXT[happening].keys() <= OPEN_STATUSES
    done = set(Status) - OPEN_STATUSES
    assert {after for table in NEXT.values() for after in table.values()} >= done


def test_only_an_untouched_order_is_rejected() -> None:
    assert NEXT[Happening.REJECT] == {Status.NEW: Status.REJECTED}


def test_i12_an_order_triggers_once_and_never_falls_asleep_again() -> None:
    assert NEXT[Happening.TRIGGER] == {Status.PENDING_TRIGGER: Status.NEW}
    assert all(Status.PENDING_TRIGGER not in table.values() for table in NEXT.values())
    assert Status.PENDING_TRIGGER not in NEXT[Happening.PART_FILL]
    assert Status.PENDING_TRIGGER not in NEXT[Happening.LAST_FILL]


@pytest.mark.parametrize(
    ("side", "kind", "rises"),
    [
        (BUY, OrderType.STOP, True),
        (SELL, OrderType.STOP_LIMIT, False),
        (BUY, OrderType.TAKE_PROFIT_LIMIT, False),
        (SELL, OrderType.TAKE_PROFIT, True),
    ],
)
def test_s4_which_way_a_price_must_go_to_wake_an_order(
    side: Side, kind: OrderType, rises: bool
) -> None:
    assert Order(1, 100, "BTC-USDT", side, kind, 0, 5, trigger_ticks=10).rises is rises


def test_a_step_that_is_not_in_the_table_is_a_bug() -> None:
    with pytest.raises(KeyError):
        NEXT[Happening.CANCEL][Status.FILLED]


def test_an_order_adds_up() -> None:
    order = limit(1, BUY, 100, 10)
    order.filled_lots, order.prevented_lots, order.open_lots = 3, 2, 1
    assert order.closed_lots == 4  # 10 = 3 filled + 2 prevented + 1 open + 4 closed
    assert market(2, BUY, 0, quote_units=500).closed_lots == 0


def test_a_new_order_is_open_and_off_the_book() -> None:
    order = limit(1, BUY, 100, 10)
    assert order.is_open
    assert order.next is None
    assert order.level is None
    assert order.stp is SelfTrade.EXPIRE_MAKER  # S8's default.


def test_an_entry_begins_as_the_order_with_nothing_else_said() -> None:
    entry = Entry.__new__(Entry)
    entry.begin(7, 100, SELL, 99, 10, GTD, SelfTrade.NONE)
    order = limit(7, SELL, 99, 10, account=100, tif=GTD, stp=SelfTrade.NONE)
    for name in Entry.__slots__:
        assert getattr(entry, name) == getattr(order, name), name
    assert repr(entry) == repr(order)


def test_an_order_is_the_same_after_it_was_kept() -> None:
    order = limit(7, SELL, 100, 10, tif=GTD, expire_ms=99, client_id="mine", wallet="margin")
    order.filled_lots, order.open_lots, order.status = 4, 6, Status.PARTIALLY_FILLED
    kept = order.state()
    assert all(type(field) in (int, str, bool) for field in kept), kept
    again = Order.restore(kept)
    assert again.state() == kept
    assert again.side is SELL
    assert again.tif is GTD
    assert again.status is Status.PARTIALLY_FILLED
    assert again.client_id == "mine"


def test_an_order_shows_itself() -> None:
    shown = repr(limit(7, SELL, 100, 10, account=3))
    assert shown == "<Order 7 NEW SELL 10 of 10 at 100 for account 3>"
