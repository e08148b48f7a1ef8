"""Tests of the bounds of admission: what an order costs to the unit, brackets, reduce-only."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.commands import SetLeverage, SetMarginMode
from matching.reasons import Reason
from matching.types import Side
from risk.engine import new_risk_engine
from risk.money import charged
from risk.parameters import FeeSchedule
from risk.reserve import affordable
from risk.worth import perp_worth
from tests.risk.stories import BTC, BTC_PERP, ETH_PERP, NO_FEES, position, rich, trader
from tests.story import Story, answer, refusal, small_venue, standing, units

E16_IN_MINOR = 10**8


def _fees(taker_e12: int) -> FeeSchedule:
    return FeeSchedule(0, 0, 0, taker_e12)


# -- spot --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("money", "refused"), [("101", None), ("100.99999999", Reason.INSUFFICIENT_BALANCE)]
)
def test_s11_a_market_buy_must_have_what_walking_the_book_costs(
    money: str, refused: Reason | None
) -> None:
    """0.001 at 50,000 and 0.001 at 51,000 are 50 + 51."""
    story = Story(small_venue(fees=NO_FEES))
    one = story.account(spot_USDT=money)
    for price in ("50000", "51000"):
        story.sell(trader(story), BTC, "0.001", price)
    before = standing(story.engine)
    assert refusal(story.buy(one, BTC, "0.002")) is refused
    if refused:
        assert standing(story.engine) == before
    else:
        assert story.person(one).minor("spot", "BTC") == units("0.002")


@pytest.mark.parametrize(
    ("symbol", "more", "reason"),
    [
        (BTC, {"wallet": "perp"}, Reason.COMBINATION_NOT_ALLOWED),
        (BTC, {"reduce_only": True}, Reason.COMBINATION_NOT_ALLOWED),
        (BTC, {"side_effect": 1}, Reason.SIDE_EFFECT_NOT_ALLOWED),
        (BTC, {"wallet": "isolated:ETH-USDT"}, Reason.ASSET_NOT_IN_WALLET),
        (BTC_PERP, {"wallet": "spot"}, Reason.COMBINATION_NOT_ALLOWED),
    ],
)
def test_an_order_trades_from_a_wallet_that_can_pay_for_it(
    symbol: str, more: dict[str, Any], reason: Reason
) -> None:
    story = Story()
    one = rich(story)
    assert refusal(story.buy(one, symbol, "0.001", "50000", **more)) is reason


@given(st.integers(0, 10**18), st.sampled_from([0, 1, 333_333_333, 10**9, 10**11]))
def test_what_is_affordable_is_paid_with_its_fee_and_two_units_more_are_not(
    free_minor: int, rate_e12: int
) -> None:
    risk = new_risk_engine(small_venue(fees=FeeSchedule(0, rate_e12, 0, 0, spot_in_quote=True)))
    cost = affordable(risk, free_minor)
    assert cost + charged(cost, rate_e12) <= free_minor
    more = cost + 2
    assert more + charged(more, rate_e12) > free_minor


# -- what a perpetual order costs --------------------------------------------------------------


@pytest.mark.parametrize(
    ("side", "price", "mark", "leverage", "isolated", "fees", "cost"),
    [
        # 50,000 / 10 and a fee of 0.05 %, 25.
        (Side.BUY, "50000", "50000", 10, False, FeeSchedule(), "5025"),
        # V37: 5,000 + 27.5 to open + 0.055 % of 45,000, 24.75, to close at bankruptcy.
        (Side.BUY, "50000", "50000", 10, True, _fees(550_000_000), "5052.25"),
        # On cross margin nothing is reserved to close.
        (Side.BUY, "50000", "50000", 10, False, _fees(550_000_000), "5027.5"),
        # V38: 9,253.3 / 20; bought below the mark it loses nothing, sold there 6.54.
        (Side.BUY, "9253.3", "9259.84", 20, False, NO_FEES, "462.665"),
        (Side.SELL, "9253.3", "9259.84", 20, False, NO_FEES, "469.205"),
    ],
)
def test_p4_v37_v38_an_order_needs_its_cost_to_the_unit(
    side: Side,
    price: str,
    mark: str,
    leverage: int,
    isolated: bool,
    fees: FeeSchedule,
    cost: str,
) -> None:
    for lacking, refused in ((1, Reason.INSUFFICIENT_MARGIN), (0, None)):
        story = Story(small_venue(fees=fees))
        story.index("BTC", mark)
        one = story.account(perp_USDT=cost)
        if lacking:
            one = story.account(perp_USDT=f"{(units(cost) - lacking) / 10**8:.8f}")
        story.ok(SetLeverage, account_id=one, symbol=BTC_PERP, leverage=leverage)
        if isolated:
            story.ok(SetMarginMode, account_id=one, symbol=BTC_PERP, isolated=True)
        before = standing(story.engine)
        assert refusal(story.place(one, side, BTC_PERP, "1", price)) is refused
        if refused:
            assert standing(story.engine) == before
        else:
            assert perp_worth(story.engine.risk, story.person(one)).available_e16 == 0


def test_v42_resting_orders_need_what_the_larger_side_would_leave() -> None:
    """Long 1 at 50,000 and 10x; 24,500 of buys and 102,000 of sales: the larger of 74,500 and
    52,000 is 7,450, of which 5,000 are the position's. One unit less is not enough."""
    for money, refused in (("7450", None), ("7449.99999999", Reason.INSUFFICIENT_MARGIN)):
        story = Story(small_venue(fees=NO_FEES))
        one = position(story, Side.BUY, "1", "50000", money=money, leverage=10)
        assert refusal(story.sell(one, BTC_PERP, "2", "51000")) is None
        assert refusal(story.buy(one, BTC_PERP, "0.5", "49000")) is refused
        worth = perp_worth(story.engine.risk, story.person(one))
        assert worth.initial_e16 == units("5000") * E16_IN_MINOR
        # Without the buy the sales leave 52,000, which is 200 beyond the position's.
        orders = units("200") if refused else units("2450")
        assert worth.orders_e16 == orders * E16_IN_MINOR


