"""Tests of the books at work: what trades, preventions and looks at prices do to orders."""

from __future__ import annotations

import pytest

from exchange.engine import Engine
from exchange.events import DepthChanged, Filled, OrderChanged, Traded
from matching.limits import FILLS_PER_COMMAND_MAX
from matching.reasons import Reason
from matching.types import OrderType, SelfTrade, Status, TriggerSource
from tests.story import Story, again, answer, of, refusal, units

SPOT = "BTC-USDT"
PERP = "BTC-USDT-PERP"


@pytest.fixture
def story() -> Story:
    return Story()


def free(story: Story, account: int, asset: str = "USDT", wallet: str = "spot") -> int:
    return story.person(account).free(wallet, asset)


def held(story: Story, account: int, asset: str = "USDT", wallet: str = "spot") -> int:
    return story.person(account).pockets[wallet, asset].locked


# -- self-trade --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("stp", "left_of_buy", "left_of_sale"),
    [
        (SelfTrade.EXPIRE_TAKER, 1_000, None),
        (SelfTrade.EXPIRE_MAKER, None, 3_000),
        (SelfTrade.EXPIRE_BOTH, None, None),
        (SelfTrade.DECREMENT, None, 2_000),
    ],
)
def test_s8_v01_v02_what_prevention_takes_is_freed(
    story: Story, stp: SelfTrade, left_of_buy: int | None, left_of_sale: int | None
) -> None:
    """A buy of 0.01 rests at 50,000 and the same account sells 0.03 there."""
    one = story.account(spot_USDT="1000", spot_BTC="1")
    buy = answer(story.buy(one, SPOT, "0.01", "50000")).result_id
    events = story.sell(one, SPOT, "0.03", "50000", stp=stp)
    assert not of(events, Traded)
    open_lots = {number: order.open_lots for number, order in story.person(one).orders.items()}
    sale = answer(events).result_id
    expected = {buy: left_of_buy, sale: left_of_sale}
    assert open_lots == {number: lots for number, lots in expected.items() if lots}
    assert held(story, one) == units("500") * bool(left_of_buy)
    assert held(story, one, "BTC") == (left_of_sale or 0) * 1_000


def test_s8_with_prevention_off_an_account_trades_with_itself_and_pays_twice(
    story: Story,
) -> None:
    """0.01 at 50,000: 0.00001 BTC and 0.5 USDT of fees, and nothing else moves."""
    one = story.account(spot_USDT="1000", spot_BTC="1")
    story.buy(one, SPOT, "0.01", "50000")
    events = story.sell(one, SPOT, "0.01", "50000", stp=SelfTrade.NONE)
    assert {fill.account_id for fill in of(events, Filled)} == {one}
    assert free(story, one) == units("999.5")
    assert free(story, one, "BTC") == units("0.99999")


def test_p4_a_prevented_perpetual_order_leaves_the_margin_of_orders(story: Story) -> None:
    one = story.account(perp_USDT="9000")
    story.buy(one, PERP, "0.1", "50000")
    story.sell(one, PERP, "0.04", "50000", stp=SelfTrade.DECREMENT)
    sums = story.person(one).open_perp[PERP]
    assert (sums.buy_lots, sums.sell_lots) == (60, 0)
    # The taker fee of 0.06 at 50,000: 0.05 % of 3,000.
    assert sums.held_minor == units("1.5")
    story.sell(one, PERP, "0.1", "50000", stp=SelfTrade.EXPIRE_BOTH)
    assert not story.person(one).open_perp


# -- looking at prices (P16) -------------------------------------------------------------------


def test_p16_either_price_that_comes_close_enough_calms(story: Story) -> None:
    """At 50,000 the protection is 2,500: a mark of 52,500 is calm with a last trade of 50,000
    (2,500 of 52,500 is 4.8 %), and one of 52,632 is not (5.0007 %)."""
    one, two = story.account(perp_USDT="90000"), story.account(perp_USDT="90000")
    story.sell(two, PERP, "0.010", "50000")
    story.buy(one, PERP, "0.010", "50000")
    for trigger_ticks in (525_000, 526_320):
        events = story.sell(
            one,
            PERP,
            "0.001",
            type=OrderType.TAKE_PROFIT,
            trigger=TriggerSource.MARK,
            trigger_ticks=trigger_ticks,
            price_protect=True,
        )
        assert refusal(events) is None
    woken = [of(story.index("BTC", price), OrderChanged) for price in ("52500", "52632")]
    assert [[each.happening for each in told] for told in woken] == [["triggered", "expired"], []]


