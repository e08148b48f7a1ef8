"""A lively market for tests of local books: the exchange as it is served, agents and all.

By default a minute of exchange time passes in a few seconds of the wall. With
PAPERTAPE_LIVELY_SECONDS=60 in the environment time is not sped up, and a real minute passes.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from random import Random
from typing import Any, Final

import aiohttp

from exchange.commands import CancelOrder, Deposit, PlaceOrder
from exchange.config import Binance, Config, Limits, Market, Server, Storage
from exchange.events import Answered, AnyEvent, DepthChanged
from exchange.gateway import auth
from exchange.gateway.binance.symbols import Product, Symbols
from exchange.gateway.doors import Doors
from exchange.sequencer import Sequencer
from exchange.server import start
from matching.types import Side
from tests.exchange.gateway.rig import ADMIN_KEY, Rig

SECONDS_VARIABLE: Final = "PAPERTAPE_LIVELY_SECONDS"
SYMBOLS: Final = ("BTC-USDT", "BTC-USDT-PERP", "BTC-USD-PERP")
QTY_OF: Final = {"BTC-USDT": "0.01", "BTC-USDT-PERP": "0.01", "BTC-USD-PERP": "1"}
SPEED: Final = 10.0
MOVES: Final = 2  # Of somebody hectic, before anybody else moves.
RESTING_MAX: Final = 40
MINUTE_MS: Final = 60_000
LEVELS_MAX: Final = 1_000
DEPTH_OF: Final[dict[Product, str]] = {
    "spot": "/api/v3/depth",
    "um": "/fapi/v1/depth",
    "cm": "/dapi/v1/depth",
}


class Hectic:
    """Somebody who quotes near the best prices of a book, thinks better of it, and takes."""

    def __init__(self, market: LivelyMarket, account_id: int, symbol: str) -> None:
        self._market = market
        self._account_id = account_id
        self._instrument = market.doors.board.instruments[symbol]
        self._random = Random(symbol)
        self._open: list[int] = []

    async def move(self) -> None:
        """One order at a random price, and one cancelled where many rest."""
        random, instrument = self._random, self._instrument
        bbo = self._market.doors.board.depth.bbo(instrument.symbol)
        side = random.choice(tuple(Side))
        best, sign = (bbo.bid_ticks, -1) if side is Side.BUY else (bbo.ask_ticks, 1)
        lots = instrument.lots(QTY_OF[instrument.symbol])
        assert isinstance(lots, int)
        events = await self._market.do(
            PlaceOrder(
                account_id=self._account_id,
                symbol=instrument.symbol,
                side=side,
                lots=lots * random.randint(1, 9),
                # Sometimes within the spread or across it, mostly among the levels behind.
                price_ticks=best + sign * random.randint(-200, 2_000),
                wallet="spot" if instrument.kind == "spot" else "perp",
            )
        )
        answered = events[-1]
        assert isinstance(answered, Answered)
        self._open.append(answered.result_id)
        if len(self._open) > RESTING_MAX:
            gone = self._open.pop(random.randrange(RESTING_MAX))
            await self._market.do(CancelOrder(account_id=self._account_id, order_id=gone))


class LivelyMarket(Rig):
    """A served exchange whose agents trade; `live` lets its minute pass, `stand` stops time."""

    def __init__(self, doors: Doors, url: str, http: aiohttp.ClientSession) -> None:
        self.doors = doors
        self.http = http
        self.changes = dict.fromkeys(SYMBOLS, 0)  # Levels of books that changed, by symbol.
        self._url = url
        self._symbols = Symbols(doors.board.instruments)
        self._moved = asyncio.Event()
        self._crowd: list[Hectic] = []
        doors.sequencer.listeners.append(self._on_group)

    @property
    def url(self) -> str:
        """The address of the main port, without a slash at its end."""
        return self._url

    def _on_group(self, groups: Sequence[list[AnyEvent]]) -> None:
        for events in groups:
            for event in events:
                if isinstance(event, DepthChanged):
                    self.changes[event.symbol] += len(event.bids) + len(event.asks)
        self._moved.set()

    async def live(self) -> None:
        """A minute of exchange time passes, or as many wall seconds as were asked for."""
        end_ms = self.doors.board.time_ms + int(asked_seconds() * 1_000 or MINUTE_MS)
        while self.doors.board.time_ms < end_ms:
            await self.live_on()

    async def live_on(self) -> None:
        """A moment passes, in which those who are hectic move in every book."""
        if not self._crowd:
            await self._gather()
        now_ms = self.doors.board.time_ms
        for _ in range(MOVES):
            for somebody in self._crowd:
                await somebody.move()
        while self.doors.board.time_ms == now_ms:
            self._moved.clear()
            await self._moved.wait()

    async def _gather(self) -> None:
        account_id = (await self.open_account("hectic")).account_id
        for wallet, asset in (("spot", "BTC"), ("perp:BTC", "BTC"), ("spot", "USDT")):
            wish = Deposit(account_id=account_id, wallet=wallet, asset=asset, amount_minor=10**14)
            await self.do(wish)
        self._crowd = [Hectic(self, account_id, symbol) for symbol in SYMBOLS]

    async def stand(self) -> None:
        """Exchange time stands, and nobody trades until `go_on`: what was due by then is done."""
        await self._set_clock(pause=True)
        sequencer = self.doors.sequencer
        assert isinstance(sequencer, Sequencer)
        while not await sequencer.between_groups(lambda: sequencer.is_idle):
            pass

    async def go_on(self) -> None:
        """Exchange time runs again, and the agents trade."""
        await self._set_clock(pause=False)

    async def _set_clock(self, **fields: Any) -> None:
        headers = {auth.ADMIN_HEADER: ADMIN_KEY}
        answer = await self.ask("POST", "/v1/admin/clock", fields, headers=headers)
        assert answer.status == 200, answer.body

    def last_id(self, product: Product, name: str) -> int:
        """The number of the last change of a book, as depth of that symbol would tell it."""
        instrument = self._symbols.of(product, name)
        return self.doors.board.depth.last_id(instrument.symbol)

    async def depth(self, product: Product, name: str) -> Any:
        """The whole book as the Binance door answers it: lastUpdateId, bids, asks."""
        target = f"{DEPTH_OF[product]}?symbol={name}&limit={LEVELS_MAX}"
        answer = await self.ask("GET", target)
        assert answer.status == 200, answer.body
        return answer.json


def asked_seconds() -> float:
    """How many wall seconds the environment asks for; 0 where it asks for none."""
    return float(os.environ.get(SECONDS_VARIABLE, "0"))


@contextlib.asynccontextmanager
async def lively_market(folder: Path, **settings: Any) -> AsyncIterator[LivelyMarket]:
    """The exchange as `papertape serve` composes it, on a free port, with its agents.

    `settings` are of `[binance]`.
    """
    unhurried = {"spot_messages_per_second": 0, "futures_messages_per_second": 0}
    running = await start(
        Config(
            # A hair above 1 is a clock that can be paused, which the wall's cannot.
            speed=1.000_001 if asked_seconds() else SPEED,
            server=Server(port=0, fast_port=0, admin_key=ADMIN_KEY),
            market=Market(symbols=SYMBOLS, history=False, agent_step_ms=200),
            storage=Storage(data=str(folder / "lively")),
            limits=Limits(weight_per_minute=0, orders_per_10_seconds=0),
            binance=Binance(**{**unhurried, **settings}),
        )
    )
    try:
        async with aiohttp.ClientSession() as http:
            yield LivelyMarket(running.doors, running.url, http)
    finally:
        await running.stop()
    assert not running.failed
