# cython: overflowcheck=True
"""Who is near: the index that makes a price tick cost only what it can hurt.

Each scope (an account's perpetual wallet, one isolated position, one margin wallet) leaves a band
per price it depends on. While every price stays strictly inside its band the scope cannot be in
breach, so nobody looks at it; a price that reaches a bound makes the scope due for an exact check,
which leaves new bands. A scope whose account changed is due as well.
"""

from __future__ import annotations

import heapq

Scope = tuple[int, str]  # (account id, "perp" | "perp/<SYMBOL>" | "margin" | "isolated:<SYMBOL>")
Band = tuple[str, int | None, int | None]  # price source, low_e8, high_e8 (None: no bound)
WatchState = tuple[list[tuple[int, str, list[Band], int]], list[Scope], list[Scope]]
_Entry = tuple[int, int, str, int]  # signed bound, account id, scope, version

_SPARE_ENTRIES = 64  # A heap this much longer than twice what is live is thinned.
_PRICE_E8_MAX = 1 << 62  # No price comes near; a bound beyond it is none.


class _Bounds:
    """The bounds on one side of a price, the first it reaches on top; old ones among them."""

    __slots__ = ("heap", "live")

    def __init__(self) -> None:
        self.heap: list[_Entry] = []
        self.live = 0  # How many of its entries are of bands that hold.


