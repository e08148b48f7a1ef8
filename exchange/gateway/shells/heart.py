"""Pings of a connection that is silent, and its end where nobody answers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


class Heart:
    """Calls `ping` behind `every_s` of silence, and `silent` where half of that passes again.

    Whoever hears something from the other side sets `heard_any`, which costs next to nothing.
    """

    __slots__ = ("_every_s", "_loop", "_ping", "_pinged", "_silent", "_timer", "heard_any")

    def __init__(
        self, every_s: float, ping: Callable[[], None], silent: Callable[[], None]
    ) -> None:
        self.heard_any = False  # Since it last looked; set it rather than call somebody.
        self._every_s = every_s
        self._ping = ping
        self._silent = silent
        self._pinged = False
        self._loop = asyncio.get_running_loop()
        self._timer = self._loop.call_later(every_s, self._look)

    def stop(self) -> None:
        """The connection is over."""
        self._timer.cancel()

    def _look(self) -> None:
        if self.heard_any:
            self.heard_any = self._pinged = False
        elif self._pinged:
            self._silent()
            return
        else:
            self._pinged = True
            self._ping()
        wait_s = self._every_s / 2 if self._pinged else self._every_s
        self._timer = self._loop.call_later(wait_s, self._look)
