"""Tests of M6: however an order that borrowed ends early, the loan it did not use is repaid."""

from __future__ import annotations

import pytest

from exchange.commands import AmendOrder, CancelOrder
from exchange.events import LiquidationEnded, OrderChanged
from matching.types import SelfTrade, TimeInForce
from tests.risk.stories import BTC, trader
from tests.story import Story, answer, of, refusal, small_venue, units

BORROW, BORROW_REPAY = 1, 3
WHOLE = "0.1"


@pytest.fixture
def story() -> Story:
    """Interest is charged from the next hour on, so that loans are what was borrowed."""
    return Story(small_venue(first_charge="next_hour"))


def _buyer(story: Story) -> int:
    """1,000 of one's own to spend, and 5,000 that stand behind loans."""
    return story.account("buyer", margin_USDT="1000", margin_ETH="2")


def _owed(story: Story, account: int, asset: str = "USDT") -> int:
    loan = story.person(account).loans.get(("margin", asset))
    return loan.principal_minor if loan else 0


@pytest.mark.parametrize("effect", [BORROW, BORROW_REPAY])
def test_m6_a_market_buy_whose_rest_expires_repays_what_it_did_not_use(
    story: Story, effect: int
) -> None:
    """5,000 to spend, 4,000 of it borrowed; 0.03 at 48,000 and 0.02 at 49,000 cost 2,420, own
    money first: 1,420 of the loan were used, 2,580 are repaid and nothing is left over."""
    seller = trader(story)
    story.sell(seller, BTC, "0.03", "48000")
    story.sell(seller, BTC, "0.02", "49000")
    account = _buyer(story)
    wish = {"quote_minor": units("5000"), "wallet": "margin", "side_effect": effect}
    events = story.buy(account, BTC, **wish)
    assert refusal(events) is None
    assert of(events, OrderChanged)[-1].happening == "expired"
    assert _owed(story, account) == units("1420")
    assert story.person(account).minor("margin", "USDT") == 0
    assert not story.person(account).order_loans


def test_m6_a_market_buy_told_not_to_repay_keeps_its_loan(story: Story) -> None:
    story.sell(trader(story), BTC, "0.05", "49000")
    account = _buyer(story)
    wish = {"quote_minor": units("5000"), "wallet": "margin", "side_effect": BORROW}
    assert refusal(story.buy(account, BTC, auto_repay_at_cancel=False, **wish)) is None
    assert _owed(story, account) == units("4000")
    # 5,000 less 0.05 x 49,000 = 2,450.
    assert story.person(account).minor("margin", "USDT") == units("2550")


def test_m6_a_market_sale_whose_rest_expires_gives_the_coins_back(story: Story) -> None:
    """0.1 are borrowed, bids take 0.03 and 0.01: 0.06 go back, 0.04 are owed."""
    buyer = trader(story)
    story.buy(buyer, BTC, "0.03", "50000")
    story.buy(buyer, BTC, "0.01", "49900")
    account = story.account("short", margin_USDT="10000")
    assert refusal(story.sell(account, BTC, WHOLE, wallet="margin", side_effect=BORROW)) is None
    assert _owed(story, account, "BTC") == units("0.04")
    assert story.person(account).minor("margin", "BTC") == 0


def test_m6_an_ioc_buy_whose_rest_expires_repays_what_it_did_not_use(story: Story) -> None:
    """0.1 at 50,000 hold 5,000, 4,000 of it borrowed; 0.05 cost 2,450: 1,450 were used."""
    story.sell(trader(story), BTC, "0.05", "49000")
    account = _buyer(story)
    wish = {"tif": TimeInForce.IOC, "wallet": "margin", "side_effect": BORROW}
    assert refusal(story.buy(account, BTC, WHOLE, "50000", **wish)) is None
    assert _owed(story, account) == units("1450")
    assert story.person(account).minor("margin", "USDT") == 0


def test_m6_an_unfillable_fok_buy_repays_all_it_borrowed(story: Story) -> None:
    story.sell(trader(story), BTC, "0.05", "49000")
    account = _buyer(story)
    wish = {"tif": TimeInForce.FOK, "wallet": "margin", "side_effect": BORROW}
    events = story.buy(account, BTC, WHOLE, "50000", **wish)
    assert of(events, OrderChanged)[-1].happening == "expired"
    assert not story.person(account).loans
    assert story.person(account).minor("margin", "USDT") == units("1000")


def test_m6_a_taker_that_would_meet_its_owner_repays_what_it_did_not_use(story: Story) -> None:
    """0.03 at 49,000 cost 1,470, then its own order ends it: 470 of 4,000 were used."""
    story.sell(trader(story), BTC, "0.03", "49000")
    account = _buyer(story)
    story.deposit(account, "spot", "BTC", "1")
    story.sell(account, BTC, "0.05", "49500")
    wish = {"stp": SelfTrade.EXPIRE_TAKER, "wallet": "margin", "side_effect": BORROW}
    assert refusal(story.buy(account, BTC, WHOLE, "50000", **wish)) is None
    assert _owed(story, account) == units("470")


