"""Tests of starting over: everything is handed back, everything is given anew, history stays."""

from __future__ import annotations

import pytest

from exchange.commands import (
    CancelAll,
    CancelOrder,
    OpenAccount,
    ResetAccount,
    SetLeverage,
    SetMarginLeverage,
    SetMarginMode,
    SetSymbolState,
)
from exchange.events import (
    AccountOpened,
    AnyEvent,
    FundCovered,
    LedgerPosted,
    LiquidationStarted,
    LoanChanged,
    MarginCalled,
    OrderChanged,
    PositionChanged,
)
from matching.reasons import Reason
from matching.types import Side, Status
from risk.ledger import FEES, INSURANCE, LIQUIDATION, POOL
from risk.parameters import Grant
from tests.exchange.eventful import eventful
from tests.risk.stories import (
    BTC,
    BTC_PERP,
    ETH_PERP,
    ISOLATED_BTC,
    NO_FEES,
    borrow,
    position,
    rich,
    trader,
)
from tests.story import Story, again, answer, of, refusal, small_venue, standing, units

GRANTS = (
    Grant("spot", "USDT", units("100000")),
    Grant("perp", "USDT", units("70000")),
)


@pytest.fixture
def story() -> Story:
    return Story(small_venue(deposits=GRANTS))


@pytest.fixture
def free() -> Story:
    """The same without fees."""
    return Story(small_venue(deposits=GRANTS, fees=NO_FEES))


def reset(story: Story, account: int) -> list[AnyEvent]:
    return story.ok(ResetAccount, account_id=account)


def wealth(story: Story, account: int) -> dict[tuple[str, str], int]:
    pockets = story.person(account).pockets
    return {place: pocket.minor for place, pocket in pockets.items() if pocket.minor}


NEW = {(grant.wallet, grant.asset): grant.amount_minor for grant in GRANTS}


def test_a_new_account_finds_what_the_venue_gives_and_an_agent_nothing(story: Story) -> None:
    assert wealth(story, story.account()) == NEW
    agent = answer(story.ok(OpenAccount, kind="agent", label="maker")).result_id
    assert wealth(story, agent) == {}


def test_after_a_reset_an_account_is_as_new_but_for_its_epoch_and_history(story: Story) -> None:
    """Whatever it had: orders, positions, loans, settings, on every wallet."""
    eventful(story)
    one = story.person(100)
    assert one.orders
    assert one.loans
    assert one.positions
    told, trades = one.event_n, dict(one.recent)
    reset(story, 100)
    assert wealth(story, 100) == NEW
    for emptied in (
        *(one.orders, one.positions, one.loans, one.settings, one.open_perp, one.client_orders),
        *(one.order_loans, one.reducing, one.called, one.liquidating),
    ):
        assert not emptied
    assert all(pocket.locked == 0 for pocket in one.pockets.values())
    assert (one.epoch, one.margin_leverage, one.label) == (2, 3, "one")
    assert one.event_n > told  # Numbering goes on.
    assert one.recent == trades  # And what was asked before is remembered.
    assert not one.exposed
    assert 100 not in story.engine.risk.instants.exposed


def test_the_account_is_told_of_its_new_epoch(story: Story) -> None:
    account = story.account("mine")
    (told,) = of(reset(story, account), AccountOpened)
    assert (told.account_id, told.kind, told.label, told.epoch) == (account, "user", "mine", 2)
    assert [each.epoch for each in of(reset(story, account), AccountOpened)] == [3]


def test_everything_it_posts_has_a_reason_of_its_own(story: Story) -> None:
    """What leaves and what comes says `reset`; the debt is repaid as one repays."""
    account = story.account()
    story.deposit(account, "margin", "USDT", "1000")
    borrow(story, account, "margin", "BTC", "0.01")
    events = reset(story, account)
    lines = [line for line in of(events, LedgerPosted) if line.account_id == account]
    assert {line.reason for line in lines} == {"reset", "interest", "repay"}
    (loan,) = [each for each in of(events, LoanChanged) if each.principal_minor == 0]
    assert loan.repaid_principal_minor == units("0.01")


