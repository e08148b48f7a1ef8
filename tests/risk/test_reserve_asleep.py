"""Tests of what an order holds while it sleeps (S11, M6)."""

from __future__ import annotations

from typing import Any

import pytest

from matching.reasons import Reason
from matching.types import Order, OrderType, Side, Status
from risk.account import PERP, Account
from risk.reserve_asleep import reserve_asleep
from risk.reserve_spot import BORROW_EFFECTS, asleep_hold_ticks, rehold
from tests.story import Story, units

BTC = "BTC-USDT"


@pytest.fixture
def story() -> Story:
    return Story()


def stop(story: Story, account_id: int, **more: Any) -> Order:
    """A stop to buy 0.1 BTC at the market once 50,000 is traded."""
    fields: dict[str, Any] = {
        "order_id": 900,
        "account_id": account_id,
        "symbol": BTC,
        "side": Side.BUY,
        "type": OrderType.STOP,
        "price_ticks": 0,
        "lots": 10_000,
        "trigger_ticks": 5_000_000,
    }
    order = Order(**(fields | more))
    order.status = Status.PENDING_TRIGGER
    order.hold_ticks = asleep_hold_ticks(story.engine.risk, order)
    return order


def someone(story: Story, **deposits: str) -> Account:
    return story.person(story.account(**deposits))


def test_s11_a_market_buy_holds_up_to_the_end_of_the_execution_range(story: Story) -> None:
    """0.1 x 50,000 x 1.1 is 5,500; at its own limit of 50,200 it is 5,020."""
    one = someone(story, spot_USDT="10520")
    market, limit = (
        stop(story, one.id),
        stop(story, one.id, type=OrderType.STOP_LIMIT, price_ticks=5_020_000),
    )
    for order, need in ((market, "5500"), (limit, "5020")):
        assert reserve_asleep(story.engine.risk, one, order) is None
        assert order.hold_minor == units(need)
    assert one.free("spot", "USDT") == 0
    assert (
        reserve_asleep(story.engine.risk, one, stop(story, one.id)) is Reason.INSUFFICIENT_BALANCE
    )


def test_s11_a_sale_holds_its_quantity(story: Story) -> None:
    one = someone(story, spot_BTC="0.1")
    assert reserve_asleep(story.engine.risk, one, stop(story, one.id, side=Side.SELL)) is None
    assert one.free("spot", "BTC") == 0


def test_a_perpetual_order_holds_nothing_but_knows_its_wallet(story: Story) -> None:
    one = someone(story)
    perp = {"symbol": "BTC-USDT-PERP", "trigger_ticks": 500_000, "lots": 100}
    order = stop(story, one.id, wallet=PERP, **perp)
    assert reserve_asleep(story.engine.risk, one, order) is None
    assert order.hold_minor == 0
    elsewhere = reserve_asleep(story.engine.risk, one, stop(story, one.id, wallet="spot", **perp))
    assert elsewhere is Reason.COMBINATION_NOT_ALLOWED


def test_m6_what_is_missing_is_borrowed_and_what_is_too_much_goes_back(story: Story) -> None:
    """1,500 of 5,500 are missing; then 4,200 are needed, and 1,300 of the loan come free."""
    one = someone(story, margin_USDT="4000")
    order = stop(story, one.id, wallet="margin", side_effect=BORROW_EFFECTS[0])
    risk = story.engine.risk
    assert reserve_asleep(risk, one, order) is None
    loan = one.loans["margin", "USDT"]
    assert (loan.principal_minor, one.order_loans) == (units("1500"), {900: units("1500")})
    assert rehold(risk, one, order, "USDT", units("4200")) is None
    assert order.hold_minor == units("4200")
    assert one.order_loans == {900: units("200")}
    assert loan.owed_minor < units("200.1")  # Interest first, so a little more than 200 is left.
    assert loan.owed_minor >= units("200")


def test_a_hold_that_shrinks_does_so_even_where_nothing_is_free(story: Story) -> None:
    one = someone(story, spot_USDT="5500")
    order = stop(story, one.id)
    reserve_asleep(story.engine.risk, one, order)
    assert rehold(story.engine.risk, one, order, "USDT", units("5000")) is None
    assert one.free("spot", "USDT") == units("500")
