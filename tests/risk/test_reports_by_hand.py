"""Tests of reports with figures done by hand: the vectors of MECHANICS, and P5."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from exchange.commands import AdjustPositionMargin, Borrow, Repay, SetMarginLeverage, Transfer
from matching.reasons import Reason
from matching.types import Side
from risk.liquidation import breached
from risk.margin_liquidation import margin_breached
from risk.reports import (
    MarginReport,
    isolated_price_e8,
    margin_report,
    max_borrow,
    max_transfer_out,
    perp_report,
    position_report,
)
from risk.worth import margin_worth
from tests.risk.stories import (
    BTC,
    BTC_PERP,
    ETH_PERP,
    ISOLATED_BTC,
    MAKERS_FREE,
    NO_FEES,
    borrow,
    position,
    report,
    rich,
)
from tests.story import Story, refusal, small_venue, units

E12 = 10**12


@pytest.fixture
def story() -> Story:
    return Story(small_venue(fees=NO_FEES))


def e16(text: str) -> int:
    """Decimal text as 10^-16 of the quote."""
    return units(text) * 10**8


def margin(story: Story, account: int, wallet: str = "margin") -> MarginReport:
    return margin_report(story.engine.risk, story.person(account), wallet)


# -- spot margin -------------------------------------------------------------------------------


def test_m3_m4_v24_a_cross_margin_wallet(story: Story) -> None:
    """1 BTC at 40,000 and 10 ETH at 2,000; owed 50,000 and 12.5: 60,000 / 50,012.5; a call at 5x
    comes at 1.16. Haircuts of 0.98 and 0.97 leave 39,200 + 19,400 of collateral."""
    story.index("BTC", "40000")
    story.index("ETH", "2000")
    account = story.account(margin_BTC="1", margin_ETH="10", margin_USDT="100000")
    story.ok(SetMarginLeverage, account_id=account, leverage=5)
    borrow(story, account, "margin", "USDT", "50000")
    person = story.person(account)
    person.loans["margin", "USDT"].interest_e18 = units("12.5") * 10**10
    pocket = person.pockets["margin", "USDT"]
    pocket.minor = 0
    found = margin(story, account)
    assert (found.assets_e16, found.debt_e16) == (e16("60000"), e16("50012.5"))
    assert found.level_e12 == 1_199_700_074_981  # 1.19970007498...
    assert found.collateral_e16 == e16("58600")
    assert found.collateral_level_e12 == 58_600 * E12 * 10 // 500_125
    assert (found.call_e12, found.liquidation_e12, found.leverage) == (
        116 * E12 // 100,
        110 * E12 // 100,
        5,
    )
    assert found.liquidation_price_e8 is None  # Of one asset there is none: there are two.


def test_m3_without_a_debt_there_is_no_level(story: Story) -> None:
    account = story.account(margin_USDT="1000")
    found = margin(story, account)
    assert (found.assets_e16, found.debt_e16) == (e16("1000"), 0)
    assert (found.level_e12, found.collateral_level_e12) == (None, None)


def test_m11_v22_a_long_on_isolated_margin(story: Story) -> None:
    """Own 1,000, borrowed 9,000 and an hour of 0.09 on it, 0.2 BTC: 1.05 x 9,000.09 / 0.2."""
    account = story.account()
    story.deposit(account, ISOLATED_BTC, "USDT", "1000")
    borrow(story, account, ISOLATED_BTC, "USDT", "9000")
    story.sell(story.account(spot_BTC="1"), BTC, "0.2", "50000")
    story.buy(account, BTC, "0.2", "50000", wallet=ISOLATED_BTC)
    found = margin(story, account, ISOLATED_BTC)
    assert found.leverage == 10
    assert found.liquidation_price_e8 == units("47250.4725")
    story.person(account).loans[ISOLATED_BTC, "USDT"].interest_e18 = 0
    assert margin(story, account, ISOLATED_BTC).liquidation_price_e8 == units("47250")


def test_m11_v23_a_short_on_isolated_margin_at_3x() -> None:
    """3,500 USDT against 0.05 BTC at 1.18: 3,500 / (1.18 x 0.05)."""
    price = isolated_price_e8(0, 5 * 10**16, units("3500"), 0, 118 * E12 // 100)
    assert price == units("59322.03389831")


def test_m11_a_wallet_that_no_price_can_take_has_no_liquidation_price(story: Story) -> None:
    """It owes 100 and has 10,000 of the same: BTC could be worth nothing."""
    account = story.account()
    story.deposit(account, ISOLATED_BTC, "USDT", "10000")
    assert margin(story, account, ISOLATED_BTC).liquidation_price_e8 is None
    borrow(story, account, ISOLATED_BTC, "USDT", "100")
    assert margin(story, account, ISOLATED_BTC).liquidation_price_e8 is None


@pytest.mark.parametrize("short", [False, True])
def test_i14_the_liquidation_price_of_a_wallet_is_where_the_scan_takes_it(
    story: Story, short: bool
) -> None:
    account = story.account()
    story.deposit(account, ISOLATED_BTC, "USDT", "1000")
    trader = story.account(spot_BTC="1", spot_USDT="100000")
    if short:
        borrow(story, account, ISOLATED_BTC, "BTC", "0.1")
        story.buy(trader, BTC, "0.1", "50000")
        story.sell(account, BTC, "0.1", "50000", wallet=ISOLATED_BTC)
    else:
        borrow(story, account, ISOLATED_BTC, "USDT", "4000")
        story.sell(trader, BTC, "0.1", "50000")
        story.buy(account, BTC, "0.1", "50000", wallet=ISOLATED_BTC)
    price = margin(story, account, ISOLATED_BTC).liquidation_price_e8
    assert price is not None
    risk, person = story.engine.risk, story.person(account)
    fallen = {}
    for away in (-1, 1):
        risk.indexes[BTC].index_e8 = price + away
        worth = margin_worth(risk, person, ISOLATED_BTC)
        fallen[away] = margin_breached(risk, person, ISOLATED_BTC, worth)
    assert fallen == {-1: not short, 1: short}


def test_m5_v21_as_much_may_be_borrowed_and_taken_out_as_is_said(story: Story) -> None:
    """1,000 at 3x: (1,000 - 0) / (1.5 - 1) = 2,000; owing 500 and their 0.005, all above
    2 x 500.005 of the 1,500 may go: 499.99."""
    account = story.account(margin_USDT="1000")
    risk, person = story.engine.risk, story.person(account)
    assert max_borrow(risk, person, "margin", "USDT") == units("2000")
    borrow(story, account, "margin", "USDT", "500")
    most = max_transfer_out(risk, person, "margin", "USDT")
    assert most == units("499.99")
    wish = {"account_id": account, "source": "margin", "target": "spot", "asset": "USDT"}
    refused = story.do(Transfer, amount_minor=most + 1, **wish)
    assert refusal(refused) is Reason.TRANSFER_WOULD_BREACH_MARGIN
    story.ok(Transfer, amount_minor=most, **wish)
    story.ok(Repay, account_id=account, wallet="margin", asset="USDT")


# -- perpetuals --------------------------------------------------------------------------------


def test_p5_a_cross_wallet_of_perpetuals(story: Story) -> None:
    """Long 1 at 50,000 and 20x in a wallet of 4,000; at 51,000 profit is 1,000, margin 51,000 / 20
    = 2,550, maintenance 51,000 x 0.5 % - 50 = 205. A buy of 0.1 at 49,000 adds 4,900 / 20 = 245.
    Available: 5,000 - 2,795. Withdrawable: 4,000 - 2,795, for profit may not leave."""
    account = position(story, Side.BUY, "1", "50000", money="4000")
    story.index("BTC", "51000")
    story.buy(account, BTC_PERP, "0.1", "49000")
    found = perp_report(story.engine.risk, story.person(account))
    assert found._asdict() == {
        "wallet_minor": units("4000"),
        "unrealised_e16": e16("1000"),
        "margin_balance_e16": e16("5000"),
        "initial_e16": e16("2550"),
        "order_margin_e16": e16("245"),
        "maintenance_e16": e16("205"),
        "available_minor": units("2205"),
        "withdrawable_minor": units("1205"),
    }


def test_p5_a_loss_lowers_what_may_leave_too(story: Story) -> None:
    """At 49,000 the balance is 3,000 and the margin 2,450."""
    account = position(story, Side.BUY, "1", "50000", money="4000")
    story.index("BTC", "49000")
    found = perp_report(story.engine.risk, story.person(account))
    assert found.available_minor == found.withdrawable_minor == units("550")


def test_an_isolated_position_is_no_part_of_the_cross_wallet(story: Story) -> None:
    account = position(story, Side.BUY, "1", "50000", money="4000", isolated=True)
    story.index("BTC", "49000")
    found = perp_report(story.engine.risk, story.person(account))
    assert (found.wallet_minor, found.unrealised_e16) == (units("1500"), 0)
    assert (found.initial_e16, found.maintenance_e16) == (0, 0)
    assert found.available_minor == units("1500")


def test_a_position_at_its_mark() -> None:
    """Short 2 at 50,000 and 20x, mark 49,000: notional 98,000, profit 2,000, initial 4,900,
    maintenance 98,000 x 0.5 % - 50 = 440, no margin of its own."""
    story = Story(small_venue(fees=NO_FEES))
    account = position(story, Side.SELL, "2", "50000", money="6000")
    story.index("BTC", "49000")
    found = report(story, account)
    assert found[:7] == (
        units("49000"),
        units("50000"),
        e16("98000"),
        e16("2000"),
        e16("4900"),
        0,
        e16("440"),
    )


def test_p11_t4_v51_the_bracket_of_the_liquidation_price_counts_not_that_of_the_entry() -> None:
    """Isolated long 12.5 at 50,000 and 20x: margin 31,250; bracket 2 at 47,734.67336683."""
    story = Story(small_venue(fees=NO_FEES))
    account = position(story, Side.BUY, "12.5", "50000", money="40000", isolated=True)
    found = report(story, account)
    assert found.margin_minor == units("31250")
    assert found.liquidation_e8 == units("47734.67336683")


def test_p11_v52_an_isolated_short() -> None:
    """3 at 60,000 and 30x: margin 6,000, bracket 2."""
    story = Story(small_venue(fees=NO_FEES))
    story.index("BTC", "60000")
    account = position(story, Side.SELL, "3", "60000", money="7000", leverage=30, isolated=True)
    assert report(story, account).liquidation_e8 == units("61708.12603648")


@pytest.mark.parametrize(("side", "ticks"), [(Side.BUY, 196_118), (Side.SELL, 203_877)])
def test_p12_v47_the_bankruptcy_price_has_the_fee_to_close_in_it_and_rounds_to_the_safe_side(
    side: Side, ticks: int
) -> None:
    """Taker 0.06 %, 1 at 20,000 with 400: long 19,600 / 0.9994 = 19,611.76..., up to 19,611.8;
    short 20,400 / 1.0006 = 20,387.767..., down to 20,387.7."""
    fees = msgspec.structs.replace(MAKERS_FREE, perp_taker_e12=6 * E12 // 10_000)
    story = Story(small_venue(fees=fees))
    story.index("BTC", "20000")
    account = position(story, side, "1", "20000", money="430", leverage=50, isolated=True)
    assert report(story, account).margin_minor == units("400")
    assert report(story, account).bankruptcy_ticks == ticks


def test_p11_a_position_backed_by_more_than_any_price_takes_has_neither_price() -> None:
    """A cross long of 0.01 in a wallet of 10,000: at zero 9,500 would be left."""
    story = Story(small_venue(fees=NO_FEES))
    account = position(story, Side.BUY, "0.01", "50000", money="10000")
    found = report(story, account)
    assert (found.liquidation_e8, found.bankruptcy_ticks) == (None, None)


def _alone(story: Story, account: int) -> None:
    pass


def _beside_another(story: Story, account: int) -> None:
    story.sell(rich(story), ETH_PERP, "20", "2500")
    story.buy(account, ETH_PERP, "20", "2500")


def _beside_an_isolated_one(story: Story, account: int) -> None:
    story.person(account).own_setting(ETH_PERP).isolated = True
    _beside_another(story, account)


def _after_a_move(story: Story, account: int) -> None:
    story.index("BTC", "50500")


def _with_an_order(story: Story, account: int) -> None:
    story.buy(account, BTC_PERP, "0.1", "40000")


def _with_more_margin(story: Story, account: int) -> None:
    story.ok(AdjustPositionMargin, account_id=account, symbol=BTC_PERP, amount_minor=units("777"))


@pytest.mark.parametrize("side", list(Side))
@pytest.mark.parametrize(
    ("isolated", "more"),
    [
        (False, _alone),
        (False, _beside_another),
        (False, _beside_an_isolated_one),
        (False, _after_a_move),
        (False, _with_an_order),
        (True, _alone),
        (True, _beside_another),
        (True, _with_more_margin),
    ],
)
def test_i14_the_liquidation_price_of_a_position_is_where_the_scan_takes_it(
    side: Side, isolated: bool, more: Any
) -> None:
    story = Story()
    account = position(story, side, "1.5", "50000", money="20000", isolated=isolated)
    more(story, account)
    risk, person = story.engine.risk, story.person(account)
    price = position_report(risk, person, BTC_PERP).liquidation_e8
    assert price is not None
    fallen = {}
    for away in (-1, 1):
        risk.marks[BTC_PERP].mark_e8 = price + away
        fallen[away] = breached(risk, person, person.perp_pocket_wallet(BTC_PERP))
    assert fallen == {-1: side is Side.BUY, 1: side is Side.SELL}


def test_reports_change_nothing(story: Story) -> None:
    account = position(story, Side.BUY, "1", "50000", money="4000")
    story.deposit(account, ISOLATED_BTC, "USDT", "1000")
    story.ok(Borrow, account_id=account, wallet=ISOLATED_BTC, asset="USDT", amount_minor=1)
    before = story.engine.digest()
    risk, person = story.engine.risk, story.person(account)
    for wallet in ("margin", ISOLATED_BTC, "isolated:ETH-USDT"):
        margin_report(risk, person, wallet)
    perp_report(risk, person)
    position_report(risk, person, BTC_PERP)
    assert story.engine.digest() == before
