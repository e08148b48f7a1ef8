"""Brackets on the engine (S5, P16, T21): exits that come with an order, for what it brings."""

from __future__ import annotations

from typing import Any

import pytest

from exchange.commands import (
    CancelAll,
    CancelOrder,
    Exit,
    ResetAccount,
    SetLeverage,
    SetPositionMode,
)
from exchange.engine import Engine
from exchange.events import AnyEvent, OrderListChanged
from matching.lists import LegStatus, ListKind, ListStatus
from matching.reasons import Reason
from matching.types import (
    Order,
    OrderType,
    Side,
    Status,
    TimeInForce,
    TradingState,
    TriggerSource,
)
from tests.exchange.stops import MARK, PERP, SPOT, last_of, trade
from tests.story import Story, again, answer, of, refusal, standing, units, venue_with

PENDING, OPEN, MOVED, FILLED, ENDED, REJECTED, PART_FILLED = LegStatus


@pytest.fixture
def story() -> Story:
    story = Story()
    trade(story, "50000")
    return story


def exits(story: Story, gain: str = "", loss: str = "", **more: Any) -> dict[str, Any]:
    """A take-profit at the market from one price, a stop-loss from another."""
    symbol = more.pop("symbol", SPOT)
    found: dict[str, Any] = {}
    for name, at in (("take_profit", gain), ("stop_loss", loss)):
        if at:
            ticks = story.engine.instruments[symbol].ticks(at)
            assert isinstance(ticks, int), ticks
            found[name] = Exit(ticks, **more)
    return found


def told(events: list[AnyEvent]) -> OrderListChanged:
    return of(events, OrderListChanged)[-1]


def legs_of(events: list[AnyEvent]) -> list[LegStatus]:
    return [status for _, _, status in told(events).legs]


def open_of(story: Story, account: int) -> list[Order]:
    return list(story.person(account).orders.values())


def kept(engine: Engine) -> bool:
    """Whether nothing is lost where the venue starts anew."""
    return standing(again(engine)) == standing(engine)


def entry(story: Story, qty: str = "1", price: str = "49000", **more: Any) -> tuple[int, int]:
    """Somebody with a resting buy that brings both exits; the account and the order."""
    owner = story.account(spot_USDT="100000")
    both = exits(story, "55000", "48500")
    events = story.buy(owner, SPOT, qty, price, **both, **more)
    assert refusal(events) is None
    assert legs_of(events) == [OPEN, PENDING, PENDING]
    return owner, answer(events).result_id


# -- on spot -----------------------------------------------------------------------------------


def test_t21_the_exits_sell_what_was_bought_less_the_fee_paid_in_it(story: Story) -> None:
    owner, _ = entry(story)
    events = story.sell(story.account(spot_BTC="1"), SPOT, "1", "49000")
    assert legs_of(events) == [FILLED, OPEN, OPEN]
    gain, loss = open_of(story, owner)
    assert (gain.type, loss.type) == (OrderType.TAKE_PROFIT, OrderType.STOP)
    # 1 BTC less 0.1 % is 0.999.
    assert [each.lots for each in (gain, loss)] == [
        story.engine.instruments[SPOT].lots("0.999")
    ] * 2
    assert story.person(owner).free("spot", "BTC") == 0
    assert kept(story.engine)


def test_s5_the_stop_loss_of_a_bracket_ends_its_take_profit(story: Story) -> None:
    owner, _ = entry(story)
    story.sell(story.account(spot_BTC="1"), SPOT, "1", "49000")
    story.buy(story.account(spot_USDT="100000"), SPOT, "1", "48000")
    events = trade(story, "48500")
    assert (told(events).status, legs_of(events)) == (ListStatus.DONE, [FILLED, ENDED, FILLED])
    assert story.person(owner).minor("spot", "BTC") == 0
    assert not story.engine.trading.lists.by_id


def test_s5_a_market_entry_has_its_exits_within_the_same_command(story: Story) -> None:
    story.sell(story.account(spot_BTC="1"), SPOT, "1", "50000")
    owner = story.account(spot_USDT="100000")
    both = exits(story, "55000", "45000")
    events = story.buy(owner, SPOT, quote_minor=units("25000"), **both)
    order = last_of(story, answer(events).result_id)
    assert (order.status, legs_of(events)) == (Status.FILLED, [FILLED, OPEN, OPEN])
    # 25,000 buy 0.5, of which 0.0005 are the fee: 0.4995, in lots of 0.00001.
    assert [each.lots for each in open_of(story, owner)] == [49_950, 49_950]


