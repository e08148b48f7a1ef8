"""ccxt.pro watches markets and accounts here unchanged, and keeps books that equal ours."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from random import Random
from typing import Any

from exchange.commands import CancelOrder, PlaceOrder
from exchange.gateway.binance.symbols import Symbols
from matching.types import OrderType, SelfTrade, Side, TimeInForce
from tests.exchange.gateway.binance.clients.pointing import ccxt_client
from tests.exchange.gateway.binance.clients.test_ccxt import SYMBOLS, quoted
from tests.exchange.gateway.rig import Rig, Trader, running

SPOT, PERP = "BTC/USDT", "BTC/USDT:USDT"


class Lively:
    """Somebody who moves a book without end, until told to stop."""

    def __init__(self, rig: Rig, maker: Trader, symbol: str) -> None:
        self.rig, self.maker, self.symbol = rig, maker, symbol
        self.random = Random(symbol)
        self.going = True

    async def run(self) -> None:
        """Bids and asks at random, some of which meet."""
        instrument = self.rig.doors.board.instruments[self.symbol]
        middle = 50_000 * 10**8 // instrument.tick_e8
        wallet = "spot" if instrument.kind == "spot" else "perp"
        ids: list[int] = []
        while self.going:
            side = self.random.choice(tuple(Side))
            away = self.random.randint(-40, 60) * (-1 if side is Side.BUY else 1)
            wish = PlaceOrder(
                account_id=self.maker.account_id,
                symbol=self.symbol,
                side=side,
                lots=self.random.randint(1, 5) * 100 if wallet == "spot" else 1,
                price_ticks=middle + away * 100,
                tif=TimeInForce.GTC,
                type=OrderType.LIMIT,
                wallet=wallet,
                stp=SelfTrade.NONE,  # It trades with itself, so that there are trades.
            )
            events = await self.rig.do(wish)
            ids.append(events[-1].result_id)  # type: ignore[union-attr]
            if len(ids) > 40:
                gone = ids.pop(self.random.randrange(len(ids)))
                await self.rig.do(CancelOrder(account_id=self.maker.account_id, order_id=gone))


async def while_lively(
    rig: Rig, maker: Trader, symbol: str, watch: Callable[[], Awaitable[Any]]
) -> Any:
    """What somebody sees who watches a market that moves."""
    lively = Lively(rig, maker, symbol)
    moving = asyncio.create_task(lively.run())
    try:
        return await watch()
    finally:
        lively.going = False
        await moving


async def test_local_books_of_spot_and_contract_equal_ours(tmp_path: Path) -> None:
    async with running(tmp_path, symbols=SYMBOLS) as rig:
        maker = await quoted(rig)
        names = Symbols(rig.doors.board.instruments)
        async with ccxt_client("binance", await rig.open_account()) as exchange:
            for unified, product in ((SPOT, "spot"), (PERP, "um")):
                ours = names.of(product, "BTCUSDT")  # type: ignore[arg-type]

                async def follow(unified: str = unified) -> None:
                    for _ in range(60):
                        await exchange.watch_order_book(unified)

                await while_lively(rig, maker, ours.symbol, follow)
                book = exchange.orderbooks[unified]
                for price in range(40_000, 40_050):  # Each brings one event more.
                    if book["nonce"] == rig.doors.board.depth.last_id(ours.symbol):
                        break
                    await maker.order(ours.symbol, "buy", "0.01", price=str(price))
                    await asyncio.wait_for(exchange.watch_order_book(unified), 5)
                last_id, bids, asks = rig.doors.board.depth.snapshot(ours.symbol, 500)
                assert book["nonce"] == last_id
                for told, kept in ((bids, book["bids"]), (asks, book["asks"])):
                    mine = [[float(ours.price_text(t)), float(ours.qty_text(n))] for t, n in told]
                    assert [list(level) for level in kept] == mine


async def test_trades_tickers_and_candles_are_watched(tmp_path: Path) -> None:
    async with running(tmp_path, symbols=SYMBOLS) as rig:
        maker = await quoted(rig)
        async with ccxt_client("binance", await rig.open_account()) as exchange:
            for unified, symbol in ((SPOT, "BTC-USDT"), (PERP, "BTC-USDT-PERP")):

                async def follow(unified: str = unified) -> list[Any]:
                    watches = (
                        exchange.watch_trades(unified),
                        exchange.watch_ticker(unified),
                        exchange.watch_ohlcv(unified, "1m"),
                        exchange.watch_bids_asks([unified]),
                    )
                    return [await asyncio.wait_for(watch, 20) for watch in watches]

                trades, ticker, candles, _ = await while_lively(rig, maker, symbol, follow)
                assert 49_000 < trades[-1]["price"] < 51_000
                assert ticker["symbol"] == unified
                assert candles[-1][4] > 0


async def test_an_accounts_orders_fills_and_balances_are_watched(tmp_path: Path) -> None:
    async with running(tmp_path, symbols=SYMBOLS) as rig:
        await quoted(rig)
        async with ccxt_client("binance", await rig.open_account()) as exchange:
            await exchange.load_markets()
            for unified in (SPOT, PERP):
                kind = "spot" if unified == SPOT else "swap"
                watched = asyncio.create_task(exchange.watch_orders(unified))
                balances = asyncio.create_task(exchange.watch_balance({"type": kind}))
                order = None
                while not watched.done():
                    order = await exchange.create_order(unified, "market", "buy", 0.01)
                    await asyncio.wait([watched], timeout=0.5)
                assert order is not None
                assert watched.result()[0]["symbol"] == unified
                balance = await asyncio.wait_for(balances, 10)
                assert balance["USDT"]["total"]
