"""Tests of the parts that calls and liquidations tell: they come to the sums that decided."""

from __future__ import annotations

from exchange.commands import Borrow, SetIndexPrice, Transfer
from exchange.events import FundingFixed, LiquidationStarted, MarginCalled
from matching.types import Side
from risk.money import E8, E12
from tests.story import Story, of, units

PERP = "BTC-USDT-PERP"


def margin_long() -> tuple[Story, int]:
    """1000 of its own and 2000 borrowed bought 0.06 BTC at 50000, less fees."""
    story = Story()
    one = story.account(margin_USDT="1000")
    two = story.account(spot_BTC="10")
    story.ok(Borrow, account_id=one, wallet="margin", asset="USDT", amount_minor=units("1900"))
    story.place(two, Side.SELL, "BTC-USDT", "0.05", "50000")
    story.place(one, Side.BUY, "BTC-USDT", "0.05", "50000", wallet="margin")
    return story, one


def test_m9_a_call_tells_assets_and_debts_that_make_its_level() -> None:
    story, _ = margin_long()
    story.do(SetIndexPrice, base="BTC", quote="USDT", price_e8=units("41000"))
    story.wait(1_000)
    (call,) = of(story.events, MarginCalled)
    assets_e16 = sum(minor * price_e8 for _, minor, price_e8 in call.assets)
    debts_e26 = sum(owed_e18 * price_e8 for _, owed_e18, price_e8 in call.debts)
    assert [asset for asset, _, _ in call.assets] == ["BTC", "USDT"]
    assert [asset for asset, _, _ in call.debts] == ["USDT"]
    assert call.level_e12 == assets_e16 * 10**10 * E12 // debts_e26
    assert call.level_e12 <= call.call_level_e12


def test_m10_a_liquidation_tells_the_parts_and_the_level_it_fell_to() -> None:
    story, one = margin_long()
    story.do(SetIndexPrice, base="BTC", quote="USDT", price_e8=units("30000"))
    story.wait(1_000)
    (started,) = of(story.events, LiquidationStarted)
    assert started.account_id == one
    assert started.assets_e16 == sum(minor * price_e8 for _, minor, price_e8 in started.assets)
    assert started.debt_e16 == sum(owed * price // 10**10 for _, owed, price in started.debts)
    assert started.level_e12 <= started.bound_e12


def test_p13_a_liquidation_tells_the_positions_that_make_its_requirement() -> None:
    story = Story()
    one, two = story.account(perp_USDT="600"), story.account(perp_USDT="100000")
    story.place(two, Side.SELL, PERP, "0.1", "50000")
    story.place(one, Side.BUY, PERP, "0.1", "50000")
    story.do(SetIndexPrice, base="BTC", quote="USDT", price_e8=units("44000"))
    story.wait(1_000)
    (started,) = of(story.events, LiquidationStarted)
    ((leg, lots, cost, mark_e8, unrealised_e16, mmr_e12, maintenance_e28),) = started.positions
    assert (leg, lots, cost) == (PERP, 100, units("5000"))
    size = units("0.1")
    assert unrealised_e16 == size * mark_e8 - cost * E8
    assert started.debt_e16 == maintenance_e28 // E12
    assert maintenance_e28 == size * mark_e8 * mmr_e12  # The first bracket has no cum.


def test_p9_a_fixed_rate_tells_what_it_was_made_of() -> None:
    story = Story()
    story.wait(8 * 3_600_000)
    fixed = [each for each in of(story.events, FundingFixed) if each.symbol == PERP]
    assert fixed
    for each in fixed:
        gap = max(-each.clamp_e12, min(each.clamp_e12, each.interest_e12 - each.average_e12))
        rate = max(-each.cap_e12, min(each.cap_e12, each.average_e12 + gap))
        assert each.rate_e12 == rate * each.interval_ms // (8 * 3_600_000)


def test_a_transfer_alone_calls_nobody() -> None:
    """The scene is not called of itself: the price did it."""
    story, one = margin_long()
    wish = {"source": "spot", "target": "margin", "asset": "USDT", "amount_minor": units("1")}
    story.do(Transfer, account_id=one, **wish)
    assert not of(story.events, MarginCalled)