def test_s5_one_exit_alone_hangs_on_its_entry(story: Story) -> None:
    story.sell(story.account(spot_BTC="1"), SPOT, "1", "50000")
    owner = story.account(spot_USDT="100000")
    events = story.buy(owner, SPOT, "1", "50000", **exits(story, loss="45000"))
    assert (told(events).kind, told(events).bracket) == (ListKind.OTO, True)
    (loss,) = open_of(story, owner)
    assert (loss.type, loss.side) == (OrderType.STOP, Side.SELL)


def test_s5_exits_may_be_limits(story: Story) -> None:
    story.sell(story.account(spot_BTC="1"), SPOT, "1", "50000")
    owner = story.account(spot_USDT="100000")
    loss = Exit(trigger_ticks=4_500_000, price_ticks=4_490_000)
    story.buy(owner, SPOT, "1", "50000", **exits(story, "55000") | {"stop_loss": loss})
    gain, limited = open_of(story, owner)
    assert (gain.type, limited.type) == (OrderType.TAKE_PROFIT, OrderType.STOP_LIMIT)
    assert limited.price_ticks == 4_490_000


def test_s5_exits_die_with_an_entry_that_was_not_filled(story: Story) -> None:
    owner, order_id = entry(story)
    events = story.ok(CancelOrder, account_id=owner, order_id=order_id)
    assert (told(events).status, legs_of(events)) == (ListStatus.DONE, [ENDED, ENDED, ENDED])
    assert not open_of(story, owner)


def test_t21_exits_guard_the_part_that_was_filled_before_the_entry_ended(story: Story) -> None:
    owner, order_id = entry(story)
    events = story.sell(story.account(spot_BTC="1"), SPOT, "0.4", "49000")
    assert legs_of(events) == [MOVED, PENDING, PENDING]
    assert kept(story.engine)
    events = story.ok(CancelOrder, account_id=owner, order_id=order_id)
    assert legs_of(events) == [PART_FILLED, OPEN, OPEN]
    # 0.4 less 0.0004, in lots of 0.00001.
    assert [each.lots for each in open_of(story, owner)] == [39_960, 39_960]


@pytest.mark.parametrize("whole", [True, False])
def test_whoever_cancels_everything_gets_no_exits(story: Story, whole: bool) -> None:
    owner, _ = entry(story)
    story.sell(story.account(spot_BTC="1"), SPOT, "0.4", "49000")
    (list_id,) = story.engine.trading.lists.by_id
    if whole:
        events = story.ok(CancelAll, account_id=owner, symbol=SPOT)
    else:
        events = story.ok(CancelOrder, account_id=owner, list_id=list_id)
    assert (told(events).status, legs_of(events)) == (ListStatus.DONE, [PART_FILLED, ENDED, ENDED])
    assert not open_of(story, owner)


def test_an_account_that_starts_over_has_no_exits(story: Story) -> None:
    owner, _ = entry(story)
    story.sell(story.account(spot_BTC="1"), SPOT, "0.4", "49000")
    story.ok(ResetAccount, account_id=owner)
    assert not open_of(story, owner)
    assert not story.engine.trading.lists.by_id


def test_a_sweep_past_the_stop_loss_sets_it_off_at_once(story: Story) -> None:
    """One sale takes the entry and goes on to 48,400: the stop-loss at 48,500 is behind it."""
    owner, _ = entry(story)
    story.buy(story.account(spot_USDT="500000"), SPOT, "5", "48400")
    events = story.sell(story.account(spot_BTC="2"), SPOT, "2", "48400")
    assert (told(events).status, legs_of(events)) == (ListStatus.DONE, [FILLED, ENDED, FILLED])
    assert story.person(owner).minor("spot", "BTC") == 0


def test_s5_an_entry_that_may_wait_for_its_own_trigger(story: Story) -> None:
    owner = story.account(spot_USDT="100000")
    story.sell(story.account(spot_BTC="1"), SPOT, "1", "52000")
    ticks = story.engine.instruments[SPOT].ticks("51000")
    fields: dict[str, Any] = {"type": OrderType.STOP, "trigger_ticks": ticks}
    events = story.buy(owner, SPOT, "1", **fields, **exits(story, "55000", "50500"))
    assert legs_of(events) == [OPEN, PENDING, PENDING]
    events = trade(story, "51000")
    assert legs_of(events) == [FILLED, OPEN, OPEN]


def test_s13_exits_are_there_though_their_entry_tripped_the_breaker() -> None:
    """The entry buys from 49,000 up to 51,500, more than 5 % above the trade before."""
    story = Story(venue_with(SPOT, breaker_move_bps=500, breaker_auction_ms=60_000))
    trade(story, "48800")
    story.sell(story.account(spot_BTC="1"), SPOT, "0.5", "49000")
    story.sell(story.account(spot_BTC="1"), SPOT, "0.5", "51500")
    owner = story.account(spot_USDT="100000")
    events = story.buy(owner, SPOT, "1", "51500", **exits(story, "55000", "48500"))
    assert story.engine.trading.states[SPOT] is TradingState.AUCTION
    assert legs_of(events) == [FILLED, OPEN, OPEN]
    assert kept(story.engine)


