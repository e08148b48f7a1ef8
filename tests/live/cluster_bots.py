"""Bots that trade through the gateways of a cluster, and remember all they were told."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Sequence
from typing import Literal

from clients.api import Papertape
from clients.channels import ACCOUNT_CHANNEL
from clients.errors import PapertapeError
from exchange.wire import PRIVATE_CHANNELS, AccountOpenedSay, OrderSay

SYMBOL = "BTC-USDT-PERP"
NOT_DONE = {"NOT_READY", "BUSY"}  # Refused before it was sent on,
UNKNOWN = {"OUTCOME_UNKNOWN", "CONNECTION_LOST", "UNREACHABLE"}  # and nobody knows.
FAR = {"buy": "45000", "sell": "55000"}
ORDERS_PER_PAGE = 500
RESTING_MAX = 20


class Bot:
    """One account that places, cancels and takes, at one gateway and where that is away at another.

    `acknowledged` has the order ids by client id, `undone` the client ids that were refused.
    """

    def __init__(self, opened: AccountOpenedSay, doors: Sequence[str], number: int) -> None:
        self.acknowledged: dict[str, int] = {}
        self.acknowledged_s: dict[int, float] = {}  # When, by the number of the wish.
        self.undone: set[str] = set()
        self.unknown: set[str] = set()
        self.heard: list[int] = []  # Numbers of private events, in the order they came.
        self.begun_at: list[int] = []  # Once; again only where it could not go on.
        self._number = number
        self._dice = random.Random(number)
        self._resting: list[int] = []
        self.asked = 0
        self._pt = Papertape(doors[0], opened.api_key, opened.api_secret, others=doors[1:])

    def begin(self) -> None:
        """Hear every private channel, from now on and over every break."""
        self._hearing = asyncio.create_task(self._hear())

    async def trade(self) -> None:
        """Ask for one thing after the other until cancelled."""
        while True:
            await self._ask_something()

    async def close(self) -> None:
        """Leave."""
        self._hearing.cancel()
        await asyncio.gather(self._hearing, return_exceptions=True)
        await self._pt.close()

    async def _hear(self) -> None:
        async for event in self._pt.subscribe(*PRIVATE_CHANNELS):
            if event.channel == ACCOUNT_CHANNEL:
                self.begun_at.append(event.seq)
            elif event.seq:  # The gauges of `margin` have no number.
                self.heard.append(event.seq)

    async def _ask_something(self) -> None:
        try:
            if len(self._resting) > RESTING_MAX:
                await self._pt.cancel(self._resting.pop(0))
            else:
                await self._place()
        except PapertapeError as error:
            if error.code not in NOT_DONE | UNKNOWN | {"UNKNOWN_ORDER"}:
                raise
            await asyncio.sleep(0.02)

    async def _place(self) -> None:
        self.asked += 1
        number = self.asked
        client_id = f"bot{self._number}-{number}"
        takes = self._dice.random() < 0.2
        side: Literal["buy", "sell"] = self._dice.choice(("buy", "sell"))
        try:
            placed = await self._pt.place(
                SYMBOL,
                side,
                "0.001",
                price=None if takes else FAR[side],
                client_id=client_id,
            )
        except asyncio.CancelledError:
            self.unknown.add(client_id)  # The bot was stopped meanwhile.
            raise
        except PapertapeError as error:
            if error.code in NOT_DONE and not error.sent_twice:
                self.undone.add(client_id)
            else:
                self.unknown.add(client_id)
            raise
        self.acknowledged[client_id] = placed.order.order_id
        self.acknowledged_s[number] = time.monotonic()
        if placed.order.status == "new":
            self._resting.append(placed.order.order_id)

    # -- afterwards ----------------------------------------------------------------------------

    async def check(self) -> None:
        """Is every acknowledged order there once, none that was refused, and no event missing?"""
        orders = await self._all_orders()
        times = Counter(order.client_id for order in orders)
        assert all(count == 1 for count in times.values()), times.most_common(3)
        found = {order.client_id: order.order_id for order in orders}
        lost = {name for name, id_ in self.acknowledged.items() if found.get(name) != id_}
        assert not lost, f"acknowledged and not there: {sorted(lost)[:5]}"
        assert not self.undone & found.keys(), "refused, and yet done"
        surplus = found.keys() - self.acknowledged.keys() - self.unknown
        assert not surplus, f"done, and never asked for: {sorted(surplus)[:5]}"
        self._check_events()

    def _check_events(self) -> None:
        assert len(self.begun_at) == 1, "a resume was refused"
        (begun_at,) = self.begun_at
        expected = range(begun_at + 1, begun_at + 1 + len(self.heard))
        assert self.heard == list(expected), "private events with a gap, or out of order"

    async def _all_orders(self) -> list[OrderSay]:
        found: list[OrderSay] = []
        before_id = None
        while True:
            page = await self._pt.orders(status="all", limit=ORDERS_PER_PAGE, before_id=before_id)
            found += page
            if len(page) < ORDERS_PER_PAGE:
                return found
            before_id = min(order.order_id for order in page)
