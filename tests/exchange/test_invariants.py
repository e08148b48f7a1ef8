"""Tests of the invariants of books and orders: each fails on a planted fault, and says which."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from exchange.invariants import check_book, check_order, check_orders, check_triggers
from matching.invariants import InvariantBroken
from matching.types import Order, OrderType, Side, Status, TriggerSource
from tests.story import Story, answer

BTC = "BTC-USDT"


@pytest.fixture
def story() -> Story:
    """A bid partly filled, and an ask behind it."""
    story = Story()
    one, two = story.account(spot_USDT="100000"), story.account(spot_BTC="2")
    story.buy(one, BTC, "0.2", "50000")
    story.sell(two, BTC, "0.1", "50000")
    story.sell(two, BTC, "0.5", "50010")
    return story


def bid(story: Story) -> Order:
    (order,) = story.engine.books[BTC].queue(Side.BUY, story.engine.books[BTC].best_bid_ticks)
    return order


def look(story: Story) -> None:
    engine = story.engine
    check_book(engine.books[BTC], engine.instruments[BTC], engine.risk.accounts)
    for account in engine.risk.accounts.values():
        check_orders(account, engine.books)


def _a_level_that_does_not_sum_up(story: Story) -> None:
    level = bid(story).level
    assert level is not None
    level.lots += 1


def _an_order_at_no_price(story: Story) -> None:
    order = bid(story)
    assert order.level is not None
    order.price_ticks = order.level.price_ticks = 0


def _an_order_of_another_book(story: Story) -> None:
    bid(story).symbol = "ETH-USDT"


def _an_order_that_its_owner_forgot(story: Story) -> None:
    story.person(100).orders.clear()


def _an_order_that_grew(story: Story) -> None:
    bid(story).filled_lots += 1


def _an_order_that_hides_its_fills(story: Story) -> None:
    bid(story).status = Status.NEW


def _an_order_that_left_the_book(story: Story) -> None:
    account = story.person(100)
    order = Order(999, 100, BTC, Side.BUY, bid(story).type, 1, 1)
    account.orders[999] = order


def _a_count_that_is_off(story: Story) -> None:
    story.person(100).open_counts[BTC] += 1


@pytest.mark.parametrize(
    ("plant", "invariant"),
    [
        (_a_level_that_does_not_sum_up, "I6"),
        (_an_order_at_no_price, "I6"),
        (_an_order_of_another_book, "I6"),
        (_an_order_that_its_owner_forgot, "I6"),
        (_an_order_that_grew, "I[67]"),
        (_an_order_that_hides_its_fills, "I7"),
        (_an_order_that_left_the_book, "I7"),
        (_a_count_that_is_off, "I7"),
    ],
)
def test_i6_i7_what_is_planted_in_a_book_is_found(
    story: Story, plant: Callable[[Story], None], invariant: str
) -> None:
    look(story)
    plant(story)
    with pytest.raises(InvariantBroken) as found:
        look(story)
    assert found.value.invariant in invariant.replace("[67]", "6"), found.value
    with pytest.raises(InvariantBroken):
        story.engine.check()


def _one_that_its_owner_forgot(story: Story) -> None:
    del story.person(101).asleep[BTC]


def _one_that_sleeps_nowhere(story: Story) -> None:
    triggers = story.engine.trading.triggers[BTC]
    (order,) = triggers.orders.values()
    triggers.remove(order)
    triggers.orders[order.order_id] = order


def _one_that_woke_without_a_turn(story: Story) -> None:
    story.engine.trading.triggers[BTC].fired(TriggerSource.LAST, 1)


@pytest.mark.parametrize(
    "plant", [_one_that_its_owner_forgot, _one_that_sleeps_nowhere, _one_that_woke_without_a_turn]
)
def test_i12_what_is_planted_among_the_sleepers_is_found(
    story: Story, plant: Callable[[Story], None]
) -> None:
    story.sell(101, BTC, "0.1", type=OrderType.STOP, trigger_ticks=4_900_000)
    check_triggers(story.engine.trading, BTC)
    plant(story)
    with pytest.raises(InvariantBroken) as found:
        check_triggers(story.engine.trading, BTC)
    assert found.value.invariant == "I12"
    with pytest.raises(InvariantBroken):
        story.engine.check()


def test_i8_an_order_that_reduces_more_than_is_left_to_it_is_found(story: Story) -> None:
    """Long 10, an ordinary sale of 4 first: the reduce-only one behind it may sell 6."""
    perp = "BTC-USDT-PERP"
    long, short = story.account(perp_USDT="9000"), story.account(perp_USDT="9000")
    story.sell(short, perp, "0.010", "50000")
    story.buy(long, perp, "0.010", "50000")
    story.sell(long, perp, "0.004", "50050")
    order_id = answer(story.sell(long, perp, "0.010", "50100", reduce_only=True)).result_id
    check_orders(story.person(long), story.engine.books)
    story.person(long).orders[order_id].open_lots += 1
    with pytest.raises(InvariantBroken, match="I8"):
        check_orders(story.person(long), story.engine.books)


def test_i6_crossed_prices_are_found(story: Story) -> None:
    """An ask that rests below the best bid, well in order otherwise."""
    book = story.engine.books[BTC]
    stranger = Order(999, 101, BTC, Side.SELL, bid(story).type, book.best_bid_ticks, 1)
    book.collecting = True  # It rests where it would have matched,
    book.place(stranger)
    book.collecting = False  # and nobody uncrossed the book.
    with pytest.raises(InvariantBroken, match=r"I6 .* BTC-USDT: crossed"):
        look(story)


@pytest.mark.parametrize(("ticks", "lots"), [(0, 1), (10**9 + 1, 1), (1, 0), (1, 4 * 10**9 + 1)])
def test_i6_an_order_beyond_tick_or_lot_is_found(story: Story, ticks: int, lots: int) -> None:
    order = Order(1, 100, BTC, Side.BUY, bid(story).type, ticks, lots)
    with pytest.raises(InvariantBroken, match="I6"):
        check_order(order, story.engine.instruments[BTC])


def test_i7_an_order_is_the_sum_of_its_parts(story: Story) -> None:
    order = Order(1, 100, BTC, Side.BUY, bid(story).type, 100, 10)
    check_order(order, story.engine.instruments[BTC])
    order.prevented_lots = 1
    with pytest.raises(InvariantBroken, match=r"I7 .* is not the sum of its parts"):
        check_order(order, story.engine.instruments[BTC])
