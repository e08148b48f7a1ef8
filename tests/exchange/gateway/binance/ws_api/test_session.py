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
