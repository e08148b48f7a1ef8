"""Tests of the engine in time: dates, the grid, catching up, and going on after a restart."""

from __future__ import annotations

from typing import Any

import pytest

from exchange.commands import (
    AmendOrder,
    AnyCommand,
    Borrow,
    CancelAll,
    Continue,
    SetLeverage,
    SetSymbolState,
    Tick,
)
from exchange.engine import Engine
from exchange.events import (
    FundingCharged,
    FundingFixed,
    InterestCharged,
    InterestFixed,
    LiquidationEnded,
    OrderChanged,
    Traded,
)
from matching.limits import WORK_PER_COMMAND_MAX
from matching.reasons import Reason
from matching.types import TimeInForce
from tests.exchange.eventful import eventful, the_rest
from tests.story import START_MS, Story, again, answer, of, refusal, standing, units

SPOT = "BTC-USDT"
PERP = "BTC-USDT-PERP"
HOUR = 3_600_000


@pytest.fixture
def story() -> Story:
    return Story()


# -- time ----------------------------------------------------------------------------------------


def test_s2_nobody_trades_with_an_order_past_its_date_between_grid_points(story: Story) -> None:
    """The date lies 400 ms ahead, the next grid point 1,000: at 400 ms it is over."""
    seller, buyer = story.account(spot_BTC="1"), story.account(spot_USDT="10000")
    date_ms = story.now_ms + 400
    dated = {"tif": TimeInForce.GTD, "expire_ms": date_ms}
    story.sell(seller, SPOT, "0.01", "50000", **dated)
    story.sell(seller, SPOT, "0.01", "50000", **dated)
    story.now_ms = date_ms - 1
    assert of(story.buy(buyer, SPOT, "0.01", "50000"), Traded)
    story.now_ms = date_ms
    events = story.buy(buyer, SPOT, "0.01", "50000")
    assert not of(events, Traded)
    expired, rests = of(events, OrderChanged)
    assert (expired.account_id, expired.happening) == (seller, "expired")
    assert expired.reason is Reason.EXPIRED_BY_TIME
    assert (rests.account_id, rests.happening) == (buyer, "accepted")


def test_an_order_past_its_date_is_not_amended(story: Story) -> None:
    one = story.account(spot_USDT="10000")
    order = answer(
        story.buy(one, SPOT, "0.01", "40000", tif=TimeInForce.GTD, expire_ms=story.now_ms + 400)
    ).result_id
    story.now_ms += 400
    refused = story.do(AmendOrder, account_id=one, order_id=order, lots=900)
    assert refusal(refused) is Reason.UNKNOWN_ORDER
    assert story.person(one).free("spot", "USDT") == units("10000")


def test_an_order_expires_at_the_grid_point_behind_its_date(story: Story) -> None:
    one = story.account(spot_USDT="10000")
    story.buy(one, SPOT, "0.01", "40000", tif=TimeInForce.GTD, expire_ms=story.now_ms + 1_500)
    assert not of(story.wait(1_000), OrderChanged)
    (expired,) = of(story.wait(1_000), OrderChanged)
    assert expired.happening == "expired"


def test_a6_at_one_instant_everybodys_funding_is_fixed_before_the_interest(story: Story) -> None:
    """08:00 is a funding boundary and a full hour; both are told at its instant, in that order."""
    _busy_hours(story)
    events = story.wait(START_MS + 8 * HOUR - story.now_ms)
    fixed, rates = of(events, FundingFixed)[0], of(events, InterestFixed)[-1]
    assert events.index(fixed) < events.index(rates)
    assert (fixed.due_ms, rates.due_ms) == (START_MS + 8 * HOUR, START_MS + 8 * HOUR)
    for buyer in (101, 103, 105):
        mine = [
            type(each)
            for each in events
            if isinstance(each, FundingCharged | InterestCharged) and each.account_id == buyer
        ]
        assert mine == [InterestCharged] * 7 + [FundingCharged, InterestCharged]


def _busy_hours(story: Story) -> None:
    """Positions, loans and dated orders of six accounts, and a price that moves."""
    people = [story.account(margin_USDT="9000", perp_USDT="9000") for _ in range(6)]
    for seller, buyer in zip(people[::2], people[1::2], strict=True):
        story.sell(seller, PERP, "0.1", "50000")
        story.buy(buyer, PERP, "0.1", "50000")
        story.ok(Borrow, account_id=buyer, wallet="margin", asset="USDT", amount_minor=units("900"))
    story.buy(people[0], PERP, "0.01", "49990")
    story.sell(people[1], PERP, "0.01", "50030")
    story.buy(people[2], PERP, "0.01", "49000", tif=TimeInForce.GTD, expire_ms=story.now_ms + HOUR)
    story.index("BTC", "50010")


def _without_numbers(engine: Engine) -> dict[str, Any]:
    """What stands, but for how many events each account was told: a balance that changed twice
    within one command is told once."""
    state = standing(engine)
    for account in state["risk"]["accounts"]:
        del account["event_n"]
    return state


