"""How many connections each address has open, on all ports together."""

from __future__ import annotations


class Connections:
    """Counts them; `per_address` is the most one address may have, 0 for no limit."""

    def __init__(self, per_address: int = 0) -> None:
        assert per_address >= 0
        self._per_address = per_address
        self._open: dict[str, int] = {}

    def __len__(self) -> int:
        return sum(self._open.values())

    def enter(self, address: str) -> bool:
        """Count one in; False, and nothing counted, where the address has all it may."""
        held = self._open.get(address, 0)
        if self._per_address and held >= self._per_address:
            return False
        self._open[address] = held + 1
        return True

    def leave(self, address: str) -> None:
        """Count one out."""
        held = self._open[address] - 1
        if held:
            self._open[address] = held
        else:
            del self._open[address]
