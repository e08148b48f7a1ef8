"""Candles of one second, folded from trades: those of the last hour, in memory alone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from exchange.bounds import SECONDS_KEPT
from exchange.events import AnyEvent, Traded
from exchange.views.candles import Candle, flat
from matching.types import Side

SECOND_MS: Final = 1_000


class Seconds:
    """The seconds of each symbol in which something was traded; those between are flat.

    Whatever is asked for begins with the oldest second that is kept.
    """

    def __init__(self, symbols: Iterable[str]) -> None:
        # By the moment they open, oldest first.
        self._kept: dict[str, dict[int, Candle]] = {symbol: {} for symbol in symbols}

    def begin(self, trades: Sequence[Traded]) -> None:
        """Begin with the trades of a symbol that were kept, oldest first.

        Of the first one's second some may be gone, so it is left out.
        """
        for trade in trades:
            if _second(trade.time_ms) > trades[0].time_ms:
                self.fold(trade)

    def on_group(self, groups: Sequence[list[AnyEvent]]) -> None:
        """Fold in the trades of an applied group."""
        for events in groups:
            for event in events:
                if type(event) is Traded:
                    self.fold(event)

    def fold(self, trade: Traded) -> None:
        """Fold a trade in; trades come in the order of their time. Other symbols' are let by."""
        kept = self._kept.get(trade.symbol)
        if kept is None:
            return
        ticks, lots = trade.price_ticks, trade.lots
        bought = lots if trade.taker_side is Side.BUY else 0
        open_ms = _second(trade.time_ms)
        made = Candle(open_ms, ticks, ticks, ticks, ticks, lots, ticks * lots, 1)
        made.taker_lots, made.taker_units = bought, ticks * bought
        if open_ms in kept:
            kept[open_ms].add(made)
            return
        kept[open_ms] = made
        # The last one before the hour stays: the seconds behind it are flat at its close.
        while len(kept) > 1 and _second_key(kept) <= open_ms - SECONDS_KEPT * SECOND_MS:
            del kept[next(iter(kept))]

    def get(
        self, symbol: str, start_ms: int | None, end_ms: int | None, limit: int, now_ms: int
    ) -> list[Candle]:
        """Candles that open from `start_ms` to `end_ms` (both included), oldest first.

        With a start the first `limit` of them, without one the last; the newest is that of
        `now_ms`. Walks back at most over what is kept.
        """
        kept = self._kept.get(symbol)
        if not kept:
            return []
        oldest_ms = max(next(iter(kept)), _second(now_ms) - (SECONDS_KEPT - 1) * SECOND_MS)
        last_ms = _second(now_ms if end_ms is None else min(now_ms, end_ms))
        span_ms = (limit - 1) * SECOND_MS
        first_ms = last_ms - span_ms if start_ms is None else -_second(-start_ms)
        first_ms = max(first_ms, oldest_ms)
        if first_ms > last_ms:
            return []
        close = _close_at(kept, first_ms)
        found = []
        for open_ms in range(first_ms, min(last_ms, first_ms + span_ms) + 1, SECOND_MS):
            traded = kept.get(open_ms)
            found.append(
                flat(open_ms, close) if traded is None else msgspec.structs.replace(traded)
            )
            close = found[-1].close
        return found

    def current(self, symbol: str, now_ms: int) -> Candle | None:
        """The running second; None before the first price."""
        found = self.get(symbol, None, None, 1, now_ms)
        return found[0] if found else None


def _second(time_ms: int) -> int:
    return time_ms - time_ms % SECOND_MS


def _second_key(kept: dict[int, Candle]) -> int:
    """When the second that follows the oldest one opens."""
    keys = iter(kept)
    next(keys)
    return next(keys)


def _close_at(kept: dict[int, Candle], open_ms: int) -> int:
    """The close of the second, or of the last one before it with a trade."""
    for candle in reversed(kept.values()):
        if candle.open_ms <= open_ms:
            return candle.close
    raise AssertionError("what is asked for begins with what is kept")
