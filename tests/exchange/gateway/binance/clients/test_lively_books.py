"""Books that ccxt.pro keeps equal the exchange's after a minute of lively trading.

A minute of exchange time by default; PAPERTAPE_LIVELY_SECONDS=60 makes it a real one:

    PAPERTAPE_LIVELY_SECONDS=60 pytest tests/exchange/gateway/binance/clients/test_lively_books.py
"""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path
from typing import Any, Final

from exchange.gateway.binance.symbols import Product
from tests.exchange.gateway.binance.clients.lively import (
    LivelyMarket,
    asked_seconds,
    lively_market,
)
from tests.exchange.gateway.binance.clients.pointing import ccxt_client

KEPT: Final[tuple[tuple[str, Product, str], ...]] = (
    ("BTC/USDT", "spot", "BTCUSDT"),
    ("BTC/USDT:USDT", "um", "BTCUSDT"),
    ("BTC/USD:BTC", "cm", "BTCUSD_PERP"),
)
WITHIN_S: Final = 30.0


class Follower:
    """Somebody who keeps a book, and what numbers it has had."""

    def __init__(self, exchange: Any, unified: str) -> None:
        self.exchange = exchange
        self.unified = unified
        self.nonces: set[int] = set()
        self._task = asyncio.create_task(self._run())

    async def _run(self) -> None:
        while True:
            book = await self.exchange.watch_order_book(self.unified)
            self.nonces.add(book["nonce"])

    async def caught_up(self, market: LivelyMarket, product: Product, name: str) -> Any:
        """The book kept, once it has reached the last change of a market that stands."""

        async def reach() -> None:
            last_id = market.last_id(product, name)
            while self.exchange.orderbooks[self.unified]["nonce"] != last_id:
                await self.exchange.watch_order_book(self.unified)

        await asyncio.wait_for(reach(), WITHIN_S)
        return self.exchange.orderbooks[self.unified]

    async def end(self) -> None:
        """Listen no more."""
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task


async def kept_as_told(
    market: LivelyMarket, follower: Follower, product: Product, name: str
) -> None:
    """Every level that is kept is told by REST, and the other way round."""
    kept = await follower.caught_up(market, product, name)
    told = await market.depth(product, name)
    assert kept["nonce"] == told["lastUpdateId"]
    for side in ("bids", "asks"):
        whole = [[float(price), float(size)] for price, size in told[side]]
        assert len(whole) > 50
        assert [list(level) for level in kept[side]] == whole


async def test_books_of_ccxt_equal_rest_depth_after_a_minute_of_lively_trading(
    tmp_path: Path,
) -> None:
    async with (
        lively_market(tmp_path) as market,
        ccxt_client("binance", await market.open_account()) as exchange,
    ):
        followers = [Follower(exchange, unified) for unified, _, _ in KEPT]
        for unified, _, _ in KEPT:
            await asyncio.wait_for(exchange.watch_order_book(unified), WITHIN_S)
        before = dict(market.changes)
        await market.live()
        await market.stand()
        for follower, (_, product, name) in zip(followers, KEPT, strict=True):
            await kept_as_told(market, follower, product, name)
            assert len(follower.nonces) > 20  # Kept all along, not taken at the end.
            await follower.end()
        if not asked_seconds():
            # Lively indeed: about 25 levels of each book changed a second.
            assert all(market.changes[each] - before[each] > 1_000 for each in before)