def test_p4_an_order_that_adds_no_risk_is_admitted_under_water() -> None:
    """Long 1 at 50,000 with 5,100; at 49,000 it has 4,100 for a margin of 4,900. Sales of 2 in
    all leave it short 1, which needs no more; a thousandth beyond does, and so does any buy."""
    story = Story(small_venue(fees=NO_FEES))
    one = position(story, Side.BUY, "1", "50000", money="5100", leverage=10)
    story.index("BTC", "49000")
    assert perp_worth(story.engine.risk, story.person(one)).available_e16 == 0
    assert refusal(story.sell(one, BTC_PERP, "2", "49000")) is None
    assert refusal(story.sell(one, BTC_PERP, "0.001", "49000")) is Reason.INSUFFICIENT_MARGIN
    assert refusal(story.buy(one, BTC_PERP, "0.001", "49000")) is Reason.INSUFFICIENT_MARGIN


def test_p4_an_isolated_order_is_paid_from_the_free_wallet() -> None:
    """5,000 of 9,000 stand behind ETH; 4,000 at 10x buy 0.8 at 50,000 and nothing more."""
    story = Story(small_venue(fees=NO_FEES))
    one = position(
        story, Side.BUY, "20", "2500", money="9000", leverage=10, isolated=True, symbol=ETH_PERP
    )
    assert refusal(story.buy(one, BTC_PERP, "0.801", "50000")) is Reason.INSUFFICIENT_MARGIN
    assert refusal(story.buy(one, BTC_PERP, "0.8", "50000")) is None


def test_a_market_order_needs_the_margin_of_what_it_would_fill() -> None:
    """0.5 at 50,000 and 0.5 at 50,400 at 10x: 5,020, and 0.5 x 400 lost at the mark: 5,220."""
    for money, refused in (("5220", None), ("5219.99999999", Reason.INSUFFICIENT_MARGIN)):
        story = Story(small_venue(fees=NO_FEES))
        for price in ("50000", "50400"):
            story.sell(rich(story), BTC_PERP, "0.5", price)
        one = story.account(perp_USDT=money)
        assert refusal(story.buy(one, BTC_PERP, "1")) is refused


# -- brackets ----------------------------------------------------------------------------------


def test_p3_a_leverage_carries_the_cap_of_its_bracket_and_no_lot_more() -> None:
    """125x is good for 50,000: for 1 at 50,000, orders and position counted together."""
    story = Story(small_venue(fees=NO_FEES))
    one = rich(story)
    story.ok(SetLeverage, account_id=one, symbol=BTC_PERP, leverage=125)
    assert refusal(story.buy(one, BTC_PERP, "1.001", "50000")) is Reason.BRACKET_EXCEEDED
    # The order's own price counts where it is above the mark, the mark where it is below.
    assert refusal(story.buy(one, BTC_PERP, "1", "50000.1")) is Reason.BRACKET_EXCEEDED
    assert refusal(story.buy(one, BTC_PERP, "1.001", "49000")) is Reason.BRACKET_EXCEEDED
    assert refusal(story.buy(one, BTC_PERP, "0.6", "50000")) is None
    assert refusal(story.buy(one, BTC_PERP, "0.401", "50000")) is Reason.BRACKET_EXCEEDED
    assert refusal(story.buy(one, BTC_PERP, "0.4", "50000")) is None
    story.sell(rich(story), BTC_PERP, "1", "50000")
    assert story.person(one).lots(BTC_PERP) == 1_000
    assert refusal(story.buy(one, BTC_PERP, "0.001", "50000")) is Reason.BRACKET_EXCEEDED


# -- reduce-only -------------------------------------------------------------------------------


def test_p15_a_reduce_only_order_needs_an_opposite_position() -> None:
    story = Story(small_venue(fees=NO_FEES))
    flat = rich(story)
    long = position(story, Side.BUY, "1", "50000", money="6000", leverage=10)
    short = position(story, Side.SELL, "1", "50000", money="6000", leverage=10)
    for account, side, reason in (
        (flat, Side.BUY, Reason.REDUCE_ONLY_WOULD_INCREASE),
        (flat, Side.SELL, Reason.REDUCE_ONLY_WOULD_INCREASE),
        (long, Side.BUY, Reason.REDUCE_ONLY_WOULD_INCREASE),
        (short, Side.SELL, Reason.REDUCE_ONLY_WOULD_INCREASE),
        (long, Side.SELL, None),
        (short, Side.BUY, None),
    ):
        price = "49900" if side is Side.BUY else "50100"
        events = story.place(account, side, BTC_PERP, "0.5", price, reduce_only=True)
        assert refusal(events) is reason


def test_v74_a_reduce_only_order_is_cut_to_the_position_and_holds_nothing() -> None:
    """Long 1: a sale of 1.5 rests as 1, and neither margin nor a fee is kept back for it."""
    story = Story()
    one = position(story, Side.BUY, "1", "50000", money="6000", leverage=10)
    events = story.sell(one, BTC_PERP, "1.5", "51000", reduce_only=True)
    order = story.person(one).orders[answer(events).result_id]
    assert (order.lots, order.open_lots, order.hold_minor) == (1_000, 1_000, 0)
    assert not story.person(one).open_perp
