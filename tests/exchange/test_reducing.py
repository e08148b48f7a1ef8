"""Tests of reduce-only orders, which never exceed what they reduce (P15, I8, T18)."""

from __future__ import annotations

import pytest

from exchange.commands import AmendOrder, Tick
from exchange.events import OrderChanged
from exchange.reducing import closes, reducible
from matching.reasons import Reason
from matching.types import Order, OrderType, Side
from risk.ledger import LIQUIDATION
from risk.liquidation import take_over
from tests.story import Story, again, answer, of, refusal, units

PERP = "BTC-USDT-PERP"


@pytest.fixture(name="story")
def _story() -> Story:
    return Story()


def positions(story: Story, qty: str) -> tuple[int, int]:
    """Somebody long from 50,000, and somebody short."""
    long, short = story.account(perp_USDT="90000"), story.account(perp_USDT="90000")
    story.sell(short, PERP, qty, "50000")
    story.buy(long, PERP, qty, "50000")
    return long, short


def working(story: Story, account: int) -> dict[int, int]:
    """Open lots of an account's orders by price."""
    return {each.price_ticks: each.open_lots for each in story.person(account).orders.values()}


def test_p15_an_ordinary_order_that_would_execute_first_takes_precedence(story: Story) -> None:
    """Long 10, an ordinary sale of 4 before a reduce-only one of 10: 6 are left for the latter."""
    long, _ = positions(story, "0.010")
    story.sell(long, PERP, "0.004", "50050")
    events = story.sell(long, PERP, "0.010", "50100", reduce_only=True)
    assert working(story, long) == {500_500: 4, 501_000: 6}
    assert [each.happening for each in of(events, OrderChanged)] == ["accepted", "amended"]
    assert of(events, OrderChanged)[-1].before is None  # Its owner changed nothing.


def test_t18_one_sweep_through_both_leaves_the_position_flat_and_never_flips_it(
    story: Story,
) -> None:
    long, short = positions(story, "0.010")
    story.sell(long, PERP, "0.010", "50100", reduce_only=True)
    story.sell(long, PERP, "0.007", "50050")  # It comes to stand before the other, which shrinks.
    assert working(story, long) == {500_500: 7, 501_000: 3}
    story.buy(short, PERP, "0.017", "50100")
    assert story.person(long).lots(PERP) == 0
    assert story.person(short).lots(PERP) == 0


def test_p15_an_order_by_amount_cannot_be_cut_and_so_may_not_only_reduce(story: Story) -> None:
    """20,000 USDT would sell 0.4 of a long of 0.1, and turn it into a short."""
    long, short = positions(story, "0.1")
    story.buy(short, PERP, "1", "50000")
    events = story.sell(long, PERP, reduce_only=True, quote_minor=units("20000"))
    assert refusal(events) is Reason.COMBINATION_NOT_ALLOWED
    assert story.person(long).lots(PERP) == 100


def test_p15_an_ordinary_order_behind_takes_nothing(story: Story) -> None:
    long, _ = positions(story, "0.010")
    story.sell(long, PERP, "0.010", "50100", reduce_only=True)
    story.sell(long, PERP, "0.007", "50150")
    assert working(story, long) == {501_000: 10, 501_500: 7}


def test_p15_among_equal_prices_the_older_one_is_kept(story: Story) -> None:
    long, _ = positions(story, "0.010")
    first = answer(story.sell(long, PERP, "0.006", "50100", reduce_only=True)).result_id
    second = answer(story.sell(long, PERP, "0.006", "50100", reduce_only=True)).result_id
    orders = story.person(long).orders
    assert (orders[first].open_lots, orders[second].open_lots) == (6, 4)


def test_t18_five_orders_of_the_whole_size_come_to_one(story: Story) -> None:
    long, _ = positions(story, "0.010")
    for price in ("50100", "50400", "50300", "50050", "50200"):
        story.sell(long, PERP, "0.010", price, reduce_only=True)
    assert working(story, long) == {500_500: 10}


def test_p15_an_order_amended_to_come_first_cuts_the_one_before(story: Story) -> None:
    long, _ = positions(story, "0.010")
    story.sell(long, PERP, "0.010", "50100", reduce_only=True)
    far = answer(story.sell(long, PERP, "0.006", "50200")).result_id
    story.ok(AmendOrder, account_id=long, order_id=far, price_ticks=500_500)
    assert working(story, long) == {500_500: 6, 501_000: 4}


