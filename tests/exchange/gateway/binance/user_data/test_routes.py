"""listenKeys and listenTokens are given, extended and closed as Binance's clients ask for them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.exchange.gateway.binance.binance_rig import bot_of
from tests.exchange.gateway.binance.ws_api.socket_rig import connected
from tests.exchange.gateway.rig import running

KEY_PATHS = (
    "/api/v3/userDataStream",
    "/sapi/v1/userDataStream",
    "/fapi/v1/listenKey",
    "/dapi/v1/listenKey",
)


@pytest.mark.parametrize("path", KEY_PATHS)
async def test_a_listen_key_is_the_same_until_it_is_deleted(tmp_path: Path, path: str) -> None:
    async with running(tmp_path) as rig:
        bot = await bot_of(rig)
        key = (await bot.keyed("POST", path)).json["listenKey"]
        assert key.isalnum()
        assert key.isascii()
        assert (await bot.keyed("POST", path)).json["listenKey"] == key
        extended = await bot.keyed("PUT", path, listenKey=key)
        assert extended.json == ({"listenKey": key} if "listenKey" in path else {})
        assert (await bot.keyed("DELETE", path, listenKey=key)).json == {}
        gone = await bot.keyed("PUT", path, listenKey=key)
        assert (gone.status, gone.json["code"]) == (400, -1125)
        assert (await bot.keyed("POST", path)).json["listenKey"] != key


async def test_an_isolated_pair_has_a_key_of_its_own(tmp_path: Path) -> None:
    path = "/sapi/v1/userDataStream/isolated"
    async with running(tmp_path) as rig:
        bot = await bot_of(rig)
        key = (await bot.keyed("POST", path, symbol="BTCUSDT")).json["listenKey"]
        other = (await bot.keyed("POST", path, symbol="ETHUSDT")).json["listenKey"]
        assert key != other
        wrong = await bot.keyed("PUT", path, symbol="ETHUSDT", listenKey=key)
        assert wrong.json["code"] == -1125
        assert (await bot.keyed("POST", path)).json["code"] == -1102


async def test_a_stranger_cannot_extend_a_key(tmp_path: Path) -> None:
    path = "/api/v3/userDataStream"
    async with running(tmp_path) as rig:
        bot, other = await bot_of(rig), await bot_of(rig)
        key = (await bot.keyed("POST", path)).json["listenKey"]
        assert (await other.keyed("PUT", path, listenKey=key)).json["code"] == -1125


async def test_an_isolated_token_names_its_pair(tmp_path: Path) -> None:
    async with running(tmp_path) as rig:
        bot = await bot_of(rig)
        path = "/sapi/v1/userListenToken"
        assert (await bot.keyed("POST", path, isIsolated="TRUE")).json["code"] == -1102
        made = await bot.keyed("POST", path, isIsolated="true", symbol="BTCUSDT")
        assert made.json.keys() == {"token", "expirationTime"}
        assert (await bot.keyed("POST", path, validity=0)).json["code"] == -1130


@pytest.mark.usefixtures("both_ports")
async def test_futures_open_their_keys_over_the_api(tmp_path: Path) -> None:
    async with running(tmp_path) as rig:
        bot = await bot_of(rig)
        async with connected(rig, "/ws-fapi/v1") as socket:
            key = bot.trader.key
            made = await socket.ask("userDataStream.start", apiKey=key)
            assert made["result"] == (await bot.keyed("POST", "/fapi/v1/listenKey")).json
            assert (await socket.ask("userDataStream.ping", apiKey=key))["result"] == made["result"]
            assert (await socket.ask("userDataStream.stop", apiKey=key))["result"] == {}
            gone = await socket.ask("userDataStream.ping", apiKey=key)
            assert gone["error"]["code"] == -1125
