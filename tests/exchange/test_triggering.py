"""Tests of stops and take-profits: asleep, woken, refused, changed (S4, P15, P16, A6, T11, T12)."""

from __future__ import annotations

from typing import Any

import pytest

from exchange.commands import AmendOrder, CancelAll, CancelOrder, ResetAccount, SetSymbolState
from exchange.events import OrderChanged, Traded
from matching.reasons import Reason
from matching.types import OrderType, Side, Status, TimeInForce
from tests.exchange.stops import MARK, SPOT, happenings, last_of, stop, trade
from tests.story import Story, answer, of, refusal, units


@pytest.fixture(name="story")
def _story() -> Story:
    return Story()


def locked(story: Story, account: int, asset: str) -> int:
    return story.person(account).pockets["spot", asset].locked


# -- on spot -----------------------------------------------------------------------------------


def test_s4_a_stop_sleeps_off_the_book_and_sells_once_its_price_is_traded(story: Story) -> None:
    one = story.account(spot_BTC="1")
    trade(story, "50000")
    placed = answer(stop(story, one, Side.SELL, "49900", "0.5")).result_id
    assert not story.engine.books[SPOT].orders
    assert last_of(story, placed).status is Status.PENDING_TRIGGER
    bidder = story.account(spot_USDT="100000")
    story.buy(bidder, SPOT, "0.5", "49850")
    assert happenings(trade(story, "49901"), one) == []
    events = trade(story, "49900")
    assert happenings(events, one) == ["triggered", "filled"]
    done = last_of(story, placed)
    assert (done.status, done.filled_lots, done.triggered_ms) == (
        Status.FILLED,
        50_000,
        story.now_ms,
    )


def test_s4_a_stop_on_the_wrong_side_of_the_last_trade_is_refused(story: Story) -> None:
    one = story.account(spot_BTC="1", spot_USDT="100000")
    trade(story, "50000")
    wrong = [
        stop(story, one, Side.SELL, "50000", "0.1"),
        stop(story, one, Side.BUY, "50000", "0.1"),
        stop(story, one, Side.SELL, "49999", "0.1", type=OrderType.TAKE_PROFIT),
        stop(story, one, Side.BUY, "50001", "0.1", type=OrderType.TAKE_PROFIT),
    ]
    assert [refusal(events) for events in wrong] == [Reason.WOULD_TRIGGER] * 4
    assert not story.person(one).orders


def test_s4_before_the_first_trade_any_trigger_may_wait(story: Story) -> None:
    one = story.account(spot_BTC="1")
    assert refusal(stop(story, one, Side.SELL, "60000", "0.1")) is None


def test_s11_what_a_spot_order_holds_while_it_sleeps(story: Story) -> None:
    """A sale its quantity; a limit buy 0.1 x 51,000; a market buy 0.1 x 50,500 x 1.1, up to the
    end of the execution range above its trigger."""
    one = story.account(spot_BTC="1", spot_USDT="100000")
    trade(story, "50000")
    stop(story, one, Side.SELL, "49000", "0.1")
    assert locked(story, one, "BTC") == units("0.1")
    limit = {"type": OrderType.STOP_LIMIT, "price": "51000"}
    stop(story, one, Side.BUY, "50500", "0.1", **limit)
    assert locked(story, one, "USDT") == units("5100")
    bought = answer(stop(story, one, Side.BUY, "50500", "0.1")).result_id
    assert locked(story, one, "USDT") == units("10655")  # 5,100 + 5,555
    story.ok(CancelOrder, account_id=one, order_id=bought)
    assert locked(story, one, "USDT") == units("5100")


def test_s11_a_stop_that_cannot_be_paid_is_refused_at_once(story: Story) -> None:
    one = story.account(spot_USDT="5554.99")
    trade(story, "50000")
    assert refusal(stop(story, one, Side.BUY, "50500", "0.1")) is Reason.INSUFFICIENT_BALANCE
    story.deposit(one, "spot", "USDT", "0.01")
    assert refusal(stop(story, one, Side.BUY, "50500", "0.1")) is None


