"""Sending when the loop comes round: one call for all connections that have something to send."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


class Flusher:
    """Calls those who woke it, once each turn of the loop.

    A group of the engine fills many outboxes at once; a call of the loop for each of them would
    cost more than the writing does.
    """

    def __init__(self) -> None:
        self._woken: list[Callable[[], None]] = []

    def wake(self, flush: Callable[[], None]) -> None:
        """Call `flush` soon, and not before whoever wakes is done."""
        if not self._woken:
            asyncio.get_running_loop().call_soon(self._flush)
        self._woken.append(flush)

    def _flush(self) -> None:
        woken, self._woken = self._woken, []
        for flush in woken:
            flush()
