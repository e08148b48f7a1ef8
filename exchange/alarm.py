"""The alarm at the core's door: it tells the engine that countdowns have run out (wall time).

The engine keeps the moments, so after a restart, too, what ran out meanwhile is told at once.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from typing import Final

from exchange.clock import Clock
from exchange.commands import CancelAll
from exchange.engine import Engine
from exchange.events import Answered, AnyEvent
from exchange.sequencer import Sequencer, SequencerFailed
from matching.reasons import Reason

AT_ONCE_MAX: Final = 256  # Countdowns told of in one group.
LOOK_EVERY_S: Final = 1.0  # The wall may be set while somebody waits for a moment of it.
RETRY_S: Final = 0.05  # Where the exchange is too busy to hear of it.

_TRANSIENT: Final = (Reason.BUSY, Reason.NOT_READY)


class Alarm:
    """Waits for the earliest countdown, and has its orders cancelled by a journaled command."""

    def __init__(self, engine: Engine, sequencer: Sequencer, clock: Clock) -> None:
        self._engine = engine
        self._sequencer = sequencer
        self._clock = clock
        self._awake = asyncio.Event()
        self._awaited_ms = 0
        sequencer.listeners.append(self._on_group)

    async def run(self) -> None:
        """Ring when it is time, until cancelled."""
        with contextlib.suppress(SequencerFailed):  # It ends, and says so itself.
            while True:
                heard = await self.ring()
                self._awake.clear()
                self._awaited_ms = self._engine.trading.countdowns.next_ms
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(self._pause_s() if heard else RETRY_S):
                        await self._awake.wait()

    async def ring(self) -> bool:
        """Cancel for the countdowns that have run out by now; False where some were not heard."""
        due = self._engine.trading.countdowns.due(self._clock.wall_ms(), AT_ONCE_MAX)
        if not due:
            return True
        commands = [
            CancelAll(account_id=each.account_id, symbol=each.symbol, countdown_ms=each.at_ms)
            for each in due
        ]
        reasons = [_reason(events) for events in await self._sequencer.submit_all(commands)]
        assert all(reason is None or reason in _TRANSIENT for reason in reasons), reasons
        return not any(reasons)

    def _pause_s(self) -> float | None:
        """How long there is nothing to do; None until somebody sets a countdown."""
        if not self._awaited_ms:
            return None
        left_ms = self._awaited_ms - self._clock.wall_ms()
        return min(max(left_ms, 0) / 1_000, LOOK_EVERY_S)

    def _on_group(self, groups: Sequence[list[AnyEvent]]) -> None:
        """A command may have moved the moment that is waited for."""
        if self._engine.trading.countdowns.next_ms != self._awaited_ms:
            self._awake.set()


def _reason(events: list[AnyEvent]) -> Reason | None:
    answer = events[-1]
    assert isinstance(answer, Answered), "the last event answers the command"
    return answer.reason
