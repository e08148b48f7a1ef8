"""Tests that python-binance's table is whole, and that what is not served is told as it says."""

from __future__ import annotations

import asyncio
import inspect
import warnings
from collections.abc import AsyncIterator
from typing import Any, Final

import pytest
import pytest_asyncio
from binance import AsyncClient, BinanceSocketManager, Client
from binance.base_client import BaseClient
from binance.exceptions import BinanceAPIException, BinanceRegionException

from tests.exchange.gateway.binance.clients.methods_python_binance import (
    ABSENT,
    CLIENT,
    METHODS,
    OTHER_REGION,
    SHOWN,
    WORKS,
    public,
    sockets,
    subject_of,
)
from tests.exchange.gateway.binance.clients.pointing import opened, python_binance
from tests.exchange.gateway.binance.clients.venue import WITHIN_S, Venue, venue

pytestmark = pytest.mark.asyncio(loop_scope="module")

# What a method is asked with where any word will do, and where it will not.
WORD: Final = "BTCUSDT"
LISTS: Final = {"options_place_batch_order": {"batchOrders": [{"symbol": WORD}]}}
REFUSED: Final = {
    "ws": (-1020, "This operation is not supported."),
    "rest": (-5000, "is invalid"),
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def floor(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Venue]:
    async with venue(tmp_path_factory.mktemp("absent")) as found:
        yield found


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def client(floor: Venue) -> AsyncIterator[AsyncClient]:
    """A client whose every address is the exchange's, those of other products too."""
    kind: Any = BaseClient
    before = kind.OPTIONS_URL, kind.PAPI_URL, kind.WEBSITE_URL
    url = floor.rig.url
    kind.OPTIONS_URL, kind.PAPI_URL, kind.WEBSITE_URL = f"{url}/eapi", f"{url}/papi", url
    async with python_binance(await floor.account()) as found:
        yield found
    kind.OPTIONS_URL, kind.PAPI_URL, kind.WEBSITE_URL = before


def needed(method: Any) -> dict[str, Any]:
    """The arguments that a method cannot do without."""
    found = inspect.signature(method).parameters.values()
    named = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    return {each.name: WORD for each in found if each.kind in named and each.default is each.empty}


async def ask(client: AsyncClient, name: str) -> Any:
    """Call a method with what it needs."""
    method = getattr(client, name)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return await method(**LISTS.get(name, needed(method)))


def not_served(*, over_websocket: bool) -> list[str]:
    """The methods of the client that are not served."""
    names = (name for name in public(AsyncClient) if METHODS[name].what == "not served")
    return [name for name in names if name.startswith("ws_") == over_websocket]


async def test_every_method_has_one_verdict() -> None:
    assert set(METHODS) == {*public(AsyncClient, Client), *sockets()}
    assert set(SHOWN) <= set(METHODS)
    assert not set(SHOWN) & set(CLIENT)
    assert len(SHOWN) == sum(len(names.split()) for names in WORKS.values())
    assert {subject for _, subject in ABSENT} == {
        subject_of(name) for name, each in METHODS.items() if each.what == "not served"
    }


async def test_each_method_that_is_not_served_is_refused_as_the_table_says(
    client: AsyncClient,
) -> None:
    wrong = {}
    for name in not_served(over_websocket=False):
        try:
            wrong[name] = await ask(client, name)
        except BinanceAPIException as error:
            website = name == "get_products"
            if error.status_code != 404 or (error.code != -5000 and not website):
                wrong[name] = str(error)
    assert wrong == {}


async def test_what_only_the_synchronous_client_asks_is_refused_as_well(
    floor: Venue, client: AsyncClient
) -> None:
    names = sorted(set(public(Client)) - set(public(AsyncClient)))
    assert client.API_KEY is not None
    other = await asyncio.to_thread(Client, client.API_KEY, client.API_SECRET)
    for name in names:
        if METHODS[name].what == "not served":
            method = getattr(other, name)
            with pytest.raises(BinanceAPIException) as refused:
                await asyncio.to_thread(method, **needed(method))
            assert (refused.value.status_code, refused.value.code) == (404, -5000), name
    other.close_connection()


@pytest.mark.parametrize("name", not_served(over_websocket=True))
async def test_each_method_over_websocket_is_refused_likewise(
    client: AsyncClient, name: str
) -> None:
    with pytest.raises(BinanceAPIException) as refused:
        await ask(client, name)
    assert refused.value.code == -1020


@pytest.mark.parametrize("name", [name for name, why in CLIENT.items() if why == OTHER_REGION])
async def test_another_regions_methods_ask_nobody(client: AsyncClient, name: str) -> None:
    with pytest.raises(BinanceRegionException):
        await ask(client, name)


async def test_what_the_client_itself_gets_wrong(client: AsyncClient) -> None:
    with pytest.raises(Exception, match="no entry with withdraw id"):
        await client.get_withdraw_history_id("1")
    with pytest.raises(BinanceAPIException) as refused:
        await client.v3_post_cancel_replace()
    assert (refused.value.status_code, refused.value.code) == (404, -5000)


async def test_what_asks_nobody_works_as_ever(floor: Venue) -> None:
    trader = await floor.account()
    other = await AsyncClient.create(trader.key, trader.secret)
    assert trader.key == other.API_KEY
    assert len(AsyncClient.uuid22()) <= 22
    assert AsyncClient.convert_to_dict([("a", 1)]) == {"a": 1}
    assert AsyncClient.encode_uri_component("a/b") == "a%2Fb"
    await other.close_connection()
    assert other.session.closed


async def test_sockets_of_what_is_not_there_open_and_stay_silent(
    floor: Venue, client: AsyncClient
) -> None:
    manager = BinanceSocketManager(client)
    contract = {"symbol": "BTC-300101-50000-C"}
    later = contract | {"expiration_date": "300101"}
    silent = [
        manager.options_ticker_socket(**contract),
        manager.options_ticker_by_expiration_socket(**later),
        manager.options_recent_trades_socket(**contract),
        manager.options_kline_socket(**contract),
        manager.options_depth_socket(**contract),
        manager.options_book_ticker_socket(**contract),
        manager.options_open_interest_socket(**later),
        manager.options_mark_price_socket("BTC"),
        manager.options_multiplex_socket(["btc-300101-50000-c@optionTicker"]),
        manager.options_new_symbol_socket(),
        manager.options_index_price_socket(),
        manager.futures_rpi_depth_socket("BTCUSDT"),
    ]
    async with opened(manager.trade_socket("BTCUSDT")) as heard:
        for socket in silent:
            await socket.__aenter__()
        for _ in range(3):
            await floor.trade("BTC-USDT", "50000", "0.001")
            assert (await asyncio.wait_for(heard.recv(), WITHIN_S))["e"] == "trade"
        assert [socket._path for socket in silent if not socket._queue.empty()] == []
    with pytest.raises(BinanceAPIException) as refused:
        await manager.portfolio_margin_socket().__aenter__()
    assert refused.value.code == -5000
    for socket in silent:
        await socket.ws.close()
