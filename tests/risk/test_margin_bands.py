"""Tests of the bands of margin wallets, and of the interest they allow for."""

from __future__ import annotations

import msgspec
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from exchange.events import LiquidationStarted
from risk.account import MARGIN, Account, Loan
from risk.loan_tiers import levels
from risk.margin_bands import interest_ahead, margin_bands, watch_margin
from risk.margin_worth import margin_worth
from risk.money import E12, at_most
from risk.parameters import RateCurve
from tests.naive.naive_levels import must_be_called, must_be_liquidated
from tests.risk.bands import inside, put_in, reprice, risk_and_account, roomy
from tests.risk.stories import HOUR, ISOLATED_BTC, NO_FEES, borrow, spent, with_asset
from tests.story import Story, again, of, small_venue, units

AMOUNTS = st.integers(0, 10**12)


OWED = st.just(0) | st.integers(1, 10**12)


def _owe(account: Account, asset: str, principal_minor: int, interest_e18: int) -> None:
    loan = Loan(len(account.loans) + 1, MARGIN, asset)
    loan.principal_minor, loan.interest_e18 = principal_minor, interest_e18
    account.loans[MARGIN, asset] = loan


@given(
    st.tuples(AMOUNTS, AMOUNTS, AMOUNTS),
    st.tuples(OWED, OWED, OWED),
    st.integers(0, 10**16),
    st.sampled_from([3, 5]),
    st.data(),
)
def test_no_price_inside_its_bands_takes_a_margin_wallet_to_its_next_level(
    own: tuple[int, int, int],
    owed: tuple[int, int, int],
    interest_e18: int,
    leverage: int,
    data: st.DataObject,
) -> None:
    """As many units of ETH and USDT as are worth the units of BTC."""
    risk, account = risk_and_account()
    account.margin_leverage = leverage
    assets = (("BTC", 1), ("ETH", 20), ("USDT", 50_000))
    for (asset, size), has, owes in zip(assets, own, owed, strict=True):
        put_in(risk, account, MARGIN, asset, has * size)
        if owes:
            _owe(account, asset, owes * size, interest_e18)
    bounds = levels(risk, account, MARGIN)
    worth = margin_worth(risk, account, MARGIN)
    assume(worth.debts_e28)
    assume(not at_most(worth.assets_e28, worth.debts_e28, bounds.liquidation_e12))
    called = at_most(worth.assets_e28, worth.debts_e28, bounds.call_e12)
    bands = margin_bands(risk, account, MARGIN, worth, called=called, ahead={})
    assume(roomy(bands))
    reprice(risk, inside(bands, data))
    moved = margin_worth(risk, account, MARGIN)
    assert at_most(moved.assets_e28, moved.debts_e28, bounds.call_e12) == called
    assert not at_most(moved.assets_e28, moved.debts_e28, bounds.liquidation_e12)


def test_a_called_wallet_has_a_bound_on_either_side_and_another_only_one() -> None:
    """1 BTC at 3x: 30,000 owed call at 1.3 x 30,000 = 39,000; 40,000 owed liquidate at
    1.1 x 40,000 = 44,000, and clear the call at 52,000."""
    for owed, called, low, high in (
        ("30000", False, "39000", None),
        ("40000", True, "44000", units("52000")),
    ):
        risk, account = risk_and_account()
        put_in(risk, account, MARGIN, "BTC", units("1"))
        _owe(account, "USDT", units(owed), 0)
        worth = margin_worth(risk, account, MARGIN)
        bands = margin_bands(risk, account, MARGIN, worth, called=called, ahead={})
        assert bands == [("BTC-USDT", units(low), high)]


# -- interest that falls due inside the bands --------------------------------------------------


HOURLY = small_venue(grid_ms=HOUR, sample_ms=HOUR, fees=NO_FEES)


def test_an_hour_of_interest_makes_nobody_due_while_a_day_of_it_is_allowed_for() -> None:
    """1,000 at 0.001 % an hour: 24 hours of 0.01 are allowed for; the first comes with the loan,
    before the check, so the 25th after it is checked."""
    story = Story(HOURLY)
    story.index("BTC", "50000")
    account = story.account(margin_BTC="1")
    borrow(story, account, MARGIN, "USDT", "1000")
    story.wait(HOUR)
    loan = story.person(account).loans[MARGIN, "USDT"]
    checked: list[int] = []
    for hour in range(1, 27):
        before = loan.allowance_e18
        story.wait(HOUR)
        if loan.allowance_e18 > before:
            checked.append(hour)
    assert checked == [25]
    assert loan.allowance_e18 == 23 * 10**16


