"""Tests of cancelling: one order, all, one for another (S7), and because a countdown ran out."""

from __future__ import annotations

from typing import Any

import pytest

from exchange.commands import (
    ALLOW_FAILURE,
    STOP_ON_FAILURE,
    CancelAll,
    CancelOrder,
    CancelReplace,
    PlaceOrder,
    ResetAccount,
    SetCountdown,
    SetSymbolState,
)
from exchange.events import AnyEvent, OrderChanged
from matching.reasons import Reason
from matching.types import OrderType, Side
from tests.story import Story, again, answer, of, refusal, standing

SPOT, PERP = "BTC-USDT", "BTC-USDT-PERP"


@pytest.fixture
def story() -> Story:
    """BTC at 50,000."""
    found = Story()
    found.index("BTC", "50000")
    return found


@pytest.fixture
def me(story: Story) -> int:
    return story.account(spot_USDT="1000", perp_USDT="1000")


def bid(story: Story, account_id: int, price: str, qty: str = "0.01", **more: Any) -> int:
    """A bid of 0.01 at 49,000 holds 490 of the 1,000."""
    events = story.buy(account_id, SPOT, qty, price, **more)
    assert refusal(events) is None
    return answer(events).result_id


def wish(story: Story, account_id: int, price: str, qty: str = "0.01", **more: Any) -> PlaceOrder:
    """What `bid` would place."""
    instrument = story.engine.instruments[more.get("symbol", SPOT)]
    lots, ticks = instrument.lots(qty), instrument.ticks(price)
    assert isinstance(lots, int)
    assert isinstance(ticks, int)
    fields: dict[str, Any] = {"symbol": SPOT, "side": Side.BUY, "lots": lots, "price_ticks": ticks}
    return PlaceOrder(account_id=account_id, **(fields | more))


def replace(
    story: Story, place: PlaceOrder, order_id: int, mode: int = STOP_ON_FAILURE, **more: Any
) -> list[AnyEvent]:
    fields: dict[str, Any] = {"order_id": order_id, "mode": mode, "place": place}
    return story.do(CancelReplace, account_id=place.account_id, **(fields | more))


def told(events: list[AnyEvent]) -> list[tuple[int, str]]:
    return [(each.order_id, each.happening) for each in of(events, OrderChanged)]


# -- one order for another ---------------------------------------------------------------------


@pytest.mark.parametrize("mode", [STOP_ON_FAILURE, ALLOW_FAILURE])
def test_s7_the_old_order_is_cancelled_and_what_it_held_pays_for_the_new(
    story: Story, me: int, mode: int
) -> None:
    """490 of 1,000 are held; the new order needs 980, which is there once the old one is gone."""
    old = bid(story, me, "49000")
    events = replace(story, wish(story, me, "49000", "0.02"), old, mode)
    new = answer(events).result_id
    assert refusal(events) is None
    assert told(events) == [(old, "cancelled"), (new, "accepted")]
    assert list(story.person(me).orders) == [new]


@pytest.mark.parametrize("mode", [STOP_ON_FAILURE, ALLOW_FAILURE])
def test_s7_if_the_new_order_is_refused_the_cancellation_stands(
    story: Story, me: int, mode: int
) -> None:
    old = bid(story, me, "49000")
    events = replace(story, wish(story, me, "49000", "0.1"), old, mode)
    assert refusal(events) is Reason.INSUFFICIENT_BALANCE
    assert answer(events).details["rule"] == "S11"
    assert "cancel_refused" not in answer(events).details
    assert told(events) == [(old, "cancelled")]
    assert not story.person(me).orders


def test_where_it_stops_on_failure_nothing_is_placed_without_a_cancellation(
    story: Story, me: int
) -> None:
    before = standing(story.engine)
    events = replace(story, wish(story, me, "49000"), 999)
    assert refusal(events) is Reason.CANCEL_REPLACE_STOPPED
    assert answer(events).details == {"cancel_refused": "UNKNOWN_ORDER"}
    assert standing(story.engine) == before


