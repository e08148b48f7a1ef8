"""Sockets of the streams on a real port: paths, requests, and what flows."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from exchange.clock import SteppedClock
from exchange.commands import Tick
from exchange.config import Binance, Config, Server
from exchange.gateway.binance.streams.hub import Hub
from tests.exchange.gateway.rig import ADMIN_KEY, START_MS, Rig, Trader, running

MINUTE_MS = 60_000
pytestmark = pytest.mark.usefixtures("both_ports")


@contextlib.asynccontextmanager
async def socket(rig: Rig, path: str) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    """A socket of the streams."""
    async with rig.http.ws_connect(rig.sockets + path, max_msg_size=0) as opened:
        yield opened


async def turned_away(rig: Rig, path: str, **headers: str) -> int:
    """The status of an address where no socket is opened."""
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await rig.http.ws_connect(rig.sockets + path, headers=headers)
    return refused.value.status


async def until(
    opened: aiohttp.ClientWebSocketResponse, wanted: Callable[[dict[str, Any]], bool]
) -> list[dict[str, Any]]:
    """All messages up to the first wanted one."""
    heard = []
    while True:
        said = await opened.receive_json(timeout=10)
        heard.append(said)
        if wanted(said):
            return heard


async def trader_with_coins(rig: Rig) -> Trader:
    """Somebody who can sell as well."""
    trader = await rig.open_account()
    given = {"wallet": "spot", "asset": "BTC", "amount": "10"}
    assert (await trader.ask("POST", "/v1/faucet", given)).status == 200
    return trader


async def trade(maker: Trader, taker: Trader, price: str, qty: str = "0.01") -> None:
    """One trade of BTC-USDT at a price."""
    await maker.order("BTC-USDT", "sell", qty, price=price)
    await taker.order("BTC-USDT", "buy", qty)


async def test_trades_of_a_path_of_names_come_raw(tmp_path: Path) -> None:
    async with running(tmp_path) as rig:
        await rig.set_index("BTC-USDT", "50000")
        maker, taker = await trader_with_coins(rig), await rig.open_account()
        async with socket(rig, "/ws/btcusdt@trade/btcusdt@aggTrade") as opened:
            await trade(maker, taker, "50000.00")
            said = [await opened.receive_json(), await opened.receive_json()]
    common = {
        "E": START_MS,
        "s": "BTCUSDT",
        "p": "50000.00000000",
        "q": "0.01000000",
        "T": START_MS,
        "m": False,  # The buyer took.
        "M": True,
    }
    assert said == [
        {"e": "trade", "t": 1, **common},
        {"e": "aggTrade", "a": 1, "f": 1, "l": 1, **common},
    ]


async def test_depth_goes_on_from_the_snapshot_without_a_gap(tmp_path: Path) -> None:
    async with running(tmp_path) as rig:
        await rig.set_index("BTC-USDT", "50000")
        maker = await trader_with_coins(rig)
        await maker.order("BTC-USDT", "sell", "0.01", price="50100.00")
        last_id = rig.doors.board.depth.last_id("BTC-USDT")
        async with socket(rig, "/stream?streams=btcusdt@depth@100ms") as opened:
            events = []
            for price in ("50101.00", "50102.00", "50103.00"):
                await maker.order("BTC-USDT", "sell", "0.01", price=price)
                events.append(await opened.receive_json())
    book: dict[str, str] = {}
    for event in events:
        assert event["stream"] == "btcusdt@depth@100ms"
        data = event["data"]
        assert data["U"] == last_id + 1
        last_id = data["u"]
        book.update(data["a"])
    assert book == {f"5010{n}.00000000": "0.01000000" for n in (1, 2, 3)}
    assert last_id == rig.doors.board.depth.last_id("BTC-USDT")


async def test_a_candle_closes_without_a_trade(tmp_path: Path) -> None:
    clock = SteppedClock(START_MS)
    async with running(tmp_path, clock=clock) as rig:
        await rig.set_index("BTC-USDT", "50000")
        maker, taker = await trader_with_coins(rig), await rig.open_account()
        await trade(maker, taker, "50000.00")
        async with socket(rig, "/ws/btcusdt@kline_1m") as opened:
            first = (await opened.receive_json())["k"]
            assert (first["x"], first["n"], first["f"], first["L"]) == (False, 1, 1, 1)
            assert first["V"] == first["v"] == "0.01000000"  # The buyer took all of it.
            for _ in range(2):
                clock.step(MINUTE_MS)
                await rig.do(Tick())
            said = await until(opened, lambda each: each["k"]["t"] == START_MS + 2 * MINUTE_MS)
    closed = [each["k"] for each in said if each["k"]["x"]]
    assert [each["t"] for each in closed] == [START_MS, START_MS + MINUTE_MS]
    assert (closed[1]["n"], closed[1]["f"], closed[1]["L"]) == (0, -1, -1)
    assert {closed[1][key] for key in "ohlc"} == {"50000.00000000"}


async def test_a_subscription_is_answered_with_its_id_and_then_flows(tmp_path: Path) -> None:
    async with running(tmp_path) as rig, socket(rig, "/stream/ws/0") as opened:
        for id_ in (7, "seven", None):
            ask = {"method": "SUBSCRIBE", "params": ["btcusdt@bookTicker"], "id": id_}
            await opened.send_json(ask)
            said = await until(opened, lambda each: "id" in each)
            assert said[-1] == {"result": None, "id": id_}
        await opened.send_json({"method": "LIST_SUBSCRIPTIONS", "id": 8})
        said = await until(opened, lambda each: each.get("id") == 8)
        assert said[-1]["result"] == ["0", "btcusdt@bookTicker"]


async def test_futures_flow_below_their_prefix_alone(tmp_path: Path) -> None:
    async with running(tmp_path) as rig:
        await rig.set_index("BTC-USDT", "50000")
        await rig.do(Tick())
        async with socket(rig, "/um/market/stream?streams=btcusdt@markPrice@1s") as opened:
            assert (await opened.receive_json())["data"]["s"] == "BTCUSDT"
        for path in ("/um", "/um/v1", "/stream/btcusdt@trade", "/wss"):
            assert await turned_away(rig, path) == 404


async def test_another_page_may_not_open_a_socket(tmp_path: Path) -> None:
    async with running(tmp_path) as rig:
        assert await turned_away(rig, "/ws", Origin="http://elsewhere.example") == 403


async def test_many_streams_fit_in_one_address(tmp_path: Path) -> None:
    async with running(tmp_path) as rig:
        names = "/".join(f"unknown{number}@trade" for number in range(300))  # 5,089 characters.
        async with socket(rig, f"/stream?streams={names}") as opened:
            await opened.send_json({"method": "LIST_SUBSCRIPTIONS", "id": 1})
            assert len((await opened.receive_json())["result"]) == 300
        far_too_many = "/".join(["btcusdt@trade"] * 573)  # 8,021 characters.
        assert await turned_away(rig, f"/stream?streams={far_too_many}") == 413


async def test_a_socket_whose_time_is_over_is_warned_and_closed(tmp_path: Path) -> None:
    brief = Config(server=Server(admin_key=ADMIN_KEY), binance=Binance(disconnect_hours=1e-5))
    async with running(tmp_path, config=brief) as rig, socket(rig, "/ws") as opened:
        assert (await opened.receive_json())["e"] == "serverShutdown"
        assert (await opened.receive()).type is aiohttp.WSMsgType.CLOSE
        assert opened.close_code == 1001


async def test_who_says_too_much_is_closed(tmp_path: Path) -> None:
    strict = Config(server=Server(admin_key=ADMIN_KEY), binance=Binance(spot_messages_per_second=1))
    async with running(tmp_path, config=strict) as rig, socket(rig, "/ws") as opened:
        for _ in range(2):
            await opened.send_json({"method": "LIST_SUBSCRIPTIONS", "id": 1})
        assert (await opened.receive_json())["result"] == []
        assert (await opened.receive()).type is aiohttp.WSMsgType.CLOSE
        assert opened.close_code == 1008


async def test_a_ping_is_answered_with_its_payload(tmp_path: Path) -> None:
    async with running(tmp_path) as rig:
        opened = await rig.http.ws_connect(rig.sockets + "/ws", autoping=False)
        await opened.ping(b"hello")
        answer = await opened.receive()
        assert (answer.type, answer.data) == (aiohttp.WSMsgType.PONG, b"hello")
        await opened.close()


async def test_without_the_door_there_is_no_socket(tmp_path: Path) -> None:
    closed = Config(server=Server(admin_key=ADMIN_KEY), binance=Binance(enabled=False))
    async with running(tmp_path, config=closed) as rig:
        assert await turned_away(rig, "/ws") == 404


async def test_a_fault_of_one_pulse_does_not_silence_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    pulse = Hub.pulse
    failed: list[int] = []

    def failing(hub: Hub, now_ms: int) -> None:
        if not failed:
            failed.append(now_ms)
            raise AssertionError("a planted fault")
        pulse(hub, now_ms)

    monkeypatch.setattr(Hub, "pulse", failing)
    async with running(tmp_path) as rig:
        await rig.set_index("BTC-USDT", "50000")
        maker = await trader_with_coins(rig)
        async with socket(rig, "/ws/btcusdt@depth@100ms") as opened:
            await maker.order("BTC-USDT", "sell", "0.01", price="50100.00")
            assert (await opened.receive_json())["a"] == [["50100.00000000", "0.01000000"]]
    assert failed
    assert "a fault while telling streams" in caplog.text
