"""Tests of the same stake both ways: numbers by hand, and against what the engine then does."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from exchange.commands import SetLeverage, SetMarginMode
from exchange.comparing import MOVES, Comparison, Outcome, Stake, Way, compare
from exchange.events import LiquidationStarted
from matching.reasons import Reason
from matching.types import Side, TradingState
from risk.money import E12
from tests.story import Story, answer, flat_fees, of, refusal, small_venue, units, venue_with

SPOT, PERP = "BTC-USDT", "BTC-USDT-PERP"
ISOLATED = "isolated:BTC-USDT"
THOUSAND = units("1000")


@pytest.fixture
def story() -> Story:
    return Story()


def both(
    story: Story, leverage: int = 10, side: Side = Side.BUY, hours: int = 24, base: str = "BTC"
) -> tuple[Way, Way]:
    found = compare(story.engine, Stake(base, THOUSAND, leverage, side, hours))
    assert isinstance(found, Comparison)
    assert found.perpetual is not None
    return found.spot, found.perpetual


def at(way: Way, percent: int) -> Outcome:
    return next(each for each in way.outcomes if each.move_percent == percent)


def test_asking_changes_nothing(story: Story) -> None:
    before = story.engine.digest()
    for leverage in (1, 3, 10, 125, 200):
        for side in Side:
            both(story, leverage, side)
    assert story.engine.digest() == before
    story.engine.check()


def test_m7_a_long_on_spot_borrows_nine_stakes_and_pays_by_the_hour(story: Story) -> None:
    spot, _ = both(story)
    assert (spot.qty_minor, spot.notional_minor) == (units("0.2"), units("10000"))
    assert (spot.borrowed_minor, spot.borrow_asset) == (units("9000"), "USDT")
    assert spot.open_fee_minor == units("10")  # 0.1 % of 0.2 BTC, which are worth that.
    assert spot.close_fee_minor == units("9.99")  # 0.1 % of 0.1998 x 50000.
    # 9000 x 0.001 % = 0.09; once when borrowed and 24 full hours: 25 x 0.09.
    assert spot.interest_hour_minor == units("0.09")
    assert spot.interest_day_minor == units("2.16")
    assert spot.interest_minor == units("2.25")
    # 1.05 x 9000.09 / 0.1998 and 1.09 x 9000.09 / 0.1998 (M4, M11).
    assert spot.liquidation_e8 == 4_729_777_027_027
    assert spot.call_e8 == 4_909_959_009_009
    # 0.1998 x 52500 = 10489.5, less 10.4895 fee, 9002.25 debt and the stake of 1000.
    assert at(spot, 5).profit_minor == units("476.7605")


def test_p4_a_long_perpetual_is_as_large_as_the_stake_covers(story: Story) -> None:
    _, perp = both(story)
    # 0.2 would need 1000 and 5 of fees; 0.199 needs 995, 4.975 to open and 4.4775 to close.
    assert (perp.qty_minor, perp.notional_minor) == (units("0.198"), units("9900"))
    assert (perp.borrowed_minor, perp.interest_minor) == (0, 0)
    assert perp.open_fee_minor == perp.close_fee_minor == units("4.95")  # 0.05 %.
    assert perp.funding_each_minor == units("0.99")  # 0.01 % of 9900.
    assert perp.fundings == 3
    # (990 - 9900) / (0.198 x (0.004 - 1)) (P11).
    assert perp.liquidation_e8 == 4_518_072_289_157
    # 0.198 x 2500 = 495, less 4.95, 5.1975 and 3 x 0.99.
    assert at(perp, 5).profit_minor == units("481.8825")


def test_a_short_owes_coins_on_spot_and_receives_the_longs_funding(story: Story) -> None:
    spot, perp = both(story, leverage=3, side=Side.SELL)
    # Two stakes' worth: 0.04 BTC at 0.0003 % an hour is 0.00000012 BTC, 0.006 USDT.
    assert (spot.borrowed_minor, spot.borrow_asset) == (units("0.04"), "BTC")
    assert (spot.open_fee_minor, spot.interest_hour_minor) == (units("2"), units("0.006"))
    # U = 1000 + 2000 - 2 = 2998; D = 0.04000012; 2998 / (1.05 x D), for the loan lies in the
    # pair's first tier.
    assert spot.liquidation_e8 == 7_138_073_823_874
    assert perp.funding_each_minor == -units("0.295")
    assert at(spot, -10).profit_minor > 0 > at(spot, 10).profit_minor


def test_a_move_that_liquidates_on_its_way_costs_the_stake_at_worst(story: Story) -> None:
    for side in Side:
        for way in both(story, side=side):
            ends = way.liquidation_e8
            assert ends is not None
            for each in way.outcomes:
                reached = each.price_e8 <= ends if side is Side.BUY else each.price_e8 >= ends
                assert each.liquidated is reached
                assert each.profit_minor >= -THOUSAND
                assert (each.profit_minor == -THOUSAND) is reached
    assert [each.move_percent for each in both(story)[0].outcomes] == list(MOVES)


def test_interest_of_all_hours_moves_what_liquidates(story: Story) -> None:
    soon, late = (both(story, hours=hours)[0] for hours in (0, 8_760))
    assert soon.interest_minor == units("0.09")
    assert late.interest_minor == units("788.49")  # 8761 x 0.09.
    assert soon.liquidation_e8 == late.liquidation_e8  # At this moment.
    # 1.05 x 9788.49 / 0.1998 = 51441: it would be over by then at the price it began at.
    assert at(late, 1).liquidated
    assert not at(soon, 1).liquidated


@pytest.mark.parametrize(
    ("switch", "interest"),
    [
        # 9000 at 0.001 % an hour, 25 times: 2.25; the first not at once: 2.16;
        # 9000 x (1.00001^25 - 1) = 2.2502700..., rounded up.
        ({}, "2.25"),
        ({"first_charge": "next_hour"}, "2.16"),
        ({"compound": True}, "2.25027003"),
    ],
)
def test_m7_the_switches_of_lending_are_kept_to(switch: dict[str, Any], interest: str) -> None:
    spot, _ = both(Story(small_venue(**switch)))
    assert spot.interest_minor == units(interest)


def test_without_leverage_nothing_is_borrowed_and_nothing_liquidates(story: Story) -> None:
    spot, perp = both(story, leverage=1)
    assert (spot.borrowed_minor, spot.borrow_asset) == (0, "")
    assert (spot.liquidation_e8, spot.call_e8, perp.liquidation_e8) == (None, None, None)
    short, _ = both(story, leverage=1, side=Side.SELL)
    assert short.reason is Reason.LEVERAGE_OUT_OF_RANGE  # It would owe no coins.


def test_each_way_ends_at_its_own_leverage(story: Story) -> None:
    spot, perp = both(story, leverage=11)
    assert (spot.reason, spot.leverage_max) == (Reason.LEVERAGE_OUT_OF_RANGE, 10)
    assert (perp.reason, perp.leverage_max) == (None, 125)
    assert both(story, leverage=126)[1].reason is Reason.LEVERAGE_OUT_OF_RANGE


def test_m5_and_p3_bound_a_large_stake(story: Story) -> None:
    found = compare(story.engine, Stake("BTC", units("20000"), 10, Side.BUY, 1))
    assert isinstance(found, Comparison)
    assert found.spot.reason is Reason.COLLATERAL_TOO_LOW  # 180000 is more than its tier lends.
    large = compare(story.engine, Stake("BTC", units("1000000"), 125, Side.BUY, 1))
    assert isinstance(large, Comparison)
    assert large.perpetual is not None
    assert large.perpetual.reason is Reason.BRACKET_EXCEEDED


def test_a_stake_that_buys_less_than_a_lot_is_refused(story: Story) -> None:
    found = compare(story.engine, Stake("BTC", units("0.01"), 1, Side.BUY, 1))
    assert isinstance(found, Comparison)
    assert found.perpetual is not None
    assert found.spot.reason is found.perpetual.reason is Reason.NOTIONAL_TOO_SMALL


def test_an_asset_without_a_perpetual_has_one_way_and_a_stranger_none() -> None:
    story = Story(small_venue(symbols=("BTC-USDT", "NEAR-USDT")))
    found = compare(story.engine, Stake("NEAR", THOUSAND, 3, Side.BUY, 24))
    assert isinstance(found, Comparison)
    assert (found.spot.reason, found.perpetual) == (None, None)
    assert compare(story.engine, Stake("EUR", THOUSAND, 3, Side.BUY, 24)) is Reason.UNKNOWN_SYMBOL


def test_a_book_that_stands_says_so() -> None:
    story = Story()
    story.engine.trading.states[PERP] = TradingState.HALT
    assert both(story)[1].reason is Reason.SYMBOL_NOT_TRADING


@pytest.mark.parametrize("side", list(Side), ids=lambda side: side.name)
def test_fees_in_quote_are_reckoned_too(side: Side) -> None:
    story = Story(small_venue(fees=flat_fees(asset="quote")))
    spot, _ = both(story, leverage=5, side=side)
    # Long: 5000 / 1.001 = 4995.0..: 0.0999 BTC, 4995 and a fee of 4.995; short: 4000 and 4.
    assert spot.open_fee_minor == units("4.995" if side is Side.BUY else "4")
    assert spot.notional_minor == units("4995" if side is Side.BUY else "4000")


# -- against the engine ------------------------------------------------------------------------


def opened(story: Story, way: Way, side: Side, leverage: int) -> int:
    """Somebody who does what the comparison says, on a book that stands at the price."""
    on_spot = way.symbol == SPOT
    house = story.account(spot_USDT="5000000", spot_BTC="100", perp_USDT="5000000")
    someone = story.account(**{f"{ISOLATED if on_spot else 'perp'}_USDT": "1000"})
    lots = way.qty_minor // story.engine.instruments[way.symbol].lot_minor
    more: dict[str, Any] = {"lots": lots}
    if on_spot:
        more |= {"wallet": ISOLATED, "side_effect": 1}
    else:
        story.ok(SetLeverage, account_id=someone, symbol=PERP, leverage=leverage)
        story.ok(SetMarginMode, account_id=someone, symbol=PERP, isolated=True)
    story.place(house, side.opposite, way.symbol, price="50000", lots=lots)
    assert refusal(story.place(someone, side, way.symbol, price="50000", **more)) is None
    return someone


@pytest.mark.parametrize("leverage", [3, 10])
@pytest.mark.parametrize("side", list(Side), ids=lambda side: side.name)
@pytest.mark.parametrize("place", [0, 1], ids=["spot", "perpetual"])
def test_who_does_so_is_liquidated_at_that_price_and_no_sooner(
    place: int, side: Side, leverage: int
) -> None:
    story = Story()
    way = both(story, leverage, side)[place]
    someone = opened(story, way, side, leverage)
    assert way.liquidation_e8 is not None
    sign = 1 if side is Side.BUY else -1
    for away, expected in ((2 * 10**8, False), (-2 * 10**8, True)):  # 2 USDT to each side of it.
        ends_e8 = way.liquidation_e8 + sign * away
        whole = f"{ends_e8 // 10**8}.{ends_e8 % 10**8:08d}"
        started = of(story.index("BTC", whole), LiquidationStarted)
        assert [each.account_id for each in started] == ([someone] if expected else [])


def test_one_lot_more_would_not_be_taken() -> None:
    story = Story()
    _, perp = both(story)
    someone = story.account(perp_USDT="1000")
    story.ok(SetLeverage, account_id=someone, symbol=PERP, leverage=10)
    story.ok(SetMarginMode, account_id=someone, symbol=PERP, isolated=True)
    lots = perp.qty_minor // story.engine.instruments[PERP].lot_minor
    more = story.place(someone, Side.BUY, PERP, price="50000", lots=lots + 1)
    assert answer(more).reason is Reason.INSUFFICIENT_MARGIN
    assert refusal(story.place(someone, Side.BUY, PERP, price="50000", lots=lots)) is None


def test_v82_what_it_foretells_is_what_selling_brings() -> None:
    """Up 5 % within the hour: the stake of 1,000 earns what `at(5)` said, to the last unit."""
    story = Story()
    spot, _ = both(story, hours=0)
    someone = opened(story, spot, Side.BUY, 10)
    buyer = story.account(spot_USDT="5000000")
    story.index("BTC", "52500")
    story.place(buyer, Side.BUY, SPOT, "0.2", "52500")
    sold = story.place(someone, Side.SELL, SPOT, "0.1998", "52500", wallet=ISOLATED, side_effect=2)
    assert refusal(sold) is None
    has = story.person(someone).minor(ISOLATED, "USDT")
    assert not story.person(someone).loans
    assert has - THOUSAND == at(spot, 5).profit_minor


def test_a_stricter_lot_or_filter_is_kept_to() -> None:
    story = Story(venue_with(SPOT, base_order_max_minor=units("0.1")))
    assert both(story)[0].reason is Reason.MAX_ASSET
    free = msgspec.structs.replace(flat_fees(), spot=flat_fees(spot_taker_e12=E12 // 100).spot)
    dear = both(Story(small_venue(fees=free)))[0]
    assert dear.open_fee_minor == units("100")  # 1 % of 10000.
