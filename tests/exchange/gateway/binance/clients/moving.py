"""A market that moves without end while somebody watches it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from random import Random
from typing import Any

from exchange.commands import CancelOrder, PlaceOrder
from matching.types import OrderType, SelfTrade, Side, TimeInForce
from tests.exchange.gateway.rig import Rig, Trader


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