def test_where_failure_is_allowed_the_new_order_is_placed_all_the_same(
    story: Story, me: int
) -> None:
    events = replace(story, wish(story, me, "49000"), 999, ALLOW_FAILURE)
    assert refusal(events) is None
    assert answer(events).details == {"cancel_refused": "UNKNOWN_ORDER"}
    assert told(events) == [(answer(events).result_id, "accepted")]


def test_where_both_fail_the_answer_has_the_numbers_of_the_one_and_the_reason_of_the_other(
    story: Story, me: int
) -> None:
    before = standing(story.engine)
    events = replace(story, wish(story, me, "49000", "0.1"), 999, ALLOW_FAILURE)
    assert refusal(events) is Reason.INSUFFICIENT_BALANCE
    details = answer(events).details
    assert (details["rule"], details["cancel_refused"]) == ("S11", "UNKNOWN_ORDER")
    assert standing(story.engine) == before


def test_an_order_is_replaced_by_its_client_id_and_the_whole_is_done_once(
    story: Story, me: int
) -> None:
    old = bid(story, me, "49000", client_id="old")
    asked = wish(story, me, "48000", client_id="new")
    events = replace(story, asked, 0, cancel_client_id="old")
    new = answer(events).result_id
    assert told(events) == [(old, "cancelled"), (new, "accepted")]
    repeated = replace(story, asked, 0, cancel_client_id="old")
    assert (answer(repeated).repeated, answer(repeated).result_id) == (True, new)
    assert told(repeated) == []
    other = replace(story, asked, new)
    assert refusal(other) is Reason.DUPLICATE_ID


def test_an_order_of_somebody_else_is_not_replaced(story: Story, me: int) -> None:
    other = story.account(spot_USDT="1000")
    theirs = bid(story, other, "49000")
    events = replace(story, wish(story, me, "49000"), theirs)
    assert refusal(events) is Reason.CANCEL_REPLACE_STOPPED
    assert list(story.person(other).orders) == [theirs]


def test_an_order_on_a_halted_book_is_not_replaced(story: Story, me: int) -> None:
    old = bid(story, me, "49000")
    story.ok(SetSymbolState, symbol=SPOT, state="halt")
    events = replace(story, wish(story, me, "48000"), old)
    assert answer(events).details == {"cancel_refused": "SYMBOL_NOT_TRADING"}


def test_s4_a_bid_gives_way_to_a_stop_and_a_stop_to_a_contract_with_its_leverage(
    story: Story, me: int
) -> None:
    old = bid(story, me, "49000")
    stop = wish(
        story, me, "51100", type=OrderType.STOP_LIMIT,
        trigger_ticks=story.engine.instruments[SPOT].ticks("51000"),
    )  # fmt: skip
    events = replace(story, stop, old)
    asleep = answer(events).result_id
    assert told(events) == [(old, "cancelled"), (asleep, "accepted")]
    assert story.person(me).orders[asleep].is_asleep
    place = wish(story, me, "50000", symbol=PERP, wallet="perp", leverage=20)
    events = replace(story, place, asleep)
    assert told(events) == [(asleep, "cancelled"), (answer(events).result_id, "accepted")]
    assert story.person(me).settings[PERP].leverage == 20


# -- all of them -------------------------------------------------------------------------------


def test_one_cancels_by_id_or_client_id_and_nobody_elses(story: Story, me: int) -> None:
    first, second = bid(story, me, "49000", client_id="mine"), bid(story, me, "48000")
    other = story.account()
    assert refusal(story.do(CancelOrder, account_id=other, order_id=first)) is Reason.UNKNOWN_ORDER
    events = story.ok(CancelOrder, account_id=me, client_id="mine")
    assert answer(events).result_id == first
    assert answer(story.ok(CancelOrder, account_id=me, order_id=second)).result_id == second


def test_s13_all_are_cancelled_but_those_on_a_halted_book(story: Story, me: int) -> None:
    bid(story, me, "49000")
    story.buy(me, PERP, "0.001", "49000")
    story.ok(SetSymbolState, symbol=SPOT, state="halt")
    assert answer(story.ok(CancelAll, account_id=me)).result_id == 1
    assert {order.symbol for order in story.person(me).orders.values()} == {SPOT}
    assert refusal(story.do(CancelAll, account_id=me, symbol="X")) is Reason.UNKNOWN_SYMBOL


