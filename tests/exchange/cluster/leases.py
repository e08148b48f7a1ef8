"""Leases for tests: taken, and taken away."""

from __future__ import annotations

from exchange.cluster.connecting import Connection
from exchange.cluster.lease import Lease
from exchange.cluster.names import Names

LONG_MS = 600_000


async def leased(connection: Connection, names: Names, holder: str = "a") -> Lease:
    """The lease, whoever held it: it is as if theirs had expired."""
    async with connection.client() as client:
        while True:  # A leader that lives may renew it in between.
            await client.delete(names.leader)
            lease = await Lease.take(client, names, holder, LONG_MS)
            if lease is not None:
                return lease
