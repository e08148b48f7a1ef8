"""Tests of what an order on a perpetual needs."""

from __future__ import annotations

import pytest

from exchange.commands import (
    CancelOrder,
    Deposit,
    OpenAccount,
    PlaceOrder,
    SetLeverage,
    SetMarginMode,
)
from exchange.engine import Engine
from matching.reasons import Reason
from matching.types import Side
from risk.parameters import FeeSchedule
from risk.perp_worth import perp_worth
from tests.risk.stories import (
    BTC_PERP,
    ETH_PERP,
    NO_FEES,
    position,
    report,
    rich,
)
from tests.story import Story, answer, flat_fees, refusal, small_venue, standing, units


@pytest.fixture
def story() -> Story:
    return Story()


def _available(story: Story, account: int) -> int:
    """What new perpetual orders may use, in 10^-16."""
    return perp_worth(story.engine.risk, story.person(account)).available_e16


def test_p4_v42_orders_need_the_larger_of_both_sides(story: Story) -> None:
    """Long 1 at a mark of 50,000, 10x; buys 0.5 at 49,000, sells 2 at 51,000:
    max(74,500, 52,000) / 10 = 7,450: 5,000 for the position and 2,450 for orders."""
    account = position(story, Side.BUY, "1", "50000", money="20000", leverage=10)
    story.buy(account, BTC_PERP, "0.5", "49000")
    story.sell(account, BTC_PERP, "2", "51000")
    worth = perp_worth(story.engine.risk, story.person(account))
    assert worth.initial_e16 == 5_000 * 10**16
    assert worth.orders_e16 == 2_450 * 10**16


def test_p4_an_order_is_admitted_to_the_last_unit(story: Story) -> None:
    """0.1 at 49,000, 10x: 490 of margin and 2.45 of taker fee."""
    account = story.account(perp_USDT="492.44999999")
    assert refusal(story.buy(account, BTC_PERP, "0.1", "49000")) is Reason.INSUFFICIENT_MARGIN
    story.deposit(account, "perp", "USDT", "0.00000001")
    assert refusal(story.buy(account, BTC_PERP, "0.1", "49000")) is None
    assert _available(story, account) == 0


def test_p4_v38_the_loss_at_the_mark_is_held_back_too(story: Story) -> None:
    """0.1 at 50,500 against a mark of 50,000: 505 of margin, 2.525 of fee and 50 of loss."""
    account = story.account(perp_USDT="557.52499999")
    assert refusal(story.buy(account, BTC_PERP, "0.1", "50500")) is Reason.INSUFFICIENT_MARGIN
    story.deposit(account, "perp", "USDT", "0.00000001")
    assert refusal(story.buy(account, BTC_PERP, "0.1", "50500")) is None


def test_p4_v37_isolated_margin_reserves_the_fee_to_close_as_well(story: Story) -> None:
    """1 at 50,000, 10x, 0.05 %: 5,000 + 25 + 45,000 x 0.05 % = 22.5, together 5,047.5."""
    account = story.account(perp_USDT="5047.49999999")
    story.ok(SetMarginMode, account_id=account, symbol=BTC_PERP, isolated=True)
    assert refusal(story.buy(account, BTC_PERP, "1", "50000")) is Reason.INSUFFICIENT_MARGIN
    story.deposit(account, "perp", "USDT", "0.00000001")
    assert refusal(story.buy(account, BTC_PERP, "1", "50000")) is None


def test_p4_what_was_held_is_free_again_after_a_cancel(story: Story) -> None:
    account = story.account(perp_USDT="1000")
    story.buy(account, BTC_PERP, "0.1", "50500")
    (order,) = story.person(account).orders.values()
    story.ok(CancelOrder, account_id=account, order_id=order.order_id)
    assert _available(story, account) == 1_000 * 10**16


def test_p5_unrealised_profit_may_carry_new_orders(story: Story) -> None:
    """Long 1 at 50,000, 20x, with 2,600 after the fee of 10; the mark rises to 52,000."""
    account = position(story, Side.BUY, "1", "50000", money="2610")
    story.index("BTC", "52000")
    # 2,600 + 2,000 - 52,000 / 20 = 2,000.
    assert _available(story, account) == 2_000 * 10**16


def test_what_adds_no_risk_is_admitted_however_little_is_left(story: Story) -> None:
    """Nothing is available after a fall, but the position may be closed."""
    account = position(story, Side.BUY, "1", "50000", money="2610")
    story.index("BTC", "49000")
    assert _available(story, account) == 0
    assert refusal(story.buy(account, ETH_PERP, "0.1", "2500")) is Reason.INSUFFICIENT_MARGIN
    story.buy(rich(story), BTC_PERP, "1", "48900")
    assert refusal(story.sell(account, BTC_PERP, "1", "48900")) is None
    assert not story.person(account).positions


def test_p3_the_largest_position_orders_can_lead_to_must_fit_the_bracket(story: Story) -> None:
    """At 125x the cap is 50,000: 0.6 held and 0.4 ordered are exactly that, a lot more is not."""
    account = position(story, Side.BUY, "0.6", "50000", money="10000", leverage=125)
    assert refusal(story.buy(account, BTC_PERP, "0.401", "50000")) is Reason.BRACKET_EXCEEDED
    assert refusal(story.buy(account, BTC_PERP, "0.4", "50000")) is None
    assert refusal(story.buy(account, BTC_PERP, "0.001", "50000")) is Reason.BRACKET_EXCEEDED
    # The other way it reaches from +0.6 to -1: 1.6 sold.
    assert refusal(story.sell(account, BTC_PERP, "1.601", "50000")) is Reason.BRACKET_EXCEEDED
    assert refusal(story.sell(account, BTC_PERP, "1.6", "50000")) is None


