"""Names of instruments as Binance writes them: BTCUSDT on spot and USD-M, BTCUSD_PERP on COIN-M."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

from exchange.gateway.binance.errors import BAD_SYMBOL, BinanceError
from matching.instrument import Instrument

Product = Literal["spot", "um", "cm"]

PRODUCT_OF_KIND: Final[dict[str, Product]] = {"spot": "spot", "linear": "um", "inverse": "cm"}


def product_of(instrument: Instrument) -> Product:
    """The product an instrument is traded under."""
    return PRODUCT_OF_KIND[instrument.kind]


def name_of(instrument: Instrument) -> str:
    """BTC-USDT is BTCUSDT, BTC-USDT-PERP too (under USD-M), BTC-USD-PERP is BTCUSD_PERP."""
    pair = pair_of(instrument)
    return f"{pair}_PERP" if instrument.kind == "inverse" else pair


def pair_of(instrument: Instrument) -> str:
    """Base and quote in one word, as a contract's underlying pair is named."""
    return f"{instrument.base}{instrument.quote}"


class Symbols:
    """The instruments of a venue by product and name; names are accepted in either case."""

    def __init__(self, instruments: Mapping[str, Instrument]) -> None:
        self._by_name: dict[Product, dict[str, Instrument]] = {"spot": {}, "um": {}, "cm": {}}
        self._by_pair: dict[Product, dict[str, Instrument]] = {"spot": {}, "um": {}, "cm": {}}
        for instrument in instruments.values():
            product = product_of(instrument)
            self._by_name[product][name_of(instrument)] = instrument
            self._by_pair[product][pair_of(instrument)] = instrument

    def all(self, product: Product) -> list[Instrument]:
        """Every instrument of a product, in the venue's order."""
        return list(self._by_name[product].values())

    def find(self, product: Product, name: str) -> Instrument | None:
        """The instrument of that name, or None."""
        return self._by_name[product].get(name.upper())

    def of(self, product: Product, name: str) -> Instrument:
        """The instrument of that name; -1121 where there is none."""
        found = self.find(product, name)
        if found is None:
            raise BinanceError(*BAD_SYMBOL)
        return found

    def of_pair(self, product: Product, pair: str) -> Instrument:
        """The perpetual on that pair; -1121 where there is none."""
        found = self._by_pair[product].get(pair.upper())
        if found is None:
            raise BinanceError(*BAD_SYMBOL)
        return found
