"""Tests of the configuration: the file, the flags over it, and what is refused."""

from pathlib import Path
from typing import Any

import pytest

from exchange import config
from exchange.config import Config, ConfigError


def written(folder: Path, text: str) -> Path:
    """A configuration file with that text."""
    path = folder / "papertape.toml"
    path.write_text(text, "utf-8")
    return path


def test_without_a_file_everything_has_its_default() -> None:
    assert config.load_config() == Config()
    assert config.checked(Config()).server.host == "127.0.0.1"


def test_a_file_is_read_section_by_section(tmp_path: Path) -> None:
    text = """
    seed = 42
    speed = "max"
    [server]
    port = 9000
    [market]
    symbols = ["BTC-USDT"]
    agents = false
    [limits]
    orders_per_10_seconds = 10
    """
    loaded = config.load_config(written(tmp_path, text))
    assert (loaded.seed, loaded.speed, loaded.server.port) == (42, "max", 9000)
    assert loaded.market.symbols == ("BTC-USDT",)
    assert not loaded.market.agents
    assert loaded.limits.orders_per_10_seconds == 10
    assert loaded.storage == Config().storage


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("sped = 2", r"there is no setting named `sped`"),
        ("[server]\nprot = 1", r"there is no setting named `prot` - at `\$.server`"),
        ('[server]\nport = "x"', r"Expected `int`, got `str` - at `\$.server.port`"),
        ("[server]\nport = 70000", r"at `\$.server.port`"),
        ("[binance]\num_port = 8081", r"another port has that number - at `\$.binance.um_port`"),
        ("[binance]\num_port = 9\ncm_port = 9", r"another port .* - at `\$.binance.cm_port`"),
        ("[binance]\nenabled = false\nspot_port = 0", r"not enabled - at `\$.binance.spot_port`"),
        ("[server]\nfast_port = 8080", r"two ports must differ - at `\$.server.fast_port`"),
        ("speed = -1", r"speed must be max or between 0 and 1000000 - at `\$.speed`"),
        ("speed = nan", r"speed must be max"),
        ('[market]\nsymbols = ["BTC-EUR"]', r"no such instrument: BTC-EUR"),
        ('[market]\nprices = "tape"', r"need its file - at `\$.market.tape`"),
        ('[market]\ntape = "x.csv"', r"only played with prices = \"tape\""),
        ('[market]\nspot_fee = "base"', r"at `\$.market.spot_fee`"),
        ('[market]\ndiscount_asset = "EUR"', r"no such asset - at `\$.market.discount_asset`"),
        ("[market]\nfunding_interval_ms = 60001", r"whole seconds are needed"),
        ("seed =", r"papertape.toml: "),
    ],
)
def test_what_cannot_be_used_is_refused_by_name(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        config.load_config(written(tmp_path, text))


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nowhere\.toml: No such file"):
        config.load_config(tmp_path / "nowhere.toml")


def test_a_flag_wins_over_the_file_and_an_absent_one_does_not(tmp_path: Path) -> None:
    loaded = config.load_config(written(tmp_path, "seed = 3\n[server]\nport = 9000"))
    merged = config.with_flags(
        loaded, {"port": 9001, "prices": "fixed", "seed": None, "speed": 60.0, "agents": False}
    )
    assert merged.server.port == 9001
    assert merged.market.prices == "fixed"
    assert merged.seed == 3
    assert merged.speed == 60
    assert not merged.market.agents


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ({"port": -1}, r"at `\$.server.port`"),
        ({"prices": "tape"}, r"need its file"),
        ({"colour": "red"}, r"there is no setting named colour"),
    ],
)
def test_a_flag_is_checked_as_the_file_is(flags: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        config.with_flags(Config(), flags)


def test_the_admin_key_comes_from_text_file_or_environment(tmp_path: Path) -> None:
    kept = tmp_path / "key"
    kept.write_text("sesame\n", "utf-8")
    told = config.with_flags(Config(), {"admin_key": "open"})
    filed = config.with_flags(Config(), {"admin_key": f"@{kept}"})
    assert config.admin_key(told, {config.ADMIN_KEY_VARIABLE: "other"}) == "open"
    assert config.admin_key(filed, {}) == "sesame"
    assert config.admin_key(Config(), {config.ADMIN_KEY_VARIABLE: "other"}) == "other"
    assert config.admin_key(Config(), {}) == ""


def test_an_admin_key_file_must_be_there_and_hold_a_key(tmp_path: Path) -> None:
    missing = config.with_flags(Config(), {"admin_key": f"@{tmp_path / 'none'}"})
    with pytest.raises(ConfigError, match="admin key's file"):
        config.admin_key(missing, {})
    (tmp_path / "empty").write_text("\n", "utf-8")
    empty = config.with_flags(Config(), {"admin_key": f"@{tmp_path / 'empty'}"})
    with pytest.raises(ConfigError, match="is empty"):
        config.admin_key(empty, {})


def test_a_venue_is_what_the_configuration_describes() -> None:
    chosen = config.with_flags(
        Config(),
        {
            "seed": 9,
            "name": "school",
            "symbols": ["BTC-USDT-PERP"],
            "prices": "fixed",
            "funding_interval_ms": 3_600_000,
            "agent_step_ms": 500,
            "spot_fee": "discount",
            "discount_asset": "SOL",
        },
    )
    venue = config.venue_of(chosen, 1_700_000_000_000)
    assert (venue.seed, venue.name, venue.start_ms) == (9, "school", 1_700_000_000_000)
    # What fees are paid in comes with its pair.
    assert [i.symbol for i in venue.instruments] == ["BTC-USDT", "SOL-USDT", "BTC-USDT-PERP"]
    assert (venue.fees.asset, venue.fees.discount_asset) == ("discount", "SOL")
    assert venue.prices == "fixed"
    assert venue.perps[0].interval_ms == 3_600_000
    assert venue.market == {"agents": 1, "agent_step_ms": 500, "history": 1}


def test_the_genesis_record_has_the_switches_of_prices(tmp_path: Path) -> None:
    text = '[market]\nindex_rule = "outlier_mean"\ncontract_leg = "last"\n'
    chosen = config.load_config(written(tmp_path, text))
    venue = config.venue_of(chosen, 1_700_000_000_000)
    assert (venue.index_rule, venue.contract_leg) == ("outlier_mean", "last")
    default = config.venue_of(Config(), 1_700_000_000_000)
    assert (default.index_rule, default.contract_leg) == ("weighted_median", "median")
    with pytest.raises(ConfigError, match="contract_leg"):
        config.load_config(written(tmp_path, '[market]\ncontract_leg = "first"'))


def test_s13_a_circuit_breaker_is_every_instruments_and_needs_move_and_length(
    tmp_path: Path,
) -> None:
    text = "[market]\nbreaker_move_bps = 500\nbreaker_auction_ms = 120000\n"
    venue = config.venue_of(config.load_config(written(tmp_path, text)), start_ms=0)
    terms = {(each.breaker_move_bps, each.breaker_auction_ms) for each in venue.instruments}
    assert terms == {(500, 120_000)}
    with pytest.raises(ConfigError, match="the breaker needs a move and a length, or neither"):
        config.load_config(written(tmp_path, "[market]\nbreaker_move_bps = 500\n"))
    with pytest.raises(ConfigError, match="breaker_move_bps"):
        config.load_config(written(tmp_path, "[market]\nbreaker_move_bps = 10000\n"))


def test_the_genesis_record_has_the_switches_of_liquidation(tmp_path: Path) -> None:
    text = '[liquidation]\nsurplus = "fund"\nsocialized_loss = true\n'
    chosen = config.load_config(written(tmp_path, text))
    venue = config.venue_of(chosen, 1_700_000_000_000)
    assert (venue.surplus, venue.socialized_loss) == ("fund", True)
    default = config.venue_of(Config(), 1_700_000_000_000)
    assert (default.surplus, default.socialized_loss) == ("user", False)
    with pytest.raises(ConfigError, match="surplus"):
        config.load_config(written(tmp_path, '[liquidation]\nsurplus = "venue"'))
