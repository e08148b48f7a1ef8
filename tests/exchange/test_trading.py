"""Tests of the road of an order: filters, hold, book, settlement, and what it frees at its end."""

from __future__ import annotations

from typing import Any

import pytest

from exchange.commands import AmendOrder, CancelOrder, SetMarginMode, SetSymbolState
from exchange.events import DepthChanged, Filled, OrderChanged, Traded
from matching.limits import FILLS_PER_COMMAND_MAX
from matching.reasons import Reason
from matching.types import SelfTrade, Side, Status, TimeInForce
from tests.story import Story, answer, of, refusal, standing, units

SPOT = "BTC-USDT"
PERP = "BTC-USDT-PERP"


@pytest.fixture
def story() -> Story:
    return Story()


def free(story: Story, account: int, asset: str = "USDT", wallet: str = "spot") -> int:
    return story.person(account).free(wallet, asset)


def held(story: Story, account: int, asset: str = "USDT", wallet: str = "spot") -> int:
    return story.person(account).pockets[wallet, asset].locked


# -- holds on spot -----------------------------------------------------------------------------


def test_s11_a_resting_buy_holds_its_price_and_a_resting_sale_its_quantity(story: Story) -> None:
    one = story.account(spot_USDT="1000", spot_BTC="1")
    story.buy(one, SPOT, "0.01", "40000")
    story.sell(one, SPOT, "0.3", "60000")
    assert (held(story, one), free(story, one)) == (units("400"), units("600"))
    assert (held(story, one, "BTC"), free(story, one, "BTC")) == (units("0.3"), units("0.7"))


def test_s11_a_better_price_is_freed_at_once_and_the_rest_once_at_the_end(story: Story) -> None:
    """0.02 at 41,000 hold 820; 0.01 trade at 40,000, so 410 are held for the rest of it."""
    one, two = story.account(spot_USDT="1000"), story.account(spot_BTC="1")
    story.sell(two, SPOT, "0.01", "40000")
    order = answer(story.buy(one, SPOT, "0.02", "41000")).result_id
    assert (held(story, one), free(story, one)) == (units("410"), units("190"))
    story.ok(CancelOrder, account_id=one, order_id=order)
    assert (held(story, one), free(story, one)) == (0, units("600"))


def test_s3_v10_an_amount_buys_whole_lots_and_frees_what_is_left(story: Story) -> None:
    """V10 in hundreds of BTC-USDT: 100 buys 0.001 at 50,000 (50) and 0.00098 at 51,000 (49.98);
    another lot of 0.51 would overspend, so 0.02 stay. Fee 0.1 % of 0.00198: 0.00000198."""
    one, two = story.account(spot_USDT="100"), story.account(spot_BTC="1")
    story.sell(two, SPOT, "0.001", "50000")
    story.sell(two, SPOT, "0.001", "51000")
    events = story.buy(one, SPOT, quote_minor=units("100"))
    order = of(events, OrderChanged)[-1]
    assert (order.status, order.filled_lots, order.quote_minor) == (
        Status.FILLED,
        198,
        units("100"),
    )
    assert free(story, one) == units("0.02")
    assert free(story, one, "BTC") == units("0.00198") - units("0.00000198")
    assert held(story, one) == 0


def test_an_amount_below_one_unit_is_refused(story: Story) -> None:
    """A tick of 0.01 times a lot of 0.00001 is 0.0000001; half of it is nothing."""
    one = story.account(spot_USDT="100")
    before = standing(story.engine)
    assert refusal(story.buy(one, SPOT, quote_minor=5)) is Reason.AMOUNT_BELOW_ONE_LOT
    assert standing(story.engine) == before


def test_v03_a_market_order_that_exhausts_the_book_keeps_its_fills_and_expires(
    story: Story,
) -> None:
    one, two = story.account(spot_USDT="1000"), story.account(spot_BTC="1")
    story.sell(two, SPOT, "0.002", "50000")
    story.sell(two, SPOT, "0.002", "50000")
    order = of(story.buy(one, SPOT, "0.006"), OrderChanged)[-1]
    assert (order.status, order.filled_lots, order.open_lots) == (Status.EXPIRED, 400, 0)
    assert order.reason is Reason.NO_LIQUIDITY
    assert (held(story, one), free(story, one)) == (0, units("800"))


def test_v11_fok_leaves_the_book_untouched_and_ioc_lets_the_rest_go(story: Story) -> None:
    one, two = story.account(spot_USDT="9000"), story.account(spot_BTC="1")
    for price in ("40000", "40100"):
        story.sell(two, SPOT, "0.01", price)
    killed = story.buy(one, SPOT, "0.025", "40100", tif=TimeInForce.FOK)
    assert not of(killed, Traded) + of(killed, DepthChanged)
    (order,) = of(killed, OrderChanged)
    assert (order.status, order.reason) == (Status.EXPIRED, Reason.FOK_UNFILLABLE)
    assert free(story, one) == units("9000")
    taken = story.buy(one, SPOT, "0.025", "40100", tif=TimeInForce.IOC)
    assert [trade.lots for trade in of(taken, Traded)] == [1_000, 1_000]
    # 400 + 401 are spent, and nothing is held for the 0.005 that expired.
    assert (held(story, one), free(story, one)) == (0, units("8199"))


