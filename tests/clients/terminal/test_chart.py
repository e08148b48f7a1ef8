"""Tests of the chart, on a screen of its own."""

from textual.app import App, ComposeResult

from clients.terminal.chart import EDGE_COLUMNS, Chart
from tests.clients.terminal.events import candle


class Paper(App[None]):
    """A screen with nothing but a chart."""

    def compose(self) -> ComposeResult:
        yield Chart()


async def drawn(count: int) -> str:
    app = Paper()
    async with app.run_test(size=(60, 20)) as pilot:
        chart = app.query_one(Chart)
        closes = ["50050" if minute % 2 else "49950" for minute in range(count)]
        chart.show("BTC-USDT 1m", [candle(minute, close) for minute, close in enumerate(closes)])
        await pilot.pause()
        return str(chart.render())


async def test_candles_are_drawn_with_scale_title_and_times() -> None:
    text = await drawn(30)
    assert "BTC-USDT 1m" in text
    assert "50100" in text  # The high of every candle.
    assert "│" in text
    assert "22:13" in text  # The first candle's minute.


async def test_of_many_candles_the_newest_that_fit_are_drawn() -> None:
    text = await drawn(500)
    # 60 columns hold 48 candles: the first of them opens 452 minutes after 22:13.
    assert 500 - (60 - EDGE_COLUMNS) == 452
    assert "05:45" in text
    assert "22:13" not in text


async def test_without_candles_there_is_still_a_frame() -> None:
    assert "BTC-USDT 1m" in await drawn(0)
