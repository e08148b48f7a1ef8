"""The history's writer: behind the engine, whole after a crash, and never in the way."""

from __future__ import annotations

import asyncio
import errno
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from exchange.storage import history as history_module
from exchange.storage.history import History, HistoryBroken, by_table
from exchange.storage.queries import Part
from exchange.storage.rows import TradeRow
from exchange.storage.spool import Spool
from tests.exchange.storage.histories import FILLED, fill, named, order, posting, trade

Open = Callable[..., History]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "history.db"


@pytest.fixture
def open_history(path: Path) -> Iterator[Open]:
    opened: list[History] = []

    def open_(**options: int) -> History:
        opened.append(History.open(path, **options))
        return opened[-1]

    yield open_
    for history in opened:
        if history._thread.is_alive():
            history.close()


async def trade_ids(history: History) -> list[int]:
    return [row.trade_id for row in await history.trades("BTC-USDT", part=Part(limit=5_000))]


async def test_a_question_sees_all_that_was_submitted_before_it(open_history: Open) -> None:
    history = open_history()
    history.submit(3, named("trades", trade(1), trade(2)))
    assert history.backlog == 2
    assert await trade_ids(history) == [1, 2]
    assert (history.backlog, history.reached_seq) == (0, 3)
    history.submit(4, named("fills", fill(2, 9)) + named("orders", order(9, status=FILLED)))
    assert await history.fills(7) == [fill(2, 9)]
    assert await history.order(9) == order(9, status=FILLED)


async def test_plain_tuples_are_rows_too(open_history: Open) -> None:
    history = open_history()
    history.submit(1, [("trades", tuple(trade(1)))])
    assert await history.trades("BTC-USDT") == [trade(1)]


async def test_commands_without_rows_are_reached_with_the_rows_before_them(
    open_history: Open,
) -> None:
    history = open_history()
    history.submit(1, [])
    assert history.reached_seq == 1
    history.submit(2, named("trades", trade(1)))
    history.submit(9, [])
    await history.caught_up()
    assert history.reached_seq == 9
    history.close()
    assert open_history().reached_seq == 9


async def test_a_seq_submitted_twice_is_a_bug(open_history: Open) -> None:
    history = open_history()
    history.submit(2, [])
    with pytest.raises(AssertionError):
        history.submit(2, named("trades", trade(1)))


async def test_the_last_state_of_a_row_that_changes_is_what_is_written() -> None:
    rows = named("orders", order(1), order(2), order(1, status=FILLED)) + named("trades", trade(1))
    assert by_table(rows) == {
        "trades": [trade(1)],
        "orders": [order(1, status=FILLED), order(2)],
    }


async def test_what_was_reached_is_skipped_when_it_is_fed_again(open_history: Open) -> None:
    history = open_history()
    history.submit(5, named("ledger", posting(1, 100)))
    await history.caught_up()
    history.close()
    again = open_history()
    assert again.reached_seq == 5
    again.submit(4, named("ledger", posting(9, 1)))
    again.submit(5, named("ledger", posting(1, 100)))
    assert again.backlog == 0
    again.submit(6, named("ledger", posting(2, 50)))
    assert await again.ledger(7) == [posting(1, 100), posting(2, 50)]


FEEDER = """
import sys
from pathlib import Path
from exchange.storage.history import History
from exchange.storage.rows import TradeRow

history = History.open(Path(sys.argv[1]))
for seq in range(1, 1_000_000):
    history.submit(seq, [("trades", TradeRow("BTC-USDT", seq, 1, 1, 0, 1, 2, seq))])
    if seq % 1_000 == 0:
        print(history.reached_seq, flush=True)
"""


def killed_feeder(path: Path) -> int:
    """Feed a history from another process, kill that, and answer the last seq it told."""
    feeder = subprocess.Popen(
        [sys.executable, "-c", FEEDER, str(path)], stdout=subprocess.PIPE, text=True
    )
    assert feeder.stdout is not None
    told = 0
    while told < 3_000:
        told = int(feeder.stdout.readline())
    feeder.kill()
    feeder.communicate()
    return told


async def test_a_kill_leaves_whole_commits_up_to_the_seq_it_names(
    path: Path, open_history: Open
) -> None:
    told = await asyncio.to_thread(killed_feeder, path)
    history = open_history()
    reached = history.reached_seq
    assert reached >= told
    counted = await history.query(
        lambda reader: reader.execute("SELECT count(*), max(trade_id) FROM trades").fetchone()
    )
    assert counted == (reached, reached)
    for seq in range(1, reached + 11):  # Fed again from the start, as a recovery would.
        history.submit(seq, named("trades", trade(seq)))
    assert (await history.trades("BTC-USDT", part=Part(limit=1)))[0].trade_id == reached + 10


async def test_a_writer_far_behind_spools_and_loses_nothing(open_history: Open) -> None:
    history = open_history(rows_in_memory_max=10)
    for seq in range(1, 501):
        history.submit(seq, named("trades", trade(2 * seq), trade(2 * seq + 1)))
    assert await history.caught_up(within_s=60)
    assert await trade_ids(history) == list(range(2, 1_002))
    assert history.reached_seq == 500


