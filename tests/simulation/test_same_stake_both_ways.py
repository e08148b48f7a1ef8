"""The seed's example on the engine: one stake, levered ten times, on either kind of book."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import msgspec
import pytest

from exchange.commands import Borrow, Repay, SetMarginMode, Transfer
from exchange.events import FundingCharged, InterestCharged, LiquidationStarted
from risk.margin_report import margin_report
from risk.parameters import FeeSchedule
from risk.perp_report import position_report
from tests.story import Story, flat_fees, of, refusal, small_venue, units
from tests.vectors import vectors

SPOT = "BTC-USDT"
PERP = "BTC-USDT-PERP"
WALLET = "isolated:BTC-USDT"
MINUTE = 60_000
HOUR = 60 * MINUTE


def _story(fees: FeeSchedule) -> Story:
    """Prices are looked at once a minute, so that a day is short; it begins at 00:02."""
    story = Story(msgspec.structs.replace(small_venue(grid_ms=MINUTE, sample_ms=MINUTE), fees=fees))
    story.wait(2 * MINUTE)
    return story


def _lever_spot(story: Story, own: str) -> tuple[int, int]:
    """Somebody with so much of their own and 9,000 borrowed buys 0.2 BTC at 50,000."""
    me = story.account("me", **{f"{WALLET}_USDT": own})
    other = story.account("other", spot_USDT="100000", spot_BTC="10")
    story.ok(Borrow, account_id=me, wallet=WALLET, asset="USDT", amount_minor=units("9000"))
    story.sell(other, SPOT, "0.2", "50000")
    assert refusal(story.buy(me, SPOT, "0.2", "50000", wallet=WALLET)) is None
    return me, other


def _worth(story: Story, account: int) -> int:
    """What the isolated wallet is worth, less what it owes, in minor units."""
    told = margin_report(story.engine.risk, story.person(account), WALLET)
    return (told.assets_e16 - told.debt_e16) // 10**8


@pytest.mark.parametrize(
    ("price", "left"), [("50000", "1000"), ("52500", "1500"), ("47500", "500")]
)
def test_five_percent_of_ten_thousand_are_half_of_one_thousand(price: str, left: str) -> None:
    """1,000 of one's own and 9,000 borrowed: +5 % makes 1,500 of it, -5 % leaves 500; before
    costs, which are here the 0.09 of the first hour alone. Nobody is liquidated by it:
    9,500 / 9,000.09 is 1.0555, and the bound 1.05."""
    story = _story(flat_fees(0, 0, 0, 0))
    me, _ = _lever_spot(story, "1000")
    assert not of(story.index("BTC", price), LiquidationStarted)
    assert _worth(story, me) == units(left) - units("0.09")


def _a_day_on_spot(story: Story, own: str, sold: str) -> int:
    """Buy, hold for a day, sell 5 % higher, repay all; what is left in the wallet."""
    me, other = _lever_spot(story, own)
    charges = of(story.wait(24 * HOUR), InterestCharged)
    assert len(charges) == 24  # And one at the moment of borrowing.
    story.index("BTC", "52500")
    story.buy(other, SPOT, sold, "52500")
    assert refusal(story.sell(me, SPOT, sold, "52500", wallet=WALLET)) is None
    story.ok(Repay, account_id=me, wallet=WALLET, asset="USDT")
    assert story.person(me).minor(WALLET, "BTC") == 0
    left = story.person(me).minor(WALLET, "USDT")
    story.ok(  # It is the user's own again, to the last unit.
        Transfer, account_id=me, source=WALLET, target="spot", asset="USDT", amount_minor=left
    )
    return left


@pytest.mark.parametrize("vector", vectors(["spot_margin_round_trip"], on="engine", default=False))
def test_v82_a_day_of_spot_margin_with_fees_in_quote(vector: dict[str, Any]) -> None:
    """10 beside the stake pay the fee of the purchase. 25 hours of 0.09 are 2.25; fees of 0.1 %
    on 10,000 and on 10,500 are 20.5: 500 - 2.25 - 20.5 = 477.25."""
    story = _story(FeeSchedule(asset="quote"))
    left = _a_day_on_spot(story, "1010", "0.2")
    assert left - units("1010") == units(vector["expected"]["net_pnl"])


def test_v82_a_day_of_spot_margin_with_fees_in_what_is_received() -> None:
    """The rule of this venue (S10): the purchase pays 0.0002 BTC, which are 10.5 when the rest is
    sold, not 10; the sale of 0.1998 pays 10.4895, not 10.5. So 0.4895 less than in quote:
    500 - 2.25 - 10.5 - 10.4895 = 476.7605."""
    story = _story(FeeSchedule())
    left = _a_day_on_spot(story, "1000", "0.1998")
    assert left - units("1000") == units("476.7605")
    assert units("477.25") - units("476.7605") == units("0.4895")


@pytest.mark.parametrize("vector", vectors(["perpetual_round_trip"], on="engine"))
def test_v82_a_day_of_the_perpetual(vector: dict[str, Any]) -> None:
    """Three fundings of 0.01 % on 10,000 are 3; fees of 0.05 % on 10,000 and 10,500 are 10.25:
    500 - 3 - 10.25 = 486.75. The margin is a thousand, and nothing was owned or borrowed."""
    story = _story(FeeSchedule())
    me = story.account("me", perp_USDT="1100")
    other = story.account("other", perp_USDT="1000000")
    story.ok(SetMarginMode, account_id=me, symbol=PERP, isolated=True)
    story.sell(other, PERP, "0.2", "50000")
    assert refusal(story.buy(me, PERP, "0.2", "50000", leverage=10)) is None
    position = position_report(story.engine.risk, story.person(me), PERP)
    assert position.margin_minor == units("1000")
    # Without a premium on the book the rate is the interest of 0.01 %.
    flows = [
        each.flow_minor
        for each in of(story.wait(24 * HOUR), FundingCharged)
        if each.account_id == me
    ]
    assert flows == [-units("1")] * 3
    story.index("BTC", "52500")
    story.buy(other, PERP, "0.2", "52500")
    assert refusal(story.sell(me, PERP, "0.2", "52500")) is None
    assert story.person(me).minor("perp", "USDT") - units("1100") == units(
        vector["expected"]["net_pnl"]
    )
    assert not story.person(me).positions


def test_what_one_side_of_the_perpetual_pays_in_funding_the_other_receives() -> None:
    story = _story(FeeSchedule())
    me = story.account("me", perp_USDT="2000")
    other = story.account("other", perp_USDT="100000")
    story.sell(other, PERP, "0.2", "50000")
    story.buy(me, PERP, "0.2", "50000")
    flows = of(story.wait(8 * HOUR), FundingCharged)
    assert sorted(Fraction(each.flow_minor, 10**8) for each in flows) == [-1, 1]
