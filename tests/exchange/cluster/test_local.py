"""A whole cluster on this machine, as `papertape cluster` starts it."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from exchange.cluster import local
from exchange.cluster.connecting import AWAY, Connection
from exchange.cluster.local import ClusterRefused, LocalCluster, Plan
from tests.conftest import needed_redis

CONFIG = """
[market]
symbols = ["BTC-USDT"]
prices = "fixed"
agents = false
history = false
"""


@pytest.fixture(autouse=True)
def _redis() -> None:
    needed_redis()


@contextlib.asynccontextmanager
async def cluster(folder: Path, **more: Any) -> AsyncIterator[LocalCluster]:
    config = folder / "papertape.toml"
    config.write_text(CONFIG, encoding="utf-8")
    flags = ("--config", str(config))
    plan = Plan(data=folder / "c", port=0, core_flags=flags, gateway_flags=flags, **more)
    made = await LocalCluster.start(plan)
    try:
        yield made
    finally:
        await made.stop()


async def health(url: str) -> dict[str, Any]:
    async with aiohttp.ClientSession() as http, http.get(f"{url}/healthz") as answer:
        said: dict[str, Any] = await answer.json()
        return said


async def test_every_part_runs_and_what_ends_by_itself_is_there_again(tmp_path: Path) -> None:
    async with cluster(tmp_path, gateways=1, cores=2) as running:
        assert set(running.children) == {"redis", "core-1", "core-2", "gateway-1"}
        url = running.children["gateway-1"].said["url"]
        before = await health(url)
        assert (before["status"], before["role"], before["venue"]) == ("ok", "gateway", "main")
        process = running.children["gateway-1"].process
        running.kill("gateway-1")
        async with asyncio.timeout(60):
            while running.children["gateway-1"].process is process:  # noqa: ASYNC110 - No event.
                await asyncio.sleep(0.02)
            while True:  # At the same address.
                with contextlib.suppress(aiohttp.ClientError):
                    again = await health(url)
                    break
                await asyncio.sleep(0.02)
        assert again["gateway"] != before["gateway"]
        assert again["seq"] >= before["seq"]
    for child in running.children.values():
        assert child.process is not None
        assert child.process.returncode is not None


async def test_a_stopped_process_is_ended_all_the_same(tmp_path: Path) -> None:
    async with cluster(tmp_path) as running:
        running.kill("core-1", signal.SIGSTOP)
    child = running.children["core-1"].process
    assert child is not None
    assert child.returncode == 0


async def test_its_redis_forgets_nothing_and_goes_with_it(tmp_path: Path) -> None:
    async with cluster(tmp_path) as running:
        connection = Connection.parse(running.redis)
        assert await connection.durability() is None
    client = connection.client()
    with pytest.raises(AWAY):
        await client.ping()
    await client.aclose()


async def test_a_part_that_cannot_start_says_why(tmp_path: Path) -> None:
    config = tmp_path / "papertape.toml"
    config.write_text("[market]\nprices = 7\n", encoding="utf-8")
    plan = Plan(data=tmp_path / "c", port=0, core_flags=("--config", str(config)))
    with pytest.raises(ClusterRefused, match=r"core-1 does not start: .*prices.*core-1\.log"):
        await LocalCluster.start(plan)


async def test_without_a_redis_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local, "redis_binary", lambda: None)
    with pytest.raises(ClusterRefused, match="apt install redis-server"):
        await LocalCluster.start(Plan(data=tmp_path / "c"))


async def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ClusterRefused, match="cannot use"):
        await LocalCluster.start(Plan(data=tmp_path / "file" / "c"))
