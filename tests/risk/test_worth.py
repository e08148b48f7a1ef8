"""Tests of what wallets are worth, how much may be borrowed or taken out, and safe bands."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.commands import Borrow, SetMarginLeverage, Transfer
from exchange.events import MarginCalled
from matching.reasons import Reason
from matching.types import Side
from risk.account import MARGIN, PERP, position_wallet
from risk.ledger import PostingReason
from risk.liquidation import perp_state
from risk.worth import (
    levels,
    margin_worth,
    max_borrow,
    max_transfer_out,
    perp_bands,
    perp_worth,
    position_worth,
    wallet_assets,
)
from tests.risk.stories import (
    BTC_PERP,
    ETH_PERP,
    ISOLATED_BTC,
    borrow,
    position,
    rich,
)
from tests.story import Story, of, refusal, small_venue, units

E12 = 10**12


@pytest.fixture
def story() -> Story:
    return Story()


# -- perpetuals --------------------------------------------------------------------------------


def test_p5_the_cross_wallet_counts_profit_and_loss_of_cross_positions_alone(story: Story) -> None:
    """Long 0.5 at 50,000, 20x, at a mark of 49,000: 24,500 of notional."""
    account = position(story, Side.BUY, "0.5", "50000", money="2500")
    story.index("BTC", "49000")
    worth = perp_worth(story.engine.risk, story.person(account))
    # 2,500 - 5 - 0.5 x 1,000 = 1,995.
    assert worth.balance_e16 == 1_995 * 10**16
    assert worth.initial_e16 == 1_225 * 10**16  # 24,500 / 20
    assert worth.maintenance_e28 == 98 * 10**28  # 24,500 x 0.4 %
    assert worth.available_e16 == 770 * 10**16


def test_p5_an_isolated_position_leaves_the_cross_wallet_alone(story: Story) -> None:
    account = position(story, Side.BUY, "0.5", "50000", money="2500", isolated=True)
    story.index("BTC", "49000")
    person = story.person(account)
    worth = perp_worth(story.engine.risk, person)
    assert worth.balance_e16 == 1_245 * 10**16  # 2,500 - 5 - 1,250
    assert (worth.initial_e16, worth.maintenance_e28) == (0, 0)
    balance, maintenance = position_worth(story.engine.risk, person, BTC_PERP)
    assert balance == 750 * 10**16  # 1,250 - 500
    assert maintenance == 98 * 10**28


def test_p5_what_is_available_is_never_less_than_nothing(story: Story) -> None:
    account = position(story, Side.BUY, "1", "50000", money="2600")
    story.index("BTC", "48000")
    worth = perp_worth(story.engine.risk, story.person(account))
    assert worth.balance_e16 < worth.initial_e16
    assert worth.available_e16 == 0


def test_p5_t17_profit_that_is_not_realised_does_not_leave(story: Story) -> None:
    """Long 1 at 50,000, 20x, with 3,600 after the fee: profit carries orders and stays; a loss
    goes off what may leave."""
    account = position(story, Side.BUY, "1", "50000", money="3610")
    person = story.person(account)
    story.index("BTC", "52000")
    # 3,600 + 2,000 - 2,600 may carry orders; 3,600 - 2,600 may leave.
    assert perp_worth(story.engine.risk, person).available_e16 == 3_000 * 10**16
    assert max_transfer_out(story.engine.risk, person, PERP, "USDT") == units("1000")
    story.index("BTC", "49500")
    # min(3,600, 3,600 - 500) - 2,475 = 625.
    assert max_transfer_out(story.engine.risk, person, PERP, "USDT") == units("625")


def test_p5_resting_orders_keep_their_margin_in_the_wallet(story: Story) -> None:
    account = story.account(perp_USDT="1000")
    story.buy(account, BTC_PERP, "0.1", "50000")
    # 500 of margin at 10x and 2.5 of fee are spoken for.
    person = story.person(account)
    assert max_transfer_out(story.engine.risk, person, PERP, "USDT") == units("497.5")


@given(
    st.lists(
        st.tuples(st.sampled_from([BTC_PERP, ETH_PERP]), st.sampled_from(Side), st.integers(1, 9)),
        min_size=1,
        max_size=4,
    ),
    st.integers(-99, 99),
    st.integers(-99, 99),
)
def test_within_its_bands_a_cross_wallet_is_never_in_breach(
    trades: list[tuple[str, Side, int]], btc: int, eth: int
) -> None:
    """Prices anywhere strictly inside the bands, up to 99 % of the way to a bound."""
    story = Story()
    account, other = story.account(perp_USDT="3000"), rich(story)
    for symbol, side, size in trades:
        qty, price = ("0.1", "50000") if symbol == BTC_PERP else ("2", "2500")
        qty = f"{float(qty) * size:.1f}"
        story.place(other, side.opposite, symbol, qty, price)
        story.place(account, side, symbol, qty, price, leverage=50)
    risk, person = story.engine.risk, story.person(account)
    balance, maintenance = perp_state(risk, person, PERP)
    symbols = sorted(person.positions)
    slack = balance * E12 - maintenance
    if not symbols or slack <= 0:
        return
    for symbol, low, high in perp_bands(risk, person, symbols, slack):
        mark_e8 = risk.marks[symbol].mark_e8
        assert mark_e8 is not None
        share = btc if symbol == BTC_PERP else eth
        bound = low if share < 0 else high
        to = mark_e8 * (100 + share) // 100 if bound is None else bound
        risk.marks[symbol].mark_e8 = max(1, mark_e8 + (to - mark_e8) * abs(share) // 100)
    balance, maintenance = perp_state(risk, person, PERP)
    assert balance * E12 > maintenance


# -- spot margin -------------------------------------------------------------------------------


def test_m3_haircuts_are_in_collateral_and_not_in_the_level(story: Story) -> None:
    """1 BTC at 50,000 counts 0.98: 49,000 of collateral, 50,000 of assets."""
    account = story.account(margin_BTC="1", margin_USDT="100")
    worth = margin_worth(story.engine.risk, story.person(account), MARGIN)
    assert worth.assets_e28 == 50_100 * 10**28
    assert worth.collateral_e28 == 49_100 * 10**28
    assert worth.debts_e28 == 0


def test_m5_isolated_margin_takes_no_haircut(story: Story) -> None:
    account = story.account(**{f"{ISOLATED_BTC}_BTC": "1"})
    worth = margin_worth(story.engine.risk, story.person(account), ISOLATED_BTC)
    assert worth.collateral_e28 == worth.assets_e28 == 50_000 * 10**28


def test_v24_a_cross_wallet_as_it_is_told(story: Story) -> None:
    """1 BTC at 40,000 and 10 ETH at 2,000 against 50,012.5: 60,000 / 50,012.5 = 1.19970007; at
    5x that is above the call level of 1.16 and below the 1.25 a new loan needs."""
    account = story.account(margin_BTC="1", margin_ETH="10")
    story.ok(SetMarginLeverage, account_id=account, leverage=5)
    borrow(story, account, MARGIN, "USDT", "50000")
    risk, person = story.engine.risk, story.person(account)
    # What was borrowed is spent, and 25 hours of interest have passed.
    lent, spent = (risk.pocket(person, wallet, "USDT") for wallet in (MARGIN, "spot"))
    risk.ledger.post(lent, spent, units("50000"), PostingReason.TRANSFER)
    person.loans[MARGIN, "USDT"].interest_e18 = 125 * 10**17
    story.index("ETH", "2000")
    assert not of(story.index("BTC", "40000"), MarginCalled)
    worth = margin_worth(risk, person, MARGIN)
    assert worth.assets_e28 == 60_000 * 10**28
    assert worth.debts_e28 == 500_125 * 10**27
    assert max_borrow(risk, person, MARGIN, "USDT") == 0
    assert refusal(story.sell(account, "ETH-USDT", "1", "2000", wallet=MARGIN)) is None


def test_m4_levels_follow_the_leverage_or_the_pair(story: Story) -> None:
    account = story.account()
    risk, person = story.engine.risk, story.person(account)
    assert levels(risk, person, MARGIN)[:2] == (3, 15 * 10**11)
    story.ok(SetMarginLeverage, account_id=account, leverage=5)
    assert levels(risk, person, MARGIN)[:2] == (5, 125 * 10**10)
    assert levels(risk, person, ISOLATED_BTC)[:2] == (10, 111 * 10**10)


def test_m5_v21_the_largest_loan_depends_on_what_the_loan_becomes(story: Story) -> None:
    """CV 950 (after all it owns), IRR 1.5: 950 / (1.5 - 1) = 1,900 USDT, or of BTC, which counts
    0.98, 950 / 0.52 = 1,826.92307692 worth: 0.03653846 BTC."""
    account = story.account(margin_USDT="950")
    risk, person = story.engine.risk, story.person(account)
    assert max_borrow(risk, person, MARGIN, "USDT") == units("1900")
    assert max_borrow(risk, person, MARGIN, "BTC") == units("0.03653846")


def test_t25_a_loan_of_an_asset_held_already_counts_as_the_top_of_it(story: Story) -> None:
    """300 BTC are worth 15,000,000: 10,000,000 count 0.98 and 5,000,000 count 0.88, together
    14,200,000. More BTC would count 0.88: 14,200,000 / (1.5 - 0.88) / 50,000 = 458.06451612,
    not 14,200,000 / (1.5 - 0.98) / 50,000 = 546.15384615."""
    plenty = [
        msgspec.structs.replace(each, borrow_limit_minor=each.pool_capital_minor)
        for each in small_venue().assets
    ]
    story = Story(small_venue(assets=tuple(plenty)))
    account = story.account(margin_BTC="300")
    risk, person = story.engine.risk, story.person(account)
    assert max_borrow(risk, person, MARGIN, "BTC") == units("458.06451612")
    events = story.do(
        Borrow, account_id=account, wallet=MARGIN, asset="BTC", amount_minor=units("458.06451613")
    )
    assert refusal(events) is Reason.COLLATERAL_TOO_LOW


def test_m5_tier_limit_account_limit_and_pool_bound_a_loan(story: Story) -> None:
    account = story.account(**{f"{ISOLATED_BTC}_USDT": "1000000", "margin_USDT": "1000000000"})
    risk, person = story.engine.risk, story.person(account)
    assert max_borrow(risk, person, ISOLATED_BTC, "USDT") == units("90000")
    assert max_borrow(risk, person, ISOLATED_BTC, "BTC") == units("7.2")
    assert max_borrow(risk, person, MARGIN, "ETH") == risk.assets["ETH"].borrow_limit_minor
    borrow(story, account, ISOLATED_BTC, "USDT", "50000")
    assert max_borrow(risk, person, ISOLATED_BTC, "USDT") == units("40000")


def test_an_asset_without_an_index_is_not_lent_and_counts_nothing() -> None:
    """Nobody has priced ETH yet: no loan of it, no collateral by it."""
    story = Story()
    index = story.engine.risk.indexes["ETH-USDT"]
    index.index_e8 = None
    account = story.account(margin_USDT="1000", margin_ETH="10")
    risk, person = story.engine.risk, story.person(account)
    assert max_borrow(risk, person, MARGIN, "ETH") == 0
    events = story.do(Borrow, account_id=account, wallet=MARGIN, asset="ETH", amount_minor=1)
    assert refusal(events) is Reason.COLLATERAL_TOO_LOW
    assert margin_worth(risk, person, MARGIN).assets_e28 == 1_000 * 10**28


def test_a_debt_without_a_price_is_a_bug(story: Story) -> None:
    account = story.account(margin_USDT="10000")
    borrow(story, account, MARGIN, "ETH", "1")
    story.engine.risk.indexes["ETH-USDT"].index_e8 = None
    with pytest.raises(AssertionError):
        margin_worth(story.engine.risk, story.person(account), MARGIN)


def test_no_loan_is_taken_in_wallets_that_do_not_owe(story: Story) -> None:
    account = story.account(spot_USDT="1000", perp_USDT="1000")
    risk, person = story.engine.risk, story.person(account)
    assert max_borrow(risk, person, "spot", "USDT") == 0
    assert max_borrow(risk, person, PERP, "USDT") == 0


def test_m4_what_leaves_keeps_collateral_at_twice_the_debt(story: Story) -> None:
    """1 BTC counts 49,000 and 10,000 USDT as they are, against 10,000.1: 20,000.2 must stay.
    All the USDT may go, or of BTC what leaves 10,000.2 / 0.98 = 10,204.28571429 of value."""
    account = story.account(margin_BTC="1")
    borrow(story, account, MARGIN, "USDT", "10000")
    risk, person = story.engine.risk, story.person(account)
    assert max_transfer_out(risk, person, MARGIN, "USDT") == units("10000")
    kept = units("1") - max_transfer_out(risk, person, MARGIN, "BTC")
    # 10,204.28571428571... / 50,000 = 0.2040857142857..., up to a unit.
    assert kept == units("0.20408572")
    assert max_transfer_out(risk, person, "spot", "USDT") == 0


def test_wallet_assets_are_those_it_holds_something_of(story: Story) -> None:
    account = story.account(margin_USDT="5", margin_BTC="1", spot_ETH="3")
    assert wallet_assets(story.person(account), MARGIN) == [
        ("BTC", units("1")),
        ("USDT", units("5")),
    ]
    story.ok(
        Transfer,
        account_id=account,
        source=MARGIN,
        target="spot",
        asset="BTC",
        amount_minor=units("1"),
    )
    assert wallet_assets(story.person(account), MARGIN) == [("USDT", units("5"))]


def test_a_price_inside_its_bands_makes_no_scope_due(story: Story) -> None:
    """Long 1 at 50,000 with 2,500: 2,300 above maintenance at the mark of 50,000, so that nothing
    is looked at above 47,700, and everything is at that price."""
    account = position(story, Side.BUY, "1", "50000", money="2610", isolated=True)
    story.wait(1_000)
    watch = story.engine.risk.watch
    scope = (account, position_wallet(BTC_PERP))
    # 50,000 - (2,500 - 200) = 47,700.
    assert [band for band in watch.state()[0] if band[:2] == scope] == [
        (*scope, [(BTC_PERP, units("47700"), None)])
    ]
    watch.move(BTC_PERP, units("47700.00000001"))
    assert not watch.due
    watch.move(BTC_PERP, units("47700"))
    assert list(watch.due) == [scope]
