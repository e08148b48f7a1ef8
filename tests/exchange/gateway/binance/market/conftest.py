"""A venue with a pair, a perpetual of each kind, and two who trade."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest_asyncio

from exchange.clock import SteppedClock
from exchange.commands import Tick
from tests.exchange.gateway.rig import START_MS, Rig, Trader, running

SYMBOLS = ("BTC-USDT", "ETH-USDT", "BTC-USDT-PERP", "BTC-USD-PERP")


class Market:
    """A rig whose clock is stepped, with a maker and a taker."""

    def __init__(self, rig: Rig, clock: SteppedClock, maker: Trader, taker: Trader) -> None:
        self.rig = rig
        self.maker = maker
        self.taker = taker
        self._clock = clock

    async def get(self, target: str) -> Any:
        """The body of an answer that is no refusal."""
        answer = await self.rig.ask("GET", target)
        assert answer.status == 200, answer.body
        return answer.json

    async def code(self, target: str) -> int:
        """The code of a refusal."""
        answer = await self.rig.ask("GET", target)
        assert answer.status == 400, answer.body
        return int(answer.json["code"])

    async def trade(self, price: str, qty: str, symbol: str = "BTC-USDT") -> None:
        """A buyer takes what the maker asks."""
        await self.maker.order(symbol, "sell", qty, price=price)
        await self.taker.order(symbol, "buy", qty, price=price)

    async def pass_time(self, ms: int) -> None:
        """Exchange time goes on, and the engine catches up with it."""
        self._clock.step(ms)
        await self.rig.do(Tick())
        while self.rig.doors.engine.pending_work:
            await self.rig.do(Tick())


@pytest_asyncio.fixture
async def market(tmp_path: Path) -> AsyncIterator[Market]:
    clock = SteppedClock(START_MS)
    async with running(tmp_path, symbols=SYMBOLS, clock=clock) as rig:
        await rig.set_index("BTC-USDT", "50000")
        maker, taker = await rig.open_account(), await rig.open_account()
        for trader in (maker, taker):
            for wallet in ("spot", "perp:BTC"):
                given = {"wallet": wallet, "asset": "BTC", "amount": "10"}
                answer = await trader.ask("POST", "/v1/faucet", given)
                assert answer.status == 200, answer.body
        yield Market(rig, clock, maker, taker)
