"""Tests of the liquidation of perpetuals, rule by rule, where venues differ (P13)."""

from __future__ import annotations

from typing import Any

import pytest

from exchange.commands import SetMarginMode, SetPositionMode
from exchange.events import (
    Deleveraged,
    FundingCharged,
    LiquidationEnded,
    LiquidationStarted,
    LiquidationStepped,
    Traded,
)
from matching.types import Side
from risk.account import LONG, SHORT, leg_of
from risk.ledger import INSURANCE
from risk.marking import PerpState
from risk.parameters import brackets
from tests.risk.stories import BTC_PERP, NO_FEES, net_minor, position, rich, with_perp
from tests.story import Story, of, refusal, small_venue, units
from tests.vectors import exact, vectors

E12 = 10**12


def test_p13_2_t23_the_legs_of_a_symbol_are_netted_before_anything_is_sold() -> None:
    """Long 1 and short 0.6 at 50,000 on 2,000. At 45,700 2,000 - 0.4 x 4,300 = 280 are left, and
    0.4 % of 1.6 x 45,700 = 292.48 must be. Netted, the long 0.4 must keep 73.12: it is safe, and
    nobody traded. 0.6 x 4,300 were lost on one leg and won on the other."""
    story = Story(small_venue(fees=NO_FEES))
    other = rich(story)
    account = story.account("both", perp_USDT="2000")
    story.ok(SetPositionMode, account_id=account, hedge=True)
    for side, qty, leg in ((Side.BUY, "1", LONG), (Side.SELL, "0.6", SHORT)):
        story.place(other, side.opposite, BTC_PERP, qty, "50000")
        told = story.place(account, side, BTC_PERP, qty, "50000", leverage=100, position_side=leg)
        assert refusal(told) is None
    person = story.person(account)
    worth = net_minor(story.engine, person)
    events = story.index("BTC", "45700")
    (started,) = of(events, LiquidationStarted)
    assert (started.assets_e16, started.debt_e16) == (280 * 10**16, 29_248 * 10**14)
    (step,) = of(events, LiquidationStepped)
    assert (step.step, step.lots, step.price_ticks) == ("netted", 600, 457_000)
    assert not of(events, Traded)
    assert {leg: held.lots for leg, held in person.positions.items()} == {
        leg_of(BTC_PERP, LONG): 400
    }
    assert net_minor(story.engine, person) == worth - units("0.4") * 4_300
    assert of(events, LiquidationEnded)[0].result == "restored"


@pytest.mark.parametrize("vector", vectors(["liquidation_surplus"], on="engine", default=False))
@pytest.mark.parametrize("surplus", ["user", "fund"])
def test_v72_what_a_fill_better_than_bankruptcy_leaves_goes_where_the_venue_says(
    vector: dict[str, Any], surplus: str
) -> None:
    """Long 1 on 2,500: bankrupt at 47,500, sold at 47,600, which is as much better as the vector's
    fill at 10,100 for 10,000; no fee, so that it is all surplus."""
    inputs = vector["inputs"]
    better = units(inputs["fill_price"]) - units(inputs["bankruptcy_price"])
    assert (inputs["side"], inputs["quantity"], better) == ("LONG", "1", units("100"))
    change = vector["expected"]["insurance_fund_change"]
    user, fund = ("0", change) if surplus == "fund" else (change, "0")
    venue = small_venue(fees=NO_FEES, surplus=surplus)
    story = Story(with_perp(venue, BTC_PERP, liquidation_fee_e12=0))
    account = position(story, Side.BUY, "1", "50000", money="2500", isolated=True)
    story.buy(rich(story), BTC_PERP, "1", "47600")
    events = story.index("BTC", "47600")
    assert of(events, LiquidationEnded)[0].result == "closed"
    assert story.person(account).minor("perp", "USDT") == units(user)
    house = story.engine.risk.accounts[INSURANCE]
    assert house.minor("perp", "USDT") - venue.insurance_minor == units(fund)
    steps = [(each.step, each.amount_minor) for each in of(events, LiquidationStepped)]
    assert (("surplus", units("100")) in steps) is (surplus == "fund")


