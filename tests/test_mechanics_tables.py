"""Tests of docs/mechanics: its tables and its configuration are those of the default venue."""

from __future__ import annotations

import re
from fractions import Fraction

import msgspec

from exchange.config import Config, venue_of
from risk.parameters import CROSS_LEVELS, PERP_TIERS, SPOT_TIERS, Venue
from tests.mechanics.reading import ROOT, number

FOLDER = ROOT / "docs" / "mechanics"
E8, E12 = 10**8, 10**12
VENUE: Venue = venue_of(Config(), 0)


def table(page: str, head: str) -> list[list[str]]:
    """The rows of the table whose first line begins so."""
    lines = (FOLDER / f"{page}.md").read_text(encoding="utf-8").splitlines()
    start = next(place for place, line in enumerate(lines) if line.startswith(f"| {head}"))
    rows = []
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in line.strip("|").split("|")])
    return rows


def told(cell: str) -> Fraction:
    """A number as a table writes it: 1,000,000 or 0.40 % or 125x."""
    return number(cell.replace(",", "").replace(" %", "%").rstrip("x"))


def test_the_brackets_are_those_of_the_contract() -> None:
    (perp,) = [each for each in VENUE.perps if each.symbol == "BTC-USDT-PERP"]
    rows = [[told(cell) for cell in row] for row in table("perpetuals", "BTC-USDT-PERP, notional")]
    assert rows == [
        [
            Fraction(each.cap_minor, E8),
            each.leverage,
            Fraction(each.mmr_e12, E12),
            Fraction(each.cum_e20, 10**20),
        ]
        for each in perp.brackets
    ]


def test_the_loan_tiers_are_those_of_the_pair() -> None:
    (spot,) = [each for each in VENUE.spots if each.symbol == "BTC-USDT"]
    (asset,) = [each for each in VENUE.assets if each.asset == "BTC"]
    rows = [[told(cell) for cell in row] for row in table("spot-margin", "tier")]
    assert rows == [
        [
            each.leverage,
            Fraction(each.quote_limit_minor, E8),
            Fraction(each.base_limit_minor * asset.start_price_e8, E8 * E8),
            *(
                Fraction(level, E12)
                for level in (each.initial_e12, each.call_e12, each.liquidation_e12)
            ),
        ]
        for each in spot.isolated
    ]


def test_the_levels_of_cross_margin_are_the_venues() -> None:
    rows = table("spot-margin", "| 3x | 5x |")
    columns = [[told(row[place]) for row in rows] for place in (1, 2)]
    assert columns == [
        [
            Fraction(level, E12)
            for level in (
                each.transfer_e12,
                each.borrow_e12,
                each.call_e12,
                each.liquidation_e12,
                each.restored_e12,
            )
        ]
        for each in CROSS_LEVELS
    ]


def test_the_fee_tiers_are_the_venues() -> None:
    rows = table("fees", "30-day volume")
    for first, tiers in ((0, SPOT_TIERS), (3, PERP_TIERS)):
        found = [(told(row[first]), *map(told, row[first + 1].split(" / "))) for row in rows]
        assert found == [
            (Fraction(each.volume_minor, E8), *(Fraction(rate, E12) for rate in rates))
            for each in tiers
            for rates in [(each.maker_e12, each.taker_e12)]
        ]


def test_collateral_counts_as_the_table_says() -> None:
    found = {}
    for row in table("spot-margin", "asset | ratio"):
        for names, ratio, cap in (row[:3], row[4:]):
            for asset in names.split(", "):
                found[asset] = (told(ratio), None if cap == "any" else told(cap.rstrip("m")))
    million = 1_000_000 * E8
    assert found == {
        each.asset: (
            Fraction(each.collateral[0].ratio_e12, E12),
            None
            if each.collateral[0].cap_minor is None
            else Fraction(each.collateral[0].cap_minor, million),
        )
        for each in VENUE.assets
    }


def test_ratios_of_multi_asset_mode_are_the_venues() -> None:
    lines = (FOLDER / "perpetuals.md").read_text(encoding="utf-8").splitlines()
    (place,) = [n for n, line in enumerate(lines) if line.startswith("| USDT | BTC, ETH, BNB |")]
    heads, ratios = (
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in (lines[place], lines[place + 2])
    )
    found = {
        asset: Fraction(0) if ratio == "not accepted" else told(ratio)
        for names, ratio in zip(heads, ratios, strict=True)
        for asset in names.split(", ")
    }
    assert found == {each.asset: Fraction(each.perp_ratio_e12, E12) for each in VENUE.assets}


def test_hourly_rates_are_the_venues() -> None:
    text = (FOLDER / "spot-margin.md").read_text(encoding="utf-8")
    found = {}
    for names, percent in re.findall(r"((?:[A-Z]{3,4}(?:, | and )?)+) (0\.\d{4}) %(?:,| \|)", text):
        for asset in re.split(", | and ", names):
            found[asset] = number(percent + "%")
    assert found == {each.asset: Fraction(each.hourly_rate_e12, E12) for each in VENUE.assets}


def test_the_switches_have_the_defaults_of_the_table() -> None:
    document = msgspec.to_builtins(Config())
    for key, default, *_ in table("switches", "key"):
        section, _, name = key.strip("`").partition(".")
        if section.startswith("["):
            continue
        assert default.strip("`") == msgspec.json.encode(document[section][name]).decode(), key


def test_the_file_of_the_page_is_one() -> None:
    text = (FOLDER / "switches.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"```toml\n(.*?)```", text, re.DOTALL)
    chosen = msgspec.toml.decode(block, type=Config)
    other = venue_of(chosen, 0)
    assert other.fees.asset == "discount"
    assert (other.contract_leg, other.index_rule) == ("last", "outlier_mean")
    assert (other.first_charge, other.compound) == ("next_hour", True)
    assert (other.surplus, other.socialized_loss) == ("fund", True)
    # Each key of the block is another than the default.
    default = msgspec.to_builtins(Config())
    for section, keys in msgspec.toml.decode(block).items():
        for name, value in keys.items() if section != "pools" else ():
            if name != "discount_asset":
                assert default[section][name] != value, name
