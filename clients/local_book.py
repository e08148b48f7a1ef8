"""A book kept at the client: a snapshot, and the numbered differences folded into it."""

from __future__ import annotations

from decimal import Decimal

from sortedcontainers import SortedDict

from exchange.wire import BookDiffSay, BookSay

Level = tuple[Decimal, Decimal]


class OutOfStep(Exception):
    """A difference does not follow what the book holds: a fresh snapshot is needed."""


class LocalBook:
    """Depth of one symbol as prices and quantities, best first.

    `apply` takes what a `book` channel delivers.  A snapshot replaces everything; a difference
    must start at the number after the last one, or `OutOfStep` is raised and the book is empty
    until the next snapshot.
    """

    def __init__(self, symbol: str) -> None:
        self.symbol = symbol
        self.last_id = 0
        self.ready = False  # Whether a snapshot has come, and every difference since.
        self._bids: SortedDict[Decimal, Decimal] = SortedDict(lambda price: -price)
        self._asks: SortedDict[Decimal, Decimal] = SortedDict()

    def apply(self, say: BookSay | BookDiffSay) -> None:
        """Fold a snapshot or a difference."""
        if isinstance(say, BookDiffSay):
            self._follow(say)
        else:
            self._restart(say)

    def _restart(self, snapshot: BookSay) -> None:
        self._bids.clear()
        self._asks.clear()
        self._fold(snapshot)
        self.ready = True

    def _follow(self, diff: BookDiffSay) -> None:
        if not self.ready or diff.first_id != self.last_id + 1:
            self._bids.clear()
            self._asks.clear()
            self.ready = False
            raise OutOfStep(f"{self.symbol}: {diff.first_id} does not follow {self.last_id}")
        self._fold(diff)

    def _fold(self, say: BookSay | BookDiffSay) -> None:
        for side, levels in ((self._bids, say.bids), (self._asks, say.asks)):
            for price_text, qty_text in levels:
                price, qty = Decimal(price_text), Decimal(qty_text)
                if qty:
                    side[price] = qty
                else:
                    side.pop(price, None)
        self.last_id = say.last_id

    def bids(self, count: int | None = None) -> list[Level]:
        """The best `count` bids (all without it), highest first."""
        return list(self._bids.items()[:count])

    def asks(self, count: int | None = None) -> list[Level]:
        """The best `count` asks (all without it), lowest first."""
        return list(self._asks.items()[:count])

    @property
    def best_bid(self) -> Level | None:
        """The highest bid, None if nobody bids."""
        return self._bids.peekitem(0) if self._bids else None

    @property
    def best_ask(self) -> Level | None:
        """The lowest ask, None if nobody offers."""
        return self._asks.peekitem(0) if self._asks else None

    @property
    def mid(self) -> Decimal | None:
        """Half-way between the best prices, None while a side is empty."""
        bid, ask = self.best_bid, self.best_ask
        return (bid[0] + ask[0]) / 2 if bid and ask else None

    def snapshot(self) -> BookSay:
        """The whole book as a snapshot, for a reader who joins late."""
        return BookSay(
            symbol=self.symbol,
            last_id=self.last_id,
            bids=[(f"{price:f}", f"{qty:f}") for price, qty in self._bids.items()],
            asks=[(f"{price:f}", f"{qty:f}") for price, qty in self._asks.items()],
        )

    def check(self) -> None:
        """Assert that the book is one: no empty level, and bids below asks."""
        assert all(qty > 0 for side in (self._bids, self._asks) for qty in side.values())
        bid, ask = self.best_bid, self.best_ask
        assert bid is None or ask is None or bid[0] < ask[0], (self.symbol, bid, ask)
