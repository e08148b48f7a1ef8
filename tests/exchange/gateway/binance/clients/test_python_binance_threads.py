"""python-binance without a loop of one's own: its synchronous client and its threaded sockets."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from typing import Any, Final, TypeVar

import pytest
import pytest_asyncio
from binance import Client, ThreadedWebsocketManager
from binance.enums import FuturesType
from binance.exceptions import BinanceAPIException

from tests.exchange.gateway.binance.clients.pointing import hang_up, point_python_binance
from tests.exchange.gateway.binance.clients.venue import WITHIN_S, Venue, venue
from tests.exchange.gateway.rig import START_MS, Trader

pytestmark = pytest.mark.asyncio(loop_scope="module")

T = TypeVar("T")
PAIR: Final = {"symbol": "BTCUSDT"}
COIN: Final = {"symbol": "BTCUSD_PERP"}
# Sockets of the threaded manager by their names, and the events they tell.
STARTED: Final[dict[str, tuple[dict[str, Any], str]]] = {
    "start_trade_socket": (PAIR, "trade"),
    "start_aggtrade_socket": (PAIR, "aggTrade"),
    "start_kline_socket": (PAIR, "kline"),
    "start_depth_socket": (PAIR | {"interval": 100}, "depthUpdate"),
    "start_symbol_ticker_socket": (PAIR, "24hrTicker"),
    "start_symbol_miniticker_socket": (PAIR, "24hrMiniTicker"),
    "start_symbol_book_ticker_socket": (PAIR, ""),
    "start_ticker_socket": ({}, "24hrTicker"),
    "start_miniticker_socket": ({}, "24hrMiniTicker"),
    "start_book_ticker_socket": ({}, ""),
    "start_multiplex_socket": ({"streams": ["btcusdt@trade"]}, "trade"),
    "start_futures_multiplex_socket": ({"streams": ["btcusdt@aggTrade"]}, "aggTrade"),
    "start_aggtrade_futures_socket": (PAIR, "aggTrade"),
    "start_kline_futures_socket": (PAIR, "continuous_kline"),
    "start_symbol_ticker_futures_socket": (PAIR, "bookTicker"),
    "start_individual_symbol_ticker_futures_socket": (PAIR, "24hrTicker"),
    "start_all_ticker_futures_socket": ({}, "bookTicker"),
    "start_symbol_mark_price_socket": (PAIR, "markPriceUpdate"),
    "start_all_mark_price_socket": ({}, "markPriceUpdate"),
    "start_index_price_socket": ({"symbol": "BTCUSD"}, "indexPriceUpdate"),
    "start_futures_depth_socket": (COIN | {"futures_type": FuturesType.COIN_M}, "depthUpdate"),
    "start_user_socket": ({}, "executionReport"),
    "start_margin_socket": ({}, "executionReport"),
    "start_isolated_margin_socket": (PAIR, "executionReport"),
    "start_futures_user_socket": ({}, "ORDER_TRADE_UPDATE"),
    "start_coin_futures_user_socket": ({}, "ORDER_TRADE_UPDATE"),
}
ALIASES: Final = {
    "start_futures_socket": "ORDER_TRADE_UPDATE",
    "start_coin_futures_socket": "ORDER_TRADE_UPDATE",
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def floor(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Venue]:
    async with venue(tmp_path_factory.mktemp("threads")) as found:
        yield found


async def away(trader: Trader, run: Callable[[Client], T]) -> T:
    """Run a synchronous bot in a thread, where it has its own loop if it needs one."""
    point_python_binance(trader.rig.url)

    def bot() -> T:
        client = Client(trader.key, trader.secret)
        try:
            return run(client)
        finally:
            client.close_connection()

    return await asyncio.to_thread(bot)


def trades(client: Client) -> dict[str, Any]:
    """A day in the life of a synchronous bot."""
    client.order_market_buy(**PAIR, quantity="0.05")
    resting = client.order_limit_sell(**PAIR, quantity="0.01", price="51000")
    cancelled = client.cancel_order(**PAIR, orderId=resting["orderId"])
    client.futures_change_leverage(**PAIR, leverage=5)
    client.futures_create_order(**PAIR, side="BUY", type="MARKET", quantity="0.05")
    batch = client.futures_place_batch_order(
        batchOrders=[
            PAIR
            | {
                "side": "BUY",
                "type": "LIMIT",
                "timeInForce": "GTC",
                "quantity": "0.01",
                "price": price,
            }
            for price in ("48000", "47000")
        ]
    )
    client.transfer_spot_to_margin(asset="USDT", amount="1000")
    client.create_margin_loan(asset="USDT", amount="500")
    return {
        "cancelled": cancelled["status"],
        "held": client.get_asset_balance("BTC")["free"],
        "position": client.futures_position_information(**PAIR)[0]["positionAmt"],
        "batch": [each["status"] for each in batch],
        "owed": client.get_margin_account()["totalLiabilityOfBtc"],
        "candles": client.get_historical_klines("BTCUSDT", "1m", START_MS),
        "futures": client.futures_historical_klines("BTCUSDT", "1m", START_MS),
        "aggregates": list(client.aggregate_trade_iter("BTCUSDT")),
    }


async def test_the_synchronous_client_trades_everywhere(floor: Venue) -> None:
    did = await away(await floor.account(), trades)
    assert (did["cancelled"], did["held"]) == ("CANCELED", "0.04995000")
    assert (did["position"], did["batch"]) == ("0.050", ["NEW", "NEW"])
    # 500 and its first hour's interest of 0.005, over 50,000.
    assert float(did["owed"]) == pytest.approx(0.01, abs=2e-7)
    assert did["candles"][0][0] == did["futures"][0][0] == START_MS
    assert did["aggregates"][-1]["a"] >= 1


def trades_coins(client: Client) -> dict[str, Any]:
    """What the synchronous client can do, and the asynchronous one cannot."""
    placed = client.futures_coin_create_order(
        **COIN, side="BUY", type="LIMIT", timeInForce="GTC", quantity="2", price="48000"
    )
    name = COIN | {"orderId": placed["orderId"]}
    client.transfer_spot_to_isolated_margin(**PAIR, asset="USDT", amount="5")
    return {
        "opened": client.futures_coin_get_open_order(**name)["origQty"],
        "fewer": client.futures_coin_modify_order(**name, side="BUY", quantity="1", price="48000")[
            "origQty"
        ],
        "countdown": client.futures_coin_countdown_cancel_all(**COIN, countdownTime=60_000),
        "taken": client.futures_coin_taker_buy_sell_volume(
            pair="BTCUSD", contractType="PERPETUAL", period="5m"
        ),
        "holders": client.futures_coin_global_longshort_ratio(pair="BTCUSD", period="5m"),
        "top": client.futures_coin_top_longshort_account_ratio(pair="BTCUSD", period="5m"),
        "top_lots": client.futures_coin_top_longshort_position_ratio(pair="BTCUSD", period="5m"),
        "marks": client.futures_historical_mark_price_klines("BTCUSDT", "1m", START_MS),
        "moved": client.get_isolated_margin_tranfer_history(**PAIR)["total"],
    }


async def test_what_only_the_synchronous_client_can_do(floor: Venue) -> None:
    await floor.trade("BTC-USD-PERP", "50000", "3")
    await floor.pass_time(300_000)  # Volumes are told by five minutes.
    did = await away(await floor.account(perp_BTC="BTC"), trades_coins)
    assert (did["opened"], did["fewer"], did["moved"]) == ("2", "1", 1)
    assert did["countdown"]["countdownTime"] == "60000"
    assert float(did["taken"][0]["takerBuyVol"]) == 3
    assert did["holders"][-1]["longShortRatio"] == "1.0000"
    # Of two who hold as much one is on top.
    top, top_lots = did["top"][-1], did["top_lots"][-1]
    assert {top["longAccount"], top["shortAccount"]} == {"1.0000", "0.0000"}
    assert {top_lots["longPosition"], top_lots["shortPosition"]} == {"1.0000", "0.0000"}
    assert did["marks"][0][0] >= START_MS


async def test_the_synchronous_client_raises_what_is_refused(floor: Venue) -> None:
    def refused(client: Client) -> tuple[int, int]:
        with pytest.raises(BinanceAPIException) as caught:
            client.get_order(**PAIR, orderId=999_999)
        return caught.value.code, caught.value.status_code

    assert await away(await floor.account(), refused) == (-2013, 400)


class Heard:
    """The kinds of events that each socket told, until every one was told."""

    def __init__(self, wanted: dict[str, str]) -> None:
        self.missing = dict(wanted)
        self.errors: list[Any] = []
        self.whole = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._lock = threading.Lock()

    def by(self, name: str) -> Callable[[Any], None]:
        """What to call with a socket's messages, from any thread."""

        def take(said: Any) -> None:
            inner = said["data"] if isinstance(said, dict) and "data" in said else said
            rows = inner if isinstance(inner, list) else [inner]
            with self._lock:
                if any(each.get("e") == "error" for each in rows):
                    self.errors.append((name, said))
                elif self.missing.get(name) in {each.get("e", "") for each in rows}:
                    del self.missing[name]
            if not self.missing:
                self._loop.call_soon_threadsafe(self.whole.set)

        return take


