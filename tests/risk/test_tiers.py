"""Tests of fee tiers: thirty days of volume, counted until a day starts."""

from __future__ import annotations

import pytest

from exchange.events import FeeTierChanged, Filled, FundingFixed
from matching.instrument import Instrument
from matching.reasons import Reason
from matching.types import Fill, Order, OrderType, Side
from risk.account import Account
from risk.engine import RiskEngine, new_risk_engine
from risk.fees import rates_e12
from risk.money import E12
from risk.parameters import DAY_MS
from risk.records import FeeTierRecord
from risk.tiers import begin_day, count_trade, is_day_due, tell_tiers, tier_of, volume_minor
from risk.volumes import Volumes, day_of
from tests.risk.stories import BTC_PERP, position, report, rich, slow_venue, trader
from tests.story import START_MS, Story, again, of, refusal, small_venue, units

BTC = "BTC-USDT"


def _traded(story: Story, maker: int, taker: int, qty: str) -> list[Filled]:
    """The maker buys at 50,000 from the taker."""
    assert refusal(story.buy(maker, BTC, qty, "50000")) is None
    return of(story.sell(taker, BTC, qty, "50000"), Filled)


def _until(story: Story, ms: int) -> None:
    """Exchange time comes to that moment of the story's first day."""
    story.wait(START_MS + ms - story.now_ms)


def test_s10_a_tier_holds_from_midnight_to_the_millisecond() -> None:
    """20 BTC at 50,000 are a million: 0.09 % for makers, from the next day's start and not
    before.  Takers of that tier still pay 0.10 %."""
    story = Story(slow_venue())
    me, other = trader(story), story.account("other", spot_BTC="100")
    (mine, _) = _traded(story, me, other, "20")
    assert mine.fee_minor == units("0.02")
    _until(story, DAY_MS - 1)
    (mine, _) = _traded(story, me, other, "1")
    assert mine.fee_minor == units("0.001")
    _until(story, DAY_MS)
    (mine, its) = _traded(story, me, other, "1")
    assert mine.fee_minor == units("0.0009")
    assert its.fee_minor == units("50")  # 0.1 % of 50,000.


