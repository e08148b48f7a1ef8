"""The candles of one stream: the running one as it grows, and each that closes, exactly once."""

from __future__ import annotations

from typing import Final

from exchange.bounds import CANDLES_KEPT, CANDLES_WAITING_MAX
from exchange.gateway.binance.intervals import FOLDED, LENGTHS_MS, SECOND, fold_days, open_ms
from exchange.gateway.binance.streams.names import Spec
from exchange.gateway.binance.streams.payloads import NO_TRADES, Numbers, Payload, kline
from exchange.gateway.binance.streams.seconds import Seconds
from exchange.views.board import Board
from exchange.views.candles import Candle

DAY: Final = "1d"


class CandleTeller:
    """Says what is new of the candles of one symbol and interval.

    Ids of a candle's trades are counted back from the last trade: they rise by one.
    """

    def __init__(self, board: Board, seconds: Seconds, numbers: Numbers, spec: Spec) -> None:
        self._board = board
        self._seconds = seconds
        self._numbers = numbers
        self._symbol = numbers.instrument.symbol
        self._interval = spec.interval
        self._continuous = spec.topic == "continuousKline"
        self._last = self._running()

    def state(self) -> list[tuple[str, Payload]]:
        """The running candle, for one who begins to listen; none before the first price."""
        running = self._running()
        if running is None:
            return []
        return [(str(running.open_ms), self._said([running])[0][1])]

    def news(self) -> list[tuple[Candle, Payload]]:
        """The candles that closed since they were last asked for, and the running one, if new.

        One that closed comes also where nothing was traded in it. Where more have closed than
        `CANDLES_WAITING_MAX`, the oldest are left out.
        """
        running, last = self._running(), self._last
        if running is None or running == last:
            return []
        self._last = running
        found = [running]
        if last is not None and running.open_ms > last.open_ms:
            closed = self._between(last.open_ms, running.open_ms - 1)[-CANDLES_WAITING_MAX:]
            found = [*closed, running]
        return self._said(found)

    def _running(self) -> Candle | None:
        now_ms = self._board.time_ms
        if self._interval == SECOND:
            return self._seconds.current(self._symbol, now_ms)
        if self._interval in FOLDED:
            found = self._between(open_ms(self._interval, now_ms), now_ms)
            return found[-1] if found else None
        return self._board.candles.current(self._symbol, self._interval)

    def _between(self, start_ms: int, end_ms: int) -> list[Candle]:
        """The last candles that open in a stretch of time, oldest first, its ends included."""
        if self._interval in FOLDED:
            folded: list[Candle] = []
            days = self._board.candles.get(self._symbol, DAY, start_ms, end_ms, CANDLES_KEPT)
            fold_days(self._interval, days, folded)
            return folded
        most = CANDLES_WAITING_MAX
        start_ms = max(start_ms, end_ms + 1 - most * LENGTHS_MS[self._interval])
        if self._interval == SECOND:
            return self._seconds.get(self._symbol, start_ms, end_ms, most, self._board.time_ms)
        return self._board.candles.get(self._symbol, self._interval, start_ms, end_ms, most)

    def _said(self, found: list[Candle]) -> list[tuple[Candle, Payload]]:
        """Candles that follow each other, the last of them running, as payloads."""
        last = self._board.trades.last(self._symbol)
        last_id = last.trade_id if last is not None else 0
        said = []
        for candle in reversed(found):
            ids = NO_TRADES
            if candle.trades:
                ids = max(0, last_id - candle.trades + 1), last_id
                last_id = ids[0] - 1
            payload = kline(
                self._numbers,
                self._interval,
                candle,
                ids,
                closed=candle is not found[-1],
                time_ms=self._board.time_ms,
                continuous=self._continuous,
            )
            said.append((candle, payload))
        return said[::-1]
