"""The four traders of January: how each opens its position with 1,000 USDT, and what it hears."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from decimal import ROUND_DOWN, Decimal

from clients.api import Papertape
from clients.channels import Event

SPOT = "BTC-USDT"
PERP = "BTC-USDT-PERP"
STAKE = Decimal(1000)
LOT = Decimal("0.001")
TAKER = Decimal("0.0005")
LEEWAY = Decimal("1.002")  # A market order may pay a little more than the best ask.


@dataclass
class Trader:
    """One of the four: its account, and the notices of its margin."""

    name: str
    story: str
    open: Callable[[Papertape], Awaitable[None]]
    client: Papertape | None = None
    notices: list[Event] = field(default_factory=list)
    heard: asyncio.Event = field(default_factory=asyncio.Event)
    listener: asyncio.Task[None] | None = None

    async def enter(self, url: str) -> None:
        """Open an account, listen to it, and take the position over the WebSocket."""
        async with Papertape(url) as door:
            opened = await door.open_account(self.name)
        self.client = Papertape(url, opened.api_key, opened.api_secret)
        self.listener = asyncio.create_task(self._listen(self.client))
        await self.open(self.client)

    async def _listen(self, client: Papertape) -> None:
        async for event in client.subscribe("margin"):
            if event.channel != "margin" or not event.data.notice:
                continue
            self.notices.append(event)
            if event.data.setting == "margin_leverage":
                self.heard.set()

    async def heard_all(self) -> None:
        """Return once every notice up to now has arrived: a last one is made, and waited for."""
        assert self.client is not None
        self.heard.clear()
        await self.client.set_margin_leverage(5)
        await asyncio.wait_for(self.heard.wait(), 30)

    async def leave(self) -> None:
        """Close the connection."""
        if self.listener is not None:
            self.listener.cancel()
        if self.client is not None:
            await self.client.close()


async def _keep_stake(client: Papertape, wallet: str) -> None:
    """Leave the stake in a wallet; what an account is given beyond it goes to spot."""
    account = await client.account()
    have = {(each.wallet, each.asset): Decimal(each.free) for each in account.balances}.get(
        (wallet, "USDT"), Decimal(0)
    )
    if have > STAKE:
        await client.transfer(wallet, "spot", "USDT", have - STAKE)
    elif have < STAKE:
        await client.transfer("spot", wallet, "USDT", STAKE - have)


async def _best_ask(client: Papertape, symbol: str) -> Decimal:
    book = await client.book(symbol, limit=5)
    return Decimal(book.asks[0][0]) * LEEWAY


def _whole_lots(qty: Decimal) -> str:
    return str(qty.quantize(LOT, rounding=ROUND_DOWN))


async def _hold(client: Papertape) -> None:
    await client.place(SPOT, "buy", type="market", quote_qty=STAKE)


async def _margin_long(client: Papertape) -> None:
    await _keep_stake(client, "margin")
    await client.borrow("margin", "USDT", 2 * STAKE)
    await client.place(SPOT, "buy", type="market", quote_qty=3 * STAKE, margin="cross")


async def _perp_long(client: Papertape) -> None:
    """Margin, the fee to open and the fee to close must all come out of the stake."""
    await _keep_stake(client, "perp")
    await client.set_margin_mode(PERP, "isolated")
    await client.set_leverage(PERP, 20)
    price = await _best_ask(client, PERP)
    qty = STAKE / (price * (Decimal(1) / 20 + 2 * TAKER))
    await client.place(PERP, "buy", _whole_lots(qty), type="market")


async def _perp_short(client: Papertape) -> None:
    await _keep_stake(client, "perp")
    await client.set_leverage(PERP, 5)
    price = await _best_ask(client, PERP)
    qty = STAKE / (price * (Decimal(1) / 5 + 2 * TAKER))
    await client.place(PERP, "sell", _whole_lots(qty), type="market")


def four_traders() -> list[Trader]:
    """Those of the story, none of whom has begun."""
    return [
        Trader("margin-long", "3x cross margin: borrowed 2,000 USDT, bought BTC", _margin_long),
        Trader("perp-long", "20x isolated perpetual, long", _perp_long),
        Trader("perp-short", "5x perpetual, short", _perp_short),
        Trader("holder", "1,000 USDT of BTC, no leverage", _hold),
    ]