async def test_the_caller_does_not_wait_for_a_writer_that_stands(path: Path) -> None:
    path.parent.mkdir()
    history = History(path)  # Its thread was never started.
    for seq in range(1, 1_001):
        history.submit(seq, named("trades", trade(seq)))
    assert (history.backlog, history.reached_seq) == (1_000, 0)
    assert not await history.caught_up(within_s=60)
    assert await history.trades("BTC-USDT") == []  # It answers from what is there.
    history._thread.start()
    history.close()


class Troubled:
    """Waits for the moment a history is in trouble."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.seen = threading.Event()
        roll_back = History._roll_back

        def watched(history: History, error: sqlite3.Error) -> None:
            roll_back(history, error)
            self.seen.set()

        monkeypatch.setattr(History, "_roll_back", watched)
        monkeypatch.setattr(history_module, "RETRY_AFTER_S", 0.01)


async def test_a_full_disk_is_told_and_overcome(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    troubled = Troubled(monkeypatch)
    path.parent.mkdir()
    history = History(path)
    (pages,) = history._connection.execute("PRAGMA page_count").fetchone()
    history._connection.execute(f"PRAGMA max_page_count = {pages + 2}")
    history._thread.start()
    rows = named("trades", *(trade(number) for number in range(1, 2_001)))
    history.submit(1, rows)
    history._wake.set()
    assert await asyncio.to_thread(troubled.seen.wait, 60)
    assert history.error == "database or disk is full"
    assert (history.backlog, history.reached_seq) == (2_000, 0)
    history._connection.execute("PRAGMA max_page_count = 100000")
    assert await history.caught_up(within_s=60)
    assert history.reached_seq == 1
    assert len(await trade_ids(history)) == 2_000
    history.close()
    assert history.error is None


async def test_a_close_on_a_full_disk_ends_and_the_rest_is_fed_again(
    path: Path, open_history: Open
) -> None:
    path.parent.mkdir()
    history = History(path)
    (pages,) = history._connection.execute("PRAGMA page_count").fetchone()
    history._connection.execute(f"PRAGMA max_page_count = {pages + 2}")
    history._thread.start()
    history.submit(1, named("trades", *(trade(number) for number in range(1, 2_001))))
    history.close()
    assert history.error == "database or disk is full"
    again = open_history()
    assert again.reached_seq == 0
    assert await trade_ids(again) == []


async def test_where_nothing_can_be_kept_the_seq_stands_before_the_hole(
    open_history: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(spool: Spool, data: bytes) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    history = open_history(rows_in_memory_max=2)
    with monkeypatch.context() as patch:
        patch.setattr(Spool, "append", full)
        history.submit(1, named("trades", trade(1)))
        history.submit(2, named("trades", trade(2), trade(3), trade(4)))
    history.submit(3, named("trades", trade(5)))
    assert history.error is not None
    assert "No space left" in history.error
    assert await trade_ids(history) == [1]
    assert history.reached_seq == 1
    history.close()
    assert open_history().reached_seq == 1


async def test_a_row_that_is_none_ends_the_writer_and_is_told(open_history: Open) -> None:
    history = open_history()
    history.submit(1, named("trades", trade(1)))
    assert await trade_ids(history) == [1]
    history.submit(2, [("trades", ("BTC-USDT", 2))])
    history._wake.set()
    await asyncio.to_thread(history._thread.join, 60)
    assert history.error is not None
    assert "bindings" in history.error
    assert history.reached_seq == 1
    history.submit(3, named("trades", trade(3)))
    assert await trade_ids(history) == [1]
    with pytest.raises(HistoryBroken, match="bindings"):
        await history.prune(10)
    history.close()


async def test_pruning_happens_beside_the_writing(open_history: Open) -> None:
    history = open_history()
    history.submit(1, named("trades", *(trade(number) for number in range(1, 101))))
    await history.caught_up()
    pruned = asyncio.ensure_future(history.prune(510, tables=["trades"]))
    history.submit(2, named("trades", trade(101)))
    assert await pruned == 50  # Trades 1 to 50 were at 10 to 500 ms.
    assert await trade_ids(history) == list(range(51, 102))


async def test_two_prunings_are_done_one_after_the_other(open_history: Open) -> None:
    history = open_history()
    history.submit(1, named("trades", *(trade(number) for number in range(1, 11))))
    await history.caught_up()
    first, second = await asyncio.gather(history.prune(30), history.prune(60))
    assert (first, second) == (2, 3)


async def test_a_pruning_the_disk_does_not_let_is_told(
    path: Path, open_history: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    history = open_history()

    def failing(*_: object) -> Iterator[int]:
        raise sqlite3.OperationalError("disk I/O error")
        yield 0

    monkeypatch.setattr(history_module, "pruning", failing)
    with pytest.raises(HistoryBroken, match="disk I/O error"):
        await history.prune(10)
    history.submit(1, named("trades", trade(1)))
    assert await trade_ids(history) == [1]  # And the writing goes on.


async def test_a_closed_history_prunes_nothing(open_history: Open) -> None:
    history = open_history()
    history.close()
    with pytest.raises(HistoryBroken, match="closed"):
        await history.prune(10)


async def test_a_close_writes_what_is_queued(open_history: Open) -> None:
    history = open_history()
    rows = [TradeRow("BTC-USDT", number, 1, 1, 0, 1, 2, number) for number in range(1, 3_001)]
    for row in rows:
        history.submit(row.trade_id, [("trades", row)])
    history.close()
    assert await trade_ids(open_history()) == [row.trade_id for row in rows]