def test_v80_the_fund_takes_what_it_can_answer_for_and_others_the_rest() -> None:
    """Long 1.2 at 52,000 on 2,000 a coin: bankrupt at 50,000. The fund has 50,000: 1.0 is its
    share, 0.2 are the short's."""
    story = Story(small_venue(fees=NO_FEES, insurance_minor=units("50000")))
    story.index("BTC", "52000")
    account = story.account("long", perp_USDT="2400")
    story.ok(SetMarginMode, account_id=account, symbol=BTC_PERP, isolated=True)
    short = rich(story)
    story.sell(short, BTC_PERP, "1.2", "52000")
    assert refusal(story.buy(account, BTC_PERP, "1.2", "52000", leverage=26)) is None
    events = story.index("BTC", "49000")
    steps = [(each.step, each.lots, each.price_ticks) for each in of(events, LiquidationStepped)]
    assert steps == [("fund", 1_000, 500_000), ("adl", 200, 500_000)]
    (told,) = of(events, Deleveraged)
    assert (told.account_id, told.lots, told.price_ticks) == (short, 200, 500_000)
    assert story.engine.risk.accounts[INSURANCE].lots(BTC_PERP) == 1_000
    assert net_minor(story.engine, story.person(account)) == 0


def test_the_numbers_that_decided_are_told() -> None:
    """The same: 2,400 - 3,600 = -1,200 against 0.5 % of 58,800 - 50 = 244."""
    story = Story(small_venue(fees=NO_FEES, insurance_minor=units("50000")))
    story.index("BTC", "52000")
    position(story, Side.BUY, "1.2", "52000", money="2400", leverage=26)
    events = story.index("BTC", "49000")
    (started,) = of(events, LiquidationStarted)
    assert (started.scope, started.symbol) == ("perp", BTC_PERP)
    assert started.mark_e8 == 49_000 * 10**8
    assert (started.assets_e16, started.debt_e16) == (-1_200 * 10**16, 244 * 10**16)
    assert (started.bankruptcy_ticks, started.fund_minor) == (500_000, units("50000"))
    step = of(events, LiquidationStepped)[0]
    assert (step.bankruptcy_ticks, step.equity_minor) == (500_000, -units("1200"))
    assert step.fund_minor == units("50000")
    # The fund is long 1 at 50,000, which is 1,000 less at the mark.
    assert of(events, LiquidationEnded)[0].fund_minor == units("49000")


@pytest.mark.parametrize("vector", vectors(["boundary"], on="engine"))
def test_v81_funding_is_paid_before_anybody_is_looked_at(
    vector: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wallet 11, long 10 at 100, a flat 1 %: 11 > 10. Funding of 0.2 % takes 2: 9 <= 10."""
    inputs, (marked, boundary) = vector["inputs"], vector["inputs"]["steps"]
    held, due = inputs["position"], boundary["expect"]
    flat = brackets([(0, 99, exact(inputs["instrument"]["bracket"]["mmr"], 12))], 10**18)
    story = Story(with_perp(small_venue(fees=NO_FEES), BTC_PERP, brackets=flat))
    fix = PerpState.fix_funding

    def two_per_mille(perp: PerpState) -> int:
        fix(perp)
        return exact(boundary["funding_rate"], 12)

    monkeypatch.setattr(PerpState, "fix_funding", two_per_mille)
    story.index("BTC", marked["price"])
    account = story.account("long", perp_USDT=inputs["wallet_balance"])
    other, bought = rich(story), (held["quantity"], held["entry_price"])
    story.sell(other, BTC_PERP, *bought)
    assert refusal(story.buy(account, BTC_PERP, *bought, leverage=99)) is None
    assert not of(story.wait(1_000), LiquidationStarted)
    events = story.wait(8 * 3_600_000)
    (paid,) = [each for each in of(events, FundingCharged) if each.account_id == account]
    (started,) = of(events, LiquidationStarted)
    assert paid.flow_minor == units(due["funding"])
    assert started.assets_e16 == exact(due["margin_balance"], 16)
    assert started.debt_e16 == exact(due["maintenance_margin"], 16)
    last_paid = max(place for place, each in enumerate(events) if isinstance(each, FundingCharged))
    assert last_paid < events.index(started)
    assert len(of(events, FundingCharged)) == 2