def test_orders_end_first_and_say_why(story: Story) -> None:
    account = story.account()
    story.buy(account, BTC, "0.1", "40000")
    story.buy(account, BTC_PERP, "0.1", "40000")
    events = reset(story, account)
    ended = of(events, OrderChanged)
    assert [(each.happening, each.reason) for each in ended] == [
        ("cancelled", Reason.ACCOUNT_RESET)
    ] * 2
    first_line = next(i for i, each in enumerate(events) if isinstance(each, LedgerPosted))
    assert events.index(ended[-1]) < first_line


def test_even_an_order_on_a_halted_book_ends(story: Story) -> None:
    """Though its owner could not cancel it."""
    account = story.account()
    story.buy(account, BTC, "0.1", "40000")
    story.ok(SetSymbolState, symbol=BTC, state="halt")
    assert answer(story.ok(CancelAll, account_id=account)).result_id == 0
    reset(story, account)
    assert wealth(story, account) == NEW


@pytest.mark.parametrize("isolated", [False, True])
@pytest.mark.parametrize("side", list(Side))
def test_positions_go_to_the_liquidation_account_at_the_mark(isolated: bool, side: Side) -> None:
    """1 at 50,000, mark 50,500: 500 are realised, on either side, and no fee is charged."""
    story = Story(small_venue(fees=NO_FEES))
    account = position(story, side, "1", "50000", money="9000", isolated=isolated)
    story.index("BTC", "50500")
    fees = story.engine.risk.ledger.house(FEES, "USDT").minor
    events = reset(story, account)
    house = story.engine.risk.accounts[LIQUIDATION].positions[BTC_PERP]
    sign = 1 if side is Side.BUY else -1
    assert (house.lots, house.cost_minor) == (sign * 1_000, sign * units("50500"))
    realised = [
        line.change_minor
        for line in of(events, LedgerPosted)
        if line.account_id == account and line.reason == "trade"
    ]
    assert realised == [sign * units("500")]
    assert story.engine.risk.ledger.house(FEES, "USDT").minor == fees
    (told,) = of(events, PositionChanged)
    assert (told.account_id, told.lots) == (account, 0)


def test_what_the_house_took_over_is_sold_off_and_the_fund_bears_the_result() -> None:
    """Taken at 50,000 and sold at 49,900, 0.2 % lower: 1 loses 100."""
    story = Story(small_venue(fees=NO_FEES, insurance_minor=units("1000")))
    account = position(story, Side.BUY, "1", "50000", money="9000")
    reset(story, account)
    story.buy(rich(story), BTC_PERP, "1", "49900")
    story.wait(10_000)
    risk = story.engine.risk
    assert not risk.accounts[LIQUIDATION].positions
    assert risk.accounts[LIQUIDATION].minor("perp", "USDT") == 0
    assert risk.accounts[INSURANCE].minor("perp", "USDT") == units("900")


def test_the_world_lends_what_a_debt_still_lacks(story: Story) -> None:
    """0.01 BTC were borrowed and sold; 0.01 and an hour of interest are owed."""
    account = story.account()
    story.deposit(account, "margin", "USDT", "1000")
    borrow(story, account, "margin", "BTC", "0.01")
    story.buy(story.account(), BTC, "0.01", "50000")
    story.sell(account, BTC, "0.01", "50000", wallet="margin")
    assert story.person(account).minor("margin", "BTC") == 0
    pool = story.engine.risk.ledger.house(5, "BTC").minor
    events = reset(story, account)
    lent = [line for line in of(events, LedgerPosted) if line.asset == "BTC"]
    # 0.01 x 0.0003 % an hour is 0.00000003.
    assert [(line.change_minor, line.reason) for line in lent] == [
        (units("0.01000003"), "reset"),
        (-units("0.00000003"), "interest"),
        (-units("0.01"), "repay"),
    ]
    assert story.engine.risk.ledger.house(5, "BTC").minor == pool + units("0.01000003")
    assert not story.engine.risk.bad_debt