def test_post_only_that_would_take_makes_no_bracket(story: Story) -> None:
    story.sell(story.account(spot_BTC="1"), SPOT, "1", "49000")
    owner = story.account(spot_USDT="100000")
    both = exits(story, "55000", "45000")
    events = story.buy(owner, SPOT, "1", "49000", post_only=True, **both)
    assert refusal(events) is Reason.WOULD_TAKE
    assert not of(events, OrderListChanged)
    assert not story.engine.trading.lists.by_id


def test_t21_an_entry_too_small_for_its_exits_is_filled_and_its_list_rejected(
    story: Story,
) -> None:
    """5 USDT are the least value; the 0.00009 that the fee leaves are worth 4.05 at 45,000."""
    owner = story.account(spot_USDT="100000")
    story.sell(story.account(spot_BTC="1"), SPOT, "1", "50000")
    events = story.buy(owner, SPOT, "0.0001", "50000", **exits(story, loss="45000"))
    last = told(events)
    assert (last.status, last.reason) == (ListStatus.REJECTED, Reason.NOTIONAL_TOO_SMALL)
    assert legs_of(events) == [FILLED, REJECTED]


# -- on margin and on perpetuals ---------------------------------------------------------------


def test_m6_a_short_on_margin_buys_back_what_it_sold(story: Story) -> None:
    story.buy(story.account(spot_USDT="100000"), SPOT, "1", "50000")
    owner = story.account(margin_USDT="100000")
    fields: dict[str, Any] = {"wallet": "margin", "side_effect": 1}
    events = story.sell(owner, SPOT, "1", "50000", **fields, **exits(story, "45000", "55000"))
    assert refusal(events) is None
    gain, loss = open_of(story, owner)
    assert {gain.side, loss.side} == {Side.BUY}
    assert gain.lots == loss.lots == story.engine.instruments[SPOT].lots("1")
    assert kept(story.engine)


def test_m6_exits_repay_no_debt(story: Story) -> None:
    owner = story.account(margin_USDT="100000")
    fields: dict[str, Any] = {"wallet": "margin", "side_effect": 3}
    events = story.sell(owner, SPOT, "1", "50000", **fields, **exits(story, "45000", "55000"))
    assert refusal(events) is Reason.SIDE_EFFECT_NOT_ALLOWED


def long(story: Story, **more: Any) -> int:
    """Somebody long 0.01 from 50,000, to be closed at 52,000 or 48,000 by the mark."""
    owner = story.account(perp_USDT="90000")
    story.sell(story.account(perp_USDT="900000"), PERP, "0.010", "50000")
    both = exits(story, "52000", "48000", symbol=PERP, trigger=MARK)
    events = story.buy(owner, PERP, "0.010", "50000", **both, **more)
    assert refusal(events) is None
    assert legs_of(events) == [FILLED, OPEN, OPEN]
    return owner


def test_p16_the_exits_of_a_perpetual_only_reduce(story: Story) -> None:
    owner = long(story, leverage=7)
    assert story.person(owner).setting(PERP).leverage == 7
    gain, loss = open_of(story, owner)
    assert gain.reduce_only
    assert loss.reduce_only
    assert (gain.lots, loss.trigger) == (10, TriggerSource.MARK)
    story.buy(story.account(perp_USDT="90000"), PERP, "0.010", "48500")
    events = story.index("BTC", "48000")
    assert not story.person(owner).lots(PERP)
    assert told(events).status is ListStatus.DONE


def test_p15_exits_end_with_the_position_they_close(story: Story) -> None:
    owner = long(story)
    story.buy(story.account(perp_USDT="90000"), PERP, "0.010", "50000")
    events = story.sell(owner, PERP, "0.010", "50000")
    assert not open_of(story, owner)
    assert told(events).status is ListStatus.DONE


def test_p15_an_exit_larger_than_what_is_left_closes_what_is_left(story: Story) -> None:
    owner = long(story)
    story.buy(story.account(perp_USDT="90000"), PERP, "0.004", "50000")
    story.sell(owner, PERP, "0.004", "50000")
    story.buy(story.account(perp_USDT="90000"), PERP, "0.010", "48500")
    story.index("BTC", "48000")
    assert not story.person(owner).lots(PERP)


