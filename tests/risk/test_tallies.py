"""Tests of what explains the funds and deleveraging to the unit (I10)."""

from __future__ import annotations

import pytest

from exchange.commands import ResetAccount
from exchange.events import FundCovered, LiquidationStepped
from matching.invariants import InvariantBroken
from matching.types import Side
from risk.account import PERP
from risk.ledger import FEES, INSURANCE, MARGIN_INSURANCE, PostingReason
from risk.tallies import Flow, Tallies
from tests.risk.stories import (
    BTC,
    BTC_PERP,
    ISOLATED_BTC,
    MAKERS_FREE,
    NO_FEES,
    levered,
    position,
    rich,
    trader,
)
from tests.risk.test_adl import poor_venue, victim
from tests.risk.test_insurance import fund_venue, give
from tests.story import Story, again, of, small_venue, units


def _flows(story: Story, wallet: str = PERP, asset: str = "USDT") -> dict[Flow, int]:
    """What the fund of perpetuals got and paid beside its capital, in minor units."""
    risk = story.engine.risk
    found = risk.tallies.of(risk.pocket(risk.accounts[INSURANCE], wallet, asset))
    found.pop(Flow.CAPITAL, None)
    return found


def _fees_told(story: Story) -> int:
    steps = of(story.events, LiquidationStepped)
    return sum(each.amount_minor for each in steps if each.step == "fee")


def _covers_told(story: Story, fund: str) -> int:
    return sum(each.paid_minor for each in of(story.events, FundCovered) if each.fund == fund)


def test_i10_the_first_moment_is_capital() -> None:
    story = Story(small_venue(symbols=("BTC-USDT", "BTC-USDT-PERP", "BTC-USD-PERP")))
    risk, venue = story.engine.risk, story.venue
    (grant,) = venue.coin_insurance
    for pocket, minor in (
        (risk.pocket(risk.accounts[INSURANCE], PERP, "USDT"), venue.insurance_minor),
        (risk.pocket(risk.accounts[INSURANCE], "perp:BTC", "BTC"), grant.amount_minor),
        (risk.ledger.house(MARGIN_INSURANCE, "USDT"), venue.margin_insurance_minor),
    ):
        assert minor > 0
        assert risk.tallies.of(pocket) == {Flow.CAPITAL: minor}


def test_i10_fees_in_are_those_that_were_told() -> None:
    """0.1 at 50,000 on 600 are sold at 44,200: 20 are left, and the fee is 0.5 % of 4,420 at
    most: 22.1, so 20 go to the fund."""
    story = Story(small_venue(fees=NO_FEES))
    long = position(story, Side.BUY, "0.1", "50000", money="600", leverage=10)
    story.buy(rich(story), BTC_PERP, "0.1", "44200")
    story.index("BTC", "44150")
    assert BTC_PERP not in story.person(long).positions
    assert _flows(story) == {Flow.FEES: units("20")}
    assert _fees_told(story) == units("20")


def test_i10_what_it_took_over_and_unwound_is_its_trading() -> None:
    """The fund takes 0.1 at the price of bankruptcy, 44,000, and sells it at
    44,100: 10 won."""
    story = Story(small_venue(fees=NO_FEES))
    position(story, Side.BUY, "0.1", "50000", money="600", leverage=10)
    story.index("BTC", "44150")
    risk = story.engine.risk
    assert risk.accounts[INSURANCE].lots(BTC_PERP) == 100
    story.buy(rich(story), BTC_PERP, "0.1", "44100")
    story.wait(5_000)
    assert not risk.accounts[INSURANCE].positions
    assert _flows(story) == {Flow.TRADING: units("10")}


def test_i10_funding_of_its_positions_is_told_apart_from_what_they_won() -> None:
    """Long 1 at 50,000 over a funding boundary, then sold at 49,900: 100 lost."""
    story = Story(small_venue(fees=MAKERS_FREE))
    give(story, BTC_PERP, Side.BUY, "1", "50000")
    story.wait(8 * 3_600_000)
    funding = _flows(story)[Flow.FUNDING]
    assert funding
    story.buy(rich(story), BTC_PERP, "1", "49900")
    story.wait(5_000)
    assert _flows(story) == {Flow.FUNDING: funding, Flow.TRADING: -units("100")}