def test_a_woken_market_buy_pays_what_it_costs_and_frees_the_rest(story: Story) -> None:
    one = story.account(spot_USDT="6000")
    trade(story, "50000")
    stop(story, one, Side.BUY, "50500", "0.1")
    seller = story.account(spot_BTC="1")
    story.sell(seller, SPOT, "0.1", "50600")
    trade(story, "50500")
    assert story.person(one).free("spot", "USDT") == units("940")  # 6,000 - 5,060
    assert locked(story, one, "USDT") == 0


def test_m6_what_a_stop_borrows_is_borrowed_at_placement_and_repaid_where_unused(
    story: Story,
) -> None:
    """It holds 5,555 with 5,000 there: 555 are borrowed. It costs 5,060: 495 of the loan go back
    when it wakes, and 60 with an hour's interest stay."""
    one = story.account(margin_USDT="5000")
    trade(story, "50000")
    stop(story, one, Side.BUY, "50500", "0.1", wallet="margin", side_effect=1)
    loan = story.person(one).loans["margin", "USDT"]
    assert loan.principal_minor == units("555")
    interest_e18 = loan.interest_e18
    seller = story.account(spot_BTC="1")
    story.sell(seller, SPOT, "0.1", "50600")
    trade(story, "50500")
    # Interest first (M8), rounded up to a unit.
    paid = -(-interest_e18 // 10**10)
    assert loan.principal_minor == units("60") + paid


def test_t12_a_market_stop_that_wakes_to_an_empty_book_expires(story: Story) -> None:
    one = story.account(spot_BTC="1")
    trade(story, "50000")
    placed = answer(stop(story, one, Side.SELL, "49900", "0.5")).result_id
    trade(story, "49900")
    done = last_of(story, placed)
    assert (done.status, done.reason) == (Status.EXPIRED, Reason.NO_LIQUIDITY)
    assert locked(story, one, "BTC") == 0


def test_t12_and_to_a_banded_book_too(story: Story) -> None:
    """S12b: it may sell down to 0.9 of 50,000; the bid at 44,000 is beyond."""
    one = story.account(spot_BTC="1")
    trade(story, "50000")
    placed = answer(stop(story, one, Side.SELL, "49900", "0.5")).result_id
    bidder = story.account(spot_USDT="100000")
    story.buy(bidder, SPOT, "0.5", "44000")
    trade(story, "49900")
    done = last_of(story, placed)
    assert (done.status, done.reason) == (Status.EXPIRED, Reason.EXECUTION_PRICE_RANGE)


def test_a_stop_limit_that_wakes_rests_at_its_price(story: Story) -> None:
    one = story.account(spot_BTC="1")
    trade(story, "50000")
    limit = {"type": OrderType.STOP_LIMIT, "price": "49950"}
    placed = answer(stop(story, one, Side.SELL, "49900", "0.5", **limit)).result_id
    assert happenings(trade(story, "49900"), one) == ["triggered", "accepted"]
    (resting,) = story.engine.books[SPOT].orders.values()
    assert (resting.order_id, resting.price_ticks) == (placed, 4_995_000)
    assert story.person(one).open_counts[SPOT] == 1
    story.ok(CancelOrder, account_id=one, order_id=placed)
    assert story.person(one).open_counts[SPOT] == 0


def test_t11_a_sweep_through_a_trigger_and_back_fires_it(story: Story) -> None:
    """One sale trades at 99 and a decrementing book brings the last price back above."""
    one, maker = story.account(spot_BTC="1"), story.account(spot_USDT="1000000")
    trade(story, "50000")
    stop(story, one, Side.SELL, "49900", "0.001")
    story.buy(maker, SPOT, "0.001", "49890")
    story.buy(maker, SPOT, "0.5", "49880")
    taker = story.account(spot_BTC="1")
    events = story.sell(taker, SPOT, "0.001", "49890")
    prices = [each.price_ticks for each in of(events, Traded)]
    assert prices == [4_989_000, 4_988_000]  # The taker's trade, then the stop it woke.
    assert happenings(events, one) == ["triggered", "filled"]


def test_t11_i12_stops_that_set_off_stops_fire_in_turn_and_once_each(story: Story) -> None:
    """Ten sellers' stops a dollar apart, a bid a dollar below each trigger: a cascade."""
    trade(story, "50000")
    bidder = story.account(spot_USDT="1000000")
    owners = []
    for step in range(10):
        owner = story.account(spot_BTC="1")
        owners.append(owner)
        stop(story, owner, Side.SELL, str(49_990 - step), "0.01")
        story.buy(bidder, SPOT, "0.01", str(49_989 - step))
    story.buy(bidder, SPOT, "0.001", "49990")
    seller = story.account(spot_BTC="1")
    events = story.sell(seller, SPOT, "0.001", "49990")
    woken = [each.account_id for each in of(events, OrderChanged) if each.happening == "triggered"]
    assert woken == owners
    assert story.engine.last_trade[SPOT][0] == 4_998_000  # 49,990 - 9 - 1


def test_a6_bounded_work_goes_on_in_slices(story: Story) -> None:
    """260 stops at one price: 256 in the command that woke them, the rest in the next slice."""
    trade(story, "50000")
    for _ in range(13):
        owner = story.account(spot_BTC="1")
        for _ in range(20):
            stop(story, owner, Side.SELL, "49900", "0.001")
    before = story.engine.seq
    bidder, seller = story.account(spot_USDT="100000"), story.account(spot_BTC="1")
    story.buy(bidder, SPOT, "0.001", "49900")
    assert not story.engine.pending_work
    before = story.engine.seq
    events = story.sell(seller, SPOT, "0.001", "49900")
    assert len([e for e in of(events, OrderChanged) if e.happening == "triggered"]) == 260
    assert story.engine.seq == before + 2  # The sale, and one Continue.


def test_a_stop_that_wakes_while_its_book_is_limit_only_is_turned_away(story: Story) -> None:
    one = story.account(spot_BTC="1")
    trade(story, "50000")
    placed = answer(stop(story, one, Side.SELL, "49900", "0.5")).result_id
    story.ok(SetSymbolState, symbol=SPOT, state="limit_only")
    events = trade(story, "49900")
    assert happenings(events, one) == ["triggered", "rejected"]
    assert last_of(story, placed).reason is Reason.SYMBOL_NOT_TRADING
    assert locked(story, one, "BTC") == 0


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"type": OrderType.LIMIT, "price": "50000"}, Reason.TRIGGER_NOT_ALLOWED),
        ({"trigger_ticks": 0}, Reason.TRIGGER_MISSING),
        ({"trigger": MARK}, Reason.COMBINATION_NOT_ALLOWED),
        ({"price_protect": True}, Reason.COMBINATION_NOT_ALLOWED),
        ({"close_position": True}, Reason.COMBINATION_NOT_ALLOWED),
        ({"price": "50000", "type": OrderType.STOP}, Reason.PRICE_NOT_ALLOWED),
        ({"type": OrderType.STOP_LIMIT}, Reason.PRICE_MISSING),
        ({"tif": TimeInForce.IOC}, Reason.COMBINATION_NOT_ALLOWED),
        ({"lots": 0, "quote_minor": 10**10}, Reason.COMBINATION_NOT_ALLOWED),
        ({"lots": 0}, Reason.QTY_MISSING),
        ({"lots": 1}, Reason.NOTIONAL_TOO_SMALL),
        ({"tif": TimeInForce.GTD}, Reason.EXPIRY_MISSING),
        ({"reduce_only": True}, Reason.COMBINATION_NOT_ALLOWED),
    ],
)
def test_a_spot_stop_that_makes_no_sense_is_refused(
    story: Story, wrong: dict[str, Any], reason: Reason
) -> None:
    one = story.account(spot_BTC="1")
    fields: dict[str, Any] = {"type": OrderType.STOP, "trigger_ticks": 4_990_000} | wrong
    price = fields.pop("price", "")
    events = story.place(one, Side.SELL, SPOT, "0.5", price, **fields)
    assert refusal(events) is (
        Reason.REDUCE_ONLY_WOULD_INCREASE if wrong.get("reduce_only") else reason
    )


