"""A venue that a whole module of tests shares: quoted books, a maker, an account for each bot."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final

from binance import AsyncClient
from msgspec import structs

from exchange.config import Binance, Config, Limits, Server
from tests.exchange.gateway.binance.clients.pointing import python_binance
from tests.exchange.gateway.rig import ADMIN_KEY, Rig, Trader, running

SYMBOLS: Final = ("BTC-USDT", "ETH-USDT", "BTC-USDT-PERP", "ETH-USDT-PERP", "BTC-USD-PERP")
WITHIN_S: Final = 30.0
# What a maker offers at each of these prices.
OFFERED: Final = {"BTC-USDT": "1", "BTC-USDT-PERP": "1", "BTC-USD-PERP": "500"}
QUOTES: Final = (("49990", "50010"), ("49980", "50020"))
UNLIMITED: Final = Binance(
    spot_weight_per_minute=0,
    margin_weight_per_minute=0,
    futures_weight_per_minute=0,
    spot_orders_per_10_seconds=0,
    spot_orders_per_day=0,
    futures_orders_per_10_seconds=0,
    futures_orders_per_minute=0,
    spot_messages_per_second=0,
    futures_messages_per_second=0,
)


class Venue:
    """A running exchange with an index of 50,000 and a maker around it."""

    def __init__(self, rig: Rig, maker: Trader) -> None:
        self.rig = rig
        self.maker = maker
        self._traders: tuple[Trader, Trader] | None = None

    async def account(self, **given: str) -> Trader:
        """A new account; `spot="BTC"` or `perp_BTC="BTC"` gives it ten coins in that wallet."""
        trader = await self.rig.open_account()
        for wallet, asset in given.items():
            await give(trader, wallet.replace("_", ":"), asset, "10")
        return trader

    @contextlib.asynccontextmanager
    async def bot(self, **given: str) -> AsyncIterator[AsyncClient]:
        """A client of python-binance with a new account."""
        async with python_binance(await self.account(**given)) as client:
            yield client

    async def trade(self, symbol: str, price: str, qty: str) -> None:
        """Somebody sells to somebody at a price between the maker's quotes."""
        if self._traders is None:
            coins = {"spot": "BTC", "perp_BTC": "BTC"}
            self._traders = await self.account(**coins), await self.account(**coins)
        seller, buyer = self._traders
        await seller.order(symbol, "sell", qty, price=price)
        await buyer.order(symbol, "buy", qty, price=price)

    async def pass_time(self, ms: int) -> None:
        """Exchange time goes on, and the engine catches up with it."""
        await self.rig.doors.sequencer.step(ms)

    def cut(self) -> None:
        """Every connection of the exchange breaks, with no farewell."""
        server = self.rig._server
        assert server.runner is not None
        assert server.runner.server is not None
        for connection in list(server.runner.server.connections):
            if connection.transport is not None:
                connection.transport.abort()

    async def kept(self) -> None:
        """The history has written down all that happened."""
        assert await self.rig.doors.history.caught_up(WITHIN_S)


async def give(trader: Trader, wallet: str, asset: str, amount: str) -> None:
    """Money from the faucet."""
    wish = {"wallet": wallet, "asset": asset, "amount": amount}
    answer = await trader.ask("POST", "/v1/faucet", wish)
    assert answer.status == 200, answer.body


@contextlib.asynccontextmanager
async def venue(folder: Path, **settings: Any) -> AsyncIterator[Venue]:
    """The venue, without limits; `settings` are of `[binance]`."""
    config = Config(
        server=Server(admin_key=ADMIN_KEY),
        limits=Limits(weight_per_minute=0, orders_per_10_seconds=0, accounts_per_minute=0),
        binance=structs.replace(UNLIMITED, **settings),
    )
    async with running(folder, config=config, symbols=SYMBOLS) as rig:
        await rig.set_index("BTC-USDT", "50000")
        await rig.set_index("ETH-USDT", "2500")
        maker = await rig.open_account()
        for wallet in ("spot", "perp:BTC"):
            await give(maker, wallet, "BTC", "100")
        await give(maker, "spot", "USDT", "1000000")
        await rig.doors.sequencer.step(2_000)  # A grid point fixes the marks.
        for symbol, qty in OFFERED.items():
            for bid, ask in QUOTES:
                await maker.order(symbol, "buy", qty, price=bid)
                await maker.order(symbol, "sell", qty, price=ask)
        yield Venue(rig, maker)