def test_p1_a_leg_of_a_hedge_brings_its_own_exits(story: Story) -> None:
    owner = story.account(perp_USDT="90000")
    story.ok(SetPositionMode, account_id=owner, hedge=True)
    story.buy(story.account(perp_USDT="900000"), PERP, "0.010", "50000")
    both = exits(story, "48000", "52000", symbol=PERP, trigger=MARK)
    events = story.sell(owner, PERP, "0.010", "50000", position_side=2, **both)
    assert refusal(events) is None
    assert [each.leg for each in open_of(story, owner)] == [f"{PERP}/SHORT"] * 2


# -- refusing ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("gain", "loss"),
    [("49500", ""), ("", "50500"), ("45000", "48000"), ("48000", "52000")],
)
def test_p16_a_buy_gains_above_its_price_and_loses_below(
    story: Story, gain: str, loss: str
) -> None:
    owner = story.account(spot_USDT="100000")
    before = standing(story.engine)
    events = story.buy(owner, SPOT, "1", "50000", **exits(story, gain, loss))
    assert refusal(events) is Reason.BRACKET_PRICES
    assert standing(story.engine) == before


def test_p16_a_limit_beyond_the_market_is_judged_by_the_market(story: Story) -> None:
    story.sell(story.account(spot_BTC="1"), SPOT, "1", "50000")
    owner = story.account(spot_USDT="100000")
    events = story.buy(owner, SPOT, "1", "52000", **exits(story, "51000"))
    assert (refusal(events), legs_of(events)) == (None, [FILLED, OPEN])


def test_what_only_reduces_takes_no_exits(story: Story) -> None:
    owner = long(story)
    both = exits(story, "48000", "52000", symbol=PERP)
    events = story.sell(owner, PERP, "0.010", "50000", reduce_only=True, **both)
    assert refusal(events) is Reason.BRACKET_NOT_ALLOWED


def test_exits_are_judged_before_the_leverage_changes(story: Story) -> None:
    owner = story.account(perp_USDT="90000")
    story.ok(SetLeverage, account_id=owner, symbol=PERP, leverage=3)
    both = exits(story, "48000", symbol=PERP)
    events = story.buy(owner, PERP, "0.010", "50000", leverage=9, **both)
    assert refusal(events) is Reason.BRACKET_PRICES
    assert story.person(owner).setting(PERP).leverage == 3


def test_exits_are_prices_of_their_instrument(story: Story) -> None:
    owner = story.account(spot_USDT="100000")
    most = story.engine.instruments[SPOT].ticks_max
    for each in (Exit(0), Exit(most + 1), Exit(6_000_000, most + 1)):
        events = story.buy(owner, SPOT, "1", "50000", take_profit=each)
        assert refusal(events) is Reason.PRICE_OUT_OF_RANGE
    marked = exits(story, "60000", trigger=MARK)
    assert refusal(story.buy(owner, SPOT, "1", "50000", **marked)) is Reason.NO_MARK_PRICE


def test_s9_what_is_too_large_for_one_market_order_has_no_exit_at_the_market(story: Story) -> None:
    owner = story.account(spot_USDT="100000000")
    instrument = story.engine.instruments[SPOT]
    fields = {"lots": instrument.market_lots_max + 1}
    events = story.buy(owner, SPOT, "", "50000", **exits(story, "55000"), **fields)
    assert refusal(events) is Reason.MARKET_QTY_OUT_OF_RANGE


def test_s5_brackets_count_among_the_lists(story: Story) -> None:
    owner = story.account(spot_USDT="1000000")
    for _ in range(20):
        assert refusal(story.buy(owner, SPOT, "0.1", "40000", **exits(story, "55000"))) is None
    events = story.buy(owner, SPOT, "0.1", "40000", **exits(story, "55000"))
    assert refusal(events) is Reason.MAX_ORDER_LISTS


def test_a_repeated_bracket_is_placed_once(story: Story) -> None:
    owner = story.account(spot_USDT="100000")
    fields = exits(story, "55000", "45000") | {"client_id": "once"}
    first, second = (story.buy(owner, SPOT, "1", "49000", **fields) for _ in range(2))
    assert answer(second).repeated
    assert answer(second).result_id == answer(first).result_id
    assert len(story.engine.trading.lists.by_id) == 1


def test_an_entry_that_is_not_filled_at_once_ends_with_its_exits(story: Story) -> None:
    owner = story.account(spot_USDT="100000")
    fields = exits(story, "55000", "45000") | {"tif": TimeInForce.FOK}
    events = story.buy(owner, SPOT, "1", "49000", **fields)
    assert (told(events).status, legs_of(events)) == (ListStatus.DONE, [ENDED, ENDED, ENDED])
