"""The Binance door answers a ping, the time, and whatever is not there, as its clients expect."""

from __future__ import annotations

from pathlib import Path

import pytest

from exchange.config import Binance, Config, Server
from tests.exchange.gateway.rig import ADMIN_KEY, running


@pytest.mark.parametrize("api", ["api/v3", "fapi/v1", "dapi/v1"])
async def test_a_ping_is_answered_with_nothing(tmp_path: Path, api: str) -> None:
    async with running(tmp_path) as rig:
        answer = await rig.ask("GET", f"/{api}/ping")
        assert (answer.status, answer.json) == (200, {})
        assert answer.headers["X-MBX-USED-WEIGHT-1M"] == "1"


async def test_the_time_is_the_walls(tmp_path: Path) -> None:
    async with running(tmp_path) as rig:
        before_ms = rig.doors.clock.wall_ms()
        answer = await rig.ask("GET", "/api/v3/time")
        assert before_ms <= answer.json["serverTime"] <= rig.doors.clock.wall_ms()


async def test_an_unknown_path_is_json_and_404(tmp_path: Path) -> None:
    async with running(tmp_path) as rig:
        answer = await rig.ask("GET", "/sapi/v1/nothing/here")
        assert answer.status == 404
        assert answer.json == {"code": -5000, "msg": "Path GET /sapi/v1/nothing/here is invalid."}


async def test_weights_over_the_limit_are_429_with_a_time_to_wait(tmp_path: Path) -> None:
    binance = Binance(spot_weight_per_minute=2)
    config = Config(server=Server(admin_key=ADMIN_KEY), binance=binance)
    async with running(tmp_path, config=config) as rig:
        codes = [(await rig.ask("GET", "/api/v3/ping")).status for _ in range(3)]
        assert codes == [200, 200, 429]
        answer = await rig.ask("GET", "/api/v3/ping")
        assert answer.json["code"] == -1003
        assert 1 <= int(answer.headers["Retry-After"]) <= 60


async def test_the_door_can_be_left_shut(tmp_path: Path) -> None:
    config = Config(server=Server(admin_key=ADMIN_KEY), binance=Binance(enabled=False))
    async with running(tmp_path, config=config) as rig:
        answer = await rig.ask("GET", "/api/v3/ping")
        assert (answer.status, answer.code) == (404, "NOT_FOUND")
