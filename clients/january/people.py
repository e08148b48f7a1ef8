"""The four traders of January: how each opens its position with 1,000 USDT, and what it hears."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from decimal import ROUND_DOWN, Decimal
from typing import Literal

from clients.api import Papertape
from clients.channels import Event

SPOT = "BTC-USDT"
PERP = "BTC-USDT-PERP"
STAKE = Decimal(1000)
LOT = Decimal("0.001")


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


async def _all_in(client: Papertape, side: Literal["buy", "sell"], leverage: int) -> None:
    """Take the largest position that the stake covers, by asking before sending."""
    await client.set_leverage(PERP, leverage)
    book = await client.book(PERP, limit=5)
    qty = STAKE * leverage / Decimal(book.asks[0][0])
    qty = qty.quantize(LOT, rounding=ROUND_DOWN)
    while not (await client.preview(PERP, side, qty)).accepted:
        qty -= LOT
    await client.place(PERP, side, qty)


async def _hold(client: Papertape) -> None:
    await client.place(SPOT, "buy", quote_qty=STAKE)


async def _margin_long(client: Papertape) -> None:
    await _keep_stake(client, "margin")
    await client.borrow("margin", "USDT", 2 * STAKE)
    await client.place(SPOT, "buy", quote_qty=3 * STAKE, margin="cross")


async def _perp_long(client: Papertape) -> None:
    await _keep_stake(client, "perp")
    await client.set_margin_mode(PERP, "isolated")
    await _all_in(client, "buy", 20)


async def _perp_short(client: Papertape) -> None:
    await _keep_stake(client, "perp")
    await _all_in(client, "sell", 5)


def four_traders() -> list[Trader]:
    """Those of the story, none of whom has begun."""
    return [
        Trader("margin-long", "3x cross margin: borrowed 2,000 USDT, bought BTC", _margin_long),
        Trader("perp-long", "20x isolated perpetual, long", _perp_long),
        Trader("perp-short", "5x perpetual, short", _perp_short),
        Trader("holder", "1,000 USDT of BTC, no leverage", _hold),
    ]