def test_a_rate_that_can_rise_is_allowed_for_twice() -> None:
    curve = RateCurve(10_000_000, E12 // 2, 10_000_000, 80_000_000)
    story = Story(with_asset(HOURLY, "USDT", curve=curve))
    account = story.account(margin_USDT="1000")
    borrow(story, account, MARGIN, "USDT", "1000")
    story.wait(1_000)
    story.wait(HOUR)
    # Next to nothing of 200,000,000 is lent: 0.001 % an hour and 10^-10 of that.
    rate_e12 = story.engine.risk.rates_e12["USDT"]
    assert rate_e12 == 10_000_000 + 100
    told = interest_ahead(story.engine.risk, story.person(account), MARGIN)
    assert told == {"USDT": 2 * 24 * units("1000") * rate_e12 // 100}


def test_without_room_for_a_day_of_interest_every_hour_is_checked() -> None:
    """1.3 x 1,000.01 = 1,300.013 is called; 1,300.02 is above it, by less than 24 hours."""
    story = Story(HOURLY)
    account = story.account(margin_USDT="10000")
    borrow(story, account, MARGIN, "USDT", "1000")
    spent(story, account, MARGIN, "USDT", "9699.98")
    story.wait(HOUR)
    assert story.person(account).loans[MARGIN, "USDT"].allowance_e18 == 0
    # 1,000.02 is owed now: 1,300.026 is more than the 1,300.02 it has.
    assert MARGIN in story.person(account).called


def test_a_called_wallet_is_told_again_by_the_hour_it_is_a_day_ago() -> None:
    risk, account = risk_and_account()
    put_in(risk, account, MARGIN, "BTC", units("1"))
    _owe(account, "USDT", units("39000"), 0)
    account.called[MARGIN] = 0
    watch_margin(risk, account, MARGIN, margin_worth(risk, account, MARGIN))
    assert account.loans[MARGIN, "USDT"].allowance_e18 == 0


def test_the_allowance_survives_a_restart() -> None:
    story = Story(HOURLY)
    account = story.account(margin_BTC="1")
    story.index("BTC", "50000")
    borrow(story, account, MARGIN, "USDT", "1000")
    story.wait(HOUR)
    loan = story.person(account).loans[MARGIN, "USDT"]
    assert loan.allowance_e18 > 0
    restored = again(story.engine).risk.accounts[account].loans[MARGIN, "USDT"]
    assert restored.allowance_e18 == loan.allowance_e18


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("hours"), st.integers(1, 60)),
        st.tuples(st.sampled_from(["BTC", "ETH"]), st.integers(-60, 60)),
    ),
    min_size=1,
    max_size=25,
)


@settings(max_examples=60)
@given(STEPS, st.booleans(), st.integers(1, 40))
def test_i9_no_wallet_is_missed_that_checking_everybody_would_find(
    steps: list[tuple[str, int]], compound: bool, dear: int
) -> None:
    """Six wallets near their levels, at rates that matter, some of which rise with use; prices
    move by per mille and hours pass. After every grid point the twin, which looks at everybody,
    finds nobody in breach or below the call level whom the scan did not."""
    curve = RateCurve(E12 // 20_000, E12 // 2, E12 // 5_000, E12 // 500)
    venue = with_asset(HOURLY, "USDT", hourly_rate_e12=dear * E12 // 100_000)
    venue = with_asset(venue, "ETH", curve=curve, pool_capital_minor=units("400"))
    story = Story(msgspec.structs.replace(venue, compound=compound))
    prices = {"BTC": 50_000 * 10**8, "ETH": 2_500 * 10**8}
    for asset, price_e8 in prices.items():
        _index(story, asset, price_e8)
    people = [_borrower(story, number) for number in range(6)]
    for what, much in steps:
        if what == "hours":
            story.wait(much * HOUR)
        else:
            prices[what] += prices[what] * much // 1_000
            _index(story, what, prices[what])
            story.wait(HOUR)
        _nobody_is_missed(story)
    assert any(story.person(one).loans for one in people) or of(story.events, LiquidationStarted)


def _index(story: Story, asset: str, price_e8: int) -> None:
    story.index(asset, f"{price_e8 // 10**8}.{price_e8 % 10**8:08d}")


def _borrower(story: Story, number: int) -> int:
    """Long of a coin or short of it, or both, on cross or isolated margin."""
    wallet, coin, loan, own, gone = (
        (MARGIN, "BTC", "USDT", "1", "30000"),
        (MARGIN, "USDT", "ETH", "50000", "0"),
        (MARGIN, "BTC", "ETH", "1", "12"),
        (ISOLATED_BTC, "BTC", "USDT", "1", "44000"),
        (ISOLATED_BTC, "USDT", "BTC", "100000", "0"),
        (MARGIN, "ETH", "USDT", "40", "70000"),
    )[number]
    account = story.account(f"{number}", **{f"{wallet}_{coin}": own})
    amount = {"USDT": gone, "ETH": "13", "BTC": "1.8"}[loan]
    story.deposit(account, wallet, "USDT", "60000")
    borrow(story, account, wallet, loan, amount)
    spent(story, account, wallet, "USDT", "60000")
    if loan == "USDT":
        spent(story, account, wallet, "USDT", gone)
    else:
        spent(story, account, wallet, loan, amount)
    return account


def _nobody_is_missed(story: Story) -> None:
    engine = story.engine
    assert not must_be_liquidated(engine)
    for account_id, wallet in must_be_called(engine):
        assert wallet in engine.risk.accounts[account_id].called, (account_id, wallet)
