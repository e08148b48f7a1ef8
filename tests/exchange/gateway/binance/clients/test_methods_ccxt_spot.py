"""Tests that the table of ccxt's `binance` is whole, and that what does not work does not."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, Final

import ccxt
import ccxt.pro
import pytest
import pytest_asyncio

from tests.exchange.gateway.binance.clients.ccxt_drivers import SPOT, soon
from tests.exchange.gateway.binance.clients.methods_ccxt_futures import INVERSE, LINEAR
from tests.exchange.gateway.binance.clients.methods_ccxt_spot import CONTRACTS, METHODS
from tests.exchange.gateway.binance.clients.pointing import ccxt_client
from tests.exchange.gateway.binance.clients.venue import Venue, venue

pytestmark = pytest.mark.asyncio(loop_scope="module")

ORDER: Final = {"symbol": SPOT, "type": "limit", "side": "buy", "amount": 1, "price": 49_000}
# What the methods that do not work are called with.
CALLS: Final[dict[str, tuple[Any, ...]]] = {
    "cancel_orders": (["1"], SPOT),
    "create_convert_trade": ("1", "USDT", "BTC", 10),
    "create_orders": ([ORDER],),
    "edit_orders": ([{**ORDER, "id": "1"}],),
    "fetch_convert_quote": ("USDT", "BTC", 10),
    "fetch_convert_trade": ("1",),
    "fetch_deposit_address": ("BTC",),
    "fetch_greeks": (SPOT,),
    "fetch_ledger_entry": ("1", "USDT"),
    "fetch_margin_adjustment_history": (SPOT,),
    "fetch_margin_mode": (SPOT,),
    "fetch_open_order": ("1", SPOT),
    "fetch_option": (SPOT,),
    "fetch_order_book_ws": (SPOT,),
    "fetch_ticker_ws": (SPOT,),
    "set_leverage": (3, SPOT),
    "set_margin_mode": ("cross", SPOT),
    "watch_my_liquidations": (SPOT,),
    "watch_my_liquidations_for_symbols": ([SPOT],),
    "watch_orders_for_symbols": ([SPOT],),
    "withdraw": ("BTC", 1, "an-address-somewhere"),
}
# `has` tells of these too; they are no methods.
KINDS: Final = frozenset(
    {"publicAPI", "privateAPI", "sandbox", "spot", "margin", "swap", "future", "option", "ws"}
)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def market(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Venue]:
    async with venue(tmp_path_factory.mktemp("venue")) as found:
        yield found


def plain(name: str) -> str:
    """A name as it is compared: `fetchOHLCVWs` is `fetch_ohlcv_ws`."""
    return name.replace("_", "").lower()


async def test_every_method_the_class_has_is_in_the_table() -> None:
    has = ccxt.pro.binance().has
    own = {plain(name) for name, value in has.items() if value and name not in KINDS}
    assert not METHODS.keys() & CONTRACTS
    assert {plain(name) for name in METHODS.keys() | CONTRACTS} == own


async def test_those_of_contracts_alone_are_told_of_there() -> None:
    assert LINEAR.keys() & INVERSE.keys() >= CONTRACTS


async def test_every_method_of_the_table_is_spelled_as_the_client_spells_it() -> None:
    client = ccxt.pro.binance()
    for name in METHODS.keys() | CONTRACTS:
        is_absent = METHODS.get(name, ("", ""))[1].startswith("There is no such method")
        assert callable(getattr(client, name, None)) is not is_absent, name


@pytest.mark.parametrize("name", [name for name, each in METHODS.items() if each.what == "client"])
async def test_what_the_client_cannot_do_it_refuses_itself(market: Venue, name: str) -> None:
    why = METHODS[name].note
    async with ccxt_client("binance", await market.account()) as client:
        await client.load_markets()
        if why.startswith("There is no such method"):
            assert not hasattr(client, name)
            return
        if name == "fetch_balance_ws":
            balance = await client.fetch_balance_ws()
            assert (balance["total"], bool(balance["info"]["balances"])) == ({}, True)
            return
        client.urls["api"]["public"] = client.urls["api"]["private"] = "http://127.0.0.1:1/api/v3"
        with pytest.raises((ccxt.BaseError, KeyError)) as raised:
            await soon(getattr(client, name)(*CALLS.get(name, ())))
        said = str(raised.value).removeprefix("binance ")
        assert f"{raised.type.__name__}: {said}" == why


@pytest.mark.parametrize(
    "name", [name for name, each in METHODS.items() if each.what == "not served"]
)
async def test_what_is_not_served_is_answered_so(market: Venue, name: str) -> None:
    async with ccxt_client("binance", await market.account()) as client:
        with pytest.raises(ccxt.ExchangeError) as raised:
            await soon(getattr(client, name)(*CALLS.get(name, ())))
        address = METHODS[name].note.split("`")[1]
        assert f'{{"code":-5000,"msg":"Path {address} is invalid."}}' in str(raised.value)
