"""The four traders of January: how each opens its position with 1,000 USDT, and what it hears."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from decimal import ROUND_DOWN, Decimal
from typing import Final, Literal

from clients.api import Papertape
from clients.channels import ACCOUNT_CHANNEL, Event
from clients.errors import PapertapeError
from exchange.wire import PRIVATE_CHANNELS, PlacedSay

SPOT: Final = "BTC-USDT"
PERP: Final = "BTC-USDT-PERP"
STAKE: Final = Decimal(1000)
LOT: Final = Decimal("0.001")
HEAR_WITHIN_S: Final = 60.0

Opening = Callable[[Papertape], Awaitable[PlacedSay]]


@dataclass
class Trader:
    """One of the four: its account, the order that opened its position, and what it was told.

    `notices` are those of its margin, in order. `missed` is set if some were lost for good, which
    only happens where a connection breaks for longer than the exchange keeps what it said.
    """

    name: str
    story: str
    take_position: Opening
    client: Papertape | None = None
    placed: PlacedSay | None = None
    notices: list[Event] = field(default_factory=list)
    last_seq: int = 0
    missed: bool = False
    _listener: asyncio.Task[None] | None = None
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    async def enter(self, url: str) -> None:
        """Open an account, listen to it, and take the position over the WebSocket.

        PapertapeError, with the trader's name, where the exchange does not let it.
        """
        try:
            async with Papertape(url) as door:
                opened = await door.open_account(self.name)
            self.client = Papertape(url, opened.api_key, opened.api_secret)
            self._listener = asyncio.create_task(self._listen(self.client))
            self.placed = await self.take_position(self.client)
        except PapertapeError as error:
            said = f"{self.name} could not take its position: {error.message}"
            raise PapertapeError(error.code, said, error.details) from error

    async def _listen(self, client: Papertape) -> None:
        try:
            async for event in client.subscribe(*PRIVATE_CHANNELS):
                self._hear(event)
        finally:
            self._news.set()

    def _hear(self, event: Event) -> None:
        if event.channel == ACCOUNT_CHANNEL:
            self.missed = self.missed or self.last_seq > 0
        elif event.channel == "margin" and event.data.notice:
            self.notices.append(event)
        self.last_seq = max(self.last_seq, event.seq)
        self._news.set()

    async def heard_all(self) -> None:
        """Return once all that the exchange told this account up to now has arrived."""
        assert self.client is not None
        assert self._listener is not None
        told = (await self.client.account()).last_seq
        async with asyncio.timeout(HEAR_WITHIN_S):
            while self.last_seq < told:
                if self._listener.done():
                    self._listener.result()
                    raise PapertapeError("CLOSED", f"{self.name} listens no more")
                self._news.clear()
                await self._news.wait()

    async def leave(self) -> None:
        """Close the connection; whatever state the trader is in."""
        if self._listener is not None:
            self._listener.cancel()
            with suppress(asyncio.CancelledError, PapertapeError):
                await self._listener
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


async def _all_in(client: Papertape, side: Literal["buy", "sell"], leverage: int) -> PlacedSay:
    """Take the largest position that the stake covers, by asking before sending."""
    await client.set_leverage(PERP, leverage)
    book = await client.book(PERP, limit=5)
    if not (book.asks and book.bids):
        raise PapertapeError("NO_MARKET", f"nobody makes a market in {PERP} yet")
    price = Decimal((book.asks if side == "buy" else book.bids)[0][0])
    qty = (STAKE * leverage / price).quantize(LOT, rounding=ROUND_DOWN)
    while True:
        preview = await client.preview(PERP, side, qty)
        if preview.accepted:
            return await client.place(PERP, side, qty)
        qty -= LOT
        if preview.reason != "INSUFFICIENT_MARGIN" or qty <= 0:
            raise PapertapeError(preview.reason or "REFUSED", preview.message or "it is refused")


async def _hold(client: Papertape) -> PlacedSay:
    return await client.place(SPOT, "buy", quote_qty=STAKE)


async def _margin_long(client: Papertape) -> PlacedSay:
    await _keep_stake(client, "margin")
    await client.borrow("margin", "USDT", 2 * STAKE)
    return await client.place(SPOT, "buy", quote_qty=3 * STAKE, margin="cross")


async def _perp_long(client: Papertape) -> PlacedSay:
    await _keep_stake(client, "perp")
    await client.set_margin_mode(PERP, "isolated")
    return await _all_in(client, "buy", 20)


async def _perp_short(client: Papertape) -> PlacedSay:
    await _keep_stake(client, "perp")
    return await _all_in(client, "sell", 5)


def four_traders() -> list[Trader]:
    """Those of the story, none of whom has begun."""
    return [
        Trader("margin-long", "3x cross margin: borrowed 2,000 USDT, bought BTC", _margin_long),
        Trader("perp-long", "20x isolated perpetual, long", _perp_long),
        Trader("perp-short", "5x perpetual, short", _perp_short),
        Trader("holder", "1,000 USDT of BTC, no leverage", _hold),
    ]
