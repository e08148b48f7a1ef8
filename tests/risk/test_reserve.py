"""Tests of what an order must hold before the book sees it, and of what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from exchange.commands import CancelOrder, Deposit, OpenAccount, PlaceOrder, SetMarginMode
from exchange.engine import Engine
from exchange.events import LoanChanged
from matching.reasons import Reason
from matching.types import OrderType, Side
from risk.account import MARGIN
from risk.parameters import FeeSchedule
from risk.reserve import affordable
from risk.worth import perp_worth
from tests.risk.stories import (
    BTC,
    BTC_PERP,
    ETH_PERP,
    HOUR,
    ISOLATED_BTC,
    position,
    report,
    rich,
    trader,
)
from tests.story import Story, answer, of, refusal, small_venue, units


@pytest.fixture
def story() -> Story:
    return Story()


def _locked(story: Story, account: int, wallet: str, asset: str) -> int:
    return story.person(account).pockets[wallet, asset].locked


def _available(story: Story, account: int) -> int:
    """What new perpetual orders may use, in 10^-16."""
    return perp_worth(story.engine.risk, story.person(account)).available_e16


# -- spot --------------------------------------------------------------------------------------


def test_s11_a_market_buy_holds_the_cost_of_walking_the_book(story: Story) -> None:
    """0.01 at 50,000 and 0.01 at 50,100 cost 1,001: with a unit less it is refused."""
    other = trader(story)
    story.sell(other, BTC, "0.01", "50000")
    story.sell(other, BTC, "0.01", "50100")
    account = story.account(spot_USDT="1000.99999999")
    assert refusal(story.buy(account, BTC, "0.02")) is Reason.INSUFFICIENT_BALANCE
    story.deposit(account, "spot", "USDT", "0.00000001")
    assert refusal(story.buy(account, BTC, "0.02")) is None
    assert story.person(account).minor("spot", "USDT") == 0


def test_s11_a_market_buy_by_amount_holds_the_amount(story: Story) -> None:
    account = story.account(spot_USDT="100")
    events = story.buy(account, BTC, type=OrderType.MARKET, quote_minor=units("100.01"))
    assert refusal(events) is Reason.INSUFFICIENT_BALANCE
    story.sell(trader(story), BTC, "1", "50000")
    events = story.buy(account, BTC, type=OrderType.MARKET, quote_minor=units("100"))
    assert refusal(events) is None
    assert story.person(account).minor("spot", "USDT") == 0


def test_s11_a_market_sale_by_amount_holds_the_lots_it_would_sell(story: Story) -> None:
    """100 USDT at 50,000 are 0.002 BTC, at 0.001 in the wallet too many."""
    story.buy(trader(story), BTC, "1", "50000")
    account = story.account(spot_BTC="0.001")
    events = story.sell(account, BTC, type=OrderType.MARKET, quote_minor=units("100"))
    assert refusal(events) is Reason.INSUFFICIENT_BALANCE
    events = story.sell(account, BTC, type=OrderType.MARKET, quote_minor=units("50"))
    assert refusal(events) is None
    assert story.person(account).minor("spot", "BTC") == 0


def test_s10_with_fees_in_quote_a_buy_holds_its_fee_as_well() -> None:
    """0.1 at 50,000 and 0.1 % of it: 5,005."""
    story = Story(small_venue(fees=FeeSchedule(spot_in_quote=True)))
    account = story.account(spot_USDT="5004.99999999")
    assert refusal(story.buy(account, BTC, "0.1", "50000")) is Reason.INSUFFICIENT_BALANCE
    story.deposit(account, "spot", "USDT", "0.00000001")
    assert refusal(story.buy(account, BTC, "0.1", "50000")) is None
    assert _locked(story, account, "spot", "USDT") == units("5005")


@pytest.mark.parametrize("free", ["0", "0.00000001", "1", "5005", "123.45678901"])
def test_what_is_affordable_leaves_room_for_its_fee(free: str) -> None:
    """The largest cost whose fee of 0.1 %, rounded up, still fits; never below nothing."""
    story = Story(small_venue(fees=FeeSchedule(spot_in_quote=True)))
    cost = affordable(story.engine.risk, units(free))
    fee = -(-cost // 1_000)
    assert cost >= 0
    assert cost + fee <= units(free)
    assert units(free) - cost - fee <= 2


def test_m6_a_margin_buy_borrows_exactly_what_is_missing(story: Story) -> None:
    """Need 2,500, free 1,000: 1,500, less what another order holds already."""
    account = story.account(margin_USDT="1000")
    story.buy(account, BTC, "0.01", "40000", wallet=MARGIN)
    assert _locked(story, account, MARGIN, "USDT") == units("400")
    events = story.buy(account, BTC, "0.05", "50000", wallet=MARGIN, side_effect=1)
    (loan,) = of(events, LoanChanged)
    assert loan.borrowed_minor == units("1900")
    assert _locked(story, account, MARGIN, "USDT") == units("2900")


def test_m6_a_short_sale_borrows_the_coins_it_lacks(story: Story) -> None:
    account = story.account(margin_USDT="10000", margin_BTC="0.01")
    events = story.sell(account, BTC, "0.05", "50000", wallet=MARGIN, side_effect=1)
    (loan,) = of(events, LoanChanged)
    assert (loan.asset, loan.borrowed_minor) == ("BTC", units("0.04"))


def test_m6_without_the_side_effect_nothing_is_borrowed(story: Story) -> None:
    account = story.account(margin_USDT="1000")
    for side_effect in (0, 2):
        events = story.buy(account, BTC, "0.05", "50000", wallet=MARGIN, side_effect=side_effect)
        assert refusal(events) is Reason.INSUFFICIENT_BALANCE
    assert not story.person(account).loans


def test_m6_a_loan_that_is_refused_refuses_the_order(story: Story) -> None:
    """3x on 1,000 borrows 2,000 at most: an order of 3,000.5 needs 0.5 more."""
    account = story.account(margin_USDT="1000")
    events = story.buy(account, BTC, "0.06001", "50000", wallet=MARGIN, side_effect=1)
    assert refusal(events) is Reason.COLLATERAL_TOO_LOW
    assert refusal(story.buy(account, BTC, "0.06", "50000", wallet=MARGIN, side_effect=1)) is None


@pytest.mark.parametrize(
    ("symbol", "fields", "reason"),
    [
        (BTC, {"wallet": "perp"}, Reason.COMBINATION_NOT_ALLOWED),
        (BTC, {"reduce_only": True}, Reason.COMBINATION_NOT_ALLOWED),
        (BTC, {"side_effect": 1}, Reason.SIDE_EFFECT_NOT_ALLOWED),
        (BTC, {"wallet": "isolated:ETH-USDT"}, Reason.ASSET_NOT_IN_WALLET),
        (BTC, {"wallet": "isolated:XYZ"}, Reason.UNKNOWN_WALLET),
        (BTC, {"wallet": "cellar"}, Reason.UNKNOWN_WALLET),
        (BTC_PERP, {"wallet": "spot"}, Reason.COMBINATION_NOT_ALLOWED),
        (BTC_PERP, {"wallet": MARGIN}, Reason.COMBINATION_NOT_ALLOWED),
    ],
)
def test_an_order_trades_from_a_wallet_that_fits_it(
    story: Story, symbol: str, fields: dict[str, Any], reason: Reason
) -> None:
    account = story.account(spot_USDT="1000", perp_USDT="1000")
    assert refusal(story.buy(account, symbol, "0.01", "50000", **fields)) is reason


# -- perpetuals --------------------------------------------------------------------------------


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


def test_m7_the_hour_at_borrowing_is_charged_even_if_the_order_never_fills(story: Story) -> None:
    account = story.account(**{f"{ISOLATED_BTC}_USDT": "1000"})
    story.buy(account, BTC, "0.04", "50000", wallet=ISOLATED_BTC, side_effect=1)
    loan = story.person(account).loans[ISOLATED_BTC, "USDT"]
    assert loan.interest_e18 == 10**16  # 1,000 x 0.001 %.
    story.wait(HOUR)
    assert loan.interest_e18 == 2 * 10**16
