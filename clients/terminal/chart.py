"""The chart: candles of the symbol, drawn by plotext."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from textual_plotext import PlotextPlot

from clients.terminal.drawing import clock
from exchange.wire import CandleSay

EDGE_COLUMNS: Final = 12  # What the price scale and the frame take.
LABELS: Final = 4


class Chart(PlotextPlot):
    """As many of the newest candles as there are columns."""

    def show(self, title: str, candles: Sequence[CandleSay]) -> None:
        """Draw these, oldest first."""
        seen = candles[-max(2, self.size.width - EDGE_COLUMNS) :]
        self.plt.clear_data()
        self.plt.clear_figure()
        self.plt.title(title)
        if seen:
            columns = {
                "Open": [float(candle.open) for candle in seen],
                "High": [float(candle.high) for candle in seen],
                "Low": [float(candle.low) for candle in seen],
                "Close": [float(candle.close) for candle in seen],
            }
            # Places instead of dates: a day without trades is then no hole, and any interval fits.
            places: list[Any] = list(range(len(seen)))
            self.plt.candlestick(places, columns, colors=["green", "red"])
            marked = places[:: max(1, len(seen) // LABELS)]
            self.plt.xticks(marked, [clock(seen[place].open_time)[:5] for place in marked])
        self.refresh()
