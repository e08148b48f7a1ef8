"""Regimes: each hour has one, all three occur, and storms come in days."""

from collections import Counter

from exchange.market.regimes import (
    CHARACTERS,
    PANIC,
    STORMY_DAY,
    UNKNOWN_CHARACTER,
    character,
    mood_at,
    regime_at,
)

HOURS = range(480_000, 480_000 + 24 * 200)


def test_all_three_regimes_occur_and_calm_is_the_rule() -> None:
    names = Counter(regime_at(1, "market", hour).name for hour in HOURS)
    assert set(names) == {"calm", "trend", "panic"}
    assert names["calm"] > len(HOURS) / 2
    assert names["panic"] < len(HOURS) / 10


def test_trends_go_both_ways() -> None:
    leans = {regime_at(1, "market", hour).lean for hour in HOURS}
    assert any(lean > 0 for lean in leans)
    assert any(lean < 0 for lean in leans)


def test_panic_gathers_in_stormy_days() -> None:
    panics = [hour for hour in HOURS if regime_at(1, "market", hour) is PANIC]
    stormy = [hour for hour in panics if mood_at(1, "market", hour // 24) is STORMY_DAY]
    # Of the panics 0.1 x 0.16 = 0.016 fall in stormy days, 0.4 x 0.03 + 0.5 x 0.005 = 0.0145 not.
    assert len(stormy) > 0.35 * len(panics)


def test_an_hour_has_one_regime_by_its_seed() -> None:
    first = [regime_at(1, "market", hour) for hour in HOURS]
    assert first == [regime_at(1, "market", hour) for hour in HOURS]
    assert first != [regime_at(2, "market", hour) for hour in HOURS]


def test_small_assets_are_livelier_and_less_tied_to_the_market() -> None:
    btc, gala = CHARACTERS["BTC"], CHARACTERS["GALA"]
    assert gala.sigma_e6 > 2 * btc.sigma_e6
    assert gala.common < btc.common
    assert character("NOBODY-KNOWS") is UNKNOWN_CHARACTER
