"""The legs of an OCO (S5, M6): what they hold together, and what a leg that wakes takes over."""

from __future__ import annotations

from typing import Any

import pytest

from exchange.commands import CancelOrder, PlaceOrder
from exchange.events import LoanChanged
from exchange.pairing import refuse_crossed, refuse_pair, target_of
from matching.lists import ListKind
from matching.reasons import Reason
from matching.types import OrderType, Side
from tests.exchange.stops import PERP, SPOT, trade
from tests.exchange.test_list_placing import limit_maker, place, stop
from tests.story import Story, again, of, refusal, standing, units

MARGIN: dict[str, Any] = {"wallet": "margin", "side_effect": 1}


@pytest.fixture
def story() -> Story:
    story = Story()
    trade(story, "50000")
    return story


def borrowed(story: Story, account: int) -> list[int]:
    """What was borrowed, loan by loan."""
    told = of(story.events, LoanChanged)
    return [each.borrowed_minor for each in told if each.account_id == account]


def owed(story: Story, account: int, asset: str) -> int:
    loan = story.person(account).loans.get(("margin", asset))
    return loan.principal_minor if loan else 0


def test_m6_a_stop_that_wakes_does_not_borrow_what_the_limit_borrowed(story: Story) -> None:
    owner = story.account(margin_USDT="100000")
    legs = (
        limit_maker(story, owner, Side.SELL, "52000", **MARGIN),
        stop(story, owner, Side.SELL, "48000", **MARGIN),
    )
    assert refusal(place(story, owner, ListKind.OCO, *legs)) is None
    assert borrowed(story, owner) == [units("1")]
    assert standing(again(story.engine)) == standing(story.engine)
    story.buy(story.account(spot_USDT="100000"), SPOT, "1", "47900")
    trade(story, "48000")
    assert borrowed(story, owner) == [units("1")]  # Neither repaid nor borrowed anew.
    assert owed(story, owner, "BTC") == units("1")
    assert story.person(owner).minor("margin", "BTC") == 0
    assert not story.person(owner).order_loans


def test_m6_a_stop_that_needs_more_than_the_limit_borrows_the_difference_once(
    story: Story,
) -> None:
    """48,000 for the limit, 53,000 for the stop, 40,000 of one's own: 13,000 are borrowed."""
    owner = story.account(margin_USDT="40000", margin_BTC="1")
    dear = stop(story, owner, Side.BUY, "52000", type=OrderType.STOP_LIMIT, price="53000", **MARGIN)
    cheap = limit_maker(story, owner, Side.BUY, "48000", **MARGIN)
    assert refusal(place(story, owner, ListKind.OCO, cheap, dear)) is None
    assert borrowed(story, owner) == [units("13000")]
    trade(story, "52000")
    assert borrowed(story, owner) == [units("13000")]
    (rests,) = story.person(owner).orders.values()
    assert rests.hold_minor == units("53000")
    assert story.person(owner).order_loans == {rests.order_id: units("13000")}
    story.ok(CancelOrder, account_id=owner, order_id=rests.order_id)
    # The first hour of 13,000 at 0.00001 is paid first: 0.13 stay owed.
    assert owed(story, owner, "USDT") == units("0.13")


def test_m6_a_cheaper_stop_that_wakes_repays_what_only_the_limit_needed(story: Story) -> None:
    """A take-profit that holds its range above 48,000 beside a stop that costs 52,100."""
    owner = story.account(margin_USDT="40000", margin_BTC="1")
    dear = stop(story, owner, Side.BUY, "52000", type=OrderType.STOP_LIMIT, price="53000", **MARGIN)
    gain = stop(
        story, owner, Side.BUY, "48000", type=OrderType.TAKE_PROFIT_LIMIT, price="47000", **MARGIN
    )
    assert refusal(place(story, owner, ListKind.OCO, gain, dear)) is None
    assert borrowed(story, owner) == [units("13000")]
    trade(story, "48000")
    (rests,) = story.person(owner).orders.values()
    assert rests.hold_minor == units("47000")
    # 53,000 were held and 47,000 are needed: 6,000 go back, and 7,000 stay borrowed.
    assert story.person(owner).order_loans == {rests.order_id: units("7000")}
    assert standing(again(story.engine)) == standing(story.engine)


def test_s5_a_sale_has_its_limit_above_its_stop_and_a_buy_below(story: Story) -> None:
    for side, limit_at, stop_at in (
        (Side.SELL, "52000", "48000"),
        (Side.BUY, "48000", "52000"),
    ):
        limit = limit_maker(story, 100, side, limit_at)
        loss = stop(story, 100, side, stop_at)
        assert refuse_pair(limit, loss) is None
        assert target_of(limit) == limit.price_ticks
        crossed = limit_maker(story, 100, side, stop_at)
        assert refuse_crossed(crossed, stop(story, 100, side, limit_at)) is (
            Reason.LIST_PRICES_CROSSED
        )


def test_p8_a_stop_of_a_perpetual_that_wakes_leaves_no_margin_behind(story: Story) -> None:
    """The limit leg rests and holds margin; what is counted for it goes when the stop wakes."""
    owner = story.account(perp_USDT="90000")
    legs: tuple[PlaceOrder, ...] = (
        limit_maker(story, owner, Side.SELL, "50500", symbol=PERP, wallet="perp", qty="0.010"),
        stop(story, owner, Side.SELL, "49500", symbol=PERP, wallet="perp", qty="0.010"),
    )
    assert refusal(place(story, owner, ListKind.OCO, *legs)) is None
    trade(story, "49400", PERP)  # Every command is followed by a check of what orders hold (I5).
    assert not story.person(owner).open_perp
