"""A catastrophe with its arithmetic: shorts have borrowed all there is, and the price doubles.

Two accounts borrow the whole pool of ETH and sell it. The price jumps past what they own, the book
on which they must buy back is thin, the fund of spot margin is too small, and the pool bears the
rest. Nobody ends below nothing, the pool lends again as soon as it is repaid, and every unit is
accounted for: `Story` checks the invariants (I1, I2 among them) after each command.
"""

from __future__ import annotations

from exchange.commands import Borrow
from exchange.events import (
    FundCovered,
    InterestCharged,
    InterestFixed,
    LiquidationEnded,
    LiquidationStarted,
    LiquidationStepped,
    LoanWrittenOff,
    Traded,
)
from matching.reasons import Reason
from risk.account import MARGIN
from risk.ledger import LIQUIDATION, MARGIN_INSURANCE, POOL
from risk.parameters import HOUR_MS, RateCurve, Venue
from tests.risk.stories import ETH, NO_FEES, borrow, trader, with_asset
from tests.story import START_MS, Story, of, refusal, small_venue, units

# Percents an hour: 0.0004, and 0.002 more up to 80 % lent, and 0.0476 more up to all of it.
CURVE = RateCurve(4_000_000, 8 * 10**11, 20_000_000, 476_000_000)


def _venue() -> Venue:
    venue = small_venue(
        fees=NO_FEES, first_charge="next_hour", margin_insurance_minor=units("100000")
    )
    return with_asset(
        venue,
        "ETH",
        pool_capital_minor=units("100"),
        borrow_limit_minor=units("60"),
        curve=CURVE,
    )


def _short(story: Story, own: str, qty: str) -> int:
    account = story.account(f"short {qty}", margin_USDT=own)
    borrow(story, account, MARGIN, "ETH", qty)
    story.buy(trader(story), ETH, qty, "2500")
    assert refusal(story.sell(account, ETH, qty, "2500", wallet=MARGIN)) is None
    return account


def _owed(story: Story, account: int) -> tuple[int, int]:
    loan = story.person(account).loans[MARGIN, "ETH"]
    return loan.principal_minor, loan.interest_e18


def _pool(story: Story) -> int:
    return story.engine.risk.ledger.house(POOL, "ETH").minor


def _lend(story: Story, account: int) -> Reason | None:
    wish = {"account_id": account, "wallet": MARGIN, "asset": "ETH", "amount_minor": units("5")}
    return refusal(story.do(Borrow, **wish))


def test_a_squeeze_on_a_dry_pool_is_paid_by_the_shorts_then_the_fund_then_the_pool() -> None:
    story = Story(_venue())
    other, late = trader(story), story.account("late", margin_USDT="100000")
    large, small = _run_dry(story, late)
    _jump(story, other, large, small)

    # -- what came back is lent again -------------------------------------------------------------
    assert _pool(story) == units("20")
    assert _lend(story, late) is None
    assert _pool(story) == units("15")

    _work_off(story, other)

    # -- the end: what buys no lot is the fund's, and money is cheap again ------------------------
    story.wait(5_000)
    assert story.engine.risk.ledger.house(MARGIN_INSURANCE, "USDT").minor == units("0.49")
    assert story.engine.risk.accounts[LIQUIDATION].minor(MARGIN, "USDT") == 0
    (rates,) = of(story.wait(START_MS + 2 * HOUR_MS - story.now_ms), InterestFixed)
    # 5 of 95.4901 are lent: 20,000,000 x 5 / (0.8 x 95.4901) = 1,309,036.2..., up.
    assert rates.rates_e12["ETH"] == 4_000_000 + 1_309_037