def test_i10_what_the_house_won_or_lost_in_its_place() -> None:
    """A reset hands 1 at 50,000 over, which is sold at 49,800: 200 lost, 150 of it the fund's."""
    story = fund_venue("150")
    account = position(story, Side.BUY, "1", "50000", money="5000")
    story.ok(ResetAccount, account_id=account)
    story.buy(rich(story), BTC_PERP, "5", "49800")
    story.wait(10_000)
    assert _flows(story) == {Flow.UNWINDING: -units("150")}


def test_i10_covers_out_of_the_margin_fund_are_those_that_were_told() -> None:
    """0.2 for 10,000, 9,000 borrowed and 0.09 of interest owed: at 40,000 they bring 8,000 less
    8 of fee, so 1,008.09 are missing."""
    story = Story(small_venue(fees=MAKERS_FREE))
    levered(story, "1000", "9000", "0.2", "50000")
    story.buy(trader(story), BTC, "1", "40000")
    story.index("BTC", "40000")
    story.wait(10_000)
    risk = story.engine.risk
    fund = risk.ledger.house(MARGIN_INSURANCE, "USDT")
    flows = risk.tallies.of(fund)
    assert flows[Flow.COVERS] == -_covers_told(story, "margin_insurance") == -units("1008.09")
    assert set(flows) == {Flow.CAPITAL, Flow.COVERS}
    assert not risk.accounts[100].wallet_loans(ISOLATED_BTC)


def test_i10_who_is_deleveraged_takes_the_remainder_exactly() -> None:
    """1 is given up: 0.3 are bid above bankruptcy, 0.7 go to the other side."""
    story = Story(poor_venue())
    short = rich(story)
    victim(story, "1", short)
    story.buy(rich(story), BTC_PERP, "0.3", "47600")
    story.index("BTC", "46000")
    told = [each.lots for each in of(story.events, LiquidationStepped) if each.step == "adl"]
    tallies = story.engine.risk.tallies
    assert (tallies.given, tallies.taken, tallies.returned) == (
        {BTC_PERP: 700},
        {BTC_PERP: sum(told)},
        {BTC_PERP: 0},
    )


def test_i10_what_nobody_takes_comes_back_each_time_and_is_the_owners_at_a_reset() -> None:
    """Nobody but the house is short: each grid point tries 1, until the account starts over."""
    story = Story(poor_venue())
    short = rich(story)
    long = victim(story, "1", short)
    story.index("BTC", "50000")
    story.ok(ResetAccount, account_id=short)  # Its short is the house's, which is not ranked.
    story.index("BTC", "46000")
    tallies = story.engine.risk.tallies
    assert story.person(long).liquidating
    tried = tallies.given[BTC_PERP]
    assert tried >= 1_000
    assert tallies.returned == {BTC_PERP: tried}
    assert not tallies.taken
    story.ok(ResetAccount, account_id=long)
    assert not story.person(long).liquidating


def test_the_tallies_are_the_same_after_a_restart() -> None:
    story = Story(poor_venue())
    victim(story, "1", rich(story))
    story.index("BTC", "46000")
    state = story.engine.risk.tallies.state()
    assert state["flows"]
    assert again(story.engine).risk.tallies.state() == state
    copied = Tallies()
    copied.restore(state)
    assert copied.state() == state


# -- what is planted ---------------------------------------------------------------------------


@pytest.mark.parametrize("owner", [INSURANCE, MARGIN_INSURANCE])
def test_i10_a_payment_that_nothing_explains_is_found(owner: int) -> None:
    story = Story()
    risk = story.engine.risk
    wallet = PERP if owner == INSURANCE else "house"
    fund = risk.ledger.house(owner, "USDT", wallet)
    risk.ledger.post(fund, risk.ledger.house(FEES, "USDT"), 1, PostingReason.FEE)
    with pytest.raises(InvariantBroken, match=rf"I10 .*{wallet}:USDT: it holds \d+, and"):
        risk.check()


def test_i10_lots_that_were_given_and_went_nowhere_are_found() -> None:
    story = Story()
    story.engine.risk.tallies.give(BTC_PERP, 3)
    with pytest.raises(InvariantBroken, match=r"I10 .* of 3 lots 0 were taken, 0 came back"):
        story.engine.risk.check()
