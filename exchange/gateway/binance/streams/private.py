"""Events of accounts among the streams: who holds which listenKey, and what is pushed to them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from exchange.gateway.binance.streams.outbox import Frame, Outbox
from exchange.gateway.binance.symbols import Product

# (product, listenKey) -> the account it was given to; None where it is unknown or has ended.
Resolver = Callable[[Product, str], int | None]


class PrivateStreams:
    """The listenKeys that sockets hold.

    Whoever gives keys out registers a `resolver`, asks `keys_of` (or `is_held`) whether an event
    is worth telling, and pushes it as a payload by key. A name that does not resolve when it is
    subscribed to stays silent.
    """

    def __init__(self) -> None:
        self.resolver: Resolver | None = None
        self._readers: dict[str, dict[Outbox, None]] = {}
        self._keys: dict[int, dict[str, Product]] = {}
        self._accounts: dict[str, int] = {}

    def hold(self, outbox: Outbox, product: Product, key: str) -> None:
        """A socket subscribes to what may be a listenKey."""
        account_id = self.resolver(product, key) if self.resolver else None
        if account_id is None:
            return
        self._readers.setdefault(key, {})[outbox] = None
        self._accounts[key] = account_id
        self._keys.setdefault(account_id, {})[key] = product

    def drop(self, outbox: Outbox, key: str) -> None:
        """A socket holds it no more; no news where it never did."""
        readers = self._readers.get(key)
        if readers is None:
            return
        readers.pop(outbox, None)
        if not readers:
            self._forget(key)

    def is_held(self, key: str) -> bool:
        """Whether any socket holds the key."""
        return key in self._readers

    def keys_of(self, account_id: int) -> dict[str, Product]:
        """The keys of an account that sockets hold, and of which product each is."""
        return dict(self._keys.get(account_id, ()))

    def push(self, key: str, payload: dict[str, Any]) -> None:
        """Tell an event (its name is under "e") to all sockets that hold the key."""
        readers = self._readers.get(key)
        if not readers:
            return
        frame = Frame(key, payload)
        for outbox in readers:
            if outbox.events is None or payload.get("e") in outbox.events:
                outbox.tell(frame)

    def end(self, key: str) -> None:
        """The key has ended: nothing more comes to those who hold it."""
        if key in self._readers:
            self._forget(key)

    def _forget(self, key: str) -> None:
        del self._readers[key]
        account_id = self._accounts.pop(key)
        keys = self._keys[account_id]
        del keys[key]
        if not keys:
            del self._keys[account_id]
