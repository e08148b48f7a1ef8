"""The last index, mark and funding of every symbol, open interest, and the funding rates fixed."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

import msgspec

from exchange.bounds import FUNDINGS_KEPT
from exchange.events import FundingFixed, IndexPriced, Marked, PositionChanged
from exchange.views.top_traders import Top, TopTraders
from risk.account import leg_of
from risk.position import symbol_of


class Marks:
    """What the risk engine last said of each symbol's prices."""

    def __init__(self, symbols: Iterable[str]) -> None:
        names = list(symbols)
        self._marked: dict[str, Marked] = {}
        self._indexed: dict[str, IndexPriced] = {}
        self._fundings: dict[str, deque[FundingFixed]] = {
            symbol: deque(maxlen=FUNDINGS_KEPT) for symbol in names
        }
        self._long_lots = dict.fromkeys(names, 0)
        self._holders = {symbol: [0, 0] for symbol in names}  # Who is long, and who is short.
        self._top_traders = {symbol: TopTraders() for symbol in names}
        self._held: dict[tuple[int, str], int] = {}

    def fold_mark(self, event: Marked) -> None:
        """Index and mark of a perpetual."""
        self._marked[event.symbol] = event

    def fold_index(self, event: IndexPriced) -> None:
        """The index of a spot pair."""
        self._indexed[event.symbol] = event

    def fold_funding(self, event: FundingFixed) -> None:
        """A rate that positions settle at; the next one is due an interval later."""
        self._fundings[event.symbol].append(event)
        marked = self._marked.get(event.symbol)
        if marked is not None and event.interval_ms:
            # A mark that stands is not told anew, and knew this boundary as the next one.
            next_ms = event.due_ms + event.interval_ms
            self._marked[event.symbol] = msgspec.structs.replace(marked, next_funding_ms=next_ms)

    def fold_position(self, event: PositionChanged) -> None:
        """Keep open interest, which is the sum of all long positions."""
        leg = leg_of(event.symbol, event.position_side)
        self.restore_position(event.account_id, leg, event.lots)

    def restore_position(self, account_id: int, leg: str, lots: int) -> None:
        """A position as it stands, as a recovery or an event tells it."""
        before = self._held.pop((account_id, leg), 0)
        if lots:
            self._held[account_id, leg] = lots
        symbol = symbol_of(leg)
        self._long_lots[symbol] += max(lots, 0) - max(before, 0)
        holders = self._holders[symbol]
        holders[0] += (lots > 0) - (before > 0)
        holders[1] += (lots < 0) - (before < 0)
        self._top_traders[symbol].change(account_id, leg, before, lots)

    def preload(self, symbol: str, fundings: Iterable[FundingFixed]) -> None:
        """Lay down history, oldest first: rates with `seq` 0, due before the live ones."""
        kept = self._fundings[symbol]
        live = list(kept)
        kept.clear()
        kept.extend(fundings)
        assert all(event.seq == 0 for event in kept)
        assert not live or not kept or kept[-1].due_ms < live[0].due_ms
        kept.extend(live)

    def mark(self, symbol: str) -> Marked | None:
        """The last mark of a perpetual."""
        return self._marked.get(symbol)

    def index(self, symbol: str) -> IndexPriced | None:
        """The last index of a spot pair."""
        return self._indexed.get(symbol)

    def open_lots(self, symbol: str) -> int:
        """Open interest of a perpetual: the sum of its long positions."""
        return self._long_lots[symbol]

    def holders(self, symbol: str) -> tuple[int, int]:
        """How many accounts are long a perpetual, and how many short; hedged ones are both."""
        longs, shorts = self._holders[symbol]
        return longs, shorts

    def top_traders(self, symbol: str) -> Top:
        """Of the holders of a perpetual the fifth whose positions are the largest."""
        return self._top_traders[symbol].top()

    def fundings(
        self,
        symbol: str,
        limit: int,
        start_ms: int | None = None,
        end_ms: int | None = None,
    ) -> list[FundingFixed]:
        """Rates due from `start_ms` to `end_ms` (both included), oldest first.

        With a start the first `limit` of them, without one the last.
        """
        found = [
            event
            for event in self._fundings[symbol]
            if (start_ms is None or event.due_ms >= start_ms)
            and (end_ms is None or event.due_ms <= end_ms)
        ]
        return found[:limit] if start_ms is not None else found[max(0, len(found) - limit) :]