def _run_dry(story: Story, late: int) -> tuple[int, int]:
    # -- the pool runs dry ----------------------------------------------------------------------
    # 80,000 + 0.97 x 150,000 = 225,500 carry 60 ETH of 150,000 (1.5033); 152,000 carry 40 (1.52).
    large = _short(story, "80000", "60")
    small = _short(story, "55000", "40")
    assert _pool(story) == 0
    assert _lend(story, late) is Reason.INSUFFICIENT_INVENTORY

    # -- the hour's rate is that of a pool of which everything is lent ----------------------------
    events = story.wait(START_MS + HOUR_MS - story.now_ms)
    (rates,) = of(events, InterestFixed)
    assert rates.rates_e12["ETH"] == 500_000_000  # 0.05 %
    assert {each.rate_e12 for each in of(events, InterestCharged)} == {500_000_000}
    assert _owed(story, large) == (units("60"), 3 * 10**16)  # 0.03 of 60,
    assert _owed(story, small) == (units("40"), 2 * 10**16)  # 0.02 of 40.
    return large, small


def _jump(story: Story, other: int, large: int, small: int) -> None:
    # -- the jump: 230,000 / 300,150 = 0.766 and 155,000 / 200,100 = 0.775 ------------------------
    story.sell(other, ETH, "20", "5000")
    events = story.index("ETH", "5000")
    assert [each.account_id for each in of(events, LiquidationStarted)] == [large, small]
    # Below 1.02 there is one round at 5 %. The larger buys the 20 there are, for 100,000, which
    # repay 0.03 and 19.97. Nothing is left for the smaller.
    (trade,) = of(events, Traded)
    assert (trade.lots, trade.price_ticks) == (200_000, 500_000)
    assert _owed(story, large) == (units("40.03"), 0)
    assert story.person(large).minor(MARGIN, "USDT") == units("130000")
    assert not of(events, LiquidationEnded)

    # -- the venue takes over; the users end at zero ----------------------------------------------
    events = story.wait(1_000)
    assert [(each.account_id, each.result) for each in of(events, LiquidationEnded)] == [
        (large, "bankrupt"),
        (small, "bankrupt"),
    ]
    for account in (large, small):
        assert not story.person(account).loans
        assert {pocket.minor for pocket in story.person(account).pockets.values()} == {0}
    taken = [(step.asset, step.amount_minor) for step in of(events, LiquidationStepped)]
    assert taken == [
        ("USDT", units("130000")),
        ("ETH", -units("40.03")),
        ("USDT", units("155000")),
        ("ETH", -units("40.02")),
    ]


def _work_off(story: Story, other: int) -> None:
    house = story.engine.risk.accounts[LIQUIDATION]
    # -- the house buys with what the shorts had, on a book that fills up -------------------------
    story.wait(5_000)  # There is nothing to buy, so it waits, and nobody pays for it yet.
    assert not of(story.events, FundCovered)
    story.sell(other, ETH, "100", "5100")
    # 3 % above the index is 5,150: 285,000 / 5,150 = 55.3398 ETH, at 5,100 for 282,232.98. They
    # repay 0.02 and 55.3198 of 80.03, and 24.7102 are left.
    story.wait(5_000)
    assert house.loans[MARGIN, "ETH"].principal_minor == units("24.7102")
    assert house.minor(MARGIN, "USDT") == units("2767.02")
    # 0.5372 for 2,739.72, then 0.0053 for 27.03: 24.1677 are left, and 0.27 that buy no lot.
    events = story.wait(5_000) + story.wait(5_000)
    assert house.loans[MARGIN, "ETH"].principal_minor == units("24.1677")

    # -- the fund is next: it lacks 24.1677 x 5,150 = 124,463.655 and gives all it has ------------
    (cover,) = of(events, FundCovered)
    assert (cover.fund, cover.paid_minor) == ("margin_insurance", units("100000"))
    assert cover.balance_minor == 0
    assert house.minor(MARGIN, "USDT") == units("100000.27")

    # -- and the pool last: 19.4175, 0.1885 and 0.0018 are bought, 4.5599 never ------------------
    events = story.wait(5_000) + story.wait(5_000) + story.wait(5_000)
    (lost,) = of(events, LoanWrittenOff)
    assert (lost.asset, lost.principal_minor, lost.lost_minor) == (
        "ETH",
        units("4.5599"),
        units("4.5599"),
    )
    assert story.engine.risk.bad_debt == {"ETH": units("4.5599")}
    assert not house.loans
    # I2: 100 and 0.05 of interest, less 4.5599, are 95.4901: 5 are lent and the rest is there.
    assert _pool(story) == units("90.4901")