def test_nothing_is_looked_at_where_nobody_sleeps(story: Story) -> None:
    story.engine.trading.look(SPOT, TriggerSource.LAST)
    assert not story.engine.trading.fired


# -- depth and bounds --------------------------------------------------------------------------


def test_a_command_tells_each_level_it_touched_once_with_its_new_total(story: Story) -> None:
    one, two = story.account(spot_USDT="9000"), story.account(spot_BTC="1")
    story.sell(two, SPOT, "0.01", "50000")
    first = of(story.sell(two, SPOT, "0.02", "50010"), DepthChanged)
    assert [(each.asks, each.bids) for each in first] == [([(5_001_000, 2_000)], [])]
    (taken,) = of(story.buy(one, SPOT, "0.015", "50010"), DepthChanged)
    assert (taken.asks, taken.bids) == ([(5_000_000, 0), (5_001_000, 1_500)], [])
    assert taken.first_id == first[0].last_id + 1


def test_one_command_fills_no_more_than_it_may_and_lets_the_rest_go(story: Story) -> None:
    """200 orders are an account's limit, so it takes six of them to have 1,001."""
    one = story.account(spot_USDT="90000")
    makers = [story.account(spot_BTC="1") for _ in range(6)]
    for number in range(FILLS_PER_COMMAND_MAX + 1):
        story.sell(makers[number // 200], SPOT, "0.0002", "50000")
    events = story.buy(one, SPOT, "0.3", "50000")
    assert len(of(events, Traded)) == FILLS_PER_COMMAND_MAX
    order = of(events, OrderChanged)[-1]
    assert (order.status, order.reason) == (Status.EXPIRED, Reason.FILLS_LIMIT)
    assert held(story, one) == 0


# -- what filters measure by -------------------------------------------------------------------


def unpriced() -> Story:
    """The venue before anybody has told it a price."""
    story = Story()
    story.engine = Engine(story.venue)
    return story


def test_s9_without_an_index_filters_measure_by_the_average_of_five_minutes() -> None:
    story = unpriced()
    one, two = story.account(spot_BTC="9"), story.account(spot_USDT="900000")
    reference_e8 = story.engine.trading.reference_e8
    assert reference_e8(SPOT) == 0
    for qty, price in (("3", "40000"), ("1", "44000")):
        story.sell(one, SPOT, qty, price)
        story.buy(two, SPOT, qty, price)
    assert reference_e8(SPOT) == units("41000")  # (3 x 40000 + 44000) / 4
    # A bid may stand at 1.2 x 41000 = 49200; by the last trade it could at 52800.
    assert refusal(story.buy(two, SPOT, "0.1", "49200")) is None
    assert refusal(story.buy(two, SPOT, "0.1", "49200.01")) is Reason.PERCENT_PRICE
    restored = again(story.engine)
    assert restored.digest() == story.engine.digest()
    assert restored.trading.reference_e8(SPOT) == units("41000")
    story.wait(310_000)
    assert reference_e8(SPOT) == units("44000")  # Nobody traded since: the last price.


def test_s9_once_there_is_an_index_it_is_what_filters_measure_by() -> None:
    story = unpriced()
    one, two = story.account(spot_BTC="9"), story.account(spot_USDT="900000")
    story.sell(one, SPOT, "0.2", "40000")
    story.buy(two, SPOT, "0.1", "40000")
    story.index("BTC", "42000")
    assert story.engine.trading.reference_e8(SPOT) == units("42000")
    assert SPOT in story.engine.trading.averages
    story.buy(two, SPOT, "0.1", "40000")
    assert SPOT not in story.engine.trading.averages  # Nothing is kept that nobody asks for.
    assert again(story.engine).digest() == story.engine.digest()
