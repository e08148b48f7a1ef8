"""The candles of one stream: the running one as it grows, and each that closes, exactly once."""

from __future__ import annotations

from exchange.bounds import CANDLES_WAITING_MAX
from exchange.events import Traded
from exchange.gateway.binance.streams.names import Spec
from exchange.gateway.binance.streams.payloads import Flow, Numbers, Payload, kline
from exchange.views.board import Board
from exchange.views.candles import Candle
from exchange.wire import INTERVALS_MS
from matching.types import Side


class CandleTeller:
    """Says what is new of the candles of one symbol and interval.

    Ids of a candle's trades are counted back from the last trade: they rise by one. What buyers
    took is summed from the trades in memory, so of a long candle it may leave out the oldest.
    """

    def __init__(self, board: Board, numbers: Numbers, spec: Spec) -> None:
        self._board = board
        self._numbers = numbers
        self._symbol = numbers.instrument.symbol
        self._interval = spec.interval
        self._continuous = spec.topic == "continuousKline"
        self._last = self._running()
        self._bought = _Bought(INTERVALS_MS[spec.interval])

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
            step_ms = INTERVALS_MS[self._interval]
            start_ms = max(last.open_ms, running.open_ms - CANDLES_WAITING_MAX * step_ms)
            closed = self._board.candles.get(
                self._symbol, self._interval, start_ms, running.open_ms - 1, CANDLES_WAITING_MAX
            )
            found = [*closed, running]
        return self._said(found)

    def _running(self) -> Candle | None:
        return self._board.candles.current(self._symbol, self._interval)

    def _said(self, found: list[Candle]) -> list[tuple[Candle, Payload]]:
        """Candles that follow each other, the last of them running, as payloads."""
        trades = self._board.trades
        last = trades.last(self._symbol)
        last_id = last.trade_id if last is not None else 0
        self._bought.fold(
            trades.recent(self._symbol, last_id - self._bought.last_id) if last else []
        )
        said = []
        for candle in reversed(found):
            flow = Flow()
            if candle.trades:
                first_id = max(0, last_id - candle.trades + 1)
                flow = Flow(first_id, last_id, *self._bought.of(candle))
                last_id = first_id - 1
            payload = kline(
                self._numbers,
                self._interval,
                candle,
                flow,
                closed=candle is not found[-1],
                time_ms=self._board.time_ms,
                continuous=self._continuous,
            )
            said.append((candle, payload))
        return said[::-1]


class _Bought:
    """What buyers took in the newest candles of one interval, folded from trades."""

    def __init__(self, step_ms: int) -> None:
        self.last_id = 0
        self._step_ms = step_ms
        self._taken: dict[int, tuple[int, int]] = {}  # Lots and units, by the candle's beginning.

    def fold(self, trades: list[Traded]) -> None:
        """Fold in trades newer than the last one folded."""
        for trade in trades:
            self.last_id = trade.trade_id
            if trade.taker_side is Side.BUY:
                open_ms = trade.time_ms - trade.time_ms % self._step_ms
                lots, units = self._taken.get(open_ms, (0, 0))
                taken = lots + trade.lots, units + trade.price_ticks * trade.lots
                self._taken[open_ms] = taken
        for open_ms in sorted(self._taken)[:-CANDLES_WAITING_MAX]:
            del self._taken[open_ms]

    def of(self, candle: Candle) -> tuple[int, int]:
        """Lots and ticks x lots that buyers took in a candle."""
        return self._taken.get(candle.open_ms, (0, 0))
