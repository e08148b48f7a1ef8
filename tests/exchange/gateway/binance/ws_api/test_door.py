"""The WebSocket API answers every frame, over real sockets, as the REST endpoints would."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from exchange.config import Binance, Config, Server
from tests.exchange.gateway.binance.ws_api.socket_rig import connected
from tests.exchange.gateway.rig import ADMIN_KEY, running

pytestmark = pytest.mark.usefixtures("both_ports")


@pytest.mark.parametrize("path", ["/ws-api/v3", "/ws-fapi/v1", "/ws-dapi/v1"])
async def test_a_ping_is_answered_with_nothing_and_the_limits(tmp_path: Path, path: str) -> None:
    async with running(tmp_path) as rig, connected(rig, path) as socket:
        said = await socket.ask("ping")
        assert (said["id"], said["status"], said["result"]) == (1, 200, {})
        (weight,) = said["rateLimits"]
        assert weight["rateLimitType"] == "REQUEST_WEIGHT"
        assert (weight["interval"], weight["intervalNum"]) == ("MINUTE", 1)
        assert weight["count"] == 1


@pytest.mark.parametrize("id_", ['"1f"', "7", "null", '"7"'])
async def test_an_id_comes_back_as_it_was_sent(tmp_path: Path, id_: str) -> None:
    async with running(tmp_path) as rig, connected(rig) as socket:
        said = await socket.send(f'{{"id":{id_},"method":"time"}}')
        assert json.dumps(said["id"]) == id_
        assert said["result"].keys() == {"serverTime"}


@pytest.mark.parametrize("query", ["?returnRateLimits=false", ""])
async def test_limits_are_left_out_where_they_are_not_wanted(tmp_path: Path, query: str) -> None:
    async with running(tmp_path) as rig, connected(rig, f"/ws-api/v3{query}") as socket:
        choice = {} if query else {"returnRateLimits": False}
        assert "rateLimits" not in await socket.ask("ping", **choice)
        assert "rateLimits" in await socket.ask("ping", returnRateLimits=True)


@pytest.mark.parametrize(
    "frame",
    ["", "{", "[]", '{"id":1}', '{"id":[1],"method":"ping"}', '{"method":"ping","params":[1]}'],
)
async def test_a_malformed_frame_is_answered_and_the_connection_lives(
    tmp_path: Path, frame: str
) -> None:
    async with running(tmp_path) as rig, connected(rig) as socket:
        said = await socket.send(frame)
        assert said["status"] == 400
        assert said["error"] == {"code": -1135, "msg": "Invalid JSON Request"}
        assert (await socket.ask("ping"))["status"] == 200


async def test_an_unknown_method_is_refused(tmp_path: Path) -> None:
    async with running(tmp_path) as rig, connected(rig) as socket:
        said = await socket.ask("order.dance")
        assert (said["status"], said["error"]["code"]) == (400, -1020)


async def test_frames_sent_at_once_are_all_answered(tmp_path: Path) -> None:
    async with running(tmp_path) as rig, connected(rig) as socket:
        for number in range(20):
            await socket.socket.send_str(f'{{"id":{number},"method":"ping"}}')
        answered = [(await socket.receive())["id"] for _ in range(20)]
        assert sorted(answered) == list(range(20))


async def test_too_much_weight_says_when_to_come_back(tmp_path: Path) -> None:
    config = Config(server=Server(admin_key=ADMIN_KEY), binance=Binance(spot_weight_per_minute=1))
    async with running(tmp_path, config=config) as rig, connected(rig) as socket:
        await socket.ask("ping")
        said = await socket.ask("ping")
        assert (said["status"], said["error"]["code"]) == (429, -1003)
        data = said["error"]["data"]
        assert data["serverTime"] < data["retryAfter"] <= data["serverTime"] + 60_000


async def test_a_connection_that_has_lived_its_time_is_told_and_closed(tmp_path: Path) -> None:
    # Half of it passes before the notice, and half of it after, also on a busy machine.
    binance = Binance(disconnect_hours=0.5 / 3_600)
    config = Config(server=Server(admin_key=ADMIN_KEY), binance=binance)
    async with running(tmp_path, config=config) as rig, connected(rig) as socket:
        assert (await socket.receive())["event"]["e"] == "serverShutdown"
        await socket.socket.receive(timeout=5)
        assert socket.socket.close_code == 1001
