"""Tests of the choices about lending: capital, limits, curves, and when interest is charged."""

from __future__ import annotations

from pathlib import Path

import pytest

from exchange.config import Config, ConfigError, load_config, venue_of
from exchange.lending import Lending, Pool, with_lending
from risk.parameters import RateCurve
from tests.story import small_venue, units


def _written(tmp_path: Path, text: str) -> Config:
    path = tmp_path / "papertape.toml"
    path.write_text(text, "utf-8")
    return load_config(path)


def test_a_pool_is_chosen_in_the_configuration_file(tmp_path: Path) -> None:
    config = _written(
        tmp_path,
        """
        [lending]
        first_charge = "next_hour"
        compound = true
        [pools.ETH]
        capital = "100"
        limit = "60"
        base = "0.0004"
        kink = "80"
        slope = "0.002"
        steep = "0.05"
        """,
    )
    venue = venue_of(config, 0)
    assert (venue.first_charge, venue.compound) == ("next_hour", True)
    (eth,) = (each for each in venue.assets if each.asset == "ETH")
    assert (eth.pool_capital_minor, eth.borrow_limit_minor) == (units("100"), units("60"))
    assert eth.curve == RateCurve(4_000_000, 8 * 10**11, 20_000_000, 500_000_000)


def test_the_example_of_the_decision_can_be_used(tmp_path: Path) -> None:
    page = Path(__file__).parents[2] / "docs" / "decisions" / "0011-spot-margin.md"
    example = page.read_text("utf-8").split("```toml\n")[1].split("```")[0]
    venue = venue_of(_written(tmp_path, example), 0)
    assert [each.asset for each in venue.assets if each.curve] == ["ETH"]


def test_nothing_is_different_where_nothing_is_chosen() -> None:
    venue = small_venue()
    assert with_lending(venue, Lending(), {}) == venue
    assert (venue.first_charge, venue.compound) == ("borrow", False)
    assert with_lending(venue, Lending(), {"ETH": Pool()}) == venue


def test_a_limit_that_is_not_told_keeps_its_share_of_the_capital() -> None:
    """A fortieth of the pool (MECHANICS section 6 in the default venue)."""
    venue = with_lending(small_venue(), Lending(), {"ETH": Pool(capital="100")})
    (eth,) = (each for each in venue.assets if each.asset == "ETH")
    assert (eth.pool_capital_minor, eth.borrow_limit_minor) == (units("100"), units("2.5"))


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ('[pools.XYZ]\ncapital = "1"', "no such asset: XYZ - at `$.pools`"),
        ('[pools.ETH]\ncapital = "much"', "at `$.pools.ETH.capital`"),
        ('[pools.ETH]\nbase = "1"\nkink = "100"\nslope = "1"\nsteep = "1"', "$.pools.ETH.kink"),
        ('[pools.ETH]\nbase = "1"', "$.pools.ETH"),
        ('[lending]\nfirst_charge = "never"', "$.lending.first_charge"),
    ],
)
def test_what_cannot_be_used_is_named(tmp_path: Path, text: str, place: str) -> None:
    with pytest.raises(ConfigError) as refused:
        _written(tmp_path, text)
    assert place in str(refused.value)
