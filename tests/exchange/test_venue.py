"""Tests of the default venue: the assets, instruments and parameters a clone starts with."""

import pytest

from exchange.venue import default_venue, known_symbols
from risk.parameters import CollateralTier, Grant, IsolatedTier
from tests.vectors import exact, tables

E8 = 10**8


def test_it_has_sixteen_assets_sixteen_pairs_and_four_contracts() -> None:
    venue = default_venue(1, 0)
    assert len(venue.assets) == 16
    assert len(venue.spots) == 16
    assert [perp.symbol for perp in venue.perps] == [
        "BTC-USDT-PERP",
        "ETH-USDT-PERP",
        "SOL-USDT-PERP",
        "BTC-USD-PERP",
    ]
    assert tuple(instrument.symbol for instrument in venue.instruments) == known_symbols()


def test_the_inverse_contract_is_of_a_hundred_dollars_and_settles_in_coin() -> None:
    venue = default_venue(1, 0, symbols=["BTC-USD-PERP"])
    assert [each.symbol for each in venue.instruments] == ["BTC-USDT", "BTC-USD-PERP"]
    inverse = venue.instruments[1]
    assert (inverse.settle, inverse.face_minor, inverse.tick) == ("BTC", 100 * E8, "0.1")
    (perp,) = venue.perps
    table = tables()["BTCUSD-INV"]
    assert [(b.floor_minor, b.leverage, b.mmr_e12) for b in perp.brackets] == [
        (exact(floor), int(leverage), exact(mmr, 12)) for floor, leverage, mmr in table["rows"]
    ]
    (fund,) = venue.coin_insurance
    assert (fund.wallet, fund.asset, fund.amount_minor) == ("perp:BTC", "BTC", 10 * E8)


def test_the_bitcoin_contract_has_the_copied_brackets() -> None:
    (btc,) = (perp for perp in default_venue(1, 0).perps if perp.symbol == "BTC-USDT-PERP")
    table = tables()["BTCUSDT"]
    assert [(b.floor_minor, b.leverage, b.mmr_e12) for b in btc.brackets] == [
        (exact(floor), int(leverage), exact(mmr, 12)) for floor, leverage, mmr in table["rows"]
    ]
    assert btc.brackets[-1].cap_minor == exact(table["cap"])
    assert btc.leverage_max == 125


def test_the_smaller_contract_has_the_amounts_of_its_table() -> None:
    (sol,) = (perp for perp in default_venue(1, 0).perps if perp.symbol == "SOL-USDT-PERP")
    cums = [0, 30, 380, 8380, 28380, 228380, 2228380, 4228380, 16728380, 66728380]
    assert [bracket.cum_e20 for bracket in sol.brackets] == [cum * 10**20 for cum in cums]


def test_collateral_ratios_fall_in_steps_above_the_cap() -> None:
    (btc,) = (asset for asset in default_venue(1, 0).assets if asset.asset == "BTC")
    # 0.98 to 10m, 0.88 to 40m, 0.68 to 100m.
    assert btc.collateral == (
        CollateralTier(exact("10000000"), exact("0.98", 12)),
        CollateralTier(exact("40000000"), exact("0.88", 12)),
        CollateralTier(exact("100000000"), exact("0.68", 12)),
    )
    assert btc.hourly_rate_e12 == exact("0.000003", 12)
    (usdt,) = (asset for asset in default_venue(1, 0).assets if asset.asset == "USDT")
    assert usdt.collateral == (CollateralTier(None, exact("1", 12)),)


def test_isolated_tiers_turn_their_limits_into_the_pairs_own_assets() -> None:
    spots = {spot.symbol: spot for spot in default_venue(1, 0).spots}
    assert spots["BTC-USDT"].isolated[0] == IsolatedTier(
        leverage=10,
        initial_e12=exact("1.11", 12),
        call_e12=exact("1.09", 12),
        liquidation_e12=exact("1.05", 12),
        base_limit_minor=exact("7.2"),
        quote_limit_minor=exact("90000"),
    )
    # 90000 USDT are 1.8 BTC at the start price.
    assert spots["ETH-BTC"].isolated[0].quote_limit_minor == exact("1.8")
    assert [tier.leverage for tier in spots["CHZ-USDT"].isolated] == [3]


def test_the_least_order_is_worth_five_usdt_in_either_quote() -> None:
    least = {i.symbol: i.notional_min_minor for i in default_venue(1, 0).instruments}
    assert least["BTC-USDT"] == exact("5")
    assert least["ETH-BTC"] == exact("0.0001")  # 5 / 50000.


def test_majors_keep_closer_to_the_reference_than_others() -> None:
    ranges = {
        i.symbol: (i.execution_down_e4, i.execution_up_e4) for i in default_venue(1, 0).instruments
    }
    assert ranges["BTC-USDT"] == (9_000, 11_000)
    assert ranges["GALA-USDT"] == (7_500, 12_500)
    assert ranges["BTC-USDT-PERP"] == (0, 0)


def test_a_new_account_is_granted_money_in_two_wallets() -> None:
    venue = default_venue(1, 0)
    assert venue.deposits == (
        Grant("spot", "USDT", 100_000 * E8),
        Grant("perp", "USDT", 100_000 * E8),
    )
    assert venue.insurance_minor == 1_000_000 * E8
    assert venue.margin_insurance_minor == 500_000 * E8


def test_under_fixed_prices_the_feed_stands_alone() -> None:
    assert default_venue(1, 0, prices="fixed").book_weight == 0
    assert default_venue(1, 0).book_weight == 1


def test_a_choice_of_symbols_brings_the_pairs_it_leans_on() -> None:
    venue = default_venue(1, 0, symbols=["SOL-USDT-PERP", "ETH-BTC"])
    assert [instrument.symbol for instrument in venue.instruments] == [
        "BTC-USDT",
        "ETH-USDT",
        "SOL-USDT",
        "ETH-BTC",
        "SOL-USDT-PERP",
    ]
    assert {asset.asset for asset in venue.assets} == {"USDT", "BTC", "ETH", "SOL"}


@pytest.mark.parametrize("symbols", [["BTC-EUR"], []])
def test_a_symbol_that_is_not_known_is_refused(symbols: list[str]) -> None:
    with pytest.raises(ValueError, match="no such instrument"):
        default_venue(1, 0, symbols=symbols)


def test_the_funding_interval_is_the_callers_to_choose() -> None:
    assert {perp.interval_ms for perp in default_venue(1, 0).perps} == {8 * 3_600_000}
    hourly = default_venue(1, 0, funding_interval_ms=3_600_000)
    assert {perp.interval_ms for perp in hourly.perps} == {3_600_000}
    with pytest.raises(ValueError, match="whole number of seconds"):
        default_venue(1, 0, funding_interval_ms=1_500)
