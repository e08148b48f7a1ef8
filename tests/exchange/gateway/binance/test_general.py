"""What every API of Binance answers alike."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.exchange.gateway.rig import running


@pytest.mark.parametrize("api", ["api/v3", "fapi/v1", "dapi/v1"])
async def test_a_ping_is_answered_with_nothing(tmp_path: Path, api: str) -> None:
    async with running(tmp_path) as rig:
        answer = await rig.ask("GET", f"/{api}/ping")
        assert (answer.status, answer.json) == (200, {})


async def test_the_time_is_the_walls(tmp_path: Path) -> None:
    async with running(tmp_path) as rig:
        before_ms = rig.doors.clock.wall_ms()
        answer = await rig.ask("GET", "/api/v3/time")
        assert before_ms <= answer.json["serverTime"] <= rig.doors.clock.wall_ms()