def test_p3_the_leverage_of_an_order_counts_its_price_where_that_is_higher(story: Story) -> None:
    """1 at 50,001 would be 50,001 of notional; the mark is 50,000."""
    account = story.account(perp_USDT="10000")
    events = story.buy(account, BTC_PERP, "1", "50001", leverage=125)
    assert refusal(events) is Reason.BRACKET_EXCEEDED
    assert refusal(story.buy(account, BTC_PERP, "1", "50000", leverage=125)) is None


def test_p4_t20_a_filled_order_keeps_its_margin_as_a_position(story: Story) -> None:
    account = story.account(perp_USDT="6000")
    story.buy(account, BTC_PERP, "1", "50000")
    story.sell(rich(story), BTC_PERP, "0.4", "50000")
    worth = perp_worth(story.engine.risk, story.person(account))
    assert worth.initial_e16 == 2_000 * 10**16
    assert worth.orders_e16 == 3_000 * 10**16
    assert worth.held_e16 == 15 * 10**16  # The taker fee of the 0.6 that are still open.


def test_p15_a_reduce_only_order_is_cut_to_the_position(story: Story) -> None:
    account = position(story, Side.BUY, "1", "50000", money="3000")
    for side in Side:
        other = story.account(perp_USDT="1000")
        events = story.place(other, side, BTC_PERP, "1", "50000", reduce_only=True)
        assert refusal(events) is Reason.REDUCE_ONLY_WOULD_INCREASE
    events = story.buy(account, BTC_PERP, "1", "49000", reduce_only=True)
    assert refusal(events) is Reason.REDUCE_ONLY_WOULD_INCREASE
    assert refusal(story.sell(account, BTC_PERP, "5", "51000", reduce_only=True)) is None
    (order,) = story.person(account).orders.values()
    assert (order.lots, order.open_lots) == (1_000, 1_000)


def test_p4_reduce_only_orders_need_no_margin(story: Story) -> None:
    account = position(story, Side.BUY, "1", "50000", money="2610")
    before = _available(story, account)
    story.sell(account, BTC_PERP, "1", "51000", reduce_only=True)
    assert _available(story, account) == before
    assert report(story, account).initial_e16 == 2_500 * 10**16


def test_without_a_mark_there_is_no_order_on_a_perpetual() -> None:
    """Before the first price has come nobody knows what a contract is worth."""
    engine = Engine(small_venue())
    now_ms = engine.time_ms
    account = answer(engine.apply(OpenAccount(1, now_ms))).result_id
    engine.apply(Deposit(2, now_ms, account, "perp", "USDT", units("1000")))
    wish = PlaceOrder(3, now_ms, account, BTC_PERP, lots=10, price_ticks=500_000, wallet="perp")
    assert refusal(engine.apply(wish)) is Reason.NO_MARK_PRICE


E16_IN_MINOR = 10**8


def _fees(taker_e12: int) -> FeeSchedule:
    return flat_fees(0, 0, 0, taker_e12)


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


def test_p4_an_order_beside_others_of_the_other_side_covers_its_loss_too() -> None:
    """A resting sale of 1 at 52,000 carries the margin of a buy of 1, 520 at 100x, but not the
    990 that a buy at 50,990 loses at the mark of 50,000: 1,510 in all."""
    for money, refused in (("1509.99999999", Reason.INSUFFICIENT_MARGIN), ("1510", None)):
        story = Story(small_venue(fees=NO_FEES))
        one = story.account(perp_USDT=money)
        assert refusal(story.sell(one, BTC_PERP, "1", "52000", leverage=100)) is None
        story.sell(rich(story), BTC_PERP, "1", "50990")
        assert refusal(story.buy(one, BTC_PERP, "1", "50990")) is refused
        assert bool(story.person(one).positions) is (refused is None)


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


@pytest.mark.parametrize("isolated", [True, False])
def test_v43_a_flip_asks_only_for_what_closing_does_not_give_back(isolated: bool) -> None:
    """Long 1 at 50,000 and 10x has 5,000 of margin; at 51,000 a sale of 3 closes it for 1,000 and
    opens short 2, which takes 10,200: 4,200 more, isolated or cross, and not a unit less."""
    for more, refused in (("4199.99999999", Reason.INSUFFICIENT_MARGIN), ("4200", None)):
        story = Story(small_venue(fees=NO_FEES))
        one = position(story, Side.BUY, "1", "50000", money="5000", leverage=10, isolated=isolated)
        story.index("BTC", "51000")
        story.deposit(one, "perp", "USDT", more)
        assert refusal(story.sell(one, BTC_PERP, "3", "51000")) is refused
        if refused is None:
            story.buy(rich(story), BTC_PERP, "3", "51000")
            assert report(story, one).initial_e16 == units("10200") * E16_IN_MINOR
            assert report(story, one).margin_minor == (units("10200") if isolated else 0)
            assert perp_worth(story.engine.risk, story.person(one)).available_e16 == 0


def test_v42_orders_beside_an_isolated_position_need_as_much() -> None:
    """2,450 for the buy of 0.5 at 49,000; the sale of 2 at 51,000 opens 1 and is paid by what
    closing gives back. So 7,450 in all, as on the cross wallet."""
    for money, refused in (("7450", None), ("7449.99999999", Reason.INSUFFICIENT_MARGIN)):
        story = Story(small_venue(fees=NO_FEES))
        one = position(story, Side.BUY, "1", "50000", money=money, leverage=10, isolated=True)
        assert refusal(story.sell(one, BTC_PERP, "2", "51000")) is None
        assert refusal(story.buy(one, BTC_PERP, "0.5", "49000")) is refused