def test_v11_a_post_only_order_that_would_take_is_rejected_and_frees_its_hold(
    story: Story,
) -> None:
    one, two = story.account(spot_USDT="1000"), story.account(spot_BTC="1")
    story.sell(two, SPOT, "0.01", "50000")
    events = story.buy(one, SPOT, "0.01", "50000", post_only=True, client_id="a")
    assert refusal(events) is Reason.WOULD_TAKE
    (order,) = of(events, OrderChanged)
    assert (order.happening, order.status) == ("rejected", Status.REJECTED)
    assert answer(events).result_id == order.order_id
    assert (held(story, one), free(story, one)) == (0, units("1000"))
    again = story.buy(one, SPOT, "0.01", "49999", post_only=True, client_id="a")
    assert refusal(again) is None  # The client id is free: nothing came of the first.


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


# -- states of a book --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "limit", "market", "post_only", "cancel"),
    [
        ("trading", True, True, True, True),
        ("limit_only", True, False, True, True),
        ("post_only", False, False, True, True),
        ("cancel_only", False, False, False, True),
        ("halt", False, False, False, False),
    ],
)
def test_s13_a_book_takes_what_its_state_lets_in(
    story: Story, state: str, limit: bool, market: bool, post_only: bool, cancel: bool
) -> None:
    one, two = story.account(spot_USDT="9000"), story.account(spot_BTC="1")
    story.sell(two, SPOT, "0.5", "50000")
    order = answer(story.buy(one, SPOT, "0.01", "40000")).result_id
    story.ok(SetSymbolState, symbol=SPOT, state=state)
    wishes: list[tuple[bool, dict[str, Any]]] = [
        (limit, {"price": "40000"}),
        (market, {}),
        (post_only, {"price": "40000", "post_only": True}),
    ]
    for allowed, wish in wishes:
        found = refusal(story.buy(one, SPOT, "0.01", **wish))
        assert found is (None if allowed else Reason.SYMBOL_NOT_TRADING), wish
    amended = story.do(AmendOrder, account_id=one, order_id=order, lots=900)
    in_place = state not in ("cancel_only", "halt")
    assert refusal(amended) is (None if in_place else Reason.SYMBOL_NOT_TRADING)
    cancelled = story.do(CancelOrder, account_id=one, order_id=order)
    assert refusal(cancelled) is (None if cancel else Reason.SYMBOL_NOT_TRADING)


# -- bands -------------------------------------------------------------------------------------


def test_s12_v07_a_taker_stops_at_the_execution_range_and_its_fills_stand(story: Story) -> None:
    """Index 50,000, up 1.1: 55,000 trades, 55,000.01 does not."""
    one, two = story.account(spot_USDT="90000"), story.account(spot_BTC="1")
    for price in ("50000", "55000", "55000.01"):
        story.sell(two, SPOT, "0.01", price)
    events = story.buy(one, SPOT, "0.05")
    assert [trade.price_ticks for trade in of(events, Traded)] == [5_000_000, 5_500_000]
    order = of(events, OrderChanged)[-1]
    assert (order.status, order.reason) == (Status.EXPIRED, Reason.EXECUTION_PRICE_RANGE)
    assert held(story, one) == 0


def test_s12_v15_a_perpetual_is_bounded_in_the_aggressive_direction_alone(story: Story) -> None:
    """Index 50,000, Y 2 %: buys up to 51,000 and sells down to 49,000; far away is fine."""
    one = story.account(perp_USDT="90000")
    assert refusal(story.buy(one, PERP, "0.001", "51000.1")) is Reason.PRICE_BAND
    assert refusal(story.sell(one, PERP, "0.001", "48999.9")) is Reason.PRICE_BAND
    for side, price in ((Side.BUY, "51000"), (Side.BUY, "30000"), (Side.SELL, "70000")):
        events = story.place(one, side, PERP, "0.001", price, stp=SelfTrade.EXPIRE_MAKER)
        assert refusal(events) is None, price


def test_the_reference_of_a_cross_pair_is_the_ratio_of_its_indexes(story: Story) -> None:
    """ETH 2,500 by BTC 50,000 is 0.05; a bid may be 1.2 of it, an ask at least 0.8."""
    one = story.account(spot_BTC="1", spot_ETH="10")
    trading = story.engine.trading
    assert trading.reference_e8("ETH-BTC") == units("0.05")
    assert refusal(story.buy(one, "ETH-BTC", "1", "0.06001")) is Reason.PERCENT_PRICE
    assert refusal(story.sell(one, "ETH-BTC", "1", "0.03999")) is Reason.PERCENT_PRICE
    story.index("BTC", "40000")
    assert trading.reference_e8("ETH-BTC") == units("0.0625")


