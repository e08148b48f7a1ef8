"""Tests of hedge mode: a long and a short leg of one contract, their orders, margin and end."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest

from exchange.commands import (
    AdjustPositionMargin,
    CancelAll,
    SetLeverage,
    SetMarginMode,
    SetPositionMode,
)
from exchange.events import (
    Filled,
    FundingCharged,
    LiquidationStarted,
    OrderChanged,
    PositionChanged,
    SettingChanged,
)
from matching.reasons import Reason
from matching.types import OrderType, Side
from risk.account import LONG, SHORT, leg_of
from risk.perp_report import perp_report, position_report
from risk.perp_worth import perp_worth
from tests.risk.stories import BTC_PERP, NO_FEES, rich
from tests.story import Story, again, of, refusal, small_venue, units

LONG_LEG, SHORT_LEG = leg_of(BTC_PERP, LONG), leg_of(BTC_PERP, SHORT)


@pytest.fixture
def story() -> Story:
    return Story(small_venue(fees=NO_FEES))


def _hedger(story: Story, money: str, leverage: int = 10, *, isolated: bool = False) -> int:
    account = story.account("hedger", perp_USDT=money)
    story.ok(SetPositionMode, account_id=account, hedge=True)
    story.ok(SetLeverage, account_id=account, symbol=BTC_PERP, leverage=leverage)
    if isolated:
        story.ok(SetMarginMode, account_id=account, symbol=BTC_PERP, isolated=True)
    return account


def _open(story: Story, account: int, leg: int, qty: str, price: str) -> None:
    """A leg that is filled at a price."""
    side = Side.BUY if leg == LONG else Side.SELL
    assert refusal(story.place(account, side, BTC_PERP, qty, price, position_side=leg)) is None
    assert refusal(story.place(rich(story), side.opposite, BTC_PERP, qty, price)) is None


def test_p2_the_mode_changes_only_without_positions_and_orders(story: Story) -> None:
    one = story.account(perp_USDT="10000")
    assert refusal(story.do(SetPositionMode, account_id=one, hedge=False)) is None
    story.buy(one, BTC_PERP, "0.1", "49000")
    assert refusal(story.do(SetPositionMode, account_id=one, hedge=True)) is Reason.ORDERS_OPEN
    story.ok(CancelAll, account_id=one)
    (told,) = of(story.ok(SetPositionMode, account_id=one, hedge=True), SettingChanged)
    assert (told.name, told.value) == ("position_mode", "hedge")
    _open(story, one, LONG, "0.1", "50000")
    assert refusal(story.do(SetPositionMode, account_id=one, hedge=False)) is Reason.POSITION_OPEN


def test_p2_an_order_names_its_side_in_hedge_mode_and_only_there(story: Story) -> None:
    hedged, one_way = _hedger(story, "10000"), story.account(perp_USDT="10000")
    for account, side, reason in (
        (hedged, 0, Reason.POSITION_SIDE_MISMATCH),
        (one_way, LONG, Reason.POSITION_SIDE_MISMATCH),
        (hedged, 3, Reason.FIELD_OUT_OF_RANGE),
        (hedged, LONG, None),
        (one_way, 0, None),
    ):
        events = story.buy(account, BTC_PERP, "0.1", "49000", position_side=side)
        assert refusal(events) is reason
    spot = story.account(spot_USDT="10000")
    events = story.buy(spot, "BTC-USDT", "0.1", "49000", position_side=LONG)
    assert refusal(events) is Reason.COMBINATION_NOT_ALLOWED


def test_p2_both_legs_stand_side_by_side(story: Story) -> None:
    one = _hedger(story, "100000")
    _open(story, one, LONG, "2", "50000")
    _open(story, one, SHORT, "1", "50100")
    person = story.person(one)
    assert {leg: held.lots for leg, held in person.positions.items()} == {
        LONG_LEG: 2_000,
        SHORT_LEG: -1_000,
    }
    told = {each.position_side: each.lots for each in of(story.events, PositionChanged)}
    assert (told[LONG], told[SHORT]) == (2_000, -1_000)
    fills = [each for each in of(story.events, Filled) if each.account_id == one]
    assert [each.position_side for each in fills] == [LONG, SHORT]
    orders = [each for each in of(story.events, OrderChanged) if each.account_id == one]
    assert {each.position_side for each in orders} == {LONG, SHORT}


def test_p2_i8_a_closing_order_is_cut_to_its_leg_and_cannot_flip_it(story: Story) -> None:
    one = _hedger(story, "100000")
    closing: dict[str, Any] = {"position_side": LONG}
    events = story.sell(one, BTC_PERP, "1", "50000", **closing)
    assert refusal(events) is Reason.REDUCE_ONLY_WOULD_INCREASE
    _open(story, one, LONG, "2", "50000")
    _open(story, one, SHORT, "1", "50000")
    before = perp_worth(story.engine.risk, story.person(one)).available_e16
    story.sell(one, BTC_PERP, "5", "50000", **closing)
    (order,) = story.person(one).orders.values()
    assert (order.open_lots, order.reduce_only, order.hold_minor) == (2_000, True, 0)
    assert perp_worth(story.engine.risk, story.person(one)).available_e16 == before
    story.buy(rich(story), BTC_PERP, "2", "50000")
    assert {leg: held.lots for leg, held in story.person(one).positions.items()} == {
        SHORT_LEG: -1_000
    }


def test_p15_t18_closing_orders_are_cut_as_their_own_leg_shrinks(story: Story) -> None:
    one = _hedger(story, "100000")
    _open(story, one, LONG, "2", "50000")
    _open(story, one, SHORT, "2", "50000")
    story.sell(one, BTC_PERP, "2", "50100", position_side=LONG)
    story.buy(one, BTC_PERP, "2", "49900", position_side=SHORT)
    story.buy(rich(story), BTC_PERP, "1.5", "50000")
    story.sell(one, BTC_PERP, "1.5", "50000", position_side=LONG)
    left = {order.leg: order.open_lots for order in story.person(one).orders.values()}
    assert left == {LONG_LEG: 500, SHORT_LEG: 2_000}


def test_p4_each_leg_needs_its_own_margin_and_that_of_its_orders(story: Story) -> None:
    """Long 2 and short 1 at a mark of 50,000, 10x: 10,000 and 5,000; a buy of 1 at 49,000 for the
    long leg and a sale of 1 at 51,000 for the short one add 4,900 and 5,100."""
    one = _hedger(story, "25000")
    _open(story, one, LONG, "2", "50000")
    _open(story, one, SHORT, "1", "50000")
    assert refusal(story.buy(one, BTC_PERP, "1", "49000", position_side=LONG)) is None
    assert refusal(story.sell(one, BTC_PERP, "1", "51000", position_side=SHORT)) is None
    worth = perp_worth(story.engine.risk, story.person(one))
    assert worth.initial_e16 == 15_000 * 10**16
    assert worth.orders_e16 == 10_000 * 10**16
    assert worth.available_e16 == 0
    events = story.buy(one, BTC_PERP, "0.001", "49000", position_side=LONG)
    assert refusal(events) is Reason.INSUFFICIENT_MARGIN


def test_p5_profit_of_one_leg_carries_the_loss_of_the_other(story: Story) -> None:
    one = _hedger(story, "15000")
    _open(story, one, LONG, "1", "50000")
    _open(story, one, SHORT, "1", "50000")
    story.index("BTC", "40000")
    told = perp_report(story.engine.risk, story.person(one))
    assert told.unrealised_e16 == 0
    assert told.margin_balance_e16 == 15_000 * 10**16


def test_v53_t23_both_cross_legs_end_at_one_price(story: Story) -> None:
    """10,000 behind long 2 at 50,000 and short 1 at 52,000: in brackets 2 and 1,
    10,000 + P + 2,000 - 50,000 = 0.5 % of 2 P - 50 + 0.4 % of P: 37,950 / 0.986."""
    one = _hedger(story, "10000", leverage=50)
    _open(story, one, LONG, "2", "50000")
    story.index("BTC", "52000")
    _open(story, one, SHORT, "1", "52000")
    risk, person = story.engine.risk, story.person(one)
    ends = {position_report(risk, person, leg).liquidation_e8 for leg in (LONG_LEG, SHORT_LEG)}
    exact = Fraction(37_950_000, 986)
    assert ends == {round(exact * 10**8)} == {units("38488.84381339")}
    below = exact.numerator * 10**8 // exact.denominator
    for price_e8, falls in ((below + 1, False), (below, True)):
        events = story.index("BTC", f"{price_e8 // 10**8}.{price_e8 % 10**8:08d}")
        assert bool(of(events, LiquidationStarted)) is falls


@pytest.mark.parametrize("leg", [LONG, SHORT])
def test_t23_isolated_legs_end_at_prices_of_their_own(story: Story, leg: int) -> None:
    """1 at 50,000 and 10x each way: 5,000 apiece. The long ends at 45,000 / 0.996 (bracket 1),
    the short at 55,050 / 1.005 (bracket 2), and each alone."""
    one = _hedger(story, "20000", isolated=True)
    _open(story, one, LONG, "1", "50000")
    _open(story, one, SHORT, "1", "50000")
    exact = Fraction(45_000_000, 996) if leg == LONG else Fraction(55_050_000, 1_005)
    name = leg_of(BTC_PERP, leg)
    told = position_report(story.engine.risk, story.person(one), name)
    assert told.margin_minor == units("5000")
    assert told.liquidation_e8 == round(exact * 10**8)
    below = exact.numerator * 10**8 // exact.denominator
    last, first = (below + 1, below) if leg == LONG else (below, below + 1)
    assert not of(story.index("BTC", f"{last / 10**8:.8f}"), LiquidationStarted)
    (started,) = of(story.index("BTC", f"{first / 10**8:.8f}"), LiquidationStarted)
    assert started.scope == f"perp/{name}"
    assert list(story.person(one).positions) == [leg_of(BTC_PERP, LONG + SHORT - leg)]


@pytest.mark.parametrize("leg", [LONG, SHORT])
def test_p13_1_the_end_of_an_isolated_leg_leaves_the_orders_of_the_other(
    story: Story, leg: int
) -> None:
    """Each leg has an order that adds to it, one that closes it and a stop: the three of the leg
    that ends are cancelled, and no other."""
    one = _hedger(story, "40000", isolated=True)
    for side in (LONG, SHORT):
        _open(story, one, side, "1", "50000")
    for side in (LONG, SHORT):
        more: dict[str, Any] = {"position_side": side}
        stop: dict[str, Any] = {
            "type": OrderType.STOP,
            "trigger_ticks": 400_000 if side == LONG else 600_000,
        }
        opens, closes = (Side.BUY, Side.SELL) if side == LONG else (Side.SELL, Side.BUY)
        low, high = ("44000", "56000")
        for way in (opens, closes):
            price = low if way is Side.BUY else high
            assert refusal(story.place(one, way, BTC_PERP, "0.1", price, **more)) is None
        assert refusal(story.place(one, closes, BTC_PERP, "0.1", **more, **stop)) is None
    ends, stays = leg_of(BTC_PERP, leg), leg_of(BTC_PERP, LONG + SHORT - leg)
    events = story.index("BTC", "45100" if leg == LONG else "54900")
    assert [each.scope for each in of(events, LiquidationStarted)] == [f"perp/{ends}"]
    assert list(story.person(one).positions) == [stays]
    left = list(story.person(one).orders.values())
    assert [order.leg for order in left] == [stays] * 3
    assert [order.is_asleep for order in left] == [False, False, True]


def test_p17_margin_is_added_to_one_leg(story: Story) -> None:
    one = _hedger(story, "20000", isolated=True)
    _open(story, one, LONG, "1", "50000")
    _open(story, one, SHORT, "1", "50000")
    more = {"account_id": one, "symbol": BTC_PERP, "amount_minor": units("777")}
    assert refusal(story.do(AdjustPositionMargin, **more)) is Reason.NO_POSITION
    assert refusal(story.do(AdjustPositionMargin, **more, position_side=9)) is not None
    story.ok(AdjustPositionMargin, **more, position_side=SHORT)
    person = story.person(one)
    assert person.minor(f"perp/{LONG_LEG}", "USDT") == units("5000")
    assert person.minor(f"perp/{SHORT_LEG}", "USDT") == units("5777")


def test_p17_leverage_refits_both_isolated_legs(story: Story) -> None:
    """At 20x each leg keeps 2,500; back at 10x both want 2,500 more."""
    one = _hedger(story, "10000", isolated=True)
    _open(story, one, LONG, "1", "50000")
    _open(story, one, SHORT, "1", "50000")
    for leverage, margin, free in ((20, "2500", "5000"), (10, "5000", "0")):
        story.ok(SetLeverage, account_id=one, symbol=BTC_PERP, leverage=leverage)
        person = story.person(one)
        assert person.minor(f"perp/{LONG_LEG}", "USDT") == units(margin)
        assert person.minor(f"perp/{SHORT_LEG}", "USDT") == units(margin)
        assert person.minor("perp", "USDT") == units(free)
    events = story.do(SetLeverage, account_id=one, symbol=BTC_PERP, leverage=9)
    assert refusal(events) is Reason.INSUFFICIENT_MARGIN


def test_p10_each_leg_pays_or_receives_its_funding(story: Story) -> None:
    one = _hedger(story, "100000")
    _open(story, one, LONG, "2", "50000")
    _open(story, one, SHORT, "1", "50000")
    charged = [e for e in of(story.wait(8 * 3_600_000), FundingCharged) if e.account_id == one]
    # 0.01 % of 100,000 paid, of 50,000 received.
    assert {e.lots: e.flow_minor for e in charged} == {2_000: -units("10"), -1_000: units("5")}


def test_i13_legs_and_their_orders_are_the_same_after_a_restart(story: Story) -> None:
    one = _hedger(story, "100000", isolated=True)
    _open(story, one, LONG, "2", "50000")
    _open(story, one, SHORT, "1", "50000")
    story.sell(one, BTC_PERP, "1", "50100", position_side=LONG)
    story.sell(one, BTC_PERP, "1", "50200", position_side=SHORT)
    engine = again(story.engine)
    engine.check()
    assert engine.digest() == story.engine.digest()
    person = engine.risk.accounts[one]
    assert person.hedge
    assert list(person.reducing) == [LONG_LEG]
    assert list(person.open_perp) == [SHORT_LEG]
