"""The recent public trades of every symbol."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from itertools import islice

from exchange.bounds import TRADES_KEPT
from exchange.events import Traded
from exchange.storage.rows import TradeRow
from matching.types import Side


def is_synthetic(event: Traded) -> bool:
    """Whether a trade belongs to the history before the first moment: no command made it."""
    return event.seq == 0


class Trades:
    """The last trades of each symbol; older ones live on disk."""

    def __init__(self, symbols: Iterable[str]) -> None:
        self._kept: dict[str, deque[Traded]] = {
            symbol: deque(maxlen=TRADES_KEPT) for symbol in symbols
        }

    def fold(self, trade: Traded) -> None:
        """Keep a trade; trade ids rise by one per symbol. O(1)."""
        self._kept[trade.symbol].append(trade)

    def preload(self, symbol: str, trades: Iterable[Traded]) -> None:
        """Lay down history, oldest first: trades with `seq` 0, their ids below the live ones."""
        kept = self._kept[symbol]
        live = list(kept)
        kept.clear()
        kept.extend(trades)
        assert all(is_synthetic(trade) for trade in kept)
        assert not live or not kept or kept[-1].trade_id < live[0].trade_id
        kept.extend(live)

    def recent(self, symbol: str, limit: int, before_id: int | None = None) -> list[Traded]:
        """The last `limit` trades, oldest first; with `before_id` those of lower ids."""
        kept = self._kept[symbol]
        newest_first: Iterable[Traded] = reversed(kept)
        if before_id is not None:
            newest_first = (trade for trade in newest_first if trade.trade_id < before_id)
        return list(islice(newest_first, limit))[::-1]

    def last(self, symbol: str) -> Traded | None:
        """The newest trade."""
        kept = self._kept[symbol]
        return kept[-1] if kept else None


def trade_of_row(row: TradeRow) -> Traded:
    """A public trade of the history."""
    return Traded(
        seq=row.seq,
        time_ms=row.time_ms,
        symbol=row.symbol,
        trade_id=row.trade_id,
        price_ticks=row.price_ticks,
        lots=row.lots,
        taker_side=Side(row.taker_side),
        maker_order_id=row.maker_order_id,
        taker_order_id=row.taker_order_id,
        forced=row.forced,
    )