def test_m6_a_maker_that_its_owner_meets_repays_what_it_did_not_use(story: Story) -> None:
    """0.02 of the resting 0.1 at 50,000 cost 1,000, all of it one's own; then an order of its
    owner expires the rest of it: the whole loan goes back."""
    account = _buyer(story)
    story.deposit(account, "spot", "BTC", "1")
    wish = {"wallet": "margin", "side_effect": BORROW}
    assert refusal(story.buy(account, BTC, WHOLE, "50000", **wish)) is None
    assert _owed(story, account) == units("4000")
    story.sell(trader(story), BTC, "0.02", "50000")
    story.sell(account, BTC, "0.5", "50000", stp=SelfTrade.EXPIRE_MAKER)
    assert not story.person(account).loans
    assert story.person(account).minor("margin", "USDT") == 0


def test_m6_an_order_that_took_and_then_rested_repays_at_its_cancel(story: Story) -> None:
    """0.05 at 49,000 cost 2,450 as a taker; 0.05 rest and are cancelled: 1,450 were used."""
    story.sell(trader(story), BTC, "0.05", "49000")
    account = _buyer(story)
    wish = {"wallet": "margin", "side_effect": BORROW}
    assert refusal(story.buy(account, BTC, WHOLE, "50000", **wish)) is None
    assert _owed(story, account) == units("4000")
    (order,) = story.person(account).orders.values()
    story.ok(CancelOrder, account_id=account, order_id=order.order_id)
    assert _owed(story, account) == units("1450")


def test_m6_a_liquidation_cancels_and_repays_and_may_end_with_that(story: Story) -> None:
    """4,900 borrowed for an order that rests, on 2 ETH: at 240 that is 5,380 over 4,900, less than
    1.1. The order is cancelled, all 4,900 are repaid, and the coins stay (M10.1)."""
    account = story.account("maker", margin_ETH="2")
    wish = {"wallet": "margin", "side_effect": BORROW}
    assert refusal(story.buy(account, BTC, WHOLE, "49000", **wish)) is None
    assert _owed(story, account) == units("4900")
    events = story.index("ETH", "240")
    (ended,) = of(events, LiquidationEnded)
    assert ended.result == "restored"
    assert not story.person(account).loans
    assert not story.person(account).orders
    assert story.person(account).minor("margin", "ETH") == units("2")


def test_m6_an_order_that_a_self_trade_cut_repays_what_it_did_not_use(story: Story) -> None:
    """0.1 at 50,000 hold 5,000, 4,000 of it borrowed. 0.06 meet an order of one's own and are
    prevented, the other 0.04 are bought for 2,000: 1,000 of the loan were used."""
    account = _buyer(story)
    story.deposit(account, "spot", "BTC", "1")
    story.sell(account, BTC, "0.06", "49500")
    story.sell(trader(story), BTC, "0.04", "50000")
    wish = {"stp": SelfTrade.DECREMENT, "wallet": "margin", "side_effect": BORROW}
    events = story.buy(account, BTC, WHOLE, "50000", **wish)
    assert of(events, OrderChanged)[-1].happening == "filled"
    assert _owed(story, account) == units("1000")
    assert story.person(account).minor("margin", "USDT") == 0


def test_m6_a_resting_order_that_a_self_trade_cut_repays_at_its_end(story: Story) -> None:
    """0.06 of the resting 0.1 are prevented, then 0.04 are sold to it: 1,000 were used."""
    account = _buyer(story)
    story.deposit(account, "spot", "BTC", "1")
    wish = {"wallet": "margin", "side_effect": BORROW}
    assert refusal(story.buy(account, BTC, WHOLE, "50000", **wish)) is None
    story.sell(account, BTC, "0.06", "50000", stp=SelfTrade.DECREMENT)
    story.sell(trader(story), BTC, "0.04", "50000")
    assert _owed(story, account) == units("1000")
    assert story.person(account).minor("margin", "USDT") == 0


def test_m6_a_filled_order_keeps_what_a_better_price_saved(story: Story) -> None:
    """0.1 at 49,000 cost 4,900 of the 5,000 held: it did not end early, so nothing is repaid."""
    story.sell(trader(story), BTC, WHOLE, "49000")
    account = _buyer(story)
    wish = {"wallet": "margin", "side_effect": BORROW}
    assert refusal(story.buy(account, BTC, WHOLE, "50000", **wish)) is None
    assert _owed(story, account) == units("4000")


def test_m6_an_order_that_shrinks_repays_what_it_needs_no_more(story: Story) -> None:
    """0.1 at 50,000 hold 5,000, 4,000 of it borrowed; 0.05 need 2,500: 2,500 go back at once, and
    the other 1,500 once it is cancelled."""
    account = _buyer(story)
    wish = {"wallet": "margin", "side_effect": BORROW}
    order_id = answer(story.buy(account, BTC, WHOLE, "50000", **wish)).result_id
    story.ok(AmendOrder, account_id=account, order_id=order_id, lots=5_000)
    assert _owed(story, account) == units("1500")
    assert story.person(account).free("margin", "USDT") == 0
    story.ok(CancelOrder, account_id=account, order_id=order_id)
    assert not story.person(account).loans
    assert story.person(account).minor("margin", "USDT") == units("1000")
