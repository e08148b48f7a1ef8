"""Rows on their way: in order through memory and file, whole groups at a time."""

from __future__ import annotations

import errno
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.storage.backlog import Backlog, Rows, TableRow
from exchange.storage.spool import Spool


def rows_of(seq: int, count: int) -> list[TableRow]:
    return [("trades", ("BTC-USDT", seq, at, 1 << 70, None)) for at in range(count)]


def test_groups_are_taken_whole_until_there_are_enough(tmp_path: Path) -> None:
    backlog = Backlog(tmp_path, in_memory_max=100)
    for seq in (1, 2, 3):
        assert backlog.put(seq, rows_of(seq, 4))
    assert backlog.take(5) == Rows(2, rows_of(1, 4) + rows_of(2, 4))
    assert backlog.take(5) == Rows(3, rows_of(3, 4))
    assert backlog.take(5) is None
    backlog.close()


def test_what_memory_should_not_hold_goes_through_the_file_in_order(tmp_path: Path) -> None:
    backlog = Backlog(tmp_path, in_memory_max=5)
    for seq in (1, 2, 3):
        backlog.put(seq, rows_of(seq, 3))
    assert backlog.spooled_bytes > 0
    assert backlog.take(1) == Rows(1, rows_of(1, 3))
    backlog.put(4, rows_of(4, 1))  # There is room in memory, but 2 and 3 go before it.
    assert [backlog.take(1) for _ in range(3)] == [
        Rows(s, rows_of(s, n)) for s, n in ((2, 3), (3, 3), (4, 1))
    ]
    assert backlog.spooled_bytes == 0
    backlog.put(5, rows_of(5, 1))
    assert backlog.spooled_bytes == 0
    assert backlog.take(1) == Rows(5, rows_of(5, 1))
    backlog.close()


@given(
    deeds=st.lists(st.one_of(st.just(-1), st.integers(0, 4)), max_size=50),
    in_memory_max=st.integers(0, 8),
)
def test_nothing_is_lost_or_exchanged_on_the_way(
    tmp_path_factory: pytest.TempPathFactory, deeds: list[int], in_memory_max: int
) -> None:
    backlog = Backlog(tmp_path_factory.getbasetemp(), in_memory_max=in_memory_max)
    put: list[TableRow] = []
    taken: list[TableRow] = []
    for seq, deed in enumerate([*deeds, *[-1] * len(deeds)]):
        if deed >= 0:
            put += rows_of(seq, deed)
            assert backlog.put(seq, rows_of(seq, deed))
        elif (rows := backlog.take(3)) is not None:
            taken += rows.rows
    assert taken == put
    backlog.close()


def test_one_thread_puts_while_another_takes(tmp_path: Path) -> None:
    backlog = Backlog(tmp_path, in_memory_max=10)

    def put_all() -> None:
        for seq in range(1, 1_001):
            backlog.put(seq, rows_of(seq, 2))

    putting = threading.Thread(target=put_all)
    putting.start()
    taken: list[int] = []
    while len(taken) < 2_000:
        rows = backlog.take(7)
        taken += [row[1] for _, row in rows.rows] if rows else []
    putting.join()
    assert taken == [seq for seq in range(1, 1_001) for _ in range(2)]
    backlog.close()


def test_a_file_that_cannot_grow_ends_the_taking_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    backlog = Backlog(tmp_path, in_memory_max=2)
    assert backlog.put(1, rows_of(1, 2))

    def full(spool: Spool, data: bytes) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Spool, "append", full)
        assert not backlog.put(2, rows_of(2, 1))
    assert backlog.failed is not None
    assert "No space left" in backlog.failed
    assert backlog.take(9) == Rows(1, rows_of(1, 2))
    # A hole can never be filled later, so nothing behind it is taken in.
    assert not backlog.put(3, rows_of(3, 1))
    assert backlog.take(9) is None
    backlog.close()
