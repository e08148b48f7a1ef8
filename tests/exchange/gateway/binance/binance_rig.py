"""A client of the Binance door for tests: requests signed as its clients sign them."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from exchange.gateway import auth
from exchange.gateway.binance.signing import KEY_HEADER
from tests.exchange.gateway.rig import Answer, Rig, Trader


class Bot:
    """An account that trades through the Binance door."""

    def __init__(self, trader: Trader) -> None:
        self.trader = trader
        self.rig: Rig = trader.rig

    async def public(self, target: str) -> Answer:
        """An unsigned GET."""
        return await self.rig.ask("GET", target)

    async def keyed(self, verb: str, target: str, **fields: Any) -> Answer:
        """A request that carries the key and no signature."""
        query = urlencode(fields)
        headers = {KEY_HEADER: self.trader.key}
        return await self.rig.ask(verb, f"{target}?{query}" if query else target, headers=headers)

    async def signed(self, verb: str, target: str, **fields: Any) -> Answer:
        """A signed request, all in its query."""
        fields.setdefault("timestamp", self.rig.doors.clock.wall_ms())
        query = urlencode(fields)
        signature = auth.hmac_signature(self.trader.secret, query.encode())
        headers = {KEY_HEADER: self.trader.key}
        return await self.rig.ask(verb, f"{target}?{query}&signature={signature}", headers=headers)


async def bot_of(rig: Rig) -> Bot:
    """A new account with the faucet's money."""
    return Bot(await rig.open_account())