# -- countdowns --------------------------------------------------------------------------------


def test_a_countdown_that_ran_out_cancels_and_says_why(story: Story, me: int) -> None:
    mine = bid(story, me, "49000")
    contract = answer(story.buy(me, PERP, "0.001", "49000")).result_id
    story.ok(SetCountdown, account_id=me, countdown_ms=5_000)
    events = story.ok(CancelAll, account_id=me, countdown_ms=5_000)
    assert answer(events).result_id == 2
    ended = of(events, OrderChanged)
    assert [each.order_id for each in ended] == [mine, contract]
    assert {each.reason for each in ended} == {Reason.CANCEL_ALL_AFTER}
    assert story.engine.trading.countdowns.of(me) == {}


def test_that_of_a_symbol_leaves_the_others_alone(story: Story, me: int) -> None:
    bid(story, me, "49000")
    contract = answer(story.buy(me, PERP, "0.001", "49000")).result_id
    story.ok(SetCountdown, account_id=me, symbol=SPOT, countdown_ms=5_000)
    story.ok(CancelAll, account_id=me, symbol=SPOT, countdown_ms=5_000)
    assert list(story.person(me).orders) == [contract]
    assert refusal(story.do(SetCountdown, account_id=me, symbol="X", countdown_ms=1)) is (
        Reason.UNKNOWN_SYMBOL
    )


def test_one_that_was_set_anew_or_ended_meanwhile_cancels_nothing(story: Story, me: int) -> None:
    bid(story, me, "49000")
    story.ok(SetCountdown, account_id=me, countdown_ms=5_000)
    story.ok(SetCountdown, account_id=me, countdown_ms=9_000)
    assert answer(story.ok(CancelAll, account_id=me, countdown_ms=5_000)).result_id == 0
    story.ok(SetCountdown, account_id=me, countdown_ms=0)
    assert answer(story.ok(CancelAll, account_id=me, countdown_ms=9_000)).result_id == 0
    assert len(story.person(me).orders) == 1


def test_s13_it_cancels_on_a_halted_book_too_for_nobody_will_when_it_opens(
    story: Story, me: int
) -> None:
    bid(story, me, "49000")
    story.ok(SetCountdown, account_id=me, countdown_ms=5_000)
    story.ok(SetSymbolState, symbol=SPOT, state="halt")
    assert answer(story.ok(CancelAll, account_id=me, countdown_ms=5_000)).result_id == 1
    assert not story.person(me).orders


def test_a_countdown_survives_a_restart(story: Story, me: int) -> None:
    story.ok(SetCountdown, account_id=me, countdown_ms=5_000)
    story.ok(SetCountdown, account_id=me, symbol=SPOT, countdown_ms=4_000)
    twin = again(story.engine)
    assert twin.digest() == story.engine.digest()
    assert twin.trading.countdowns.of(me) == {"": 5_000, SPOT: 4_000}
    assert twin.trading.countdowns.next_ms == 4_000


def test_a_reset_disarms_the_countdowns_of_the_account_alone(story: Story) -> None:
    me, other = story.account(spot_USDT="100000"), story.account()
    for account_id, symbol in ((me, ""), (me, SPOT), (other, "")):
        story.ok(SetCountdown, account_id=account_id, symbol=symbol, countdown_ms=5_000)
    story.ok(ResetAccount, account_id=me)
    countdowns = story.engine.trading.countdowns
    assert (countdowns.of(me), countdowns.of(other)) == ({}, {"": 5_000})
    assert again(story.engine).digest() == story.engine.digest()


def test_all_orders_of_one_wallet_are_cancelled_and_the_others_stay(story: Story, me: int) -> None:
    order_id = bid(story, me, "49000")
    open_orders = story.engine.risk.accounts[me].orders
    assert answer(story.ok(CancelAll, account_id=me, wallet="margin")).result_id == 0
    assert list(open_orders) == [order_id]
    assert answer(story.ok(CancelAll, account_id=me, wallet="spot")).result_id == 1
    assert not open_orders
