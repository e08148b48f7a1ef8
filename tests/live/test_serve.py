"""The running exchange in a process of its own: killed, stopped, started twice, stepped."""

import asyncio
import contextlib
import itertools
import json
import signal
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from exchange.recovery import JOURNAL, SNAPSHOTS
from exchange.storage.lock import DirectoryLock
from exchange.storage.segments import segments_in
from exchange.storage.snapshots import snapshots_in
from exchange.verify import replay, verify
from tests.live.exchanges import (
    CONFIG,
    Client,
    Refused,
    administer,
    beginning,
    in_data,
    run,
    serving,
)

ACKNOWLEDGED_BEFORE_THE_KILL = 300
TRADERS = 8
PERP = "BTC-USDT-PERP"


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


def wish(client_id: str) -> dict[str, str]:
    """An order that its client id determines: every third sells into those that buy."""
    number = int(client_id.partition("-")[2])
    if number % 3 == 0:
        return {"side": "sell", "price": "49905", "client_id": client_id, "symbol": PERP}
    return {"side": "buy", "price": f"4990{number % 10}", "client_id": client_id, "symbol": PERP}


async def flow(client: Client, acknowledged: dict[str, int], trader: int) -> None:
    """Orders one after the other until the exchange is gone; some rest, trade, are cancelled."""
    with contextlib.suppress(aiohttp.ClientError, ConnectionError):
        for number in itertools.count(1):
            client_id = f"{trader}-{number}"
            order = await client.order(**wish(client_id))
            acknowledged[client_id] = int(order["order_id"])
            if number % 4 == 0:
                with contextlib.suppress(Refused):  # It may have traded meanwhile.
                    await client.ask("DELETE", f"/v1/orders/{order['order_id']}")


async def test_what_was_acknowledged_before_a_kill_is_there_after_it(
    tmp_path: Path, http: aiohttp.ClientSession
) -> None:
    acknowledged: dict[str, int] = {}
    with serving(tmp_path) as exchange:
        clients = [await Client.open(http, exchange.url) for _ in range(TRADERS)]
        tasks = [
            asyncio.create_task(flow(client, acknowledged, trader))
            for trader, client in enumerate(clients)
        ]
        async with asyncio.timeout(60):
            while len(acknowledged) < ACKNOWLEDGED_BEFORE_THE_KILL:
                assert not any(task.done() for task in tasks)
                await asyncio.sleep(0.01)
        # Beside the running exchange: it is sound while orders flow.
        beside = await asyncio.to_thread(verify, tmp_path / "data")
        assert beside.problems == []
        await asyncio.to_thread(exchange.kill)
        await asyncio.gather(*tasks)
    killed = replay(tmp_path / "data")

    with serving(tmp_path) as exchange:
        for client_id, order_id in acknowledged.items():
            client = clients[int(client_id.partition("-")[0])].at(exchange.url)
            said = await client.ask("GET", f"/v1/orders/{order_id}")
            assert said["client_id"] == client_id
        # The same id again is the same order, and places nothing.
        again = clients[0].at(exchange.url)
        newest = max((i for i in acknowledged if i.startswith("0-")), key=lambda i: acknowledged[i])
        assert int((await again.order(**wish(newest)))["order_id"]) == acknowledged[newest]
        assert await asyncio.to_thread(exchange.stop) == 0
    report = verify(tmp_path / "data")
    assert report.problems == []
    assert report.to_seq > killed.engine.seq
    # What was there at the kill is what the second run built upon.
    assert replay(tmp_path / "data", to_seq=killed.engine.seq).engine.digest() == (
        killed.engine.digest()
    )
    (snapshot,) = snapshots_in(tmp_path / "data" / SNAPSHOTS)
    assert snapshot == report.to_seq


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_stop_keeps_a_snapshot_and_lets_go_of_everything(
    tmp_path: Path, http: aiohttp.ClientSession, number: signal.Signals
) -> None:
    with serving(tmp_path) as exchange:
        client = await Client.open(http, exchange.url)
        # Readers on both ports do not keep it from ending.
        main = await http.ws_connect(f"{exchange.url}/v1/ws")
        fast = await http.ws_connect(f"{exchange.fast_url}/v1/ws")
        for socket_ in (main, fast):
            await socket_.send_json({"id": 1, "op": "subscribe", "channels": ["book.BTC-USDT"]})
            assert json.loads((await socket_.receive()).data)
        placed = await client.order("49000")
        assert await asyncio.to_thread(exchange.stop, number) == 0
        assert 'msg="stopped at seq' in exchange.log
        await main.close()
        await fast.close()
    DirectoryLock.take(tmp_path / "data").release()
    report = verify(tmp_path / "data")
    assert report.problems == []
    assert [verdict.seq for verdict in report.snapshots] == [report.to_seq]
    engine = replay(tmp_path / "data").engine
    assert int(placed["order_id"]) in engine.risk.accounts[client.account_id].orders


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stop_before_it_is_open_is_a_stop_too(tmp_path: Path, number: signal.Signals) -> None:
    with beginning(tmp_path) as exchange:
        exchange.wait_until_said("made a new venue")
        assert exchange.stop(number) == 0
        assert "stopped" in exchange.log
    DirectoryLock.take(tmp_path / "data").release()
    assert verify(tmp_path / "data").problems == []


