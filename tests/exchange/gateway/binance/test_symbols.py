"""Names of instruments as Binance writes them, there and back."""

from __future__ import annotations

import pytest

from exchange.gateway.binance.errors import BinanceError
from exchange.gateway.binance.symbols import PRODUCT_OF_KIND, Symbols, name_of, product_of
from exchange.venue import default_venue

VENUE = default_venue(1, 0)
SYMBOLS = Symbols({each.symbol: each for each in VENUE.instruments})


def test_each_instrument_is_found_by_its_own_name_under_its_product() -> None:
    for instrument in VENUE.instruments:
        assert SYMBOLS.of(product_of(instrument), name_of(instrument)) is instrument
        assert SYMBOLS.of(product_of(instrument), name_of(instrument).lower()) is instrument
    found = [each for product in PRODUCT_OF_KIND.values() for each in SYMBOLS.all(product)]
    assert sorted(each.symbol for each in found) == sorted(e.symbol for e in VENUE.instruments)


def test_one_name_means_a_pair_on_spot_and_a_contract_on_usd_m() -> None:
    assert SYMBOLS.of("spot", "BTCUSDT").symbol == "BTC-USDT"
    assert SYMBOLS.of("um", "BTCUSDT").symbol == "BTC-USDT-PERP"
    assert SYMBOLS.of("cm", "BTCUSD_PERP").symbol == "BTC-USD-PERP"
    assert SYMBOLS.of_pair("cm", "btcusd").symbol == "BTC-USD-PERP"


def test_a_name_of_another_product_is_an_invalid_symbol() -> None:
    assert SYMBOLS.find("cm", "BTCUSDT") is None
    for product, name in (("spot", "BTCUSD_PERP"), ("um", "NOPEUSDT"), ("spot", "")):
        with pytest.raises(BinanceError, match="-1121: Invalid symbol"):
            SYMBOLS.of(product, name)  # type: ignore[arg-type]
    with pytest.raises(BinanceError, match="-1121"):
        SYMBOLS.of_pair("um", "BTCUSD")
