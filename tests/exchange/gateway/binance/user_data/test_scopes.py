"""Money and orders belong to one stream each: by their wallet, and of contracts by the product."""

from __future__ import annotations

import pytest

from exchange.config import default_venue
from exchange.engine import Engine
from exchange.gateway.binance.user_data.scopes import (
    SCOPES,
    product_of_scope,
    scope_of_order,
    scope_of_wallet,
)

SYMBOLS = ("BTC-USDT", "BTC-USDT-PERP", "BTC-USD-PERP")
INSTRUMENTS = Engine(default_venue(1, 0, symbols=SYMBOLS, prices="fixed")).instruments


@pytest.mark.parametrize(
    ("wallet", "scope"),
    [
        ("spot", "spot"),
        ("margin", "margin"),
        ("isolated:BTC-USDT", "isolated:BTC-USDT"),
        ("perp", "um"),
        ("perp/BTC-USDT-PERP", "um"),
        ("perp/BTC-USDT-PERP/LONG", "um"),
        ("perp:BTC", "cm"),
        ("perp/BTC-USD-PERP", "cm"),
    ],
)
def test_each_wallet_has_its_stream(wallet: str, scope: str) -> None:
    assert scope_of_wallet(wallet, INSTRUMENTS) == scope


def test_an_order_of_a_contract_is_its_products() -> None:
    assert scope_of_order("perp", "BTC-USD-PERP", INSTRUMENTS) == "cm"
    assert scope_of_order("perp", "BTC-USDT-PERP", INSTRUMENTS) == "um"
    assert scope_of_order("margin", "BTC-USDT", INSTRUMENTS) == "margin"


def test_every_api_has_its_stream_on_the_sockets_of_its_product() -> None:
    products = {api: product_of_scope(scope) for api, scope in SCOPES.items()}
    assert products == {"api": "spot", "sapi": "spot", "fapi": "um", "dapi": "cm"}