def test_s10_a_new_tier_is_told_once_and_last_at_the_start_of_its_day() -> None:
    story = Story(slow_venue())
    me, other = trader(story), story.account("other", spot_BTC="100")
    _traded(story, me, other, "20")
    _until(story, DAY_MS - 1)
    assert not of(story.events, FeeTierChanged)
    events = story.wait(1)
    told = of(events, FeeTierChanged)
    assert {each.account_id for each in told} == {me, other}
    assert {(each.kind, each.tier, each.volume_minor) for each in told} == {
        ("spot", 1, units("1000000"))
    }
    assert {(each.maker_e12, each.taker_e12) for each in told} == {(E12 * 9 // 10**4, E12 // 1000)}
    # Funding falls due at the same instant: the day roll is last.
    funding = max(place for place, each in enumerate(events) if isinstance(each, FundingFixed))
    assert funding < min(
        place for place, each in enumerate(events) if isinstance(each, FeeTierChanged)
    )
    _until(story, 2 * DAY_MS)
    _until(story, 2 * DAY_MS)
    assert len(of(story.events, FeeTierChanged)) == 2


def test_s10_a_restart_before_the_day_starts_changes_nothing() -> None:
    story = Story(slow_venue())
    me, other = trader(story), story.account("other", spot_BTC="100")
    _traded(story, me, other, "20")
    _until(story, DAY_MS - 1)
    restored = again(story.engine)
    assert restored.digest() == story.engine.digest()
    story.engine = restored
    assert len(of(story.wait(1), FeeTierChanged)) == 2
    assert rates_e12(restored.risk, story.person(me), "spot").maker_e12 == E12 * 9 // 10**4


def test_s10_each_day_that_was_slept_through_begins_at_its_own_grid_point() -> None:
    """One `Tick` spans three days: in slices, the tier is that of the day that is worked off."""
    story = Story(slow_venue())
    me, other = trader(story), story.account("other", spot_BTC="100")
    _traded(story, me, other, "20")
    told = of(story.wait(3 * DAY_MS), FeeTierChanged)
    assert [each.account_id for each in told] == [me, other]
    first = next(each for each in story.events if isinstance(each, FeeTierChanged))
    fundings = [each.due_ms for each in story.events if isinstance(each, FundingFixed)]
    before = [
        each.due_ms
        for each in story.events[: story.events.index(first)]
        if isinstance(each, FundingFixed)
    ]
    assert max(before) == START_MS + DAY_MS < max(fundings) == START_MS + 3 * DAY_MS


def _best(story: Story, account_id: int) -> None:
    """Give an account the best tier of perpetuals: makers pay nothing, takers 0.03 %."""
    days = story.engine.risk.fee_day
    volumes = story.person(account_id).volumes = Volumes()
    volumes.add("perp", days.day - 1, units("500000000"))
    days.traders.add(account_id)


def test_p4_an_order_on_a_perpetual_keeps_its_owners_own_taker_fee_back() -> None:
    """50,000 at 10x: 5,000 of margin and 0.03 % of it, 15; everybody else's fee is 25."""
    story = Story()
    me, other = (story.account(name, perp_USDT="5015") for name in ("me", "other"))
    _best(story, me)
    assert refusal(story.buy(me, BTC_PERP, "1", "50000", leverage=10)) is None
    refused = refusal(story.buy(other, BTC_PERP, "1", "50000", leverage=10))
    assert refused is Reason.INSUFFICIENT_MARGIN
    (mine, _) = of(story.sell(rich(story), BTC_PERP, "1", "50000"), Filled)
    assert mine.fee_minor == 0  # It was the maker.
    (_, mine) = [
        *of(story.buy(rich(story), BTC_PERP, "1", "50000"), Filled),
        *of(story.sell(me, BTC_PERP, "1", "50000"), Filled),
    ][-2:]
    assert (mine.account_id, mine.fee_minor) == (me, units("15"))


@pytest.mark.parametrize(("side", "ticks"), [(Side.BUY, 196_059), (Side.SELL, 203_938)])
def test_p12_a_bankruptcy_price_has_its_owners_own_taker_fee_in_it(side: Side, ticks: int) -> None:
    """1 at 20,000 with 400: long 19,600 / 0.9997 = 19,605.88..., up to 19,605.9; short 20,400 /
    1.0003 = 20,393.88..., down to 20,393.8."""
    story = Story()
    story.index("BTC", "20000")
    account = position(story, side, "1", "20000", money="430", leverage=50, isolated=True)
    _best(story, account)
    assert report(story, account).margin_minor == units("400")
    assert report(story, account).bankruptcy_ticks == ticks


# -- the engine by hand ------------------------------------------------------------------------


def _risk() -> RiskEngine:
    risk = new_risk_engine(small_venue())
    for name in "abc":
        risk.open_account("user", name)
    risk.records.clear()
    return risk


def _at_day(risk: RiskEngine, day: int) -> None:
    """The start of a day, counted from the first."""
    begin_day(risk, day_of(START_MS) + day)


def _fill(symbol: str, lots: int, ticks: int, maker: int = 100, taker: int = 101) -> Fill:
    orders = [
        Order(
            order_id=number,
            account_id=account_id,
            symbol=symbol,
            side=side,
            type=OrderType.LIMIT,
            price_ticks=ticks,
            lots=lots,
        )
        for number, account_id, side in ((1, maker, Side.BUY), (2, taker, Side.SELL))
    ]
    return Fill(maker=orders[0], taker=orders[1], price_ticks=ticks, lots=lots)


def _account(risk: RiskEngine, account_id: int = 100) -> Account:
    return risk.accounts[account_id]


def test_s10_a_tier_lasts_for_thirty_days_after_the_trade() -> None:
    risk = _risk()
    count_trade(risk, _fill(BTC, 2_000_000, 5_000_000))  # 20 BTC at 50,000.00.
    tiers = []
    for day in (0, 1, 30, 31):
        _at_day(risk, day)
        tell_tiers(risk, 100)
        tiers.append(tier_of(risk, _account(risk), "spot"))
    assert tiers == [0, 1, 1, 0]
    told = [each for each in risk.records if isinstance(each, FeeTierRecord)]
    assert [(each.account_id, each.tier) for each in told] == [
        (100, 1),
        (101, 1),
        (100, 0),
        (101, 0),
    ]
    assert not risk.fee_day.traders  # Nothing of theirs matters any more.


def test_s10_everybody_has_the_days_tier_before_the_slices_reach_them() -> None:
    risk = _risk()
    count_trade(risk, _fill(BTC, 2_000_000, 5_000_000))
    _at_day(risk, 1)
    assert is_day_due(risk)
    assert {tier_of(risk, _account(risk, each), "spot") for each in (100, 101)} == {1}
    assert tell_tiers(risk, 1) == 1
    told = [each.account_id for each in risk.records if isinstance(each, FeeTierRecord)]
    assert told == [100]
    # What the other trades now counts to the new day, and changes nothing of its tier.
    count_trade(risk, _fill(BTC, 200_000_000, 5_000_000))
    assert tier_of(risk, _account(risk, 101), "spot") == 1
    tell_tiers(risk, 100)
    assert not is_day_due(risk)
    told = [each.account_id for each in risk.records if isinstance(each, FeeTierRecord)]
    assert told == [100, 101]


def test_s10_each_tier_begins_at_its_very_volume() -> None:
    for number, tier in enumerate(small_venue().fees.spot):
        for short, expected in ((0, number), (1, number - 1)):
            risk = _risk()
            if tier.volume_minor - short > 0:
                risk.accounts[100].volumes.add("spot", risk.fee_day.day, tier.volume_minor - short)
            _at_day(risk, 1)
            assert tier_of(risk, _account(risk), "spot") == max(0, expected)


def test_section_6_the_default_tiers_in_percent() -> None:
    fees = small_venue().fees
    percent = E12 // 100
    assert [
        (
            each.volume_minor // 10**14,
            each.maker_e12 * 100 // percent,
            each.taker_e12 * 100 // percent,
        )
        for each in fees.spot
    ] == [(0, 10, 10), (1, 9, 10), (5, 8, 9), (20, 6, 8), (100, 2, 5)]
    assert (fees.perp[0].maker_e12, fees.perp[0].taker_e12) == (percent // 50, percent // 20)
    assert (fees.perp[-1].maker_e12, fees.perp[-1].taker_e12) == (0, percent * 3 // 100)


def test_volume_is_told_in_the_venues_quote() -> None:
    """0.5 ETH at 0.05 BTC are 0.025 BTC: before an index, at 50,000 each, 1,250 USDT."""
    risk = _risk()
    pair = risk.instruments["ETH-BTC"]
    lots, ticks = pair.lots("0.5"), pair.ticks("0.05")
    assert isinstance(lots, int)
    assert isinstance(ticks, int)
    assert volume_minor(risk, _fill("ETH-BTC", lots, ticks)) == units("1250")


def test_volume_of_an_inverse_contract_is_its_face() -> None:
    """Seven contracts of 100 USD are 700, whatever the price."""
    risk = _risk()
    risk.instruments["BTC-USD-PERP"] = Instrument(
        symbol="BTC-USD-PERP",
        kind="inverse",
        base="BTC",
        quote="USD",
        settle="BTC",
        tick="0.1",
        lot="1",
        multiplier="100",
    )
    for ticks in (200_000, 500_000):
        assert volume_minor(risk, _fill("BTC-USD-PERP", 7, ticks)) == units("700")
    count_trade(risk, _fill("BTC-USD-PERP", 7, 500_000))
    assert _account(risk).volumes.before("perp", risk.fee_day.day + 1) == units("700")
    assert _account(risk).volumes.before("spot", risk.fee_day.day + 1) == 0


def test_the_house_has_no_volume() -> None:
    risk = _risk()
    count_trade(risk, _fill(BTC, 1, 5_000_000, taker=6))
    assert set(risk.fee_day.traders) == {100}
    assert not risk.accounts[6].volumes.matter