def test_s9_at_most_twenty_sleep_on_one_instrument(story: Story) -> None:
    one = story.account(spot_BTC="1")
    for _ in range(20):
        assert refusal(stop(story, one, Side.SELL, "49900", "0.001")) is None
    assert refusal(stop(story, one, Side.SELL, "49900", "0.001")) is Reason.MAX_ALGO_ORDERS


def test_an_order_asleep_expires_at_its_date(story: Story) -> None:
    one = story.account(spot_BTC="1")
    dated = {"tif": TimeInForce.GTD, "expire_ms": story.now_ms + 5_000}
    placed = answer(stop(story, one, Side.SELL, "49900", "0.5", **dated)).result_id
    story.wait(5_000)
    done = last_of(story, placed)
    assert (done.status, done.reason) == (Status.EXPIRED, Reason.EXPIRED_BY_TIME)
    assert locked(story, one, "BTC") == 0


@pytest.mark.parametrize("kind", [CancelAll, ResetAccount])
def test_what_cancels_every_order_ends_those_asleep_too(story: Story, kind: type) -> None:
    one = story.account(spot_BTC="1")
    stop(story, one, Side.SELL, "49900", "0.5", client_id="mine")
    story.ok(kind, account_id=one)
    assert not story.person(one).orders
    assert not story.person(one).asleep
    assert not story.engine.trading.triggers[SPOT].orders
    assert refusal(stop(story, one, Side.SELL, "49900", "0.5")) in (
        None,
        Reason.INSUFFICIENT_BALANCE,  # A reset took the coins.
    )