async def stir(floor: Venue, trader: Trader) -> None:
    """Something of everything happens once: on each market, and to an account in each place."""
    for symbol, qty in (("BTC-USDT", "0.001"), ("BTC-USDT-PERP", "0.001"), ("BTC-USD-PERP", "1")):
        await floor.trade(symbol, "50000", qty)
    for symbol, more in (
        ("BTC-USDT", {}),
        ("BTC-USDT", {"margin": "cross"}),
        ("BTC-USDT", {"margin": "isolated"}),
        ("BTC-USDT-PERP", {}),
        ("BTC-USD-PERP", {}),
    ):
        qty = "1" if symbol == "BTC-USD-PERP" else "0.001"
        await trader.order(symbol, "buy", qty, price="49000", tif="IOC", **more)
    await floor.pass_time(1_000)


def swept(manager: ThreadedWebsocketManager) -> None:
    """Close what the manager leaves open: it goes while some of its sockets still unsubscribe."""
    loop, client = manager._loop, manager._client
    left = asyncio.all_tasks(loop)
    for task in left:
        task.cancel()
    if left:
        loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
    assert client is not None
    loop.run_until_complete(hang_up(client.ws_api))


@pytest.mark.parametrize("names", [tuple(STARTED), tuple(ALIASES)], ids=["each", "aliases"])
async def test_threaded_sockets_tell_their_streams(floor: Venue, names: tuple[str, ...]) -> None:
    trader = await floor.account(perp_BTC="BTC")
    for wallet in ("margin", "isolated:BTC-USDT"):
        moved = {"from": "spot", "to": wallet, "asset": "USDT", "amount": "10000"}
        assert (await trader.ask("POST", "/v1/transfers", moved)).status in {200, 201}
    kinds = {name: told for name, (_, told) in STARTED.items()} | ALIASES
    heard = Heard({name: kinds[name] for name in names})
    point_python_binance(trader.rig.url)

    def begin() -> ThreadedWebsocketManager:
        manager = ThreadedWebsocketManager(trader.key, trader.secret, max_queue_size=10_000)
        manager.start()
        for name in names:
            getattr(manager, name)(callback=heard.by(name), **STARTED.get(name, ({}, ""))[0])
        return manager

    manager = await asyncio.to_thread(begin)
    ended: asyncio.Future[Any] = asyncio.ensure_future(asyncio.to_thread(manager.join))
    try:
        whole = asyncio.ensure_future(asyncio.wait_for(heard.whole.wait(), WITHIN_S))
        while not whole.done():
            await stir(floor, trader)
    finally:
        ending = asyncio.ensure_future(asyncio.to_thread(manager.stop))
        while not ended.done():  # Its sockets close once they have read something more.
            await stir(floor, trader)
        await ending
        await asyncio.to_thread(swept, manager)
    assert (heard.missing, heard.errors) == ({}, [])
