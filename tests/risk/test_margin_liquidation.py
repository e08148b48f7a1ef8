"""Tests of the liquidation of spot margin, on the engine and its books (M10)."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest

from exchange.commands import Borrow, Repay, Transfer
from exchange.events import (
    AnyEvent,
    Filled,
    FundCovered,
    LiquidationEnded,
    LiquidationStarted,
    LiquidationStepped,
    OrderChanged,
    Traded,
)
from matching.reasons import Reason
from matching.types import Status
from risk.account import MARGIN
from risk.ledger import LIQUIDATION, MARGIN_INSURANCE, POOL
from risk.margin_report import margin_report
from tests.risk.stories import (
    BTC,
    ETH,
    HOUR,
    ISOLATED_BTC,
    MAKERS_FREE,
    MINUTE,
    borrow,
    levered,
    owe_interest,
    slow_venue,
    trader,
)
from tests.story import Story, of, refusal, small_venue, units
from tests.vectors import exact, vectors


@pytest.fixture
def story() -> Story:
    """A venue whose makers pay nothing, so that 0.2 BTC bought are 0.2 BTC."""
    return Story(small_venue(fees=MAKERS_FREE))


def _balances(story: Story, account: int, wallet: str) -> dict[str, int]:
    pockets = story.person(account).pockets
    return {asset: held.minor for (name, asset), held in pockets.items() if name == wallet}


def _steps(events: list[AnyEvent]) -> list[tuple[str, str, int]]:
    return [(each.step, each.asset, each.amount_minor) for each in of(events, LiquidationStepped)]


def _result(events: list[AnyEvent]) -> tuple[str, int]:
    (ended,) = of(events, LiquidationEnded)
    return ended.result, ended.covered_minor


def _fund(story: Story, asset: str = "USDT") -> int:
    return story.engine.risk.ledger.house(MARGIN_INSURANCE, asset).minor


# -- V22, V28, V29: 1,000 of one's own and 9,000 borrowed, 0.2 BTC ------------------------------


def _after_a_day() -> tuple[Story, int]:
    """Borrowed at 00:02 and held to 00:02 of the next day: 25 charges of 0.09."""
    story = Story(slow_venue(fees=MAKERS_FREE))
    story.wait(MINUTE)
    account = levered(story, "1000", "9000", "0.2", "50000")
    story.wait(24 * HOUR)
    loan = story.person(account).loans[ISOLATED_BTC, "USDT"]
    assert loan.owed_minor == units("9002.25")
    return story, account


def test_m11_v22_the_liquidation_price_is_the_one_at_which_it_falls() -> None:
    """1.05 x 9,002.25 / 0.2 = 47,261.8125."""
    story, account = _after_a_day()
    told = margin_report(story.engine.risk, story.person(account), ISOLATED_BTC)
    assert told.liquidation_price_e8 == units("47261.8125")
    assert not of(story.index("BTC", "47261.8126"), LiquidationStarted)
    (started,) = of(story.index("BTC", "47261.8125"), LiquidationStarted)
    assert (started.account_id, started.scope, started.symbol) == (account, ISOLATED_BTC, BTC)
    assert started.level_e12 == 105 * 10**10
    assert started.debt_e16 == 900_225 * 10**14


def test_m10_6_v28_debts_come_before_the_fee_and_the_rest_is_the_users() -> None:
    """At 45,500 no part of it restores the level, so all is sold, to bids of 47,000: 9,400 less
    9.4 of taker fee repay 9,002.25; the fee of 1 % is 94; 294.35 are left."""
    story, account = _after_a_day()
    story.buy(trader(story), BTC, "1", "47000")
    before = _fund(story)
    events = story.index("BTC", "45500")
    assert _steps(events) == [
        ("sold", "USDT", units("9400")),
        ("repaid", "USDT", units("9002.25")),
        ("fee", "USDT", units("94")),
    ]
    assert _balances(story, account, ISOLATED_BTC) == {"BTC": 0, "USDT": units("294.35")}
    assert not story.person(account).loans
    assert _fund(story) - before == units("94")
    assert _result(events) == ("closed", 0)


def test_m10_7_v29_the_fund_pays_the_gap_and_the_user_ends_at_nothing() -> None:
    """Bids of 44,000: 8,800 less 8.8 repay 8,791.2, and 211.05 of 9,002.25 are missing."""
    story, account = _after_a_day()
    story.buy(trader(story), BTC, "1", "44000")
    before = _fund(story)
    pool = story.engine.risk.ledger.house(POOL, "USDT").minor
    events = story.index("BTC", "45500")
    assert _result(events) == ("bankrupt", units("211.05"))
    assert _balances(story, account, ISOLATED_BTC) == {"BTC": 0, "USDT": 0}
    assert not story.person(account).loans
    assert before - _fund(story) == units("211.05")
    assert story.engine.risk.ledger.house(POOL, "USDT").minor - pool == units("9002.25")
    (cover,) = of(events, FundCovered)
    assert (cover.fund, cover.paid_minor) == ("margin_insurance", units("211.05"))
    assert not story.engine.risk.bad_debt


@pytest.mark.parametrize("vector", vectors(["spot_liquidation"], on="engine"))
def test_m10_v28_v29_money_goes_where_the_design_says(vector: dict[str, Any]) -> None:
    told, expected = vector["inputs"], vector["expected"]
    story, account = _after_a_day()
    assert story.person(account).minor(ISOLATED_BTC, "BTC") == exact(told["quantity"])
    owed = story.person(account).loans[ISOLATED_BTC, "USDT"].owed_minor
    assert owed == exact(told["debt"])
    story.buy(trader(story), BTC, "1", told["average_price"])
    before = _fund(story)
    events = story.index("BTC", "45500")
    (fill,) = [each for each in of(events, Filled) if each.account_id == account]
    assert fill.fee_minor == exact(expected["taker_fee"])
    steps = {step: minor for step, _, minor in _steps(events)}
    assert steps["sold"] == exact(expected["proceeds"])
    assert steps["repaid"] == exact(expected["debt_repaid"])
    assert steps.get("fee", 0) == exact(expected["liquidation_fee"])
    assert _result(events)[1] == exact(expected["shortfall"])
    assert _fund(story) - before == exact(expected["insurance_fund_change"])
    left = story.person(account).minor(ISOLATED_BTC, "USDT")
    assert left == exact(expected["user_left"])


def test_m10_7_an_empty_fund_leaves_the_pool_with_a_bad_debt() -> None:
    story = Story(small_venue(fees=MAKERS_FREE, margin_insurance_minor=units("100")))
    account = levered(story, "1000", "9000", "0.2", "50000")
    story.buy(trader(story), BTC, "1", "44000")
    story.index("BTC", "45500")
    # 8,791.2 pay the interest of 0.09 and 8,791.11; the fund 100 of the 208.89 that are left.
    assert story.engine.risk.bad_debt == {"USDT": units("108.89")}
    assert _fund(story) == 0
    assert not story.person(account).loans


def test_v23_an_isolated_short_falls_where_it_is_said_to(story: Story) -> None:
    """1,000 of one's own, 0.05 BTC borrowed and sold at 50,000: at 10x and with one hour of
    0.0003 % owed, 3,500 / (1.05 x 0.05000015) = 66,666.4666...; liquidated there, not a cent
    below."""
    account = story.account(**{f"{ISOLATED_BTC}_USDT": "1000"})
    borrow(story, account, ISOLATED_BTC, "BTC", "0.05")
    story.sell(account, BTC, "0.05", "50000", wallet=ISOLATED_BTC)
    story.buy(trader(story), BTC, "0.05", "50000")
    told = margin_report(story.engine.risk, story.person(account), ISOLATED_BTC)
    exact = Fraction(3_500) / (Fraction(105, 100) * Fraction("0.05000015"))
    assert told.liquidation_price_e8 == round(exact * 10**8)
    assert not of(story.index("BTC", "66666.46"), LiquidationStarted)
    assert of(story.index("BTC", "66666.47"), LiquidationStarted)


# -- V30: as little as restores the level ------------------------------------------------------


def _v30(story: Story) -> int:
    """Cross at 5x, 2.2 BTC against 100,000 USDT: bought at 100,000 and worth 50,000 now."""
    account = story.account(margin_BTC="1.2")
    story.index("BTC", "100000")
    borrow(story, account, MARGIN, "USDT", "100000")
    story.buy(account, BTC, "1", "100000", wallet=MARGIN)
    story.sell(trader(story), BTC, "1", "100000")
    owe_interest(story, account, MARGIN, "USDT", "0")  # To have 100,000 exactly.
    story.person(account).margin_leverage = 5
    return account


def test_m10_4_v30_only_as_much_is_sold_as_restores_the_level(story: Story) -> None:
    """(1.25 x 100,000 - 110,000) / (1.25 x 0.989 - 1) = 63,492.06349206 of value: 1.26984127
    BTC, in lots 1.26985. Sold at the index 63,492.5, less 63.4925 and 634.925, repay 62,794.0825.
    """
    account = _v30(story)
    story.buy(trader(story), BTC, "10", "50000")
    before = _fund(story)
    events = story.index("BTC", "50000")
    (started,) = of(events, LiquidationStarted)
    assert (started.level_e12, started.symbol) == (11 * 10**11, "")
    assert _steps(events) == [
        ("sold", "USDT", units("63492.5")),
        ("fee", "USDT", units("634.925")),
        ("repaid", "USDT", units("62794.0825")),
    ]
    assert _fund(story) - before == units("634.925")
    person = story.person(account)
    assert person.minor(MARGIN, "BTC") == units("0.93015")
    assert person.loans[MARGIN, "USDT"].principal_minor == units("37205.9175")
    assert _result(events) == ("restored", 0)
    told = margin_report(story.engine.risk, person, MARGIN)
    assert told.level_e12 is not None
    assert 125 * 10**10 <= told.level_e12 < 12501 * 10**8


def test_m10_2_debts_are_repaid_in_kind_before_anything_is_sold(story: Story) -> None:
    """Of 100,000 borrowed 60,000 became ETH that is worth 24 now; 40,000 are still there. At
    69,000 a BTC, 109,024 stand against 100,001: 1.0902. The 40,000 repay as much, with no fee;
    only then is BTC sold, as the level of 1.15 is below the 1.5 at which a liquidation stops."""
    account = story.account(margin_BTC="1")
    story.index("BTC", "100000")
    borrow(story, account, MARGIN, "USDT", "100000")
    story.buy(account, ETH, "24", "2500", wallet=MARGIN)
    other = trader(story)
    story.sell(other, ETH, "24", "2500")
    story.index("ETH", "1")
    story.buy(other, BTC, "10", "69000")
    events = story.index("BTC", "69000")
    steps = _steps(events)
    assert steps[0] == ("repaid", "USDT", units("40000"))
    assert [step for step, _, _ in steps[1:]] == ["sold", "fee", "repaid"]
    assert _result(events)[0] == "restored"


def test_m10_1_orders_are_cancelled_and_that_alone_may_save_it(story: Story) -> None:
    """A margin buy holds borrowed money; when it goes, the money repays (M6): the level of
    1.0999 becomes more than 1.1 and nothing is sold."""
    account = story.account(margin_BTC="0.3")
    # 0.3 BTC are 15,000 at 50,000: borrow 26,000 in an order that does not fill.
    story.buy(account, BTC, "0.65", "40000", wallet=MARGIN, side_effect=1)
    loan = story.person(account).loans[MARGIN, "USDT"]
    assert loan.principal_minor == units("26000")
    # At 8,660 they are 2,598: 28,598 / 26,000.26 = 1.09991...
    events = story.index("BTC", "8660")
    assert of(events, LiquidationStarted)
    (order,) = of(events, OrderChanged)
    assert (order.status, order.reason) == (Status.CANCELLED, Reason.LIQUIDATION)
    assert _result(events) == ("restored", 0)
    assert not of(events, Traded)
    assert loan.principal_minor == units("0.26")
    assert story.person(account).minor(MARGIN, "BTC") == units("0.3")


# -- rounds and takeover -----------------------------------------------------------------------


def test_m10_4_bands_widen_round_by_round(story: Story) -> None:
    """At 47,200: 1 % below is 46,728, 3 % is 45,784, 5 % is 44,840. Bids at 45,000 are reached in
    the third round, two seconds later."""
    levered(story, "1000", "9000", "0.2", "50000")
    story.buy(trader(story), BTC, "1", "45000")
    events = story.index("BTC", "47200")
    assert of(events, LiquidationStarted)
    assert not of(events, Traded)
    assert not of(story.wait(1_000), Traded)
    assert of(story.wait(1_000), Traded)


def test_m10_5_after_three_rounds_on_an_empty_book_the_venue_takes_over(story: Story) -> None:
    account = levered(story, "1000", "9000", "0.2", "50000")
    assert of(story.index("BTC", "47200"), LiquidationStarted)
    person = story.person(account)
    for _ in range(2):
        assert not of(story.wait(1_000), LiquidationEnded)
        assert ISOLATED_BTC in person.liquidating
    events = story.wait(1_000)
    assert _result(events) == ("bankrupt", 0)
    assert [step for step, _, _ in _steps(events)] == ["takeover", "takeover"]
    assert _balances(story, account, ISOLATED_BTC) == {"BTC": 0, "USDT": 0}
    assert not person.loans
    assert not person.liquidating
    house = story.engine.risk.accounts[LIQUIDATION]
    assert house.minor(MARGIN, "BTC") == units("0.2")
    assert house.loans[MARGIN, "USDT"].owed_minor == units("9000.09")


def test_m10_5_at_102_percent_there_is_one_round_at_the_widest_band(story: Story) -> None:
    """At 45,500 the level is 9,100 / 9,000.09 = 1.0111: one try down to 43,225, then takeover."""
    levered(story, "1000", "9000", "0.2", "50000")
    assert of(story.index("BTC", "45500"), LiquidationStarted)
    events = story.wait(1_000)
    assert [step for step, _, _ in _steps(events)] == ["takeover", "takeover"]


def test_m10_5_what_the_house_took_over_is_sold_when_somebody_bids(story: Story) -> None:
    """0.2 BTC at 47,000, without a fee for the house, are 9,400: 9,000.09 repay the pool and
    what is left goes to the margin fund."""
    levered(story, "1000", "9000", "0.2", "50000")
    story.index("BTC", "47200")
    story.wait(3_000)
    before = _fund(story)
    story.buy(trader(story), BTC, "1", "47000")
    story.wait(5_000)
    house = story.engine.risk.accounts[LIQUIDATION]
    assert not house.loans
    assert house.minor(MARGIN, "BTC") == 0
    assert _fund(story) - before == units("399.91")


def test_m10_5_what_the_house_cannot_repay_the_fund_adds(story: Story) -> None:
    levered(story, "1000", "9000", "0.2", "50000")
    story.index("BTC", "47200")
    story.wait(3_000)
    before = _fund(story)
    story.index("BTC", "40000")
    story.buy(trader(story), BTC, "1", "40000")
    story.wait(15_000)
    house = story.engine.risk.accounts[LIQUIDATION]
    assert not house.loans
    # 0.2 x 40,000 = 8,000 of 9,000.09 came from the sale.
    assert before - _fund(story) == units("1000.09")
    assert not story.engine.risk.bad_debt


def test_m10_1_a_wallet_in_liquidation_is_locked_and_others_are_not(story: Story) -> None:
    account = levered(story, "1000", "9000", "0.2", "50000")
    story.deposit(account, MARGIN, "USDT", "100")
    story.index("BTC", "47200")
    locked = [
        story.do(
            kind, account_id=account, wallet=ISOLATED_BTC, asset="USDT", amount_minor=units("1")
        )
        for kind in (Borrow, Repay)
    ]
    locked.append(
        story.do(
            Transfer,
            account_id=account,
            source=MARGIN,
            target=ISOLATED_BTC,
            asset="USDT",
            amount_minor=units("1"),
        )
    )
    locked.append(story.sell(account, BTC, "0.1", "50000", wallet=ISOLATED_BTC))
    assert [refusal(events) for events in locked] == [Reason.ACCOUNT_LIQUIDATING] * 4
    borrow(story, account, MARGIN, "USDT", "1")


def test_m10_a_liquidation_under_way_stops_when_the_price_comes_back(story: Story) -> None:
    account = levered(story, "1000", "9000", "0.2", "50000")
    story.index("BTC", "47200")
    story.wait(1_000)
    story.index("BTC", "50000")  # 10,000 / 9,000.09 = 1.1111 > 1.11.
    assert _result(story.wait(1_000)) == ("restored", 0)
    assert story.person(account).minor(ISOLATED_BTC, "BTC") == units("0.2")


# -- debts of other assets ---------------------------------------------------------------------


def test_m10_3_the_largest_debt_is_bought_back_first(story: Story) -> None:
    """Cash of 10,000, short of 0.2 BTC and 2 ETH, both sold for 15,000: at 84,000 and 3,000 it
    owes 16,800 and 6,000. 25,000 / 22,800 = 1.0965: BTC is bought first, and all of it, for
    19,028 would have to be; then ETH, as much as brings the level to 1.5."""
    account = story.account(margin_USDT="10000")
    other = trader(story)
    for symbol, qty, price in ((BTC, "0.2", "50000"), (ETH, "2", "2500")):
        borrow(story, account, MARGIN, symbol[:3], qty)
        story.sell(account, symbol, qty, price, wallet=MARGIN)
        story.buy(other, symbol, qty, price)
    story.index("ETH", "3000")
    story.sell(other, BTC, "5", "84000")
    story.sell(other, ETH, "50", "3000")
    events = story.index("BTC", "84000")
    assert [each.symbol for each in of(events, Traded)] == [BTC, ETH]
    assert list(story.person(account).loans) == [(MARGIN, "ETH")]
    assert _result(events) == ("restored", 0)


def test_m10_3_eth_owed_against_btc_goes_over_the_direct_pair(story: Story) -> None:
    """BTC is given for ETH on ETH-BTC: 0.05 BTC an ETH."""
    account = story.account(margin_BTC="1")
    borrow(story, account, MARGIN, "ETH", "15")
    story.sell(account, ETH, "15", "2500", wallet=MARGIN)
    other = trader(story)
    story.buy(other, ETH, "15", "2500")
    # 37,500 USDT become BTC, so that only BTC stands against ETH.
    story.buy(account, BTC, "0.75", "50000", wallet=MARGIN)
    story.sell(other, BTC, "0.75", "50000")
    story.sell(other, "ETH-BTC", "100", "0.107")
    # 1.75 x 50,000 = 87,500 against 15 x 5,350 = 80,250: 1.0903.
    events = story.index("ETH", "5350")
    (started,) = of(events, LiquidationStarted)
    assert started.account_id == account
    first = of(events, LiquidationStepped)[0]
    assert (first.step, first.symbol) == ("bought", "ETH-BTC")
    assert _result(events)[0] == "restored"


def test_m10_3_by_way_of_the_quote_the_fee_is_charged_once() -> None:
    """1,500 SOL at 36.6 against 1 BTC: 54,900 / 50,000.15 = 1.098. With two taker fees and 1 %
    x = (1.5 x 50,000.15 - 54,900) / (1.5 x 0.988 - 1) = 41,701.7 of SOL restore 1.5, by way of
    USDT; the fee is 1 % of the BTC that are bought, and none of the USDT."""
    symbols = (BTC, "SOL-USDT")
    story = Story(small_venue(fees=MAKERS_FREE, symbols=symbols))
    account = story.account(margin_SOL="1000")
    other = story.account("other", spot_USDT="10000000", spot_BTC="100", spot_SOL="10000")
    borrow(story, account, MARGIN, "BTC", "1")
    story.sell(account, BTC, "1", "50000", wallet=MARGIN)
    story.buy(other, BTC, "1", "50000")
    story.buy(account, "SOL-USDT", "500", "100", wallet=MARGIN)
    story.sell(other, "SOL-USDT", "500", "100")
    story.buy(other, "SOL-USDT", "5000", "36.6")
    story.sell(other, BTC, "5", "50000")
    usdt, btc = _fund(story), _fund(story, "BTC")
    events = story.index("SOL", "36.6")
    assert [each.symbol for each in of(events, Traded)] == ["SOL-USDT", BTC]
    (sold, bought) = of(events, Traded)
    assert sold.lots == 1_139_392  # 41,701.71... / 36.6 = 1,139.391..., up to a lot of 0.001.
    assert _fund(story) == usdt
    assert _fund(story, "BTC") - btc == -(-bought.lots * 1_000 // 100)
    # The purchase counts on the 1 % it may cost more; what that left over is used a second later.
    assert _result(story.wait(1_000)) == ("restored", 0)
    told = margin_report(story.engine.risk, story.person(account), MARGIN)
    assert told.level_e12 is not None
    assert 15 * 10**11 <= told.level_e12 < 15002 * 10**8