@pytest.mark.parametrize("slice_size", [3, WORK_PER_COMMAND_MAX])
def test_catching_up_in_slices_equals_living_through_it_second_by_second(
    monkeypatch: pytest.MonkeyPatch, slice_size: int
) -> None:
    """Nine hours at once, in bounded slices, and in Ticks of a second: the same state."""
    stories = [Story(), Story()]
    for story in stories:
        _busy_hours(story)
    span_ms = 9 * HOUR
    stories[0].now_ms += span_ms
    monkeypatch.setattr("exchange.engine.WORK_PER_COMMAND_MAX", slice_size)
    slices = 0
    stories[0]._apply(Tick)
    while stories[0].engine.pending_work:
        engine = stories[0].engine
        engine.apply(Continue(seq=engine.seq + 1, time_ms=stories[0].now_ms))
        slices += 1
    assert slices <= span_ms // 1_000 // slice_size  # Quiet stretches are passed at once.
    monkeypatch.undo()
    engine = stories[1].engine
    for _ in range(span_ms // 1_000):
        stories[1].now_ms += 1_000
        engine.apply(Tick(seq=engine.seq + 1, time_ms=stories[1].now_ms))
        assert not engine.pending_work
    for story in stories:
        story.engine.check()
    assert _without_numbers(stories[0].engine) == _without_numbers(stories[1].engine)


# -- restoring -----------------------------------------------------------------------------------


def test_a_restored_engine_is_the_same_and_goes_on_the_same_to_the_last_event() -> None:
    """I13: what it tells, in which order, and under which numbers."""
    lived = Story()
    eventful(lived)
    restored = Story()
    restored.engine = again(lived.engine)
    restored.engine.check()
    restored.now_ms = lived.now_ms
    assert restored.engine.digest() == lived.engine.digest()
    told = the_rest(lived)
    assert {end.scope for end in of(told, LiquidationEnded)} >= {"margin", "perp/ETH-USDT-PERP"}
    assert the_rest(restored) == told
    assert restored.engine.digest() == lived.engine.digest()


def test_cancel_all_tells_the_same_order_after_a_restart(story: Story) -> None:
    """ETH before BTC: the books are restored the other way round."""
    one = story.account(spot_USDT="9000")
    story.buy(one, "ETH-USDT", "0.01", "2000")
    story.buy(one, SPOT, "0.001", "40000")
    twin = Story()
    twin.engine, twin.now_ms = again(story.engine), story.now_ms
    assert twin.do(CancelAll, account_id=one) == story.do(CancelAll, account_id=one)


def test_an_engine_can_be_restored_in_the_middle_of_its_slices(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """At an instant that six accounts must settle, three at a time: half of them have."""
    lived = Story()
    _busy_hours(lived)
    lived.wait(START_MS + HOUR - 1_000 - lived.now_ms)
    monkeypatch.setattr("exchange.engine.WORK_PER_COMMAND_MAX", 4)
    lived.now_ms += 1_000
    lived._apply(Tick)
    assert lived.engine.risk.instants.unsettled
    twin = again(lived.engine)
    while lived.engine.pending_work:
        command: AnyCommand = Continue(seq=lived.engine.seq + 1, time_ms=lived.now_ms)
        assert lived.engine.apply(command) == twin.apply(command)
    assert not twin.pending_work
    assert lived.engine.digest() == twin.digest()


def test_a_liquidation_under_way_goes_on_after_a_restart_where_it_was(story: Story) -> None:
    """Nobody offers BTC, so a short on margin is in its first round; the second comes after it."""
    short, buyer = story.account(margin_USDT="5000"), story.account(spot_USDT="90000")
    story.ok(Borrow, account_id=short, wallet="margin", asset="BTC", amount_minor=units("0.1"))
    story.buy(buyer, SPOT, "0.1", "50000")
    story.sell(short, SPOT, "0.1", "50000", wallet="margin")
    story.index("BTC", "91000")  # 9,995 against 9,100 is below 1.1.
    assert story.engine.risk.jobs_later
    twin = Story()
    twin.engine, twin.now_ms = again(story.engine), story.now_ms
    for each in (story, twin):
        each.sell(buyer, SPOT, "0.1", "92000")
    told = story.wait(10_000)
    assert of(told, LiquidationEnded)
    assert twin.wait(10_000) == told
    assert twin.engine.digest() == story.engine.digest()


def test_i13_the_same_commands_make_the_same_events_and_the_same_digest() -> None:
    story = Story()
    eventful(story)
    the_rest(story)
    engine = Engine(story.venue)
    told = [event for command in story.commands for event in engine.apply(command)]
    assert told == story.events
    assert engine.digest() == story.engine.digest()


@pytest.mark.parametrize(
    "change",
    [
        lambda story: story.account(),
        lambda story: story.deposit(100, "spot", "USDT", "0.00000001"),
        lambda story: story.buy(100, SPOT, "0.001", "40000"),
        lambda story: story.ok(SetLeverage, account_id=100, symbol=PERP, leverage=11),
        lambda story: story.ok(SetSymbolState, symbol=SPOT, state="halt"),
        lambda story: story.wait(1_000),
    ],
)
def test_whatever_changes_changes_the_digest(story: Story, change: Any) -> None:
    story.account(spot_USDT="1000")
    before = story.engine.digest()
    change(story)
    assert story.engine.digest() != before