def test_p15_a_short_is_reduced_by_the_highest_bid_first(story: Story) -> None:
    _, short = positions(story, "0.010")
    story.buy(short, PERP, "0.008", "49900", reduce_only=True)
    story.buy(short, PERP, "0.008", "49950", reduce_only=True)
    assert working(story, short) == {499_000: 2, 499_500: 8}


def test_t18_a_takeover_without_a_trade_cuts_them_too(story: Story) -> None:
    """Whatever moves a position marks it: here the house takes it over, as in P13."""
    long, _ = positions(story, "0.010")
    story.sell(long, PERP, "0.010", "50100", reduce_only=True)
    risk = story.engine.risk
    take_over(risk, story.person(long), risk.accounts[LIQUIDATION], PERP, 10, 500_000)
    story.do(Tick)
    assert working(story, long) == {}


def test_the_order_of_cuts_is_the_same_after_a_restart(story: Story) -> None:
    long, _ = positions(story, "0.010")
    story.sell(long, PERP, "0.003", "50100", reduce_only=True)
    story.sell(long, PERP, "0.003", "50050")
    story.sell(long, PERP, "0.004", "50100", reduce_only=True)
    restored = again(story.engine)
    ids = [
        [(order.order_id, room) for order, room in reducible(person, PERP)]
        for person in (story.person(long), restored.risk.accounts[long])
    ]
    assert ids[0] == ids[1]
    assert [room for _, room in ids[0]] == [7, 4]  # 10 less 3 before it; less 3 more.


def test_a_cut_names_its_reason(story: Story) -> None:
    long, short = positions(story, "0.010")
    story.sell(long, PERP, "0.010", "50100", reduce_only=True)
    story.buy(short, PERP, "0.010", "49900")
    events = story.sell(long, PERP, "0.010", "49900")
    (cut,) = [each for each in of(events, OrderChanged) if each.happening == "cancelled"]
    assert cut.reason is Reason.REDUCE_ONLY_TRIMMED


def test_which_side_closes_a_position() -> None:
    sale = Order(1, 100, PERP, Side.SELL, OrderType.LIMIT, 5, 5)
    assert closes(sale, 3)
    assert not closes(sale, -3)
    assert not closes(sale, 0)


def test_v74_orders_nearer_execution_win_and_the_others_are_cut_or_cancelled(
    story: Story,
) -> None:
    """Long 10: A sells 6 at 50,100; B sells 11 at 50,000: B is cut to 10 and A is cancelled."""
    long, _ = positions(story, "0.010")
    story.sell(long, PERP, "0.006", "50100", reduce_only=True)
    events = story.sell(long, PERP, "0.011", "50000", reduce_only=True)
    assert working(story, long) == {500_000: 10}
    cancelled = [each for each in of(events, OrderChanged) if each.happening == "cancelled"]
    assert [each.reason for each in cancelled] == [Reason.REDUCE_ONLY_TRIMMED]


def test_p15_t18_reduce_only_orders_shrink_with_the_position(story: Story) -> None:
    """Long 10, sales of 6 at 50,000 and 4 at 50,100; an ordinary sale takes 7: 3 of the first
    stay, and none of the second; and when it is flat none at all."""
    long, short = positions(story, "0.010")
    story.sell(long, PERP, "0.006", "50000", reduce_only=True)
    story.sell(long, PERP, "0.004", "50100", reduce_only=True)
    story.buy(short, PERP, "0.007", "49900")
    story.sell(long, PERP, "0.007", "49900")
    assert working(story, long) == {500_000: 3}
    story.buy(short, PERP, "0.003", "49900")
    story.sell(long, PERP, "0.003", "49900")
    assert working(story, long) == {}
    assert not story.person(long).reducing


def test_p15_a_maker_is_trimmed_too(story: Story) -> None:
    """The position shrinks by a fill of an order that rests: 10 less 7 leaves 3 to reduce."""
    long, short = positions(story, "0.010")
    story.sell(long, PERP, "0.010", "50100", reduce_only=True)
    story.buy(short, PERP, "0.007", "50100")
    assert working(story, long) == {501_000: 3}
    story.sell(short, PERP, "0.002", "49900")
    story.buy(long, PERP, "0.002", "49900")
    assert working(story, long) == {501_000: 3}  # What was cut does not grow again.


def test_p15_a_flip_cancels_what_would_now_increase(story: Story) -> None:
    long, short = positions(story, "0.010")
    story.sell(long, PERP, "0.010", "50100", reduce_only=True)
    story.buy(short, PERP, "0.015", "49900")
    story.sell(long, PERP, "0.015", "49900")
    assert story.person(long).lots(PERP) == -5
    assert working(story, long) == {}