# -- amending ----------------------------------------------------------------------------------


def test_an_order_asleep_is_amended_in_place(story: Story) -> None:
    one = story.account(spot_BTC="1")
    trade(story, "50000")
    placed = answer(stop(story, one, Side.SELL, "49900", "0.5")).result_id
    story.ok(AmendOrder, account_id=one, order_id=placed, lots=70_000, trigger_ticks=4_980_000)
    assert locked(story, one, "BTC") == units("0.7")
    assert happenings(trade(story, "49900"), one) == []
    assert happenings(trade(story, "49800"), one) == ["triggered", "expired"]
    assert last_of(story, placed).lots == 70_000


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"trigger_ticks": 5_000_000}, Reason.WOULD_TRIGGER),
        ({"lots": 100_001}, Reason.INSUFFICIENT_BALANCE),
        ({"price_ticks": 4_900_000}, Reason.PRICE_NOT_ALLOWED),
        ({"lots": 50_000}, Reason.NOTHING_TO_AMEND),
        ({}, Reason.NOTHING_TO_AMEND),
    ],
)
def test_an_amendment_that_is_refused_changes_nothing(
    story: Story, change: dict[str, int], reason: Reason
) -> None:
    one = story.account(spot_BTC="1")
    trade(story, "50000")
    placed = answer(stop(story, one, Side.SELL, "49900", "0.5")).result_id
    before = story.engine.trading.triggers[SPOT].state()
    refused = story.do(AmendOrder, account_id=one, order_id=placed, **change)
    assert refusal(refused) is reason
    assert story.engine.trading.triggers[SPOT].state() == before
    assert locked(story, one, "BTC") == units("0.5")


def test_an_order_that_woke_has_no_trigger_to_amend(story: Story) -> None:
    one = story.account(spot_BTC="1")
    placed = answer(story.sell(one, SPOT, "0.5", "50000")).result_id
    change = story.do(AmendOrder, account_id=one, order_id=placed, trigger_ticks=4_900_000)
    assert refusal(change) is Reason.TRIGGER_NOT_ALLOWED
