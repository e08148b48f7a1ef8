"""Tests of funding and interest instants: settled late or at once, the result is the same."""

from __future__ import annotations

from exchange.commands import Borrow, Continue, Tick
from exchange.events import FundingCharged, InterestCharged
from risk.instants import Instants
from tests.story import Story, of, refusal, units

HOUR = 3_600_000


def test_an_account_settles_its_instants_oldest_first() -> None:
    instants = Instants()
    first, second = instants.open(1_000), instants.open(2_000)
    assert instants.since(0) == [first, second]
    assert instants.since(1) == [second]
    assert instants.since(2) == []


def test_the_sweep_visits_everybody_who_is_exposed_once() -> None:
    instants = Instants()
    instants.exposed.update([105, 101, 103])
    instants.open(1_000)
    seen = [instants.next_account() for _ in range(4)]
    assert seen == [101, 103, 105, None]
    assert [each.number for each in instants.finish()] == [1]
    assert not instants.unsettled


def test_an_instant_during_the_sweep_waits_for_the_next_round() -> None:
    instants = Instants()
    instants.exposed.update([101, 102])
    instants.open(1_000)
    assert instants.next_account() == 101
    instants.open(2_000)
    assert instants.next_account() == 102
    assert instants.next_account() is None
    assert [each.number for each in instants.finish()] == [1]
    assert instants.unsettled


def _borrowers(story: Story, count: int) -> list[int]:
    accounts = []
    for number in range(count):
        account = story.account(f"borrower {number}", margin_USDT="1000")
        story.ok(
            Borrow, account_id=account, wallet="margin", asset="USDT", amount_minor=units("500")
        )
        accounts.append(account)
    return accounts


def test_m7_missed_hours_are_charged_one_by_one() -> None:
    """T29: 500 at 0.001 % an hour is 0.005; one at borrowing and one at each of three hours."""
    story = Story()
    (account,) = _borrowers(story, 1)
    events = story.wait(3 * HOUR)
    charges = of(events, InterestCharged)
    assert [each.due_ms % HOUR for each in charges] == [0, 0, 0]
    assert len({each.due_ms for each in charges}) == 3
    loan = story.person(account).loans["margin", "USDT"]
    assert loan.interest_e18 == 4 * 5 * 10**15


def test_settling_in_slices_equals_settling_at_once() -> None:
    """More accounts than one command may settle: the rest follow by `Continue`, for the same."""
    story = Story()
    accounts = _borrowers(story, 300)
    story.now_ms += HOUR
    engine = story.engine
    engine.apply(Tick(seq=engine.seq + 1, time_ms=story.now_ms))
    assert engine.pending_work
    slices = 0
    while engine.pending_work:
        engine.apply(Continue(seq=engine.seq + 1, time_ms=story.now_ms))
        engine.check()
        slices += 1
    assert slices >= 2
    owed = {story.person(each).loans["margin", "USDT"].interest_e18 for each in accounts}
    assert owed == {2 * 5 * 10**15}


def test_who_is_touched_before_the_sweep_settles_first() -> None:
    """A position that is closed after the instant still pays for it, and only once."""
    story = Story()
    long = story.account("long", perp_USDT="10000")
    short = story.account("short", perp_USDT="10000")
    story.sell(short, "BTC-USDT-PERP", "0.1", "50000")
    story.buy(long, "BTC-USDT-PERP", "0.1", "50000")
    risk = story.engine.risk
    instant = risk.instants.open(story.now_ms)
    instant.funding = {"BTC-USDT-PERP": (10**8, 50_000 * 10**8)}  # 0.01 %
    story.buy(short, "BTC-USDT-PERP", "0.1", "50000")
    events = story.sell(long, "BTC-USDT-PERP", "0.1", "50000")
    charged = [each for each in story.events if isinstance(each, FundingCharged)]
    # 0.1 x 50,000 x 0.01 % = 0.5: the long pays it, the short receives it.
    assert {each.account_id: each.flow_minor for each in charged} == {
        long: -units("0.5"),
        short: units("0.5"),
    }
    assert len(charged) == 2
    assert refusal(events) is None
