"""An exchange with prices, and traders on it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.exchange.gateway.rig import Rig, Trader, running


@pytest_asyncio.fixture
async def rig(tmp_path) -> AsyncIterator[Rig]:
    """BTC at 50,000 and ETH at 2,500, nobody on the books."""
    async with running(tmp_path) as found:
        await found.set_index("BTC-USDT", "50000")
        await found.set_index("ETH-USDT", "2500")
        yield found


@pytest_asyncio.fixture
async def alice(rig: Rig) -> Trader:
    """A funded account."""
    return await rig.open_account("alice")


@pytest_asyncio.fixture
async def bob(rig: Rig) -> Trader:
    """Another funded account."""
    return await rig.open_account("bob")
