"""Tests of the composed exchange, inside this process: clocks, restarts, faults, Redis."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest

from exchange import server
from exchange.build import running as build_running
from exchange.clock import wall_ms
from exchange.commands import Deposit, OpenAccount
from exchange.config import Audit, Config, ConfigError, Limits, Market, Server, Storage
from exchange.events import Answered
from exchange.gateway import auth
from exchange.gateway.doors import Opened
from exchange.ports import PortRefused
from exchange.sequencer import Sequencer, SequencerFailed
from exchange.server import Running, StartFailed, start
from exchange.storage.lock import DirectoryInUse
from exchange.storage.redis_log import STREAM, read_events
from exchange.storage.snapshots import snapshots_in
from exchange.verify import verify
from exchange.views.board import Board
from exchange.wire import INTERVALS_MS
from matching.types import Side
from risk.ledger import FEES, FIRST_ACCOUNT
from tests.exchange.tapes import order

START_MS = 1_700_000_000_000


def config(
    data: Path, *, speed: float | str = 0, redis: str = "", prices: str = "fixed", **market: Any
) -> Config:
    """A small exchange on free ports, whose time stands unless a speed is given."""
    market = {"agents": False, "symbols": ("BTC-USDT", "BTC-USDT-PERP"), **market}
    return Config(
        speed=speed,  # type: ignore[arg-type]
        server=Server(port=0, fast_port=0, redis=redis, admin_key="k"),
        market=Market(prices=prices, start_ms=START_MS, **market),  # type: ignore[arg-type]
        storage=Storage(data=str(data)),
        limits=Limits(orders_per_10_seconds=0),
    )


@asynccontextmanager
async def running(given: Config) -> AsyncIterator[Running]:
    made = await start(given)
    try:
        yield made
    finally:
        await made.stop()


async def get(url: str) -> tuple[int, Any]:
    async with aiohttp.ClientSession() as http, http.get(url) as response:
        return response.status, await response.json()


async def done(made: Running, *commands: Any) -> list[Answered]:
    answers = []
    for command in commands:
        answer = (await made.doors.sequencer.submit(command))[-1]
        assert isinstance(answer, Answered)
        assert answer.reason is None, answer
        answers.append(answer)
    return answers


async def trade(made: Running) -> None:
    """Two accounts trade a little on spot, in two different minutes."""
    await done(made, OpenAccount(), OpenAccount())
    await done(made, Deposit(account_id=101, wallet="spot", asset="BTC", amount_minor=10**8))
    for _ in range(2):
        await done(
            made,
            order("50000", 100),
            order("50000", 60, account_id=101, side=Side.SELL),
        )
        await made.doors.sequencer.step(61_000)


async def test_it_opens_and_says_how_it_is(tmp_path: Path) -> None:
    async with running(config(tmp_path)) as made:
        status, health = await get(f"{made.url}/healthz")
        assert status == 200
        assert health["status"] == "ok"
        assert health["build"] == build_running()
        assert (health["exchange_time"], health["seq"]) == (START_MS, 2)
        assert health["problems"] == []
        assert made.opened.data == tmp_path
        assert made.url != made.fast_url
    assert not made.failed


async def test_a_restart_finds_everything_as_it_was(tmp_path: Path) -> None:
    async with running(config(tmp_path)) as made:
        await trade(made)
        before = looked_at(made.doors.board)
        digest = made.doors.engine.digest()
        fills = await made.doors.history.fills(100)
        # 60 of the first order; then what was left of it, 40, and 20 of the second.
        assert [fill.lots for fill in fills] == [60, 40, 20]
    for _ in range(2):
        async with running(config(tmp_path)) as made:
            assert made.doors.engine.digest() == digest
            assert looked_at(made.doors.board) == before
            assert await made.doors.history.fills(100) == fills
            assert made.doors.clock.now_ms() == START_MS + 122_000
    assert verify(tmp_path).problems == []


def looked_at(board: Board) -> dict[str, Any]:
    return {
        symbol: (
            board.depth.snapshot(symbol, 10),
            board.trades.recent(symbol, 100),
            [board.candles.get(symbol, interval, limit=1_000) for interval in INTERVALS_MS],
        )
        for symbol in board.instruments
    }


async def test_the_ring_of_private_events_survives_a_restart(tmp_path: Path) -> None:
    async with running(config(tmp_path)) as made:
        await trade(made)
        last_n = made.doors.engine.risk.accounts[100].event_n
    async with running(config(tmp_path)) as made, aiohttp.ClientSession() as http:
        key = await asyncio.to_thread(made.doors.keys.create, 100)
        async with http.ws_connect(f"{made.url}/v1/ws") as socket:
            await socket.receive_json()
            await socket.send_json({"id": 1, "op": "login", **signed(key)})
            assert (await socket.receive_json())["ok"]
            await socket.send_json({"id": 2, "op": "resume", "last_seq": 0})
            pushed = [await socket.receive_json() for _ in range(last_n)]
            assert [push["seq"] for push in pushed] == list(range(1, last_n + 1))


def signed(key: Any) -> dict[str, Any]:
    now_ms = wall_ms()
    message = auth.payload(now_ms, "GET", "/v1/ws")
    return {
        "key": key.key,
        "timestamp": now_ms,
        "signature": auth.hmac_signature(key.secret, message),
    }


async def test_a_directory_in_use_is_refused(tmp_path: Path) -> None:
    async with running(config(tmp_path)):
        with pytest.raises(DirectoryInUse):
            await start(config(tmp_path))


async def test_a_start_that_fails_lets_go_of_the_directory(tmp_path: Path) -> None:
    async with running(config(tmp_path / "other")) as other:
        taken = int(other.url.rpartition(":")[2])
        given = config(tmp_path / "data")
        refused = Config(
            speed=0,
            server=Server(port=taken, fast_port=0),
            market=given.market,
            storage=given.storage,
        )
        with pytest.raises(PortRefused, match=f"127.0.0.1:{taken}"):
            await start(refused)
    async with running(config(tmp_path / "data")) as made:
        assert made.doors.engine.seq >= 1


async def test_a_directory_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StartFailed, match="file/data"):
        await start(config(tmp_path / "file" / "data"))


@pytest.mark.parametrize("name", ["keys.db", "history.db"])
async def test_a_database_that_is_none_is_named(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"this is no database, and longer than its header " * 4)
    with pytest.raises(StartFailed, match=name):
        await start(config(tmp_path))
    (tmp_path / name).unlink()
    async with running(config(tmp_path)):
        pass


async def test_a_sync_that_fails_ends_the_exchange_and_is_no_loss(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = await start(config(tmp_path))
    await done(made, OpenAccount())
    digest = made.doors.engine.digest()

    def fail(fd: int) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr("exchange.storage.segments.sync_file", fail)
    with pytest.raises(SequencerFailed, match="Input/output error"):
        await made.doors.sequencer.submit(OpenAccount())
    await made.wait()
    assert made.failed
    status, health = await get(f"{made.url}/healthz")
    assert (status, health["status"]) == (503, "failed")
    await made.stop()
    monkeypatch.undo()
    # No snapshot is taken of what nobody knows to be kept; the command may be there or not.
    assert snapshots_in(tmp_path / "snapshots") == {}
    async with running(config(tmp_path)) as again:
        customers = [
            number for number in again.doors.engine.risk.accounts if number >= FIRST_ACCOUNT
        ]
        assert again.doors.engine.digest() == digest or len(customers) == 2


def test_a_fault_is_exit_code_1_and_a_stop_is_0(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def stop_at_once(opened: Opened) -> None:
        assert isinstance(opened.doors.sequencer, Sequencer)
        opened.doors.sequencer.stop()

    async def break_it(opened: Opened) -> None:
        def fail(fd: int) -> None:
            raise OSError(5, "Input/output error")

        monkeypatch.setattr("exchange.storage.segments.sync_file", fail)
        with contextlib.suppress(SequencerFailed):
            await opened.doors.sequencer.submit(OpenAccount())

    handlers = logging.getLogger().handlers[:]
    try:
        assert server.run(config(tmp_path), stop_at_once) == 0
        assert server.run(config(tmp_path), break_it) == 1
    finally:
        logging.getLogger().handlers[:] = handlers
    assert "Input/output error" in capsys.readouterr().err


async def test_fast_time_runs_and_the_house_trades(tmp_path: Path) -> None:
    given = config(tmp_path, speed="max", prices="walk", agents=True)
    async with running(given) as made:
        engine = made.doors.engine
        async with asyncio.timeout(60):
            while engine.time_ms < START_MS + 60_000:  # noqa: ASYNC110 - Time tells nobody.
                await asyncio.sleep(0.01)
        assert all(book.best_bid_ticks and book.best_ask_ticks for book in engine.books.values())
        assert set(engine.last_trade) == set(engine.books)
    report = verify(tmp_path)
    assert report.problems == []


async def test_a_tape_is_played_from_its_beginning(tmp_path: Path) -> None:
    tape = tmp_path / "eth-minutes.csv"
    rows = [f"{START_MS + n * 60_000},2000.0,2010.0,1990.0,{2001 + n}.0,1000" for n in range(5)]
    tape.write_text("timestamp,open,high,low,close,volume\n" + "\n".join(rows) + "\n")
    given = Config(
        speed=0,
        server=Server(port=0, fast_port=0),
        storage=Storage(data=str(tmp_path / "data")),
        market=Market(prices="tape", tape=str(tape), symbols=("ETH-USDT",), agents=False),
    )
    async with running(given) as made:
        assert made.doors.engine.venue.start_ms == START_MS
        # The second candle rose: it opens at 2000, its low comes at 15 s, its high at 30 s, and
        # the index follows at the next full second.
        await made.doors.sequencer.step(60_000 + 31_000)
        assert made.doors.engine.risk.price_e8("ETH") == 2_010 * 10**8


async def test_a_tape_that_is_not_there_is_a_mistake_of_the_configuration(tmp_path: Path) -> None:
    given = config(tmp_path, prices="tape", tape=str(tmp_path / "none.csv"))
    with pytest.raises(ConfigError, match=r"none\.csv"):
        await start(given)


async def test_what_the_venue_cannot_change_any_more_is_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with running(config(tmp_path)):
        pass
    with caplog.at_level(logging.WARNING):
        async with running(config(tmp_path, prices="walk", symbols=("BTC-USDT",))) as made:
            assert "BTC-USDT-PERP" in made.doors.engine.instruments
    assert "prices, instruments, perps" in caplog.text


async def test_public_events_go_to_redis_and_each_seq_once(tmp_path: Path, redis_url: str) -> None:
    async with running(config(tmp_path, redis=redis_url)) as made:
        await trade(made)
        last_seq = made.doors.engine.seq
    batches = []
    async for item in read_events(redis_url, "0", stream=STREAM):
        batches.append(item)
        if item.last_seq >= last_seq - 1:
            break
    covered = 0
    for batch in batches:
        assert batch.first_seq == covered + 1
        covered = batch.last_seq
    assert any(b'"ch":"trades.BTC-USDT"' in getattr(batch, "data", b"") for batch in batches)


async def test_a_redis_address_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="redis"):
        await start(config(tmp_path, redis="nonsense://"))


async def test_a_paranoid_exchange_ends_over_a_broken_invariant_and_names_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    chosen = msgspec.structs.replace(config(tmp_path), audit=Audit(paranoid=True))
    async with running(chosen) as made:
        await trade(made)  # All is well.
        made.doors.engine.risk.ledger.house(FEES, "USDT").minor += 1
        with pytest.raises(SequencerFailed, match=r"I1 .* USDT: the pockets add up to 1 units"):
            await made.doors.sequencer.submit(OpenAccount())
        await made.wait()
    assert made.failed
    assert "the sequencer ended over a fault" in caplog.text


async def test_without_paranoia_it_trades_on_and_is_degraded(tmp_path: Path) -> None:
    async with running(config(tmp_path)) as made:
        made.doors.engine.risk.ledger.house(FEES, "USDT").minor += 1
        await done(made, OpenAccount())
        _, audited = await get(f"{made.url}/v1/audit")
        assert audited["ok"] is False
        (violation,) = audited["violations"]
        assert violation["invariant"] == "I1"
        status, health = await get(f"{made.url}/healthz")
        assert (status, health["status"]) == (200, "degraded")
        await done(made, OpenAccount())