async def test_a_torn_tail_is_cut_and_told(tmp_path: Path, http: aiohttp.ClientSession) -> None:
    with serving(tmp_path) as exchange:
        client = await Client.open(http, exchange.url)
        first = await client.order("49000")
        await asyncio.to_thread(exchange.kill)
    segment = segments_in(tmp_path / "data" / JOURNAL)[-1]
    segment.write_bytes(segment.read_bytes() + b"\xc1PT half a frame")
    with serving(tmp_path) as exchange:
        assert "cut a torn last frame of 16 bytes" in exchange.log
        said = await client.at(exchange.url).ask("GET", f"/v1/orders/{first['order_id']}")
        assert said["status"] == "new"
        assert await asyncio.to_thread(exchange.stop) == 0
    assert verify(tmp_path / "data").problems == []


def test_a_second_exchange_on_the_same_directory_is_refused(tmp_path: Path) -> None:
    with serving(tmp_path) as exchange:
        second = run("serve", "--port", "0", "--fast-port", "0", "--data", tmp_path / "data")
        assert second.returncode == 1
        assert f"in use by process {exchange.process.pid}" in second.stderr
        assert one_line(second.stderr)


def test_a_port_that_is_taken_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        common = ("serve", "--ephemeral", "--agents", "off", "--prices", "fixed")
        for flags in (("--port", port, "--fast-port", "0"), ("--port", "0", "--fast-port", port)):
            refused = run(*common, *flags)
            assert refused.returncode == 1
            assert f"cannot listen on 127.0.0.1:{port}" in refused.stderr
            assert "Traceback" not in refused.stderr


def test_a_damaged_journal_is_named_and_nothing_is_opened(tmp_path: Path) -> None:
    with serving(tmp_path) as exchange:
        exchange.stop()
    segment = segments_in(tmp_path / "data" / JOURNAL)[-1]
    raw = bytearray(segment.read_bytes())
    raw[100] ^= 1
    segment.write_bytes(raw)
    refused = run("serve", "--port", "0", "--fast-port", "0", "--data", tmp_path / "data")
    assert refused.returncode == 1
    assert str(segment) in refused.stderr
    assert one_line(refused.stderr)


def test_a_configuration_that_cannot_be_is_a_mistake_of_use(tmp_path: Path) -> None:
    config = tmp_path / "papertape.toml"
    config.write_text("[server]\nprot = 1\n", "utf-8")
    refused = run("serve", "--config", config)
    assert refused.returncode == 2
    assert "no setting named `prot`" in refused.stderr
    missing = run("serve", "--ephemeral", "--prices", "tape", "--tape", tmp_path / "no.csv")
    assert missing.returncode == 2
    assert "no.csv" in missing.stderr


def one_line(text: str) -> bool:
    """Is it one line, besides what the log says?"""
    return len([line for line in text.splitlines() if not line.startswith("time=")]) == 1


STEPPED = CONFIG.replace('prices = "fixed"', 'prices = "walk"\nstart_ms = 1700000000000').replace(
    "agents = false", "agents = true"
)


async def test_the_same_seed_and_script_in_lock_step_write_the_same_journal(
    tmp_path: Path, http: aiohttp.ClientSession
) -> None:
    async def play(data: str) -> dict[str, bytes]:
        with serving(
            tmp_path, "--speed", "0", "--seed", "7", config=STEPPED, data=data
        ) as exchange:
            await step(exchange.url, 3_000)
            client = await Client.open(http, exchange.url)
            for number in range(6):
                await client.order("40000", client_id=f"rest-{number}")
                await client.ask(
                    "POST",
                    "/v1/orders",
                    {"symbol": "BTC-USDT-PERP", "side": "buy", "type": "market", "qty": "0.01"},
                )
                await step(exchange.url, 1_700)
            assert await asyncio.to_thread(exchange.stop) == 0
        return in_data(tmp_path / data)

    async def step(url: str, ms: int) -> Any:
        return await administer(http, url, "POST", "/v1/admin/clock", {"step_ms": ms})

    first, second = await play("first"), await play("second")
    assert first == second
    report = verify(tmp_path / "first")
    # 3,000 + 6 x 1,700 ms behind the first moment, and the agents were there.
    assert report.time_ms == 1_700_000_000_000 + 13_200
    assert report.commands > 500


def test_an_ephemeral_exchange_leaves_nothing_behind(tmp_path: Path) -> None:
    with serving(tmp_path, "--ephemeral", data=None) as exchange:
        data = Path(exchange.opened["data"])
        assert list(data.iterdir())
        assert exchange.stop() == 0
    assert not data.exists()
