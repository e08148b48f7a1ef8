"""The page of the filters: its file can be used, and its table names every key and every reason."""

from __future__ import annotations

import re

import msgspec
import pytest

from exchange.config import Config, venue_of
from exchange.filtering import Filters
from exchange.gateway.native.filtering import filters_say
from exchange.wire import InstrumentSay
from matching.reasons import Reason
from tests.test_tidy import ROOT

TEXT = (ROOT / "docs" / "filters.md").read_text(encoding="utf-8")
ROWS = [
    [re.findall(r"`([^`]+)`", cell) for cell in line.split("|")[1:-1]]
    for line in TEXT.splitlines()
    if line.startswith("| ") and "refuses with" not in line
]


@pytest.fixture(scope="module")
def chosen() -> Config:
    (block,) = re.findall(r"```toml\n(.*?)```", TEXT, re.DOTALL)
    return msgspec.toml.decode(block, type=Config)


def test_the_file_of_the_page_chooses_every_filter_there_is(chosen: Config) -> None:
    assert all(msgspec.to_builtins(chosen.filters["BTC-USDT"]).values())
    of_file = next(each for each in venue_of(chosen, 0).instruments if each.symbol == "BTC-USDT")
    of_default = next(
        each for each in venue_of(Config(), 0).instruments if each.symbol == "BTC-USDT"
    )
    told, before = filters_say(of_file), filters_say(of_default)
    assert (told["price_min"], told["price_max"]) == ("1000.00", "500000.00")
    assert (told["position_max"], told["base_order_max"]) == ("250", "20")
    assert (told["quote_order_max"], told["notional_max"]) == ("1000000", "2000000")
    assert (told["amends_max"], told["icebergs_max"], told["iceberg_parts_max"]) == (10, 5, 20)
    assert (told["orders_max"], told["algo_orders_max"]) == (100, 5)
    assert not {"position_max", "base_order_max", "quote_order_max", "amends_max"} & before.keys()
    assert (before["orders_max"], before["algo_orders_max"]) == (200, 20)
    assert before["iceberg_parts_max"] == 10


def test_the_table_names_every_key_and_nothing_else(chosen: Config) -> None:
    keys = [key for row in ROWS for key in row[2]]
    assert sorted(keys) == sorted([*Filters.__struct_fields__, "[order_max]"])


def test_the_table_names_what_instruments_tell(chosen: Config) -> None:
    told = {name for row in ROWS for name in row[3]}
    (spot,) = (each for each in venue_of(chosen, 0).instruments if each.symbol == "BTC-USDT")
    of_filters = set(filters_say(spot))
    assert of_filters <= told
    assert told - of_filters <= set(InstrumentSay.__struct_fields__)


def test_the_table_names_reasons_there_are() -> None:
    named = {reason for row in ROWS for reason in row[1]}
    assert named <= set(Reason.__members__)
    assert len(named) == 20
