"""Tests of the house: everybody is told of a group, the board first, and Redis of every seq."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from exchange.history_rows import NamedRow
from exchange.house import House
from tests.exchange.tapes import Tape, an_hour_at_the_market


class Rows:
    """Takes rows, and notes what the board had seen by then."""

    def __init__(self) -> None:
        self.house: House
        self.seen: list[tuple[int, int]] = []

    def submit(self, seq: int, rows: Sequence[NamedRow]) -> None:
        self.seen.append((seq, self.house.board.seq))


class Stream:
    """Takes batches as Redis would."""

    def __init__(self) -> None:
        self.batches: list[tuple[int, int, bytes]] = []

    def publish(self, first_seq: int, count: int, data: bytes) -> None:
        self.batches.append((first_seq, count, data))


def told(tape: Tape, house: House) -> None:
    do = tape.do

    def done(*wishes: Any, ms: int = 0) -> Any:
        groups = do(*wishes, ms=ms)
        for listener in house.listeners:
            listener(groups)
        return groups

    tape.do = done  # type: ignore[method-assign]
    an_hour_at_the_market(tape)
    tape.close()


def test_the_board_is_told_before_the_history(tmp_path: Path) -> None:
    tape, rows = Tape(tmp_path), Rows()
    rows.house = House(tape.engine, rows)
    told(tape, rows.house)
    assert rows.seen
    assert all(seq == board_seq for seq, board_seq in rows.seen)


def test_redis_gets_every_seq_once_in_order(tmp_path: Path) -> None:
    tape, rows = Tape(tmp_path), Rows()
    stream: Any = Stream()
    rows.house = House(tape.engine, rows, stream)
    told(tape, rows.house)
    covered = 1  # The house was made behind the genesis.
    for first_seq, count, data in stream.batches:
        assert first_seq == covered + 1
        covered += count
        assert data.startswith(b"[{")
    trades = [data for _, _, data in stream.batches if b'"ch":"trades.BTC-USDT"' in data]
    assert len(trades) == 1  # The two of one group are in one batch.
    assert trades[0].count(b'"ch":"trades.BTC-USDT"') == 2


def test_a_house_without_a_history_tells_the_others(tmp_path: Path) -> None:
    tape = Tape(tmp_path)
    house = House(tape.engine, None)
    told(tape, house)
    assert house.board.seq == tape.engine.seq
