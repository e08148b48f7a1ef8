"""Memory and history are told as one past, whichever of them a question meets."""

from __future__ import annotations

from collections import deque
from pathlib import Path

from exchange.gateway.past import candles_of, id_at, last_trades, trades_from
from exchange.storage.rows import CandleRow
from exchange.views.candles import MINUTE_MS, flat
from tests.exchange.gateway.rig import START_MS, Rig, running

PERP = "BTC-USDT-PERP"


async def six_trades(rig: Rig) -> None:
    """Trades 1 to 6, of which memory forgets the first three."""
    await rig.set_index("BTC-USDT", "50000")
    maker, taker = await rig.open_account(), await rig.open_account()
    for _ in range(6):
        await maker.order(PERP, "sell", "0.001", price="50000")
        await taker.order(PERP, "buy", "0.001", price="50000")
    assert await rig.history.caught_up(60.0)
    kept = rig.doors.board.trades._kept
    kept[PERP] = deque(list(kept[PERP])[3:], maxlen=3)


async def test_trades_that_memory_forgot_come_from_the_history(tmp_path: Path) -> None:
    async with running(tmp_path) as rig:
        await six_trades(rig)

        def ids(found: list) -> list[int]:
            return [trade.trade_id for trade in found]

        assert ids(await last_trades(rig.doors, PERP, 5)) == [2, 3, 4, 5, 6]
        assert ids(await last_trades(rig.doors, PERP, 2, before_id=4)) == [2, 3]
        assert ids(await trades_from(rig.doors, PERP, 1, 10)) == [1, 2, 3, 4, 5, 6]
        assert ids(await trades_from(rig.doors, PERP, 3, 2)) == [3, 4]
        assert ids(await trades_from(rig.doors, PERP, 5, 10)) == [5, 6]
        assert ids(await trades_from(rig.doors, PERP, 7, 10)) == []


async def test_a_moment_leads_to_the_first_trade_at_or_after_it(tmp_path: Path) -> None:
    async with running(tmp_path) as rig:
        assert await id_at(rig.doors, PERP, START_MS) == 1
        await six_trades(rig)
        assert await id_at(rig.doors, PERP, START_MS - 1) == 1
        assert await id_at(rig.doors, PERP, START_MS) == 1
        assert await id_at(rig.doors, PERP, START_MS + 1) == 7


async def test_candles_before_those_in_memory_come_from_the_history(tmp_path: Path) -> None:
    async with running(tmp_path) as rig:
        await six_trades(rig)
        before_ms = START_MS - MINUTE_MS
        row = CandleRow(PERP, MINUTE_MS, before_ms, 7, 9, 6, 8, 10, 80, 4, 5, 40)
        rig.history.submit(rig.doors.board.seq + 1, [("candles", row)])
        assert await rig.history.caught_up(60.0)
        for start_ms in (None, 0, before_ms):
            found = await candles_of(rig.doors, PERP, "1m", start_ms, None, 5)
            assert [candle.open_ms for candle in found] == [before_ms, START_MS]
            assert (found[0].high, found[0].taker_lots, found[0].taker_units) == (9, 5, 40)
        (last,) = await candles_of(rig.doors, PERP, "1m", None, None, 1)
        assert last.open_ms == START_MS
        (first,) = await candles_of(rig.doors, PERP, "1m", 0, None, 1)
        assert first.open_ms == before_ms
        assert await candles_of(rig.doors, PERP, "1m", START_MS + 1, None, 5) == []


async def test_a_stretch_that_nobody_recorded_is_flat(tmp_path: Path) -> None:
    async with running(tmp_path) as rig:
        await six_trades(rig)

        def row(minutes: int, close: int) -> CandleRow:
            return CandleRow(PERP, MINUTE_MS, minute(minutes), 7, 9, 6, close, 10, 80, 4)

        def minute(number: int) -> int:
            return START_MS + number * MINUTE_MS

        # Minutes 9 to 6 before memory's first are there, and those from 5 to 1 are not.
        rows = [("candles", row(-9 + n, 5 + n)) for n in range(4)]
        rig.history.submit(rig.doors.board.seq + 1, rows)
        assert await rig.history.caught_up(60.0)
        for start, end, limit, opens in (
            (None, None, 4, [-3, -2, -1, 0]),
            (None, -2, 3, [-4, -3, -2]),
            (None, -2, 6, [-7, -6, -5, -4, -3, -2]),
            (-7, None, 9, [-7, -6, -5, -4, -3, -2, -1, 0]),
            (-7, None, 3, [-7, -6, -5]),
            (-4, None, 3, [-4, -3, -2]),
            (-4, -3, 9, [-4, -3]),
            (-20, None, 2, [-9, -8]),
            (1, None, 9, []),
        ):
            start_ms, end_ms = (None if at is None else minute(at) for at in (start, end))
            found = await candles_of(rig.doors, PERP, "1m", start_ms, end_ms, limit)
            assert [candle.open_ms for candle in found] == [minute(at) for at in opens]
            # The last price before them was that of the fourth row, 8.
            missing = [candle for candle in found if -6 < (candle.open_ms - START_MS) // 60_000 < 0]
            assert all(candle == flat(candle.open_ms, 8) for candle in missing)
