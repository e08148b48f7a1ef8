"""Tests of January's own exchange: a real process, that starts, is killed, and always ends."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import sys
from pathlib import Path

import pytest

from clients.api import Papertape
from clients.errors import PapertapeError
from clients.january.server import Market, Server, ServerFailed, last_words
from tests.clients.january.recorded import flat, ms_of, write_tape

START = "2024-05-01 00:00:00"


@pytest.fixture
def market(tmp_path: Path) -> Market:
    tape = write_tape(tmp_path / "eth.csv", START, 30, flat)
    return Market(tape, ms_of(START), seed=7)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "january"
    folder.mkdir()
    return folder


def is_there(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def arguments_of(pid: int) -> bytes:
    path = Path(f"/proc/{pid}/cmdline")
    if not path.exists():
        pytest.skip("this system does not show the arguments of processes")
    return path.read_bytes()


def pid_of(server: Server) -> int:
    """The process's number, as the lock of the data directory tells it."""
    return int((server.data / "lock").read_text("utf-8").split()[0])


async def test_it_starts_where_it_is_told_is_killed_and_comes_back_to_the_same_port(
    folder: Path, market: Market
) -> None:
    async with Server(folder, market) as server:
        await server.start()
        url, pid = server.url, pid_of(server)
        async with Papertape(url, admin_key=server.admin_key) as admin:
            assert (await admin.time()).exchange_time == ms_of(START)
            stepped = await admin.set_clock(step_ms=60_000)
            # Whatever the file is called, its prices are bitcoin's.
            index = (await admin.mark("BTC-USDT")).index
            assert index is not None
            assert 49_950 < float(index) < 50_050
            await server.kill()
            assert not is_there(pid)
            with pytest.raises(PapertapeError, match="nobody answers"):
                await admin.time()
            await server.start()
            assert server.url == url
            assert (await admin.time()).exchange_time == stepped.exchange_time
        pid = pid_of(server)
        assert is_there(pid)
        assert await server.failure() is None
    assert not is_there(pid)
    verified = await server.verify()
    assert verified["ok"]
    assert verified["time"] == ms_of(START) + 60_000
    assert [snapshot["ok"] for snapshot in verified["snapshots"]] == [True]


async def test_no_process_outlives_an_exception_or_a_cancellation(
    folder: Path, market: Market
) -> None:
    pids: list[int] = []

    async def live() -> None:
        async with Server(folder, market) as server:
            await server.start()
            pids.append(pid_of(server))
            await asyncio.get_running_loop().create_future()

    living = asyncio.create_task(live())
    while not pids:
        await asyncio.wait([living], timeout=0.05)
        assert not living.done(), living.exception()
    living.cancel()
    with pytest.raises(asyncio.CancelledError):
        await living
    assert not is_there(pids[0])


async def test_a_port_that_is_taken_is_told_in_one_line(folder: Path, market: Market) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        given = Market(market.tape, market.start_ms, port=port)
        async with Server(folder, given) as server:
            with pytest.raises(ServerFailed) as failed:
                await server.start()
    assert f"cannot listen on 127.0.0.1:{port}" in str(failed.value)
    assert "\n" not in str(failed.value)


async def test_an_exchange_that_dies_says_so(folder: Path, market: Market) -> None:
    async with Server(folder, market) as server:
        await server.start()
        os.kill(pid_of(server), 9)
        failure = await server.failure()
        assert failure is not None
        assert str(failure).startswith("the exchange ended with code -9; its log ends: ")


async def test_verifying_nothing_finds_what_is_wrong(folder: Path, market: Market) -> None:
    found = await Server(folder, market).verify()
    assert not found["ok"]
    assert "journal" in found["problems"][0]


async def test_a_verification_that_says_nothing_is_a_failure(
    folder: Path, market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", shutil.which("false"))
    with pytest.raises(ServerFailed, match="could not be verified"):
        await Server(folder, market).verify()


async def test_the_admin_key_does_not_stand_among_the_arguments(
    folder: Path, market: Market
) -> None:
    async with Server(folder, market) as server:
        await server.start()
        arguments = arguments_of(pid_of(server))
        assert b"serve" in arguments
        assert server.admin_key.encode() not in arguments


def test_the_last_complaint_outweighs_what_is_logged_behind_it(tmp_path: Path) -> None:
    log = tmp_path / "server.log"
    log.write_text("time=1 msg=a\npapertape: the port is taken\ntime=2 msg=b\n\n", "utf-8")
    assert last_words(log, 1) == "the port is taken"
    log.write_text("time=1 msg=a\ntime=2 msg=b\n", "utf-8")
    assert last_words(log, -9) == "the exchange ended with code -9; its log ends: time=2 msg=b"
    log.write_text("", "utf-8")
    assert last_words(log, 1) == "the exchange ended with code 1"
