"""A small exchange with prices."""

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.clients.fake_exchange import FakeExchange
from tests.clients.load.test_opening import mark
from tests.clients.load.worlds import SYMBOLS


@pytest_asyncio.fixture
async def venue(exchange: FakeExchange) -> AsyncIterator[FakeExchange]:
    """The small exchange, with prices."""
    for symbol in SYMBOLS:
        exchange.history[f"/mark/{symbol}"] = mark(symbol, index="50000")
    yield exchange