@pytest.mark.parametrize(("isolated", "gap"), [(False, "300"), (True, "500")])
def test_p13_8_what_an_account_lost_beyond_its_money_the_fund_covers(
    isolated: bool, gap: str
) -> None:
    """Long 1 at 50,000 and 100x with 700; a halted book holds the scan back while the mark falls
    to 49,000: -300 are left of the wallet, or -500 of the 500 that stood behind it alone."""
    story = Story(small_venue(fees=NO_FEES))
    account = position(story, Side.BUY, "1", "50000", money="700", leverage=100, isolated=isolated)
    story.ok(SetSymbolState, symbol=BTC_PERP, state="halt")
    story.index("BTC", "49000")
    assert not of(story.events, LiquidationStarted)
    assert account in {waiting for waiting, _ in story.engine.risk.waiting}
    (covered,) = of(reset(story, account), FundCovered)
    assert (covered.fund, covered.paid_minor) == ("insurance", units(gap))
    assert wealth(story, account) == {}
    assert account not in {waiting for waiting, _ in story.engine.risk.waiting}
    story.ok(SetSymbolState, symbol=BTC_PERP, state="trading")
    story.wait(5_000)
    assert not of(story.events, LiquidationStarted)  # There is nothing to liquidate any more.


def test_p13_8_a_closed_isolated_position_that_owes_is_covered_too() -> None:
    """400 at 125x: a sale at 49,100 loses 900, which an empty fund cannot pay. Then it earns the
    fee of a liquidation, 0.5 % of 45,300, and pays with that at the reset."""
    story = Story(small_venue(fees=NO_FEES, insurance_minor=0))
    other = rich(story)
    one = position(story, Side.BUY, "1", "50000", money="400", leverage=125, isolated=True)
    position(story, Side.BUY, "1", "50000", money="5000", leverage=10, isolated=True)
    story.buy(other, BTC_PERP, "1", "49100")
    story.sell(one, BTC_PERP, "1", "49100")
    story.wait(1_000)
    assert story.person(one).minor(f"perp/{BTC_PERP}", "USDT") == -units("500")
    story.buy(other, BTC_PERP, "1", "45300")
    story.index("BTC", "45180")
    fund = story.engine.risk.accounts[INSURANCE]
    assert fund.minor("perp", "USDT") == units("226.5")
    (covered,) = of(story.ok(ResetAccount, account_id=one), FundCovered)
    assert (covered.fund, covered.paid_minor) == ("insurance", units("226.5"))
    assert fund.minor("perp", "USDT") == 0


def test_a_call_and_a_liquidation_under_way_are_over(story: Story) -> None:
    """Nobody offers BTC, so a short on margin stays in liquidation round after round.

    5,995 against 0.1 BTC: called at 1.09, that is 55,000; liquidated at 1.05, that is 57,095.
    """
    account = story.account()
    story.deposit(account, ISOLATED_BTC, "USDT", "1000")
    borrow(story, account, ISOLATED_BTC, "BTC", "0.1")
    story.buy(story.account(), BTC, "0.1", "50000")
    story.sell(account, BTC, "0.1", "50000", wallet=ISOLATED_BTC)
    risk, person = story.engine.risk, story.person(account)
    story.index("BTC", "55100")
    assert of(story.events, MarginCalled)
    story.index("BTC", "57500")
    assert person.liquidating
    assert risk.jobs or risk.jobs_later
    reset(story, account)
    for under_way in (person.liquidating, person.called, risk.jobs, risk.jobs_later):
        assert not under_way
    assert refusal(story.buy(account, BTC, "0.1", "40000")) is None
    story.wait(10_000)
    assert wealth(story, account) == NEW
    assert again(story.engine).digest() == story.engine.digest()


def test_choices_are_forgotten(story: Story) -> None:
    account = story.account()
    story.ok(SetLeverage, account_id=account, symbol=ETH_PERP, leverage=3)
    story.ok(SetMarginLeverage, account_id=account, leverage=5)
    reset(story, account)
    person = story.person(account)
    assert (person.setting(ETH_PERP).leverage, person.margin_leverage) == (10, 3)


def test_a_reset_concerns_nobody_else(story: Story) -> None:
    eventful(story)
    others = {number: wealth(story, number) for number in (101, 102)}
    positions = dict(story.person(101).positions)
    reset(story, 100)
    assert {number: wealth(story, number) for number in (101, 102)} == others
    assert story.person(101).positions == positions


# -- an account that has something of everything ---------------------------------------------------


def _fill(story: Story, account: int, symbol: str, qty: str, price: str, **more: str | int) -> None:
    """The account buys it all, as a maker."""
    assert refusal(story.buy(account, symbol, qty, price, **more)) is None
    other = rich(story) if symbol.endswith("PERP") else trader(story)
    assert refusal(story.sell(other, symbol, qty, price)) is None


