"""Tests of the road of an order: filters, hold, book, settlement, and what it frees at its end."""

from __future__ import annotations

from typing import Any

import pytest

from exchange.commands import AmendOrder, CancelOrder, SetMarginMode, SetSymbolState
from exchange.events import DepthChanged, Filled, OrderChanged, Traded
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


# -- isolated margin ---------------------------------------------------------------------------


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
