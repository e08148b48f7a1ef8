"""What a strict door refuses and the default one lets pass: nothing of it is done."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from exchange.config import Binance, Config, Server
from tests.exchange.gateway.binance.binance_rig import Bot, bot_of
from tests.exchange.gateway.rig import ADMIN_KEY, Rig, running

SYMBOLS = ("BTC-USDT", "BTC-USDT-PERP")
SPOT = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "quantity": "0.01"}
LIMIT: dict[str, Any] = {**SPOT, "price": "40000", "timeInForce": "GTC"}

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def strict(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Rig]:
    config = Config(server=Server(admin_key=ADMIN_KEY), binance=Binance(strict_parameters=True))
    folder = tmp_path_factory.mktemp("strict")
    async with running(folder, config=config, symbols=SYMBOLS) as rig:
        await rig.set_index("BTC-USDT", "50000")
        yield rig


@pytest_asyncio.fixture(loop_scope="module")
async def bot(strict: Rig) -> Bot:
    return await bot_of(strict)


async def open_orders(bot: Bot) -> int:
    account = bot.rig.doors.engine.risk.accounts[bot.trader.account_id]
    return len(account.client_orders)


async def test_a_parameter_that_is_not_read_is_refused_and_nothing_is_done(bot: Bot) -> None:
    answer = await bot.signed("POST", "/api/v3/order", **LIMIT, reduceOnly="true")
    assert (answer.status, answer.json["code"]) == (400, -1104)
    # Six of the order's, the timestamp and the signature; and reduceOnly, which spot has not.
    assert answer.json["msg"] == (
        "Not all sent parameters were read; read '8' parameter(s) but was sent '9'."
    )
    assert "X-MBX-ORDER-COUNT-10S" not in answer.headers
    assert await open_orders(bot) == 0
    assert (await bot.signed("POST", "/api/v3/order", **LIMIT, strategyId=7)).status == 200
    assert await open_orders(bot) == 1


async def test_reading_is_strict_too(bot: Bot) -> None:
    answer = await bot.public("/api/v3/depth?symbol=BTCUSDT&limit=5&verbose=1")
    assert answer.json["code"] == -1104
    assert (await bot.public("/api/v3/depth?symbol=BTCUSDT&limit=5")).status == 200


async def test_a_parameter_that_is_sent_twice_is_refused(bot: Bot) -> None:
    answer = await bot.public("/fapi/v1/depth?symbol=BTCUSDT&limit=5&limit=10")
    assert answer.json == {"code": -1101, "msg": "Duplicate values for a parameter detected."}


async def test_an_element_of_a_batch_is_judged_by_itself(bot: Bot) -> None:
    good = '{"symbol":"BTCUSDT","side":"BUY","type":"LIMIT","timeInForce":"GTC","quantity":"0.01"'
    orders = f'[{good},"price":"40000"}},{good},"price":"40000","foo":"1"}}]'
    answer = await bot.signed("POST", "/fapi/v1/batchOrders", batchOrders=orders)
    first, second = answer.json
    assert first["status"] == "NEW"
    assert second["code"] == -1104
    cancel = {"symbol": "BTCUSDT", "foo": "1"}
    answer = await bot.signed("DELETE", "/fapi/v1/allOpenOrders", **cancel)
    assert answer.json["code"] == -1104
    assert await open_orders(bot) == 1


async def test_a_replacement_is_refused_before_anything_is_cancelled(bot: Bot) -> None:
    placed = (await bot.signed("POST", "/api/v3/order", **LIMIT)).json
    wish = {**LIMIT, "cancelReplaceMode": "STOP_ON_FAILURE", "cancelOrderId": placed["orderId"]}
    answer = await bot.signed("POST", "/api/v3/order/cancelReplace", **wish, foo="1")
    assert answer.json["code"] == -1104
    assert await open_orders(bot) == 1
    assert (await bot.signed("POST", "/api/v3/order/cancelReplace", **wish)).status == 200


async def test_what_there_never_was_may_be_asked_for_in_every_way(bot: Bot) -> None:
    span = {"coin": "BTC", "startTime": 1, "endTime": 2, "limit": 10, "offset": 0, "status": 1}
    for path in ("deposit/hisrec", "withdraw/history"):
        answer = await bot.signed("GET", f"/sapi/v1/capital/{path}", **span)
        assert (answer.status, answer.json) == (200, []), answer.body


async def test_the_websocket_api_is_as_strict(bot: Bot) -> None:
    fields = {"symbol": "BTCUSDT", "limit": 5}
    async with bot.rig.http.ws_connect(f"{bot.rig.url}/ws-api/v3") as socket:
        for more, status in (({}, 200), ({"verbose": True}, 400), ({"returnRateLimits": 0}, 200)):
            params = {**fields, **more}
            await socket.send_json({"id": 1, "method": "depth", "params": params})
            said = await socket.receive_json(timeout=10)
            assert said["status"] == status, said
            assert status == 200 or said["error"]["code"] == -1104


async def test_by_default_neither_does_harm(tmp_path_factory: pytest.TempPathFactory) -> None:
    async with running(tmp_path_factory.mktemp("lenient"), symbols=SYMBOLS) as rig:
        answer = await rig.ask("GET", "/api/v3/depth?symbol=BTCUSDT&limit=5&limit=7&foo=1")
        assert answer.status == 200
