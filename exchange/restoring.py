"""Filling a new board: what stands in the recovered engine, and what the past was.

The past of a chart has two parts: what was made up before the venue's first moment, which follows
from the genesis record, and what the history file keeps of the time since. Both are laid down up
to where the replay of the journal's tail goes on.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from itertools import chain

from exchange.bounds import CANDLES_KEPT, CANDLES_RESTORED, FUNDINGS_KEPT, TRADES_KEPT
from exchange.engine import Engine
from exchange.events import FundingFixed, Traded
from exchange.market.bars import Bar, PastTrade
from exchange.market.prehistory import Prehistory
from exchange.storage.queries import ROWS_MAX, Part, Queries
from exchange.storage.rows import CandleRow, TradeRow
from exchange.views.board import Board
from exchange.views.candles import MINUTE_MS, Candle, flat
from exchange.views.trades import trade_of_row
from exchange.wire import INTERVALS_MS


async def restore_board(
    board: Board, engine: Engine, history: Queries, past: Prehistory | None
) -> None:
    """Bring a new board to where the engine stands; `past` is None for a venue without one."""
    board.restore(engine)

    async def restore(symbol: str) -> None:
        await _restore_trades(board, engine, history, past, symbol)
        await _restore_candles(board, engine, history, past, symbol)
        await _restore_price_candles(board, engine.time_ms, history, symbol)

    # All at once: where the history is another process's, each answer takes its time to come.
    await asyncio.gather(*map(restore, board.instruments))
    board.resume()
    for perp in engine.venue.perps:
        await _restore_fundings(board, engine, history, past, perp.symbol, perp.interval_ms)


# -- trades and funding ------------------------------------------------------------------------


async def _restore_trades(
    board: Board, engine: Engine, history: Queries, past: Prehistory | None, symbol: str
) -> None:
    if past is not None:
        board.trades.preload(symbol, (_past_trade(symbol, each) for each in past.trades(symbol)))
    behind_id = engine.trading.trade_ids[symbol] + 1
    for row in await history.trades(symbol, part=Part(before_id=behind_id, limit=TRADES_KEPT)):
        board.trades.fold(trade_of_row(row))


async def _restore_fundings(
    board: Board,
    engine: Engine,
    history: Queries,
    past: Prehistory | None,
    symbol: str,
    interval_ms: int,
) -> None:
    if past is not None:
        board.marks.preload(
            symbol,
            [
                FundingFixed(0, each.due_ms, symbol, each.due_ms, each.rate_e12, each.mark_e8)
                for each in past.funding(symbol, interval_ms)
            ],
        )
    # What fell due from the next grid point on is still to be told by the engine.
    part = Part(to_ms=engine.next_grid_ms - 1, limit=FUNDINGS_KEPT)
    for row in await history.funding(symbol, part=part):
        board.marks.fold_funding(
            FundingFixed(engine.seq, row.time_ms, symbol, row.time_ms, row.rate_e12, row.mark_e8)
        )


# -- candles -----------------------------------------------------------------------------------


async def _restore_candles(
    board: Board, engine: Engine, history: Queries, past: Prehistory | None, symbol: str
) -> None:
    """Closed candles as they are kept, and the running ones from what they are made of."""
    now_ms = engine.time_ms
    minute_ms = now_ms - now_ms % MINUTE_MS
    day_ms = now_ms - now_ms % max(INTERVALS_MS.values())
    minutes = await history.candles(
        symbol, MINUTE_MS, part=Part(from_ms=day_ms, to_ms=minute_ms - 1, limit=ROWS_MAX)
    )
    for interval, step_ms in INTERVALS_MS.items():
        open_ms = now_ms - now_ms % step_ms
        # A day's ticker needs more minutes than a chart needs candles.
        count = CANDLES_KEPT if step_ms == MINUTE_MS else CANDLES_RESTORED
        begin_ms = open_ms - count * step_ms
        kept = await history.candles(
            symbol, step_ms, part=Part(from_ms=begin_ms, to_ms=open_ms - 1, limit=ROWS_MAX)
        )
        made_up_to_ms = kept[0].open_ms if kept else now_ms
        made_up = past.candles(symbol, step_ms, begin_ms, made_up_to_ms) if past else []
        running = [row for row in minutes if row.open_ms >= open_ms]
        bars: Iterable[Bar | CandleRow] = chain(made_up, kept, running)
        board.candles.preload(symbol, interval, joined(bars, step_ms, open_ms))
    async for row in _trades_since(history, symbol, minute_ms, engine.trading.trade_ids[symbol]):
        board.candles.fold(trade_of_row(row))


async def _restore_price_candles(board: Board, now_ms: int, history: Queries, symbol: str) -> None:
    """Candles of marks and indexes, of what is kept: up to the running minute, which begins
    anew."""
    minute_ms = now_ms - now_ms % MINUTE_MS
    for kind, candles in board.price_candles.items():
        if symbol not in candles.symbols:
            continue
        for interval, step_ms in INTERVALS_MS.items():
            open_ms = now_ms - now_ms % step_ms
            part = Part(
                from_ms=open_ms - CANDLES_RESTORED * step_ms, to_ms=open_ms - 1, limit=ROWS_MAX
            )
            kept = await history.candles(symbol, step_ms, kind=kind, part=part)
            part = Part(from_ms=open_ms, to_ms=minute_ms - 1, limit=ROWS_MAX)
            running = await history.candles(symbol, MINUTE_MS, kind=kind, part=part)
            candles.preload(symbol, interval, joined([*kept, *running], step_ms, open_ms))


async def _trades_since(
    history: Queries, symbol: str, from_ms: int, last_id: int
) -> AsyncIterator[TradeRow]:
    """The trades of the running minute, up to the last one that the engine knows of."""
    part = Part(from_ms=from_ms, before_id=last_id + 1, limit=ROWS_MAX)
    while rows := await history.trades(symbol, part=part):
        for row in rows:
            yield row
        part = Part(
            from_ms=from_ms, from_id=rows[-1].trade_id + 1, before_id=last_id + 1, limit=ROWS_MAX
        )


def joined(bars: Iterable[Bar | CandleRow], step_ms: int, until_ms: int) -> list[Candle]:
    """Candles of `step_ms` from bars of that length or shorter ones, up to that of `until_ms`.

    Oldest first and without holes: where nothing is known the last close stands. None at all
    where there are no bars.
    """
    candles: list[Candle] = []
    for bar in bars:
        open_ms = bar.open_ms - bar.open_ms % step_ms
        if not candles:
            candles.append(flat(open_ms, bar.open))
        _flat_until(candles, step_ms, open_ms)
        candles[-1].add(_candle(bar))
        if not candles[-1].trades:
            candles[-1] = flat(open_ms, bar.close)
    if candles:
        _flat_until(candles, step_ms, until_ms)
    return candles


def _flat_until(candles: list[Candle], step_ms: int, open_ms: int) -> None:
    """Draw flat candles up to the one that opens at `open_ms`."""
    last = candles[-1]
    begin_ms = max(last.open_ms + step_ms, open_ms - CANDLES_KEPT * step_ms)
    if begin_ms > last.open_ms + step_ms:
        candles.clear()  # The hole is longer than what is kept.
    for missing_ms in range(begin_ms, open_ms + 1, step_ms):
        candles.append(flat(missing_ms, last.close))


def _candle(bar: Bar | CandleRow) -> Candle:
    synthetic = isinstance(bar, Bar) or bar.synthetic
    return Candle(
        bar.open_ms,
        bar.open,
        bar.high,
        bar.low,
        bar.close,
        bar.lots,
        bar.units,
        bar.trades,
        synthetic,
        bar.taker_lots,
        bar.taker_units,
    )


def _past_trade(symbol: str, trade: PastTrade) -> Traded:
    """A trade that no command made: its seq is 0."""
    return Traded(
        seq=0,
        time_ms=trade.time_ms,
        symbol=symbol,
        trade_id=trade.trade_id,
        price_ticks=trade.price_ticks,
        lots=trade.lots,
        taker_side=trade.taker_side,
        maker_order_id=0,
        taker_order_id=0,
        forced=False,
    )
