"""The standard order flow: its records, and the digest that proves an engine obeyed it.

A record is 32 bytes, little-endian: op, side, owner, a zero, id, price in ticks, quantity in lots.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from struct import Struct
from typing import Final, TypeAlias

from matching.book import Book
from matching.types import Fill, Side

RECORD: Final = Struct("<BBHIqqq")
NEW_GTC: Final = 0
NEW_IOC: Final = 1
NEW_MARKET: Final = 2
CANCEL: Final = 3
CHUNK_RECORDS: Final = 20_000

FlowRecord: TypeAlias = tuple[int, int, int, int, int, int, int]

_MASK_64: Final = (1 << 64) - 1
_ALL: Final = 1 << 62  # More levels than a book can have.


class FlowError(Exception):
    """The file is not a flow; the message says where it stops being one."""


def read_flow(path: Path, chunk_records: int = CHUNK_RECORDS) -> Iterator[list[FlowRecord]]:
    """The records of a flow file, in chunks; FlowError if it ends within a record."""
    with path.open("rb") as file:
        while data := file.read(chunk_records * RECORD.size):
            if len(data) % RECORD.size:
                raise FlowError(f"{path} ends within a record of {RECORD.size} bytes")
            yield list(RECORD.iter_unpack(data))


class FlowDigest:
    """Counts and hashes fills in order, and the commands that led to them."""

    def __init__(self) -> None:
        self.trades = 0
        self.qty = 0
        self.notional_mod64 = 0
        self.trade_hash = 0
        self.cancel_rejects = 0
        self.ops = [0, 0, 0, 0]

    def count(self, records: Iterable[FlowRecord]) -> None:
        """Count commands by what they ask."""
        for record in records:
            if record[0] > CANCEL:
                raise FlowError(f"there is no op {record[0]}")
            self.ops[record[0]] += 1

    def fold(self, fills: Iterable[Fill]) -> None:
        """Fold fills, in the order they happened."""
        digest, notional = self.trade_hash, self.notional_mod64
        for fill in fills:
            self.trades += 1
            self.qty += fill.lots
            notional = (notional + fill.price_ticks * fill.lots) & _MASK_64
            ids = fill.maker.order_id * 31 + fill.taker.order_id * 17
            digest = (digest * 1000003 + ids + fill.price_ticks * 7 + fill.lots) & _MASK_64
        self.trade_hash, self.notional_mod64 = digest, notional

    def result(self, book: Book) -> dict[str, int]:
        """The digest by the names of the flow's format, with the book as it stands at the end."""
        bids, asks = book.levels(Side.BUY, _ALL), book.levels(Side.SELL, _ALL)
        return {
            "commands": sum(self.ops),
            "trades": self.trades,
            "qty": self.qty,
            "notional_mod64": self.notional_mod64,
            "resting": len(book.orders),
            "resting_qty": sum(lots for _, lots in bids + asks),
            "bid_levels": len(bids),
            "ask_levels": len(asks),
            "trade_hash": self.trade_hash,
            "cancel_rejects": self.cancel_rejects,
            "gtc": self.ops[NEW_GTC],
            "ioc": self.ops[NEW_IOC],
            "mkt": self.ops[NEW_MARKET],
            "cancel": self.ops[CANCEL],
            "best_bid": book.best_bid_ticks,
            "best_ask": book.best_ask_ticks,
        }