# -- reduce-only (P15) -------------------------------------------------------------------------


def _positions(story: Story, qty: str) -> tuple[int, int]:
    """Somebody long of 50,000s, and somebody short."""
    long, short = story.account(perp_USDT="90000"), story.account(perp_USDT="90000")
    story.sell(short, PERP, qty, "50000")
    story.buy(long, PERP, qty, "50000")
    return long, short


def working(story: Story, account: int) -> dict[int, int]:
    """Open lots of an account's orders by price."""
    return {each.price_ticks: each.open_lots for each in story.person(account).orders.values()}


def test_v74_orders_nearer_execution_win_and_the_others_are_cut_or_cancelled(
    story: Story,
) -> None:
    """Long 10: A sells 6 at 50,100; B sells 11 at 50,000: B is cut to 10 and A is cancelled."""
    long, _ = _positions(story, "0.010")
    story.sell(long, PERP, "0.006", "50100", reduce_only=True)
    events = story.sell(long, PERP, "0.011", "50000", reduce_only=True)
    assert working(story, long) == {500_000: 10}
    cancelled = [each for each in of(events, OrderChanged) if each.happening == "cancelled"]
    assert [each.reason for each in cancelled] == [Reason.REDUCE_ONLY_TRIMMED]


def test_p15_t18_reduce_only_orders_shrink_with_the_position(story: Story) -> None:
    """Long 10, sales of 6 at 50,000 and 4 at 50,100; an ordinary sale takes 7: 3 of the first
    stay, and none of the second; and when it is flat none at all."""
    long, short = _positions(story, "0.010")
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
    long, short = _positions(story, "0.010")
    story.sell(long, PERP, "0.010", "50100", reduce_only=True)
    story.buy(short, PERP, "0.007", "50100")
    assert working(story, long) == {501_000: 3}
    story.sell(short, PERP, "0.002", "49900")
    story.buy(long, PERP, "0.002", "49900")
    assert working(story, long) == {501_000: 3}  # What was cut does not grow again.


def test_p15_a_flip_cancels_what_would_now_increase(story: Story) -> None:
    long, short = _positions(story, "0.010")
    story.sell(long, PERP, "0.010", "50100", reduce_only=True)
    story.buy(short, PERP, "0.015", "49900")
    story.sell(long, PERP, "0.015", "49900")
    assert story.person(long).lots(PERP) == -5
    assert working(story, long) == {}


# -- amending perpetuals -----------------------------------------------------------------------


def test_an_amended_perpetual_order_is_judged_without_the_one_it_replaces(story: Story) -> None:
    """10x and 505: 0.1 at 50,000 needs 500 and 2.5 of fee. At 50,100 the same needs 501, 10 of
    open loss and 2.505 more: too much. At 49,900 it needs less."""
    one = story.account(perp_USDT="505")
    order = answer(story.buy(one, PERP, "0.1", "50000")).result_id
    before = standing(story.engine)
    refused = story.do(AmendOrder, account_id=one, order_id=order, price_ticks=501_000)
    assert refusal(refused) is Reason.INSUFFICIENT_MARGIN
    assert standing(story.engine) == before
    story.ok(AmendOrder, account_id=one, order_id=order, price_ticks=499_000)
    sums = story.person(one).open_perp[PERP]
    assert (sums.buy_units, sums.held_minor) == (100 * 499_000, units("2.495"))


def test_a_reduced_perpetual_order_frees_its_share(story: Story) -> None:
    one = story.account(perp_USDT="9000")
    order = answer(story.buy(one, PERP, "0.1", "50000")).result_id
    story.ok(AmendOrder, account_id=one, order_id=order, lots=40)
    sums = story.person(one).open_perp[PERP]
    assert (sums.buy_lots, sums.held_minor) == (40, units("1"))


def test_v43_a_flip_of_an_isolated_position_allots_margin_to_the_new_side_alone(
    story: Story,
) -> None:
    """Long 1 at 50,000 and 10x has 5,000; sold 3 at 51,000: 1,000 realised, 5,000 released, and
    short 2 has 10,200."""
    one, two = story.account(perp_USDT="20000"), story.account(perp_USDT="90000")
    story.ok(SetMarginMode, account_id=one, symbol=PERP, isolated=True)
    story.sell(two, PERP, "1", "50000")
    story.buy(one, PERP, "1", "50000")
    assert story.person(one).minor(f"perp/{PERP}", "USDT") == units("5000")
    story.buy(two, PERP, "3", "51000")
    (mine,) = [
        fill for fill in of(story.sell(one, PERP, "3", "51000"), Filled) if fill.account_id == one
    ]
    assert mine.realised_minor == units("1000")
    assert story.person(one).minor(f"perp/{PERP}", "USDT") == units("10200")
    # 20,000 + 1,000 less fees of 25 and 76.5 less the margin.
    assert story.person(one).minor("perp", "USDT") == units("10698.5")


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