def _busy(story: Story) -> int:
    """Orders on spot, margin and perpetuals, positions cross and isolated, and three debts."""
    one = story.account(
        spot_USDT="9000", perp_USDT="9000", margin_BTC="0.1", **{f"{ISOLATED_BTC}_USDT": "1000"}
    )
    story.ok(SetMarginMode, account_id=one, symbol=BTC_PERP, isolated=True)
    story.ok(SetMarginLeverage, account_id=one, leverage=5)
    _fill(story, one, BTC_PERP, "0.5", "50000")
    _fill(story, one, ETH_PERP, "10", "2500")
    borrow(story, one, "margin", "USDT", "3000")
    borrow(story, one, "margin", "ETH", "1")
    borrow(story, one, ISOLATED_BTC, "USDT", "5000")
    _fill(story, one, BTC, "0.12", "50000", wallet=ISOLATED_BTC)  # All of the 6,000.
    story.buy(one, BTC, "0.01", "49000")
    story.buy(one, BTC, "0.01", "49000", wallet="margin")
    story.buy(one, ETH_PERP, "1", "2400")
    story.sell(one, BTC_PERP, "0.1", "51000", reduce_only=True)
    assert len(story.person(one).orders) == 4
    return one


def test_nothing_is_left_of_an_account_but_its_gift(free: Story) -> None:
    one = _busy(free)
    events = reset(free, one)
    person = free.person(one)
    assert person.epoch == 2
    left = (person.orders, person.positions, person.loans, person.open_perp)
    assert not any((*left, person.settings, person.reducing, person.order_loans))
    assert person.margin_leverage == 3
    assert wealth(free, one) == NEW
    assert not any(pocket.locked for pocket in person.pockets.values())
    ended = of(events, OrderChanged)
    assert len(ended) == 4
    assert {(each.status, each.reason) for each in ended} == {
        (Status.CANCELLED, Reason.ACCOUNT_RESET)
    }


def test_positions_go_to_the_house_at_the_mark(free: Story) -> None:
    """At 48,000 and 2,400 the house has 0.5 BTC for 24,000 and 10 ETH for 24,000."""
    one = _busy(free)
    free.index("BTC", "48000")
    free.index("ETH", "2400")
    reset(free, one)
    house = free.person(LIQUIDATION)
    assert {symbol: (held.lots, held.cost_minor) for symbol, held in house.positions.items()} == {
        BTC_PERP: (500, units("24000")),
        ETH_PERP: (10_000, units("24000")),
    }


def test_debts_are_repaid_to_the_pool_to_the_last_unit(free: Story) -> None:
    """A loan that is spent is lent by the world: the pool has all it had, and the interest."""
    one = free.account(**{f"{ISOLATED_BTC}_USDT": "1000"})
    risk = free.engine.risk
    capital = risk.assets["USDT"].pool_capital_minor
    borrow(free, one, ISOLATED_BTC, "USDT", "5000")
    _fill(free, one, BTC, "0.12", "50000", wallet=ISOLATED_BTC)
    assert free.person(one).minor(ISOLATED_BTC, "USDT") == 0
    reset(free, one)
    # 5,000 for an hour at 0.001 %: 0.05.
    assert risk.interest_paid["USDT"] == units("0.05")
    assert not risk.bad_debt
    assert risk.ledger.house(POOL, "USDT").minor == capital + units("0.05")


def test_an_account_lives_on_after_it_was_reset_and_can_be_reset_again(free: Story) -> None:
    one = _busy(free)
    reset(free, one)
    order = answer(free.buy(one, BTC, "0.01", "49000")).result_id
    assert refusal(free.do(CancelOrder, account_id=one, order_id=order)) is None
    _fill(free, one, BTC_PERP, "0.1", "50000")
    assert not free.person(one).is_isolated(BTC_PERP)
    reset(free, one)
    assert free.person(one).epoch == 3
    assert wealth(free, one) == NEW


def test_a_reset_account_is_the_same_after_a_restart(free: Story) -> None:
    reset(free, _busy(free))
    assert standing(again(free.engine)) == standing(free.engine)
