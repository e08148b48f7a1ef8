"""Tests of the standard flow's reader and of the digest that proves a run."""

from pathlib import Path

import pytest

from exchange.bench.flow import CANCEL, NEW_GTC, NEW_IOC, RECORD, FlowDigest, FlowError, read_flow
from matching.book import Book
from matching.types import Fill
from tests.matching.stories import BUY, SELL, limit


def test_a_flow_is_read_in_chunks_of_whole_records(tmp_path: Path) -> None:
    records = [(NEW_GTC, 1, 7, 0, n, 100 + n, n) for n in range(1, 6)]
    path = tmp_path / "flow.bin"
    path.write_bytes(b"".join(RECORD.pack(*record) for record in records))
    assert list(read_flow(path, chunk_records=2)) == [records[:2], records[2:4], records[4:]]


def test_a_flow_that_ends_within_a_record_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "flow.bin"
    path.write_bytes(bytes(RECORD.size + 5))
    with pytest.raises(FlowError, match="ends within a record of 32 bytes"):
        list(read_flow(path))


def test_an_unknown_op_is_refused() -> None:
    with pytest.raises(FlowError, match="no op 4"):
        FlowDigest().count([(4, 0, 0, 0, 1, 1, 1)])


def test_the_hash_is_of_the_fills_in_their_order() -> None:
    first = Fill(limit(1, SELL, 100, 5), limit(3, BUY, 100, 5), 100, 5)
    second = Fill(limit(2, SELL, 101, 2), limit(3, BUY, 101, 2), 101, 2)
    digest = FlowDigest()
    digest.fold([first, second])
    # 1*31 + 3*17 + 100*7 + 5 = 787; then 787*1000003 + 2*31 + 3*17 + 101*7 + 2 = 787003183
    assert digest.trade_hash == 787_003_183
    assert (digest.trades, digest.qty) == (2, 7)
    assert digest.notional_mod64 == 702  # 100*5 + 101*2
    swapped = FlowDigest()
    swapped.fold([second, first])
    assert swapped.trade_hash != digest.trade_hash


def test_the_hash_and_the_notional_wrap_at_64_bits() -> None:
    digest = FlowDigest()
    digest.trade_hash = digest.notional_mod64 = 2**64 - 1
    digest.fold([Fill(limit(1, SELL, 1, 1), limit(2, BUY, 1, 1), 1, 1)])
    # -1*1000003 + 31 + 34 + 7 + 1 = -999930
    assert digest.trade_hash == 2**64 - 999_930
    assert digest.notional_mod64 == 0


def test_the_result_tells_commands_by_kind_and_the_book_at_the_end() -> None:
    book, digest = Book(), FlowDigest()
    digest.count([(NEW_GTC, 0, 0, 0, 1, 99, 5), (NEW_IOC, 0, 0, 0, 2, 99, 5)])
    digest.count([(CANCEL, 0, 0, 0, 9, 0, 0)])
    for order in (limit(1, BUY, 99, 5), limit(2, BUY, 98, 1), limit(3, SELL, 101, 2)):
        book.place(order)
    result = digest.result(book)
    assert [result[name] for name in ("commands", "gtc", "ioc", "mkt", "cancel")] == [3, 1, 1, 0, 1]
    assert (result["resting"], result["resting_qty"]) == (3, 8)
    assert (result["bid_levels"], result["ask_levels"]) == (2, 1)
    assert (result["best_bid"], result["best_ask"]) == (99, 101)
