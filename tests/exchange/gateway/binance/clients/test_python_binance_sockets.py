"""Sockets of python-binance tell here what they tell elsewhere, of markets and of accounts."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Any, Final, NamedTuple

import pytest
import pytest_asyncio
from binance import BinanceSocketManager
from binance.enums import FuturesType

from tests.exchange.gateway.binance.clients.pointing import opened
from tests.exchange.gateway.binance.clients.venue import WITHIN_S, Venue, give, venue
from tests.exchange.gateway.rig import Trader

pytestmark = pytest.mark.asyncio(loop_scope="module")

QUEUE: Final = 100_000  # Sockets that nobody reads while others are tried.
SPOT, PERP, COIN = "BTCUSDT", "BTCUSDT", "BTCUSD_PERP"
MOVED: Final = (("BTC-USDT", "0.001"), ("BTC-USDT-PERP", "0.001"), ("BTC-USD-PERP", "1"))
INVERSE: Final = {"futures_type": FuturesType.COIN_M}


class Told(NamedTuple):
    """A method of the socket manager, what it is asked with, and what must hold of a message."""

    method: str
    fields: dict[str, Any]
    holds: Callable[[Any], bool]

    def __str__(self) -> str:
        return "-".join((self.method, *(str(each) for each in self.fields.values())))


def raw(kind: str, symbol: str = SPOT) -> Callable[[Any], bool]:
    """An event of a kind about a symbol."""
    return lambda said: said["e"] == kind and said["s"] == symbol


def wrapped(stream: str, kind: str) -> Callable[[Any], bool]:
    """An event of a kind, in the envelope of a combined stream."""
    return lambda said: said["stream"] == stream and said["data"]["e"] == kind


def listed(kind: str, symbol: str) -> Callable[[Any], bool]:
    """A list of events, one of them about a symbol; raw or in an envelope."""

    def holds(said: Any) -> bool:
        rows = said["data"] if isinstance(said, dict) else said
        return {each["e"] for each in rows} == {kind} and symbol in {each["s"] for each in rows}

    return holds


MARKET: Final = (
    Told("trade_socket", {"symbol": SPOT}, raw("trade")),
    Told("aggtrade_socket", {"symbol": SPOT}, raw("aggTrade")),
    Told(
        "kline_socket",
        {"symbol": SPOT},
        lambda said: said["e"] == "kline" and said["k"]["i"] == "1m" and said["k"]["n"] > 0,
    ),
    Told("depth_socket", {"symbol": SPOT}, raw("depthUpdate")),
    Told("depth_socket", {"symbol": SPOT, "interval": 100}, raw("depthUpdate")),
    Told(
        "depth_socket",
        {"symbol": SPOT, "depth": "5"},
        lambda said: said["lastUpdateId"] > 0 and float(said["bids"][0][0]) == 49_990,
    ),
    Told("symbol_ticker_socket", {"symbol": SPOT}, raw("24hrTicker")),
    Told("symbol_miniticker_socket", {"symbol": SPOT}, raw("24hrMiniTicker")),
    Told("ticker_socket", {}, listed("24hrTicker", SPOT)),
    Told("miniticker_socket", {}, listed("24hrMiniTicker", SPOT)),
    Told("symbol_book_ticker_socket", {"symbol": SPOT}, lambda said: said["s"] == SPOT),
    Told("book_ticker_socket", {}, lambda said: float(said["b"]) < float(said["a"])),
    Told(
        "multiplex_socket",
        {"streams": ["btcusdt@trade", "btcusdt@depth"]},
        wrapped("btcusdt@trade", "trade"),
    ),
    Told("aggtrade_futures_socket", {"symbol": PERP}, wrapped("btcusdt@aggTrade", "aggTrade")),
    Told(
        "aggtrade_futures_socket",
        {"symbol": COIN} | INVERSE,
        wrapped("btcusd_perp@aggTrade", "aggTrade"),
    ),
    Told(
        "kline_futures_socket",
        {"symbol": PERP},
        lambda said: said["e"] == "continuous_kline" and said["ps"] == PERP,
    ),
    Told(
        "symbol_ticker_futures_socket",
        {"symbol": PERP},
        wrapped("btcusdt@bookTicker", "bookTicker"),
    ),
    Told(
        "individual_symbol_ticker_futures_socket",
        {"symbol": PERP},
        wrapped("btcusdt@ticker", "24hrTicker"),
    ),
    Told("all_ticker_futures_socket", {}, lambda said: said["data"]["e"] == "bookTicker"),
    Told("futures_ticker_socket", {}, listed("24hrTicker", PERP)),
    Told("futures_coin_ticker_socket", {}, listed("24hrTicker", COIN)),
    Told(
        "symbol_mark_price_socket",
        {"symbol": PERP},
        wrapped("btcusdt@markPrice@1s", "markPriceUpdate"),
    ),
    Told("all_mark_price_socket", {}, listed("markPriceUpdate", PERP)),
    Told(
        "index_price_socket",
        {"symbol": "BTCUSD"},
        wrapped("btcusd@indexPrice@1s", "indexPriceUpdate"),
    ),
    Told("futures_depth_socket", {"symbol": PERP}, wrapped("btcusdt@depth10", "depthUpdate")),
    Told(
        "futures_depth_socket",
        {"symbol": COIN, "depth": "5"} | INVERSE,
        wrapped("btcusd_perp@depth5", "depthUpdate"),
    ),
    Told(
        "futures_multiplex_socket",
        {"streams": ["btcusdt@aggTrade", "btcusdt@markPrice"]},
        wrapped("btcusdt@aggTrade", "aggTrade"),
    ),
)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def floor(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Venue]:
    async with venue(tmp_path_factory.mktemp("sockets")) as found:
        yield found


class Mover:
    """Somebody who trades on every market and lets time pass, until told to stop."""

    def __init__(self, floor: Venue, seller: Trader, buyer: Trader) -> None:
        self.floor, self.seller, self.buyer = floor, seller, buyer
        self.going = True

    async def run(self) -> None:
        """A trade a market and a second of exchange time, over and over."""
        while self.going:
            for symbol, qty in MOVED:
                await self.seller.order(symbol, "sell", qty, price="50000")
                await self.buyer.order(symbol, "buy", qty, price="50000")
            await self.floor.pass_time(1_000)


@contextlib.asynccontextmanager
async def moving(floor: Venue) -> AsyncIterator[None]:
    """A market that moves meanwhile."""
    seller, buyer = await floor.account(spot="BTC", perp_BTC="BTC"), await floor.account()
    await give(buyer, "perp:BTC", "BTC", "10")
    mover = Mover(floor, seller, buyer)
    task = asyncio.create_task(mover.run())
    try:
        yield
    finally:
        mover.going = False
        await task


async def heard(socket: Any, holds: Callable[[Any], bool]) -> Any:
    """The first message of which something holds."""

    async def listen() -> Any:
        while True:
            said = await socket.recv()
            if holds(said):
                return said

    return await asyncio.wait_for(listen(), WITHIN_S)


async def test_each_market_socket_tells_its_stream(floor: Venue) -> None:
    async with floor.bot() as client, contextlib.AsyncExitStack() as stack:
        sockets = []
        for told in MARKET:  # A manager each: it gives the same socket out twice.
            manager = BinanceSocketManager(client, max_queue_size=QUEUE)
            socket = getattr(manager, told.method)(**told.fields)
            sockets.append(await stack.enter_async_context(opened(socket)))
        async with moving(floor):
            waits = (heard(*each) for each in zip(sockets, (t.holds for t in MARKET), strict=True))
            found = await asyncio.gather(*waits, return_exceptions=True)
        silent = [
            str(told)
            for told, said in zip(MARKET, found, strict=True)
            if isinstance(said, BaseException)
        ]
        assert silent == []


async def test_an_account_on_spot_is_told_of_orders_and_money(floor: Venue) -> None:
    async with (
        floor.bot() as client,
        opened(BinanceSocketManager(client).user_socket()) as socket,
    ):
        placed = await client.order_limit_buy(symbol=SPOT, price="49000", quantity="0.01")
        new = await heard(socket, lambda said: said["e"] == "executionReport")
        assert (new["x"], new["i"], new["c"]) == (
            "NEW",
            placed["orderId"],
            placed["clientOrderId"],
        )
        locked = await heard(socket, lambda said: said["e"] == "outboundAccountPosition")
        (usdt,) = (each for each in locked["B"] if each["a"] == "USDT")
        assert (float(usdt["f"]), float(usdt["l"])) == (99_510, 490)
        await client.order_market_buy(symbol=SPOT, quantity="0.01")
        fill = await heard(socket, lambda said: said.get("x") == "TRADE")
        assert (fill["L"], fill["N"]) == ("50010.00000000", "BTC")
        await client.transfer_spot_to_margin(asset="USDT", amount="5")
        moved = await heard(socket, lambda said: said["e"] == "balanceUpdate")
        assert (moved["a"], float(moved["d"])) == ("USDT", -5)


async def test_accounts_on_margin_are_told_of_their_own_orders(floor: Venue) -> None:
    async with floor.bot() as client:
        await client.transfer_spot_to_margin(asset="USDT", amount="5000")
        await client.transfer_spot_to_isolated_margin(symbol=SPOT, asset="USDT", amount="5000")
        manager = BinanceSocketManager(client)
        for socket, apart in (
            (manager.margin_socket(), "FALSE"),
            (manager.isolated_margin_socket(SPOT), "TRUE"),
        ):
            async with opened(socket):
                placed = await client.create_margin_order(
                    symbol=SPOT, side="BUY", type="MARKET", quantity="0.01", isIsolated=apart
                )
                fill = await heard(socket, lambda said: said.get("x") == "TRADE")
                assert fill["i"] == placed["orderId"]
                await heard(socket, lambda said: said["e"] == "outboundAccountPosition")


@pytest.mark.parametrize("method", ["futures_user_socket", "futures_socket"])
async def test_an_account_on_usd_m_is_told_of_orders_and_positions(
    floor: Venue, method: str
) -> None:
    async with (
        floor.bot() as client,
        opened(getattr(BinanceSocketManager(client), method)()) as socket,
    ):
        await client.futures_change_leverage(symbol=PERP, leverage=7)
        config = await heard(socket, lambda said: said["e"] == "ACCOUNT_CONFIG_UPDATE")
        assert config["ac"] == {"s": PERP, "l": 7}
        placed = await client.futures_market_buy_order(symbol=PERP, quantity="0.01")
        fill = await heard(socket, lambda said: said.get("o", {}).get("x") == "TRADE")
        assert (fill["o"]["i"], float(fill["o"]["ap"])) == (placed["orderId"], 50_010)
        moved = await heard(socket, lambda said: said["e"] == "ACCOUNT_UPDATE")
        assert (moved["a"]["m"], moved["a"]["P"][0]["pa"]) == ("ORDER", "0.010")
        asleep = await client.futures_create_order(
            symbol=PERP, side="SELL", type="STOP_MARKET", quantity="0.01", stopPrice="48000"
        )
        algo = await heard(socket, lambda said: said["e"] == "ALGO_UPDATE")
        assert (algo["o"]["aid"], algo["o"]["X"]) == (asleep["algoId"], "NEW")


@pytest.mark.parametrize("method", ["coin_futures_user_socket", "coin_futures_socket"])
async def test_an_account_on_coin_m_is_told_of_orders_and_positions(
    floor: Venue, method: str
) -> None:
    async with (
        floor.bot(perp_BTC="BTC") as client,
        opened(getattr(BinanceSocketManager(client), method)()) as socket,
    ):
        placed = await client.futures_coin_create_order(
            symbol=COIN, side="BUY", type="MARKET", quantity="3"
        )
        fill = await heard(socket, lambda said: said.get("o", {}).get("x") == "TRADE")
        assert (fill["o"]["i"], fill["o"]["l"]) == (placed["orderId"], "3")
        moved = await heard(socket, lambda said: said["e"] == "ACCOUNT_UPDATE")
        assert (moved["a"]["P"][0]["s"], moved["a"]["P"][0]["pa"]) == (COIN, "3")
