"""What the tests of the clients share: an exchange to talk to."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.clients.fake_exchange import FakeExchange


@pytest_asyncio.fixture
async def exchange() -> AsyncIterator[FakeExchange]:
    fake = FakeExchange()
    await fake.start()
    yield fake
    await fake.stop()