class Watch:
    """Bands by price source, and the scopes that are due for a check, in order."""

    __slots__ = ("_allowances", "_bands", "_high", "_low", "_touched", "_version", "due")

    def __init__(self) -> None:
        self.due: dict[Scope, None] = {}
        self._touched: dict[Scope, None] = {}  # Due at the next scan, not before.
        self._bands: dict[Scope, tuple[int, list[Band]]] = {}  # with the version that is live
        self._version = 0
        self._low: dict[str, _Bounds] = {}  # Fires at price <= bound: bounds negated.
        self._high: dict[str, _Bounds] = {}  # Fires at price >= bound.
        self._allowances: dict[Scope, int] = {}  # What a scope may still lose inside its bands.

    def touch(self, account_id: int, scope: str) -> None:
        """The account changed: check the scope at the next scan. O(1)."""
        self._touched[account_id, scope] = None

    @property
    def touched(self) -> bool:
        """Whether the next scan has anybody to look at besides whom a price reaches."""
        return bool(self._touched)

    def awaits(self, account_id: int, scope: str) -> bool:
        """Whether this scan or the next one will look at the scope. O(1)."""
        return (account_id, scope) in self.due or (account_id, scope) in self._touched

    def gather(self) -> None:
        """A scan begins: what was touched since the last one is due. O(touched), O(1) if alone."""
        if not self.due:
            self.due, self._touched = self._touched, self.due
            return
        self.due.update(self._touched)
        self._touched.clear()

    def spend(self, account_id: int, scope: str, amount: int) -> None:
        """The scope lost an amount its bands may allow for; beyond that it is touched. O(1).

        A gain (an amount below zero) is not counted: bands were left without it.
        """
        left = self._allowances.get((account_id, scope), 0) - max(0, amount)
        if left < 0:
            self.touch(account_id, scope)
        elif left:
            self._allowances[account_id, scope] = left
        else:
            self._allowances.pop((account_id, scope), None)

    def put(self, account_id: int, scope: str, bands: list[Band], allowance: int = 0) -> None:
        """Leave new bands for a scope in place of its old ones. O(bands x log scopes).

        They hold even when the scope loses the `allowance` besides, in a unit of the caller's.
        """
        self.drop(account_id, scope)
        key = (account_id, scope)
        if allowance:
            self._allowances[key] = allowance
        bands = [_within_reach(band) for band in bands]
        self._version += 1
        self._bands[key] = (self._version, bands)
        for source, low_e8, high_e8 in bands:
            if low_e8 is not None:
                self._push(self._low, source, (-low_e8, account_id, scope, self._version))
            if high_e8 is not None:
                self._push(self._high, source, (high_e8, account_id, scope, self._version))

    def drop(self, account_id: int, scope: str) -> None:
        """Forget a scope's bands, and what they allowed for. O(1)."""
        key = (account_id, scope)
        old = self._bands.pop(key, None)
        if old is None:
            return
        self._allowances.pop(key, None)  # There is none but with bands.
        for source, low_e8, high_e8 in old[1]:
            if low_e8 is not None:
                self._low[source].live -= 1
            if high_e8 is not None:
                self._high[source].live -= 1

    def move(self, source: str, price_e8: int) -> None:
        """A price moved: scopes whose bound it reached are due. O(reached x log scopes)."""
        self._fire(self._low.get(source), -price_e8)
        self._fire(self._high.get(source), price_e8)

    def _push(self, side: dict[str, _Bounds], source: str, entry: _Entry) -> None:
        """Add an entry; where old ones outnumber the live, leave them out. O(log scopes) each."""
        bounds = side.get(source)
        if bounds is None:
            bounds = side[source] = _Bounds()
        bounds.live += 1
        heapq.heappush(bounds.heap, entry)
        if len(bounds.heap) > 2 * bounds.live + _SPARE_ENTRIES:
            bounds.heap = [each for each in bounds.heap if self._is_live(each)]
            heapq.heapify(bounds.heap)

    def _is_live(self, entry: _Entry) -> bool:
        _, account_id, scope, version = entry
        live = self._bands.get((account_id, scope))
        return live is not None and live[0] == version

    def _fire(self, bounds: _Bounds | None, signed_price: int) -> None:
        """Make due all whose signed bound is at or below the signed price."""
        heap = bounds.heap if bounds is not None else []
        while heap and heap[0][0] <= signed_price:
            entry = heapq.heappop(heap)
            if self._is_live(entry):
                _, account_id, scope, _ = entry
                self.drop(account_id, scope)  # The check will leave new bands.
                self.due[account_id, scope] = None

    def check(self) -> None:
        """Assert that every live band stands in its heaps and the count of them is right."""
        entries = {
            (source, bound, account_id, scope, version)
            for heaps in (self._low, self._high)
            for source, bounds in heaps.items()
            for bound, account_id, scope, version in bounds.heap
        }
        assert self._allowances.keys() <= self._bands.keys(), self._allowances
        assert all(amount > 0 for amount in self._allowances.values()), self._allowances
        for heaps in (self._low, self._high):
            for bounds in heaps.values():
                assert bounds.live == sum(map(self._is_live, bounds.heap)), bounds.live
        for (account_id, scope), (version, bands) in self._bands.items():
            for source, low_e8, high_e8 in bands:
                if low_e8 is not None:
                    assert (source, -low_e8, account_id, scope, version) in entries
                if high_e8 is not None:
                    assert (source, high_e8, account_id, scope, version) in entries

    def state(self) -> WatchState:
        """Bands and due scopes, for a snapshot: slices of work must not depend on a restart."""
        bands = [
            (account_id, scope, bands, self._allowances.get((account_id, scope), 0))
            for (account_id, scope), (_, bands) in sorted(self._bands.items())
        ]
        return bands, list(self.due), list(self._touched)

    def restore(self, state: WatchState) -> None:
        """Take back what `state` gave."""
        for account_id, scope, bands, allowance in state[0]:
            as_put: list[Band] = [(band[0], band[1], band[2]) for band in bands]
            self.put(account_id, scope, as_put, allowance)
        for into, scopes in ((self.due, state[1]), (self._touched, state[2])):
            into.update({(account_id, scope): None for account_id, scope in scopes})


def _within_reach(band: Band) -> Band:
    """A band without the bounds that no price can reach."""
    source, low_e8, high_e8 = band
    if low_e8 is not None and low_e8 <= 0:
        low_e8 = None
    if high_e8 is not None and high_e8 > _PRICE_E8_MAX:
        high_e8 = None
    return source, low_e8, high_e8
