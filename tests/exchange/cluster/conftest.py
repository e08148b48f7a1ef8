"""Fixtures of the cluster's tests: one durable Redis for all of them, a venue of each one's own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from exchange.cluster.connecting import Connection
from exchange.cluster.names import Names
from tests.exchange.cluster.redis_rig import DurableRedis, new_names, redis_of_its_own


@pytest.fixture(scope="session")
def durable_redis() -> Iterator[DurableRedis]:
    """A Redis that forgets nothing."""
    with redis_of_its_own() as server:
        yield server


@pytest.fixture
def connection(durable_redis: DurableRedis) -> Connection:
    """To the durable Redis."""
    return durable_redis.connection


@pytest.fixture
def names() -> Names:
    """Of a venue that this test has for itself."""
    return new_names()
