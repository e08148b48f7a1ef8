"""Who asks over the WebSocket API: each request by its signature, or a session that logged on."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.exchange.gateway.binance.binance_rig import bot_of
from tests.exchange.gateway.binance.ws_api.socket_rig import connected
from tests.exchange.gateway.rig import running

pytestmark = pytest.mark.usefixtures("both_ports")


async def test_an_hmac_key_logs_on_and_off(tmp_path: Path) -> None:
    async with running(tmp_path) as rig:
        bot = await bot_of(rig)
        async with connected(rig, bot=bot) as socket:
            before = (await socket.ask("session.status"))["result"]
            assert before["apiKey"] is None
            said = (await socket.signed("session.logon"))["result"]
            assert list(said) == [
                "apiKey",
                "authorizedSince",
                "connectedSince",
                "returnRateLimits",
                "serverTime",
                "userDataStream",
            ]
            assert said["apiKey"] == bot.trader.key
            assert said["authorizedSince"] >= said["connectedSince"]
            assert (await socket.ask("session.status"))["result"]["apiKey"] == bot.trader.key
            assert (await socket.ask("session.logout"))["result"]["apiKey"] is None


async def test_an_ed25519_key_signs_in_base64(tmp_path: Path) -> None:
    async with running(tmp_path) as rig:
        bot = await bot_of(rig)
        secret = Ed25519PrivateKey.generate()
        pem = secret.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        key = rig.doors.keys.create(bot.trader.account_id, public_key=pem.decode()).key
        stamp = rig.doors.clock.wall_ms()
        signature = base64.b64encode(secret.sign(f"apiKey={key}&timestamp={stamp}".encode()))
        async with connected(rig) as socket:
            params: dict[str, Any] = {"apiKey": key, "timestamp": stamp}
            said = await socket.ask("session.logon", **params, signature=signature.decode())
            assert said["result"]["apiKey"] == key


@pytest.mark.parametrize(
    ("wrong", "status", "code"),
    [
        ({"signature": "00"}, 400, -1022),
        ({"signature": ""}, 400, -1102),
        ({"apiKey": "nobody"}, 401, -2015),
        ({"apiKey": ""}, 401, -2014),
        ({"timestamp": 1}, 400, -1021),
    ],
)
async def test_who_does_not_sign_well_is_refused(
    tmp_path: Path, wrong: dict[str, Any], status: int, code: int
) -> None:
    async with running(tmp_path) as rig:
        bot = await bot_of(rig)
        async with connected(rig) as socket:
            params: dict[str, Any] = {
                "apiKey": bot.trader.key,
                "timestamp": rig.doors.clock.wall_ms(),
                "signature": "00",
            }
            said = await socket.ask("session.logon", **(params | wrong))
            assert (said["status"], said["error"]["code"]) == (status, code)


async def test_who_cannot_sign_is_weighed_all_the_same(tmp_path: Path) -> None:
    async with running(tmp_path) as rig:
        bot = await bot_of(rig)
        async with connected(rig, bot=bot) as socket:
            wrong = {"apiKey": bot.trader.key, "timestamp": 1, "signature": "00"}
            said = await socket.ask("account.status", **wrong)
            assert said["status"] == 400
            assert said["rateLimits"][-1]["count"] == 20


ORDER: dict[str, Any] = {
    "symbol": "BTCUSDT",
    "side": "BUY",
    "type": "LIMIT",
    "timeInForce": "GTC",
    "quantity": 0.01,  # Signed as the number's JSON text.
    "price": "49000.00",
}


async def test_an_order_placed_by_its_own_signature_is_counted_and_found_by_rest(
    tmp_path: Path,
) -> None:
    async with running(tmp_path) as rig:
        bot = await bot_of(rig)
        await rig.set_index("BTC-USDT", "50000")
        async with connected(rig, bot=bot) as socket:
            placed = await socket.signed("order.place", **ORDER)
            assert placed["status"] == 200, placed
            orders = [rule for rule in placed["rateLimits"] if rule["rateLimitType"] == "ORDERS"]
            assert [rule["count"] for rule in orders] == [1, 1]
            order_id = placed["result"]["orderId"]
            found = await bot.signed("GET", "/api/v3/order", symbol="BTCUSDT", orderId=order_id)
            assert found.json["status"] == "NEW"


async def test_a_session_that_logged_on_signs_no_more_but_keeps_its_time(tmp_path: Path) -> None:
    async with running(tmp_path) as rig:
        bot = await bot_of(rig)
        await rig.set_index("BTC-USDT", "50000")
        async with connected(rig, bot=bot) as socket:
            await socket.signed("session.logon")
            stamp = rig.doors.clock.wall_ms()
            placed = await socket.ask("order.place", **ORDER, timestamp=stamp)
            assert placed["status"] == 200, placed
            without = await socket.ask("order.place", **ORDER)
            assert without["error"]["code"] == -1102
            late = await socket.ask("order.place", **ORDER, timestamp=stamp - 60_000)
            assert late["error"]["code"] == -1021
            await socket.ask("session.logout")
            gone = await socket.ask("order.place", **ORDER, timestamp=stamp)
            assert (gone["status"], gone["error"]["code"]) == (401, -2014)


async def test_a_revoked_key_ends_what_it_logged_on_to(tmp_path: Path) -> None:
    async with running(tmp_path) as rig:
        bot = await bot_of(rig)
        async with connected(rig, bot=bot) as socket:
            await socket.signed("session.logon")
            rig.doors.keys.revoke(bot.trader.key)
            stamp = rig.doors.clock.wall_ms()
            refused = await socket.ask("account.status", timestamp=stamp)
            assert refused["error"]["code"] == -2015


async def test_a_key_that_may_only_read_places_nothing(tmp_path: Path) -> None:
    async with running(tmp_path) as rig:
        bot = await bot_of(rig)
        key = rig.doors.keys.create(bot.trader.account_id, permissions={"read"})
        bot.trader.key, bot.trader.secret = key.key, key.secret
        async with connected(rig, bot=bot) as socket:
            assert (await socket.signed("order.place", **ORDER))["error"]["code"] == -2015
            assert (await socket.signed("account.status"))["status"] == 200
